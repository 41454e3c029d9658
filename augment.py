"""Training pictures made from MNIST: whole batches at a time, on the training device, no host sync.

Order: style strokes (a flag or foot on a 1, a bar through a 7, a tail on a 9) -> rotation, shear, scale, shift
and elastic bending in one resampling -> pen width -> scanner resolution -> ink and noise -> clutter;
and a share of each batch becomes pictures of no digit (label NOT_A_DIGIT), so that the network
learns to doubt. Nothing here is anybody else's handwriting.

Sources: elastic bending after Simard, Steinkraus and Platt (2003); pictures of no digit trained
towards equal probabilities after Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure" (2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from frame import CENTRE
from strokes import DIGITS, SIGNS, Hand

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
    stretch_share: float = 0.1  # of the pictures, made up to 1.7 times as wide, as scans that fill their box are
    drawn_share: float = 0.04  # digits of our own strokes instead of MNIST's
    clutter_share: float = 0.22
    negative_share: float = 0.18


FULL = Augmentation()
CALM = Augmentation(  # for the end of a run: nearer to MNIST
    rotation=0.15, shear=0.15, scale=0.1, shift=1.2, bend=0.7, width=0.6, style_share=0.7, coarse_share=0.15, drawn_share=0.03
)


def augment(images: Tensor, labels: Tensor, strength: Augmentation, generator: Generator) -> tuple[Tensor, Tensor]:
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
        labels = torch.cat([labels[:kept], our_labels, torch.full_like(labels[count - negatives :], NOT_A_DIGIT)])[order]
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
        return _uniform(len(ink), low, high, generator)

    chance = uniform(0, 1)
    x_top, y_top = column_at(top), top + pen * 0.7
    flag, angle = uniform(0.15, 0.75) * height, uniform(0.35, 1.2)
    long = (uniform(0, 1) < 0.25).float()  # a flag that comes down beside the stem
    flag, angle = flag + long * (uniform(0.7, 1.05) * height - flag), angle + long * (uniform(0.75, 1.25) - angle)
    strokes = _segment(x_top, y_top, x_top - flag * angle.cos(), y_top + flag * angle.sin(), pen)
    flagged = (labels == 1) & (chance < 0.4 * share)
    extra = strokes * flagged[:, None, None]

    x_foot, y_foot = column_at(bottom), bottom - pen * 0.7
    strokes = _segment(
        x_foot - uniform(2, 7), y_foot + uniform(-0.7, 0.7), x_foot + uniform(2, 7), y_foot + uniform(-0.7, 0.7), pen
    )
    footed = (labels == 1) & (chance < 0.14 * share)
    extra = torch.maximum(extra, strokes * footed[:, None, None])

    middle = (top + uniform(0.4, 0.62) * height).long().clamp(0, 27)
    x_bar, y_bar, tilt = column_at(middle), middle.float(), uniform(-1.5, 1.0)
    strokes = _segment(x_bar - uniform(2.5, 6), y_bar - tilt, x_bar + uniform(2.5, 5.5), y_bar + tilt, pen)
    barred = (labels == 7) & (chance < 0.2 * share)
    extra = torch.maximum(extra, strokes * barred[:, None, None])

    x_tail, y_tail, reach = column_at(bottom), bottom - pen * 0.7, uniform(3, 12)
    strokes = _segment(x_tail, y_tail, x_tail - reach, y_tail - uniform(0, 0.35) * reach, pen)
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
def _hands(device: torch.device) -> tuple[Hand, Tensor, Hand]:
    """Return what draws our digits, the label of each template (T,), and what draws our signs."""
    labels = [digit for digit, templates in DIGITS.items() for _ in templates]
    digits = [template for templates in DIGITS.values() for template in templates]
    return Hand(digits, device), torch.tensor(labels, device=device), Hand(list(SIGNS), device)


def draw_digits(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return `count` digits (N, 1, 28, 28) drawn by our own strokes, and their labels (N,)."""
    hand, labels, _ = _hands(generator.device)
    which = torch.randint(0, len(labels), (count,), generator=generator, device=generator.device)
    path, bold = hand.draw(which, generator), 1 + 0.7 * (labels[which] == 1)  # scanned 1s are often solid bars
    return _ink_points(path, _uniform(count, 0.7, 2.1, generator) * bold)[:, None], labels[which]


