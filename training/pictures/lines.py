"""Lines of writing with known text, composed for the line reader: digits of many hands with signs, letters, words and doodles among them.

Text is mostly random, so that no sequence is learnt that is not seen. Any mark that is no digit and no sign is "?", and
a run of such marks is one "?".
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ink.strip import make_strip
from model import SYMBOLS
from training.pictures.hands import Glyph, Hands
from training.pictures.signs import draw_sign

Rng = np.random.Generator

SIGNS = tuple(symbol for symbol in SYMBOLS if symbol not in "0123456789?")
FINER = 3  # times as fine as the ink that strokes are drawn before they are reduced
PEN = (0.7, 5.5)  # pixels of a 20 px digit; widths of drawn pens
UNITS = (22, 56)  # pixels; heights of composed digits
SIGN_SHARES = {".": 3, ",": 2, "-": 4, "+": 2, "/": 3, ":": 2, "=": 2, "(": 1, ")": 1, "%": 1, "x": 1, "÷": 1}
REAL_SHARE, HAND_SHARE, PICTURE_SHARE = (
    0.24,
    0.36,
    0.06,
)  # of lines: real numbers, digits of strokes, of other pictures; the rest MNIST's
LONE_SHARE, OTHER_SHARE, WORD_SHARE = (
    0.15,
    0.12,
    0.13,
)  # of lines: one mark alone, something else among it, nothing but words
BINS = (10, 5)  # of MNIST's digits by pen width and slant


@dataclass
class Mark:
    """Ink to place: `top` is the row of its first pixel, counted from the writing line."""

    symbol: str
    ink: np.ndarray
    top: int


@dataclass
class Pen:
    """What one line is written with."""

    unit: float  # pixels; height of a digit
    radius: float  # pixels
    wide: float  # stretch of all strokes
    slant: float  # columns to the right a row up


class Composer:
    """Composes lines from MNIST's digits (N, 28, 28) uint8 with labels (N,), other `pictures` of digits alike, and `hands`."""

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        hands: Hands,
        pictures: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        self.images, self.labels, self.hands, self.pictures = images, labels, hands, pictures
        self.bins = _bins(images, labels)
        self.writers = list(hands.digits)

    def compose(self, rng: Rng) -> tuple[np.ndarray, str]:
        """Return the strip of a line, uint8 (32, W), and its text."""
        while True:
            ink, text = self.line(rng)
            if ink.max() < 0.2:
                continue
            strip = make_strip(ink)
            return (strip.pixels * 255 + 0.5).astype(np.uint8), text

    def line(self, rng: Rng) -> tuple[np.ndarray, str]:
        """Return the ink of a line, float32 (H, W), and its text."""
        unit = float(np.exp(rng.uniform(np.log(UNITS[0]), np.log(UNITS[1]))))
        width = float(np.exp(rng.uniform(np.log(PEN[0]), np.log(PEN[1]))))
        pen = Pen(unit, unit / 20 * width / 2, rng.uniform(0.75, 1.3), rng.normal(0, 0.15))
        if rng.random() < REAL_SHARE:
            ink, text = self._real(pen, rng)
        elif rng.random() < WORD_SHARE:
            ink, text = _arrange([self._word(pen, rng) for _ in range(int(rng.integers(1, 3)))], pen, rng)
        else:
            ink, text = self._made(pen, rng)
        return worn(ink, pen, rng), merge_others(text)

    def _real(self, pen: Pen, rng: Rng) -> tuple[np.ndarray, str]:
        """Return the ink of a real number, now and then of two in a row, and its text."""
        marks = []
        for _ in range(1 if rng.random() < 0.8 else 2):
            strokes, text = self.hands.strings[int(rng.integers(len(self.hands.strings)))]
            marks.append(drawn(_stretched_spaces(strokes, rng), text, pen))
            if rng.random() < 0.15:
                marks.append(self._sign(str(rng.choice(list("-/,."))), pen, rng))
        return _arrange(marks, pen, rng)

    def _made(self, pen: Pen, rng: Rng) -> tuple[np.ndarray, str]:
        """Return the ink of a number put together from single marks, and its text."""
        draw = rng.random()
        of_strokes = draw < HAND_SHARE
        writer = self.writers[int(rng.integers(len(self.writers)))]
        bin_ = self.bins[int(rng.integers(len(self.bins)))]
        if not of_strokes:  # what is drawn beside pictures is drawn with their pen
            pen.radius = unit_radius(pen.unit, bin_[0])
        other = self.pictures is not None and not of_strokes and draw > 1 - PICTURE_SHARE
        text = random_text(rng)
        if rng.random() < LONE_SHARE:
            text = (
                "?"
                if rng.random() < 0.45
                else str(rng.choice(list(SIGNS)))
                if rng.random() < 0.1
                else str(rng.integers(10))
            )
        elif rng.random() < OTHER_SHARE:
            place = int(rng.integers(len(text) + 1))
            text = text[:place] + "?" * int(rng.integers(1, 4)) + text[place:]
        marks = []
        for symbol in text:
            if symbol == "?":
                marks.append(self._other(pen, rng))
            elif not symbol.isdigit():
                marks.append(self._sign(symbol, pen, rng))
            elif of_strokes:
                kinds = self.hands.digits[writer]
                if symbol not in kinds or rng.random() < 0.04:
                    kinds = self.hands.digits[self.writers[int(rng.integers(len(self.writers)))]]
                glyphs = (
                    kinds.get(symbol)
                    or self.hands.digits[next(w for w in self.writers if symbol in self.hands.digits[w])][
                        symbol
                    ]
                )
                marks.append(drawn(glyphs[int(rng.integers(len(glyphs)))], symbol, pen, _size(rng)))
            elif other:
                images, labels = self.pictures  # type: ignore[misc]
                of_kind = np.flatnonzero(labels == int(symbol))
                picture = images[of_kind[int(rng.integers(len(of_kind)))]]
                longer = max(picture.any(axis=1).sum(), picture.any(axis=0).sum())
                marks.append(_pasted(picture, symbol, pen, _size(rng) * 20 / float(longer)))
            else:
                chosen = (
                    bin_[1][int(symbol)]
                    if rng.random() > 0.05
                    else self.bins[int(rng.integers(len(self.bins)))][1][int(symbol)]
                )
                marks.append(
                    _pasted(self.images[chosen[int(rng.integers(len(chosen)))]], symbol, pen, _size(rng))
                )
        return _arrange(marks, pen, rng)

    def _sign(self, sign: str, pen: Pen, rng: Rng) -> Mark:
        known = self.hands.signs.get(sign, [])
        if known and rng.random() < min(0.4, len(known) / 30):
            return drawn(known[int(rng.integers(len(known)))], sign, pen, _size(rng))
        return drawn(draw_sign(sign, rng), sign, pen, _size(rng))

    def _other(self, pen: Pen, rng: Rng) -> Mark:
        draw = rng.random()
        if draw < 0.45:
            glyphs = self.hands.letters
        elif draw < 0.6:
            glyphs = self.hands.doodles
        elif draw < 0.75:
            odd = [
                glyph for sign in self.hands.signs if sign not in SYMBOLS for glyph in self.hands.signs[sign]
            ]
            return drawn(odd[int(rng.integers(len(odd)))], "?", pen, _size(rng))
        elif draw < 0.85:
            steps = np.cumsum(rng.normal(0, 0.35, (int(rng.integers(8, 25)), 2)), axis=0)
            steps = steps % 1.4 - np.array([0, 1.2])
            return drawn([steps.astype(np.float32)], "?", pen)
        else:
            return self._word(pen, rng)
        return drawn(glyphs[int(rng.integers(len(glyphs)))], "?", pen, _size(rng))

    def _word(self, pen: Pen, rng: Rng) -> Mark:
        return drawn(
            self.hands.words[int(rng.integers(len(self.hands.words)))], "?", pen, rng.uniform(0.7, 1.4)
        )


