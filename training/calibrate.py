"""What is fitted after a training: how far a network's answers are to be believed."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from base.checkpoint import Checkpoint
from dataset import Batches
from recognizer.asking import UNSURE, calibrated, certainty, predict_logits, probabilities

REFUSED_SHARE = 0.001  # of validation digits that the threshold may call "not a digit"
PART = 100  # pictures seen from all sides at a time


def calibrate(
    checkpoint: Checkpoint, sets: Iterable[Batches], device: torch.device | str, share: float = REFUSED_SHARE
) -> None:
    """Fit the temperature and the threshold (nats) in `checkpoint.facts` on `sets` that it was not trained on.

    The threshold refuses a `share` of their pictures, the unsure ones seen from all sides first, as the road does.
    """
    answers = [(*predict_logits(checkpoint.model, batches, device), batches) for batches in sets]
    logits, labels = torch.cat([said for said, _, _ in answers]), torch.cat([true for _, true, _ in answers])
    checkpoint.facts["temperature"] = fit_temperature(logits, labels)
    probs = [calibrated(checkpoint, said) for said, _, _ in answers]
    if checkpoint.input["road"]:
        probs = [
            look_again(checkpoint, said, batches.images, device)
            for said, (_, _, batches) in zip(probs, answers)
        ]
    checkpoint.facts["threshold"] = float(np.quantile(certainty(torch.cat(probs).numpy()), share))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature in [0.2, 5] with the least cross-entropy (Guo et al., "On Calibration", 2017)."""
    temperatures = torch.logspace(math.log10(0.2), math.log10(5), 241).tolist()
    return min(temperatures, key=lambda t: float(F.cross_entropy(logits / t, labels)))


def look_again(checkpoint: Checkpoint, probs: Tensor, images: Tensor, device: torch.device | str) -> Tensor:
    """Return `probs` (N, classes) of uint8 `images` (N, C, H, W); of the unsure ones the mean over all views."""
    probs = probs.clone()
    for unsure in torch.nonzero(probs.amax(1) < UNSURE)[:, 0].split(PART):
        part = images[unsure.to(images.device)].to(device).float() / 255
        probs[unsure] = probabilities(checkpoint, part, views=True).cpu()
    return probs
