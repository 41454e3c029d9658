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
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from tqdm import tqdm

from base import command
from base.devices import choose_device
from base.storage import back_up, try_out
from dataset import DataError, Digits, load_mnist, split_validation
from ink.frame import CENTRE, DIGIT_BOX
from model import DIGITS, MODEL_PATH, Checkpoint, build_pairs, load_checkpoint, predict_pairs, save_checkpoint
from training.pictures.augment import (
    FULL,
    NOT_A_DIGIT,
    Augmentation,
    add_style_strokes,
    augment,
    change_ink,
    change_pen_width,
    warp,
)
from training.pictures.negatives import make_negatives
from training.pictures.pens import first_mark, last_mark, resample

INK = 0.4  # from which a pixel counts where two digits meet
EACH = Augmentation(rotation=0.2, shear=0.2, scale=0.16, shift=0, bend=0.7, width=0.8, stretch_share=0)  # before they meet,
TOGETHER = Augmentation(rotation=0.08, shear=0.12, scale=0.1, shift=1.2, bend=0.6, width=0.6)  # and as a pair
NO_PAIR_SHARE = 0.36  # of a batch: half no digit, three tenths three digits, a fifth single ones
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
        checkpoint.facts.pop("run", None)  # no longer what that training wrote: it is not overwritten when that goes on
        checkpoint.facts["pairs"] = {"epochs": arguments.epochs, "seed": arguments.seed, "validation_accuracy": right}
        if replaced:
            print(f"{output.name} as it was is kept as {back_up(output)} (to bring it back, copy it over {output})")
        save_checkpoint(output, checkpoint)
    except (OSError, ValueError) as error:
        print(f"pairs.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    print(f"both digits right in {right:.2%} of {len(validation_set):,} pairs of validation digits, augmented as in training: wrote {output}")
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
    parser.add_argument("--model", type=Path, default=MODEL_PATH, help="a residual network's checkpoint (default: model.pth)")
    parser.add_argument("--output", type=Path, help="where it goes with its reader of pairs (default: --model)")
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)")
    parser.add_argument("--epochs", type=int, default=12, help="over MNIST's training digits (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, mps (untested) (default: cuda where there is one that works)")
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
        raise DataError(f"at least 1 epoch and {BATCH_SIZE} digits are needed: got {epochs} and {len(labels)}")
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
    return F.cross_entropy(logits, truth, ignore_index=NOT_A_DIGIT, label_smoothing=SMOOTHING) + NO_PAIR_WEIGHT * doubt


# ---------------------------------------------------------------------------------- pictures


def make_batch(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 1, 28, 28) and truth (N, 2) of uint8 digits (N, 1, 28, 28): pairs, and a share of none."""
    others = int(len(images) * NO_PAIR_SHARE)
    ink = images.float() / 255
    pairs, truth = make_pairs(ink, labels, generator)
    odd, three, single = torch.arange(others, device=ink.device).tensor_split([others // 2, others * 4 // 5])
    nothing = warp(make_negatives(ink[odd], labels[odd], generator, pairs=False), FULL, generator)
    third = F.pad(F.interpolate(ink[three], size=16, mode="area"), (6, 6, 6, 6))  # as small as the digits of a pair
    triples = warp(touch(pairs[three], third, generator), TOGETHER, generator)
    singles, _ = augment(images[single], labels[single], replace(FULL, negative_share=0, stretch_share=0.5), generator)
    none = change_ink(change_pen_width(torch.cat([nothing, triples, singles]), TOGETHER.width, generator), generator)
    pictures = torch.cat([pairs[others:], none.clamp(0, 1)])
    return pictures, torch.cat([truth[others:], torch.full_like(truth[:others], NOT_A_DIGIT)])


def make_pairs(ink: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return touching pairs (N, 1, 28, 28) of digits in [0, 1] (N, 1, 28, 28), each of which is once left and once right.

    With the labels (N, 2), left and right.
    """
    ink = add_style_strokes(ink, labels, FULL.style_share, generator)
    ink = change_pen_width(warp(ink, EACH, generator), EACH.width, generator).clamp(0, 1)
    other = torch.randperm(len(ink), generator=generator, device=ink.device)
    pairs = warp(touch(ink, ink[other], generator), TOGETHER, generator)
    pairs = change_ink(change_pen_width(pairs, TOGETHER.width, generator), generator).clamp(0, 1)
    return pairs, torch.stack([labels, labels[other]], 1)


def touch(left: Tensor, right: Tensor, generator: Generator) -> Tensor:
    """Return pictures (N, 1, 28, 28) of `left` and `right` pushed together until their ink meets, fitted to 20 px as one.

    The right one is up to 4 pixels higher or lower, and up to 2.5 nearer than where the first pixels of a row meet.
    """
    count, device = len(left), left.device
    rows = torch.arange(28, device=device)
    down = torch.randint(-4, 5, (count, 1), generator=generator, device=device)
    first, second = left[:, 0] > INK, right[:, 0] > INK
    from_row = rows - down  # (N, 28): the row of the right digit beside each row of the left one
    inside = ((from_row >= 0) & (from_row < 28))[:, :, None]
    beside = second.gather(1, from_row.clamp(0, 27)[:, :, None].expand(-1, -1, 28)) & inside
    end = torch.where(first.any(2), last_mark(first), -math.inf)  # (N, 28) columns
    start = torch.where(beside.any(2), first_mark(beside), math.inf)
    far = last_mark(first.any(1)) - first_mark(second.any(1))  # where no row has ink of both: side by side
    meet = (end - start).amax(1)
    across = torch.where(meet.isfinite(), meet, far) - (torch.rand(count, generator=generator, device=device) * 2.8 - 0.3)
    down = down[:, 0].float()
    west = torch.minimum(first_mark(first.any(1)), first_mark(second.any(1)) + across)
    east = torch.maximum(last_mark(first.any(1)), last_mark(second.any(1)) + across)
    north = torch.minimum(first_mark(first.any(2)), first_mark(second.any(2)) + down)
    south = torch.maximum(last_mark(first.any(2)), last_mark(second.any(2)) + down)
    scale = (torch.maximum(east - west, south - north) + 1) / DIGIT_BOX
    y, x = torch.meshgrid(rows - CENTRE, rows - CENTRE, indexing="ij")
    column = x * scale[:, None, None] + ((west + east) / 2)[:, None, None]  # (N, 28, 28) pixels of the left digit
    row = y * scale[:, None, None] + ((north + south) / 2)[:, None, None]
    second = torch.stack([column - across[:, None, None], row - down[:, None, None]], 3)
    return torch.maximum(resample(left, torch.stack([column, row], 3)), resample(right, second))


if __name__ == "__main__":
    command.run(main)
