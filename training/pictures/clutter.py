"""Clutter that scanners, cameras and paper add, laid over training pictures."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from training.pictures.pens import (
    ink_path,
    random_integer,
    random_strokes,
    random_values,
    share_out,
    smooth_noise,
)


def add_clutter(ink: Tensor, generator: Generator) -> Tensor:
    """Lay over each picture one thing that scanners, cameras and paper add; the parts share the batch."""
    makers = (_lines, _dots, _fog, _specks, _bands, _outline, _smear, _frosted, _light)
    return share_out(makers, generator, ink).clamp(0, 1)


def _lines(ink: Tensor, generator: Generator) -> Tensor:
    """One to four straight strokes across the picture; on half of the pictures a zigzag from side to side instead."""
    half = len(ink) // 2
    lines = torch.zeros_like(ink[:half, 0])
    for _ in range(random_integer(1, 4, generator)):
        lines = torch.maximum(lines, random_strokes(half, 2, generator, reach=16.0, width=(0.3, 1.3)))
    rest = len(ink) - half
    teeth = random_integer(5, 12, generator)
    swing = random_values(rest, 1, 6, generator)[:, None] * (
        1 - 2 * (torch.arange(teeth, device=ink.device) % 2)
    )
    level = (
        random_values(rest, 4, 24, generator)[:, None]
        + torch.linspace(-1, 1, teeth, device=ink.device) * random_values(rest, -5, 5, generator)[:, None]
    )
    corners = torch.stack(
        [torch.linspace(-1, 29, teeth, device=ink.device).expand(rest, teeth), level + swing], 2
    )
    zigzag = ink_path(corners, random_values(rest, 0.2, 0.9, generator))
    return torch.maximum(ink, torch.cat([lines, zigzag])[:, None])


def _dots(ink: Tensor, generator: Generator) -> Tensor:
    """A dotted line, or the digit itself broken into dots."""
    y, x = torch.meshgrid(
        torch.arange(28.0, device=ink.device), torch.arange(28.0, device=ink.device), indexing="ij"
    )
    angle = random_values(len(ink), 0, math.pi, generator)[:, None, None]
    phase = (x * angle.cos() + y * angle.sin()) * random_values(len(ink), 1.0, 2.2, generator)[:, None, None]
    gaps = (phase.sin() > 0).float()[:, None]
    line = random_strokes(len(ink), 2, generator, reach=16.0, width=(0.4, 1.1))[:, None]
    return torch.maximum(ink, line * gaps)


def _fog(ink: Tensor, generator: Generator) -> Tensor:
    haze = smooth_noise(len(ink), 28, random_integer(3, 9, generator), generator)
    amount = random_values(len(ink), 0.2, 0.8, generator)[:, None, None, None]
    return torch.maximum(ink, ink * (1 - amount) + haze * amount)


def _specks(ink: Tensor, generator: Generator) -> Tensor:
    """Salt and pepper, or spatter: specks of one or several pixels, bright or dark."""
    cells = (28, 28, 14, 10)[random_integer(0, 4, generator)]
    noise = torch.rand(len(ink), 1, cells, cells, device=ink.device, generator=generator)
    share = random_values(len(ink), 0.01, 0.15, generator)[:, None, None, None]
    bright = F.interpolate((noise < share).float(), size=28, mode="bilinear")
    dark = F.interpolate((noise > 1 - share).float(), size=28, mode="bilinear")
    return torch.maximum(ink, bright) * (1 - dark)


def _bands(ink: Tensor, generator: Generator) -> Tensor:
    """Bands of the picture turned to negative."""
    places = torch.arange(28.0, device=ink.device)
    low = random_values(len(ink), -14, 12, generator)[:, None]
    high = low + random_values(len(ink), 3, 16, generator)[:, None]
    other = random_values(len(ink), 16, 34, generator)[:, None]
    band = (((places > low) & (places < high)) | (places > other)).float()
    upright = (random_values(len(ink), 0, 1, generator) < 0.7).float()[:, None, None]
    mask = (upright * band[:, None, :] + (1 - upright) * band[:, :, None])[:, None]
    return ink * (1 - mask) + (1 - ink) * mask


def _outline(ink: Tensor, generator: Generator) -> Tensor:
    """Only the edge of the ink."""
    edge = F.max_pool2d(ink, 3, 1, 1) + F.max_pool2d(-ink, 3, 1, 1)
    sharp = ((edge - 0.4) * 4).clamp(0, 1)
    inner = (ink - (-F.max_pool2d(-ink, 3, 1, 1))) * 1.5
    return torch.where(
        random_values(len(ink), 0, 1, generator)[:, None, None, None] < 0.5, sharp, inner.clamp(0, 1)
    )


def _smear(ink: Tensor, generator: Generator) -> Tensor:
    """Motion: the mean of the picture along a short line."""
    angle = random_values(len(ink), 0, math.pi, generator)
    reach = random_values(len(ink), 1, 4.5, generator)
    step = torch.stack([angle.cos() * reach, angle.sin() * reach], 1) / 14  # grid units
    places = (torch.arange(28.0, device=ink.device) + 0.5) / 14 - 1
    y, x = torch.meshgrid(places, places, indexing="ij")
    grid = torch.stack([x, y], 2)[None].expand(len(ink), 28, 28, 2)
    total = torch.zeros_like(ink)
    for part in torch.linspace(-1, 1, 7).tolist():
        total += F.grid_sample(ink, grid + part * step[:, None, None], align_corners=False)
    return total / 7


def _frosted(ink: Tensor, generator: Generator) -> Tensor:
    """Frosted glass: each pixel taken from one up to two or three pixels away, then blurred."""
    places = (torch.arange(28.0, device=ink.device) + 0.5) / 14 - 1
    y, x = torch.meshgrid(places, places, indexing="ij")
    moved = torch.rand(len(ink), 28, 28, 2, device=ink.device, generator=generator) * 2 - 1
    grid = (
        torch.stack([x, y], 2)
        + moved * (random_values(len(ink), 0.5, 3, generator) / 14)[:, None, None, None]
    )
    return F.avg_pool2d(F.grid_sample(ink, grid, align_corners=False), 3, 1, 1)


def _light(ink: Tensor, generator: Generator) -> Tensor:
    """A paper that is not black, or heavy noise."""
    grey = random_values(len(ink), 0.1, 0.7, generator)[:, None, None, None]
    noise = torch.randn(ink.shape, device=ink.device, generator=generator) * 0.3
    noisy = (random_values(len(ink), 0, 1, generator) < 0.6).float()[:, None, None, None]
    return (1 - noisy) * (grey + ink * (1 - grey)) + noisy * (ink + noise)
