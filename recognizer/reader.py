"""A line of ink -> the texts it may say, each symbol with its ink; the digit classifier has a say in each digit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax

from base.networks import answer
from ink import BLANK, SYMBOLS
from ink.piece import Piece
from ink.rows import Line
from ink.shares import share_out
from ink.strip import Strip, make_strip
from recognizer.decoding import Allowed, Text, align, score, search
from recognizer.forms import is_usual
from recognizer.judge import Guess, Judge, Steps

DIGITS = 10  # of SYMBOLS, the first ones
OTHER = SYMBOLS.index("?")
FLAT_SIGNS = frozenset("-=.,:")  # marks that may lie under or over nothing
TEXTS = 5  # likeliest texts that are told
FOLLOWED = 12  # likeliest texts that are compared
LEAST_EXPECTED = 1e-3  # probability of all expected texts together, below which none of them was written
LEAST_POOLED = 1e-3  # the classifier's probabilities count as at least this: a piece may be cut wrongly
UNLIKELY = 4.0  # nats below the likeliest, from which the classifier is not asked about a text


Found = list[tuple[Text, float]]
Weights = tuple[float, float, float, float]
# of a text: where each symbol was read, in columns (K, 2) of what the network says, its ink, and marks that are none's
Shared = tuple[np.ndarray, list[Piece | None], list[Piece]]
Explained = tuple[list[Text], list[Shared], list[dict[int, Guess]]]


@dataclass(frozen=True)
class Symbol:
    """One symbol of a line: its class among SYMBOLS, its ink, and for a digit or another mark what the
    classifier says of it.

    `probs`: of a digit, what line reader and classifier say together. `belief`: how surely it is any digit, by the
    line reader alone.
    """

    kind: int
    piece: Piece
    probability: float
    guess: Guess | None = None
    probs: np.ndarray | None = None
    belief: float = 0.0


@dataclass(frozen=True)
class LineReading:
    """What a line says: its symbols from left to right, marks that are none, and its likeliest texts with
    probabilities.

    Together symbols and `rest` hold all ink of the line. `digit`: how likely the line is one digit and nothing else,
    by the line reader alone.
    """

    symbols: list[Symbol]
    rest: list[Piece]
    texts: list[tuple[str, float]]
    digit: float = 0.0


@dataclass(frozen=True)
class Reader:
    """A line reader's network, and how much the classifier weighs beside it."""

    network: Any
    temperature: float
    weights: Weights  # of what `support` returns
    form: float = 0.0  # nats that a usual form of numbers is worth

    def logs(self, strip: Strip) -> np.ndarray:
        """Return log-probabilities (T, classes) of the columns of a strip."""
        (logs,) = answer(self.network, strip.pixels[None, None])
        return log_softmax(logs / np.float32(self.temperature), axis=1)

    def read(self, line: Line, judge: Judge, allowed: Allowed | None = None) -> Steps[LineReading]:
        """Return what a line says; its digits' frames are yielded to be classified.

        Where nothing that is `allowed` is likely at all, all its ink is in `rest`.
        """
        strip = make_strip(line.ink)
        logs = self.logs(strip)
        found = search(logs, FOLLOWED, allowed)
        told = float(np.exp(min(np.logaddexp.reduce([log for _, log in found]), 0.0))) if found else 0.0
        if not found or allowed is not None and told < LEAST_EXPECTED:
            return LineReading([], [line.piece], [])
        digit = sum(float(np.exp(log)) for text, log in found if len(text) == 1 and text[0] < DIGITS)
        if allowed is None:
            found = sorted(self.with_forms(found), key=lambda each: -each[1])
        likely = [text for text, log in found[:TEXTS] if log >= found[0][1] - UNLIKELY and text]
        asked, shared, guesses = yield from self.explain(line, strip, logs, likely, judge)
        own = {text: (pieces, guessed) for text, pieces, guessed in zip(asked, shared, guesses)}
        scores = dict(found)
        if new := [text for text in asked if text not in scores]:
            scores |= self.with_forms(zip(new, score(logs, new).tolist()))
        known = {text: scores[text] for text in asked}
        if not known:
            return LineReading([], [line.piece], [])
        added = [float(np.dot(self.weights, support(text, own[text][1]))) for text in known]
        pooled = [log + more for log, more in zip(known.values(), added)]
        # the other texts are told, but never above those that the classifier was asked about
        least, others = max(pooled) + min(added), [each for each in found if each[0] not in known]
        known |= dict(others)
        pooled += [min(log, least) for _, log in others]
        reading = _reading(logs, list(known), pooled, own, self.weights, told if allowed is None else 1.0)
        return replace(reading, digit=min(digit, 1.0))

    def with_forms(self, found: Iterable[tuple[Text, float]]) -> Found:
        """Return texts and their log-probabilities, with what their form is worth added."""
        return [(text, log + self.form * is_usual(spell(text))) for text, log in found]

    def explain(
        self, line: Line, strip: Strip, logs: np.ndarray, texts: list[Text], judge: Judge
    ) -> Steps[Explained]:
        """Return those of `texts` for which there is room, for each the ink of its symbols, and what the classifier says
        of its digits and other marks, by place; each ink is asked about once. Then the same with the classifier's digits.
        """
        asked, shared = [], []
        for text in texts:
            try:
                spans = align(logs, text)
            except ValueError:
                continue
            asked.append(text)
            upright = np.array([SYMBOLS[k] not in FLAT_SIGNS for k in text])
            shared.append((spans, *share_out(line, _columns(spans, strip), upright)))
        pieces: dict[tuple[Any, ...], Piece] = {}
        for text, (_, own, _) in zip(asked, shared):
            for k, piece in zip(text, own):
                if piece is not None and (k < DIGITS or k == OTHER):
                    pieces.setdefault(_key(piece), piece)
        said = dict(zip(pieces, (yield from judge.look(list(pieces.values())))))
        guesses = [
            {n: said[_key(piece)] for n, piece in enumerate(own) if piece is not None and _key(piece) in said}
            for _, own, _ in shared
        ]
        for text, ink, guessed in list(zip(asked, shared, guesses)):
            if (other := preferred(text, guessed)) not in asked:
                asked.append(other)
                shared.append(ink)
                guesses.append(guessed)
        return asked, shared, guesses


