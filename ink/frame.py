"""Ink -> frame: what the network sees of one digit, placed as MNIST places it.

Crop to the ink, bring the pen's width into MNIST's range, fit the longer side to 20 pixels without
distortion, put the centre of mass on pixel 14.0 (not 13.5: measured on MNIST, whose own digits pass
through unchanged).
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.measures import Box, find_box, is_narrow, pen_width

FRAME_SIZE = 28  # pixels; side of a frame
DIGIT_BOX = 20  # pixels; longer side of the ink in a frame
CENTRE = FRAME_SIZE / 2  # pixel index of the centre of mass
PEN_RANGE = (1.4, 6.0)  # frame pixels; stroke widths left alone (99.7 % of MNIST's digits lie inside)
WIDEST_BAR = 4.0  # the same for a 1, as far as shape tells
PROPORTIONS = (
    0.4,
    0.6,
    0.85,
)  # width over height that a digit may have had before it was stretched: most of MNIST's lie near one
WORK_SIDE = 5 * DIGIT_BOX  # pixels; larger crops are reduced to this before strokes are measured
INK = 0.5  # at least this much is called ink when a yes or no is needed


def make_frame(ink: np.ndarray) -> np.ndarray:
    """Return the float32 (28, 28) frame of the digit in `ink` (H, W), both in [0, 1], ink bright.

    Raises ValueError if there is no ink.
    """
    crop = crop_to_ink(ink)
    longer = max(crop.shape)
    if longer > WORK_SIDE:
        crop = _resize(crop, WORK_SIDE / longer)
        crop = np.clip(crop / max(_ink_level(crop), 1e-6), 0, 1)
    crop = fit_pen(crop)
    scale = DIGIT_BOX / max(crop.shape)
    if scale != 1:
        crop = _resize(crop, scale)
    return _place(crop)


def fit_frame(ink: np.ndarray) -> np.ndarray:
    """Return a float32 (28, 28) frame of the whole of `ink` (H, W), which is neither cropped nor moved."""
    height, width = ink.shape
    if (height, width) == (FRAME_SIZE, FRAME_SIZE):
        return ink.astype(np.float32)
    part = _resize(ink, FRAME_SIZE / max(height, width))
    frame = np.zeros((FRAME_SIZE, FRAME_SIZE), np.float32)
    top, left = (FRAME_SIZE - part.shape[0]) // 2, (FRAME_SIZE - part.shape[1]) // 2
    frame[top : top + part.shape[0], left : left + part.shape[1]] = part
    return frame


def frame_amid(ink: np.ndarray, box: Box) -> np.ndarray:
    """Return the float32 (28, 28) frame of the digit in `box` of `ink` (H, W), with the ink around it where it lies."""
    left, top, right, bottom = box
    part = ink[top:bottom, left:right]
    unit = max(part.shape) / DIGIT_BOX  # ink pixels a frame pixel
    sides, before = [], []
    for start, axis, length in ((top, 0, ink.shape[0]), (left, 1, ink.shape[1])):
        sums = part.sum(axis=1 - axis)
        first = (
            start + float(sums @ np.arange(len(sums)) / sums.sum()) + 0.5 - (CENTRE + 0.5) * unit
        )  # the frame's, on this axis
        whole = math.floor(first), math.ceil(first + FRAME_SIZE * unit)
        sides.append((slice(max(whole[0], 0), whole[1]), (max(-whole[0], 0), max(whole[1] - length, 0))))
        before.append(first - whole[0])
    window = Image.fromarray(np.pad(ink[sides[0][0], sides[1][0]], (sides[0][1], sides[1][1])))
    method = Image.Resampling.BOX if unit > 1 else Image.Resampling.BICUBIC
    around = (before[1], before[0], before[1] + FRAME_SIZE * unit, before[0] + FRAME_SIZE * unit)
    return np.clip(np.asarray(window.resize((FRAME_SIZE, FRAME_SIZE), method, around)), 0, 1)


def unstretch(ink: np.ndarray) -> np.ndarray:
    """Return frames (N, 28, 28) of a scan (H, W) that stretches its digit over a square: one for each of PROPORTIONS."""
    height, width = ink.shape
    finer = math.ceil(WORK_SIDE / 2 / height)  # so that narrowing loses no stroke
    frames = []
    for proportion in PROPORTIONS:
        size = (max(1, round(width * finer * proportion)), height * finer)
        frames.append(
            make_frame(np.clip(np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)), 0, 1))
        )
    return np.stack(frames)


def crop_to_ink(ink: np.ndarray) -> np.ndarray:
    """Return the part of `ink` between its first and last row and column with any ink; ValueError if none."""
    box = find_box(ink > 0)
    if box is None:
        raise ValueError("there is no ink to frame")
    left, top, right, bottom = box
    return ink[top:bottom, left:right]


def fit_pen(crop: np.ndarray) -> np.ndarray:
    """Return `crop` with its strokes thickened or thinned until they lie in PEN_RANGE once framed."""
    unit = max(crop.shape) / DIGIT_BOX  # crop pixels a frame pixel
    width = pen_width(crop)
    low, high = PEN_RANGE[0] * unit, (WIDEST_BAR if is_narrow(crop) else PEN_RANGE[1]) * unit
    if low <= width <= high or max(crop.shape) <= 2:
        return crop
    solid = crop >= INK * _ink_level(crop)
    if width < low:
        grow = (low - width) / 2
        margin = math.ceil(grow)
        distance = ndimage.distance_transform_edt(~np.pad(solid, margin))
        return crop_to_ink(np.clip(grow + 1 - distance, 0, 1).astype(np.float32))
    shrink = (width - high) / 2
    depth = ndimage.distance_transform_edt(np.pad(solid, 1))[1:-1, 1:-1]
    shrink = min(shrink, float(depth.max()) - 1)  # something is always left
    thin = np.clip(depth - shrink, 0, 1).astype(np.float32)
    return crop_to_ink(thin)


def _ink_level(ink: np.ndarray) -> float:
    """Return how bright full ink is: the 90th percentile of the pixels brighter than a quarter of the brightest."""
    inked = ink[ink > ink.max() / 4]
    place = round(0.9 * (len(inked) - 1))
    return float(np.partition(inked, place)[place])


def _resize(ink: np.ndarray, scale: float) -> np.ndarray:
    """Return `ink` with its longer side scaled and rounded: by area when shrinking, bicubic when enlarging."""
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    resized = Image.fromarray(np.ascontiguousarray(ink, np.float32)).resize((width, height), method)
    return np.clip(np.asarray(resized), 0, 1)


def _place(digit: np.ndarray) -> np.ndarray:
    """Return a frame with the centre of mass of `digit`, at most 20 px a side, on pixel 14.0 (rounded; kept inside)."""
    mass = digit.sum()
    corner = []
    for axis, side in enumerate(digit.shape):
        centre = float(digit.sum(axis=1 - axis) @ np.arange(side)) / mass
        corner.append(min(max(math.floor(CENTRE - centre + 0.5), 0), FRAME_SIZE - side))
    frame = np.zeros((FRAME_SIZE, FRAME_SIZE), np.float32)
    top, left = corner
    frame[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return frame
