"""What lines of writing are composed of: strokes of digits, signs, numbers, words and other marks by other people.

A glyph is a list of strokes, float32 (n, 2): x from 0, y down, in units of a digit's height, with the writing line at 0
and the top of digits at -1. What an item is, its label says: "7" a digit, "12/03" a number, "+" a sign, "the" in a set
of words a word, "a" a letter, anything else a figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator

from model import SYMBOLS
from training.hands.sets import Item
from training.pictures import templates
from training.pictures.augment import NOT_A_DIGIT

Glyph = list[np.ndarray]
Part = tuple[str, Glyph]  # of a number: a character and its strokes
Layout = tuple[str, list[Part]]  # a real number: its writer, and its parts where they stand

LEAST_STEP = 0.04  # of a drawing's height; points closer than this only cost time
FIGURE_HEIGHT, WORD_HEIGHT, LETTER_HEIGHT = 1.2, 1.3, 1.0
# signs that stand alone in a set, with the height they are written in and how far above the line; a minus is so wide
SIGN_PLACES = {"-": (0.5, 0.45), "/": (1.1, 0.0), "+": (0.6, 0.2), "x": (0.6, 0.1)}
LIKE_SIGNS = frozenset("CcTtX|")  # letters that are a sign in many hands: ( + x /
TEMPLATES_LIKE_SIGNS = frozenset(
    {
        "03 93; 06 96",  # =
        "50 59; 05 95",  # +
        "00 99; 90 09",  # x
        "03 99; 93 09",  # x
        "90 09; 11 22; 77 88",  # %
        "40 49 78; 13 73",  # t
        "92 60 30 03 06 39 69 97",  # C
        "91 91 50 13 06 39 69 98",  # C
        "81 40 13 15 38 68 87",  # c
    }
)
COPIES = 20  # of each template, each drawn a little differently


@dataclass
class Glyphs:
    """Handwriting by kind; numbers with what they say. Those held out are of writers kept for validation."""

    digits: dict[str, dict[str, list[Glyph]]] = field(default_factory=dict)  # by writer, by digit
    frames: dict[str, list[np.ndarray]] = field(default_factory=dict)  # uint8 (28, 28), by digit
    signs: dict[str, list[Glyph]] = field(default_factory=lambda: defaultdict(list))
    numbers: list[tuple[Glyph, str]] = field(default_factory=list)
    layouts: list[Layout] = field(default_factory=list)  # of those numbers whose parts are known
    held_out: list[tuple[Glyph, str]] = field(default_factory=list)
    digits_held_out: list[tuple[Glyph, str]] = field(default_factory=list)  # single ones of the same writers
    words: list[Glyph] = field(default_factory=list)
    words_held_out: list[Glyph] = field(default_factory=list)
    letters: list[Glyph] = field(default_factory=list)
    spelling: list[Glyph] = field(default_factory=list)  # letters, those that are like digits among them
    figures: list[Glyph] = field(default_factory=list)

    def add(self, name: str, items: Sequence[Item], held_out: Sequence[Item] = ()) -> None:
        """Take in the set `name`: its `items`, and the numbers, digits and words of strokes among those `held_out`.

        A writer is the same in all sets whose names begin alike, up to "_".
        """
        of_words = all(_is_word(item.label) for item in items)
        for item in items:
            self._add(f"{name.split('_')[0]} {item.writer}", item, of_words)
        for item in held_out:
            if is_number(item.label) and (strokes := thinned(item)):
                self.held_out.append((split_number(strokes, item.label)[0], item.label))
            elif item.digit != NOT_A_DIGIT and (strokes := thinned(item)):
                self.digits_held_out.append((fit_height(strokes), item.label))
            elif of_words and (strokes := thinned(item)):
                self.words_held_out.append(fit_height(strokes, WORD_HEIGHT))

    def _add(self, writer: str, item: Item, of_words: bool) -> None:
        label = item.label
        if item.frame is not None:
            if item.digit != NOT_A_DIGIT:
                self.frames.setdefault(label, []).append(item.frame)
            return
        strokes = thinned(item)
        if not strokes:
            return
        if item.digit != NOT_A_DIGIT:
            self._add_digit(writer, label, fit_height(strokes))
        elif is_number(label):
            scaled, parts = split_number(strokes, label)
            self.numbers.append((scaled, label))
            if parts:
                self.layouts.append((writer, parts))
            for character, glyph in alone(parts):
                if character.isdigit():
                    self._add_digit(writer, character, glyph)
                elif character in SYMBOLS:
                    self.signs[character].append(glyph)
                else:
                    self.figures.append(glyph)
        elif label in SIGN_PLACES:
            self.signs[label].append(fit_sign(strokes, label))
        elif of_words:
            self.words.append(fit_height(strokes, WORD_HEIGHT))
        else:
            teaches = label not in SYMBOLS and label not in LIKE_SIGNS and item.teaches
            if len(label) == 1 and label.isalpha():
                letter = fit_height(strokes, LETTER_HEIGHT)
                self.spelling.append(letter)
                self.letters += [letter] if teaches else []
            elif teaches:
                self.figures.append(fit_height(strokes, FIGURE_HEIGHT))

    def _add_digit(self, writer: str, digit: str, glyph: Glyph) -> None:
        self.digits.setdefault(writer, {}).setdefault(digit, []).append(glyph)


def glyphs_of_templates(seed: int = 0) -> Glyphs:
    """Return our own drawings of digits, and of letters and figures, for a training without other people's hands."""
    made, generator = Glyphs(), Generator().manual_seed(seed)
    for digit, known in templates.DIGITS.items():
        for glyph in _draw(list(known), generator):
            made._add_digit("templates", str(digit), glyph)
    made.letters = _draw([each for each in templates.SIGNS if each not in TEMPLATES_LIKE_SIGNS], generator)
    made.spelling = made.letters
    return made


