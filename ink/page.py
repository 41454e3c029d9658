"""The page in a picture: a sheet on a table, a note on a wall, a label, a canvas on the screen."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.measures import EIGHT, ellipticity, otsu, reduced, rim

PAGE_SIDE = 100  # pixels; smaller pictures show no page with something around it
PAGE_SHARE = (0.05, 0.9)  # of the picture that a page covers
PAGE_CUT = 0.2  # of the picture's border, at most, where a page may run out of the picture
ELLIPTIC = 0.97  # of the ellipse with its second moments that a round page fills; a rectangle fills 0.955, a triangle 0.83
RECTANGULAR = 0.77  # of the smallest rectangle around it that a page and the largest quadrilateral in it fill; a bold 0 or 8 has 0.6
SOLID_PAGE = 0.6  # of a page's outline that is paper rather than writing
SHARP = 0.3  # of the page's difference that its edge takes within five pixels of PAPER_SIDE, at least,
SOFT_EDGE = 0.15  # but for this share of its outline, which may be lost in shade
BEYOND = 0.6  # of the page's difference from the border that there may be a few pixels beyond its edge
SHADOW, GREY = (
    (0.3, 0.92),
    0.12,
)  # of the light around that a shadow leaves; how far the channels may differ in that
PAGE_CONTRAST = 20  # grey levels of 255 by which a page differs from what lies around it, at least


def isolate_page(colours: np.ndarray, elliptic: bool = False) -> np.ndarray | None:
    """Return the picture (H, W[, 3]) with the page's own colour around the page, or None without a page.

    A page is an even patch that stands out from the picture's border and is nearly a rectangle: a sheet on a table, a note
    on a wall, a canvas on the screen; or nearly an ellipse, as a label is (and a bold 0).
    """
    height, width = colours.shape[:2]
    if max(height, width) < PAGE_SIDE:
        return None
    small = reduced(colours).astype(np.float32)
    small = small.reshape(*small.shape[:2], -1)  # (h, w, channels)
    found = _find_page(small, elliptic)
    if found is None:
        return None
    inside, paper = found
    nearest = ndimage.distance_transform_edt(~paper, return_distances=False, return_indices=True)
    around = ndimage.uniform_filter(small[tuple(nearest)], (9, 9, 1), mode="nearest").round().astype(np.uint8)
    beyond = Image.fromarray(around.squeeze(2) if around.shape[2] == 1 else around).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    mask = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).resize(
        (width, height), Image.Resampling.NEAREST
    )
    return np.asarray(Image.composite(Image.fromarray(colours), beyond, mask))


def is_dimmed(colours: np.ndarray, page: np.ndarray) -> bool:
    """Say whether a page (H, W[, 3]) is of the colour around it in less light, as the shadow of a phone is."""
    around, paper = np.median(rim(colours), axis=0), np.median(page, axis=(0, 1))
    ratio = np.atleast_1d(paper / np.maximum(around, 1))
    return bool(SHADOW[0] <= ratio.min() and ratio.max() <= SHADOW[1] and np.ptp(ratio) <= GREY)


def _find_page(small: np.ndarray, elliptic: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """Return masks (h, w) of the page in a picture (h, w, channels), its edges left out, and of its paper without writing."""
    distance = np.abs(small - np.median(rim(small), axis=0)).max(axis=2)
    for threshold in (
        max(otsu(distance.ravel()), PAGE_CONTRAST),
        PAGE_CONTRAST,
    ):  # the second where ink stands out more than the page
        paper = _largest_patch(distance > threshold)
        page = ndimage.binary_fill_holes(paper)
        inside = ndimage.binary_erosion(page, EIGHT, 2, border_value=1)
        if not _is_page(paper, page, elliptic) or not (paper & inside).any() or _is_bare(small, inside):
            continue
        outline = page & ~ndimage.binary_erosion(page, EIGHT, border_value=1)
        steps = (ndimage.maximum_filter(distance, 5) - ndimage.minimum_filter(distance, 5))[outline]
        least = max(PAGE_CONTRAST, SHARP * float(np.median(distance[paper])))
        beyond = ndimage.binary_dilation(page, EIGHT, 6) & ~ndimage.binary_dilation(page, EIGHT, 3)
        differs = not beyond.any() or np.median(distance[beyond]) <= BEYOND * np.median(distance[paper])
        if (
            differs and np.percentile(steps, 100 * SOFT_EDGE) >= least
        ):  # edges of a thing, not of a light, nor of lines on paper
            return inside, paper & inside
    return None


def _is_bare(small: np.ndarray, inside: np.ndarray) -> bool:
    """Say whether a patch of a picture (h, w, channels), `inside` (h, w) its edges, has nothing on it: a bold stroke, or an empty page."""
    deep = small[ndimage.binary_erosion(inside, EIGHT, 2, border_value=1)]
    return len(deep) == 0 or bool(np.ptp(deep, axis=0).max() < PAGE_CONTRAST)


def _largest_patch(marks: np.ndarray) -> np.ndarray:
    """Return the largest connected part of `marks` (H, W) without thin links; all False without any."""
    labels, _ = ndimage.label(ndimage.binary_opening(marks, EIGHT))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return (labels == sizes.argmax()) & (labels > 0)


def _is_page(paper: np.ndarray, page: np.ndarray, elliptic: bool) -> bool:
    """Say whether `page` (H, W) has a page's size and shape; `paper` is what of it is not writing."""
    fits = (
        PAGE_SHARE[0] <= page.mean() <= PAGE_SHARE[1]
        and rim(page).mean() <= PAGE_CUT
        and paper.sum() >= SOLID_PAGE * page.sum()
    )
    return bool(fits) and (
        ellipticity(page) >= ELLIPTIC if elliptic else _rectangularity(page) >= RECTANGULAR
    )


def _rectangularity(marks: np.ndarray) -> float:
    """Return how much of the smallest rectangle around them, at any angle, `marks` (H, W) fill, or a quadrilateral with corners on them."""
    rows, columns = np.nonzero(marks & ~ndimage.binary_erosion(marks))  # the outline is enough
    angles = np.linspace(0, np.pi / 2, 31)[:-1]
    across = np.outer(np.cos(angles), columns) + np.outer(np.sin(angles), rows)
    down = np.outer(np.cos(angles), rows) - np.outer(np.sin(angles), columns)
    corners = np.stack(
        [across.argmax(axis=1), down.argmax(axis=1), across.argmin(axis=1), down.argmin(axis=1)], axis=1
    )
    x, y = columns[corners], rows[corners]  # (30, 4), in turn around a quadrilateral
    largest = (
        np.abs((x[:, 2] - x[:, 0]) * (y[:, 3] - y[:, 1]) - (x[:, 3] - x[:, 1]) * (y[:, 2] - y[:, 0])).max()
        / 2
    )
    largest += len(rows) / 2  # the outer halves of the outline's pixels
    return float(
        min(largest, marks.sum()) / ((np.ptp(across, axis=1) + 1) * (np.ptp(down, axis=1) + 1)).min()
    )
