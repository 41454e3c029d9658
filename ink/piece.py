"""A piece of ink: where it is, and what its shape says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ink.measures import EIGHT, Box, largest, pen_width

LEAST_HELD = 0.08  # of the outline's longer side; shorter marks within it are dirt
LARGEST_DOT = 0.25  # of the outline's longer side; a single mark up to this is the dot of a 0
SLASH = 1.7  # pen widths; a mark in a 0 that strays less from a line is a slash
BOWED = 0.2  # of its length; a mark in a 0 that strays less from a line is a slash


@dataclass(frozen=True)
class Piece:
    """Ink that stays together: its box in pixels of the ink, and its pixels inside the box."""

    box: Box
    ink: np.ndarray  # float32 (bottom - top, right - left)
    cut: bool = False  # off what touches it

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


def merge(pieces: list[Piece]) -> Piece:
    """Return one piece made of neighbouring ones."""
    if len(pieces) == 1:
        return pieces[0]
    boxes = np.array([piece.box for piece in pieces])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    ink = np.zeros((bottom - top, right - left), np.float32)
    for piece in pieces:
        x0, y0, x1, y1 = piece.box
        part = ink[y0 - top : y1 - top, x0 - left : x1 - left]
        np.maximum(part, piece.ink, out=part)
    return Piece((int(left), int(top), int(right), int(bottom)), ink)


def is_filled_in(piece: Piece) -> bool:
    """Return whether the ink is an outline around all the rest, and that is more than a 0 holds: a face, a clock.

    A 0 may hold a dot or a straight slash or, drawn in outline, its own inner edge.
    """
    labels, count = ndimage.label(piece.ink >= 0.5 * piece.ink.max(), EIGHT)
    if count < 2:
        return False
    outline = largest(labels)
    held = labels * enclosed(outline)
    marks = [(n, part) for n, part in enumerate(ndimage.find_objects(held), 1) if part is not None]
    longest = [max(side.stop - side.start for side in part) / max(piece.ink.shape) for _, part in marks]
    if len(marks) < count - 1 or max(longest, default=0) < LEAST_HELD:
        return False
    if sum(length >= LEAST_HELD for length in longest) > 1:
        return True
    n, part = marks[int(np.argmax(longest))]
    mark = held[part] == n
    if max(longest) <= LARGEST_DOT or enclosed(mark).any():
        return False
    variances = np.linalg.eigvalsh(np.cov(np.nonzero(mark)))
    across, along = np.sqrt(12 * np.maximum(variances, 0))  # sides of a bar with these variances
    return bool(across > max(SLASH * pen_width(piece.ink), BOWED * along))


def enclosed(marks: np.ndarray) -> np.ndarray:
    """Return what `marks` (H, W) enclose, without themselves."""
    return ndimage.binary_fill_holes(marks) & ~marks
