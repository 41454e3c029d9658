"""The page in a picture: a sheet on a table, a note on a wall, a label, a canvas on the screen."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.measures import EIGHT, largest, otsu, reduced, rim

PAGE_SIDE = 100  # pixels; smaller pictures show no page with something around it
SMALLEST, LARGEST = 0.05, 0.9  # of the picture; what a page covers
PAGE_CUT = 0.2  # of the picture's border, at most, where a page runs out of the picture
RECTANGULAR = (
    0.77  # of the smallest rectangle around a page; the page, and the largest quadrilateral in it, fill it
)
SOLID_PAGE = 0.6  # of a page's outline, at least, that is paper rather than writing
SHARP = 0.3  # of the page's difference, at least, that its edge takes within five pixels of the small copy
SOFT_EDGE = 0.15  # of a page's outline, at most, that is lost in shade
BEYOND = 0.6  # of the page's difference, at most, that is left a few pixels beyond its edge
DARKEST, LIGHTEST = 0.3, 0.92  # of the light around it; what a shadow leaves
GREY = 0.12  # by which the channels may differ in that
PAGE_CONTRAST = 20  # grey levels of 255, at least, by which a page differs from what lies around it


def isolate_page(colours: np.ndarray) -> np.ndarray | None:
    """Return the picture (H, W[, 3]) with the page's own colour around the page, or None without a page.

    A page is an even, nearly rectangular patch that stands out from the picture's border: a sheet on a table, a note on
    a wall, a canvas on the screen.
    """
    height, width = colours.shape[:2]
    if max(height, width) < PAGE_SIDE:
        return None
    small = reduced(colours).astype(np.float32)
    small = small.reshape(*small.shape[:2], -1)  # (h, w, channels)
    found = _find_page(small)
    if found is None:
        return None
    inside, paper = found
    nearest = ndimage.distance_transform_edt(~paper, return_distances=False, return_indices=True)
    around = ndimage.uniform_filter(small[tuple(nearest)], (9, 9, 1), mode="nearest").round().astype(np.uint8)
    beyond = Image.fromarray(around.squeeze(2) if around.shape[2] == 1 else around)
    mask = Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).resize(
        (width, height), Image.Resampling.NEAREST
    )
    beyond = beyond.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(Image.composite(Image.fromarray(colours), beyond, mask))


def is_dimmed(colours: np.ndarray, page: np.ndarray) -> bool:
    """Return whether a page (H, W[, 3]) is of the colour around it in less light, as the shadow of a phone is."""
    around, paper = np.median(rim(colours), axis=0), np.median(page, axis=(0, 1))
    ratio = np.atleast_1d(paper / np.maximum(around, 1))
    return bool(DARKEST <= ratio.min() and ratio.max() <= LIGHTEST and np.ptp(ratio) <= GREY)


def _find_page(small: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return masks (h, w) of the page in a picture (h, w, channels), without its edges, and of its paper, or None."""
    distance = np.abs(small - np.median(rim(small), axis=0)).max(axis=2)
    # the second threshold is for pictures whose ink stands out more than the page
    for threshold in (max(otsu(distance.ravel()), PAGE_CONTRAST), PAGE_CONTRAST):
        patches, _ = ndimage.label(ndimage.binary_opening(distance > threshold, EIGHT))  # without thin links
        paper = largest(patches)
        page = ndimage.binary_fill_holes(paper)
        inside = ndimage.binary_erosion(page, EIGHT, 2, border_value=1)
        if not _is_page(paper, page) or not (paper & inside).any() or _is_bare(small, inside):
            continue
        outline = page & ~ndimage.binary_erosion(page, EIGHT, border_value=1)
        steps = (ndimage.maximum_filter(distance, 5) - ndimage.minimum_filter(distance, 5))[outline]
        least = max(PAGE_CONTRAST, SHARP * float(np.median(distance[paper])))
        beyond = ndimage.binary_dilation(page, EIGHT, 6) & ~ndimage.binary_dilation(page, EIGHT, 3)
        differs = not beyond.any() or np.median(distance[beyond]) <= BEYOND * np.median(distance[paper])
        if differs and np.percentile(steps, 100 * SOFT_EDGE) >= least:  # a thing's edges, not those of light
            return inside, paper & inside
    return None


def _is_bare(small: np.ndarray, inside: np.ndarray) -> bool:
    """Return whether a patch `inside` (h, w) of a picture (h, w, channels) is bare: a bold stroke, an empty page."""
    deep = small[ndimage.binary_erosion(inside, EIGHT, 2, border_value=1)]
    return len(deep) == 0 or bool(np.ptp(deep, axis=0).max() < PAGE_CONTRAST)


def _is_page(paper: np.ndarray, page: np.ndarray) -> bool:
    """Return whether `page` (H, W) has a page's size and shape; `paper` is what of it is not writing."""
    inside = SMALLEST <= page.mean() <= LARGEST and rim(page).mean() <= PAGE_CUT
    return bool(inside and paper.sum() >= SOLID_PAGE * page.sum()) and _rectangularity(page) >= RECTANGULAR


def _rectangularity(marks: np.ndarray) -> float:
    """Return how much of the smallest rectangle around `marks` (H, W) they, or a quadrilateral in them, fill."""
    rows, columns = np.nonzero(marks & ~ndimage.binary_erosion(marks))  # the outline is enough
    angles = np.linspace(0, np.pi / 2, 31)[:-1]
    across = np.outer(np.cos(angles), columns) + np.outer(np.sin(angles), rows)
    down = np.outer(np.cos(angles), rows) - np.outer(np.sin(angles), columns)
    corners = np.stack([across.argmax(1), down.argmax(1), across.argmin(1), down.argmin(1)], axis=1)
    x, y = columns[corners], rows[corners]  # (30, 4), in turn around a quadrilateral
    doubled = np.abs((x[:, 2] - x[:, 0]) * (y[:, 3] - y[:, 1]) - (x[:, 3] - x[:, 1]) * (y[:, 2] - y[:, 0]))
    largest = doubled.max() / 2 + len(rows) / 2  # and the outer halves of the outline's pixels
    around = (np.ptp(across, axis=1) + 1) * (np.ptp(down, axis=1) + 1)
    return float(min(largest, marks.sum()) / around.min())