def pen_width(ink: Tensor) -> Tensor:
    """Return each picture's mean stroke width (N,) in pixels, 1 to 6: twice the area over the outline.

    The outline is the total variation times pi / 4, exact on average over directions (Cauchy-Crofton).
    """
    area = ink.sum((1, 2, 3))
    padded = F.pad(ink, (1, 1, 1, 1))
    outline = padded.diff(dim=2).abs().sum((1, 2, 3)) + padded.diff(dim=3).abs().sum((1, 2, 3))
    return (2 * area / (outline * math.pi / 4).clamp(min=1)).clamp(1, 6)


def warp(ink: Tensor, strength: Augmentation, generator: Generator) -> Tensor:
    """Rotate, shear, scale, shift and bend about the centre of mass, which lands on pixel 14.0."""
    count = len(ink)

    def uniform(extent: float) -> Tensor:
        return _uniform(count, -extent, extent, generator)

    angle, shear = uniform(strength.rotation), uniform(strength.shear)
    size = 1 + uniform(strength.scale)
    stretch = uniform(strength.scale / 2)
    widened = (_uniform(count, 0, 1, generator) < strength.stretch_share).float()
    stretch = stretch + widened * _uniform(count, 0, 0.26, generator)
    across, down = size * (1 + stretch), size * (1 - stretch)
    cosine, sine = angle.cos(), angle.sin()
    # inverse map, output pixel -> input pixel
    matrix = torch.stack(
        [torch.stack([cosine / across, (sine + shear) / across], 1), torch.stack([-sine / down, cosine / down], 1)], 1
    )  # (N, 2, 2)
    places = torch.arange(28.0, device=ink.device)
    mass = ink.sum((1, 2, 3)).clamp(min=1e-3)
    centre = torch.stack([(ink.sum((1, 2)) * places).sum(1) / mass, (ink.sum((1, 3)) * places).sum(1) / mass], 1)
    y, x = torch.meshgrid(places, places, indexing="ij")
    offset = torch.stack([x, y], 2).view(1, 784, 2) - CENTRE  # (1, 784, 2)
    shift = torch.stack([uniform(strength.shift), uniform(strength.shift)], 1)[:, None]
    points = (offset - shift) @ matrix.transpose(1, 2) + centre[:, None]  # (N, 784, 2) input pixels
    bent = (_uniform(count, 0, 1, generator) < strength.bend_share).float() * strength.bend
    control = torch.randn(count, 2, 5, 5, device=ink.device, generator=generator) * bent[:, None, None, None]
    field = F.interpolate(control, size=28, mode="bicubic", align_corners=True)
    points = points.view(count, 28, 28, 2) + field.permute(0, 2, 3, 1)
    return resample(ink, points)


def resample(pictures: Tensor, points: Tensor) -> Tensor:
    """Return pictures (N, 1, 28, 28) read at `points` (N, 28, 28, 2), columns and rows in pixels; nothing lies outside."""
    return F.grid_sample(pictures, (points + 0.5) / CENTRE - 1, mode="bilinear", padding_mode="zeros", align_corners=False)


def first_mark(marks: Tensor) -> Tensor:
    """Return the place of the first True along the last axis, as float; 0 without any."""
    return marks.float().argmax(-1).float()


def last_mark(marks: Tensor) -> Tensor:
    """Return the place of the last True along the last axis, as float."""
    return marks.shape[-1] - 1 - first_mark(marks.flip(-1))


