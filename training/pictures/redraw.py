"""Other people's pen strokes, drawn anew for every batch: another pen, slant, opacity and fineness each time.

What comes out are frames as the road makes them of a drawing on a 280 px canvas: the longer side of the ink is 20 px, the
pen as wide as `frame.fit_pen` leaves it. A batch at a time, on its device, without waiting for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ink.frame import CENTRE, DIGIT_BOX, PEN_RANGE, WIDEST_BAR
from ink.measures import NARROW
from training.pictures.pens import ink_points, random_values, smooth_noise

BRUSHES = (2.0, 40.0)  # px of a 280 px canvas; widths of the pen, evenly spread in their logarithm
SIZES = (100.0, 250.0)  # px of that canvas; longer side of the path, likewise
AT_ONCE = 32  # drawings; what their distances take (N x points x 784) stays in a CPU's cache

Strokes = Sequence[
    Sequence[Sequence[float]]
]  # [[[x, y], ...], ...] in any units, y down, a new stroke at each pen-up


@dataclass(frozen=True)
class Drawings:
    """Paths of N drawings, all of P points, evenly spaced along the strokes.

    `points` (N, P, 2) float16 in [-0.5, 0.5], the longer side 1; `first` and `last` (N, P) int16: the first and last
    point of the stroke that a point belongs to.
    """

    points: Tensor
    first: Tensor
    last: Tensor

    def __len__(self) -> int:
        return len(self.points)

    def part(self, index: Tensor) -> Drawings:
        return Drawings(self.points[index], self.first[index], self.last[index])

    def to(self, device: torch.device | str) -> Drawings:
        return Drawings(self.points.to(device), self.first.to(device), self.last.to(device))


def trace_drawings(drawings: Sequence[Strokes], count: int) -> Drawings:
    """Return the paths of `drawings` with `count` points each, shared out by the strokes' lengths; at least two a stroke.

    Of a drawing with more strokes than pairs of points the longest are kept. Raises ValueError for one without a point.
    """
    traced = [_trace(strokes, count) for strokes in drawings]
    empty = (np.empty((0, count, 2)), np.empty((0, count)), np.empty((0, count)))
    points, first, last = (np.stack(part) for part in zip(*traced)) if traced else empty
    return Drawings(
        torch.tensor(points, dtype=torch.float16),
        torch.tensor(first, dtype=torch.int16),
        torch.tensor(last, dtype=torch.int16),
    )


def _trace(strokes: Strokes, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lines = [np.array([point[:2] for point in stroke], np.float64) for stroke in strokes if len(stroke)]
    if not lines or not all(np.isfinite(line).all() for line in lines):
        raise ValueError("a drawing needs points of two finite numbers")
    along = [np.concatenate([[0], np.hypot(*np.diff(line, axis=0).T).cumsum()]) for line in lines]
    order = sorted(range(len(lines)), key=lambda place: -along[place][-1])[: count // 2]
    lines, along = [lines[place] for place in sorted(order)], [along[place] for place in sorted(order)]
    everything = np.concatenate(lines)
    low, high = everything.min(axis=0), everything.max(axis=0)
    side = max(float((high - low).max()), 1e-9)
    lengths = np.array([line[-1] for line in along])
    spare = count - 2 * len(lines)
    shares = 2 + np.floor(spare * lengths / max(lengths.sum(), 1e-9)).astype(int)
    shares[lengths.argmax()] += count - shares.sum()
    places = [np.linspace(0, line[-1], share) for line, share in zip(along, shares)]
    points = [
        np.stack([np.interp(at, way, line[:, 0]), np.interp(at, way, line[:, 1])], 1)
        for at, way, line in zip(places, along, lines)
    ]
    ends = shares.cumsum()
    return (
        (np.concatenate(points) - (low + high) / 2) / side,
        np.repeat(ends - shares, shares),
        np.repeat(ends - 1, shares),
    )


def draw_again(drawings: Drawings, generator: Generator) -> Tensor:
    """Return frames (N, 1, 28, 28) in [0, 1] of `drawings`, each with its own hand and pen.

    A tenth has corners for curves (a square 0, the strokes of a display); an eighth is faded, in as many strokes overlap
    as a marker's do, half as many are sprayed; a sixth has hard edges, another soft ones. Parts of the batch are
    treated alike: let it be in random order.
    """
    if not len(drawings):
        return torch.zeros(0, 1, 28, 28, device=generator.device)
    parts = [slice(start, start + AT_ONCE) for start in range(0, len(drawings), AT_ONCE)]
    path, pen = _pose(drawings, generator)
    spray = max(len(drawings) // 16, 1)
    noise = torch.randn(path[:spray].shape, generator=generator, device=path.device)
    path[:spray] += noise * (pen[:spray] * 0.15)[:, None, None]
    radius = pen / 2
    radius[:spray] = random_values(spray, 0.4, 0.8, generator)
    solid = torch.cat([ink_points(path[part], radius[part]) for part in parts])
    eighth = len(drawings) // 8
    fading, overlapping = slice(spray, spray + eighth), slice(spray + eighth, spray + 2 * eighth)
    solid[fading] *= _fading(eighth, generator)
    solid[overlapping] = _overlapping(drawings, overlapping, path, radius, generator)
    return _edges(solid, generator)[:, None]


def _pose(drawings: Drawings, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return paths (N, P, 2) in frame pixels about the centre, and the width of their pens (N,)."""
    count, device = len(drawings), generator.device
    path = drawings.points.float()

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=generator, device=device)

    waves = 2
    turns = 2 * math.pi * path @ (normal(waves, 2) * 0.6).transpose(1, 2) + normal(1, waves) * 3
    path = path + turns.sin() @ (normal(waves, 2) * 0.015)
    angular = count // 10
    path[count - angular :] = _with_corners(path[count - angular :], drawings, count - angular, generator)
    slant, aspect = normal(1) * 0.12, (normal(1) * 0.1).exp()
    path = torch.stack([(path[..., 0] - slant * path[..., 1]) * aspect, path[..., 1]], 2)
    low, high = path.amin(1), path.amax(1)
    sides = high - low
    longer = sides.amax(1).clamp(min=1e-3)

    def spread(low: float, high: float) -> Tensor:
        return random_values(count, math.log(low), math.log(high), generator).exp()

    brush, size = spread(*BRUSHES), spread(*SIZES)
    width = brush * DIGIT_BOX / (size + brush)
    narrow = sides.amin(1) * size / longer + brush <= NARROW * (size + brush)
    width = torch.minimum(width.clamp(*PEN_RANGE), torch.where(narrow, WIDEST_BAR, PEN_RANGE[1]))
    path = (path - ((low + high) / 2)[:, None]) * ((DIGIT_BOX - width) / longer)[:, None, None] + CENTRE
    return path, width