# ---------------------------------------------------------------------------------- text


def random_text(rng: Rng) -> str:
    """Return the text of a number: mostly random digits, or a usual form of random digits, or digits and signs at random."""
    draw = rng.random()
    if draw < 0.55:
        return random_digits(rng, 1 + min(int(rng.gamma(2.0, 2.2)), 11))
    if draw < 0.85:
        form = FORMS[int(rng.integers(len(FORMS)))]
        return "".join(
            str(rng.integers(10))
            if each == "#"
            else random_digits(rng, int(rng.integers(1, 5)))
            if each == "N"
            else each
            for each in form
        )
    names, weights = list(SIGN_SHARES), np.array(list(SIGN_SHARES.values()), float)
    marks = [
        str(rng.choice(names, p=weights / weights.sum())) if rng.random() < 0.35 else str(rng.integers(10))
        for _ in range(int(rng.integers(2, 9)))
    ]
    return "".join(marks)


def random_digits(rng: Rng, count: int) -> str:
    """Return `count` random digits; equal neighbours, and 0s and 1s, a little more often than chance."""
    digits: list[int] = []
    for _ in range(count):
        draw = rng.random()
        digits.append(
            digits[-1]
            if digits and draw < 0.12
            else int(rng.integers(2))
            if draw < 0.2
            else int(rng.integers(10))
        )
    return "".join(map(str, digits))


