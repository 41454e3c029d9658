"""Ink -> lines of pieces: what belongs together, in reading order.

A piece is one or more connected components. This module judges by geometry alone and proposes; where geometry leaves a
doubt (a loose bar, two digits that touch), recognizer/grouping.py lets the network choose among the proposals.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, Box, find_box
from ink.piece import Piece, enclosed
from ink.rows import Layout, find_rows, usual_height

MAX_PIECES = 400  # components; a picture of more is texture, and only the heaviest are looked at
SPECK = 0.3  # of the line's height; lower pieces are punctuation or dirt, not digits
LEAST_BODY = 0.35  # of the tallest component's height; a smaller one is part of another, or dirt
APART = 0.06  # of the line's height; two tall pieces this far apart are two digits
FAR_APART = 0.15  # of the line's height; two low pieces this far apart are two digits
EDGE_MASS = 0.1  # of the heaviest writing's ink; what touches the picture's edge and has less is no writing
STREAK = 20  # length over width of what a scanner leaves from edge to edge, at least
WRITTEN = 0.2  # of a box's height; what is written in it is at least as high, a dot in a 0 is not
ROOM = 0.12  # of a box's shorter side; least radius of the largest empty patch between it and its writing
MOST_BOXES = 40  # components that are looked at for being boxes, the heaviest first


def find_lines(ink: np.ndarray) -> list[list[Piece]]:
    """Return the lines of writing in `ink` (H, W), top to bottom, each a list of pieces from left to right.

    Dirt is left out: specks, and what clings to the picture's edge beside real writing. No ink: [].
    """
    return next(find_layouts(ink))


def find_layouts(ink: np.ndarray) -> Iterator[list[list[Piece]]]:
    """Yield the lines of writing in `ink` (H, W); then, if a box or ring is drawn around some, those without it."""
    (left, top, right, bottom), labels, count = _label(ink)
    if count == 0:
        yield []
        return
    crop = ink[top:bottom, left:right]
    if count == 1:  # nearly every single digit
        yield [[Piece((left, top, right, bottom), crop)]]
        return
    boxes, mass = _measure(crop, labels, count)
    kept = _writing(boxes + np.array([left, top, left, top]), mass, ink.shape)
    lines = []
    for line in _split_lines(boxes, _join(boxes, kept)):
        pieces = [_cut_out(crop, labels, boxes, members, (left, top)) for members in line]
        lines.append(sorted(pieces, key=lambda piece: piece.box[0] + piece.box[2]))
    yield lines
    if around := _find_boxes(labels, boxes, mass):
        rest = ink.copy()
        rest[top:bottom, left:right][np.isin(labels, around)] = 0
        *_, held = find_layouts(rest)  # a box may have double lines
        yield held


def find_row_layouts(ink: np.ndarray) -> Iterator[Layout]:
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
        *_, held = find_row_layouts(rest)  # a box may have double lines
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


def count_apart(pieces: list[Piece], line_height: float) -> int:
    """Return how many neighbours in a row of pieces are too far apart to be one broken digit."""
    count = 0
    for a, b in zip(pieces, pieces[1:]):
        shorter = min(a.height, b.height)
        least = APART if shorter >= 0.55 * line_height else FAR_APART
        count += shorter >= 0.35 * line_height and _row_gap(a, b) >= least * line_height
    return count


def are_lines_apart(lines: list[list[Piece]]) -> bool:
    """Return whether there are several lines with room between all of them, as a stroke broken in two has not."""
    spans = [(min(piece.box[1] for piece in line), max(piece.box[3] for piece in line)) for line in lines]
    least = APART * max(piece.height for line in lines for piece in line)
    return len(lines) > 1 and all(below[0] - above[1] >= least for above, below in zip(spans, spans[1:]))


def _label(ink: np.ndarray) -> tuple[Box, np.ndarray, int]:
    """Return the box around all `ink` (H, W), the labels of the connected components in it, and their number."""
    marks = ink > 0
    left, top, right, bottom = box = find_box(marks) or (0, 0, 0, 0)
    return box, *ndimage.label(marks[top:bottom, left:right], EIGHT)


def _measure(crop: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes (count, 4) and the mass (count,) of the components of `crop`."""
    boxes = np.array([(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in ndimage.find_objects(labels)])
    return boxes, np.bincount(labels.ravel(), crop.ravel(), count + 1)[1:]


def _writing(boxes: np.ndarray, mass: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the indices of the components that are writing rather than dirt."""
    heights, widths = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    order = np.argsort(-mass)[:MAX_PIECES]  # heaviest first
    left, top, right, bottom = (boxes == [0, 0, shape[1], shape[0]]).T  # edges that each touches
    touching = left | top | right | bottom
    solid: np.ndarray = mass > 0.5 * heights * widths
    # a scanner's corner, a toolbar
    aside: np.ndarray = (left | right) & (top | bottom) & solid | left & right
    streaks = top & bottom & (heights >= STREAK * widths)
    inside = order[~touching[order]]
    if not streaks[order].all():
        order = order[~streaks[order]]
    across = left & right & solid  # from side to side, as a phone's bars, which may outweigh thin writing
    # a table's edge, a shadow or a margin runs into the picture's border; writing beside it does not
    if len(inside) and mass[inside[0]] > 0.1 * mass[~across].max() and max(shape) > 40:
        tall, heavy = heights[inside[0]], mass[inside[0]]
        alike = ~aside & (widths < 2 * tall) & (heights < 1.5 * tall) & (mass > 0.3 * heavy)
        order = order[~touching[order] | alike[order]]
    body = order[np.maximum(heights, widths)[order] >= LEAST_BODY * heights[order].max()]
    body = body[mass[body] >= 0.08 * mass[body].max()]
    reach, least = 0.25 * np.median(heights[body]), 0.002 * mass[body].max()
    rest = np.setdiff1d(order, body)
    near = [i for i in rest if mass[i] >= least and min(_gap(boxes[i], boxes[j]) for j in body) <= reach]
    return np.sort([*body, *near])


def _row_gap(a: Piece, b: Piece) -> float:
    """Return the least distance, in pixels along a row, from the ink of `a` to the ink of `b` at its right."""
    top, bottom = max(a.box[1], b.box[1]), max(min(a.box[3], b.box[3]), a.box[1], b.box[1])
    left, right = a.ink[top - a.box[1] : bottom - a.box[1]] > 0, b.ink[top - b.box[1] : bottom - b.box[1]] > 0
    both = left.any(axis=1) & right.any(axis=1)
    if not both.any():
        return float(max(b.box[0] - a.box[2], 0))
    ends = a.box[2] - left[both, ::-1].argmax(axis=1)
    starts = b.box[0] + right[both].argmax(axis=1)
    return float((starts - ends).min())


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    """Return the distance between two boxes, 0 if they overlap."""
    across = max(a[0] - b[2], b[0] - a[2], 0)
    down = max(a[1] - b[3], b[1] - a[3], 0)
    return float(np.hypot(across, down))


def _join(boxes: np.ndarray, kept: np.ndarray) -> list[list[int]]:
    """Return groups of components: small ones with their nearest body, and those that stand over one another."""
    parent = {int(i): int(i) for i in kept}

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    heights = boxes[:, 3] - boxes[:, 1]
    sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)[kept]
    tall = float(
        np.percentile(heights[kept][sides >= LEAST_BODY * heights[kept].max()], 80)
    )  # without specks
    bodies = [int(i) for i in kept if heights[i] >= SPECK * tall * 1.3] or [int(i) for i in kept]
    for i in (int(i) for i in kept if int(i) not in bodies):
        nearest = min(bodies, key=lambda j: _gap(boxes[i], boxes[j]))
        if _gap(boxes[i], boxes[nearest]) <= 0.3 * tall:
            parent[i] = nearest
    for a in bodies:
        for b in bodies:
            if a < b and _stand_over(boxes[a], boxes[b], tall):
                parent[root(a)] = root(b)
    groups: dict[int, list[int]] = {}
    for i in parent:
        groups.setdefault(root(i), []).append(i)
    return [members for key, members in groups.items() if key in bodies]


def _stand_over(a: np.ndarray, b: np.ndarray, tall: float) -> bool:
    """Return whether the components with boxes `a` and `b` share columns and lie close enough to be one digit."""
    shared = min(a[2], b[2]) - max(a[0], b[0])
    narrower = min(a[2] - a[0], b[2] - b[0])
    apart = max(a[1], b[1]) - min(a[3], b[3])
    together = max(a[3], b[3]) - min(a[1], b[1])
    shorter = min(a[3] - a[1], b[3] - b[1])
    if shared < 0.5 * narrower:
        return False
    return apart < 0.15 * tall and (together < 1.5 * tall or shorter < 0.5 * tall)


def _split_lines(boxes: np.ndarray, groups: list[list[int]]) -> list[list[list[int]]]:
    """Return the groups sorted into lines: those that share two fifths of the lower one's height."""
    extent = [(int(boxes[members, 1].min()), int(boxes[members, 3].max())) for members in groups]
    tall = max(bottom - top for top, bottom in extent)
    order = sorted(range(len(groups)), key=lambda g: extent[g][0] + extent[g][1])
    lines: list[list[int]] = []
    spans: list[list[float]] = []
    for g in order:
        top, bottom = extent[g]
        for line, span in zip(lines, spans):
            shared = min(bottom, span[1]) - max(top, span[0])
            if shared >= 0.4 * min(bottom - top, span[1] - span[0]):
                line.append(g)
                span[0] = float(np.mean([extent[m][0] for m in line]))
                span[1] = float(np.mean([extent[m][1] for m in line]))
                break
        else:
            lines.append([g])
            spans.append([float(top), float(bottom)])
    heights = [bottom - top for top, bottom in extent]
    highest = [max(heights[g] for g in line) for line in lines]
    both = [(line, most) for line, most in zip(lines, highest) if most >= SPECK * tall]
    lines = [[g for g in line if heights[g] >= SPECK * most] for line, most in both]
    lines.sort(key=lambda line: np.mean([sum(extent[g]) for g in line]))
    return [[groups[g] for g in line] for line in lines]


def _cut_out(
    ink: np.ndarray, labels: np.ndarray, boxes: np.ndarray, members: list[int], corner: tuple[int, int]
) -> Piece:
    """Return the components `members` as one piece; `corner`: left and top of `ink` in the picture."""
    left, top = boxes[members, :2].min(axis=0)
    right, bottom = boxes[members, 2:].max(axis=0)
    wanted = np.zeros(len(boxes) + 1, bool)
    wanted[np.array(members) + 1] = True
    part = np.where(wanted[labels[top:bottom, left:right]], ink[top:bottom, left:right], 0).astype(np.float32)
    x, y = corner
    return Piece((int(left) + x, int(top) + y, int(right) + x, int(bottom) + y), part)


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
