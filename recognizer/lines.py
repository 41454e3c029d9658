"""Lines of writing -> a reading: what the line reader says of each, and of a mark that stands alone what the
classifier says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from itertools import islice

import numpy as np

from ink import SYMBOLS
from ink.piece import Piece, merge
from ink.rows import Layout, Line
from recognizer.answer import Digit, Reading, Sign
from recognizer.asking import certainty
from recognizer.decoding import Allowed
from recognizer.judge import Company, Guess, Judge, Steps
from recognizer.reader import DIGITS, OTHER, TEXTS, LineReading, Reader, Symbol

LEAST_READ = 1 / 2  # of the marks of a line that are no signs; where fewer are digits, those are chance
MANY = 8  # marks of a picture, of which as many must be digits
DIRT = ".,-:"  # behind a digit that stands alone: specks, shadows and strokes that went astray, no signs of a number
MOST_LINES = 40  # lines that are read; of more the first


def read_layout(
    layout: Layout, judge: Judge, reader: Reader, scale: float, expected: Allowed | None = None
) -> Steps[Reading]:
    """Read lines of writing, of which each says what is `expected` or is refused whole.

    `scale`: pixels of the upright picture a pixel of ink. Every part of the ink lies in a digit's box, a sign's, or in
    `rejected`.
    """
    lines, left_out = layout.lines[:MOST_LINES], list(layout.rest)
    readings: list[LineReading] = []
    for line in lines:
        readings.append((yield from reader.read(line, judge, expected)))
        left_out += readings[-1].rest
    left_out += [line.piece for line in layout.lines[MOST_LINES:]]
    if not lines and not left_out:
        return Reading("blank", "", ())
    if len(lines) == 1 and len(readings[0].symbols) <= 1 and expected is None:
        return (yield from _read_lone(lines[0], readings[0], left_out, judge, scale))
    rest = yield from judge.look(left_out)
    reading = _compose(readings, rest, judge, scale, expected is not None)
    if reading.status == "ok" or len(lines) > 1 or not lines:
        return reading
    looked = yield from judge.look([lines[0].piece])  # what is no number is one mark
    (whole,) = yield from judge.look_again(looked)
    others = [each for each in rest if not _is_among(each.piece, readings[0].rest)]
    found = tuple(digit_of(each, judge, scale, each.corrected) for each in (whole, *others))
    return Reading("ok", found[0].digit, found) if whole.corrected else Reading("not_a_digit", "", found)


def read_marks(layout: Layout, judge: Judge, scale: float) -> Steps[Reading]:
    """Read a layout mark by mark, for classes that no line reader knows: each mark that stands apart is one sign."""
    lines = [marks_apart(line) for line in layout.lines[:MOST_LINES]]
    marks = [mark for line in lines for mark in line]
    if not marks:
        return Reading("blank", "", ())
    seen = yield from judge.look_again((yield from judge.look(marks)))
    said = iter([digit_of(guess, judge, scale, judge.accepts(guess)) for guess in seen])
    rows = [list(islice(said, len(line))) for line in lines]
    found = [mark for row in rows for mark in row]
    if not _is_number(found):
        return Reading("not_a_digit", "", tuple(replace(mark, accepted=False) for mark in found))
    text = "\n".join("".join(mark.digit if mark.accepted else "?" for mark in row) for row in rows)
    return Reading("ok", text, tuple(found))


def marks_of(layout: Layout) -> list[Piece]:
    """Return a layout's ink as one piece, and then each of its marks that stand apart, if there are several."""
    marks = [mark for line in layout.lines for mark in marks_apart(line)] or layout.rest
    return [merge(marks), *(marks if len(marks) > 1 else [])] if marks else []


