"""Training pictures made from MNIST: whole batches at a time, on the training device, no host sync.

Order: style strokes (a flag or foot on a 1, a bar through a 7, a tail on a 9) -> rotation, shear, scale, shift
and elastic bending in one resampling -> pen width -> scanner resolution -> ink and noise -> clutter;
and a share of each batch becomes pictures of no digit (label NOT_A_DIGIT), so that the network
learns to doubt. Nothing here is anybody else's handwriting.

Source: elastic bending after Simard, Steinkraus and Platt (2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ink.frame import CENTRE
from training.pictures.clutter import add_clutter
from training.pictures.negatives import make_negatives
from training.pictures.pens import (
    area_means,
    ink_points,
    ink_segment,
    pen_width,
    random_integer,
    random_values,
    resample,
)
from training.pictures.templates import DIGITS, Hand

NOT_A_DIGIT = -1  # label of a picture that shows no digit


@dataclass(frozen=True)
class Augmentation:
    """Strengths; lengths in pixels of the 28 px frame, angles in radians, shares in [0, 1]."""

    rotation: float = 0.22  # uniform, either way
    shear: float = 0.22
    scale: float = 0.13  # relative, each axis on its own half of it
    shift: float = 1.5
    bend: float = 0.9  # standard deviation of the elastic field's 5x5 control points
    bend_share: float = 0.8
    width: float = 0.9  # how far towards the 3x3 dilated or eroded picture
    style_share: float = 1.0  # scales the shares of flagged ones, crossed sevens, tailed nines
    coarse_share: float = 0.25  # read at 10 to 24 px and brought back, half of these black and white
    stretch_share: float = (
        0.1  # of the pictures, made up to 1.7 times as wide, as scans that fill their box are
    )
    drawn_share: float = 0.07  # digits of our own strokes instead of MNIST's
    clutter_share: float = 0.22
    negative_share: float = 0.18


FULL = Augmentation()
CALM = Augmentation(  # for the end of a run: nearer to MNIST
    rotation=0.15,
    shear=0.15,
    scale=0.1,
    shift=1.2,
    bend=0.7,
    width=0.6,
    style_share=0.7,
    coarse_share=0.15,
    drawn_share=0.05,
)


def augment(
    images: Tensor, labels: Tensor, strength: Augmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Return float32 images (N, 1, 28, 28) in [0, 1] and labels (N,), some of them NOT_A_DIGIT.

    `images` is uint8 (N, 1, 28, 28), ink bright, in random order (the shares are parts of the batch);
    `generator` lives on the same device.
    """
    count = len(images)
    ink = images.float().div_(255)
    ink = add_style_strokes(ink, labels, strength.style_share, generator)
    negatives, drawn = int(count * strength.negative_share), int(count * strength.drawn_share)
    if negatives + drawn:
        kept = count - negatives - drawn
        ours, our_labels = draw_digits(drawn, generator)
        odd = make_negatives(ink[count - negatives :], labels[count - negatives :], generator)
        order = torch.randperm(count, generator=generator, device=ink.device)  # what follows takes slices
        ink = torch.cat([ink[:kept], ours, odd])[order]
        labels = torch.cat(
            [labels[:kept], our_labels, torch.full_like(labels[count - negatives :], NOT_A_DIGIT)]
        )[order]
    ink = warp(ink, strength, generator)
    ink = change_pen_width(ink, strength.width, generator)
    coarse = int(count * strength.coarse_share)
    if coarse:
        ink[-coarse:] = scan_coarsely(ink[-coarse:], generator)
    ink = change_ink(ink, generator)
    cluttered, skipped = int(count * strength.clutter_share), int(count * strength.coarse_share / 2)
    if cluttered:
        part = slice(count - skipped - cluttered, count - skipped)  # half of the coarse ones among them
        ink[part] = add_clutter(ink[part], generator)
    return ink.clamp_(0, 1), labels


# ---------------------------------------------------------------------------------- digits


