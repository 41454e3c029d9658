"""Groups of ink that the user has set by hand: which ink is one digit. No window, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, find_box
from recognizer.answer import SIGNS, Digit, Reading, Sign

Box = tuple[int, int, int, int]  # left, top, width, height in canvas units
HELD = 0.9  # share of a stroke or a blot that a box holds if it is that box's
OVERLAP = 0.6  # of the narrower side; strokes that overlap more are not told apart by their place
ENDS = 0.2  # of a box's width at either end, where it is not cut
LEAST_HIGH = 0.4  # of the higher part's height; the other is at least so high
NEAR = 0.15  # of a box's width; how far from the pointer it may be cut
SLANTS = (-0.5, -0.25, 0.0, 0.25, 0.5)  # columns a row; how the lines lean along which a box is cut


@dataclass(frozen=True, eq=False)
class Group:
    """Ink that is one digit: a part of the canvas, at its place."""

    left: int
    top: int
    ink: np.ndarray = field(repr=False)  # uint8 (h, w), as on the canvas where it is the group's, else 0

    @property
    def box(self) -> Box:
        return self.left, self.top, self.ink.shape[1], self.ink.shape[0]

    def mask(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return where on a canvas of `shape` (H, W) the group's ink is."""
        mask = np.zeros(shape, bool)
        height, width = self.ink.shape
        mask[self.top : self.top + height, self.left : self.left + width] = self.ink > 0
        return mask

    def stands(self, ink: np.ndarray) -> bool:
        """Return whether the group's ink is on the canvas `ink` (H, W) as it was when the group was set."""
        height, width = self.ink.shape
        there = ink[self.top : self.top + height, self.left : self.left + width]
        own = self.ink > 0
        return there.shape == own.shape and bool((there[own] == self.ink[own]).all())


def group_of(ink: np.ndarray, mask: np.ndarray) -> Group:
    """Return the ink of a canvas (H, W) under `mask` as a group; there is some."""
    box = find_box(mask & (ink > 0))
    assert box is not None
    left, top, right, bottom = box
    return Group(left, top, np.where(mask, ink, 0)[top:bottom, left:right])


def owners(ink: np.ndarray, boxes: Sequence[Box], groups: Sequence[Group] = ()) -> np.ndarray:
    """Return for each pixel of a canvas (H, W) the index of the box that its ink belongs to, -1 for none.

    A connected blot belongs to the box that holds it; of one that several boxes share, each pixel to the nearest.
    The ink of `groups` belongs to the box that a group has.
    """
    found = np.full(ink.shape, -1)
    labels, count = ndimage.label(ink > 0, EIGHT)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        rows, columns = np.nonzero(labels[place] == number)
        rows, columns = rows + place[0].start, columns + place[1].start
        inside = np.stack([_inside(box, columns, rows) for box in boxes])  # (boxes, pixels)
        if not inside.any():
            continue  # left out by the reading: no box's
        best = max(range(len(boxes)), key=lambda n: (inside[n].mean(), -boxes[n][2] * boxes[n][3]))
        if inside[best].mean() >= HELD:
            found[rows, columns] = best
        else:
            found[rows, columns] = np.stack([_distance(box, columns, rows) for box in boxes]).argmin(axis=0)
    for group in groups:
        if group.box in boxes:
            found[group.mask(ink.shape)] = list(boxes).index(group.box)
    return found


def right_neighbour(boxes: Sequence[Box], index: int) -> int | None:
    """Return the box that is next to the right of box `index` in its line, None if there is none."""
    left, top, width, height = boxes[index]

    def beside(other: int) -> bool:
        x, y, wide, high = boxes[other]
        common = min(top + height, y + high) - max(top, y)
        return other != index and x + wide / 2 > left + width / 2 and common > 0

    candidates = [other for other in range(len(boxes)) if beside(other)]
    return min(candidates, key=lambda other: boxes[other][0] + boxes[other][2] / 2, default=None)


def cut(
    ink: np.ndarray, mask: np.ndarray, strokes: Sequence[np.ndarray], at: float | None = None
) -> tuple[Group, Group] | None:
    """Return the ink of a canvas (H, W) under `mask` as two groups, left and right; None if it is too small for two.

    Between two of its `strokes`, each the ink (H, W) that it leaves, if those stand beside each other; else along the
    line that crosses least ink. `at`, in canvas units, is where it shall be cut, if anywhere.
    """
    own = [stroke > 0 for stroke in strokes]
    own = [stroke & mask for stroke in own if stroke.any() and (stroke & mask).sum() >= HELD * stroke.sum()]
    parts = _between_strokes(own, at) or _across(ink, mask, at)
    if parts is None:
        return None
    left, right = parts
    rest = mask & ~left & ~right  # what no stroke of its own has left, such as the end of another's
    columns = np.arange(mask.shape[1])
    middle = (np.nonzero(left)[1].max() + np.nonzero(right)[1].min()) / 2
    return group_of(ink, left | rest & (columns < middle)), group_of(ink, right | rest & (columns >= middle))


