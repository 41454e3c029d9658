"""Column-wise log-probabilities of a line -> its likeliest texts, and where each symbol of a text stands
(CTC; Graves et al., 2006).

Everywhere: `logs` float32 (T, classes), the last class the blank that stands between symbols; a text is a
tuple of classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Text = tuple[int, ...]
Allowed = Callable[
    [Text], tuple[frozenset[int], bool]
]  # of what has been read: what may follow, and whether it may end here

BEAM = 12  # texts that are followed at once
LEAST = (
    -9.0
)  # nats; log-probability below which a class is not followed in a column, unless nothing else is allowed


def search(logs: np.ndarray, count: int = 5, allowed: Allowed | None = None) -> list[tuple[Text, float]]:
    """Return the likeliest texts with the log-probability of each, at most `count`, likeliest first (prefix
    beam search; Hannun et al., 2014).

    `allowed` restricts them; [] if nothing it allows is at all likely.
    """
    least = LEAST if allowed is None else 3 * LEAST
    beams: dict[Text, tuple[float, float]] = {
        (): (0.0, -math.inf)
    }  # log-probability ending in a blank, in a symbol
    for *row, none in logs.tolist():
        said = [(symbol, log) for symbol, log in enumerate(row) if log > least]
        grown: dict[Text, tuple[float, float]] = {}
        for text, (ends_blank, ends_symbol) in beams.items():
            both = _add(ends_blank, ends_symbol)
            stays = ends_symbol + row[text[-1]] if text else -math.inf
            old = grown.get(text)
            grown[text] = both + none, stays if old is None else _add(old[1], stays)
            may = allowed(text)[0] if said and allowed is not None else None
            for symbol, log in said:
                if may is not None and symbol not in may:
                    continue
                before = (ends_blank if text and text[-1] == symbol else both) + log
                longer = (*text, symbol)
                other = grown.get(longer)
                grown[longer] = (-math.inf, before) if other is None else (other[0], _add(other[1], before))
        if len(grown) > BEAM:
            best = sorted(grown.items(), key=lambda item: -max(item[1]))[:BEAM]
            beams = dict(best)
        else:
            beams = grown
    ended = [(text, _add(*logs_)) for text, logs_ in beams.items() if allowed is None or allowed(text)[1]]
    return sorted(ended, key=lambda item: -item[1])[:count]


def score(logs: np.ndarray, texts: Sequence[Text]) -> np.ndarray:
    """Return the log-probability (N,) of each of N texts over all its paths."""
    found = [_states(logs, text) for text in texts]
    counts = np.array([len(states) for states, _ in found])
    states = np.full((len(texts), max(int(counts.max()), 2)), logs.shape[1] - 1)
    closed = np.full(states.shape, -np.inf)  # 0 where a state may be reached past the blank before it
    for row, way, (own, may_skip) in zip(states, closed, found):
        row[: len(own)] = own
        way[: len(own)][may_skip] = 0
    emitted = logs[:, states].astype(np.float64)  # (T, N, states)
    now = np.full(states.shape, -np.inf)
    now[:, :2] = emitted[0, :, :2]
    now[counts < 2, 1] = -np.inf
    for row in emitted[1:]:
        ways = now.copy()
        ways[:, 1:] = np.logaddexp(ways[:, 1:], now[:, :-1])
        ways[:, 2:] = np.logaddexp(ways[:, 2:], now[:, :-2] + closed[:, 2:])
        now = ways + row
    rows = np.arange(len(texts))
    before = np.where(counts > 1, now[rows, np.maximum(counts - 2, 0)], -np.inf)
    return np.logaddexp(now[rows, counts - 1], before)


def align(logs: np.ndarray, text: Text) -> np.ndarray:
    """Return the first and last column, int (len(text), 2), of each symbol on the likeliest path of `text` (Viterbi).

    Raises ValueError where the line is too short for the text.
    """
    if not text:
        return np.zeros((0, 2), int)
    states, may_skip = _states(logs, text)
    emitted = logs[:, states].astype(np.float64)
    steps, places = np.zeros(emitted.shape, np.int8), np.arange(len(states))
    now = np.full(len(states), -np.inf)
    now[:2] = emitted[0, :2]
    ways = np.full((3, len(states)), -np.inf)
    for time in range(1, len(emitted)):
        ways[0], ways[1, 1:] = now, now[:-1]
        ways[2, 2:] = np.where(may_skip[2:], now[:-2], -np.inf)
        steps[time] = ways.argmax(axis=0)
        now = ways[steps[time], places] + emitted[time]
    state = len(states) - 1 if now[-1] >= now[-2] else len(states) - 2
    if not np.isfinite(now[state]):
        raise ValueError("the line is too short for the text")
    spans = np.full((len(text), 2), -1)
    for time in range(len(emitted) - 1, -1, -1):
        if state % 2:
            symbol = state // 2
            spans[symbol, 0] = time
            spans[symbol, 1] = max(spans[symbol, 1], time)
        state -= int(steps[time, state])
    return spans


def _states(logs: np.ndarray, text: Text) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each state, a blank around each symbol, and which may be reached past the blank before it."""
    blank = logs.shape[1] - 1
    states = np.full(2 * len(text) + 1, blank)
    states[1::2] = text
    may_skip = np.zeros(len(states), bool)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    return states, may_skip


def _add(a: float, b: float) -> float:
    """Return the logarithm of the sum of two numbers given by their logarithms."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
