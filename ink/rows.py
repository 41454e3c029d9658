"""Ink -> lines of writing: every connected part of the ink lies in one line, or in what is left out.

A line is a chain of parts, each beside the one before; so it may climb, and lines may lie close. Nothing here
knows digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, Box, find_box, pen_width
from ink.piece import Piece

SPECK = 0.6  # pen widths; longer side of the smallest mark that counts
LEAST_SPECK = 2  # pixels; the same at least
BODY = 0.6  # of the writing's height; lower parts are dots, dashes or pieces of others, and join the line they lie in
SHARED = 0.33  # of the higher part's height that neighbours in a line share
LEAST_LINE = 0.3  # of the writing's height; marks of no line that are lower than this are left out
NEAR = 2.5  # heights of writing; a dot or dash further from a line is not of it
ABOVE, BELOW = (
    0.3,
    0.3,
)  # heights of writing; how far over or under its neighbours a mark of their line reaches
MOST_CLIMBING_GAP, STEEPEST, SAME_SLOPE = (
    2.0,
    0.75,
    0.25,
)  # heights of writing, and falls a pixel along: of parts of one line that climbs
MOST_CLIMBING = 30  # lines, among which those that climb are looked for
MOST_PARTS = 400  # more than this are texture, not writing; the heaviest are looked at


@dataclass(frozen=True)
class Line:
    """One line of writing: its box in the ink, its ink alone (H, W), and which connected part each pixel is
    of (0: none)."""

    box: Box
    ink: np.ndarray
    parts: np.ndarray

    @property
    def piece(self) -> Piece:
        """All of its ink as one piece."""
        return Piece(self.box, self.ink)


@dataclass(frozen=True)
class Layout:
    """Lines from top to bottom, and the marks that are of none."""

    lines: list[Line]
    rest: list[Piece]


def find_rows(ink: np.ndarray, kept: np.ndarray | None = None) -> Layout:
    """Return the lines of writing in `ink` (H, W); parts that `kept` (count,) leaves out, in the order of
    ndimage.label, are `rest`."""
    box = find_box(ink > 0)
    if box is None:
        return Layout([], [])
    left, top, right, bottom = box
    crop = ink[top:bottom, left:right]
    labels, count = ndimage.label(crop > 0, EIGHT)
    places = ndimage.find_objects(labels)
    boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in places])
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    mass = np.bincount(labels.ravel(), crop.ravel(), count + 1)[1:]
    main = int(mass.argmax())
    pen = pen_width(np.where(labels[places[main]] == main + 1, crop[places[main]], 0))
    least = max(LEAST_SPECK, SPECK * pen) if count > 1 else 0
    marks = np.flatnonzero(sides >= min(least, sides[main]))
    if len(marks) > MOST_PARTS:
        marks = np.sort(marks[np.argsort(-mass[marks])[:MOST_PARTS]])
    of_lines = marks if kept is None else marks[kept[marks]]
    rows = [of_lines[row] for row in find_chains(boxes[of_lines], mass[of_lines])]
    lines = [_cut_out(crop, labels, boxes, row, (left, top)) for row in rows]
    in_lines = np.concatenate(rows) if rows else marks[:0]
    out = [_cut_out(crop, labels, boxes, np.array([n]), (left, top)) for n in np.setdiff1d(marks, in_lines)]
    return Layout(lines, [line.piece for line in out])


def usual_height(heights: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the median of the heights (N,) of parts, each weighing its height or `weights` (N,): dots count for little."""
    order = np.argsort(heights, kind="stable")
    below = np.cumsum((heights if weights is None else weights)[order])
    return float(heights[order][np.searchsorted(below, below[-1] / 2)])


def find_chains(boxes: np.ndarray, mass: np.ndarray | None = None) -> list[np.ndarray]:
    """Return the indices of `boxes` (N, 4) in each line, from top to bottom; low ones far from any line are in none.

    `mass` (N,): the ink of each; parts count by it, so that a photo's many grains are no writing beside a digit.
    """
    if len(boxes) == 0:
        return []
    heights = boxes[:, 3] - boxes[:, 1]
    usual = usual_height(heights, mass)
    tall = np.flatnonzero(heights >= BODY * usual)  # enough to carry a line
    rows = _join_climbing(_chain(boxes[tall]), boxes[tall], usual)
    lines = _join_marks([tall[row].tolist() for row in rows], boxes, usual)
    low, stray = np.flatnonzero(heights < BODY * usual).tolist(), []
    for n in sorted(low, key=lambda n: -heights[n]):
        line = _line_of(boxes, lines, n, usual, NEAR * usual)
        if line is None:
            stray.append(n)
        else:
            line.append(n)
    if stray:
        rows = [[stray[n] for n in row] for row in _chain(boxes[stray])]
        lines += [row for row in rows if heights[row].max() >= LEAST_LINE * usual]
    lines.sort(key=lambda line: float(np.mean(boxes[line][:, [1, 3]])))
    return [np.array(sorted(line)) for line in lines]