def marks_apart(line: Line) -> list[Piece]:
    """Return the marks of a line between which a column is free, from left to right."""
    inked = np.pad(line.ink.any(axis=0), 1).astype(np.int8)
    edges = np.flatnonzero(np.diff(inked)).reshape(-1, 2)
    pieces = []
    for first, last in edges.tolist():
        part = line.ink[:, first:last]
        rows = np.flatnonzero(part.any(axis=1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        x, y = line.box[:2]
        pieces.append(Piece((x + first, y + top, x + last, y + bottom), part[top:bottom]))
    return pieces


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
    outside = [piece for piece in left_out if not _is_among(piece, reading.rest)]
    whole, seen = (
        line.piece,
        [each.guess for each in reading.symbols if each.guess is not None],
    )
    known = [guess for guess in seen if _is_same(guess.piece, whole)]
    looked = yield from judge.look([*([] if known else [whole]), *left_out])
    guess = known[0] if known else looked.pop(0)
    if not guess.corrected and seen and certainty(seen[0].probs) > certainty(guess.probs):
        guess, outside = seen[0], left_out  # what else there is in the line is dirt
    (guess,) = yield from judge.look_again([guess])
    others = tuple(digit_of(each, judge, scale, False) for each in looked if _is_among(each.piece, outside))
    accepted = judge.accepts_with(guess, reading.digit, Company.ALONE)
    digit = digit_of(guess, judge, scale, accepted)
    if accepted:
        ranked = np.argsort(-guess.probs)[:TEXTS]
        texts = tuple((judge.checkpoint.classes[n], float(guess.probs[n])) for n in ranked)
        return Reading("ok", digit.digit, (digit, *others), (), texts)
    return Reading("not_a_digit", "", (digit, *others))


def _is_same(piece: Piece, other: Piece) -> bool:
    return piece.box == other.box and np.array_equal(piece.ink > 0, other.ink > 0)


def _is_among(piece: Piece, others: list[Piece]) -> bool:
    return any(piece is other for other in others)


def _compose(
    readings: list[LineReading], rest: list[Guess], judge: Judge, scale: float, expected: bool
) -> Reading:
    """Return what lines say together; `expected`: whether it is known that they are numbers."""
    found: list[Digit] = []
    signs: list[Sign] = []
    kept: list[tuple[LineReading, str]] = []
    for reading in readings:
        groups: list[Digit] = []
        text, company = "", company_of(reading)
        for symbol in reading.symbols:
            text += _add_symbol(symbol, company, groups, signs, judge, scale, expected)
        if _is_number(groups) and (expected or _is_likely(reading, groups, judge)):
            if len(groups) == 1:
                reading, text = _without_dirt(reading), text.rstrip(DIRT)
            kept.append((reading, text))
        else:
            groups = [replace(group, accepted=False) for group in groups]
        found += groups
    found += [digit_of(guess, judge, scale, bool(kept) and guess.corrected) for guess in rest]
    accepted = sum(group.accepted for group in found)
    chance = (
        len(found) >= MANY
        and accepted < LEAST_READ * len(found)
        and not any(each.corrected for each in found)
    )
    if not kept or chance:
        return Reading(
            "not_a_digit", "", tuple(replace(each, accepted=False) for each in found), tuple(signs)
        )
    text = "\n".join(text for _, text in kept)
    return Reading("ok", text, tuple(found), tuple(signs), _alternatives(kept))


def company_of(reading: LineReading) -> Company:
    """Return what a line's digits stand among."""
    if any(symbol.kind == OTHER for symbol in reading.symbols):
        return Company.OTHERS
    return Company.DIGITS if len(reading.symbols) > 1 else Company.ALONE


def _is_likely(reading: LineReading, groups: list[Digit], judge: Judge) -> bool:
    """Return whether a line's text is likely enough to be told, or the user has corrected a part of it."""
    known = any(group.corrected for group in groups)
    return known or reading.texts[0][1] >= judge.checkpoint.least_likely


def _without_dirt(reading: LineReading) -> LineReading:
    """Return the reading of one digit, of whose texts those that differ in dots and dashes behind it are one."""
    texts: dict[str, float] = {}
    for text, probability in reading.texts:
        texts[text.rstrip(DIRT)] = texts.get(text.rstrip(DIRT), 0.0) + probability
    return replace(reading, texts=sorted(texts.items(), key=lambda each: -each[1]))


def _is_number(groups: list[Digit]) -> bool:
    """Return whether a line's digits are a number, not chance: half of its marks at least, and not bars of the others."""
    if any(group.corrected for group in groups):
        return True
    accepted = [group for group in groups if group.accepted]
    bars = len(accepted) < len(groups) and all(group.digit == "1" for group in accepted)
    return len(accepted) > 0 and len(accepted) >= LEAST_READ * len(groups) and not bars


def _add_symbol(
    symbol: Symbol,
    company: Company,
    groups: list[Digit],
    signs: list[Sign],
    judge: Judge,
    scale: float,
    expected: bool,
) -> str:
    """Put a symbol among `groups` or `signs`, and return what it says; `expected`: it is known to be one of both."""
    known = symbol.guess is not None and symbol.guess.corrected
    if symbol.guess is not None and (known or symbol.kind < DIGITS or symbol.kind == OTHER):
        probs = symbol.guess.probs if known or symbol.probs is None else symbol.probs
        digit = symbol.kind < DIGITS and (
            expected or judge.accepts_with(symbol.guess, symbol.belief, company)
        )
        groups.append(digit_of(symbol.guess, judge, scale, known or digit, probs))
        return groups[-1].digit if groups[-1].accepted else "?"
    signs.append(Sign(SYMBOLS[symbol.kind], symbol.probability, box_of(symbol.piece, scale)))
    return SYMBOLS[symbol.kind]


def _alternatives(lines: list[tuple[LineReading, str]]) -> tuple[tuple[str, float], ...]:
    """Return the likeliest texts of lines together, with their probabilities; what each line says is its likeliest."""
    joined = [("", 1.0)]
    for place, (reading, text) in enumerate(lines):
        others = [each for each in reading.texts[1:] if each[0] != text]
        ways = itertools.product(joined, [(text, reading.texts[0][1]), *others])
        both = [(before + "\n" * bool(place) + each, p * q) for (before, p), (each, q) in ways]
        joined = sorted(both, key=lambda pair: -pair[1])[:TEXTS]
    return tuple(joined)