FORMS = (
    "N.N",
    "N,N",
    "-N",
    "-N.N",
    "0.N",
    "#.##",
    "#,##",
    "N.##",
    "N,##",
    "#,###",
    "##,###",
    "#,###,###",
    "#.###,##",
    "##/##/####",
    "#/#/##",
    "##.##.####",
    "##-##-##",
    "####-##-##",
    "##:##",
    "#:##",
    "##:##:##",
    "N%",
    "N.N%",
    "N%",
    "+N",
    "+## ### ####".replace(" ", ""),
    "###-####",
    "###-###-####",
    "(###)###-####",
    "(###)",
    "N+N",
    "N+N=N",
    "N-N=N",
    "NxN",
    "NxN=N",
    "N÷N",
    "N÷N=N",
    "#+#=#",
    "N/N",
    "#/#",
    "(N)",
    "N:N",
    "N=N",
    "(N+N)xN",
    "#.",
    "N,",
    "-.N",
    "N.",
)


def merge_others(text: str) -> str:
    """Return `text` with what is not in SYMBOLS as "?", a run of which is one."""
    known = "".join(each if each in SYMBOLS else "?" for each in text if each != " ")
    return "".join("?" if symbol == "?" else "".join(run) for symbol, run in itertools.groupby(known))


# ---------------------------------------------------------------------------------- marks


def unit_radius(unit: float, width: float) -> float:
    """Return the radius in pixels of a pen that is `width` pixels wide in a 20 px digit."""
    return max(unit / 20 * width / 2, 0.3)


def _size(rng: Rng) -> float:
    return float(np.exp(rng.normal(0, 0.09)))


