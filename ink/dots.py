"""Strokes in dots: joined before they are read."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from ink.boxes import MAX_PIECES
from ink.measures import EIGHT, ellipticity

LEAST_DOTS, DOTS_A_STROKE = 6, 4  # dots of a drawing in dots, and of a stroke on average, at least
LEAST_DOT = 3  # pixels; smaller ones are noise
DOT_SOLID, DOT_LONGEST = 0.85, 4.0  # of an ellipse that a dot or dash covers; its length in pen widths
DOTS_ASKED = 50  # or as many again: enough to know what most are
HIGHEST_DOT = 0.25  # of the drawing's height; pieces that are higher are digits in one line or a few
DOT_GAP = 2.0  # pen widths; the widest gap between dots that is bridged


def _join_dots(
    crop: np.ndarray, labels: np.ndarray, boxes: np.ndarray, mass: np.ndarray
) -> np.ndarray | None:
    """Return `crop` with its dots or dashes joined to strokes, or None unless most components are such, with small gaps between.

    A mouse moved fast leaves such dots in simple drawing programs.
    """
    if not LEAST_DOTS <= len(boxes) <= MAX_PIECES or mass.max() > 0.5 * mass.sum():
        return None
    low = boxes[:, 3] - boxes[:, 1] <= HIGHEST_DOT * len(crop)
    if 2 * mass[low].sum() < mass.sum() or 2 * low.sum() < len(low):
        return None
    parts = [labels[top:bottom, left:right] == n for n, (left, top, right, bottom) in enumerate(boxes, 1)]
    if np.median([ellipticity(part) for part in parts[:: 1 + len(parts) // DOTS_ASKED]]) < DOT_SOLID:
        return None
    pen = float(np.median([2 * ndimage.distance_transform_edt(np.pad(part, 1)).max() - 1 for part in parts]))
    if pen < LEAST_DOT or np.median(mass) > DOT_LONGEST * pen * pen:
        return None
    margin = math.ceil(2 * DOT_GAP * pen)
    away = ndimage.distance_transform_edt(np.pad(crop == 0, margin, constant_values=True))
    reaches = pen * DOT_GAP * np.linspace(0.1, 0.5, 5)  # half of the widest gap that is bridged
    counts = [ndimage.label(away <= reach)[1] for reach in reaches]
    radius = 3 * reaches[counts.index(counts[-1])]  # of a closing: with less, bridges are thinner than dots
    closed = ndimage.distance_transform_edt(away <= radius) > radius
    joined = np.maximum(crop, closed[margin:-margin, margin:-margin].astype(np.float32))
    return joined if ndimage.label(joined > 0, EIGHT)[1] <= len(boxes) / DOTS_A_STROKE else None
