"""Ruled and squared paper: its lines are found and taken out."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, PAPER_SIDE, _above_noise

THICKEST_RULE = 0.04  # of the picture's other side
FULL_LINE, LEAST_LINES = (
    0.97,
    2,
)  # of a plain picture's side that a rule covers at least; how many there must be
RULED_SIDE = 60  # pixels; smaller pictures have no ruled lines
DARKER = 1.6  # times the depth of a ruled line; what is darker than this is ink upon it


def _without_ruling(depth: np.ndarray) -> np.ndarray:
    """Return `depth` without ruled lines: thin, straight and from side to side. What crosses them stays."""
    if min(depth.shape) < RULED_SIDE:
        return depth
    marks = depth > max(_above_noise(depth, 5), 0.06)
    bare, ruled = depth, False
    for axis in (0, 1):
        band = _ruling(marks if axis == 0 else marks.T)
        if band is None:
            continue
        band = band if axis == 0 else band.T
        if (
            axis == 1 and not ruled
        ):  # where no rows are, columns are a number's 1s, but for a line along the picture's edge
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


def erase_rules(ink: np.ndarray) -> np.ndarray:
    """Return `ink` (H, W) on plain paper without lines drawn from side to side, as on a note app's page. What crosses them stays."""
    if min(ink.shape) < RULED_SIDE:
        return ink
    bare = ink
    for axis, lines in enumerate((ink, ink.T)):
        full = _full_lines(lines)
        labels, count = ndimage.label(full) if full.any() else (full, 0)
        if count < LEAST_LINES:
            break  # where no rows are ruled, columns are a number's 1s
        thickness = float(np.median(np.bincount(labels)[1:]))
        if thickness <= THICKEST_RULE / 2 * min(ink.shape):
            band = np.broadcast_to(full[:, None] if axis == 0 else full, ink.shape)
            runs = _run_lengths(bare > 0, axis)  # of what is left: the second pass takes the crossings, too
            bare = np.where(_of_lines(bare, runs, band, thickness, axis), 0, bare)
    return bare


def _full_lines(ink: np.ndarray) -> np.ndarray:
    """Say which rows (H,) of `ink` (H, W) are inked from side to side."""
    few = (
        ink[:, :: max(1, ink.shape[1] // 16)] > 0
    )  # a look that is enough where there is no such row, as nearly always
    likely = few.mean(axis=1) >= 0.8
    if np.count_nonzero(likely) < LEAST_LINES:
        return np.zeros_like(likely)
    marks = ink > 0
    return marks[:, 0] & marks[:, -1] & (marks.mean(axis=1) >= FULL_LINE)


def _of_lines(
    depth: np.ndarray, runs: np.ndarray, band: np.ndarray, thickness: float, axis: int
) -> np.ndarray:
    """Return a mask of what belongs to lines of this `thickness` in `band` (H, W), across `axis`, not to strokes over them.

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
    # a line of one pixel fills one row of a cell
    small = (
        marks[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=3).max(axis=1)
        > 0.5
    )
    joined = ndimage.binary_dilation(small, np.ones((3, 5)))
    straight = ndimage.binary_opening(joined, np.ones((1, small.shape[1] // 3)))
    labels, _ = ndimage.label(ndimage.binary_dilation(straight, np.ones((3, 9))), EIGHT)
    boxes = ndimage.find_objects(labels)
    long = [
        n
        for n, (down, across) in enumerate(boxes, 1)
        if across.stop - across.start >= 0.97 * small.shape[1]
        and down.stop - down.start - 4 <= 0.1 * small.shape[1]
    ]  # 4: what the dilations add
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