def change_pen_width(ink: Tensor, extent: float, generator: Generator) -> Tensor:
    """Thicken or thin each picture by up to about one pixel a side."""
    amount = _uniform(len(ink), -extent, extent, generator)[:, None, None, None]
    thick = F.max_pool2d(ink, 3, 1, 1)
    thin = -F.max_pool2d(-ink, 3, 1, 1)
    strokes_survive = (pen_width(ink) > 2.2).float()[:, None, None, None]
    return torch.where(amount > 0, ink.lerp(thick, amount), ink.lerp(thin, -amount * strokes_survive))


def scan_coarsely(ink: Tensor, generator: Generator) -> Tensor:
    """Read the pictures at 10 to 24 pixels a side and enlarge them again; half become black and white."""
    side = _integers(10, 25, generator)
    small = F.interpolate(ink, size=side, mode="area" if side < 20 else "bilinear")
    half = len(ink) // 2
    cut = _uniform(half, 0.15, 0.45, generator)[:, None, None, None]
    small = torch.cat([(small[:half] > cut).float(), small[half:]])
    mode = ("bilinear", "bicubic")[_integers(0, 2, generator)]
    return F.interpolate(small, size=28, mode=mode, align_corners=False).clamp(0, 1)


def change_ink(ink: Tensor, generator: Generator) -> Tensor:
    """Blur or sharpen, change the ink's tone, add a little noise: each on a part of the pictures."""
    count = len(ink)

    def pick(share: float) -> Tensor:
        return (_uniform(count, 0, 1, generator) < share).float()[:, None, None, None]

    def uniform(low: float, high: float) -> Tensor:
        return _uniform(count, low, high, generator)[:, None, None, None]

    smooth = F.avg_pool2d(ink, 3, 1, 1)
    ink = ink + pick(0.4) * uniform(-0.6, 0.9) * (smooth - ink)
    ink = ink.clamp(0, 1)
    ink = ink.lerp(((ink - 0.5) * uniform(1.5, 6) + 0.5).clamp(0, 1), pick(0.25))
    ink = ink ** (uniform(-0.5, 0.5) * pick(0.4)).exp() * (1 - pick(0.3) * uniform(0, 0.45))
    noise = torch.randn(ink.shape, device=ink.device, generator=generator)
    return ink + pick(0.2) * uniform(0, 0.15) * noise


# ---------------------------------------------------------------------------------- clutter


def add_clutter(ink: Tensor, generator: Generator) -> Tensor:
    """Lay over each picture one thing that scanners, cameras and paper add; the parts share the batch."""
    makers = (_lines, _dots, _fog, _specks, _bands, _outline, _smear, _frosted, _light)
    return _share_out(makers, generator, ink).clamp(0, 1)


def _lines(ink: Tensor, generator: Generator) -> Tensor:
    """One to four straight strokes across the picture; on half of the pictures a zigzag from side to side instead."""
    half = len(ink) // 2
    lines = torch.zeros_like(ink[:half, 0])
    for _ in range(_integers(1, 4, generator)):
        lines = torch.maximum(lines, random_strokes(half, 2, generator, reach=16.0, width=(0.3, 1.3)))
    rest = len(ink) - half
    teeth = _integers(5, 12, generator)
    swing = _uniform(rest, 1, 6, generator)[:, None] * (1 - 2 * (torch.arange(teeth, device=ink.device) % 2))
    level = _uniform(rest, 4, 24, generator)[:, None] + torch.linspace(-1, 1, teeth, device=ink.device) * _uniform(
        rest, -5, 5, generator
    )[:, None]
    corners = torch.stack([torch.linspace(-1, 29, teeth, device=ink.device).expand(rest, teeth), level + swing], 2)
    zigzag = _ink_path(corners, _uniform(rest, 0.2, 0.9, generator))
    return torch.maximum(ink, torch.cat([lines, zigzag])[:, None])


def _dots(ink: Tensor, generator: Generator) -> Tensor:
    """A dotted line, or the digit itself broken into dots."""
    y, x = torch.meshgrid(torch.arange(28.0, device=ink.device), torch.arange(28.0, device=ink.device), indexing="ij")
    angle = _uniform(len(ink), 0, math.pi, generator)[:, None, None]
    phase = (x * angle.cos() + y * angle.sin()) * _uniform(len(ink), 1.0, 2.2, generator)[:, None, None]
    gaps = (phase.sin() > 0).float()[:, None]
    line = random_strokes(len(ink), 2, generator, reach=16.0, width=(0.4, 1.1))[:, None]
    return torch.maximum(ink, line * gaps)


