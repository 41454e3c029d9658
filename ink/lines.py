"""Ink -> layouts: the lines of writing in a picture, and those within a box or ring that is drawn around some.

What clings to the picture's edge beside real writing (a table's edge, a shadow, a scanner's streak) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, Box, find_box
from ink.piece import enclosed
from ink.rows import Layout, find_rows, usual_height

MAX_PIECES = 400  # components; a picture of more is texture, and only the heaviest are looked at
EDGE_MASS = 0.1  # of the heaviest writing's ink; what touches the picture's edge and has less is no writing
STREAK = 20  # length over width of what a scanner leaves from edge to edge, at least
WRITTEN = 0.2  # of a box's height; what is written in it is at least as high, a dot in a 0 is not
ROOM = 0.12  # of a box's shorter side; least radius of the largest empty patch between it and its writing
MOST_BOXES = 40  # components that are looked at for being boxes, the heaviest first


def find_layouts(ink: np.ndarray) -> Iterator[Layout]:
    """Yield the lines of writing in `ink` (H, W), and where something like a box or a ring is drawn around
    writing, those without it."""
    (left, top, right, bottom), labels, count = _label(ink)
    if count == 0:
        yield Layout([], [])
        return
    crop = ink[top:bottom, left:right]
    boxes, mass = _measure(crop, labels, count)
    yield find_rows(ink, _clear_of_edges(boxes + np.array([left, top, left, top]), mass, ink.shape))
    if around := _find_boxes(labels, boxes, mass):
        rest = ink.copy()
        rest[top:bottom, left:right][np.isin(labels, around)] = 0
        *_, held = find_layouts(rest)  # a box may have double lines
        yield held


def _clear_of_edges(boxes: np.ndarray, mass: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Say which components (N,) are no edge, shadow, margin or scanner's streak that runs into the picture's
    border beside writing."""
    heights, widths = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    left, top, right, bottom = (
        boxes == [0, 0, shape[1], shape[0]]
    ).T  # which edges of the picture each touches
    touching = left | top | right | bottom
    solid: np.ndarray = mass > 0.5 * heights * widths
    aside: np.ndarray = (left | right) & (top | bottom) & solid | left & right
    streaks = top & bottom & (heights >= STREAK * widths)
    kept = ~streaks if not streaks.all() else np.ones(len(boxes), bool)
    inside = np.flatnonzero(~touching)
    across = left & right & solid  # from side to side, as a phone's bars, which may outweigh thin writing
    if len(inside):
        main = inside[mass[inside].argmax()]
        if not across.all() and mass[main] > 0.1 * mass[~across].max() and max(shape) > 40:
            tall, heavy = usual_height(heights[inside]), mass[main]
            alike = ~aside & (widths < 2 * tall) & (heights < 1.5 * tall) & (mass > EDGE_MASS * heavy)
            kept &= ~touching | alike
    return kept


def count_parts(ink: np.ndarray) -> tuple[int, float]:
    """Return how many connected components `ink` (H, W) has, and the longest one's side as a share of that of all."""
    (left, top, right, bottom), labels, count = _label(ink)
    if count == 0:
        return 0, 0.0
    longest = max(part.stop - part.start for place in ndimage.find_objects(labels) for part in place)
    return count, longest / max(right - left, bottom - top)


def _label(ink: np.ndarray) -> tuple[Box, np.ndarray, int]:
    """Return the box around all `ink` (H, W), the labels of the connected components in it, and their number."""
    marks = ink > 0
    left, top, right, bottom = box = find_box(marks) or (0, 0, 0, 0)
    return box, *ndimage.label(marks[top:bottom, left:right], EIGHT)


def _measure(crop: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes (count, 4) and the mass (count,) of the components of `crop`."""
    boxes = np.array([(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in ndimage.find_objects(labels)])
    return boxes, np.bincount(labels.ravel(), crop.ravel(), count + 1)[1:]


def _find_boxes(labels: np.ndarray, boxes: np.ndarray, mass: np.ndarray) -> list[int]:
    """Return the labels of the components drawn around others: a box to write in, a ring around a number.

    `boxes` (N, 4), `mass` (N,): of the components of `labels` (H, W). A box leaves room around its writing; a digit
    drawn in outline has a narrow band between its lines.
    """
    large = np.argsort(-mass)[:MAX_PIECES]
    corners, ends = boxes[large, :2], boxes[large, 2:]
    sides = ends - corners
    within = np.all(
        (corners > corners[:, None]) & (ends < ends[:, None]), axis=2
    )  # (n, n): [a, b] is b inside a
    written = within & (sides[:, 1] >= WRITTEN * sides[:, 1:])
    found = []
    for place in np.flatnonzero(written.any(axis=1))[:MOST_BOXES]:
        n, held = large[place], large[written[place]]
        left, top, right, bottom = boxes[n]
        part = labels[top:bottom, left:right]
        if _leaves_room(enclosed(part == n + 1), np.isin(part, held + 1)):
            found.append(int(n) + 1)
    return found


def _leaves_room(inside: np.ndarray, writing: np.ndarray) -> bool:
    """Return whether a box whose inside is the mask `inside` holds `writing` and an empty patch around it."""
    writing = writing & inside
    if not writing.any():
        return False
    room = ndimage.distance_transform_edt(np.pad(inside & ~ndimage.binary_fill_holes(writing), 1))
    return bool(room.max() >= ROOM * min(inside.shape))