def _draw(known: list[str], generator: Generator) -> list[Glyph]:
    hand = templates.Hand(known, torch.device("cpu"))
    which = torch.arange(len(known)).repeat(COPIES)
    paths, strokes = hand.draw(which, generator).numpy(), hand.stroke[which].numpy()
    return [
        fit_height([path[stroke == number] for number in range(int(stroke.max()) + 1)])
        for path, stroke in zip(paths, strokes)
    ]


def is_number(label: str) -> bool:
    """Say whether a label is that of several characters, digits and signs."""
    return len(label) > 1 and any(each in "0123456789" for each in label) and not any(map(str.isalpha, label))


def _is_word(label: str) -> bool:
    return 2 <= len(label) <= 4 and label.isascii() and label.isalpha()


# ---------------------------------------------------------------------------------- strokes


def thinned(item: Item) -> Glyph:
    """Return an item's strokes in its own units: their first and last points, and those LEAST_STEP apart along them."""
    strokes = [np.array(stroke, np.float32)[:, :2] for stroke in item.strokes or [] if len(stroke)]
    if not strokes:
        return []
    step, found = LEAST_STEP * max(float(np.ptp(np.concatenate(strokes)[:, 1])), 1e-3), []
    for stroke in strokes:
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
        kept = np.flatnonzero(np.diff(np.floor(along / step), prepend=-1))
        found.append(stroke[np.union1d(kept, [len(stroke) - 1])])
    return found


def fit_height(strokes: Glyph, height: float = 1.0) -> Glyph:
    """Return strokes as a glyph `height` high that stands on the line; a flat one is twice as wide as that."""
    low, high = corners_of(strokes)
    size = max(float(high[1] - low[1]), float(high[0] - low[0]) / 2, 1e-3)
    return _moved(strokes, low[0], high[1], size / height)


def fit_sign(strokes: Glyph, sign: str) -> Glyph:
    """Return the strokes of a sign in SIGN_PLACES as a glyph of its size, where it is written."""
    size, up = SIGN_PLACES[sign]
    low, high = corners_of(strokes)
    found = max(float(high[0] - low[0] if sign == "-" else high[1] - low[1]), 1e-3)
    return _moved(strokes, low[0], high[1] + up * found / size, found / size)


def corners_of(strokes: Glyph) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest x and y, (2,) each, of strokes in their own units."""
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def _moved(strokes: Glyph, left: float, line: float, size: float) -> Glyph:
    return [((stroke - np.array([left, line])) / size).astype(np.float32) for stroke in strokes]


def split_number(strokes: Glyph, text: str) -> tuple[Glyph, list[Part]]:
    """Return a number in units of its digits' height, and its characters where they stand; [] where they are not sure."""
    characters = text.replace(" ", "")
    groups = _groups(strokes, len(characters))
    digits = [n for n, each in enumerate(characters) if each.isdigit()]
    heights, bottoms = _measure(strokes, groups)
    # a character is written at once; a dot or the hat of a 5 is no digit
    sure = len(groups) == len(characters) and all(max(group) - min(group) < len(group) for group in groups)
    if not (sure and heights[digits].min() >= heights[digits].max() / 2):
        groups, characters = _groups(strokes), ""
        heights, bottoms = _measure(strokes, groups)
        # joined digits are as high as one; dots and dashes are not
        digits = np.flatnonzero(heights >= heights.max() / 2).tolist()
    size, line = max(float(np.median(heights[digits])), 1e-3), float(np.median(bottoms[digits]))
    scaled = _moved(strokes, corners_of(strokes)[0][0], line, size)
    return scaled, [(each, [scaled[n] for n in group]) for each, group in zip(characters, groups)]


def _groups(strokes: Glyph, count: int | None = None) -> list[list[int]]:
    """Return the strokes from left to right, in groups: parted by the `count` - 1 widest gaps, or by all free columns."""
    order = sorted(range(len(strokes)), key=lambda n: float(strokes[n][:, 0].min()))
    rights = np.maximum.accumulate([float(strokes[n][:, 0].max()) for n in order])
    gaps = np.array([float(strokes[n][:, 0].min()) for n in order[1:]]) - rights[:-1]
    parted = gaps >= 0 if count is None else np.argsort(np.argsort(-gaps)) < count - 1
    return [group.tolist() for group in np.split(order, np.flatnonzero(parted) + 1)]


def _measure(strokes: Glyph, groups: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the height of each group of strokes, and its lowest row."""
    corners = [corners_of([strokes[n] for n in group]) for group in groups]
    return np.array([high[1] - low[1] for low, high in corners]), np.array([high[1] for _, high in corners])


def alone(parts: list[Part]) -> list[Part]:
    """Return the parts of a number each from x 0, on the line of the digit that is nearest to it."""
    digits = [n for n, (character, _) in enumerate(parts) if character.isdigit()]
    moved = []
    for place, (character, glyph) in enumerate(parts):
        _, high = corners_of(parts[min(digits, key=lambda n: abs(n - place))][1])
        moved.append((character, _moved(glyph, corners_of(glyph)[0][0], high[1], 1.0)))
    return moved
