"""Paper and the ink on it: plain paper, of one even colour, and paper in uneven light.

Ink on plain paper keeps its grey values. Elsewhere the paper's own level is estimated by a grey closing (a
morphological filter wider than the strokes), and ink is what lies far enough below it.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.decode import LEAST_CONTRAST
from ink.measures import EIGHT, PAPER_SIDE, above_noise, deviation, largest, otsu, pen_width, reduced, rim
from ink.ruling import without_ruling

# plain paper
PLAIN_TOLERANCE = 6  # grey levels of 255; how far plain paper strays from its commonest grey, at most
PLAIN_SHARE = 0.45  # of the pixels, and of the border; plain paper covers at least this
NOISY_SHARE = 0.7  # of the pixels, and of the border; noisy paper covers at least this
FAINT = 0.12  # of the contrast; fainter marks on a noisy or small picture are noise
STRONG = 0.3  # of the contrast; marks on noisy paper that reach it nowhere are noise
RINGING = 0.2  # of the ink's pixels; if more of the paper is off its grey, JPEG's ringing is about
# paper in uneven light
WINDOW = 0.17  # of the longer side; window of the closing that finds the paper beside strokes
FINE = 0.06  # of the longer side; the same for thin strokes among shadows
PENS = 4  # pen widths; the same once the pen is known
TWO_KINDS = 0.8  # of the variance of depth; ink and paper explain more, the halves of a bell curve 0.64
GRAIN = 6  # standard deviations of the paper's noise; what is no deeper may be grain
GRAIN_SHARE = 0.005  # of the picture; what may be grain and covers less is grain
COARSE_SIDE = 40  # pixels; side of the small copy on which the level around strokes is measured
AROUND = 0.34  # of the copy's side; window in which it is measured
BRIGHTER = 65  # per cent; the percentile of the window that is the level around strokes, themselves included
LEAST_STANDING = 0.01  # of full scale; ink that stands out less counts as if it stood out this much


def plain_ink(colours: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """Return (ink, whether its polarity is in doubt) of a picture on paper of one colour, else (None, False)."""
    counts = np.array(Image.fromarray(colours).histogram()).reshape(-1, 256)
    paper = counts.argmax(axis=1).tolist()  # the commonest value of each channel
    layers = [colours] if colours.ndim == 2 else [colours[..., channel] for channel in range(3)]
    distance = reduce(
        np.maximum, [np.abs(layer.astype(np.int16) - grey) for layer, grey in zip(layers, paper)]
    )
    near = distance <= PLAIN_TOLERANCE
    border = rim(near)
    plain = np.count_nonzero(near)
    almost = plain - np.count_nonzero(distance == 0)  # pixels of paper that are not quite its grey
    noisy = almost > 0.1 * plain  # a scanner's noise, or JPEG's ringing all over
    share, border_share = plain / near.size, np.count_nonzero(border) / border.size
    if min(share, border_share) < (NOISY_SHARE if noisy else PLAIN_SHARE):
        return None, False
    contrast = int(distance.max())
    if contrast < LEAST_CONTRAST * 255:
        return np.zeros(distance.shape, np.float32), False
    if noisy and contrast < GRAIN * deviation(distance):
        return None, False  # no more than its grain
    ink = distance.astype(np.float32) / 255
    if noisy or almost > RINGING * (near.size - plain):
        ink[distance < max(FAINT * contrast, 2 * PLAIN_TOLERANCE)] = 0
        ink[~ndimage.binary_dilation(distance >= STRONG * contrast, EIGHT)] = 0  # ringing links neighbours
    # full contrast is left as it is, so that MNIST passes through unchanged
    return ink if contrast >= 200 else ink / np.float32(contrast / 255), max(share, border_share) < 0.7


def shaded_ink(colours: np.ndarray, dark_ink: bool, window: float = WINDOW) -> tuple[np.ndarray, float]:
    """Return (ink, evidence in [0, 1]) of a picture whose ink is darker (or lighter) than the paper around it.

    `window`, of the longer side, must be wider than the strokes. Where the pen that is found is much narrower, the ink is looked
    for again with a window that fits it: a photo's dark edges are wider.
    """
    level = _level(colours, dark_ink)
    smooth = ndimage.median_filter(reduced(level), 3)
    ink = _strokes(_depth(level, smooth, window))
    main = largest(ndimage.label(ink > 0.5, EIGHT)[0])
    narrow = PENS * pen_width(main.astype(np.float32)) / max(ink.shape)
    if 0 < narrow < window:
        ink = _strokes(_depth(level, smooth, narrow))
    if not ink.any():
        return np.zeros_like(ink), 0.0
    share = float((ink > 0).mean())
    if share >= 0.5:
        return ink, 0.0
    stands = max(_stands_out(level, ink), LEAST_STANDING)
    return ink, stands * (1 - share)


def _level(colours: np.ndarray, dark_ink: bool) -> np.ndarray:
    """Return a picture (H, W[, 3]) as float32 (H, W) in [0, 1], its ink dark: the channel in which ink shows most."""
    grey = colours
    if colours.ndim == 3:
        grey = colours.min(axis=2) if dark_ink else colours.max(axis=2)
    level = grey.astype(np.float32) / 255
    return level if dark_ink else 1 - level


def _strokes(depth: np.ndarray) -> np.ndarray:
    """Return the ink (H, W) of depths (H, W) below paper: what is as deep as the strokes, and no noise."""
    paper = _without_ink(depth)
    floor = max(above_noise(paper, 3.5), 0.04)
    labels, count = ndimage.label(depth > floor, EIGHT)
    main = _main_marks(labels, count, depth) if count else np.empty(0)
    if len(main) < 4:
        return np.zeros_like(depth)
    strong = float(np.median(main[main >= otsu(main)]))
    low = max(floor, 0.2 * strong)
    ink = np.clip((depth - low) / max(0.85 * strong - low, 0.02), 0, 1).astype(np.float32)
    labels, count = ndimage.label(ink > 0, EIGHT)
    keep = np.zeros(count + 1, bool)
    keep[np.unique(labels[depth > max(0.6 * strong, floor)])] = True
    ink[~keep[labels]] = 0
    if strong < above_noise(paper, GRAIN) and np.count_nonzero(ink) < GRAIN_SHARE * ink.size:
        return np.zeros_like(ink)
    return ink


def _stands_out(level: np.ndarray, ink: np.ndarray) -> float:
    """Return how far `ink` (H, W) lies below the `level` (H, W) around it, in [0, 1]; 0 for paper within strokes."""
    small, marks = reduced(level), reduced(ink)
    coarse = Image.fromarray(small)
    coarse.thumbnail((COARSE_SIDE, COARSE_SIDE), Image.Resampling.BOX)
    around = Image.fromarray(
        ndimage.percentile_filter(np.asarray(coarse), BRIGHTER, round(AROUND * COARSE_SIDE))
    )
    below = np.asarray(around.resize(small.shape[::-1], Image.Resampling.BILINEAR)) - small
    return float(np.median(below[marks >= 0.5 * marks.max()]))


def _without_ink(depth: np.ndarray) -> np.ndarray:
    """Return a sample (N,) of depths (H, W), without those of ink where ink and paper are plainly two kinds."""
    step = max(1, max(depth.shape) // PAPER_SIDE)
    sample = depth[::step, ::step].ravel()
    dark = sample >= otsu(sample)
    share = dark.mean()
    if not 0 < share < 1:
        return sample
    between = share * (1 - share) * (sample[dark].mean() - sample[~dark].mean()) ** 2
    return sample[~dark] if between > TWO_KINDS * sample.var() else sample


def _main_marks(labels: np.ndarray, count: int, depth: np.ndarray) -> np.ndarray:
    """Return the depths (N,) of the heaviest of `count` marks, of those inside the picture if there are any."""
    mass = np.bincount(labels.ravel(), depth.ravel(), count + 1)
    mass[0] = 0
    inside = mass.copy()
    inside[rim(labels)] = 0
    if inside.max() > 0.05 * mass.max():
        mass = inside
    return depth[(mass >= 0.2 * mass.max())[labels]]


def _depth(level: np.ndarray, smooth: np.ndarray, share: float) -> np.ndarray:
    """Return how far each pixel of `level` lies below the paper around it, in [0, 1] of the paper's own level.

    The paper is a closing as wide as this `share` of the picture, on its small copy `smooth`: a ramp stays, a shadow divides out.
    """
    height, width = level.shape
    window = max(5, int(min(share * max(smooth.shape), 0.5 * min(smooth.shape))) | 1)
    margin = min(window, *(side - 1 for side in smooth.shape))
    closed = smooth
    if margin > 0:
        # odd reflection continues a ramp beyond the edge, where a plain closing would take it for ink
        padded = np.pad(smooth, margin, mode="reflect", reflect_type="odd")
        closed = ndimage.grey_closing(padded, size=(window, window))[margin:-margin, margin:-margin]
    paper = ndimage.uniform_filter(closed, 3, mode="nearest")
    paper = np.asarray(
        Image.fromarray(paper.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    )
    return without_ruling(np.clip(1 - level / np.maximum(paper, 0.02), 0, 1))