def drawn(glyph: Glyph, symbol: str, pen: Pen, size: float = 1.0) -> Mark:
    """Return a glyph of strokes as ink."""
    scale = pen.unit * size * FINER
    lines = [
        np.stack([(stroke[:, 0] * pen.wide - stroke[:, 1] * pen.slant) * scale, stroke[:, 1] * scale], 1)
        for stroke in glyph
    ]
    points = np.concatenate(lines)
    reach = math.ceil(pen.radius * FINER) + FINER
    low = np.floor(points.min(axis=0) / FINER).astype(int) * FINER - math.ceil(reach / FINER) * FINER
    wide, high = (int(math.ceil(side / FINER) * FINER) for side in points.max(axis=0) - low + reach)
    image = Image.new("L", (wide, high))
    draw, radius = ImageDraw.Draw(image), pen.radius * FINER
    for line in lines:
        corners = [tuple(point) for point in (line - low).tolist()]
        if len(corners) > 1:
            draw.line(corners, 255, max(1, round(2 * radius)))
        for x, y in corners:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    ink = np.asarray(image.reduce(FINER), np.float32) / 255
    return Mark(symbol, ink, int(low[1]) // FINER)


def _pasted(picture: np.ndarray, symbol: str, pen: Pen, size: float) -> Mark:
    """Return a picture of a digit, uint8 (28, 28) or so with 20 px high digits, as ink that stands on the line."""
    crop = picture[np.ix_(picture.any(axis=1), picture.any(axis=0))]
    scale = pen.unit * size / 20
    high, wide = (
        max(1, round(crop.shape[0] * scale)),
        max(1, round(crop.shape[1] * scale * (1 + (pen.wide - 1) / 2))),
    )
    method = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    ink = np.asarray(Image.fromarray(crop).resize((wide, high), method), np.float32) / 255
    return Mark(symbol, ink, -high - round((pen.unit * size - high) / 2 * 0.5))


def _stretched_spaces(strokes: Glyph, rng: Rng) -> Glyph:
    """Return a real number with its strokes, from left to right, moved a little further apart or together."""
    if rng.random() < 0.5:
        return strokes
    factor = rng.uniform(0.93, 1.25)
    return [stroke + np.array([(factor - 1) * stroke[:, 0].mean(), 0], np.float32) for stroke in strokes]


def _bins(images: np.ndarray, labels: np.ndarray) -> list[tuple[float, list[np.ndarray]]]:
    """Return MNIST's digits by pen width (pixels) and slant: (pen width, indices of each digit)."""
    ink = images.astype(np.float32) / 255
    edges = np.abs(np.diff(ink, axis=1)).sum((1, 2)) + np.abs(np.diff(ink, axis=2)).sum((1, 2))
    width = 2 * ink.sum((1, 2)) / (edges * np.pi / 4)
    rows, columns = np.mgrid[0:28, 0:28]
    mass = ink.sum((1, 2))
    y, x = (ink * rows).sum((1, 2)) / mass, (ink * columns).sum((1, 2)) / mass
    slant = ((ink * rows * columns).sum((1, 2)) / mass - x * y) / (
        (ink * rows * rows).sum((1, 2)) / mass - y * y
    )
    found = []
    for part in np.array_split(np.argsort(width), BINS[0]):
        for cell in np.array_split(part[np.argsort(slant[part])], BINS[1]):
            kinds = [cell[labels[cell] == digit] for digit in range(10)]
            if all(map(len, kinds)):
                found.append((float(width[cell].mean()), kinds))
    return found


# ---------------------------------------------------------------------------------- lines


def _arrange(marks: list[Mark], pen: Pen, rng: Rng) -> tuple[np.ndarray, str]:
    """Return `marks` written one after the other, apart, close or touching, and their text."""
    unit = pen.unit
    draw = rng.random()
    usual = (
        rng.normal(0.0, 0.07)
        if draw < 0.25
        else rng.normal(0.18, 0.1)
        if draw < 0.78
        else rng.uniform(0.25, 1.1)
    )
    spread = rng.choice([0.03, 0.08, 0.2])
    slope = rng.uniform(-0.55, 0.55) if rng.random() < 0.08 else rng.normal(0, 0.05)
    wander = rng.choice([0.02, 0.05, 0.1, 0.2], p=[0.4, 0.35, 0.2, 0.05])
    reach = int(4 * unit)
    edge = np.full(2 * reach, -10_000, int)  # the last inked column of each row around the writing line
    lefts, tops = [], []
    right, before = 0, -10_000
    for place, mark in enumerate(marks):
        top = mark.top + round(rng.normal(0, wander * unit))
        rows = slice(max(reach + top, 0), min(reach + top + mark.ink.shape[0], 2 * reach))
        inked = mark.ink[rows.start - reach - top : rows.stop - reach - top] > 0.3
        first = np.where(inked.any(axis=1), inked.argmax(axis=1), 10_000)
        gap = max(usual + rng.normal(0, spread), -0.1) * unit
        if "?" in (mark.symbol, marks[place - 1].symbol):
            gap = max(gap, 0.1 * unit)
        near = ndimage.maximum_filter1d(edge, max(3, int(0.3 * unit) | 1))
        left = (
            0
            if place == 0
            else max(
                int((near[rows] - first).max() + gap),
                int(right - 0.4 * unit + gap),
                before + int(0.15 * unit),
            )
        )
        left = min(left, right + int(max(gap, 0) + 0.6 * unit))
        last = np.where(inked.any(axis=1), left + inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1), -10_000)
        edge[rows] = np.maximum(edge[rows], last)
        lefts.append(left)
        tops.append(top + round(slope * left))
        before, right = left, max(right, left + mark.ink.shape[1])
    low = min(tops)
    start = min(lefts)
    height = max(top + mark.ink.shape[0] for top, mark in zip(tops, marks)) - low
    ink = np.zeros(
        (height, max(left + mark.ink.shape[1] for left, mark in zip(lefts, marks)) - start), np.float32
    )
    for mark, left, top in zip(marks, lefts, tops):
        window = ink[
            top - low : top - low + mark.ink.shape[0], left - start : left - start + mark.ink.shape[1]
        ]
        np.maximum(window, mark.ink, out=window)
    return ink, "".join(mark.symbol for mark in marks)


