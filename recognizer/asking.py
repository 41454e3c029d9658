"""What a network answers: logits, certainty, and the views that are averaged where it is unsure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

UNSURE = 0.9  # largest probability below which a frame is looked at from all VIEWS
# turn (radians), size, shift right and down (half frames), shear: small enough for a digit to stay what it is
VIEWS = (
    (0.0, 1.0, 0.0, 0.0, 0.0),
    (0.12, 1.0, 0.0, 0.0, 0.0),
    (-0.12, 1.0, 0.0, 0.0, 0.0),
    (0.0, 0.92, 0.0, 0.0, 0.0),
    (0.0, 1.08, 0.0, 0.0, 0.0),
    (0.0, 1.0, 0.07, 0.0, 0.0),
    (0.0, 1.0, -0.07, 0.0, 0.0),
    (0.0, 1.0, 0.0, 0.07, 0.0),
    (0.0, 1.0, 0.0, -0.07, 0.0),
    (0.0, 1.0, 0.0, 0.0, 0.15),
    (0.0, 1.0, 0.0, 0.0, -0.15),
)


def certainty(probs: np.ndarray) -> np.ndarray:
    """Return how far probabilities (..., classes) are from saying nothing: KL(uniform || probs) in nats, 0 to 27.

    Between two likely digits it is high, where the largest probability is not. Training pushes pictures of no
    digit towards 0 (outlier exposure; Hendrycks et al., 2019).
    """
    return -np.log(np.maximum(probs, 1e-12)).mean(axis=-1) - np.log(probs.shape[-1])


def look_around(images: Tensor) -> Tensor:
    """Return images (N, 1, H, W) turned, sized, shifted and sheared a little each way: (N, len(VIEWS), 1, H, W).

    What a network makes of them, averaged, is right a little more often than what it makes of one (test-time augmentation).
    """
    if not len(images):  # affine_grid refuses an empty batch
        return images[:, None].expand(0, len(VIEWS), *images.shape[1:])
    matrices = [
        [
            [math.cos(turn) / size, math.sin(turn) / size + shear, right],
            [-math.sin(turn) / size, math.cos(turn) / size, down],
        ]
        for turn, size, right, down, shear in VIEWS
    ]
    seen = []
    for matrix in torch.tensor(matrices, device=images.device):
        grid = F.affine_grid(matrix.expand(len(images), 2, 3), list(images.shape), align_corners=False)
        seen.append(F.grid_sample(images, grid, align_corners=False))
    return torch.stack(seen, 1)


def predict_logits(
    model: Any, loader: Iterable[tuple[Tensor, Tensor]], device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Return (logits (N, classes), labels (N,)) over all batches, on the CPU; the model's mode is left as it was."""
    was_training = model.training
    model.eval()
    logits, labels = [], []
    with torch.inference_mode():
        for images, truth in loader:
            logits.append(model(images.to(device)).float())
            labels.append(truth)
    model.train(was_training)
    return torch.cat(logits).cpu(), torch.cat(labels).cpu()


def evaluate(
    model: Any, loader: Iterable[tuple[Tensor, Tensor]], device: torch.device | str = "cpu"
) -> float:
    """Return the share in [0, 1] of pictures in `loader` whose largest logit is their label's."""
    logits, labels = predict_logits(model, loader, device)
    return float((logits.argmax(1) == labels).double().mean())
