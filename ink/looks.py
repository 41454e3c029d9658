"""A picture -> ink: float32 (H, W) in [0, 1], ink bright, paper 0, whatever the file, pen, paper or light.

Which side is ink -> the most coloured ink keeps its contrast -> paper (shade, gradient, noise) removed. A picture on plain
paper, like a drawing or MNIST itself, keeps its grey values exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.decode import LEAST_CONTRAST, Source, check_ink, open_picture
from ink.frame import DIGIT_BOX, fit_frame, make_frame, unstretch
from ink.measures import EIGHT, PAPER_SIDE, edges, find_box, rim
from ink.page import is_dimmed, isolate_page
from ink.paper import FINE, shaded_ink
from ink.plain import FAINT, SMALL_SIDE, _flat_shape, _on_two_papers, _plain_paper, _without_border

NEARLY_SQUARE, OBLONG = 1.1, 1.5  # longer over shorter side, at most
MOST_RIM = 0.85  # of the rim's pixels; ink that covers more of it is paper
SCAN_SIDE = 16  # pixels of the coarse scans that are enlarged to pictures
ENLARGED = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
COARSE = 0.04  # of a picture's variance that reducing it to such a scan may lose
SCAN_STEP = 30  # grey levels of 255 between pixels of such a scan, where ink begins or ends
LEAST_GRAINS, MOST_STROKES = (
    40,
    3,
)  # connected parts of what a spray can leaves, at least, and of these run together, at most
GRAIN_SPREADS = (
    0.01,
    0.015,
    0.02,
    0.03,
)  # of their longer side; standard deviation of the blur that makes them run together
THIN_GAP = 2  # pixels; half of the widest gap in a line of dots


@dataclass(frozen=True)
class Look:
    """One way to see a picture: its ink, float32 (H, W), and if its shape says that it is of one digit, that digit's frames.

    `frames` is (N, 28, 28): the same digit in the proportions it may have, the middle one the likeliest. `whole`: the
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
    colours = _without_border(colours)
    close = _meets_edges(colours)
    if close:
        yield from _coarse_looks(colours, close=True)
    plain, doubt = _plain_paper(colours)
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
        flat = _flat_shape(colours)
        yield from _shaded_looks(colours) if flat is None else [Look(flat)]
    if shadow:
        yield from _page_looks(page)
    yield from _page_looks(isolate_page(colours, elliptic=True))
    if not small and (ink := _on_two_papers(colours)) is not None:
        yield Look(ink)
    if not close and not small:
        yield from _coarse_looks(colours, close=False)
    if plain is not None and not small:
        yield from _grain_looks(plain)


def _may_be_frame(height: int, width: int) -> bool:
    """Say whether a picture may be a frame, enlarged or not: it has room for a digit's margin, and a frame's shape or nearly so."""
    shorter, longer = sorted((height, width))
    return DIGIT_BOX < longer <= (OBLONG if longer <= SMALL_SIDE else NEARLY_SQUARE) * shorter


def _meets_edges(colours: np.ndarray) -> bool:
    """Say whether no edge of a picture is plain: ink may reach all four, as in a scan cut to its digit."""
    return all(int(edge.max()) - int(edge.min()) >= LEAST_CONTRAST * 255 for edge in edges(colours))


def _coarse_looks(colours: np.ndarray, close: bool) -> Iterator[Look]:
    """Yield the looks at a digit that was enlarged from a scan of SCAN_SIDE pixels, as they are at that size.

    `close`: only if there is ink, which begins and ends within a pixel of the scan, at all four edges, rather than shade.
    """
    height, width = colours.shape[:2]
    shorter, longer = sorted((height, width))
    if shorter <= DIGIT_BOX or longer > OBLONG * shorter:
        return
    picture = Image.fromarray(colours).convert("L")
    picture.thumbnail((PAPER_SIDE, PAPER_SIDE), Image.Resampling.BOX)
    scan = picture.resize(
        (round(SCAN_SIDE * width / longer), round(SCAN_SIDE * height / longer)), Image.Resampling.BOX
    )
    pixels = np.asarray(scan)
    if close and not all(np.abs(np.diff(edge.astype(np.int16))).max() >= SCAN_STEP for edge in edges(pixels)):
        return
    level = np.asarray(picture, np.float32)
    if (
        min(float(np.square(level - np.asarray(scan.resize(picture.size, how))).mean()) for how in ENLARGED)
        > COARSE * level.var()
    ):
        return
    for look in find_looks(pixels):
        if look.frames is not None:
            ink = Image.fromarray(look.ink).resize((width, height), Image.Resampling.NEAREST)
            yield Look(np.asarray(ink), look.frames)


def _page_looks(page: np.ndarray | None) -> Iterator[Look]:
    """Yield the ink on a page that has been isolated, if there is one."""
    if page is not None:
        ink, _ = _plain_paper(page)
        yield from _shaded_looks(page) if ink is None else [Look(ink)]


def _grain_looks(ink: np.ndarray) -> Iterator[Look]:
    """Yield the ink of a picture that is all grains, as a spray can leaves them, run together into strokes."""
    box = find_box(ink > 0)
    if box is None or ndimage.label(ink > 0, EIGHT)[1] < LEAST_GRAINS:
        return
    longer = max(box[2] - box[0], box[3] - box[1])
    for spread in GRAIN_SPREADS:
        soft = ndimage.gaussian_filter(ink, spread * longer)
        soft = np.clip((soft / np.percentile(soft[ink > 0], 75) - 0.3) / 0.3, 0, 1)
        if ndimage.label(soft > 0, EIGHT)[1] <= MOST_STROKES:
            yield Look(soft)
            return


def _shaded_looks(colours: np.ndarray) -> Iterator[Look]:
    """Yield the ink of a picture on uneven paper, darker or lighter than it, the likelier first."""
    looks = sorted((shaded_ink(colours, dark_ink) for dark_ink in (True, False)), key=lambda look: -look[1])
    yield Look(looks[0][0], whole=_may_be_frame(*looks[0][0].shape))
    if looks[1][1] > 0:
        yield Look(looks[1][0])
    if min(colours.shape[:2]) > PAPER_SIDE:
        yield Look(shaded_ink(colours, dark_ink=True, window=FINE)[0])


def _is_dotted(marks: np.ndarray) -> bool:
    """Say whether small `marks` (H, W) are in parts, as a thin pen leaves them, with no more than 2 * THIN_GAP pixels between them."""
    return (
        ndimage.label(marks, EIGHT)[1] > 1
        and ndimage.label(ndimage.binary_dilation(marks, EIGHT, THIN_GAP), EIGHT)[1] == 1
    )


def _fills(ink: np.ndarray) -> bool:
    """Say whether `ink` (H, W) reaches all four edges of its picture."""
    return all(edge.any() for edge in edges(ink))


def _whole_frames(colours: np.ndarray, scan: bool) -> Iterator[Look]:
    """Yield a small picture as it is and its negative, the one with the darker border first, in full contrast.

    A `scan` has no room for the margin of a frame: its ink is first framed as a digit's, stretched if it fills the picture.
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


# ---------------------------------------------------------------------------------- plain paper
