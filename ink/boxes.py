"""Boxes drawn around writing."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ink.piece import enclosed

MAX_PIECES = 400  # more components than this are texture, not writing
FRAMED = 0.2  # of its frame's height that writing in a frame has, at least; less is a dot in a 0
MOST_FRAMED = 40  # components that are looked at for being frames, the boldest first
ROOM = 0.12  # of a frame's shorter side; least radius of the largest empty patch between a frame and what it holds


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
    frames = []
    for place in np.flatnonzero(written.any(axis=1))[:MOST_FRAMED]:
        n, held = large[place], large[written[place]]
        left, top, right, bottom = boxes[n]
        part = labels[top:bottom, left:right]
        if _leaves_room(enclosed(part == n + 1), np.isin(part, held + 1)):
            frames.append(int(n) + 1)
    return frames


def _leaves_room(inside: np.ndarray, writing: np.ndarray) -> bool:
    """Say whether there is `writing` in what a frame encloses, `inside`, and an empty patch as wide as a box to write in has."""
    writing = writing & inside
    if not writing.any():
        return False
    room = ndimage.distance_transform_edt(np.pad(inside & ~ndimage.binary_fill_holes(writing), 1))
    return bool(room.max() >= ROOM * min(inside.shape))
