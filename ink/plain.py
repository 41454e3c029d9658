"""Plain paper: one even colour, and the ink on it."""

from __future__ import annotations

from functools import reduce

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.decode import LEAST_CONTRAST
from ink.frame import DIGIT_BOX
from ink.measures import EIGHT, deviation, edges, rim
from ink.paper import GRAIN
from ink.ruling import erase_rules

PLAIN_TOLERANCE = 6  # grey levels of 255; how far plain paper may stray from its commonest grey
PLAIN_SHARE = 0.45  # of the pixels (and of the border) that plain paper covers at least
NOISY_SHARE = 0.7  # the same where the paper's grey is not quite the same everywhere
FLAT_RIM, FLAT_SHAPE = (
    0.9,
    0.6,
)  # least share of one colour, of the border and of the rest, in a picture of a flat shape
SMALL_SIDE = 40  # pixels; a picture up to this side may be a frame by itself, noise and all
FAINT = 0.12  # of the contrast; fainter marks on a noisy or small picture are noise,
STRONG = 0.3  # and so are fainter ones than this that touch none of these
RINGING = 0.2  # of the ink's pixels; where more of the paper is not quite its grey, JPEG's ringing is about
PATCH_SHARE, PATCH_TOLERANCE = (
    0.02,
    2,
)  # of a picture that a patch of another paper covers, at least; its grey levels' spread
LEAST_PATCH = (
    PLAIN_TOLERANCE + PATCH_TOLERANCE + 1
)  # grey levels that it differs by: less is the paper itself
MOST_SOFT = 0.4  # of what lies around it that is fainter, and yet no paper, as around a shadow or a glow
PATCH_WIDTH = 0.06  # of the picture's shorter side, at least; a pen's strokes are narrower
LEAST_PAPER = 0.15  # of the rim that each of two papers covers
WIDEST_BORDER = 0.07  # of a picture's shorter side; a line along its edges is no wider


def _without_border(colours: np.ndarray) -> np.ndarray:
    """Return a picture without the thin line of one colour along all its edges that a canvas may have: there its paper goes on."""
    layers = colours.reshape(*colours.shape[:2], -1)
    shorter = min(layers.shape[:2])
    widest = int(WIDEST_BORDER * shorter)
    if shorter <= DIGIT_BOX:
        return colours
    outer, inner = rim(layers).astype(np.int16), rim(layers[widest:-widest, widest:-widest])
    low, high = outer.min(axis=0), outer.max(axis=0)
    alike = (inner.min(axis=0) >= low - PLAIN_TOLERANCE).all() and (
        inner.max(axis=0) <= high + PLAIN_TOLERANCE
    ).all()
    if alike or (high - low > 2 * PLAIN_TOLERANCE).any():
        return colours
    line = np.median(outer, axis=0)

    def share(pixels: np.ndarray, colour: np.ndarray) -> float:
        return float((np.abs(pixels - colour) <= PLAIN_TOLERANCE).all(axis=-1).mean())

    for width in range(1, widest + 1):
        inside = layers[width:-width, width:-width]
        paper = np.median(rim(inside), axis=0)
        differs = np.abs(paper - line).max() >= LEAST_CONTRAST * 255
        if differs and share(rim(inside), paper) >= FLAT_RIM and share(inside, paper) >= PLAIN_SHARE:
            bare = np.empty_like(layers)
            bare[...] = paper.astype(np.uint8)
            bare[width:-width, width:-width] = inside
            return bare.reshape(colours.shape)
    return colours