def worn(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    """Return `ink` turned, underlined, specked, faded, soft or coarse, now and then."""
    unit = pen.unit
    if rng.random() < 0.06:
        under = round(unit * rng.uniform(0.05, 0.35) + 2 * pen.radius) + 2
        ink = np.pad(ink, ((0, under), (0, 0)))
        image = Image.fromarray(ink)
        y = ink.shape[0] - pen.radius - 1
        ends = (
            rng.uniform(-0.1, 0.15) * ink.shape[1],
            y + rng.normal(0, 0.05) * unit,
            rng.uniform(0.85, 1.1) * ink.shape[1],
            y + rng.normal(0, 0.05) * unit,
        )
        ImageDraw.Draw(image).line(ends, 1.0, max(1, round(2 * pen.radius)))
        ink = np.array(image)
    if rng.random() < 0.1:
        turn = math.degrees(rng.normal(0, 0.12))
        ink = np.clip(
            np.asarray(Image.fromarray(ink).rotate(turn, Image.Resampling.BICUBIC, expand=True)), 0, 1
        )
    if rng.random() < 0.05:
        ink = ink.copy()
        for _ in range(int(rng.integers(1, 5))):
            size = max(1, round(rng.uniform(0.02, 0.06) * unit))
            y, x = int(rng.integers(ink.shape[0])), int(rng.integers(ink.shape[1]))
            ink[y : y + size, x : x + size] = rng.uniform(0.4, 1)
    draw = rng.random()
    if draw < 0.15:
        ink = np.clip(ndimage.gaussian_filter(ink, rng.uniform(0.02, 0.06) * unit), 0, 1)
    elif draw < 0.25:
        coarse = rng.uniform(0.3, 1, tuple(max(2, round(side / unit * 2)) for side in ink.shape)).astype(
            np.float32
        )
        fade = np.asarray(Image.fromarray(coarse).resize(ink.shape[::-1], Image.Resampling.BICUBIC))
        ink = np.clip(ink * fade, 0, 1)
    elif draw < 0.33:
        ink = (ink > rng.uniform(0.3, 0.6)).astype(np.float32)
    return np.where(ink < 0.03, 0, ink)
