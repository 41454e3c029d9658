"""Digits and other signs that we draw ourselves, stroke by stroke, in styles that MNIST's writers did not use.

A template is a string of points on a 10 x 10 grid, column then row ("09" is the lower left corner): a smooth line
through them, with a corner where a point stands twice, and the pen lifted at a semicolon. `draw` bends, slants and
stretches them at random, a batch at a time. The digits teach styles of writing (labels 0 to 9), the signs,
letters and little pictures teach what is not a digit.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator, Tensor

DIGITS = {
    0: (
        "50 20 03 06 29 59 86 93 70 50",
        "60 30 04 07 39 69 86 83 61 40",
        "81 40 13 07 39 78 94 71 30",
        "70 40 13 07 39 69 86 82 60 45 28",
        "50 80 95 69 29 05 20 50 64",
    ),
    1: (
        "50 59",
        "24 50 50 59",
        "06 50 50 59",
        "07 30 50 50 59",
        "15 60 60 39",
        "24 50 50 59; 19 89",
        "05 50 50 59; 19 99",
        "07 50 50 59; 29 89",
        "13 32 50 50 59",
        "15 33 50 50 59; 29 79",
        "05 70 70 39",
        "14 34 80 80 49",
        "03 43 90 90 59",
        "16 60 60 39",
        "15 45 72 70 39",
        "08 80 80 39",
        "06 42 70 70 59",
        "04 44 90 90 49",
        "17 54 61 60 49",
        "03 34 60 60 59",
    ),
    2: (
        "12 30 60 82 74 47 09 09 99",
        "13 31 60 82 74 46 18 07 27 58 98",
        "11 71 71 09 09 99",
        "02 20 60 82 65 38 09 09 49 98",
        "11 40 71 65 18 19 37 58 99",
        "44 23 21 50 81 73 45 18 09 09 99",
        "34 13 20 60 73 46 19 07 27 59 98",
        "54 33 32 60 81 74 27 09 09 79",
        "45 24 21 60 82 64 17 08 18 49 98",
    ),
    3: (
        "12 30 70 82 64 44 44 74 86 79 39 07",
        "11 40 81 64 43 43 55 77 69 39 18",
        "10 80 80 44 44 75 87 69 39 08",
        "02 40 72 54 34 45 76 79 39 08",
        "20 70 83 54 34 34 75 87 59 09",
        "02 30 80 54 65 58 19",
        "11 71 43 54 66 48 18",
        "02 21 90 54 44 65 57 29",
        "12 40 80 54 44 65 56 38 09",
        "20 80 53 43 74 66 39 19",
    ),
    4: (
        "20 16 16 96; 72 79",
        "70 06 06 96; 70 79",
        "30 16 16 86; 64 69",
        "40 07 07 97; 66 69",
        "50 06 06 96; 74 79",
        "79 70 70 06 06 96",
        "10 14 36 66 83; 90 79",
        "00 04 04 94; 80 89",
        "20 05 05 85; 63 59",
        "30 06 06 96; 75 69",
        "60 05 05 95; 62 79",
        "10 15 15 85; 75 79",
        "40 27 07 06 36 96; 75 69",
        "30 17 37 97; 74 59",
        "50 07 07 87; 67 69",
        "70 05 05 85 85 79",
        "60 05 05 95 85 69",
        "50 07 87; 73 69",
        "40 05 07 86; 84 58",
        "60 14 06 27 76; 72 68",
        "50 17 27 75; 75 59",
        "40 08 65; 63 58",
        "70 04 06 55 85 78",
        "60 07 27 55; 53 59",
        "30 14 05 34 55; 52 48",
    ),
    5: (
        "80 20 20 14 14 43 74 86 79 39 08",
        "20 14 14 43 74 86 79 39 08; 20 90",
        "80 40 21 33 55 77 69 39 08",
        "30 14 14 53 86 69 18; 30 90",
        "90 30 24 24 64 87 59 08",
    ),
    6: (
        "70 42 15 07 29 69 87 75 45 16",
        "60 33 06 28 59 78 76 55 26 17",
        "20 07 29 69 87 65 26 08",
        "90 50 14 07 39 79 87 65 26",
        "50 22 06 28 59 77 66 36 08",
        "90 31 04 07 39 79 86 74 34 05",
        "90 40 22 05 08 49 88 85 54 26",
    ),
    7: (
        "00 90 90 39",
        "00 80 80 39; 25 85",
        "02 00 00 90 90 39",
        "01 30 80 64 49",
        "02 20 60 90 54 39; 25 85",
        "10 80 80 59; 35 95",
        "02 01 01 91 91 39; 25 75",
        "10 90 90 29; 26 76",
        "12 00 00 90 47 29; 15 85",
        "12 40 70 63 39; 16 86",
        "11 71 58; 15 85",
        "12 40 71 64 48 49; 16 86",
        "13 40 71 54 36 39; 06 86",
        "12 60 80 63 49; 05 95",
    ),
    8: (
        "81 50 20 12 33 65 87 69 39 17 25 54 72 81",
        "50 31 23 44 63 71 50; 44 16 28 49 78 86 44",
        "70 40 22 43 75 87 59 27 25 63 81 70",
        "50 22 44 72 50; 44 17 49 87 44",
        "90 30 12 54 87 59 17 35 81 90",
        "03 14 47 39 18 36 72 80 50 21",
        "02 46 49 18 45 82 70 40",
        "11 34 57 48 37 72 70 41",
    ),
    9: (
        "82 50 21 13 35 65 82 82 79",
        "81 40 13 35 64 81 80 85 69",
        "81 40 13 35 64 81 86 69 38 17",
        "71 40 13 35 64 71 66 38 19 19 98",
        "72 40 13 35 64 72 72 69; 29 99",
        "50 23 45 72 50; 72 69 28",
        "81 50 23 45 73 81 65 38 09",
        "71 30 13 45 72 71 67 59 19 08",
        "60 32 24 45 63 60; 64 48 19 19 89",
        "81 20 14 85 85 81 89 89 09",
        "91 40 02 15 45 92 91 49",
        "50 22 34 63 50; 63 67 09; 09 99",
        "44 73 81 50 22 44 76 69 09",
        "54 73 80 40 21 33 54 76 69 08",
        "64 82 70 30 12 24 54 77 59 19 08",
        "55 83 80 50 23 45 66 58 18 09 99",
        "81 40 02 14 54 82 80 50 34 99",
        "44 72 60 31 33 45 67 69 09 09",
        "70 40 22 34 62 41 33 66 68 19",
        "43 23 30 60 73 66 38 19",
    ),
}

SIGNS = (
    # capital letters that look like no digit
    "09 40 40 89; 26 66",
    "90 00 09 99; 04 74",
    "90 00 00 09 09 99; 04 74",
    "90 00 00 09; 04 74",
    "00 09; 90 99; 04 94",
    "00 09; 90 04; 34 99",
    "09 00 00 55 55 90 90 99",
    "09 00 00 99 99 90",
    "09 00; 00 60 82 54 04",
    "09 00; 00 60 82 54 04; 44 99",
    "00 49 49 90",
    "00 29 29 53 53 79 79 90",
    "00 99; 90 09",
    "00 00 09 09 99",
    "40 13 06 39 79 93 60 40; 67 99",
    # small letters
    "12 40 72 76; 74 35 17 39 67; 76 99",
    "05 95 72 41 15 38 69 97",
    "80 51 49; 24 74",
    "00 09; 06 44 76 79",
    "00 09; 84 06; 36 89",
    "03 09; 04 34 49; 45 64 86 89",
    "03 09; 05 44 66 69",
    "03 29 29 45 45 69 69 93",
    "03 49 49 93",
    "03 99; 93 09",
    "03 09; 06 33 74",
    "40 49 78; 13 73",
    "40 39; 03 83; 41 60 81",
    "12 40 72 79; 74 35 17 39 77",
    "22 50 73 79 79 99; 74 34 17 39 68",
    "30 37 49 78; 13 73",
    "50 58 79 98; 13 93; 13 50",
    "80 50 42 49; 13 73",
    "90 60 41 49; 13 73; 29 69",
    "05 95 83 50 12 06 29 69 97",
    "16 85 62 31 13 27 59 87",
    # letters that resemble a digit only in a hurry
    "00 00 06 39 69 96 90 90",
    "00 07 49 97 90; 90 99",
    "10 15 49 85 80",
    "03 07 29 58 83 83; 83 89 99",
    "00 00 09 09 99",
    "20 20 19 19 89 87",
    "10 30 20 29; 09 99 96",
    "92 60 30 03 06 39 69 97",
    "91 91 50 13 06 39 69 98",
    "81 40 13 15 38 68 87",
    "92 60 30 03 06 39 79 96 96 56",
    "82 50 13 06 39 69 88 85 55; 85 89",
    "92 92 40 03 06 49 96 96 66",
    # Greek, and signs of the keyboard
    "93 47 19 05 23 58 99",
    "00 33 59 38 55 90",
    "00 90; 20 29; 70 79",
    "40 13 38 59 86 91 40; 14 85",
    "50 59; 53 15 48 76 53",
    "01 05 37 67 85 91; 50 59",
    "09 40 40 89 89 09",
    "10 99; 45 09",
    "09 02 30 63 45 14 65 77 58 27",
    "29 29 06 13 41 83 96 79 79; 09 29; 79 99",
    "12 40 72 54 46; 48 49",
    "20 29; 70 79; 03 93; 06 96",
    "80 30 12 53 86 69 08; 50 59",
    "50 59; 05 95",
    "03 93; 06 96",
    "05 95; 62 95 68",
    "50 59; 22 50 82",
    "90 13 56 99; 09 40",
    "90 09; 11 22; 77 88",
    "99 55 21 40 62 36 08 39 75",
    "50 59; 12 87; 17 82",
    "30 00 09 39; 60 90 99 69",
    "60 30 34 05 35 39 69",
    "96 77 65 75 85 53 14 17 58 97",
    # little pictures
    "05 39 39 90",
    "52 20 03 59 96 80 52",
    "09 04 50 94 99 99 09; 39 36 66 69",
    "50 13 15 39 79 96 93 50; 33 34; 63 64; 26 48 76",
    "55 65 56 45 43 73 77 37 22 81",
    "05 40 85 99; 91 99; 05 49 85 91",
    "50 20 23 53 80 50; 54 59; 36 76",
    "50 22 54 82 50; 54 57; 15 85; 57 29; 57 89",
    "50 09 09 99 99 50; 59 56",
    "05 15 25 42 75 95 95",
    "00 99 90 09 00",
    "03 93 93 99 99 09 09 03; 03 50 93",
    "15 40 75 95 79 29 15; 07 27; 30 36",
    "04 22 44 62 84; 17 35 57 75 97",
    "50 45 09; 45 99; 03 44 93",
    "40 44 09 99 54 50; 40 50",
)

POINTS = 96  # a template; about 0.8 px apart along the longest
GRID = 9.0  # units from side to side of a template


def trace(template: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (points (POINTS, 2) in [-0.5, 0.5], x right and y down; stroke number (POINTS,)) along a template.

    Catmull-Rom splines, sampled evenly by length.
    """
    strokes = [
        np.array([[int(point[0]), int(point[1])] for point in stroke.split()], np.float64)
        for stroke in template.split(";")
    ]
    dense = []
    for points in strokes:
        around = np.concatenate([points[:1], points, points[-1:]])
        t = np.linspace(0, 1, 24)[:, None]
        parts = []
        for a, b, c, d in zip(around, around[1:], around[2:], around[3:]):
            parts.append(
                0.5
                * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            )
        dense.append(np.concatenate(parts))
    lengths = [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() + 0.5 for line in dense]
    shares = np.maximum(np.round(np.array(lengths) / sum(lengths) * POINTS), 2).astype(int)
    shares[shares.argmax()] += POINTS - shares.sum()
    samples = []
    for line, count in zip(dense, shares):
        along = np.concatenate([[0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
        at = np.linspace(0, along[-1], count)
        samples.append(np.stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])], 1))
    return np.concatenate(samples) / GRID - 0.5, np.repeat(np.arange(len(shares)), shares)