def _plain_paper(colours: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """Return (ink, doubt about its polarity) of a picture on paper of one colour; ink is None if its paper is not plain."""
    counts = np.array(Image.fromarray(colours).histogram()).reshape(-1, 256)
    paper = counts.argmax(axis=1).tolist()  # the commonest value of each channel
    layers = [colours] if colours.ndim == 2 else [colours[..., channel] for channel in range(3)]
    # the channel with most contrast
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
    elif max(near.shape) > SMALL_SIDE and _may_hold_patch(counts, paper, contrast):
        ink[_faint_patch(distance, contrast)] = 0
    ink = erase_rules(ink)
    # full contrast is left as it is, so that MNIST passes through unchanged
    return ink if contrast >= 200 else ink / np.float32(contrast / 255), max(share, border_share) < 0.7


def _may_hold_patch(counts: np.ndarray, paper: list[int], contrast: int) -> bool:
    """Say whether some faint value of a channel is common enough; `counts` (channels, 256) are those of the values."""
    away = np.abs(np.arange(256) - np.array(paper)[:, None])
    return bool(
        counts[(away >= LEAST_PATCH) & (away < STRONG * contrast)].max(initial=0)
        >= PATCH_SHARE * counts[0].sum()
    )


def _faint_patch(distance: np.ndarray, contrast: int) -> np.ndarray:
    """Return a mask of a broad, flat, faint patch (a card, a panel, where an eraser went): paper of another colour; all False without one.

    `distance` (H, W) is how far each pixel is from the paper's colour, `contrast` the farthest. A panel along three edges of the picture
    goes with what is on it.
    """
    least, none = PATCH_SHARE * distance.size, np.zeros(distance.shape, bool)
    counts = np.bincount(distance.ravel(), minlength=256)[: round(STRONG * contrast)]
    counts[:LEAST_PATCH] = 0
    if counts.max(initial=0) < least:
        return none
    flat = int(counts.argmax())
    same = np.abs(distance - flat) <= PATCH_TOLERANCE
    core = ndimage.minimum_filter(same, round(PATCH_WIDTH * min(distance.shape)))
    if not core.any():
        return none
    patch = ndimage.binary_propagation(core, EIGHT, same)
    ring = distance[ndimage.binary_dilation(patch, EIGHT, 3) & ~patch]
    if np.count_nonzero(patch) < least or np.mean((ring > PATCH_TOLERANCE) & (ring < flat)) > MOST_SOFT:
        return none
    labels, _ = ndimage.label(patch)
    met = [set(np.unique(edge[edge > 0]).tolist()) for edge in edges(labels)]
    panels = [n for n in set.union(*met) if sum(n in each for each in met) >= 3]
    around = ndimage.binary_dilation(patch, EIGHT) & (distance <= flat + PLAIN_TOLERANCE)
    return around | ndimage.binary_fill_holes(np.isin(labels, panels)) if panels else around


def _on_two_papers(colours: np.ndarray) -> np.ndarray | None:
    """Return the ink of a picture whose paper has two colours, as the squares behind a transparent one, or two halves; None of any other."""
    layers = colours.reshape(*colours.shape[:2], -1).astype(np.int16)
    step = max(1, max(layers.shape[:2]) // 200)
    weights = 256 ** np.arange(layers.shape[2])  # one integer a colour
    values, counts = np.unique(layers[::step, ::step] @ weights, return_counts=True)
    if len(counts) < 3:
        return None
    papers = values[np.argsort(-counts)[:2], None] // weights % 256
    apart = np.stack([np.abs(layers - paper).max(axis=2) for paper in papers])  # (2, H, W)
    near: np.ndarray = apart <= PLAIN_TOLERANCE
    distance = apart.min(axis=0)
    if (
        min(rim(near[0]).mean(), rim(near[1]).mean()) < LEAST_PAPER
        or np.abs(papers[0] - papers[1]).max() <= 2 * PLAIN_TOLERANCE
    ):
        return None  # the second is ink, or a patch
    either: np.ndarray = near[0] | near[1]
    if either.mean() < NOISY_SHARE or rim(either).mean() < FLAT_RIM or distance.max() < LEAST_CONTRAST * 255:
        return None
    return (distance / distance.max()).astype(np.float32)


def _flat_shape(colours: np.ndarray) -> np.ndarray | None:
    """Return the ink of a large shape of one colour that paper of another is all around; None in any other picture.

    Such paper is not the picture's commonest colour; to look for shade would leave the shape's outline, a 0.
    """
    layers = colours.reshape(*colours.shape[:2], -1)
    distance = np.abs(layers.astype(np.int16) - np.median(rim(layers), axis=0).astype(np.int16)).max(axis=2)
    inside = distance[distance > PLAIN_TOLERANCE]
    if not inside.size or np.mean(rim(distance) <= PLAIN_TOLERANCE) < FLAT_RIM:
        return None
    shape = int(np.bincount(inside).argmax())  # how far its colour lies from the paper's
    if 2 * shape < inside.max() or np.mean(np.abs(inside - shape) <= PLAIN_TOLERANCE) < FLAT_SHAPE:
        return None  # what stands out more is ink, on paper within a border
    return (distance / inside.max()).astype(np.float32)
