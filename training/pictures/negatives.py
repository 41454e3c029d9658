"""Pictures of no digit, to learn doubt from: letters, signs, scribbles, turned digits, digits that touch, clothes.

A batch at a time, on its device, without waiting for it; trained towards equal probabilities
(outlier exposure; Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", 2019).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ink.frame import CENTRE
from training.pictures.pens import (
    first_mark,
    ink_path,
    ink_points,
    ink_segment,
    last_mark,
    pen_width,
    random_integer,
    random_strokes,
    random_values,
    resample,
    share_out,
    smooth_noise,
)
from training.pictures.templates import SIGNS, Hand


def make_negatives(ink: Tensor, labels: Tensor, generator: Generator, pairs: bool = True) -> Tensor:
    """Return pictures (N, 1, 28, 28) that show no digit, equal parts of each kind; with `pairs`, two that touch among them.

    Some are made of digits: `ink` (N, 1, 28, 28) and `labels` (N,).
    """
    touching = (_pairs, _pairs) if pairs else ()
    makers = (_scribbles, _glyphs, _signs, _signs, _signs, _polygons, _turned, *touching, _blobs, _clothes)
    return share_out(makers, generator, ink, labels).clamp(0, 1)


def _scribbles(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """A long wandering line, or hatching."""
    return random_strokes(len(ink), random_integer(5, 12, generator), generator, reach=10.0)[:, None]


def _glyphs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Letter-like signs: three to five straight strokes or arcs between the points of a 3 x 3 lattice."""
    count, strokes = len(ink), random_integer(3, 6, generator)
    device = ink.device
    ends = torch.randint(0, 3, (count, strokes, 2, 2), generator=generator, device=device).float() - 1
    joined = (torch.rand(count, strokes - 1, generator=generator, device=device) < 0.6)[:, :, None]
    ends[:, 1:, 0] = torch.where(joined, ends[:, :-1, 1], ends[:, 1:, 0])
    box = torch.stack([random_values(count, 4, 10, generator), random_values(count, 6, 10, generator)], 1)[
        :, None, None
    ]
    start, stop = (ends * box + CENTRE).unbind(2)  # (N, S, 2)
    arc = torch.randn(count, strokes, 2, generator=generator, device=device) * 5
    arc = arc * (torch.rand(count, strokes, 1, generator=generator, device=device) < 0.35)
    t = torch.linspace(0, 1, 12, device=device)[:, None]
    points = start[:, :, None] * (1 - t) + stop[:, :, None] * t + arc[:, :, None] * (4 * t * (1 - t))
    return ink_points(points.flatten(1, 2), random_values(count, 0.9, 1.9, generator))[:, None]


@lru_cache(maxsize=4)
def _hand(device: torch.device) -> Hand:
    """Return what draws our signs."""
    return Hand(list(SIGNS), device)


def _signs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Letters, signs and little pictures of our own strokes: half as a hand draws them, half as regular as print."""
    hand, count, half = _hand(generator.device), len(ink), len(ink) // 2
    which = torch.randint(0, len(SIGNS), (count,), generator=generator, device=ink.device)
    by_hand = ink_points(hand.draw(which[half:], generator), random_values(count - half, 0.7, 2.0, generator))
    nib = random_values(half, 0.6, 1.1, generator)[:, None, None]  # print is thinner in its level strokes
    printed = ink_points(
        hand.draw(which[:half], generator, 0.3), random_values(half, 0.7, 2.8, generator), nib
    )
    return torch.cat([by_hand, printed])[:, None]


def _polygons(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Closed outlines of three to five corners, stars among them, and crosses."""
    count, corners = len(ink), random_integer(3, 6, generator)
    step = 2 if corners == 5 and random_integer(0, 2, generator) else 1
    turn = random_values(count, 0, 2 * math.pi, generator)[:, None]
    angle = turn + torch.arange(corners + 1, device=ink.device) * (2 * math.pi * step / corners)
    width, height = (
        random_values(count, 5, 10, generator)[:, None],
        random_values(count, 7, 10, generator)[:, None],
    )
    path = torch.stack([CENTRE + width * angle.cos(), CENTRE + height * angle.sin()], 2)
    if corners == 4 and random_integer(0, 2, generator):
        path = path[:, [0, 2, 2, 1, 3]] if random_integer(0, 2, generator) else path[:, [0, 2]]
        across = torch.stack([2 * CENTRE - path[..., 0], path[..., 1]], 2)
        return torch.maximum(
            ink_path(path, random_values(count, 0.7, 2, generator)),
            ink_path(across, random_values(count, 0.7, 2, generator)),
        )[:, None]
    return ink_path(path, random_values(count, 0.7, 2, generator))[:, None]