class Hand:
    """Draws templates, each time a little differently, on one device."""

    def __init__(self, templates: list[str], device: torch.device) -> None:
        traced = [trace(template) for template in templates]
        self.points = torch.tensor(
            np.stack([points for points, _ in traced]), dtype=torch.float32, device=device
        )  # (T, P, 2)
        self.stroke = torch.tensor(np.stack([stroke for _, stroke in traced]), device=device)  # (T, P)

    def draw(self, which: Tensor, generator: Generator, wildness: float = 1.0) -> Tensor:
        """Return paths (N, POINTS, 2) in pixels of a 28 px frame, drawn after templates `which` (N,).

        Every path is bent by a smooth random field, each stroke moved a little by itself, the whole slanted,
        stretched and fitted to 20 px; `wildness` scales the bending.
        """
        count, device = len(which), generator.device

        def normal(*shape: int) -> Tensor:
            return torch.randn(count, *shape, generator=generator, device=device)

        def uniform(low: float, high: float) -> Tensor:
            return torch.rand(count, generator=generator, device=device) * (high - low) + low

        path = self.points[which]  # (N, P, 2)
        waves = 3
        frequency = normal(waves, 2) * 0.6  # cycles a template's side
        phase = uniform(0, 2 * math.pi)[:, None, None] + normal(1, waves) * 3
        field = (2 * math.pi * path @ frequency.transpose(1, 2) + phase).sin() @ (
            normal(waves, 2) * 0.055 * wildness
        )
        moved = (normal(8, 2) * 0.03 * wildness).gather(1, self.stroke[which][:, :, None].expand(-1, -1, 2))
        path = path + field + moved
        slant, aspect = uniform(-0.35, 0.25), uniform(math.log(0.5), math.log(1.05)).exp()
        x = (path[..., 0] - slant[:, None] * path[..., 1]) * aspect[:, None]
        path = torch.stack([x, path[..., 1]], 2)
        low, high = path.amin(1), path.amax(1)
        size = (high - low).amax(1).clamp(min=1e-3)
        return (path - ((low + high) / 2)[:, None]) * (uniform(15.5, 18.5) / size)[:, None, None] + 14.0