def _fog(ink: Tensor, generator: Generator) -> Tensor:
    haze = _smooth_noise(len(ink), 28, _integers(3, 9, generator), generator)
    amount = _uniform(len(ink), 0.2, 0.8, generator)[:, None, None, None]
    return torch.maximum(ink, ink * (1 - amount) + haze * amount)


def _specks(ink: Tensor, generator: Generator) -> Tensor:
    """Salt and pepper, or spatter: specks of one or several pixels, bright or dark."""
    cells = (28, 28, 14, 10)[_integers(0, 4, generator)]
    noise = torch.rand(len(ink), 1, cells, cells, device=ink.device, generator=generator)
    share = _uniform(len(ink), 0.01, 0.15, generator)[:, None, None, None]
    bright = F.interpolate((noise < share).float(), size=28, mode="bilinear")
    dark = F.interpolate((noise > 1 - share).float(), size=28, mode="bilinear")
    return torch.maximum(ink, bright) * (1 - dark)


def _bands(ink: Tensor, generator: Generator) -> Tensor:
    """Bands of the picture turned to negative."""
    places = torch.arange(28.0, device=ink.device)
    low = _uniform(len(ink), -14, 12, generator)[:, None]
    high = low + _uniform(len(ink), 3, 16, generator)[:, None]
    other = _uniform(len(ink), 16, 34, generator)[:, None]
    band = (((places > low) & (places < high)) | (places > other)).float()
    upright = (_uniform(len(ink), 0, 1, generator) < 0.7).float()[:, None, None]
    mask = (upright * band[:, None, :] + (1 - upright) * band[:, :, None])[:, None]
    return ink * (1 - mask) + (1 - ink) * mask


def _outline(ink: Tensor, generator: Generator) -> Tensor:
    """Only the edge of the ink."""
    edge = F.max_pool2d(ink, 3, 1, 1) + F.max_pool2d(-ink, 3, 1, 1)
    sharp = ((edge - 0.4) * 4).clamp(0, 1)
    inner = (ink - (-F.max_pool2d(-ink, 3, 1, 1))) * 1.5
    return torch.where(_uniform(len(ink), 0, 1, generator)[:, None, None, None] < 0.5, sharp, inner.clamp(0, 1))


def _smear(ink: Tensor, generator: Generator) -> Tensor:
    """Motion: the mean of the picture along a short line."""
    angle = _uniform(len(ink), 0, math.pi, generator)
    reach = _uniform(len(ink), 1, 4.5, generator)
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
    grid = torch.stack([x, y], 2) + moved * (_uniform(len(ink), 0.5, 3, generator) / 14)[:, None, None, None]
    return F.avg_pool2d(F.grid_sample(ink, grid, align_corners=False), 3, 1, 1)


def _light(ink: Tensor, generator: Generator) -> Tensor:
    """A paper that is not black, or heavy noise."""
    grey = _uniform(len(ink), 0.1, 0.7, generator)[:, None, None, None]
    noise = torch.randn(ink.shape, device=ink.device, generator=generator) * 0.3
    noisy = (_uniform(len(ink), 0, 1, generator) < 0.6).float()[:, None, None, None]
    return (1 - noisy) * (grey + ink * (1 - grey)) + noisy * (ink + noise)


# ---------------------------------------------------------------------------------- no digit


def make_negatives(ink: Tensor, labels: Tensor, generator: Generator, pairs: bool = True) -> Tensor:
    """Return as many pictures (N, 1, 28, 28) that show no digit: scribbles, glyphs, turned digits, `pairs`, blobs."""
    touching = (_pairs, _pairs) if pairs else ()
    makers = (_scribbles, _glyphs, _signs, _signs, _signs, _polygons, _turned, *touching, _blobs, _clothes)
    return _share_out(makers, generator, ink, labels).clamp(0, 1)


