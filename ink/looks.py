"""A picture -> its looks: the ways to see its ink, float32 (H, W) in [0, 1], ink bright, paper 0, likeliest first.

A picture on plain paper, like a drawing or MNIST itself, keeps its grey values exactly. From any other the paper is
removed (shade, gradient, noise), and its ink is the side that stands out more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ink.decode import LEAST_CONTRAST, Source, check_ink, open_picture
from ink.frame import DIGIT_BOX, fit_frame, make_frame, unstretch
from ink.measures import EIGHT, PAPER_SIDE, edges, rim
from ink.page import is_dimmed, isolate_page
from ink.paper import FAINT, FINE, plain_ink, shaded_ink

SMALL_SIDE = 40  # pixels; a picture up to this side may be a frame by itself, noise and all
NEARLY_SQUARE = 1.1  # longer over shorter side of an enlarged frame, at most
OBLONG = 1.5  # longer over shorter side of a small frame, at most
MOST_RIM = 0.85  # of the border's pixels; ink that covers more of it is paper
THIN_GAP = 2  # pixels; half of the widest gap in a line of dots


@dataclass(frozen=True)
class Look:
    """One way to see a picture: its ink, float32 (H, W), and the digit's frames if its shape says that it is one.

    `frames` is (N, 28, 28): the same digit in the proportions it may have, the likeliest in the middle. `whole`: the
    picture may be a frame already, small or enlarged.
    """

    ink: np.ndarray
    frames: np.ndarray | None = None
    whole: bool = False


@dataclass(frozen=True)
class Picture:
    """What a picture may say. `looks`: likeliest first; `scale`: pixels of the upright picture per pixel of ink."""

    looks: Iterable[Look]
    scale: float = 1.0


def read_ink(source: Source) -> Picture:
    """Return the ink of a picture: a path, the bytes of a file, an open file, a PIL image or an array.

    An array is uint8 grey or RGB (H, W[, 3]), or float ink (H, W) in [0, 1] that is taken as it is. Raises
    FileNotFoundError or another OSError, or PictureError.
    """
    if isinstance(source, np.ndarray) and source.dtype.kind == "f":
        check_ink(source)
        return Picture([Look(source.astype(np.float32, copy=False), whole=_may_be_frame(*source.shape))])
    colours, scale = open_picture(source)
    return Picture(find_looks(colours), scale)


def find_looks(colours: np.ndarray) -> Iterator[Look]:
    """Yield the ways to see an upright uint8 picture, (H, W) grey or (H, W, 3) colour, likeliest first.

    The later ones are second looks, for a picture whose first does not read surely as a digit.
    """
    plain, doubt = plain_ink(colours)
    shorter, longer = sorted(colours.shape[:2])
    small = longer <= SMALL_SIDE and longer <= OBLONG * shorter
    if plain is not None:
        whole = _may_be_frame(*plain.shape)
        if small and longer <= NEARLY_SQUARE * shorter and _fills(plain):
            yield Look(plain, unstretch(plain), whole)
        elif small and _is_dotted(plain > 0):
            yield Look(plain, make_frame(plain)[None], whole)
        yield Look(plain, whole=whole)
        if doubt:
            yield Look(1 - plain)
    if small:
        yield from _whole_frames(colours, scan=plain is None and longer <= DIGIT_BOX)
    page = isolate_page(colours)
    shadow = page is not None and plain is None and is_dimmed(colours, page)  # likely no page at all
    if not shadow:
        yield from _page_looks(page)
    if plain is None:
        yield from _shaded_looks(colours)
    if shadow:
        yield from _page_looks(page)


def _may_be_frame(height: int, width: int) -> bool:
    """Return whether a picture may be a frame, enlarged or not: with room for a margin, and square or nearly so."""
    shorter, longer = sorted((height, width))
    return DIGIT_BOX < longer <= (OBLONG if longer <= SMALL_SIDE else NEARLY_SQUARE) * shorter


def _page_looks(page: np.ndarray | None) -> Iterator[Look]:
    """Yield the ink on a page that has been isolated, if there is one."""
    if page is not None:
        ink, _ = plain_ink(page)
        yield from _shaded_looks(page) if ink is None else [Look(ink)]


def _shaded_looks(colours: np.ndarray) -> Iterator[Look]:
    """Yield the ink of a picture on uneven paper, darker or lighter than it, the likelier first."""
    looks = sorted((shaded_ink(colours, dark_ink) for dark_ink in (True, False)), key=lambda look: -look[1])
    yield Look(looks[0][0], whole=_may_be_frame(*looks[0][0].shape))
    if looks[1][1] > 0:
        yield Look(looks[1][0])
    if min(colours.shape[:2]) > PAPER_SIDE:
        yield Look(shaded_ink(colours, dark_ink=True, window=FINE)[0])


def _is_dotted(marks: np.ndarray) -> bool:
    """Return whether small `marks` (H, W) are in parts with at most 2 * THIN_GAP pixels between them."""
    joined = ndimage.binary_dilation(marks, EIGHT, THIN_GAP)
    return ndimage.label(marks, EIGHT)[1] > 1 and ndimage.label(joined, EIGHT)[1] == 1


def _fills(ink: np.ndarray) -> bool:
    """Return whether `ink` (H, W) reaches all four edges of its picture."""
    return all(edge.any() for edge in edges(ink))


def _whole_frames(colours: np.ndarray, scan: bool) -> Iterator[Look]:
    """Yield a small picture as it is and its negative, the one with the darker border first, in full contrast.

    A `scan` has no room for a frame's margin: its ink is first framed as a digit, unstretched if it fills the picture.
    """
    grey = (colours if colours.ndim == 2 else colours.mean(axis=2)).astype(np.float32)
    low, high = float(grey.min()), float(grey.max())
    if high - low < LEAST_CONTRAST * 255:
        return
    level = (grey - low) / (high - low)
    first = level if np.median(rim(level)) + np.median(level) <= 1 else 1 - level
    both = [ink for ink in (first, 1 - first) if np.mean(rim(ink) > 0.5) < MOST_RIM]
    if scan:
        for ink in (np.where(each < FAINT, 0, each) for each in both):
            yield Look(ink, unstretch(ink) if _fills(ink) else make_frame(ink)[None])
    for ink in both:
        yield Look(ink, fit_frame(ink)[None])