def _turned(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Digits mirrored or turned so that they are none; a 0, and what would turn into a digit, is struck out."""
    quarter = ink.rot90(1, (2, 3))
    half = ink.rot90(2, (2, 3))
    mirrored = ink.flip(3)

    def among(*digits: int) -> Tensor:
        return sum((labels == d) for d in digits).bool()[:, None, None, None]  # type: ignore[union-attr]

    turn, slope = random_values(len(ink), 0, math.pi, generator), random_values(len(ink), 8, 12, generator)
    dx, dy = turn.cos() * slope, turn.sin() * slope
    crossed = torch.maximum(
        ink, ink_segment(CENTRE - dx, CENTRE - dy, CENTRE + dx, CENTRE + dy, pen_width(ink) / 2)[:, None]
    )
    first = (random_values(len(ink), 0, 1, generator) < 0.5)[:, None, None, None]
    bar = random_values(len(ink), 1.5, 4.5, generator)
    theta = torch.maximum(
        ink,
        ink_segment(CENTRE - bar, CENTRE + 0 * bar, CENTRE + bar, CENTRE + 0 * bar, pen_width(ink) / 2)[
            :, None
        ],
    )
    crossed = torch.where(among(0) & first, theta, crossed)
    result = torch.where(among(1, 2, 5, 8), quarter, crossed)
    result = torch.where(among(3, 4, 7), torch.where(first, quarter, mirrored), result)
    result = torch.where(
        among(4, 7) & (random_values(len(ink), 0, 1, generator) < 0.3)[:, None, None, None], half, result
    )
    return torch.where(among(6, 9) & first, mirrored, result)


def _pairs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Two digits that touch, together fitted to 20 px as one would be."""
    other, count = ink.roll(1, 0), len(ink)
    places = torch.arange(28.0, device=ink.device)
    inked = ink.amax((1, 2)) > 0.4  # (N, 28) columns
    left, right = first_mark(inked), last_mark(inked)
    other_left, other_right = left.roll(1, 0), right.roll(1, 0)
    moved = (
        right - other_left - random_values(count, -0.5, 4, generator)
    )  # columns by which the other is shifted
    down = random_values(count, -3, 3, generator)
    width = other_right + moved - left + 1
    scale = width.clamp(min=20) / 20
    middle = (left + other_right + moved) / 2
    y, x = torch.meshgrid(places - CENTRE, places - CENTRE, indexing="ij")
    across = x * scale[:, None, None] + middle[:, None, None]
    along = y * scale[:, None, None] + CENTRE

    second = resample(other, torch.stack([across - moved[:, None, None], along - down[:, None, None]], 3))
    return torch.maximum(resample(ink, torch.stack([across, along.expand_as(across)], 3)), second)


def _blobs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Filled shapes, plain or textured, and paper texture."""
    count = len(ink)
    cells = random_integer(3, 9, generator)
    shape = (
        smooth_noise(count, 28, cells, generator)
        - random_values(count, 0.3, 0.6, generator)[:, None, None, None]
    ) * 12
    places = torch.arange(28.0, device=ink.device) - CENTRE
    half_width = random_values(count, 5, 12, generator)[:, None]
    half_height = random_values(count, 4, 12, generator)[:, None]
    box = (places.abs() < half_height)[:, :, None] & (places.abs() < half_width)[:, None, :]
    texture = 1 - random_values(count, 0, 0.8, generator)[:, None, None, None] * smooth_noise(
        count, 28, 14, generator
    )
    filled = (random_values(count, 0, 1, generator) < 0.5)[:, None, None]
    inside = torch.where(filled, box.float(), box * shape[:, 0].sigmoid())
    return inside[:, None] * texture


def _clothes(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Silhouettes like clothes': alike left and right, some with sleeves or legs, or low ones like shoes; grey cloth."""
    count, device = len(ink), ink.device
    rows = torch.arange(28.0, device=device)
    knots = (
        torch.rand(count, 1, 6, generator=generator, device=device) * 5.5 + 5.5
    )  # narrower ones are bold 1s
    outline = F.interpolate(knots, size=28, mode="linear", align_corners=True)[:, 0]  # half width of each row
    arms, legs = (
        random_values(count, -8, 12, generator)[:, None],
        random_values(count, -12, 4, generator)[:, None],
    )
    sleeve = torch.relu((rows < 6 + random_values(count, 2, 14, generator)[:, None]) * arms)
    half = (outline + sleeve).clamp(max=11)[:, :, None]
    gap = (torch.relu(legs) * (rows > random_values(count, 6, 16, generator)[:, None]))[:, :, None]
    aside = (rows - CENTRE).abs()[None, None, :]
    upright = (
        (half - aside).clamp(0, 1) * (aside - gap + 1).clamp(0, 1) * ((rows > 4) & (rows < 24))[None, :, None]
    )
    low = (outline.roll(3, 1)[:, None, :] * 2 - (22 - rows)[None, :, None]).clamp(0, 1) * (rows < 23)[
        None, :, None
    ]
    low = low * (aside < 10.5)
    shape = torch.where((random_values(count, 0, 1, generator) < 0.3)[:, None, None], low, upright)
    cells = (3, 7, 14, 28)[random_integer(0, 4, generator)]
    cloth = 1 - random_values(count, 0, 0.9, generator)[:, None, None, None] * smooth_noise(
        count, 28, cells, generator
    )
    pictures = shape[:, None] * cloth
    large = F.interpolate(
        pictures[:, :, 3:25, 3:25], size=28, mode="bilinear"
    )  # as large as the whole picture
    return torch.where(random_values(count, 0, 1, generator)[:, None, None, None] < 0.3, large, pictures)
