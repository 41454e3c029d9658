"""Lines of writing with known text, for the line reader: digits of many hands, with signs, letters and figures.

Any mark that is no digit and no sign is "?", and a run of such marks is one "?".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ink.rows import find_rows
from ink.strip import make_strip
from model import SYMBOLS
from training.hands.glyphs import Glyph, Glyphs, Layout, corners_of
from training.pictures.marks import (
    Cell,
    Mark,
    Pen,
    arrange,
    bent,
    draw_mark,
    paste_mark,
    pen_radius,
    sort_by_pen,
)
from training.pictures.signs import draw_sign
from training.pictures.texts import Rng, merge_others, random_text
from training.pictures.wear import littered, worn

T = TypeVar("T")

SIGNS = tuple(symbol for symbol in SYMBOLS if symbol not in "0123456789?")
PENS = (0.7, 7.0)  # pixels of a 20 px digit; narrowest and widest pen of a line of strokes
UNITS = (22, 56)  # pixels; least and greatest height of composed digits
REAL_SHARE, WORD_SHARE = 0.34, 0.2  # of lines: real numbers; of the others, nothing but words
REWRITTEN_SHARE, KEPT_SHARE = 0.6, 0.25  # of real numbers: written anew; of their digits then: kept
SPELT_SHARE = 0.45  # of words: put together from single letters
HAND_SHARE, FRAME_SHARE = (
    0.36,
    0.06,
)  # of put together lines: digits of strokes, of hands' pictures; else MNIST's
LONE_SHARE, OTHER_SHARE = 0.24, 0.12  # of put together lines: one mark alone; something else in it
MIXED_SHARE = 0.2  # of lines of MNIST's digits: by many hands, each with its own pen and slant
LITTER_SHARE = 0.35  # of single digits: with dirt about them
OTHERS = {
    "letters": 0.45,
    "figures": 0.3,
    "words": 0.15,
    "scribbles": 0.1,
}  # shares of what else is in a line
MANY_KINDS = 6  # digits that a writer whose digits make a line must have written
DARK = 0.2  # of full ink, that the darkest of a line reaches at least


class Composer:
    """Composes lines from MNIST's digits, uint8 (N, 28, 28) with labels (N,), and other people's `glyphs`."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, glyphs: Glyphs) -> None:
        self.images, self.glyphs = images, glyphs
        self.cells = sort_by_pen(images, labels)
        known = glyphs.digits
        self.writers = [each for each in known if len(known[each]) >= MANY_KINDS] or list(known)
        self.of_digit = {digit: [each for each in known if digit in known[each]] for digit in "0123456789"}
        all_known = all(self.of_digit.values())
        self.hand_share = HAND_SHARE if all_known else 0.0
        self.layouts = glyphs.layouts if all_known else []
        self.frame_share = FRAME_SHARE if len(glyphs.frames) == 10 else 0.0
        there = {name: share for name, share in OTHERS.items() if getattr(glyphs, name, True)}
        self.others, shares = list(there), np.array(list(there.values()))
        self.other_shares = shares / shares.sum()

    def compose(self, rng: Rng) -> tuple[np.ndarray, str]:
        """Return the strip of a line, uint8 (32, W), and its text."""
        while True:
            ink, text = self.line(rng)
            if len(text) == 1 and text.isdigit() and rng.random() < LITTER_SHARE:
                ink = max((line.ink for line in find_rows(littered(ink, rng)).lines), key=np.sum, default=ink)
            if ink.max() >= DARK:
                return (make_strip(ink).pixels * 255 + 0.5).astype(np.uint8), text

    def line(self, rng: Rng) -> tuple[np.ndarray, str]:
        """Return the ink of a line, float32 (H, W) in [0, 1], and its text."""
        unit = float(np.exp(rng.uniform(*np.log(UNITS))))
        width = float(np.exp(rng.uniform(*np.log(PENS))))
        pen = Pen(unit, pen_radius(unit, width), rng.uniform(0.75, 1.3), rng.normal(0, 0.15))
        if self.glyphs.numbers and rng.random() < REAL_SHARE:
            marks = self._real(pen, rng)
        elif (self.glyphs.words or self.glyphs.letters) and rng.random() < WORD_SHARE:
            marks = self._words(pen, rng)
        else:
            marks = self._made(pen, rng)
        ink, text = arrange(marks, pen.unit, rng)
        return worn(ink, pen, rng), merge_others(text)

    def _real(self, pen: Pen, rng: Rng) -> list[Mark]:
        """Return a real number as one mark, now and then two of them, with or without a sign between."""
        marks = []
        for _ in range(1 if rng.random() < 0.8 else 2):
            if self.layouts and rng.random() < REWRITTEN_SHARE:
                strokes, text = self._rewritten(_any(self.layouts, rng), rng)
            else:
                strokes, text = _any(self.glyphs.numbers, rng)
            marks.append(draw_mark(bent(_spaced(strokes, rng), rng), text, pen))
            if rng.random() < 0.15:
                marks.append(self._sign(str(rng.choice(list("-/,."))), pen, rng))
        return marks

    def _rewritten(self, layout: Layout, rng: Rng) -> tuple[Glyph, str]:
        """Return a real number as its writer might write another: its signs and spaces with other digits."""
        writer, parts = layout
        strokes: Glyph = []
        text, shift = "", 0.0
        for symbol, glyph in parts:
            low, high = corners_of(glyph)
            if symbol.isdigit() and rng.random() > KEPT_SHARE:
                symbol = str(rng.integers(10))
                size = (high[1] - low[1]) * _size(rng)
                glyph = [
                    stroke * np.float32(size) + np.array([low[0], high[1]], np.float32)
                    for stroke in self._digit(symbol, writer, rng)
                ]
            strokes += [stroke + np.array([shift, 0], np.float32) for stroke in glyph]
            shift += corners_of(glyph)[1][0] - high[0]
            text += symbol
        return strokes, text

    def _words(self, pen: Pen, rng: Rng) -> list[Mark]:
        """Return a word or two, or a word put together from letters; most of those are like no digit."""
        spelt = bool(self.glyphs.letters) and rng.random() <= SPELT_SHARE
        if self.glyphs.words and not spelt:
            return [self._other("words", pen, rng) for _ in range(int(rng.integers(1, 3)))]
        count = int(rng.integers(2, 7))
        clear = set(rng.permutation(count)[: count // 2 + 1].tolist())
        of = [self.glyphs.letters if n in clear else self.glyphs.spelling for n in range(count)]
        return [draw_mark(bent(_any(known, rng), rng), "?", pen, _size(rng)) for known in of]

    def _made(self, pen: Pen, rng: Rng) -> list[Mark]:
        """Return the marks of a number put together from single ones, or one mark alone."""
        draw = rng.random()
        cell, writer = _any(self.cells, rng), ""
        if draw < self.hand_share:
            writer = _any(self.writers, rng)
        else:  # signs beside pictures are drawn with the pictures' pen
            pen.radius = pen_radius(pen.unit, cell.width)
        framed, mixed = draw > 1 - self.frame_share, rng.random() < MIXED_SHARE
        marks = []
        for symbol in _text(rng):
            if symbol == "?":
                marks.append(self._other(str(rng.choice(self.others, p=self.other_shares)), pen, rng))
            elif not symbol.isdigit():
                marks.append(self._sign(symbol, pen, rng))
            elif writer:
                marks.append(draw_mark(bent(self._digit(symbol, writer, rng), rng), symbol, pen, _size(rng)))
            else:
                frames = self.glyphs.frames.get(symbol, []) if framed else []
                picture = (
                    _any(frames, rng)
                    if frames
                    else self._picture(int(symbol), _any(self.cells, rng) if mixed else cell, rng)
                )
                marks.append(paste_mark(picture, symbol, pen, _size(rng)))
        return marks

    def _digit(self, digit: str, writer: str, rng: Rng) -> Glyph:
        """Return a digit in the hand of `writer`, now and then, and where there is none, in another's."""
        if digit not in self.glyphs.digits[writer] or rng.random() < 0.04:
            writer = _any(self.of_digit[digit], rng)
        return _any(self.glyphs.digits[writer][digit], rng)

    def _picture(self, digit: int, cell: Cell, rng: Rng) -> np.ndarray:
        """Return one of MNIST's pictures of a digit, of the pen of `cell`, now and then of another's."""
        if rng.random() < 0.05:
            cell = _any(self.cells, rng)
        return self.images[int(_any(cell.places[digit], rng))]

    def _sign(self, sign: str, pen: Pen, rng: Rng) -> Mark:
        known = self.glyphs.signs.get(sign, [])
        real = rng.random() < min(0.4, len(known) / 30)
        glyph = bent(_any(known, rng), rng) if real else draw_sign(sign, rng)
        return draw_mark(glyph, sign, pen, _size(rng))

    def _other(self, kind: str, pen: Pen, rng: Rng) -> Mark:
        """Return a mark that is neither digit nor sign: a glyph of one of OTHERS."""
        if kind == "scribbles":
            steps = np.cumsum(rng.normal(0, 0.35, (int(rng.integers(8, 25)), 2)), axis=0)
            return draw_mark([(steps % 1.4 - np.array([0, 1.2])).astype(np.float32)], "?", pen)
        size = rng.uniform(0.7, 1.4) if kind == "words" else _size(rng)
        return draw_mark(bent(_any(getattr(self.glyphs, kind), rng), rng), "?", pen, size)


def _any(things: Sequence[T] | np.ndarray, rng: Rng) -> T:
    return things[int(rng.integers(len(things)))]


def _size(rng: Rng) -> float:
    return float(np.exp(rng.normal(0, 0.09)))


def _text(rng: Rng) -> str:
    """Return the text of a line that is put together; each "?" is to be a mark of its own."""
    if (lone := rng.random()) < LONE_SHARE:
        kind = rng.random()
        return "?" if kind < 0.5 else str(rng.choice(SIGNS)) if kind < 0.55 else str(rng.integers(10))
    text = random_text(rng)
    if lone < LONE_SHARE + OTHER_SHARE * (1 - LONE_SHARE):
        place = int(rng.integers(len(text) + 1))
        text = text[:place] + "?" * int(rng.integers(1, 4)) + text[place:]
    return text


def _spaced(strokes: Glyph, rng: Rng) -> Glyph:
    """Return a real number, half of the times with its strokes moved a little further apart or together."""
    if rng.random() < 0.5:
        return strokes
    factor = rng.uniform(0.93, 1.25)
    return [stroke + np.array([(factor - 1) * stroke[:, 0].mean(), 0], np.float32) for stroke in strokes]