def _scribbles(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """A long wandering line, or hatching."""
    return random_strokes(len(ink), _integers(5, 12, generator), generator, reach=10.0)[:, None]


def _glyphs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Letter-like signs: three to five straight strokes or arcs between the points of a 3 x 3 lattice."""
    count, strokes = len(ink), _integers(3, 6, generator)
    device = ink.device
    ends = torch.randint(0, 3, (count, strokes, 2, 2), generator=generator, device=device).float() - 1
    joined = (torch.rand(count, strokes - 1, generator=generator, device=device) < 0.6)[:, :, None]
    ends[:, 1:, 0] = torch.where(joined, ends[:, :-1, 1], ends[:, 1:, 0])
    box = torch.stack([_uniform(count, 4, 10, generator), _uniform(count, 6, 10, generator)], 1)[:, None, None]
    start, stop = (ends * box + CENTRE).unbind(2)  # (N, S, 2)
    arc = torch.randn(count, strokes, 2, generator=generator, device=device) * 5
    arc = arc * (torch.rand(count, strokes, 1, generator=generator, device=device) < 0.35)
    t = torch.linspace(0, 1, 12, device=device)[:, None]
    points = start[:, :, None] * (1 - t) + stop[:, :, None] * t + arc[:, :, None] * (4 * t * (1 - t))
    return _ink_points(points.flatten(1, 2), _uniform(count, 0.9, 1.9, generator))[:, None]


def _signs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Letters, signs and little pictures of our own strokes: half as a hand draws them, half as regular as print."""
    hand, count, half = _hands(generator.device)[2], len(ink), len(ink) // 2
    which = torch.randint(0, len(SIGNS), (count,), generator=generator, device=ink.device)
    by_hand = _ink_points(hand.draw(which[half:], generator), _uniform(count - half, 0.7, 2.0, generator))
    nib = _uniform(half, 0.6, 1.1, generator)[:, None, None]  # print is thinner in its level strokes
    printed = _ink_points(hand.draw(which[:half], generator, 0.3), _uniform(half, 0.7, 2.8, generator), nib)
    return torch.cat([by_hand, printed])[:, None]


def _polygons(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Closed outlines of three to five corners, stars among them, and crosses."""
    count, corners = len(ink), _integers(3, 6, generator)
    step = 2 if corners == 5 and _integers(0, 2, generator) else 1
    turn = _uniform(count, 0, 2 * math.pi, generator)[:, None]
    angle = turn + torch.arange(corners + 1, device=ink.device) * (2 * math.pi * step / corners)
    width, height = _uniform(count, 5, 10, generator)[:, None], _uniform(count, 7, 10, generator)[:, None]
    path = torch.stack([CENTRE + width * angle.cos(), CENTRE + height * angle.sin()], 2)
    if corners == 4 and _integers(0, 2, generator):
        path = path[:, [0, 2, 2, 1, 3]] if _integers(0, 2, generator) else path[:, [0, 2]]
        across = torch.stack([2 * CENTRE - path[..., 0], path[..., 1]], 2)
        return torch.maximum(_ink_path(path, _uniform(count, 0.7, 2, generator)),
                             _ink_path(across, _uniform(count, 0.7, 2, generator)))[:, None]
    return _ink_path(path, _uniform(count, 0.7, 2, generator))[:, None]


def _turned(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Digits mirrored or turned so that they are none; a 0, and what would turn into a digit, is struck out."""
    quarter = ink.rot90(1, (2, 3))
    half = ink.rot90(2, (2, 3))
    mirrored = ink.flip(3)

    def among(*digits: int) -> Tensor:
        return sum((labels == d) for d in digits).bool()[:, None, None, None]  # type: ignore[union-attr]

    turn, slope = _uniform(len(ink), 0, math.pi, generator), _uniform(len(ink), 8, 12, generator)
    dx, dy = turn.cos() * slope, turn.sin() * slope
    crossed = torch.maximum(
        ink, _segment(CENTRE - dx, CENTRE - dy, CENTRE + dx, CENTRE + dy, pen_width(ink) / 2)[:, None]
    )
    first = (_uniform(len(ink), 0, 1, generator) < 0.5)[:, None, None, None]
    bar = _uniform(len(ink), 1.5, 4.5, generator)
    theta = torch.maximum(
        ink, _segment(CENTRE - bar, CENTRE + 0 * bar, CENTRE + bar, CENTRE + 0 * bar, pen_width(ink) / 2)[:, None]
    )
    crossed = torch.where(among(0) & first, theta, crossed)
    result = torch.where(among(1, 2, 5, 8), quarter, crossed)
    result = torch.where(among(3, 4, 7), torch.where(first, quarter, mirrored), result)
    result = torch.where(among(4, 7) & (_uniform(len(ink), 0, 1, generator) < 0.3)[:, None, None, None], half, result)
    return torch.where(among(6, 9) & first, mirrored, result)


def _pairs(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Two digits that touch, together fitted to 20 px as one would be."""
    other, count = ink.roll(1, 0), len(ink)
    places = torch.arange(28.0, device=ink.device)
    inked = ink.amax((1, 2)) > 0.4  # (N, 28) columns
    left, right = first_mark(inked), last_mark(inked)
    other_left, other_right = left.roll(1, 0), right.roll(1, 0)
    moved = right - other_left - _uniform(count, -0.5, 4, generator)  # columns by which the other is shifted
    down = _uniform(count, -3, 3, generator)
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
    cells = _integers(3, 9, generator)
    shape = (
        _smooth_noise(count, 28, cells, generator) - _uniform(count, 0.3, 0.6, generator)[:, None, None, None]
    ) * 12
    places = torch.arange(28.0, device=ink.device) - CENTRE
    half_width = _uniform(count, 5, 12, generator)[:, None]
    half_height = _uniform(count, 4, 12, generator)[:, None]
    box = (places.abs() < half_height)[:, :, None] & (places.abs() < half_width)[:, None, :]
    texture = 1 - _uniform(count, 0, 0.8, generator)[:, None, None, None] * _smooth_noise(count, 28, 14, generator)
    filled = (_uniform(count, 0, 1, generator) < 0.5)[:, None, None]
    inside = torch.where(filled, box.float(), box * shape[:, 0].sigmoid())
    return inside[:, None] * texture


def _clothes(ink: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Silhouettes like clothes': alike left and right, some with sleeves or legs, or low ones like shoes; grey cloth."""
    count, device = len(ink), ink.device
    rows = torch.arange(28.0, device=device)
    knots = torch.rand(count, 1, 6, generator=generator, device=device) * 5.5 + 5.5  # narrower ones are bold 1s
    outline = F.interpolate(knots, size=28, mode="linear", align_corners=True)[:, 0]  # half width of each row
    arms, legs = _uniform(count, -8, 12, generator)[:, None], _uniform(count, -12, 4, generator)[:, None]
    sleeve = torch.relu((rows < 6 + _uniform(count, 2, 14, generator)[:, None]) * arms)
    half = (outline + sleeve).clamp(max=11)[:, :, None]
    gap = (torch.relu(legs) * (rows > _uniform(count, 6, 16, generator)[:, None]))[:, :, None]
    aside = (rows - CENTRE).abs()[None, None, :]
    upright = (half - aside).clamp(0, 1) * (aside - gap + 1).clamp(0, 1) * ((rows > 4) & (rows < 24))[None, :, None]
    low = (outline.roll(3, 1)[:, None, :] * 2 - (22 - rows)[None, :, None]).clamp(0, 1) * (rows < 23)[None, :, None]
    low = low * (aside < 10.5)
    shape = torch.where((_uniform(count, 0, 1, generator) < 0.3)[:, None, None], low, upright)
    cells = (3, 7, 14, 28)[_integers(0, 4, generator)]
    cloth = 1 - _uniform(count, 0, 0.9, generator)[:, None, None, None] * _smooth_noise(count, 28, cells, generator)
    pictures = shape[:, None] * cloth
    large = F.interpolate(pictures[:, :, 3:25, 3:25], size=28, mode="bilinear")  # as large as the whole picture
    return torch.where(_uniform(count, 0, 1, generator)[:, None, None, None] < 0.3, large, pictures)


def random_strokes(
    count: int, points: int, generator: Generator, reach: float, width: tuple[float, float] = (0.9, 2.0)
) -> Tensor:
    """Return (count, 28, 28): a line through `points` random points up to `reach` pixels from the centre."""
    corners = (torch.rand(count, points, 2, generator=generator, device=generator.device) * 2 - 1) * reach + CENTRE
    return _ink_path(corners, _uniform(count, *width, generator))


# ---------------------------------------------------------------------------------- helpers


def _share_out(makers: Sequence[Callable[..., Tensor]], generator: Generator, *batch: Tensor) -> Tensor:
    """Return what the `makers` make of `batch`, each of an equal part of it."""
    parts = zip(*(tensor.tensor_split(len(makers)) for tensor in batch))
    return torch.cat([maker(*part, generator) for maker, part in zip(makers, parts) if len(part[0])])


def _segment(x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor, radius: Tensor) -> Tensor:
    """Return (N, 28, 28): a round-ended stroke from (x0, y0) to (x1, y1), all (N,), soft by one pixel."""
    places = torch.arange(28.0, device=x0.device)
    px, py = places[None, None, :], places[None, :, None]
    x0, y0, x1, y1, radius = (v[:, None, None] for v in (x0, y0, x1, y1, radius))
    dx, dy = x1 - x0, y1 - y0
    along = (((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy).clamp(min=1e-3)).clamp(0, 1)
    distance = ((px - x0 - along * dx) ** 2 + (py - y0 - along * dy) ** 2).sqrt()
    return (radius + 0.5 - distance).clamp(0, 1)


def _ink_path(corners: Tensor, radius: Tensor) -> Tensor:
    """Return (N, 28, 28): the line through `corners` (N, P, 2) drawn with a pen of `radius` (N,)."""
    t = torch.linspace(0, 1, 20, device=corners.device)[:, None]
    path = corners[:, :-1, None] * (1 - t) + corners[:, 1:, None] * t  # (N, P-1, 20, 2)
    return _ink_points(path.flatten(1, 2), radius)


def _ink_points(points: Tensor, radius: Tensor, nib: Tensor | float = 1.0) -> Tensor:
    """Return (N, 28, 28): discs of `radius` (N,) at dense `points` (N, P, 2), joined by their density.

    A `nib` (N, 1, 1) makes them ellipses, that times as high as wide.
    """
    places = torch.arange(28.0, device=points.device)
    dx = (points[:, :, 0, None] - places).square()  # (N, P, 28)
    dy = ((points[:, :, 1, None] - places) / nib).square()
    nearest = (dy[:, :, :, None] + dx[:, :, None, :]).amin(1)  # (N, 28, 28)
    return (radius[:, None, None] + 0.5 - nearest.sqrt()).clamp(0, 1)


def _smooth_noise(count: int, side: int, cells: int, generator: Generator) -> Tensor:
    """Return (count, 1, side, side) in [0, 1]: random values on a coarse grid, smoothly joined."""
    coarse = torch.rand(count, 1, cells, cells, generator=generator, device=generator.device)
    return F.interpolate(coarse, size=side, mode="bicubic", align_corners=True).clamp(0, 1)


def _uniform(count: int, low: float, high: float, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=generator.device) * (high - low) + low


def _integers(low: int, high: int, generator: Generator) -> int:
    """Return one integer in [low, high), from the generator's seed and draw count: no wait for a GPU."""
    if generator.device.type == "cpu":
        return int(torch.randint(low, high, (1,), generator=generator))
    return int(torch.randint(low, high, (1,)))
