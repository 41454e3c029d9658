"""Temperature and threshold of a trained network: how sure it says it is, and below what certainty a picture is no digit.

    $ python -m training.calibrate model.pth --hands HANDS... --share 0.003

Both are fitted on digits that it was not trained on: MNIST's validation split, and the writers of `--hands` who were held out.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from base.checkpoint import load_checkpoint, save_checkpoint
from base.storage import back_up
from dataset import Batches, load_mnist, split_validation
from recognizer.asking import UNSURE, certainty, look_around, predict_logits
from training.hands import load_hands

REFUSED_SHARE = 0.001  # of these digits that the threshold may call "not a digit"


def calibrate(
    model: Any,
    sets: Iterable[Batches],
    device: torch.device | str,
    road: bool = True,
    share: float = REFUSED_SHARE,
) -> tuple[float, float]:
    """Return (temperature, threshold in nats) of a network in eval mode, fitted on all digits of `sets`.

    The threshold refuses a `share` of them. By the `road` the unsure ones are seen from all sides first, as the recognizer does.
    """
    answers = [(*predict_logits(model, digits, device), digits) for digits in sets]
    temperature = fit_temperature(*(torch.cat(parts) for parts in list(zip(*answers))[:2]))
    probs = []
    for logits, _, digits in answers:
        said = (logits / temperature).softmax(1)
        probs.append(_look_again(model, digits.images, said, temperature, device) if road else said)
    return temperature, float(np.quantile(certainty(torch.cat(probs).numpy()), share))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature in [0.2, 5] with the least cross-entropy (Guo et al., "On Calibration", 2017)."""
    temperatures = torch.logspace(math.log10(0.2), math.log10(5), 241).tolist()
    return min(temperatures, key=lambda t: float(F.cross_entropy(logits / t, labels)))


def _look_again(
    model: Any, images: Tensor, probs: Tensor, temperature: float, device: torch.device | str
) -> Tensor:
    """Return `probs` (N, classes) of uint8 `images`; of the unsure ones the mean over all views."""
    probs = probs.clone()
    for unsure in torch.nonzero(probs.amax(1) < UNSURE)[:, 0].split(100):
        views = look_around(images[unsure.to(images.device)].to(device).float() / 255)
        with torch.inference_mode():
            logits = model(views.flatten(0, 1)).float().cpu().view(*views.shape[:2], probs.shape[1])
        probs[unsure] = (logits / temperature).softmax(2).mean(1)
    return probs


def main(argv: list[str] | None = None) -> int:
    """Fit both anew and write the model; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="training.calibrate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a checkpoint for digits")
    parser.add_argument("--hands", type=Path, nargs="+", metavar="PATH", help="as for train.py")
    parser.add_argument(
        "--share", type=float, default=REFUSED_SHARE, help="of digits refused (default: %(default)s)"
    )
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw")
    arguments = parser.parse_args(argv)
    try:
        checkpoint = load_checkpoint(arguments.model)
        sets = [Batches(split_validation(load_mnist(True, arguments.data_dir))[1], 500)]
        if arguments.hands:
            sets.append(Batches(load_hands(arguments.hands).held_out_digits, 500))
        temperature, threshold = calibrate(checkpoint.model, sets, "cpu", share=arguments.share)
        before = checkpoint.temperature, checkpoint.threshold
        checkpoint.facts |= {
            "temperature": temperature,
            "threshold": threshold,
            "refused_share": arguments.share,
        }
        backup = back_up(arguments.model)
        save_checkpoint(arguments.model, checkpoint)
    except (OSError, ValueError) as error:
        print(f"calibrate: {error}", file=sys.stderr)
        return 1
    print(
        f"temperature {before[0]:.3f} -> {temperature:.3f}, threshold {before[1]:.3f} -> {threshold:.3f} nats, on "
        f"{sum(len(each.labels) for each in sets):,} digits: wrote {arguments.model} (as it was: {backup})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
