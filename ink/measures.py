"""Measures of ink and paper: borders, noise, thresholds, boxes, pen width."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are outside
EIGHT = np.ones((3, 3), int)  # pixels that touch at a corner are connected
PAPER_SIDE = 160  # pixels; paper is measured on a copy of at most this side
NORMAL = 1.4826  # standard deviations of a normal distribution per median absolute deviation
BOLD = 0.24  # of the longer side; ink with a wider pen is as bold as a silhouette
NARROW = 0.6  # of the longer side; ink whose shorter side is at most this is a bar


def rim(pixels: np.ndarray) -> np.ndarray:
    """Return the outermost rows and columns of `pixels` (H, W[, C]), one after the other: (2 W + 2 H[, C])."""
    return np.concatenate(edges(pixels))


def edges(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the first and last row (W[, C]) and the first and last column (H[, C]) of `pixels`."""
    return pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]


def reduced(pixels: np.ndarray) -> np.ndarray:
    """Return `pixels` (H, W[, 3]) with at most PAPER_SIDE pixels a side, each the mean of those it stands for."""
    height, width = pixels.shape[:2]
    ratio = min(1.0, PAPER_SIDE / max(height, width))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def above_noise(values: np.ndarray, deviations: float) -> float:
    """Return the median of `values` plus so many standard deviations, estimated by the median absolute deviation."""
    middle = np.median(values)
    return float(middle) + deviations * deviation(values - middle)


def deviation(values: np.ndarray) -> float:
    """Return the standard deviation of normally distributed `values` around 0, estimated by their median size."""
    return float(np.median(np.abs(values))) * NORMAL


def otsu(values: np.ndarray) -> float:
    """Return the threshold that best splits `values` in two (Otsu, 1979); the least where they hardly differ."""
    least, most = float(values.min()), float(values.max())
    if most - least < 1e-4:
        return least
    counts, edges = np.histogram(values, 128)
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    mean_below = np.cumsum(counts * middle) / np.maximum(below, 1)
    total = (counts * middle).sum()
    mean_above = (total - np.cumsum(counts * middle)) / np.maximum(above, 1)
    return float(middle[np.argmax(below * above * (mean_below - mean_above) ** 2)])


def find_box(marks: np.ndarray) -> Box | None:
    """Return the box around what is True in `marks` (H, W), or None."""
    rows = np.flatnonzero(marks.any(axis=1))
    if len(rows) == 0:
        return None
    columns = np.flatnonzero(marks.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def largest(labels: np.ndarray) -> np.ndarray:
    """Return the component of most pixels in `labels` (H, W), 0 where there is none, as a mask; all False without any."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (labels == sizes.argmax()) & (labels > 0)


def pen_width(ink: np.ndarray) -> float:
    """Return the mean stroke width of `ink` in its own pixels: twice the area over the outline.

    The outline is the total variation times pi / 4: exact on average over directions (Cauchy-Crofton).
    """
    edges = ink[0].sum() + ink[-1].sum() + ink[:, 0].sum() + ink[:, -1].sum()
    inner = np.abs(ink[1:] - ink[:-1]).sum() + np.abs(ink[:, 1:] - ink[:, :-1]).sum()
    outline = (inner + edges) * math.pi / 4
    return float(2 * ink.sum() / max(outline, 1e-6))


def is_bold(ink: np.ndarray) -> bool:
    """Return whether cropped `ink` is as bold as a silhouette's parts, and no bar: under 1 % of MNIST's digits."""
    return not is_narrow(ink) and pen_width(ink) > BOLD * max(ink.shape)


def is_narrow(ink: np.ndarray) -> bool:
    """Return whether cropped `ink` has the shape of a bar, as a bold 1 has."""
    return min(ink.shape) <= NARROW * max(ink.shape)
