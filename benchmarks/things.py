"""Things that people draw to try a digit recognizer out, stroke by stroke, on a grid of 100 x 100: no digit among them.

Drawn by hand for measuring, never for training; what may pass for a digit (a lollipop, a note, a bolt) was left out.
"""

from __future__ import annotations

import numpy as np

from ink.raster import draw_strokes

Rng = np.random.Generator
Stroke = list[tuple[float, float]]
FULL_TURN = 2 * np.pi


def arc(x: float, y: float, width: float, height: float, start: float = 0, stop: float = FULL_TURN) -> Stroke:
    """Return points along an ellipse's arc around (x, y), clockwise from the right."""
    return [
        (float(x + width * np.cos(turn)), float(y + height * np.sin(turn)))
        for turn in np.linspace(start, stop, 40)
    ]


def _spokes(inner: float, outer: float, count: int) -> list[Stroke]:
    turns = np.arange(count) * FULL_TURN / count
    return [[(50 + far * np.cos(turn), 50 + far * np.sin(turn)) for far in (inner, outer)] for turn in turns]


_SKY = arc(50, 50, 42, 38, np.pi, FULL_TURN)
THINGS: dict[str, list[Stroke]] = {
    "face": [arc(50, 50, 42, 42), [(36, 38), (36, 42)], [(64, 38), (64, 42)], arc(50, 56, 20, 14, 0.2, 2.9)],
    "clock": [arc(50, 50, 42, 42), [(50, 50), (50, 20)], [(50, 50), (70, 58)]],
    "sun": [arc(50, 50, 20, 20), *_spokes(27, 42, 8)],
    "wheel": [arc(50, 50, 42, 42), *_spokes(0, 42, 6)],
    "ring": [arc(50, 50, 42, 40), arc(50, 50, 18, 17)],
    "house": [
        [(15, 90), (15, 45), (85, 45), (85, 90), (15, 90)],
        [(10, 45), (50, 10), (90, 45)],
        [(42, 90), (42, 65), (58, 65), (58, 90)],
    ],
    "heart": [
        [
            (50, 90),
            (15, 50),
            (12, 30),
            (25, 15),
            (40, 18),
            (50, 33),
            (60, 18),
            (75, 15),
            (88, 30),
            (85, 50),
            (50, 90),
        ]
    ],
    "tree": [[(45, 95), (45, 65)], [(55, 95), (55, 65)], arc(50, 38, 30, 28)],
    "stick figure": [
        arc(50, 18, 12, 12),
        [(50, 30), (50, 65)],
        [(25, 42), (75, 42)],
        [(30, 95), (50, 65), (70, 95)],
    ],
    "car": [
        [(5, 70), (5, 50), (25, 50), (35, 30), (65, 30), (75, 50), (95, 50), (95, 70), (5, 70)],
        arc(27, 72, 9, 9),
        arc(73, 72, 9, 9),
    ],
    "cat": [
        arc(50, 58, 32, 30),
        [(22, 42), (22, 10), (42, 30)],
        [(58, 30), (78, 10), (78, 42)],
        [(40, 52), (40, 54)],
        [(60, 52), (60, 54)],
        [(47, 65), (53, 65), (50, 69), (47, 65)],
    ],
    "fish": [arc(42, 50, 32, 20), [(72, 48), (95, 32), (95, 68), (72, 52)], [(25, 45), (26, 46)]],
    "cup": [[(20, 20), (25, 85), (65, 85), (70, 20), (20, 20)], arc(72, 48, 15, 16, -np.pi / 2, np.pi / 2)],
    "envelope": [[(10, 25), (90, 25), (90, 75), (10, 75), (10, 25)], [(10, 25), (50, 55), (90, 25)]],
    "television": [
        [(10, 25), (90, 25), (90, 80), (10, 80), (10, 25)],
        [(30, 5), (50, 25), (70, 5)],
        [(20, 35), (65, 35), (65, 70), (20, 70), (20, 35)],
    ],
    "arrow": [[(10, 50), (90, 50)], [(65, 25), (90, 50), (65, 75)]],
    "cloud": [
        [
            (20, 70),
            (10, 55),
            (20, 42),
            (32, 42),
            (40, 25),
            (60, 25),
            (68, 40),
            (82, 42),
            (90, 56),
            (80, 70),
            (20, 70),
        ]
    ],
    "star": [[(50, 4), (22, 94), (96, 36), (4, 36), (78, 94), (50, 4)]],
    "ladder": [
        [(30, 5), (30, 95)],
        [(70, 5), (70, 95)],
        *([(30.0, y), (70.0, y)] for y in (20.0, 40.0, 60.0, 80.0)),
    ],
    "key": [arc(22, 50, 16, 16), [(38, 50), (92, 50), (92, 65)], [(78, 50), (78, 62)]],
    "umbrella": [_SKY, [(8, 50), (92, 50)], [(50, 50), (50, 85), (44, 92), (37, 86)]],
    "apple": [arc(50, 58, 32, 32), [(50, 26), (52, 10)], [(52, 15), (65, 8), (68, 18), (53, 20)]],
    "butterfly": [
        arc(30, 35, 20, 20),
        arc(70, 35, 20, 20),
        arc(32, 70, 16, 16),
        arc(68, 70, 16, 16),
        [(50, 20), (50, 90)],
    ],
    "bird": [[(5, 40), (25, 25), (45, 45), (50, 50), (55, 45), (75, 25), (95, 40)]],
    "mountains": [[(2, 90), (30, 30), (48, 62), (65, 15), (98, 90)]],
    "horse": [
        [
            (20, 95),
            (24, 60),
            (22, 45),
            (10, 42),
            (8, 34),
            (25, 18),
            (32, 22),
            (38, 42),
            (75, 45),
            (85, 60),
            (92, 75),
        ],
        [(80, 50), (80, 95)],
        [(70, 60), (68, 95)],
        [(32, 60), (34, 95)],
    ],
    "glasses": [arc(25, 50, 20, 18), arc(75, 50, 20, 18), arc(50, 48, 6, 6, np.pi, FULL_TURN)],
    "bulb": [arc(50, 38, 28, 30, 2.2, 7.2), [(34, 62), (38, 78), (62, 78), (66, 62)], [(40, 86), (60, 86)]],
    "boat": [[(5, 65), (95, 65), (80, 88), (20, 88), (5, 65)], [(50, 65), (50, 8), (80, 55), (50, 55)]],
    "wave": [[(float(x), float(50 + 25 * np.sin(x / 8))) for x in range(2, 99, 2)]],
}


def thing(rng: Rng) -> np.ndarray:
    """Return uint8 (280, 280), dark on light: one of THINGS, turned, stretched and bent a little, brush 6 to 20."""
    strokes = list(THINGS.values())[int(rng.integers(len(THINGS)))]
    turn = rng.normal(0, 0.12)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(
        rng.uniform(0.75, 1.15, 2)
    )
    waves, phases = rng.normal(0, 2, (3, 2)), rng.uniform(0, FULL_TURN, 3)
    moved = []
    for stroke in strokes:
        points = (np.array(stroke) - 50) @ matrix.T + rng.normal(0, 1.5, 2)
        bent = points + sum(np.sin(points[:, :1] / 36 * n + phases[n - 1]) * waves[n - 1] for n in (1, 2, 3))
        moved.append((bent + 50).tolist())
    return draw_strokes(moved, float(rng.uniform(6, 20)), 280)