def add_style_strokes(ink: Tensor, labels: Tensor, share: float, generator: Generator) -> Tensor:
    """Draw what MNIST's American writers leave out, in each digit's own pen.

    A flag on 40 % of the ones (up to as long as the 1 itself), a foot on a third of those, a bar through 20 % of the
    sevens, a tail or base on 20 % of the nines; and 20 % of the fours lose the part of the stem above the bar
    (times `share`). Works on (N, 1, 28, 28) without leaving the device.
    """
    picture = ink[:, 0]
    solid = (picture > 0.4).float()
    rows = torch.arange(28.0, device=ink.device)
    in_row = solid.sum(2)  # (N, 28)
    inked = (in_row > 0).float()
    top = inked.argmax(1)
    bottom = 27 - inked.flip(1).argmax(1)
    row_centre = (solid * rows).sum(2) / in_row.clamp(min=1)  # (N, 28) mean column of each row

    def column_at(row: Tensor) -> Tensor:
        return row_centre.gather(1, row[:, None])[:, 0]

    height = (bottom - top).float()
    pen = pen_width(ink) / 2

    def uniform(low: float, high: float) -> Tensor:
        return random_values(len(ink), low, high, generator)

    chance = uniform(0, 1)
    x_top, y_top = column_at(top), top + pen * 0.7
    flag, angle = uniform(0.15, 0.75) * height, uniform(0.35, 1.2)
    long = (uniform(0, 1) < 0.25).float()  # a flag that comes down beside the stem
    flag, angle = (
        flag + long * (uniform(0.7, 1.05) * height - flag),
        angle + long * (uniform(0.75, 1.25) - angle),
    )
    strokes = ink_segment(x_top, y_top, x_top - flag * angle.cos(), y_top + flag * angle.sin(), pen)
    flagged = (labels == 1) & (chance < 0.4 * share)
    extra = strokes * flagged[:, None, None]

    x_foot, y_foot = column_at(bottom), bottom - pen * 0.7
    strokes = ink_segment(
        x_foot - uniform(2, 7),
        y_foot + uniform(-0.7, 0.7),
        x_foot + uniform(2, 7),
        y_foot + uniform(-0.7, 0.7),
        pen,
    )
    footed = (labels == 1) & (chance < 0.14 * share)
    extra = torch.maximum(extra, strokes * footed[:, None, None])

    middle = (top + uniform(0.4, 0.62) * height).long().clamp(0, 27)
    x_bar, y_bar, tilt = column_at(middle), middle.float(), uniform(-1.5, 1.0)
    strokes = ink_segment(x_bar - uniform(2.5, 6), y_bar - tilt, x_bar + uniform(2.5, 5.5), y_bar + tilt, pen)
    barred = (labels == 7) & (chance < 0.2 * share)
    extra = torch.maximum(extra, strokes * barred[:, None, None])

    x_tail, y_tail, reach = column_at(bottom), bottom - pen * 0.7, uniform(3, 12)
    strokes = ink_segment(x_tail, y_tail, x_tail - reach, y_tail - uniform(0, 0.35) * reach, pen)
    tailed = (labels == 9) & (chance < 0.2 * share)
    extra = torch.maximum(extra, strokes * tailed[:, None, None])

    between = (rows >= (top + 0.3 * height)[:, None]) & (rows <= (top + 0.8 * height)[:, None])
    bar = (in_row * between).argmax(1)  # a 4's bar: its widest row
    above = rows < (bar - pen)[:, None]
    erased = rows < (bar - pen - (1 - uniform(0.4, 1.3).clamp(max=1)) * 0.5 * height)[:, None]
    split = (column_at(bar) + pen)[:, None]
    right = torch.sigmoid((rows - split) * 3)
    shortened = ((labels == 4) & (chance < 0.2 * share)).float()[:, None, None]
    picture = picture * (1 - shortened * (above & erased).float()[:, :, None] * right[:, None, :])
    return torch.maximum(picture, extra)[:, None]


@lru_cache(maxsize=4)
def _hand(device: torch.device) -> tuple[Hand, Tensor]:
    """Return what draws our digits, and the label of each template (T,)."""
    labels = [digit for digit, templates in DIGITS.items() for _ in templates]
    digits = [template for templates in DIGITS.values() for template in templates]
    return Hand(digits, device), torch.tensor(labels, device=device)