def _with_corners(path: Tensor, drawings: Drawings, start: int, generator: Generator) -> Tensor:
    """Return paths (n, P, 2), those of the drawings from `start` on, as straight lines between every so many of their points."""
    count, points = path.shape[:2]
    step = torch.randint(points // 20, points // 8, (count, 1), generator=generator, device=path.device)
    first, last = drawings.first[start:].long(), drawings.last[start:].long()
    place = torch.arange(points, device=path.device) - first
    before = torch.minimum(first + place // step * step, last)
    after = torch.minimum(before + step, last)
    part = ((first + place - before) / (after - before).clamp(min=1))[:, :, None]

    def at(index: Tensor) -> Tensor:
        return path.gather(1, index[:, :, None].expand(-1, -1, 2))

    return at(before) * (1 - part) + at(after) * part


def _fading(count: int, generator: Generator) -> Tensor:
    """Return how much ink is left (count, 28, 28), in [0.25, 1]: as from a pen that runs dry and is pressed unevenly."""
    uneven = smooth_noise(count, 28, 5, generator)[:, 0]
    return 1 - random_values(count, 0.2, 0.75, generator)[:, None, None] * uneven


def _overlapping(
    drawings: Drawings, part: slice, path: Tensor, radius: Tensor, generator: Generator
) -> Tensor:
    """Return inks (n, 28, 28) in [0, 1], darker where the first and the second half of the path overlap, as a marker's are."""
    half = path.shape[1] // 2
    path, radius = path[part], radius[part]
    if not len(path):
        return path.new_zeros(0, 28, 28)
    opacity = random_values(len(path), 0.4, 0.9, generator)[:, None, None]
    one, other = (ink_points(points, radius) * opacity for points in (path[:, :half], path[:, half:]))
    ink = 1 - (1 - one) * (1 - other)
    return ink / ink.amax((1, 2), keepdim=True).clamp(min=1e-3)


def _edges(ink: Tensor, generator: Generator) -> Tensor:
    """Return inks (N, 28, 28), the sixth before the middle with hard edges, that after it with soft ones."""
    sixth, middle = len(ink) // 6, len(ink) // 2
    if not sixth:
        return ink
    hard, soft = slice(middle - sixth, middle), slice(middle, middle + sixth)
    ink[hard] = (ink[hard] > random_values(sixth, 0.25, 0.6, generator)[:, None, None]).float()
    blurred = F.avg_pool2d(ink[soft][:, None], 3, 1, 1)[:, 0]
    blurred = blurred / blurred.amax((1, 2), keepdim=True).clamp(min=1e-3)
    ink[soft] = ink[soft].lerp(blurred, random_values(sixth, 0.3, 1, generator)[:, None, None])
    return ink
