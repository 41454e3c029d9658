"""Teach a trained network to read two digits that touch, where no cut parts them.

    $ python pairs.py                        # gives model.pth its reader of pairs; twelve epochs, some minutes

A small head (networks.PairHead) on what the network's first block makes of a picture: one frame in, the left and the
right digit out. The network itself stays as it is, bit for bit. Pairs are put together from MNIST's training digits,
each bent on its own, until their ink meets; single digits, three digits and pictures of no digit are trained towards
equal probabilities (outlier exposure, as in augment.py), so that the head says when it sees no pair.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from tqdm import tqdm

from base import command
from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint, predict_pairs, save_checkpoint
from base.devices import choose_device
from base.storage import back_up, try_out
from dataset import DataError, Digits, load_mnist, split_validation
from model import DIGITS, build_pairs
from training.pictures.augment import (
    NOT_A_DIGIT,
)
from training.pictures.pairs import make_batch, make_pairs

NO_PAIR_WEIGHT = 0.5  # of their loss
BATCH_SIZE, RATE, WEIGHT_DECAY, SMOOTHING, WARM_UP = 250, 3e-3, 0.02, 0.02, 200  # the last in steps


def main(argv: list[str] | None = None) -> int:
    """Train as told; return 0, or 1 if something is missing or does not fit."""
    arguments = build_parser().parse_args(argv)
    try:
        device = choose_device(arguments.device)
        checkpoint = load_checkpoint(arguments.model, device)
        output = arguments.output or arguments.model
        try_out(output)
        replaced = output.exists() and (output != arguments.model or checkpoint.pairs is not None)
        train_set, validation_set = split_validation(load_mnist(True, arguments.data_dir))
        teach_pairs(checkpoint, train_set, arguments.epochs, arguments.seed, device)
        right = measure_pairs(checkpoint, validation_set, device)
        checkpoint.facts.pop(
            "run", None
        )  # no longer what that training wrote: it is not overwritten when that goes on
        checkpoint.facts["pairs"] = {
            "epochs": arguments.epochs,
            "seed": arguments.seed,
            "validation_accuracy": right,
        }
        if replaced:
            print(
                f"{output.name} as it was is kept as {back_up(output)} (to bring it back, copy it over {output})"
            )
        save_checkpoint(output, checkpoint)
    except (OSError, ValueError) as error:
        print(f"pairs.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    print(
        f"both digits right in {right:.2%} of {len(validation_set):,} pairs of validation digits, augmented as in training: wrote {output}"
    )
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="pairs.py",
        description="Teach a trained network to read two digits that touch.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python pairs.py\n  python pairs.py --model my.pth --epochs 6\n\n"
        "Stopped with Ctrl-C it leaves the model as it was.",
    )
    parser.add_argument(
        "--model", type=Path, default=MODEL_PATH, help="a residual network's checkpoint (default: model.pth)"
    )
    parser.add_argument(
        "--output", type=Path, help="where it goes with its reader of pairs (default: --model)"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)"
    )
    parser.add_argument(
        "--epochs", type=int, default=12, help="over MNIST's training digits (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--device", help="cpu, cuda, cuda:1, mps (untested) (default: cuda where there is one that works)"
    )
    return parser


def teach_pairs(checkpoint: Checkpoint, digits: Digits, epochs: int, seed: int, device: torch.device) -> None:
    """Give `checkpoint` a fresh reader of pairs, trained on pairs made of `digits`.

    AdamW on a warm-up and a cosine, as much of MNIST an epoch as fills whole batches. Raises ValueError for a network
    that cannot have one, for other classes than digits, and for too few digits.
    """
    if checkpoint.classes != DIGITS:
        raise ValueError("only a network that reads digits has a reader of touching pairs")
    torch.manual_seed(seed)
    head = build_pairs(checkpoint.model, len(DIGITS)).to(device).train()
    generator = Generator(device).manual_seed(seed)
    images, labels = digits.images.to(device), digits.labels.to(device)
    batches = len(labels) // BATCH_SIZE
    if not batches or epochs < 1:
        raise DataError(
            f"at least 1 epoch and {BATCH_SIZE} digits are needed: got {epochs} and {len(labels)}"
        )
    steps = epochs * batches

    def rate(step: int) -> float:
        return min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2

    optimizer = torch.optim.AdamW(head.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    bar = tqdm(total=steps, desc="pairs", unit="batch", disable=not sys.stderr.isatty())
    for _ in range(epochs):
        order = torch.randperm(len(labels), generator=generator, device=device)
        for part in order[: batches * BATCH_SIZE].split(BATCH_SIZE):
            pictures, truth = make_batch(images[part], labels[part], generator)
            with torch.no_grad():
                features = checkpoint.model.first_features(pictures)
            loss = pair_loss(head(features), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            bar.update()
    bar.close()
    checkpoint.pairs = head.eval()


def measure_pairs(checkpoint: Checkpoint, digits: Digits, device: torch.device) -> float:
    """Return the share in [0, 1] of touching pairs made of `digits`, as many, whose two digits are both right."""
    generator, right = Generator(device).manual_seed(0), 0
    for images, labels in zip(digits.images.split(500), digits.labels.split(500)):
        pictures, truth = make_pairs(images.to(device).float() / 255, labels.to(device), generator)
        right += int((predict_pairs(checkpoint, pictures).argmax(2) == truth).all(1).sum())
    return right / len(digits)


def pair_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the cross-entropy of pairs' logits (N, 2, classes), and of the others with equal probabilities as target."""
    logits, truth = logits.flatten(0, 1), truth.flatten()
    none = (truth == NOT_A_DIGIT).float()
    doubt = (-logits.log_softmax(1).mean(1) * none).sum() / none.sum().clamp(min=1)
    return (
        F.cross_entropy(logits, truth, ignore_index=NOT_A_DIGIT, label_smoothing=SMOOTHING)
        + NO_PAIR_WEIGHT * doubt
    )


# ---------------------------------------------------------------------------------- pictures


if __name__ == "__main__":
    command.run(main)
