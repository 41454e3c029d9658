"""What a network answers: logits, certainty, and the views that are averaged where it is unsure."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from base.checkpoint import Checkpoint
from base.networks import answer

if TYPE_CHECKING:
    import torch
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


def probabilities(checkpoint: Checkpoint, images: np.ndarray, views: bool = False) -> np.ndarray:
    """Return calibrated probabilities (N, classes) of images (N, C, H, W) in [0, 1], all float32.

    With `views` the mean over all VIEWS of each image.
    """
    if views:
        seen = probabilities(checkpoint, look_around(images).reshape(-1, *images.shape[1:]))
        return seen.reshape(len(images), len(VIEWS), -1).mean(axis=1)
    return calibrated(checkpoint, answer(checkpoint.model, images))


def calibrated(checkpoint: Checkpoint, logits: np.ndarray) -> np.ndarray:
    """Return the probabilities (N, classes) that a network's logits stand for, by its checkpoint's temperature."""
    return softmax(logits / np.float32(checkpoint.temperature), axis=1)


def look_around(images: np.ndarray) -> np.ndarray:
    """Return float32 images (N, ..., H, W) turned, sized, shifted and sheared a little: (N, len(VIEWS), ..., H, W).

    A network's answers averaged over them are right a little more often than one answer (test-time augmentation).
    """
    height, width = images.shape[-2:]
    places, weights = _taps(height, width)
    flat = np.asarray(images, np.float32).reshape(*images.shape[:-2], height * width)
    seen = sum(flat[..., places[tap]] * weights[tap] for tap in range(4))  # (N, ..., views, H * W)
    return np.moveaxis(seen, -2, 1).reshape(len(images), len(VIEWS), *images.shape[1:])


@functools.cache
def _taps(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return of which four pixels each pixel of each view is made, and how much each weighs: (4, views, H * W) both.

    Bilinear; what lies outside of the picture is 0. Coordinates run from -1 to 1 between the picture's edges.
    """
    y, x = np.meshgrid(
        *((2 * np.arange(side) + 1) / side - 1 for side in (height, width)), indexing="ij"
    )  # (H, W)
    places, weights = [], []
    for turn, size, right, down, shear in VIEWS:
        cos, sin = math.cos(turn) / size, math.sin(turn) / size
        column = ((cos * x + (sin + shear) * y + right + 1) * width - 1) / 2
        row = ((-sin * x + cos * y + down + 1) * height - 1) / 2
        left, top = np.floor(column), np.floor(row)
        for down_by, right_by in ((0, 0), (0, 1), (1, 0), (1, 1)):
            i, j = top + down_by, left + right_by
            weight = (1 - np.abs(row - i)) * (1 - np.abs(column - j))
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            places.append((np.clip(i, 0, height - 1) * width + np.clip(j, 0, width - 1)).ravel())
            weights.append(np.where(inside, weight, 0).ravel())
    shape = len(VIEWS), 4, height * width
    return (
        np.ascontiguousarray(np.reshape(places, shape).swapaxes(0, 1), np.intp),
        np.ascontiguousarray(np.reshape(weights, shape).swapaxes(0, 1), np.float32),
    )


def predict_logits(
    network: Callable[[Tensor], Tensor],
    loader: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str = "cpu",
) -> tuple[Tensor, Tensor]:
    """Return (logits (N, classes), labels (N,)) over all batches, on the CPU.

    `network` is a model, whose mode is left as it was, or any function of images.
    """
    import torch

    was_training = getattr(network, "training", False)
    if was_training:
        network.eval()  # type: ignore[attr-defined]
    logits, labels = [], []
    with torch.inference_mode():
        for images, truth in loader:
            logits.append(network(images.to(device)).float())
            labels.append(truth)
    if was_training:
        network.train()  # type: ignore[attr-defined]
    return torch.cat(logits).cpu(), torch.cat(labels).cpu()


def evaluate(
    model: Any, loader: Iterable[tuple[Tensor, Tensor]], device: torch.device | str = "cpu"
) -> float:
    """Return the share in [0, 1] of pictures in `loader` whose largest logit is their label's."""
    logits, labels = predict_logits(model, loader, device)
    return float((logits.argmax(1) == labels).double().mean())