def draw_digits(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return `count` digits (N, 1, 28, 28) drawn by our own strokes, and their labels (N,)."""
    hand, labels = _hand(generator.device)
    which = torch.randint(0, len(labels), (count,), generator=generator, device=generator.device)
    path, bold = (
        hand.draw(which, generator),
        1 + 0.7 * (labels[which] == 1),
    )  # scanned 1s are often solid bars
    return ink_points(path, random_values(count, 0.7, 2.1, generator) * bold)[:, None], labels[which]


def warp(ink: Tensor, strength: Augmentation, generator: Generator) -> Tensor:
    """Rotate, shear, scale, shift and bend about the centre of mass, which lands on pixel 14.0."""
    count = len(ink)

    def uniform(extent: float) -> Tensor:
        return random_values(count, -extent, extent, generator)

    angle, shear = uniform(strength.rotation), uniform(strength.shear)
    size = 1 + uniform(strength.scale)
    stretch = uniform(strength.scale / 2)
    widened = (random_values(count, 0, 1, generator) < strength.stretch_share).float()
    stretch = stretch + widened * random_values(count, 0, 0.26, generator)
    across, down = size * (1 + stretch), size * (1 - stretch)
    cosine, sine = angle.cos(), angle.sin()
    # inverse map, output pixel -> input pixel
    matrix = torch.stack(
        [
            torch.stack([cosine / across, (sine + shear) / across], 1),
            torch.stack([-sine / down, cosine / down], 1),
        ],
        1,
    )  # (N, 2, 2)
    places = torch.arange(28.0, device=ink.device)
    mass = ink.sum((1, 2, 3)).clamp(min=1e-3)
    centre = torch.stack(
        [(ink.sum((1, 2)) * places).sum(1) / mass, (ink.sum((1, 3)) * places).sum(1) / mass], 1
    )
    y, x = torch.meshgrid(places, places, indexing="ij")
    offset = torch.stack([x, y], 2).view(1, 784, 2) - CENTRE  # (1, 784, 2)
    shift = torch.stack([uniform(strength.shift), uniform(strength.shift)], 1)[:, None]
    points = (offset - shift) @ matrix.transpose(1, 2) + centre[:, None]  # (N, 784, 2) input pixels
    bent = (random_values(count, 0, 1, generator) < strength.bend_share).float() * strength.bend
    control = torch.randn(count, 2, 5, 5, device=ink.device, generator=generator) * bent[:, None, None, None]
    field = F.interpolate(control, size=28, mode="bicubic", align_corners=True)
    points = points.view(count, 28, 28, 2) + field.permute(0, 2, 3, 1)
    return resample(ink, points)


def change_pen_width(ink: Tensor, extent: float, generator: Generator) -> Tensor:
    """Thicken or thin each picture by up to about one pixel a side."""
    amount = random_values(len(ink), -extent, extent, generator)[:, None, None, None]
    thick = F.max_pool2d(ink, 3, 1, 1)
    thin = -F.max_pool2d(-ink, 3, 1, 1)
    strokes_survive = (pen_width(ink) > 2.2).float()[:, None, None, None]
    return torch.where(amount > 0, ink.lerp(thick, amount), ink.lerp(thin, -amount * strokes_survive))


def scan_coarsely(ink: Tensor, generator: Generator) -> Tensor:
    """Read the pictures at 10 to 24 pixels a side and enlarge them again; half become black and white."""
    side = random_integer(10, 25, generator)
    if side < 20 and ink.device.type == "mps":
        small = area_means(ink, side)
    else:
        small = F.interpolate(ink, size=side, mode="area" if side < 20 else "bilinear")
    half = len(ink) // 2
    cut = random_values(half, 0.15, 0.45, generator)[:, None, None, None]
    small = torch.cat([(small[:half] > cut).float(), small[half:]])
    mode = ("bilinear", "bicubic")[random_integer(0, 2, generator)]
    return F.interpolate(small, size=28, mode=mode, align_corners=False).clamp(0, 1)


def change_ink(ink: Tensor, generator: Generator) -> Tensor:
    """Blur or sharpen, change the ink's tone, add a little noise: each on a part of the pictures."""
    count = len(ink)

    def pick(share: float) -> Tensor:
        return (random_values(count, 0, 1, generator) < share).float()[:, None, None, None]

    def uniform(low: float, high: float) -> Tensor:
        return random_values(count, low, high, generator)[:, None, None, None]

    smooth = F.avg_pool2d(ink, 3, 1, 1)
    ink = ink + pick(0.4) * uniform(-0.6, 0.9) * (smooth - ink)
    ink = ink.clamp(0, 1)
    ink = ink.lerp(((ink - 0.5) * uniform(1.5, 6) + 0.5).clamp(0, 1), pick(0.25))
    ink = ink ** (uniform(-0.5, 0.5) * pick(0.4)).exp() * (1 - pick(0.3) * uniform(0, 0.45))
    noise = torch.randn(ink.shape, device=ink.device, generator=generator)
    return ink + pick(0.2) * uniform(0, 0.15) * noise


# ---------------------------------------------------------------------------------- clutter
