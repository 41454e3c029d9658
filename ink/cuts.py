"""Where two touching digits may be cut: every way that geometry proposes; grouping.py lets the network choose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ink.measures import find_box
from ink.piece import Piece

CUTTABLE = 0.6  # width over line height from which a piece may be two digits
LEAST_CUT = 8  # pixels; no side of two touching digits is shorter
SLANTS = (
    -0.5,
    -0.25,
    0.0,
    0.25,
    0.5,
)  # columns a row; leaning of the lines along which touching digits are cut
MOST_CUTS = 4  # places a slant


def find_cuts(piece: Piece, line_height: float) -> list[tuple[Piece, Piece]]:
    """Return the ways to cut `piece` in two touching digits, left and right; [] if it is too small or narrow for two.

    Along slanted lines at local minima of the ink they cross, a fifth of the line's height apart and from the ends.
    """
    if piece.width < CUTTABLE * line_height or piece.width < LEAST_CUT or piece.height < LEAST_CUT:
        return []
    apart = max(2, round(0.2 * line_height))
    return list(_straight_cuts(piece, apart))


def _straight_cuts(piece: Piece, apart: int) -> Iterator[tuple[Piece, Piece]]:
    """Yield the cuts along slanted lines, at least `apart` pixels from each other and from the ends."""
    rows, columns = np.nonzero(piece.ink)
    values = piece.ink[rows, columns]
    for slant in SLANTS:
        across = np.round(columns + slant * (rows - piece.height / 2)).astype(int)
        first = int(across.min())
        crossed = ndimage.uniform_filter1d(
            np.bincount(across - first, values), max(1, piece.width // 40), mode="nearest"
        )
        lowest = ndimage.minimum_filter1d(crossed, apart, mode="nearest")
        inside = np.arange(apart, len(crossed) - apart)
        minima = inside[(crossed[inside] == lowest[inside]) & (crossed[inside] <= 0.6 * crossed.max())]
        places: list[int] = []
        for place in minima[np.argsort(crossed[minima], kind="stable")]:
            if all(abs(place - other) >= apart for other in places):
                places.append(int(place))
        for place in places[:MOST_CUTS]:
            left = np.zeros(piece.ink.shape, bool)
            left[rows, columns] = across - first < place
            yield _part(piece, left), _part(piece, ~left)


def _part(piece: Piece, mask: np.ndarray) -> Piece:
    """Return the ink of `piece` under `mask`, cropped; there is some."""
    part = np.where(mask, piece.ink, 0)
    box = find_box(part > 0)
    assert box is not None
    x, y = piece.box[:2]
    left, top, right, bottom = box
    return Piece((left + x, top + y, right + x, bottom + y), part[top:bottom, left:right])