def _around(boxes: np.ndarray) -> np.ndarray:
    """Return the box (4,) around `boxes` (N, 4)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _chain(boxes: np.ndarray) -> list[list[int]]:
    """Return the indices of `boxes` (N, 4) chained from left to right: each has one neighbour on either side
    at most, the nearest first."""
    left, top, right, bottom = boxes.T.astype(float)
    middle, high = (left + right) / 2, bottom - top
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    beside = (middle[:, None] < middle) & (
        shared >= SHARED * np.maximum(high[:, None], high)
    )  # [a, b]: b at the right of a
    cost = (
        np.maximum(left[None, :] - right[:, None], 0) + np.abs((top + bottom)[:, None] - (top + bottom)) / 2
    )
    pairs = np.argwhere(beside)
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    for a, b in pairs[np.argsort(cost[beside], kind="stable")].tolist():
        if a not in after and b not in before:
            after[a], before[b] = b, a
    rows = []
    for start in range(len(boxes)):
        if start not in before:
            row = [start]
            while row[-1] in after:
                row.append(after[row[-1]])
            rows.append(row)
    return rows


def _join_climbing(rows: list[list[int]], boxes: np.ndarray, usual: float) -> list[list[int]]:
    """Return `rows` of `boxes`, those joined of which one goes on where another ends, as it climbs or falls."""
    if len(rows) > MOST_CLIMBING:
        return rows
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    for first in rows:
        for second in rows:
            a, b = first[-1], second[0]
            gap = boxes[b, 0] - boxes[a, 2]
            if (
                first is second
                or len(first) + len(second) < 4
                or not -usual < gap <= MOST_CLIMBING_GAP * usual
            ):
                continue
            slope = (middles[b, 1] - middles[a, 1]) / max(middles[b, 0] - middles[a, 0], 1)
            own = [_slope(middles[row]) for row in (first, second) if len(row) > 1]
            if abs(slope) <= STEEPEST and all(
                abs(each - slope) <= SAME_SLOPE and each * slope > 0 for each in own
            ):
                rest = [row for row in rows if row is not first and row is not second]
                return _join_climbing([*rest, first + second], boxes, usual)
    return rows


def _join_marks(lines: list[list[int]], boxes: np.ndarray, usual: float) -> list[list[int]]:
    """Return `lines`, those of one part only joined to the line beside which it stands or hangs: a large comma, a low
    bracket, the rings of a %."""
    found = [line for line in lines if len(line) > 1]
    alone = [line for line in lines if len(line) == 1]
    for line in sorted(alone, key=lambda line: boxes[line[0], 1] - boxes[line[0], 3]):  # the highest first
        other = _line_of(boxes, found, line[0], usual, usual)
        if other is None:
            found.append(line)
        else:
            other.extend(line)
    return found


def _slope(middles: np.ndarray) -> float:
    """Return how much a row of points (N, 2) falls a pixel along: between its ends."""
    along, down = middles[-1] - middles[0]
    return float(down / max(along, 1))


def _line_of(
    boxes: np.ndarray, lines: list[list[int]], mark: int, usual: float, reach: float
) -> list[int] | None:
    """Return which of `lines` a low mark lies in: the one whose nearest part is nearest, level with it; None if none is
    within `reach` pixels."""
    best, nearest = None, reach
    x0, y0, x1, y1 = boxes[mark]
    middle = (y0 + y1) / 2
    for line in lines:
        others = boxes[line]
        across = np.maximum(np.maximum(others[:, 0] - x1, x0 - others[:, 2]), 0)
        near = others[across <= across.min() + 0.5 * usual]
        if near[:, 1].min() - ABOVE * usual <= middle <= near[:, 3].max() + BELOW * usual:
            down = max(float(near[:, 1].min() - middle), float(middle - near[:, 3].max()), 0.0)
            distance = float(across.min()) + 2 * down
            if distance <= nearest:
                best, nearest = line, distance
    return best


def _cut_out(
    crop: np.ndarray, labels: np.ndarray, boxes: np.ndarray, members: np.ndarray, corner: tuple[int, int]
) -> Line:
    """Return the connected parts `members` as a line; `corner`: left and top of `crop` in the ink."""
    left, top, right, bottom = (int(side) for side in _around(boxes[members]))
    wanted = np.zeros(len(boxes) + 1, bool)
    wanted[members + 1] = True
    parts = labels[top:bottom, left:right]
    parts = np.where(wanted[parts], parts, 0)
    ink = np.where(parts > 0, crop[top:bottom, left:right], 0).astype(np.float32)
    x, y = corner
    return Line((left + x, top + y, right + x, bottom + y), ink, parts)
