"""Ruled and squared paper: its lines are found and taken out."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, PAPER_SIDE, above_noise

THICKEST_RULE = 0.04  # of the side that a ruled line crosses; its thickness, at most
RULED_SIDE = 60  # pixels; smaller pictures have no ruled lines
DARKER = 1.6  # times the depth of a ruled line; what is darker is ink upon it
SPAN = 0.97  # of the picture's side; a ruled line is at least as long
STEEPEST = 0.1  # of the picture's side; rise of a ruled line over its length, at most
DILATED = 4  # pixels of the small copy that the dilations add to a line's height


def without_ruling(depth: np.ndarray) -> np.ndarray:
    """Return `depth` without ruled lines: thin, straight and from side to side. What crosses them stays."""
    if min(depth.shape) < RULED_SIDE:
        return depth
    marks = depth > max(above_noise(depth, 5), 0.06)
    bare, ruled = depth, False
    for axis in (0, 1):
        band = _ruling(marks if axis == 0 else marks.T)
        if band is None:
            continue
        band = band if axis == 0 else band.T
        if axis == 1 and not ruled:  # without ruled rows, columns inside the picture are a number's 1s
            labels, _ = ndimage.label(band)
            band &= np.isin(labels, labels[:, [0, -1]])
        begins = band & (np.diff(marks.astype(np.int8), axis=axis, prepend=0) > 0)
        if not begins.any():
            continue
        runs = _run_lengths(marks, axis)
        thickness = float(np.median(runs[begins]))  # each run once: long ones are strokes
        if thickness < THICKEST_RULE * depth.shape[axis]:
            bare, ruled = np.where(_of_lines(depth, runs, band, thickness, axis), 0, bare), True
    return bare


def _of_lines(
    depth: np.ndarray, runs: np.ndarray, band: np.ndarray, thickness: float, axis: int
) -> np.ndarray:
    """Return a mask of lines of this `thickness` in `band` (H, W), across `axis`, without the strokes over them.

    `runs`: see `_run_lengths`.
    """
    thin = band & (runs <= 1.8 * thickness + 1)
    inked = thin & (runs > 0)
    if not inked.any():
        return thin
    core = ndimage.maximum_filter1d(
        depth, 2 * int(thickness // 2) + 1, axis=axis
    )  # a line's flanks are blurred
    darker = ndimage.binary_dilation(depth > DARKER * np.median(core[inked]), EIGHT, 2)
    return thin & ~darker


def _ruling(marks: np.ndarray) -> np.ndarray | None:
    """Return a mask around the horizontal lines that span the picture, or None without any."""
    height, width = marks.shape
    step = max(1, max(height, width) // PAPER_SIDE)
    rows, columns = height // step * step, width // step * step
    cells = marks[:rows, :columns].reshape(rows // step, step, columns // step, step)
    small = cells.mean(axis=3).max(axis=1) > 0.5  # a line of one pixel fills one row of a cell
    joined = ndimage.binary_dilation(small, np.ones((3, 5)))
    straight = ndimage.binary_opening(joined, np.ones((1, small.shape[1] // 3)))
    labels, _ = ndimage.label(ndimage.binary_dilation(straight, np.ones((3, 9))), EIGHT)
    side = small.shape[1]
    sizes = [
        (rows.stop - rows.start - DILATED, across.stop - across.start)
        for rows, across in ndimage.find_objects(labels)
    ]
    long = [n for n, (high, wide) in enumerate(sizes, 1) if wide >= SPAN * side and high <= STEEPEST * side]
    if not long:
        return None
    band = np.zeros(marks.shape, bool)
    band[:rows, :columns] = np.isin(labels, long).repeat(step, axis=0).repeat(step, axis=1)
    return band


def _run_lengths(marks: np.ndarray, axis: int) -> np.ndarray:
    """Return at each True pixel the length of the unbroken run of True it lies in along `axis`, 0 elsewhere."""
    lines = marks if axis == 1 else marks.T
    padded = np.pad(lines, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    starts, stops = np.argwhere(change == 1), np.argwhere(change == -1)
    runs = np.zeros((lines.shape[0], lines.shape[1] + 1), np.int32)
    length = stops[:, 1] - starts[:, 1]
    runs[starts[:, 0], starts[:, 1]] += length
    np.subtract.at(runs, (stops[:, 0], stops[:, 1]), length)
    lengths = runs.cumsum(axis=1)[:, :-1]
    return lengths if axis == 1 else lengths.T
