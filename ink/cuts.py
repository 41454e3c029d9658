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
PATH_ROWS = 64  # at most, in which paths of least ink are sought
ASIDE = 0.05  # of a pixel's ink; what a step aside costs a path


def find_cuts(piece: Piece, line_height: float) -> list[tuple[Piece, Piece]]:
    """Return the ways to cut `piece` in two touching digits, left and right; [] if it is too small or narrow for two.

    Along slanted lines at local minima of the ink they cross, and along the paths from top to bottom that cross the
    least ink; a fifth of the line's height apart and from the ends.
    """
    if piece.width < CUTTABLE * line_height or piece.width < LEAST_CUT or piece.height < LEAST_CUT:
        return []
    apart = max(2, round(0.2 * line_height))
    return [*_straight_cuts(piece, apart), *_winding_cuts(piece, apart)]


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


def _winding_cuts(piece: Piece, apart: int) -> Iterator[tuple[Piece, Piece]]:
    """Yield the cuts along paths of least ink, down and up, which begin every `apart` pixels; each once."""
    starts = list(range(apart, piece.width - apart, apart))
    inked, seen = np.count_nonzero(piece.ink), set()
    for path in (*_paths(piece.ink, starts, apart), *_paths(piece.ink[::-1], starts, apart)[:, ::-1]):
        left = np.arange(piece.width) < path[:, None]
        mass = round(float(piece.ink[left].sum()))
        if mass not in seen and 0 < mass and np.count_nonzero(piece.ink[left]) < inked:
            yield _part(piece, left), _part(piece, ~left)
        seen.add(mass)


def _paths(ink: np.ndarray, places: list[int], apart: int) -> np.ndarray:
    """Return (len(places), H): the path down `ink` (H, W) that crosses the least, for each column in `places`.

    It ends within half of `apart` of its column, strays from it by at most twice `apart`, and moves by at most a column a row
    (as in Avidan and Shamir, "Seam Carving", 2007); tall ink is looked at more coarsely.
    """
    step = -(-len(ink) // PATH_ROWS)
    small = ink[::step, ::step]
    reach, near = max(2 * apart // step, 1), max(apart // (2 * step), 1)
    padded = np.pad(small, ((0, 0), (reach, reach)))
    columns = np.array(places)[:, None] // step + np.arange(
        2 * reach + 1
    )  # (P, 2 reach + 1) of the padded ink
    cost = padded[:, columns]  # (H, P, 2 reach + 1)
    total, came = cost[0], []
    for row in cost[1:]:
        around = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        options = np.stack([around[:, 1:-1], around[:, :-2] + ASIDE, around[:, 2:] + ASIDE])
        best = options.argmin(axis=0)
        came.append(np.array([0, -1, 1])[best])
        total = row + options.min(axis=0)
    at = total[:, reach - near : reach + near + 1].argmin(axis=1) + reach - near
    path = [at]
    for moves in reversed(came):
        at = at + moves[np.arange(len(at)), at]
        path.append(at)
    across = (np.array(path[::-1]) + columns[:, 0] - reach) * step  # (H / step, P)
    return np.repeat(across, step, axis=0)[: len(ink)].T


def _part(piece: Piece, mask: np.ndarray) -> Piece:
    """Return the ink of `piece` under `mask`, cropped; there is some."""
    part = np.where(mask, piece.ink, 0)
    box = find_box(part > 0)
    assert box is not None
    x, y = piece.box[:2]
    left, top, right, bottom = box
    return Piece((left + x, top + y, right + x, bottom + y), part[top:bottom, left:right])
