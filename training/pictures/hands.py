"""Other people's handwriting for composed lines: strokes and pictures of digits, signs, letters, numbers and words, by writer.

A glyph of strokes is a list of (n, 2) arrays: x from 0, y down with the writing line at 0 and the top of digits at -1.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Glyph = list[np.ndarray]

LOOKALIKES = frozenset(
    "OoIiLlZzSsqgbBDGJjTtXxCcQyYVvUuPpeaf|"
)  # letters that in some hand are a digit or a sign
DOODLES_LEFT_OUT = frozenset(
    "circle,line,donut,moon,pond,squiggle,baseball bat,golf club,hockey stick,knee,finger,nail,ear,bracelet,peanut,paper clip,"
    "snake,boomerang,zigzag,lightning,triangle,matches,fork,spoon,lollipop,stairs,hexagon,octagon,string bean,banana,potato".split(
        ","
    )
)
LEAST_STEP = 0.04  # of the writing's height; points closer than this only cost time
HELD_OUT = 12  # of so many writers of numbers one is kept for validation


@dataclass
class Hands:
    """Handwriting to compose lines of. Strings and words are (strokes in units of the writing's height, text)."""

    digits: dict[str, dict[str, list[Glyph]]] = field(default_factory=dict)  # by writer, by digit
    signs: dict[str, list[Glyph]] = field(default_factory=dict)  # by sign
    strings: list[tuple[Glyph, str]] = field(default_factory=list)
    held_out: list[tuple[Glyph, str]] = field(default_factory=list)
    words: list[Glyph] = field(default_factory=list)
    letters: list[Glyph] = field(default_factory=list)
    doodles: list[Glyph] = field(default_factory=list)


def is_held_out(writer: str) -> bool:
    """Say whether a writer of numbers is kept for validation."""
    return zlib.crc32(writer.encode()) % HELD_OUT == 0


def read_strokes(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a .jsonl.gz of strokes."""
    with gzip.open(path, "rt") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        row["strokes"] = [np.array(stroke, np.float32)[:, :2] for stroke in row["strokes"] if len(stroke)]
        step = LEAST_STEP * max((np.ptp(np.concatenate(row["strokes"])[:, 1]) if row["strokes"] else 0), 1e-3)
        row["strokes"] = [thinned(stroke, step) for stroke in row["strokes"]]
    return [row for row in rows if row["strokes"]]


def thinned(stroke: np.ndarray, step: float) -> np.ndarray:
    """Return the first and last of the points (N, 2), and between them those about `step` apart along the stroke."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    kept = np.flatnonzero(np.diff(np.floor(along / step), prepend=-1))
    return stroke[np.union1d(kept, [len(stroke) - 1])]


def load_hands(hands: Path, more: Path | None = None) -> Hands:
    """Return the handwriting in the folder `hands`, and the pen digits in `more`."""
    found = Hands()
    signs: dict[str, list[Glyph]] = defaultdict(list)
    digits: dict[str, dict[str, list[Glyph]]] = defaultdict(lambda: defaultdict(list))
    files = [
        hands / f"{name}.jsonl.gz"
        for name in ("uji2_digits", "unipen_digits", "unipen_cut_digits", "bridger_digits")
    ]
    for path in [*files, *([more / "pen_strokes.jsonl.gz"] if more else [])]:
        for row in read_strokes(path):
            if not (path.name.startswith("unipen") and is_held_out(row["writer"])):
                digits[path.name[:3] + row["writer"]][row["label"]].append(fit_height(row["strokes"]))
    for row in read_strokes(hands / "unipen_strings.jsonl.gz"):
        scaled, parts = split_string(row["strokes"], row["label"])
        (found.held_out if is_held_out(row["writer"]) else found.strings).append((scaled, row["label"]))
        if is_held_out(row["writer"]):
            continue
        for text, glyph in parts:
            if text.isdigit():
                digits["str" + row["writer"]][text].append(glyph)
            else:
                signs[text].append(glyph)
    for row in read_strokes(hands / "bridger_symbols.jsonl.gz"):
        if row["label"] in "+-/x":
            high = {"-": 0.1, "/": 1.1, "+": 0.6, "x": 0.6}[row["label"]]
            signs[row["label"]].append(
                _raised(
                    fit_width(row["strokes"], 0.5)
                    if row["label"] == "-"
                    else fit_height(row["strokes"], high),
                    row["label"],
                )
            )
    found.digits = {writer: dict(kinds) for writer, kinds in digits.items() if len(kinds) >= 6}
    found.signs = dict(signs)
    found.words = [fit_height(row["strokes"], 1.3) for row in read_strokes(hands / "unipen_words.jsonl.gz")]
    found.letters = [
        fit_height(row["strokes"])
        for row in read_strokes(hands / "unipen_letters.jsonl.gz")
        if row["label"] not in LOOKALIKES
    ]
    drawn = [
        row
        for row in read_strokes(hands / "quickdraw.jsonl.gz")
        if row["recognized"] and row["label"] not in DOODLES_LEFT_OUT
    ]
    found.doodles = [fit_height(row["strokes"], 1.2) for row in drawn]
    return found


def fit_height(strokes: Glyph, height: float = 1.0) -> Glyph:
    """Return strokes as a glyph `height` high that stands on the line; a flat one is as wide."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = max(float(high[1] - low[1]), float(high[0] - low[0]) / 2, 1e-3)
    return [
        (stroke - np.array([low[0], high[1]], np.float32)) * np.float32(height / size) for stroke in strokes
    ]


def fit_width(strokes: Glyph, width: float) -> Glyph:
    """Return strokes as a glyph `width` wide that stands on the line."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = max(float(high[0] - low[0]), 1e-3)
    return [
        (stroke - np.array([low[0], high[1]], np.float32)) * np.float32(width / size) for stroke in strokes
    ]


def _raised(glyph: Glyph, sign: str) -> Glyph:
    """Return the glyph of a sign raised to where it is written."""
    up = {"-": 0.45, "+": 0.2, "x": 0.1}.get(sign, 0.0)
    return [stroke - np.array([0, up], np.float32) for stroke in glyph]


def split_string(strokes: Glyph, text: str) -> tuple[Glyph, list[tuple[str, Glyph]]]:
    """Return a written number in units of its digits' height, and its characters' glyphs where they stand apart ([] otherwise)."""
    order = sorted(range(len(strokes)), key=lambda n: float(strokes[n][:, 0].min()))
    groups: list[list[int]] = []
    right = -np.inf
    for n in order:
        low, high = float(strokes[n][:, 0].min()), float(strokes[n][:, 0].max())
        if groups and low < right:
            groups[-1].append(n)
        else:
            groups.append([n])
        right = max(right, high)
    characters = text.replace(" ", "")
    tops = [min(float(strokes[n][:, 1].min()) for n in group) for group in groups]
    bottoms = [max(float(strokes[n][:, 1].max()) for n in group) for group in groups]
    apart = len(groups) == len(characters)
    heights = np.array(bottoms) - np.array(tops)
    digits = [n for n, each in enumerate(characters) if each.isdigit()] if apart else list(range(len(groups)))
    size = float(np.median(heights[digits])) if digits else float(heights.max())
    if not apart:  # joined digits are as high as one; dots and dashes are not
        size = float(np.median(heights[heights >= heights.max() / 2]))
    size = max(size, 1e-3)
    left, base = (
        min(float(stroke[:, 0].min()) for stroke in strokes),
        float(np.median([bottoms[n] for n in digits] or bottoms)),
    )
    scaled = [((stroke - np.array([left, base])) / size).astype(np.float32) for stroke in strokes]
    if not apart or not digits:
        return scaled, []
    parts = []
    for character, group in zip(characters, groups):
        x = min(float(scaled[n][:, 0].min()) for n in group)
        nearest = digits[int(np.argmin([abs(groups.index(group) - n) for n in digits]))]
        lift = (bottoms[nearest] - base) / size
        parts.append((character, [scaled[n] - np.array([x, lift], np.float32) for n in group]))
    return scaled, parts
