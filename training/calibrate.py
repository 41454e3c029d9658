"""Temperature and threshold of a trained network: how sure it says it is, and below what certainty a picture is no digit.

    $ python -m training.calibrate model.pth --hands HANDS... --share 0.003

Both are fitted on digits that it was not trained on: MNIST's validation split, and the writers of `--hands` who were held out.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from base import command
from base.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from base.storage import back_up
from dataset import Batches, load_mnist, split_validation
from recognizer.asking import UNSURE, calibrated, certainty, predict_logits, probabilities
from training.hands import load_hands

REFUSED_SHARE = 0.001  # of validation digits that the threshold may call "not a digit";
REFUSED_HANDS = (
    0.003  # where other people's hands are among them: the odd ones that MNIST's writers never wrote
)
PART = 100  # pictures seen from all sides at a time


def calibrate(
    checkpoint: Checkpoint, sets: Sequence[Batches], device: torch.device | str, share: float | None = None
) -> None:
    """Fit the temperature and the threshold (nats) in `checkpoint.facts` on `sets` that it was not trained on.

    The temperature is that of the first set, whose labels are all right. The threshold refuses a `share` of the pictures
    of all (REFUSED_SHARE of one set, REFUSED_HANDS of several), the unsure ones seen from all sides first, as the road does.
    """
    share = share or (REFUSED_HANDS if len(sets) > 1 else REFUSED_SHARE)
    answers = [(*predict_logits(checkpoint.model, batches, device), batches) for batches in sets]
    checkpoint.facts["temperature"] = fit_temperature(*answers[0][:2])
    probs = [calibrated(checkpoint, said.numpy()) for said, _, _ in answers]
    if checkpoint.input["road"]:
        probs = [
            look_again(checkpoint, said, batches.images) for said, (_, _, batches) in zip(probs, answers)
        ]
    checkpoint.facts["refused_share"] = share
    checkpoint.facts["threshold"] = float(np.quantile(certainty(np.concatenate(probs)), share))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature in [0.2, 5] with the least cross-entropy (Guo et al., "On Calibration", 2017)."""
    temperatures = torch.logspace(math.log10(0.2), math.log10(5), 241).tolist()
    return min(temperatures, key=lambda t: float(F.cross_entropy(logits / t, labels)))


def look_again(checkpoint: Checkpoint, probs: np.ndarray, images: Tensor) -> np.ndarray:
    """Return `probs` (N, classes) of uint8 `images` (N, C, H, W); of the unsure ones the mean over all views."""
    probs = probs.copy()
    unsure = np.flatnonzero(probs.max(axis=1) < UNSURE)
    for start in range(0, len(unsure), PART):
        some = unsure[start : start + PART]
        part = images[torch.from_numpy(some).to(images.device)].cpu().numpy() / np.float32(255)
        probs[some] = probabilities(checkpoint, part, views=True)
    return probs


def main(argv: list[str] | None = None) -> int:
    """Fit both anew and write the model; return 0. Raises OSError or ValueError, which name the cure."""
    parser = argparse.ArgumentParser(
        prog="training.calibrate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a checkpoint for digits")
    parser.add_argument("--hands", type=Path, nargs="+", metavar="PATH", help="as for train.py")
    parser.add_argument(
        "--share",
        type=float,
        help=f"of digits refused (default: {REFUSED_SHARE}, with hands {REFUSED_HANDS})",
    )
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw")
    arguments = parser.parse_args(argv)
    checkpoint = load_checkpoint(arguments.model)
    sets = [Batches(split_validation(load_mnist(True, arguments.data_dir))[1], PART)]
    if arguments.hands:
        sets.append(Batches(load_hands(arguments.hands).held_out_digits, PART))
    before = checkpoint.temperature, checkpoint.threshold
    calibrate(checkpoint, sets, "cpu", arguments.share)
    backup = back_up(arguments.model)
    save_checkpoint(arguments.model, checkpoint)
    print(
        f"temperature {before[0]:.3f} -> {checkpoint.temperature:.3f}, "
        f"threshold {before[1]:.3f} -> {checkpoint.threshold:.3f} nats, on "
        f"{sum(len(each.labels) for each in sets):,} digits: wrote {arguments.model} (as it was: {backup})"
    )
    return 0


if __name__ == "__main__":
    command.run(main)
