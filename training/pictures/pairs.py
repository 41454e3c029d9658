"""Pictures of two digits that touch, and of what is no such pair."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ink.frame import CENTRE, DIGIT_BOX
from training.pictures.augment import (
    FULL,
    NOT_A_DIGIT,
    Augmentation,
    add_style_strokes,
    augment,
    change_ink,
    change_pen_width,
    warp,
)
from training.pictures.negatives import make_negatives
from training.pictures.pens import first_mark, last_mark, resample

INK = 0.4  # from which a pixel counts where two digits meet
EACH = Augmentation(
    rotation=0.2, shear=0.2, scale=0.16, shift=0, bend=0.7, width=0.8, stretch_share=0
)  # before they meet,
TOGETHER = Augmentation(rotation=0.08, shear=0.12, scale=0.1, shift=1.2, bend=0.6, width=0.6)  # and as a pair
NO_PAIR_SHARE = 0.36  # of a batch: half no digit, three tenths three digits, a fifth single ones


def make_batch(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 1, 28, 28) and truth (N, 2) of uint8 digits (N, 1, 28, 28): pairs, and a share of none."""
    others = int(len(images) * NO_PAIR_SHARE)
    ink = images.float() / 255
    pairs, truth = make_pairs(ink, labels, generator)
    odd, three, single = torch.arange(others, device=ink.device).tensor_split([others // 2, others * 4 // 5])
    nothing = warp(make_negatives(ink[odd], labels[odd], generator, pairs=False), FULL, generator)
    third = F.pad(
        F.interpolate(ink[three], size=16, mode="area"), (6, 6, 6, 6)
    )  # as small as the digits of a pair
    triples = warp(touch(pairs[three], third, generator), TOGETHER, generator)
    singles, _ = augment(
        images[single], labels[single], replace(FULL, negative_share=0, stretch_share=0.5), generator
    )
    none = change_ink(
        change_pen_width(torch.cat([nothing, triples, singles]), TOGETHER.width, generator), generator
    )
    pictures = torch.cat([pairs[others:], none.clamp(0, 1)])
    return pictures, torch.cat([truth[others:], torch.full_like(truth[:others], NOT_A_DIGIT)])


def make_pairs(ink: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return touching pairs (N, 1, 28, 28) of digits in [0, 1] (N, 1, 28, 28), each of which is once left and once right.

    With the labels (N, 2), left and right.
    """
    ink = add_style_strokes(ink, labels, FULL.style_share, generator)
    ink = change_pen_width(warp(ink, EACH, generator), EACH.width, generator).clamp(0, 1)
    other = torch.randperm(len(ink), generator=generator, device=ink.device)
    pairs = warp(touch(ink, ink[other], generator), TOGETHER, generator)
    pairs = change_ink(change_pen_width(pairs, TOGETHER.width, generator), generator).clamp(0, 1)
    return pairs, torch.stack([labels, labels[other]], 1)


def touch(left: Tensor, right: Tensor, generator: Generator) -> Tensor:
    """Return pictures (N, 1, 28, 28) of `left` and `right` pushed together until their ink meets, fitted to 20 px as one.

    The right one is up to 4 pixels higher or lower, and up to 2.5 nearer than where the first pixels of a row meet.
    """
    count, device = len(left), left.device
    rows = torch.arange(28, device=device)
    down = torch.randint(-4, 5, (count, 1), generator=generator, device=device)
    first, second = left[:, 0] > INK, right[:, 0] > INK
    from_row = rows - down  # (N, 28): the row of the right digit beside each row of the left one
    inside = ((from_row >= 0) & (from_row < 28))[:, :, None]
    beside = second.gather(1, from_row.clamp(0, 27)[:, :, None].expand(-1, -1, 28)) & inside
    end = torch.where(first.any(2), last_mark(first), -math.inf)  # (N, 28) columns
    start = torch.where(beside.any(2), first_mark(beside), math.inf)
    far = last_mark(first.any(1)) - first_mark(second.any(1))  # where no row has ink of both: side by side
    meet = (end - start).amax(1)
    across = torch.where(meet.isfinite(), meet, far) - (
        torch.rand(count, generator=generator, device=device) * 2.8 - 0.3
    )
    down = down[:, 0].float()
    west = torch.minimum(first_mark(first.any(1)), first_mark(second.any(1)) + across)
    east = torch.maximum(last_mark(first.any(1)), last_mark(second.any(1)) + across)
    north = torch.minimum(first_mark(first.any(2)), first_mark(second.any(2)) + down)
    south = torch.maximum(last_mark(first.any(2)), last_mark(second.any(2)) + down)
    scale = (torch.maximum(east - west, south - north) + 1) / DIGIT_BOX
    y, x = torch.meshgrid(rows - CENTRE, rows - CENTRE, indexing="ij")
    column = (
        x * scale[:, None, None] + ((west + east) / 2)[:, None, None]
    )  # (N, 28, 28) pixels of the left digit
    row = y * scale[:, None, None] + ((north + south) / 2)[:, None, None]
    second = torch.stack([column - across[:, None, None], row - down[:, None, None]], 3)
    return torch.maximum(resample(left, torch.stack([column, row], 3)), resample(right, second))
