"""Signs between digits, drawn from simple strokes: x from 0, y down, writing line at 0, top of digits at -1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rng = np.random.Generator


def draw_sign(sign: str, rng: Rng) -> list[np.ndarray]:
    """Return the strokes of `sign`, (n, 2) each, no two times the same."""
    strokes = _MAKERS[sign](rng)
    left = min(float(stroke[:, 0].min()) for stroke in strokes)
    return [
        (stroke + rng.normal(0, 0.008, stroke.shape) - np.array([left, 0])).astype(np.float32)
        for stroke in strokes
    ]


def curve(rng: Rng, start: tuple[float, float], end: tuple[float, float], bow: float) -> np.ndarray:
    """Return 9 points from `start` to `end`, bowed to one side by about `bow` of the length."""
    a, b = np.array(start), np.array(end)
    t = np.linspace(0, 1, 9)[:, None]
    aside = np.array([b[1] - a[1], a[0] - b[0]])
    return a + (b - a) * t + 4 * t * (1 - t) * aside * bow


def _dot(rng: Rng) -> list[np.ndarray]:
    y = rng.uniform(-0.1, 0.03)
    return [_spot(rng, 0, y)]


def _spot(rng: Rng, x: float, y: float) -> np.ndarray:
    size = rng.uniform(0, 0.06) if rng.random() < 0.7 else rng.uniform(0.05, 0.12)
    return np.array(
        [[x, y], [x + rng.normal(0, size), y + abs(rng.normal(0, size))], [x + rng.normal(0, size / 2), y]]
    )


def _comma(rng: Rng) -> list[np.ndarray]:
    x, y, long = rng.uniform(0.05, 0.2), rng.uniform(-0.18, -0.0), rng.uniform(0.15, 0.4)
    return [curve(rng, (x, y), (x - long * rng.uniform(0.1, 0.9), y + long), rng.uniform(-0.25, 0.05))]


def _minus(rng: Rng) -> list[np.ndarray]:
    y, long = rng.uniform(-0.68, -0.25), rng.uniform(0.2, 0.85)
    return [curve(rng, (0, y), (long, y + rng.normal(0, 0.06) * long * 2), rng.normal(0, 0.05))]


def _plus(rng: Rng) -> list[np.ndarray]:
    size, y = rng.uniform(0.35, 0.85), rng.uniform(-0.6, -0.35)
    across = curve(rng, (0, y + rng.normal(0, 0.04)), (size, y + rng.normal(0, 0.06)), rng.normal(0, 0.03))
    high, x = size * rng.uniform(0.8, 1.3), size * rng.uniform(0.35, 0.65)
    lean = rng.normal(0, 0.06)
    return [across, curve(rng, (x + lean, y - high / 2), (x - lean, y + high / 2), rng.normal(0, 0.03))]


def _slash(rng: Rng) -> list[np.ndarray]:
    wide, low = rng.uniform(0.25, 0.9), rng.uniform(-0.1, 0.35)
    top = -rng.uniform(0.85, 1.4)
    return [curve(rng, (wide, top), (0, low), rng.normal(0, 0.04))]


def _colon(rng: Rng) -> list[np.ndarray]:
    low, x = rng.uniform(-0.3, -0.0), rng.normal(0, 0.04)
    return [_spot(rng, 0, low), _spot(rng, x, low - rng.uniform(0.28, 0.55))]


def _equals(rng: Rng) -> list[np.ndarray]:
    long, y, apart = rng.uniform(0.35, 0.85), rng.uniform(-0.4, -0.2), rng.uniform(0.15, 0.35)
    x, tilt = rng.normal(0, 0.05), rng.normal(0, 0.05)
    return [
        curve(rng, (0, y), (long, y + tilt), rng.normal(0, 0.04)),
        curve(
            rng,
            (x, y - apart),
            (x + long * rng.uniform(0.8, 1.2), y - apart + tilt + rng.normal(0, 0.03)),
            rng.normal(0, 0.04),
        ),
    ]


def _bracket(rng: Rng, bow: float) -> list[np.ndarray]:
    top, low = -rng.uniform(0.95, 1.4), rng.uniform(-0.05, 0.4)
    return [curve(rng, (rng.normal(0, 0.05), top), (rng.normal(0, 0.05), low), bow * rng.uniform(0.04, 0.3))]


def _percent(rng: Rng) -> list[np.ndarray]:
    wide, radius = rng.uniform(0.5, 0.9), rng.uniform(0.1, 0.2)
    bar = curve(
        rng,
        (wide * rng.uniform(0.8, 1.0), -rng.uniform(0.9, 1.15)),
        (wide * rng.uniform(0, 0.25), rng.uniform(-0.05, 0.1)),
        rng.normal(0, 0.03),
    )
    rings = []
    for x, y in ((radius, -0.85), (wide - radius / 2, -0.18)):
        turn = np.linspace(0, 2 * np.pi * rng.uniform(0.9, 1.1), 14) + rng.uniform(0, 6)
        middle = np.array([x + rng.normal(0, 0.03), y + rng.normal(0, 0.04)])
        rings.append(middle + radius * np.stack([np.cos(turn) * rng.uniform(0.7, 1.1), np.sin(turn)], 1))
    return [rings[0], bar, rings[1]]


def _times(rng: Rng) -> list[np.ndarray]:
    size, y = rng.uniform(0.35, 0.7), rng.uniform(-0.15, 0.0)
    high = size * rng.uniform(0.8, 1.2)
    return [
        curve(rng, (0, y - high), (size, y), rng.normal(0, 0.05)),
        curve(rng, (size, y - high + rng.normal(0, 0.04)), (0, y), rng.normal(0, 0.05)),
    ]


def _divided(rng: Rng) -> list[np.ndarray]:
    long, y, apart = rng.uniform(0.4, 0.8), rng.uniform(-0.55, -0.4), rng.uniform(0.2, 0.35)
    bar = curve(rng, (0, y), (long, y + rng.normal(0, 0.04)), rng.normal(0, 0.03))
    return [
        bar,
        _spot(rng, long / 2 + rng.normal(0, 0.04), y - apart),
        _spot(rng, long / 2 + rng.normal(0, 0.04), y + apart),
    ]


_MAKERS: dict[str, Callable[[Rng], list[np.ndarray]]] = {
    ".": _dot,
    ",": _comma,
    "-": _minus,
    "+": _plus,
    "/": _slash,
    ":": _colon,
    "=": _equals,
    "%": _percent,
    "x": _times,
    "÷": _divided,
    "(": lambda rng: _bracket(rng, -1.0),
    ")": lambda rng: _bracket(rng, 1.0),
}
