"""What is fitted after a training: how far a network's answers are to be believed."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from base.checkpoint import Checkpoint
from recognizer.asking import UNSURE, calibrated, certainty, probabilities

REFUSED_SHARE = 0.001  # of validation digits that the threshold may call "not a digit"
PART = 100  # pictures seen from all sides at a time


def calibrate(checkpoint: Checkpoint, logits: Tensor, labels: Tensor, images: Tensor) -> None:
    """Fit the temperature and the threshold in `checkpoint.facts` on a validation split.

    `logits` (N, classes) and `labels` (N,) lie on the CPU; `images` uint8 (N, C, H, W) are moved to the network.
    """
    checkpoint.facts["temperature"] = fit_temperature(logits, labels)
    probs = calibrated(checkpoint, logits)
    if checkpoint.input["road"]:  # as the road asks: the unsure ones from all sides
        probs = look_again(checkpoint, probs, images)
    checkpoint.facts["threshold"] = float(np.quantile(certainty(probs.numpy()), REFUSED_SHARE))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature in [0.2, 5] with the least cross-entropy (Guo et al., "On Calibration", 2017)."""
    temperatures = torch.logspace(math.log10(0.2), math.log10(5), 241).tolist()
    return min(temperatures, key=lambda t: float(F.cross_entropy(logits / t, labels)))


def look_again(checkpoint: Checkpoint, probs: Tensor, images: Tensor) -> Tensor:
    """Return `probs` (N, classes); those of pictures that the network is unsure of are the mean over all views."""
    probs = probs.clone()
    device = next(iter(checkpoint.model.parameters())).device
    for unsure in torch.nonzero(probs.amax(1) < UNSURE)[:, 0].split(PART):
        part = images[unsure.to(images.device)].to(device).float() / 255
        probs[unsure] = probabilities(checkpoint, part, views=True).cpu()
    return probs
