"""A line of ink -> the texts it may say, each symbol with its ink; the digit classifier has a say in each digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ink.piece import Piece
from ink.rows import Line
from ink.shares import share_out
from ink.strip import Strip, make_strip
from line_reader import SYMBOLS
from recognizer.decoding import Allowed, Text, align, search
from recognizer.judge import LEAST_PROBABILITY, Guess, Judge, Steps

DIGITS = 10  # of SYMBOLS, the first ones
OTHER = SYMBOLS.index("?")
FLAT_SIGNS = frozenset("-=.,:")  # marks that may lie under or over nothing
TEXTS = 5  # likeliest texts that are told
UNLIKELY = 4.0  # nats below the likeliest, from which the classifier is not asked about a text


@dataclass(frozen=True)
class Symbol:
    """One symbol of a line: its class among SYMBOLS, its ink, and for a digit or another mark what the classifier says of it.

    `probs`: of a digit, what line reader and classifier say together.
    """

    kind: int
    piece: Piece
    probability: float
    guess: Guess | None = None
    probs: np.ndarray | None = None


@dataclass(frozen=True)
class LineReading:
    """What a line says: its symbols from left to right, marks that are none, and its likeliest texts with probabilities."""

    symbols: list[Symbol]
    rest: list[Piece]
    texts: list[tuple[str, float]]


@dataclass(frozen=True)
class Reader:
    """A line reader's network, and how much the classifier weighs beside it."""

    network: Any
    temperature: float
    weight: float

    def logs(self, strip: Strip) -> np.ndarray:
        """Return log-probabilities (T, classes) of a strip's columns."""
        with torch.inference_mode():
            pixels = torch.from_numpy(strip.pixels)[None, None].contiguous(memory_format=torch.channels_last)
            logs = self.network(pixels)[0]
            return (logs / self.temperature).log_softmax(1).numpy()

    def read(self, line: Line, judge: Judge, allowed: Allowed | None = None) -> Steps[LineReading]:
        """Return what a line says; its digits' frames are yielded to be classified."""
        strip = make_strip(line.ink)
        logs = self.logs(strip)
        found = search(logs, TEXTS, allowed)
        likely = [(text, log) for text, log in found if log >= found[0][1] - UNLIKELY and text]
        shared = [share_out(line, _columns(align(logs, text), strip), np.array([SYMBOLS[k] not in FLAT_SIGNS for k in text])) for text, _ in likely]
        guesses = yield from self._ask(likely, shared, judge)
        scores = [log + self.weight * _support(text, own) for (text, log), own in zip(likely, guesses)]
        scores += [log + self.weight * min(_support(*pair) for pair in zip((t for t, _ in likely), guesses)) for text, log in found[len(likely):]] if likely else [log for _, log in found]
        return _reading(logs, found, scores, shared, guesses, self.weight)

    def _ask(self, texts: list[tuple[Text, float]], shared: list[tuple[list[Piece | None], list[Piece]]], judge: Judge) -> Steps[list[dict[int, Guess]]]:
        """Return for each text what the classifier says of its digits and other marks, by place; each ink is asked about once."""
        pieces: dict[tuple[Any, ...], Piece] = {}
        for (text, _), (own, _) in zip(texts, shared):
            for k, piece in zip(text, own):
                if piece is not None and (k < DIGITS or k == OTHER):
                    pieces.setdefault(_key(piece), piece)
        guesses = dict(zip(pieces, (yield from judge.look(list(pieces.values())))))
        return [
            {place: guesses[_key(piece)] for place, piece in enumerate(own) if piece is not None and _key(piece) in guesses}
            for own, _ in shared
        ]


def _key(piece: Piece) -> tuple[Any, ...]:
    return (*piece.box, float(piece.ink.sum()))


def _columns(spans: np.ndarray, strip: Strip) -> np.ndarray:
    """Return the columns of the ink (K, 2) at which spans of a strip's features (K, 2) begin and end."""
    per = strip.pixels.shape[1] // max(1, strip.pixels.shape[1] // 2)
    last = len(strip.columns) - 1
    return strip.columns[np.clip(spans * per + np.array([0, per - 1]), 0, last)]


def _support(text: Text, guesses: dict[int, Guess]) -> float:
    """Return the log-probability that the classifier gives the digits of `text`."""
    return float(sum(np.log(max(float(guesses[place].probs[k]), LEAST_PROBABILITY)) for place, k in enumerate(text) if k < DIGITS and place in guesses))


def _reading(
    logs: np.ndarray,
    found: list[tuple[Text, float]],
    scores: list[float],
    shared: list[tuple[list[Piece | None], list[Piece]]],
    guesses: list[dict[int, Guess]],
    weight: float,
) -> LineReading:
    """Return the reading of the text with the best score."""
    order = np.argsort([-score for score in scores])
    probabilities = np.exp(np.array(scores) - max(scores))
    probabilities = probabilities / probabilities.sum() * min(1.0, float(np.exp(np.logaddexp.reduce([log for _, log in found]))))
    texts = [("".join(SYMBOLS[k] for k in found[n][0]), float(probabilities[n])) for n in order]
    best = int(order[0])
    if best >= len(shared):
        return LineReading([], [], texts)
    text, (pieces, rest), own = found[best][0], shared[best], guesses[best]
    spans = align(logs, text)
    symbols = []
    for place, (k, piece) in enumerate(zip(text, pieces)):
        if piece is None:
            continue
        row = logs[spans[place, 0] : spans[place, 1] + 1].max(axis=0)
        guess = own.get(place)
        if k < DIGITS and guess is not None:
            pooled = row[:DIGITS] + weight * np.log(np.maximum(guess.probs, LEAST_PROBABILITY))
            probs = np.exp(pooled - np.logaddexp.reduce(pooled))
            symbols.append(Symbol(k, piece, float(probs[k]), guess, probs))
        else:
            symbols.append(Symbol(k, piece, float(np.exp(row[k])), guess))
    return LineReading(symbols, rest, texts)