def _between_strokes(own: Sequence[np.ndarray], at: float | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the strokes' masks (H, W) as two, where they stand beside each other; the widest gap, or the one at `at`."""
    spans = []
    for stroke in own:
        columns = np.flatnonzero(stroke.any(axis=0))
        spans.append((int(columns[0]), int(columns[-1]) + 1))
    order = sorted(range(len(own)), key=lambda n: sum(spans[n]))
    best: tuple[float, int] | None = None
    for count in range(1, len(order)):
        stop = max(spans[n][1] for n in order[:count])
        start = min(spans[n][0] for n in order[count:])
        narrower = min(
            stop - min(spans[n][0] for n in order[:count]), max(spans[n][1] for n in order[count:]) - start
        )
        worth = float(start - stop) if at is None else -abs((start + stop) / 2 - at)
        if start - stop >= -OVERLAP * narrower and (best is None or worth > best[0]):
            best = worth, count
    if best is None:
        return None
    count = best[1]
    return np.any([own[n] for n in order[:count]], axis=0), np.any([own[n] for n in order[count:]], axis=0)


def _across(ink: np.ndarray, mask: np.ndarray, at: float | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return `mask` (H, W) as two, along the line, upright or leaning, that crosses least ink."""
    rows, columns = np.nonzero(mask & (ink > 0))
    left, width = int(columns.min()), int(np.ptp(columns)) + 1
    middle = (rows.min() + rows.max()) / 2
    low, high, wanted = left + ENDS * width, left + (1 - ENDS) * width, left + width / 2
    if at is not None and left < at < left + width:
        wanted = at
        low, high = max(at - NEAR * width, left + 1), min(at + NEAR * width, left + width - 1)
    ways = []
    for slant in SLANTS:
        across = np.round(columns + slant * (rows - middle)).astype(int)
        crossed = np.bincount(np.maximum(across, 0), ink[rows, columns], left + width + 1)
        places = np.arange(max(int(np.ceil(low)), 1), int(high) + 1)
        if len(places):
            off = np.abs(places - wanted) / width  # of two as thin the nearer one
            costs = crossed[places] * (1 + 0.2 * abs(slant)) + 255 * off
            ways.append((float(costs.min()), slant, int(places[costs.argmin()])))
    for _, slant, place in sorted(ways):
        before = np.round(columns + slant * (rows - middle)).astype(int) < place
        heights = [int(np.ptp(rows[part])) if part.any() else 0 for part in (before, ~before)]
        if min(heights) >= LEAST_HIGH * max(heights):  # no foot is cut off
            parts = np.zeros((2, *mask.shape), bool)
            parts[0, rows[before], columns[before]] = True
            parts[1, rows[~before], columns[~before]] = True
            return parts[0], parts[1]
    return None


def moved(reading: Reading, right: int, down: int) -> Reading:
    """Return the same reading with its boxes elsewhere."""

    def place(box: Box) -> Box:
        return box[0] + right, box[1] + down, box[2], box[3]

    return replace(
        reading,
        groups=tuple(replace(group, box=place(group.box)) for group in reading.groups),
        signs=tuple(replace(sign, box=place(sign.box)) for sign in reading.signs),
    )


def combined(reading: Reading, digits: Sequence[Digit]) -> Reading:
    """Return `reading`, of all other ink, with the digits that the user has grouped by hand at their places."""
    lines = lines_of(reading)
    said = {id(mark) for line in lines for mark in line}
    for digit in digits:
        _insert(lines, digit)
    loose = [group for group in reading.groups if id(group) not in said]
    marks = [mark for line in lines for mark in line]
    text = "\n".join("".join(_said(mark) for mark in line) for line in lines)
    groups = [mark for mark in marks if isinstance(mark, Digit)] + loose
    signs = [mark for mark in marks if isinstance(mark, Sign)]
    signs += [sign for sign in reading.signs if id(sign) not in said]
    return Reading("ok", text, tuple(groups), tuple(signs))


def lines_of(reading: Reading) -> list[list[Digit | Sign]]:
    """Return the digits and signs that a reading's text names, line by line; of a refused reading every group by itself."""
    if reading.status != "ok":
        return [[group] for group in reading.groups]
    named = [letter for letter in reading.text if letter not in SIGNS and letter != "\n"]
    groups = iter(reading.groups if len(named) == len(reading.groups) else reading.digits)
    signs = iter(reading.signs)
    lines: list[list[Digit | Sign]] = [[]]
    for letter in reading.text:
        if letter == "\n":
            lines.append([])
        else:
            mark = (
                next(signs, None)
                if letter in SIGNS
                else next(groups, None)
                if letter != "?" or len(named) == len(reading.groups)
                else None
            )
            if mark is not None:
                lines[-1].append(mark)
    return lines


def _said(mark: Digit | Sign) -> str:
    if isinstance(mark, Sign):
        return mark.sign
    return mark.digit if mark.accepted else "?"


def _insert(lines: list[list[Digit | Sign]], digit: Digit) -> None:
    """Put a digit into the line it stands in, or into one of its own, at its place from left to right."""
    left, top, width, height = digit.box
    for line in lines:
        start, stop = min(mark.box[1] for mark in line), max(mark.box[1] + mark.box[3] for mark in line)
        common = min(top + height, stop) - max(top, start)
        if common >= 0.5 * min(height, stop - start):
            before = [mark for mark in line if mark.box[0] + mark.box[2] / 2 <= left + width / 2]
            line.insert(len(before), digit)
            return
    above = [line for line in lines if line[0].box[1] + line[0].box[3] / 2 < top + height / 2]
    lines.insert(len(above), [digit])


def _inside(box: Box, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    left, top, width, height = box
    return (columns >= left - 1) & (columns <= left + width) & (rows >= top - 1) & (rows <= top + height)


def _distance(box: Box, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how far pixels are from a box, those inside by how far from its middle, which counts little."""
    left, top, width, height = box
    beside = np.maximum(np.maximum(left - columns, columns - left - width), 0)
    above = np.maximum(np.maximum(top - rows, rows - top - height), 0)
    return beside + above + 0.01 * np.abs(columns - left - width / 2) / max(width, 1)