def _key(piece: Piece) -> tuple[Any, ...]:
    return (*piece.box, float(piece.ink.sum()))


def _columns(spans: np.ndarray, strip: Strip) -> np.ndarray:
    """Return the columns of the ink (K, 2) at which spans of a strip's features (K, 2) begin and end."""
    per = strip.pixels.shape[1] // max(1, strip.pixels.shape[1] // 2)
    last = len(strip.columns) - 1
    return strip.columns[np.clip(spans * per + np.array([0, per - 1]), 0, last)]


def spell(text: Text) -> str:
    """Return the symbols of `text`."""
    return "".join(SYMBOLS[k] for k in text)


def preferred(text: Text, guesses: dict[int, Guess]) -> Text:
    """Return `text` with the digits that the classifier likes best where they stand free."""
    return tuple(
        int(guesses[n].probs.argmax()) if k < DIGITS and n in guesses and not guesses[n].piece.cut else k
        for n, k in enumerate(text)
    )


def support(text: Text, guesses: dict[int, Guess]) -> np.ndarray:
    """Return what the classifier says for the digits of `text`, in nats (4,), 0 at most.

    Of digits that stand free, how surely they are one digit, whichever (the log of its largest probability), and how
    surely they are these (the log of their probability's ratio to that); then the same of digits that were cut off others.
    """
    total = np.zeros((2, 2))
    for place, k in enumerate(text):
        if k < DIGITS and place in guesses:
            guess = guesses[place]
            one, this = guess.confidence, max(float(guess.probs[k]), LEAST_POOLED)
            total[int(guess.piece.cut)] += math.log(one), math.log(this / one)
    return total.ravel()


def _reading(
    logs: np.ndarray,
    known: list[Text],
    scores: list[float],
    own: dict[Text, tuple[Shared, dict[int, Guess]]],
    weights: Weights,
    told: float,
) -> LineReading:
    """Return the reading of the `known` text with the best score; `told`: how likely one of them is what is written."""
    order = np.argsort([-each for each in scores])
    probabilities = told * softmax(scores)
    texts = [(spell(known[n]), float(probabilities[n])) for n in order[:TEXTS]]
    text = known[int(order[0])]
    (spans, pieces, rest), guesses = own[text]
    symbols = []
    for place, (k, piece) in enumerate(zip(text, pieces)):
        if piece is None:
            continue
        row, guess = logs[spans[place, 0] : spans[place, 1] + 1].max(axis=0), guesses.get(place)
        if k < DIGITS and guess is not None:
            weight = weights[3 if piece.cut else 1]
            pooled = row[:DIGITS] + weight * np.log(np.maximum(guess.probs, LEAST_POOLED))
            probs = np.exp(pooled - np.logaddexp.reduce(pooled))
            belief = float(np.exp(row[:DIGITS]).sum() / np.exp(row[:BLANK]).sum())
            symbols.append(Symbol(k, piece, float(probs[k]), guess, probs, min(belief, 1.0)))
        else:
            symbols.append(Symbol(k, piece, float(np.exp(row[k])), guess))
    return LineReading(symbols, rest, texts)
