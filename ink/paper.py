"""Paper that is not one colour: its light and shade, and its ruled lines."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.measures import EIGHT, PAPER_SIDE, _above_noise, deviation, otsu, pen_width, reduced, rim
from ink.ruling import _without_ruling

PAPER_SLOPE = 3.0  # how fast the likelihood of dark ink rises with where the median grey lies between darkest and brightest
WINDOW, FINE = (
    0.17,
    0.06,
)  # of the longer side; windows that look for paper beside strokes, for all and for the thinnest
BOLD_STROKE = 0.7  # of the window that looks for paper beside strokes; wider strokes hide it,
WIDEST_STROKE = 0.45  # but what is wider than this, of the shorter side, is no stroke,
MOST_CROSSED = 0.35  # nor what covers more of the picture's border
LEAST_BARE = 0.15  # of the picture, from which the paper beneath bold strokes is told
PLAINLY = 5.0  # how much likelier such strokes make the side they are on
TWO_KINDS = 0.8  # of the variance of depth that ink and paper explain where there is ink; halves of a bell curve explain 0.64
ONE_DEPTH = 0.7  # of the deepest of a bold stroke that half of it reaches
UNEVEN = 0.25  # of the strokes' contrast; how far such paper may stray from a quadratic surface
ENDS = slice(None, 5), slice(-5, None)  # pixels of a side that are near its corners
FEWEST_LEVELS = (
    3  # grey levels of 255 between paper and ink; on dark paper one is the step of a smooth gradient
)
LEAST_PAPER = 0.6  # of the level of paper's brightest channel; one that is darker shows no dark ink,
DIM_PAPER = 60  # grey levels of 255; unless paper is no brighter than this in any
UNLIKELY = 100.0  # how much less likely light and shadow are than what has sharp edges
BROAD, GRADUAL = (
    0.15,
    0.33,
)  # of the picture's longer side, and of their depth: light and shadow are broader, with softer edges
FAINT_SHADE = 0.4  # of the ink; a broad patch of less at the picture's edge is the shade of a lens
COARSE_SIDE, AROUND = (
    40,
    0.34,
)  # pixels, and of them the window that tells the level around a stroke, strokes and all:
BRIGHTER = 65  # per cent of the window's pixels that are darker than that level; at half of them bold strokes were their own paper
LEAST_STANDING = 0.01  # of full scale; ink that stands out less is as likely as this
MOST_NOISE = 0.01  # of full scale; more is blurred away,
LEAST_BLUR, FINEST = (
    0.4,
    400,
)  # pixels, standard deviation; parts of the longer side: no blur is narrower, and none wider
GRAIN, GRAIN_SHARE = (
    6,
    0.005,
)  # standard deviations of the paper's noise, and of the picture; what is neither deeper nor more is grain


def shaded_ink(colours: np.ndarray, dark_ink: bool, window: float = WINDOW) -> tuple[np.ndarray, float]:
    """Return (ink, evidence) if the ink is darker (or lighter) than the paper around it.

    `window`, of the longer side, must be wider than the strokes. One narrower than WINDOW takes the shadows of fingers for
    paper, and looks for no strokes so bold that they hide it.
    """
    level = _without_noise(_level(colours, dark_ink))
    depth, bold = _depth(level, window)
    ink, strong = _strokes(depth)
    if not ink.any() or strong < 0.5 and _is_rounding(level[ink > 0], depth[ink > 0]):
        return np.zeros_like(ink), 0.0
    if min(ink.shape) > PAPER_SIDE:  # a photo, where a lens darkens edges and corners
        ink[_edge_shade(ink)] = 0
        ink[_dark_corners(ink)] = 0
    share = float((ink > 0).mean())
    if share >= 0.5 and not bold:
        return ink, 0.0
    plainly = PLAINLY if bold else 1
    stands = max(_stands_out(level, ink), LEAST_STANDING)
    return ink, stands * _likelihood(level) * (1 - share) * (
        plainly / UNLIKELY if _is_light(depth, ink, strong) else plainly
    )


def _level(colours: np.ndarray, dark_ink: bool) -> np.ndarray:
    """Return a picture (H, W[, 3]) as float32 (H, W) in [0, 1] in which the ink is dark: of its channels, the one that shows most."""
    grey = colours
    if colours.ndim == 3:
        shows = colours[..., _bright_channels(colours, dark_ink)]
        grey = shows.min(axis=2) if dark_ink else shows.max(axis=2)
    level = grey.astype(np.float32) / 255
    return level if dark_ink else 1 - level


def _without_noise(level: np.ndarray) -> np.ndarray:
    """Return `level` (H, W) of a picture larger than PAPER_SIDE without a camera's noise, as far as strokes allow; any other as it is."""
    height, width = level.shape
    if max(height, width) <= PAPER_SIDE or min(height, width) < 2:
        return level
    step = max(1, max(height, width) // PAPER_SIDE)
    noise = deviation(level[1::step, ::step] - level[:-1:step, ::step]) / np.sqrt(2)
    spread = noise / (2 * np.sqrt(np.pi) * MOST_NOISE)  # a blur by s leaves 1 / (2 sqrt(pi) s) of white noise
    spread = min(spread, max(height, width) / FINEST)
    return ndimage.gaussian_filter(level, spread) if spread >= LEAST_BLUR else level


def _strokes(depth: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (ink, how deep the strokes are) of depths (H, W) below paper: what is as deep, without noise; without any (zeros, 0)."""
    paper = _without_ink(depth)
    floor = max(_above_noise(paper, 3.5), 0.04)
    labels, count = ndimage.label(depth > floor, EIGHT)
    main = _main_marks(labels, count, depth) if count else np.empty(0)
    if len(main) < 4:
        return np.zeros_like(depth), 0.0
    strong = float(np.median(main[main >= otsu(main)]))
    low = max(floor, 0.35 * strong)
    ink = np.clip((depth - low) / max(0.85 * strong - low, 0.02), 0, 1).astype(np.float32)
    labels, count = ndimage.label(ink > 0, EIGHT)
    keep = np.zeros(count + 1, bool)
    keep[np.unique(labels[depth > max(0.6 * strong, floor)])] = True
    ink[~keep[labels]] = 0
    if strong < _above_noise(paper, GRAIN) and np.count_nonzero(ink) < GRAIN_SHARE * ink.size:
        return np.zeros_like(ink), 0.0
    return ink, strong


def _is_rounding(level: np.ndarray, depth: np.ndarray) -> bool:
    """Say whether ink of these levels and depths (N,) differs from its paper by no more than a smooth gradient's steps do."""
    return bool(np.percentile(level * depth / (1.001 - depth), 90) < FEWEST_LEVELS / 255)


def _is_light(depth: np.ndarray, ink: np.ndarray, strong: float) -> bool:
    """Say whether `ink` (H, W), `strong` in depth, is a lamp's spot or a shadow: broad, with a quarter of its outline gradual."""
    marks = reduced(ink) > FAINT_SHADE / 2
    if 2 * ndimage.distance_transform_edt(marks).max() < BROAD * max(marks.shape):
        return False
    outline, small = marks & ~ndimage.binary_erosion(marks, EIGHT, border_value=1), reduced(depth)
    steps = (ndimage.maximum_filter(small, 5) - ndimage.minimum_filter(small, 5))[outline]
    return len(steps) > 0 and bool(np.percentile(steps, 25) < GRADUAL * strong)


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


def _bright_channels(colours: np.ndarray, dark_ink: bool) -> np.ndarray:
    """Return which channels (C,) of a picture (H, W, C) show dark (or light) ink: those in which its paper is not dark (or light) itself."""
    paper = np.median(colours if dark_ink else 255 - colours, axis=(0, 1))
    return (paper >= LEAST_PAPER * paper.max()) | (paper.max() < DIM_PAPER)


def _edge_shade(ink: np.ndarray) -> np.ndarray:
    """Return a mask of what is broad and faint in `ink` (H, W) from the picture's edge on: the shade of a lens, not a stroke."""
    faint = ndimage.binary_erosion((ink > 0) & (ink < FAINT_SHADE), EIGHT, 2, border_value=1)
    labels, count = ndimage.label(faint, EIGHT)
    shade = np.zeros(count + 1, bool)
    shade[rim(labels)] = True
    shade[0] = False
    return ndimage.binary_dilation(shade[labels], EIGHT, 2)


def _dark_corners(ink: np.ndarray) -> np.ndarray:
    """Return a mask of the patches in the corners of `ink` (H, W) that are three times as wide as the pen of the rest."""
    labels, _ = ndimage.label(ink > 0, EIGHT)
    near = {
        int(np.bincount(labels[rows, columns].ravel()).argmax()) for rows in ENDS for columns in ENDS
    }  # the commonest there
    dark = np.zeros(ink.shape, bool)
    for n in near - {0}:
        part = labels == n
        pen = pen_width(np.where(part, 0, ink))
        core = (
            ndimage.distance_transform_edt(np.pad(ndimage.binary_fill_holes(part), 1, mode="edge"))[
                1:-1, 1:-1
            ]
            > 1.5 * pen
        )
        if 0 < pen and core.any():
            dark |= part & (ndimage.distance_transform_edt(~core) <= 3 * pen)
    return dark


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


def _likelihood(level: np.ndarray) -> float:
    """Return how likely dark ink is, 0.5 to 1.5: paper is most of a picture, so its median lies nearer to the brighter end."""
    low, middle, high = np.percentile(level, (1, 50, 99))
    return 0.5 + min(
        max(PAPER_SLOPE * (float(middle - low) / max(float(high - low), 1e-6) - 0.5) + 0.5, 0), 1
    )


def _main_marks(labels: np.ndarray, count: int, depth: np.ndarray) -> np.ndarray:
    """Return the depths of the marks that are likely writing, not those cut by the picture's edge if there are others."""
    mass = np.bincount(labels.ravel(), depth.ravel(), count + 1)
    mass[0] = 0
    inside = mass.copy()
    inside[rim(labels)] = 0
    if inside.max() > 0.05 * mass.max():
        mass = inside
    return depth[(mass >= 0.2 * mass.max())[labels]]


def _depth(level: np.ndarray, share: float) -> tuple[np.ndarray, bool]:
    """Return how far each pixel lies below the paper around it, in [0, 1] of the paper's own level; and whether strokes are bold.

    The paper is a closing as wide as this `share` of the picture (a ramp stays a ramp) or, beneath wider strokes, a surface, on
    a small copy; a shadow divides out.
    """
    height, width = level.shape
    small = reduced(level)
    window = max(5, int(min(share * max(small.shape), 0.5 * min(small.shape))) | 1)
    smooth = ndimage.median_filter(small, 3)
    margin = min(window, *(side - 1 for side in small.shape))
    beneath = _paper_beneath(smooth, window) if share >= WINDOW else None
    if beneath is not None:
        closed = beneath
    elif margin > 0:
        # odd reflection continues a ramp beyond the edge, where a plain closing would take it for ink
        padded = np.pad(smooth, margin, mode="reflect", reflect_type="odd")
        closed = ndimage.grey_closing(padded, size=(window, window))[margin:-margin, margin:-margin]
    else:
        closed = smooth
    paper = ndimage.uniform_filter(closed, 3, mode="nearest")
    paper = np.asarray(
        Image.fromarray(paper.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    )
    return _without_ruling(np.clip(1 - level / np.maximum(paper, 0.02), 0, 1)), beneath is not None


def _paper_beneath(level: np.ndarray, window: int) -> np.ndarray | None:
    """Return the paper (h, w) beneath strokes wider than `window`, or None where no such strokes are plainly seen.

    What is darker than Otsu's threshold must be no broad shadow, and the rest an even paper: a quadratic surface.
    """
    marks = level < otsu(level.ravel())
    width = 2 * ndimage.distance_transform_edt(np.pad(marks, 1)).max()
    if (
        width < BOLD_STROKE * window
        or width > WIDEST_STROKE * min(level.shape)
        or rim(marks).mean() > MOST_CROSSED
    ):
        return None
    bare = ~ndimage.binary_dilation(marks, EIGHT, 2)
    if bare.sum() < LEAST_BARE * level.size:
        return None
    y, x = np.mgrid[-1 : 1 : level.shape[0] * 1j, -1 : 1 : level.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    paper = terms @ np.linalg.lstsq(terms[bare], level[bare], rcond=None)[0]
    uneven = np.percentile(np.abs(level - paper)[bare], 95)
    depth = (paper - level)[marks]
    of_one_depth = np.median(depth) >= ONE_DEPTH * np.percentile(
        depth, 99.5
    )  # a shadow with writing in it is not
    return paper.astype(np.float32) if of_one_depth and uneven <= UNEVEN * np.median(depth) else None
