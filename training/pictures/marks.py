"""Marks of a line of writing as ink, drawn from strokes or pasted from pictures of about the same pen, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from training.hands.glyphs import Glyph

FINER = 3  # times as fine as the ink that strokes are drawn before they are reduced
LEAST_RADIUS = 0.3  # pixels
FAR = 10_000  # pixels; beyond any line
DARK = 0.3  # of full ink, that counts where marks meet
BEND = 0.035  # of a digit's height; spread of how far a stroke is bent aside
PEN_PARTS, SLANT_PARTS = 10, 5  # into which pictures of digits are sorted


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


@dataclass(frozen=True)
class Cell:
    """Pictures of digits by one pen and slant: pen width in pixels, and of each digit the places of its pictures."""

    width: float
    places: list[np.ndarray]


def pen_radius(unit: float, width: float) -> float:
    """Return the radius in pixels of a pen that is `width` pixels wide in a 20 px digit."""
    return max(unit / 20 * width / 2, LEAST_RADIUS)


def draw_mark(glyph: Glyph, symbol: str, pen: Pen, size: float = 1.0) -> Mark:
    """Return a glyph of strokes as ink, `size` times as large as the line's other digits."""
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


def bent(glyph: Glyph, rng: np.random.Generator) -> Glyph:
    """Return strokes as the same hand might write them again: turned, stretched and bent a little."""
    turn, along, down = rng.normal(0, (0.05, 0.08, 0.06))
    cos, sin = math.cos(turn), math.sin(turn)
    high = max(float(np.ptp(np.concatenate(glyph)[:, 1])), 0.3)
    phase, pace = rng.uniform(0, 2 * np.pi, 4), rng.uniform(2, 5, 4) / high
    aside = rng.normal(0, BEND * high, 4)

    def bend(stroke: np.ndarray) -> np.ndarray:
        x, y = stroke.T
        x, y = (
            x + aside[0] * np.sin(pace[0] * y + phase[0]) + aside[1] * np.sin(pace[1] * x + phase[1]),
            y + aside[2] * np.sin(pace[2] * x + phase[2]) + aside[3] * np.sin(pace[3] * y + phase[3]),
        )
        rise = np.clip(x, -high, high)  # a long number is turned no further than one digit
        return np.stack([(x * cos - y * sin) * math.exp(along), (y * cos + rise * sin) * math.exp(down)], 1)

    return [bend(stroke).astype(np.float32) for stroke in glyph]


def paste_mark(picture: np.ndarray, symbol: str, pen: Pen, size: float = 1.0) -> Mark:
    """Return the digit of a frame, uint8 (28, 28) with a 20 px box, as ink that stands on the line."""
    crop = picture[np.ix_(picture.any(axis=1), picture.any(axis=0))]
    scale = pen.unit * size / 20
    high = max(1, round(crop.shape[0] * scale))
    wide = max(1, round(crop.shape[1] * scale * (1 + (pen.wide - 1) / 2)))
    method = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    ink = np.asarray(Image.fromarray(crop).resize((wide, high), method), np.float32) / 255
    return Mark(
        symbol, ink, -high - round((pen.unit * size - high) / 4)
    )  # a flat one a little above the line


def sort_by_pen(images: np.ndarray, labels: np.ndarray) -> list[Cell]:
    """Return uint8 (N, 28, 28) digits in cells of like pen width and slant; a digit a cell lacks is taken from all."""
    ink = images.astype(np.float32) / 255
    edges = np.abs(np.diff(ink, axis=1)).sum((1, 2)) + np.abs(np.diff(ink, axis=2)).sum((1, 2))
    mass = np.maximum(ink.sum((1, 2)), 1e-6)
    width = 2 * mass / np.maximum(edges * np.pi / 4, 1e-6)
    rows, columns = np.mgrid[0:28, 0:28]
    y, x = (ink * rows).sum((1, 2)) / mass, (ink * columns).sum((1, 2)) / mass
    across = (ink * rows * columns).sum((1, 2)) / mass - x * y
    slant = across / np.maximum((ink * rows * rows).sum((1, 2)) / mass - y * y, 1e-6)
    of_all, cells = [np.flatnonzero(labels == digit) for digit in range(10)], []
    for part in np.array_split(np.argsort(width), PEN_PARTS):
        for cell in np.array_split(part[np.argsort(slant[part])], SLANT_PARTS):
            own = [cell[labels[cell] == digit] for digit in range(10)]
            if len(cell):
                places = [mine if len(mine) else known for mine, known in zip(own, of_all)]
                cells.append(Cell(float(width[cell].mean()), places))
    return cells


def arrange(marks: list[Mark], unit: float, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Return `marks` written one after the other, apart or touching, and their text; digits have `unit` pixels."""
    places = _places(marks, unit, rng)
    low, start = min(top for _, top in places), min(left for left, _ in places)
    corners = [
        (left + mark.ink.shape[1], top + mark.ink.shape[0]) for mark, (left, top) in zip(marks, places)
    ]
    wide, high = (max(side) for side in zip(*corners))
    ink = np.zeros((high - low, wide - start), np.float32)
    for mark, (left, top) in zip(marks, places):
        rows, columns = (slice(at, at + long) for at, long in zip((top - low, left - start), mark.ink.shape))
        ink[rows, columns] = np.maximum(ink[rows, columns], mark.ink)
    return ink, "".join(mark.symbol for mark in marks)


def _places(marks: list[Mark], unit: float, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return where each mark begins, (column, row from the writing line) in pixels."""
    usual = _usual_gap(rng)
    spread = rng.choice([0.03, 0.08, 0.2])
    slope = rng.uniform(-0.55, 0.55) if rng.random() < 0.08 else rng.normal(0, 0.05)
    wander = rng.choice([0.02, 0.05, 0.1, 0.2], p=[0.4, 0.35, 0.2, 0.05])
    reach = int(4 * unit)
    edge = np.full(2 * reach, -FAR)  # the last inked column of each row around the writing line
    places = []
    left, right = 0, 0
    for number, mark in enumerate(marks):
        top = mark.top + round(rng.normal(0, wander * unit))
        rows = slice(max(reach + top, 0), min(reach + top + mark.ink.shape[0], 2 * reach))
        inked = mark.ink[rows.start - reach - top : rows.stop - reach - top] > DARK
        there = inked.any(axis=1)
        gap = max(usual + rng.normal(0, spread), -0.1) * unit
        if number:
            if (mark.symbol == "?") != (marks[number - 1].symbol == "?"):
                gap = max(gap, 0.1 * unit)
            near = ndimage.maximum_filter1d(edge, max(3, int(0.3 * unit) | 1))
            meets = int((near[rows] - np.where(there, inked.argmax(axis=1), FAR)).max() + gap)
            least = max(meets, int(right - 0.4 * unit + gap), left + int(0.15 * unit))
            left = min(least, right + int(max(gap, 0) + 0.6 * unit))
        last = np.where(there, left + inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1), -FAR)
        edge[rows] = np.maximum(edge[rows], last)
        right = max(right, left + mark.ink.shape[1])
        places.append((left, top + round(slope * left)))
    return places


def _usual_gap(rng: np.random.Generator) -> float:
    """Return the space between a line's marks, in heights of a digit: touching, close, or apart."""
    draw = rng.random()
    if draw < 0.25:
        return float(rng.normal(0.0, 0.07))
    return float(rng.normal(0.18, 0.1) if draw < 0.78 else rng.uniform(0.25, 1.1))
