"""Which ink of a line is whose: each connected part goes to one symbol, or is cut between those that touch in it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ink.measures import Box, find_box
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
    inked = np.flatnonzero(parts)  # the pixels that the rest is about, a small part of all
    columns, values, labels = inked % ink.shape[1], ink.ravel()[inked], parts.ravel()[inked]
    there = np.bincount(labels) > 0
    part_of = (np.cumsum(there) - 1)[labels]  # 0, 1, ...
    label_of = np.flatnonzero(there)
    count, symbols = len(label_of), len(spans)
    edges = _edges(np.bincount(columns, values, ink.shape[1]), spans)
    interval = np.searchsorted(edges, columns + 0.5)
    mass = np.bincount(part_of * symbols + interval, values, count * symbols).reshape(count, symbols)
    shares = mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-9)
    places = [place for place in ndimage.find_objects(parts) if place is not None]
    boxes: list[Box] = [(x.start, y.start, x.stop, y.stop) for y, x in places]
    main = _place_apart(_main_parts(mass, shares), mass, boxes, spans)
    to = np.full(count, -1)  # the symbol that each part goes to whole
    rest, touching = [], []
    for n in range(count):
        owners = [k for k in range(symbols) if main[k] == n]
        best = owners[0] if owners else int(shares[n].argmax())
        if _is_rule(boxes, n, main, best, bool(upright[best])) or (
            not owners and shares[n].max() < MINE and _is_flat(boxes[n])
        ):
            rest.append(_piece(ink[places[n]], parts[places[n]] == label_of[n], _moved(line.box, places[n])))
        elif len(owners) < 2:
            to[n] = best
        else:
            touching.append((n, owners))
    owner = np.full(ink.shape, -1)
    owner.ravel()[inked] = to[part_of]
    for n, owners in touching:
        mine = parts == label_of[n]
        owner[mine] = _cut(ink, mine, owners, spans, edges)[mine]
    found = np.bincount(owner[owner >= 0], minlength=symbols)
    for k in np.flatnonzero(found == 0).tolist():
        _cut_from_neighbour(ink, owner, k, spans)
    owns = owner.ravel()[inked]
    whose = np.bincount((part_of * symbols + owns)[owns >= 0], minlength=count * symbols)
    has = whose.reshape(count, symbols) > 0  # which symbols have ink of each part
    shared = (has & (has.sum(axis=1, keepdims=True) > 1)).any(axis=0)
    pieces: list[Piece | None] = [None] * symbols
    for k, place in enumerate(ndimage.find_objects(owner + 1, symbols)):
        if place is not None:
            pieces[k] = _piece(ink[place], owner[place] == k, _moved(line.box, place), bool(shared[k]))
    return pieces, rest


def _edges(profile: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Return the columns (K - 1,) between symbols, from the ink in each column (W,): where there is least from the end of
    one to the start of the next. A symbol may have been read a little beside its ink, so there is ink between two edges,
    if there is enough.
    """
    before = np.cumsum(profile)  # ink up to each column, itself included
    last = len(profile) - 1
    edges: list[float] = []
    done = 0.0  # ink of the symbols so far
    for (_, end), (start, _) in zip(spans[:-1], spans[1:]):
        low, high = int(np.clip(end, 0, last)), int(np.clip(start, 0, last))
        first, final = np.searchsorted(
            before, [done + 1, before[-1] - 1]
        )  # a pixel of full ink on either side
        low, high = max(low, int(first)), max(high, int(first))
        if final >= low:
            high = min(high, int(final))
        part = profile[low : max(high, low) + 1]
        least = np.flatnonzero(part <= part.min() + 1e-6) if len(part) else np.array([0])
        middle = (end + start) / 2 - low
        edges.append(low + float(least[np.abs(least - middle).argmin()]) + 0.5)
        done = float(before[min(int(edges[-1]), last)])
    return np.array(edges)


def _main_parts(mass: np.ndarray, shares: np.ndarray) -> list[int]:
    """Return the part (of N) that each of K symbols mostly is, -1 for none, from (N, K) ink of parts among
    symbols' columns."""
    main = []
    for k in range(mass.shape[1]):
        weight = np.where(shares[:, k] >= MINE, mass[:, k] + mass.max(), mass[:, k])
        main.append(int(weight.argmax()) if mass[:, k].max() > 0 else -1)
    return main


def _place_apart(main: list[int], mass: np.ndarray, boxes: list[Box], spans: np.ndarray) -> list[int]:
    """Return `main` (K) where of several symbols in one part those that were read in the columns of a part of nobody's
    are that one: two that overlap, but do not touch."""
    for k in sorted(range(len(main)), key=lambda k: mass[main[k], k] if main[k] >= 0 else 0.0):
        if main[k] >= 0 and main.count(main[k]) == 1:
            continue
        middle = float(spans[k].mean())
        free = [n for n, box in enumerate(boxes) if n not in main and box[0] <= middle < box[2]]
        if free:
            main[k] = max(free, key=lambda n: float(mass[n].sum()))
    return main


def _cut_from_neighbour(ink: np.ndarray, owner: np.ndarray, k: int, spans: np.ndarray) -> None:
    """Give symbol `k`, which has no ink, some of that neighbour's whose ink reaches further to its side than to the
    other; `owner` (H, W) is changed."""
    best, most = -1, 0.0
    for j in (k - 1, k + 1):
        columns = np.flatnonzero((owner == j).any(axis=0)) if 0 <= j < len(spans) else np.array([], int)
        if len(columns):
            middle = float(spans[j].mean())
            toward, away = middle - columns[0], columns[-1] - middle
            if j < k:
                toward, away = away, toward
            if toward - away > most:
                best, most = j, toward - away
    if best < 0:
        return
    columns = np.flatnonzero((owner == best).any(axis=0))
    seen = spans.astype(float).copy()
    seen[k] = columns[0] if best > k else columns[-1]
    order = sorted((k, best))
    edges = (seen[:-1].mean(axis=1) + seen[1:].mean(axis=1)) / 2 + 0.5
    mine = owner == best
    owner[mine] = _cut(ink, mine, order, seen, edges)[mine]


def _is_flat(box: Box) -> bool:
    return box[2] - box[0] >= FLAT * (box[3] - box[1])


def _is_rule(boxes: list[Box], part: int, main: list[int], symbol: int, upright: bool) -> bool:
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
        low = max(min(low, ink.shape[1] - 2), 0)
        high = min(max(high, low + 1), ink.shape[1] - 1)
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


def _moved(box: Box, place: tuple[slice, slice]) -> Box:
    """Return the box of the rows and columns `place` of what lies in `box`."""
    rows, columns = place
    x, y = box[:2]
    return x + columns.start, y + rows.start, x + columns.stop, y + rows.stop


def _piece(ink: np.ndarray, mine: np.ndarray, box: Box, cut: bool = False) -> Piece:
    """Return the part `mine` of `ink` as a piece; `box`: where they lie."""
    left, top, right, bottom = find_box(mine) or (0, 0, 0, 0)
    part = np.where(mine, ink, 0)[top:bottom, left:right]
    return Piece(_moved(box, (slice(top, bottom), slice(left, right))), part, cut)
