"""Lines of writing -> a reading: what the line reader says of each, and of a mark that stands alone what the
classifier says."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from ink.piece import Piece, merge
from ink.rows import Layout, Line
from model import SYMBOLS
from recognizer.answer import Digit, Reading, Sign
from recognizer.judge import Guess, Judge, Steps
from recognizer.reader import DIGITS, OTHER, TEXTS, LineReading, Reader, Symbol

MANY, LEAST_READ = 8, 1 / 2  # groups, and the share of so many that must be digits; else those are chance
MOST_LINES = 40  # lines that are read; of more the first


def read_layout(layout: Layout, judge: Judge, reader: Reader, scale: float) -> Steps[Reading]:
    """Read lines of writing; `scale`: pixels of the upright picture a pixel of ink."""
    lines = layout.lines[:MOST_LINES]
    if not lines:
        return Reading("blank", "", ())
    readings: list[LineReading] = []
    for line in lines:
        readings.append((yield from reader.read(line, judge)))
    left_out = [*layout.rest, *(piece for reading in readings for piece in reading.rest)]
    if len(lines) == 1 and len(readings[0].symbols) <= 1:
        return (yield from _read_lone(lines[0], readings[0], left_out, judge, scale))
    rest = yield from judge.look(left_out)
    return _compose(readings, rest, judge, scale)


def whole_of(lines: list[Line]) -> Piece:
    """Return all of `lines` as one piece."""
    return merge([Piece(line.box, line.ink) for line in lines])


def digit_of(
    guess: Guess, judge: Judge, scale: float, accepted: bool, probs: np.ndarray | None = None
) -> Digit:
    """Return what is said of a piece as a digit; `probs` (classes,) in place of the classifier's."""
    said = guess.probs if probs is None else probs
    return Digit(
        judge.name(said),
        float(said.max()),
        tuple(said.tolist()),
        box_of(guess.piece, scale),
        guess.frame,
        accepted,
        guess.corrected,
    )


def box_of(piece: Piece, scale: float) -> tuple[int, int, int, int]:
    """Return left, top, width, height of a piece in pixels of the upright picture."""
    left, top, right, bottom = (round(side * scale) for side in piece.box)
    return left, top, right - left, bottom - top


def _read_lone(
    line: Line, reading: LineReading, left_out: list[Piece], judge: Judge, scale: float
) -> Steps[Reading]:
    """Read a line of one symbol at most: the classifier says which digit, and line reader and classifier
    whether it is one."""
    rest = [piece for piece in left_out if piece not in reading.rest]
    looked = yield from judge.look([whole_of([line]), *rest])
    (guess,) = yield from judge.look_again(looked[:1])
    others = tuple(digit_of(other, judge, scale, False) for other in looked[1:])
    symbol = reading.symbols[0].kind if reading.symbols else OTHER
    accepted = judge.accepts(guess, False)
    digit = digit_of(guess, judge, scale, accepted)
    if accepted:
        ranked = np.argsort(-guess.probs)[:TEXTS]
        texts = tuple((judge.checkpoint.classes[n], float(guess.probs[n])) for n in ranked)
        return Reading("ok", digit.digit, (digit, *others), (), texts)
    if DIGITS <= symbol < OTHER:
        return Reading(
            "not_a_digit", "", others, (Sign(SYMBOLS[symbol], reading.symbols[0].probability, digit.box),)
        )
    return Reading("not_a_digit", "", (digit, *others))


def _compose(readings: list[LineReading], rest: list[Guess], judge: Judge, scale: float) -> Reading:
    """Return what lines say together."""
    groups: list[Digit] = []
    signs: list[Sign] = []
    texts: list[str] = []
    corrected = False
    for reading in readings:
        text = ""
        for symbol in reading.symbols:
            known = symbol.guess is not None and symbol.guess.corrected
            corrected |= known
            text += _add_symbol(symbol, known, groups, signs, judge, scale)
        texts.append(text)
    others = [digit_of(guess, judge, scale, guess.corrected) for guess in rest]
    accepted = [group for group in groups if group.accepted]
    chance = len(groups) >= MANY and len(accepted) < LEAST_READ * len(groups)
    bars = len(accepted) < len(groups) and all(
        group.digit == "1" for group in accepted
    )  # of what is no digit
    if not accepted or (chance or bars) and not corrected:
        refused = tuple(replace(group, accepted=False) for group in (*groups, *others))
        return Reading("not_a_digit", "", refused, tuple(signs))
    kept = [text for text in texts if text]
    told = _alternatives([reading for reading, text in zip(readings, texts) if text], kept)
    return Reading("ok", "\n".join(kept), (*groups, *others), tuple(signs), told)


def _add_symbol(
    symbol: Symbol, known: bool, groups: list[Digit], signs: list[Sign], judge: Judge, scale: float
) -> str:
    """Put a symbol among `groups` or `signs`, and return what it says; `known`: the user has said which digit it is."""
    if symbol.guess is not None and (known or symbol.kind < DIGITS or symbol.kind == OTHER):
        probs = symbol.guess.probs if known or symbol.probs is None else symbol.probs
        groups.append(digit_of(symbol.guess, judge, scale, known or symbol.kind < DIGITS, probs))
        return groups[-1].digit if groups[-1].accepted else "?"
    signs.append(Sign(SYMBOLS[symbol.kind], symbol.probability, box_of(symbol.piece, scale)))
    return SYMBOLS[symbol.kind]


def _alternatives(readings: list[LineReading], texts: list[str]) -> tuple[tuple[str, float], ...]:
    """Return the likeliest texts of all lines together, with their probabilities; `texts` is the first."""
    ways = [
        [(text, reading.texts[0][1]), *(each for each in reading.texts[1:] if each[0] != text)]
        for text, reading in zip(texts, readings)
    ]
    joined = [("", 1.0)]
    for place, each in enumerate(ways):
        both = [(a + "\n" * bool(place) + b, p * q) for (a, p), (b, q) in itertools.product(joined, each)]
        joined = sorted(both, key=lambda pair: -pair[1])[:TEXTS]
    return tuple(joined)
