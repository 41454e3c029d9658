"""What the training pictures are drawn with: pens, measures and random numbers, a batch at a time, on its own device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ink.frame import CENTRE


def ink_points(points: Tensor, radius: Tensor, nib: Tensor | float = 1.0) -> Tensor:
    """Return (N, 28, 28): discs of `radius` (N,) at dense `points` (N, P, 2), joined by their density.

    A `nib` (N, 1, 1) makes them ellipses, that times as high as wide.
    """
    places = torch.arange(28.0, device=points.device)
    dx = (points[:, :, 0, None] - places).square()  # (N, P, 28)
    dy = ((points[:, :, 1, None] - places) / nib).square()
    nearest = (dy[:, :, :, None] + dx[:, :, None, :]).amin(1)  # (N, 28, 28)
    return (radius[:, None, None] + 0.5 - nearest.sqrt()).clamp(0, 1)


def ink_path(corners: Tensor, radius: Tensor) -> Tensor:
    """Return (N, 28, 28): the line through `corners` (N, P, 2) drawn with a pen of `radius` (N,)."""
    t = torch.linspace(0, 1, 20, device=corners.device)[:, None]
    path = corners[:, :-1, None] * (1 - t) + corners[:, 1:, None] * t  # (N, P-1, 20, 2)
    return ink_points(path.flatten(1, 2), radius)


def ink_segment(x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, radius: Tensor) -> Tensor:
    """Return (N, 28, 28): a round-ended stroke from (x0, y0) to (x1, y1), all (N,), soft by one pixel."""
    places = torch.arange(28.0, device=x0.device)
    px, py = places[None, None, :], places[None, :, None]
    x0, y0, x1, y1, radius = (v[:, None, None] for v in (x0, y0, x1, y1, radius))
    dx, dy = x1 - x0, y1 - y0
    along = (((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy).clamp(min=1e-3)).clamp(0, 1)
    distance = ((px - x0 - along * dx) ** 2 + (py - y0 - along * dy) ** 2).sqrt()
    return (radius + 0.5 - distance).clamp(0, 1)


def random_strokes(
    count: int, points: int, generator: Generator, reach: float, width: tuple[float, float] = (0.9, 2.0)
) -> Tensor:
    """Return (count, 28, 28): a line through `points` random points up to `reach` pixels from the centre."""
    corners = (
        torch.rand(count, points, 2, generator=generator, device=generator.device) * 2 - 1
    ) * reach + CENTRE
    return ink_path(corners, random_values(count, *width, generator))


def pen_width(ink: Tensor) -> Tensor:
    """Return each picture's mean stroke width (N,) in pixels, 1 to 6: twice the area over the outline.

    The outline is the total variation times pi / 4, exact on average over directions (Cauchy-Crofton).
    """
    area = ink.sum((1, 2, 3))
    padded = F.pad(ink, (1, 1, 1, 1))
    outline = padded.diff(dim=2).abs().sum((1, 2, 3)) + padded.diff(dim=3).abs().sum((1, 2, 3))
    return (2 * area / (outline * math.pi / 4).clamp(min=1)).clamp(1, 6)


def resample(pictures: Tensor, points: Tensor) -> Tensor:
    """Return pictures (N, 1, 28, 28) read at `points` (N, 28, 28, 2), columns and rows in pixels; nothing lies outside."""
    return F.grid_sample(
        pictures, (points + 0.5) / CENTRE - 1, mode="bilinear", padding_mode="zeros", align_corners=False
    )


def area_means(pictures: Tensor, side: int) -> Tensor:
    """Return pictures (N, 1, H, W) reduced to (N, 1, side, side), each pixel the mean of those it touches.

    As F.interpolate(mode="area"), which Apple GPUs have for divisors alone; rounded otherwise.
    """
    for size in reversed(pictures.shape[2:]):
        cells, places = (
            torch.arange(side, device=pictures.device)[:, None],
            torch.arange(size, device=pictures.device),
        )
        touched = (places >= cells * size // side) & (
            places < ((cells + 1) * size + side - 1) // side
        )  # (side, size)
        pictures = (pictures @ (touched / touched.sum(1, keepdim=True)).T).transpose(2, 3)
    return pictures


def first_mark(marks: Tensor) -> Tensor:
    """Return the place of the first True along the last axis, as float; 0 without any."""
    return marks.float().argmax(-1).float()


def last_mark(marks: Tensor) -> Tensor:
    """Return the place of the last True along the last axis, as float."""
    return marks.shape[-1] - 1 - first_mark(marks.flip(-1))


def smooth_noise(count: int, side: int, cells: int, generator: Generator) -> Tensor:
    """Return (count, 1, side, side) in [0, 1]: random values on a coarse grid, smoothly joined."""
    coarse = torch.rand(count, 1, cells, cells, generator=generator, device=generator.device)
    return F.interpolate(coarse, size=side, mode="bicubic", align_corners=True).clamp(0, 1)


def random_values(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """Return `count` values, evenly spread from `low` to `high`, on the generator's device."""
    return torch.rand(count, generator=generator, device=generator.device) * (high - low) + low


def random_integer(low: int, high: int, generator: Generator) -> int:
    """Return one integer in [low, high), from the generator's seed and draw count: no wait for a GPU."""
    if generator.device.type == "cpu":
        return int(torch.randint(low, high, (1,), generator=generator))
    return int(torch.randint(low, high, (1,)))


def share_out(makers: Sequence[Callable[..., Tensor]], generator: Generator, *batch: Tensor) -> Tensor:
    """Return what the `makers` make of `batch`, each of an equal part of it."""
    if not len(batch[0]):
        return batch[0]
    parts = zip(*(tensor.tensor_split(len(makers)) for tensor in batch))
    return torch.cat([maker(*part, generator) for maker, part in zip(makers, parts) if len(part[0])])
