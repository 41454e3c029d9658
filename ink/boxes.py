"""Boxes and tables drawn around writing."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ink.measures import find_box
from ink.piece import enclosed

MAX_PIECES = 400  # more components than this are texture, not writing
FRAMED = 0.2  # of its frame's height that writing in a frame has, at least; less is a dot in a 0
BOXED, THICKEST_BOX = (
    0.9,
    0.05,
)  # of its sides that a box around writing covers, at least; its lines' width over its shorter side, at most
ROOM = 0.12  # of a frame's shorter side; least radius of the largest empty patch between a frame and what it holds
MOST_FRAMED, MOST_TABLES = (
    40,
    4,
)  # components that are looked at for being frames, and tables, the boldest first


def _find_frames(labels: np.ndarray, boxes: np.ndarray, mass: np.ndarray) -> list[int]:
    """Return the labels of the components that are drawn around others: a box to write in, a ring around a number.

    They leave room around what they hold, where a digit drawn in outline has a band between its lines.
    """
    large = np.argsort(-mass)[:MAX_PIECES]
    corners, ends = boxes[large, :2], boxes[large, 2:]
    sides = ends - corners
    within = np.all(
        (corners > corners[:, None]) & (ends < ends[:, None]), axis=2
    )  # (n, n): [a, b] is b inside a
    written = within & (sides[:, 1] >= FRAMED * sides[:, 1:])
    may_be_table = (within.sum(axis=1) > 1) & (np.arange(len(large)) < MOST_TABLES)
    frames = []
    for place in np.flatnonzero(written.any(axis=1) | may_be_table)[:MOST_FRAMED]:
        n, held = large[place], large[written[place]]
        left, top, right, bottom = boxes[n]
        part = labels[top:bottom, left:right]
        within_it = enclosed(part == n + 1)
        if (
            _leaves_room(within_it, np.isin(part, held + 1))
            or may_be_table[place]
            and _is_table(within_it, part)
        ):
            frames.append(int(n) + 1)
    return frames


def _touched_box(labels: np.ndarray, boxes: np.ndarray, n: int) -> np.ndarray | None:
    """Return a mask of the box along all four sides of component `n`, which touches the writing in it; None without such a box."""
    left, top, right, bottom = boxes[n]
    part = labels[top:bottom, left:right] == n + 1
    if min(edge.mean() for edge in (part[0], part[-1], part[:, 0], part[:, -1])) < BOXED:
        return None
    around, thickest = np.zeros(labels.shape, bool), 0
    for turn in range(4):
        side = np.rot90(part, turn)
        thick = int(np.median(np.where(side.all(axis=0), len(side), (~side).argmax(axis=0))))
        if thick > THICKEST_BOX * min(part.shape):
            return None
        np.rot90(around[top:bottom, left:right], turn)[: thick + 1] = True
        thickest = max(thickest, thick)
    around[top:bottom, left:right] &= part
    held = find_box(part & ~around[top:bottom, left:right])
    if held is None or held[3] - held[1] < FRAMED * len(part):
        return None
    across, down = (
        held[a] <= 2 * thickest and held[a + 2] >= size - 2 * thickest
        for a, size in ((0, part.shape[1]), (1, len(part)))
    )
    return None if across or down else around  # a grid's lines run from side to side


def _leaves_room(inside: np.ndarray, writing: np.ndarray) -> bool:
    """Say whether there is `writing` in what a frame encloses, `inside`, and an empty patch as wide as a box to write in has."""
    writing = writing & inside
    if not writing.any():
        return False
    room = ndimage.distance_transform_edt(np.pad(inside & ~ndimage.binary_fill_holes(writing), 1))
    return bool(room.max() >= ROOM * min(inside.shape))


def _is_table(inside: np.ndarray, labels: np.ndarray) -> bool:
    """Say whether what a frame encloses, `inside`, are cells, in at least two of which there is writing."""
    cells, _ = ndimage.label(inside)
    filled = 0
    for number, place in enumerate(ndimage.find_objects(cells), 1):
        cell = cells[place] == number
        own = np.where(cell, labels[place], 0)
        parts = enumerate(ndimage.find_objects(own), 1)
        high = [
            n for n, part in parts if part is not None and part[0].stop - part[0].start >= FRAMED * len(cell)
        ]
        filled += _leaves_room(cell, np.isin(own, high))
        if filled == 2:
            return True
    return False
