"""Paper that is not one colour: its light and shade, and its ruled lines."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.measures import EIGHT, PAPER_SIDE, _above_noise, otsu, reduced, rim
from ink.ruling import _without_ruling

WINDOW, FINE = (
    0.17,
    0.06,
)  # of the longer side; windows that look for paper beside strokes, for all and for the thinnest
TWO_KINDS = 0.8  # of the variance of depth that ink and paper explain where there is ink; halves of a bell curve explain 0.64
FAINT_SHADE = 0.4  # of the ink; a broad patch of less at the picture's edge is the shade of a lens
COARSE_SIDE, AROUND = (
    40,
    0.34,
)  # pixels, and of them the window that tells the level around a stroke, strokes and all:
BRIGHTER = 65  # per cent of the window's pixels that are darker than that level; at half of them bold strokes were their own paper
LEAST_STANDING = 0.01  # of full scale; ink that stands out less is as likely as this
GRAIN, GRAIN_SHARE = (
    6,
    0.005,
)  # standard deviations of the paper's noise, and of the picture; what is neither deeper nor more is grain


def shaded_ink(colours: np.ndarray, dark_ink: bool, window: float = WINDOW) -> tuple[np.ndarray, float]:
    """Return (ink, evidence) if the ink is darker (or lighter) than the paper around it.

    `window`, of the longer side, must be wider than the strokes; a narrow one takes the shadows of fingers for paper.
    """
    level = _level(colours, dark_ink)
    depth = _depth(level, window)
    ink = _strokes(depth)
    if not ink.any():
        return np.zeros_like(ink), 0.0
    if min(ink.shape) > PAPER_SIDE:  # a photo, where a lens darkens the edges
        ink[_edge_shade(ink)] = 0
    share = float((ink > 0).mean())
    if share >= 0.5:
        return ink, 0.0
    stands = max(_stands_out(level, ink), LEAST_STANDING)
    return ink, stands * (1 - share)


def _level(colours: np.ndarray, dark_ink: bool) -> np.ndarray:
    """Return a picture (H, W[, 3]) as float32 (H, W) in [0, 1] in which the ink is dark: of its channels, the one that shows most."""
    grey = colours
    if colours.ndim == 3:
        grey = colours.min(axis=2) if dark_ink else colours.max(axis=2)
    level = grey.astype(np.float32) / 255
    return level if dark_ink else 1 - level


def _strokes(depth: np.ndarray) -> np.ndarray:
    """Return the ink (H, W) of depths (H, W) below paper: what is as deep as the strokes, without noise; zeros without strokes."""
    paper = _without_ink(depth)
    floor = max(_above_noise(paper, 3.5), 0.04)
    labels, count = ndimage.label(depth > floor, EIGHT)
    main = _main_marks(labels, count, depth) if count else np.empty(0)
    if len(main) < 4:
        return np.zeros_like(depth)
    strong = float(np.median(main[main >= otsu(main)]))
    low = max(floor, 0.35 * strong)
    ink = np.clip((depth - low) / max(0.85 * strong - low, 0.02), 0, 1).astype(np.float32)
    labels, count = ndimage.label(ink > 0, EIGHT)
    keep = np.zeros(count + 1, bool)
    keep[np.unique(labels[depth > max(0.6 * strong, floor)])] = True
    ink[~keep[labels]] = 0
    if strong < _above_noise(paper, GRAIN) and np.count_nonzero(ink) < GRAIN_SHARE * ink.size:
        return np.zeros_like(ink)
    return ink


def _stands_out(level: np.ndarray, ink: np.ndarray) -> float:
    """Return how far `ink` (H, W) lies below the `level` (H, W) for some way around it, of full scale; 0 for paper enclosed by strokes."""
    small, marks = reduced(level), reduced(ink)
    coarse = Image.fromarray(small)
    coarse.thumbnail((COARSE_SIDE, COARSE_SIDE), Image.Resampling.BOX)
    around = Image.fromarray(
        ndimage.percentile_filter(np.asarray(coarse), BRIGHTER, round(AROUND * COARSE_SIDE))
    )
    below = np.asarray(around.resize(small.shape[::-1], Image.Resampling.BILINEAR)) - small
    return float(np.median(below[marks >= 0.5 * marks.max()]))


def _edge_shade(ink: np.ndarray) -> np.ndarray:
    """Return a mask of what is broad and faint in `ink` (H, W) from the picture's edge on: the shade of a lens, not a stroke."""
    faint = ndimage.binary_erosion((ink > 0) & (ink < FAINT_SHADE), EIGHT, 2, border_value=1)
    labels, count = ndimage.label(faint, EIGHT)
    shade = np.zeros(count + 1, bool)
    shade[rim(labels)] = True
    shade[0] = False
    return ndimage.binary_dilation(shade[labels], EIGHT, 2)


def _without_ink(depth: np.ndarray) -> np.ndarray:
    """Return the depths (N,) of paper, N some thousands: all, or if there is plainly ink, which may cover most, the others."""
    step = max(1, max(depth.shape) // PAPER_SIDE)
    sample = depth[::step, ::step].ravel()
    dark = sample >= otsu(sample)
    share = dark.mean()
    if not 0 < share < 1:
        return sample
    between = share * (1 - share) * (sample[dark].mean() - sample[~dark].mean()) ** 2
    return sample[~dark] if between > TWO_KINDS * sample.var() else sample


def _main_marks(labels: np.ndarray, count: int, depth: np.ndarray) -> np.ndarray:
    """Return the depths of the marks that are likely writing, not those cut by the picture's edge if there are others."""
    mass = np.bincount(labels.ravel(), depth.ravel(), count + 1)
    mass[0] = 0
    inside = mass.copy()
    inside[rim(labels)] = 0
    if inside.max() > 0.05 * mass.max():
        mass = inside
    return depth[(mass >= 0.2 * mass.max())[labels]]


def _depth(level: np.ndarray, share: float) -> np.ndarray:
    """Return how far each pixel lies below the paper around it, in [0, 1] of the paper's own level.

    The paper is a closing as wide as this `share` of the picture, on a small copy: a ramp stays a ramp, a shadow divides out.
    """
    height, width = level.shape
    small = reduced(level)
    window = max(5, int(min(share * max(small.shape), 0.5 * min(small.shape))) | 1)
    smooth = ndimage.median_filter(small, 3)
    margin = min(window, *(side - 1 for side in small.shape))
    closed = smooth
    if margin > 0:
        # odd reflection continues a ramp beyond the edge, where a plain closing would take it for ink
        padded = np.pad(smooth, margin, mode="reflect", reflect_type="odd")
        closed = ndimage.grey_closing(padded, size=(window, window))[margin:-margin, margin:-margin]
    paper = ndimage.uniform_filter(closed, 3, mode="nearest")
    paper = np.asarray(
        Image.fromarray(paper.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    )
    return _without_ruling(np.clip(1 - level / np.maximum(paper, 0.02), 0, 1))
