"""A picture -> ink: float32 (H, W) in [0, 1], ink bright, paper 0, whatever the file, pen, paper or light.

Which side is ink -> the most coloured ink keeps its contrast -> paper (shade, gradient, noise) removed. A picture on plain
paper, like a drawing or MNIST itself, keeps its grey values exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.decode import LEAST_CONTRAST, Source, check_ink, open_picture
from ink.frame import DIGIT_BOX, EIGHT, find_box, fit_frame, make_frame, unstretch
from ink.page import is_dimmed, isolate_page
from ink.paper import FINE, GRAIN, PAPER_SIDE, deviation, edges, erase_rules, rim, shaded_ink

PLAIN_TOLERANCE = 6  # grey levels of 255; how far plain paper may stray from its commonest grey
PLAIN_SHARE = 0.45  # of the pixels (and of the border) that plain paper covers at least
NOISY_SHARE = 0.7           # the same where the paper's grey is not quite the same everywhere
FLAT_RIM, FLAT_SHAPE = 0.9, 0.6  # least share of one colour, of the border and of the rest, in a picture of a flat shape
NEARLY_SQUARE, OBLONG = 1.1, 1.5  # longer over shorter side, at most
SMALL_SIDE = 40             # pixels; a picture up to this side may be a frame by itself, noise and all
FAINT = 0.12                # of the contrast; fainter marks on a noisy or small picture are noise,
STRONG = 0.3                # and so are fainter ones than this that touch none of these
RINGING = 0.2               # of the ink's pixels; where more of the paper is not quite its grey, JPEG's ringing is about
PATCH_SHARE, PATCH_TOLERANCE = 0.02, 2  # of a picture that a patch of another paper covers, at least; its grey levels' spread
LEAST_PATCH = PLAIN_TOLERANCE + PATCH_TOLERANCE + 1  # grey levels that it differs by: less is the paper itself
MOST_SOFT = 0.4             # of what lies around it that is fainter, and yet no paper, as around a shadow or a glow
PATCH_WIDTH = 0.06          # of the picture's shorter side, at least; a pen's strokes are narrower
LEAST_PAPER = 0.15          # of the rim that each of two papers covers
MOST_RIM = 0.85             # of the rim's pixels; ink that covers more of it is paper
SCAN_SIDE = 16              # pixels of the coarse scans that are enlarged to pictures
ENLARGED = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
COARSE = 0.04               # of a picture's variance that reducing it to such a scan may lose
SCAN_STEP = 30              # grey levels of 255 between pixels of such a scan, where ink begins or ends
WIDEST_BORDER = 0.07        # of a picture's shorter side; a line along its edges is no wider
LEAST_GRAINS, MOST_STROKES = 40, 3  # connected parts of what a spray can leaves, at least, and of these run together, at most
GRAIN_SPREADS = 0.01, 0.015, 0.02, 0.03  # of their longer side; standard deviation of the blur that makes them run together
THIN_GAP = 2                # pixels; half of the widest gap in a line of dots


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


def _without_border(colours: np.ndarray) -> np.ndarray:
    """Return a picture without the thin line of one colour along all its edges that a canvas may have: there its paper goes on."""
    layers = colours.reshape(*colours.shape[:2], -1)
    shorter = min(layers.shape[:2])
    widest = int(WIDEST_BORDER * shorter)
    if shorter <= DIGIT_BOX:
        return colours
    outer, inner = rim(layers).astype(np.int16), rim(layers[widest:-widest, widest:-widest])
    low, high = outer.min(axis=0), outer.max(axis=0)
    alike = (inner.min(axis=0) >= low - PLAIN_TOLERANCE).all() and (inner.max(axis=0) <= high + PLAIN_TOLERANCE).all()
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
    scan = picture.resize((round(SCAN_SIDE * width / longer), round(SCAN_SIDE * height / longer)), Image.Resampling.BOX)
    pixels = np.asarray(scan)
    if close and not all(np.abs(np.diff(edge.astype(np.int16))).max() >= SCAN_STEP for edge in edges(pixels)):
        return
    level = np.asarray(picture, np.float32)
    if min(float(np.square(level - np.asarray(scan.resize(picture.size, how))).mean()) for how in ENLARGED) > COARSE * level.var():
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
    return ndimage.label(marks, EIGHT)[1] > 1 and ndimage.label(ndimage.binary_dilation(marks, EIGHT, THIN_GAP), EIGHT)[1] == 1


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


def _plain_paper(colours: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """Return (ink, doubt about its polarity) of a picture on paper of one colour; ink is None if its paper is not plain."""
    counts = np.array(Image.fromarray(colours).histogram()).reshape(-1, 256)
    paper = counts.argmax(axis=1).tolist()  # the commonest value of each channel
    layers = [colours] if colours.ndim == 2 else [colours[..., channel] for channel in range(3)]
    # the channel with most contrast
    distance = reduce(np.maximum, [np.abs(layer.astype(np.int16) - grey) for layer, grey in zip(layers, paper)])
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
    return bool(counts[(away >= LEAST_PATCH) & (away < STRONG * contrast)].max(initial=0) >= PATCH_SHARE * counts[0].sum())


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
    if min(rim(near[0]).mean(), rim(near[1]).mean()) < LEAST_PAPER or np.abs(papers[0] - papers[1]).max() <= 2 * PLAIN_TOLERANCE:
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
