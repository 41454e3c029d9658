"""Which ink of a line is whose: each connected part goes to one symbol, or is cut between those that touch in it."""

from __future__ import annotations

import numpy as np

from ink.measures import find_box
from ink.piece import Piece
from ink.rows import Line

MINE = 0.5  # of a part's ink; with so much of it among a symbol's columns a part is that symbol's before others are
FLAT = 5  # width over height of an underline, at least
ASIDE = 0.01  # of full ink a pixel; what a cut pays for straying from the middle between two symbols


def share_out(line: Line, spans: np.ndarray, upright: np.ndarray) -> tuple[list[Piece | None], list[Piece]]:
    """Return the ink of each symbol of a line, and the marks that are none's.

    `spans` (K, 2): first and last column, in pixels of `line.ink`, where each symbol was read, left to right.
    `upright` (K,): which symbols are no flat mark, so that a line under or over them is not theirs. A symbol
    without ink is None.
    """
    ink, parts = line.ink, line.parts
    numbers, part_of = np.unique(parts, return_inverse=True)
    part_of = part_of.reshape(parts.shape) - 1  # 0, 1, ...; -1 is paper
    if numbers[0] != 0:
        part_of += 1
    count, symbols = int(part_of.max()) + 1, len(spans)
    edges = _edges(ink, spans)
    interval = np.searchsorted(edges, np.arange(ink.shape[1]) + 0.5)
    inked = part_of >= 0
    where = part_of[inked] * symbols + np.broadcast_to(interval, ink.shape)[inked]
    mass = np.bincount(where, ink[inked], count * symbols).reshape(count, symbols)
    shares = mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-9)
    boxes = [find_box(part_of == n) or (0, 0, 0, 0) for n in range(count)]
    main = _main_parts(mass, shares)
    owner = np.full(ink.shape, -1)
    rest = []
    for n in range(count):
        mine = part_of == n
        owners = [k for k in range(symbols) if main[k] == n]
        best = owners[0] if owners else int(shares[n].argmax())
        if _is_rule(boxes, n, main, best, bool(upright[best])) or (
            not owners and shares[n].max() < MINE and _is_flat(boxes[n])
        ):
            rest.append(_piece(ink, mine, line.box))
        elif len(owners) < 2:
            owner[mine] = best
        else:
            owner[mine] = _cut(ink, mine, owners, spans, edges)[mine]
    pieces = [_piece(ink, owner == k, line.box) if (owner == k).any() else None for k in range(symbols)]
    return pieces, rest


def _edges(ink: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Return the columns (K - 1,) between symbols: where there is least ink from the end of one to the start
    of the next."""
    profile, edges = ink.sum(axis=0), []
    for (_, end), (start, _) in zip(spans[:-1], spans[1:]):
        low, high = int(max(end, 0)), int(min(start, len(profile) - 1))
        part = profile[low : max(high, low) + 1]
        least = np.flatnonzero(part <= part.min() + 1e-6) if len(part) else np.array([0])
        middle = (end + start) / 2 - low
        edges.append(low + float(least[np.abs(least - middle).argmin()]) + 0.5)
    return np.array(edges)


def _main_parts(mass: np.ndarray, shares: np.ndarray) -> list[int]:
    """Return the part (of N) that each of K symbols mostly is, -1 for none, from (N, K) ink of parts among
    symbols' columns."""
    main = []
    for k in range(mass.shape[1]):
        weight = np.where(shares[:, k] >= MINE, mass[:, k] + mass.max(), mass[:, k])
        main.append(int(weight.argmax()) if mass[:, k].max() > 0 else -1)
    return main


def _is_flat(box: tuple[int, int, int, int]) -> bool:
    return box[2] - box[0] >= FLAT * (box[3] - box[1])


def _is_rule(
    boxes: list[tuple[int, int, int, int]], part: int, main: list[int], symbol: int, upright: bool
) -> bool:
    """Say whether a part is a line under or over the symbol it would go to."""
    if not upright or main[symbol] in (part, -1) or not _is_flat(boxes[part]):
        return False
    left, top, right, bottom = boxes[main[symbol]]
    return (boxes[part][1] >= bottom or boxes[part][3] <= top) and boxes[part][2] - boxes[part][
        0
    ] >= right - left


def _cut(
    ink: np.ndarray, mine: np.ndarray, owners: list[int], spans: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Return for each pixel which of `owners` it goes to, in a part that several share: cut along the seams
    with least ink."""
    to = np.full(ink.shape, owners[0])
    columns = np.arange(ink.shape[1])
    for before, after in zip(owners[:-1], owners[1:]):
        low, high = (int(round(float(spans[k].mean()))) for k in (before, after))
        low, high = max(min(low, ink.shape[1] - 2), 0), min(max(high, low + 1), ink.shape[1] - 1)
        middle = float(edges[after - 1]) - 0.5
        seam = low + _seam(
            np.where(mine, ink, 0)[:, low : high + 1] + ASIDE * np.abs(columns[low : high + 1] - middle)
        )
        to[columns[None, :] > seam[:, None]] = after
    return to


def _seam(cost: np.ndarray) -> np.ndarray:
    """Return the column in each row of the cheapest way from top to bottom through `cost` (H, W), a column
    aside a row at most."""
    total, steps = cost[0].astype(np.float64), np.zeros(cost.shape, np.int8)
    padded = np.full(cost.shape[1] + 2, np.inf)
    for row in range(1, len(cost)):
        padded[1:-1] = total
        ways = np.stack([padded[1:-1], padded[:-2], padded[2:]])
        steps[row] = ways.argmin(axis=0)
        total = ways.min(axis=0) + cost[row]
    seam = np.zeros(len(cost), int)
    seam[-1] = int(total.argmin())
    for row in range(len(cost) - 1, 0, -1):
        seam[row - 1] = seam[row] + (0, -1, 1)[steps[row, seam[row]]]
    return seam


def _piece(ink: np.ndarray, mine: np.ndarray, box: tuple[int, int, int, int]) -> Piece:
    """Return the part `mine` of a line's ink as a piece; `box`: the line's."""
    left, top, right, bottom = find_box(mine) or (0, 0, 0, 0)
    x, y = box[:2]
    return Piece((left + x, top + y, right + x, bottom + y), np.where(mine, ink, 0)[top:bottom, left:right])
