"""A picture -> ink: float32 (H, W) in [0, 1], ink bright, paper 0, whatever the file, pen, paper or light.

Decode upright (EXIF), alpha on white, 16 bits and palettes by their own range -> which side is ink ->
the most coloured ink keeps its contrast -> paper (shade, gradient, noise) removed. A picture on plain paper, like a
drawing or MNIST itself, keeps its grey values exactly.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

Source = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | np.ndarray

MAX_SIDE = 1024  # pixels; larger pictures are reduced to this while decoding
MAX_PIXELS = 200_000_000  # a picture that decodes to more is refused as a bomb
PLAIN_TOLERANCE = 6  # grey levels of 255; how far plain paper may stray from its commonest grey
PLAIN_SHARE = 0.45  # of the pixels (and of the border) that plain paper covers at least
LEAST_CONTRAST = 0.06  # of full scale; fainter marks are not ink
PAPER_SIDE = 160  # pixels; the paper's shade is estimated on a picture of this size


class PictureError(ValueError):
    """A file that cannot be read as a picture; the message names the cure."""


@dataclass(frozen=True)
class Picture:
    """The ink of a picture. `scale`: pixels of the upright picture per pixel of `ink`."""

    ink: np.ndarray
    scale: float = 1.0


def read_ink(source: Source) -> Picture:
    """Return the ink of a picture: a path, the bytes of a file, an open file, a PIL image or an array.

    An array is uint8 grey or RGB (H, W[, 3]), or float ink (H, W) in [0, 1] that is taken as it is. Raises
    FileNotFoundError or another OSError, or PictureError.
    """
    if isinstance(source, np.ndarray) and source.dtype.kind == "f":
        if source.ndim != 2 or not np.isfinite(source).all() or source.min(initial=0) < 0 or source.max(initial=0) > 1:
            raise PictureError("float ink must be (H, W) with values in [0, 1]")
        return Picture(source.astype(np.float32, copy=False))
    colours, scale = open_picture(source)
    return Picture(find_ink(colours), scale)


def open_picture(source: Source) -> tuple[np.ndarray, float]:
    """Return (uint8 (H, W) or (H, W, 3), scale): the upright picture on white, at most MAX_SIDE pixels a side."""
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or not (source.ndim == 2 or source.ndim == 3 and source.shape[2] == 3):
            raise PictureError("an array must be uint8 (H, W) or (H, W, 3), or float ink (H, W)")
        image: Image.Image = Image.fromarray(source)
        return _decode(image)
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the picture"
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; what matters is raised
            if isinstance(source, Image.Image):
                return _decode(source)
            with Image.open(source) as image:
                return _decode(image)
    except Image.UnidentifiedImageError:
        raise PictureError(_what_is_wrong(name, source)) from None
    except Image.DecompressionBombError:
        raise PictureError(f"{_shown(name)} has too many pixels: make it smaller first") from None
    except (OSError, PictureError):
        if isinstance(source, (str, os.PathLike)) and not os.access(source, os.R_OK):
            raise
        raise PictureError(f"{_shown(name)} is truncated or damaged: save it again") from None
    except Exception as error:  # decoders raise SyntaxError, ValueError, struct.error, ... on damaged bytes
        raise PictureError(
            f"{_shown(name)} cannot be decoded ({type(error).__name__}): save it again as PNG"
        ) from None


def find_ink(colours: np.ndarray) -> np.ndarray:
    """Return float32 ink (H, W) of an upright uint8 picture, (H, W) grey or (H, W, 3) colour."""
    plain = _plain_paper(colours)
    if plain is not None:
        return plain
    return _uneven_paper(colours)


# ---------------------------------------------------------------------------------- decoding


def _decode(image: Image.Image) -> tuple[np.ndarray, float]:
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    full = max(image.size)
    image.draft(None, (MAX_SIDE, MAX_SIDE)) if image.format == "JPEG" else None
    image.seek(0) if getattr(image, "is_animated", False) else None
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        top = (
            65535.0
            if image.mode.startswith("I;16") or (image.mode == "I" and values.max(initial=0) > 255)
            else max(float(np.nan_to_num(values).max(initial=0)), 1.0)
        )
        image = Image.fromarray(np.clip(np.nan_to_num(values) * (255 / top), 0, 255).round().astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    if image.mode != "L":
        image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    if max(image.size) > MAX_SIDE:
        ratio = MAX_SIDE / max(image.size)
        size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
        image = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(image), full / max(image.size)


def _what_is_wrong(name: Any, source: Any) -> str:
    shown = _shown(name)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.stat().st_size == 0:
            return f"{shown} is empty: save the picture again"
        with path.open("rb") as file:
            if file.read(12)[4:8] == b"ftyp":
                return f"{shown} is HEIC, which Pillow does not read: save it as JPEG or PNG, or `pip install pillow-heif`"
    return f"{shown} is not an image that Pillow can read: save it as PNG or JPEG"


def _shown(name: Any) -> str:
    """Return a name that can be printed: bytes that are not UTF-8 are shown escaped."""
    return os.fsdecode(name).encode("utf-8", "backslashreplace").decode()


# ---------------------------------------------------------------------------------- plain paper


def _plain_paper(colours: np.ndarray) -> np.ndarray | None:
    """Return the ink of a picture on paper of one colour, or None if its paper is not plain."""
    layers = colours[..., None] if colours.ndim == 2 else colours
    paper = [int(np.bincount(layers[..., c].ravel(), minlength=256).argmax()) for c in range(layers.shape[2])]
    distance = np.abs(layers.astype(np.int16) - np.array(paper, np.int16)).max(axis=2)  # the channel with most contrast
    near = distance <= PLAIN_TOLERANCE
    border = np.concatenate([near[0], near[-1], near[:, 0], near[:, -1]])
    if near.mean() < PLAIN_SHARE or border.mean() < PLAIN_SHARE:
        return None
    contrast = int(distance.max())
    if contrast < LEAST_CONTRAST * 255:
        return np.zeros(distance.shape, np.float32)
    exact = (distance == 0).sum() / near.sum()
    ink = distance.astype(np.float32) / 255
    if exact < 0.9:  # JPEG's ringing and a scanner's noise are paper too
        ink[distance < max(0.12 * contrast, 2 * PLAIN_TOLERANCE)] = 0
    # full contrast is left as it is, so that MNIST passes through unchanged
    return ink if contrast >= 200 else ink * (255 / contrast)


# ---------------------------------------------------------------------------------- uneven paper


def _uneven_paper(colours: np.ndarray) -> np.ndarray:
    """Return the ink on paper with shade, gradient, texture or noise: a photo, a scan, a fogged picture."""
    dark = _shaded_ink(colours, dark_ink=True)
    light = _shaded_ink(colours, dark_ink=False)
    return dark[0] if dark[1] >= light[1] else light[0]


def _shaded_ink(colours: np.ndarray, dark_ink: bool) -> tuple[np.ndarray, float]:
    """Return (ink, evidence) if the ink is darker (or lighter) than the paper around it."""
    if colours.ndim == 3:
        grey = colours.min(axis=2) if dark_ink else colours.max(axis=2)
    else:
        grey = colours
    level = grey.astype(np.float32) / 255
    if not dark_ink:
        level = 1 - level
    depth = _depth(level)
    noise = float(np.median(np.abs(depth - np.median(depth)))) * 1.4826
    floor = max(float(np.median(depth)) + 3.5 * noise, 0.04)
    labels, count = ndimage.label(depth > floor, np.ones((3, 3)))
    if count == 0:
        return np.zeros_like(depth), 0.0
    main = _main_marks(labels, count, depth)
    if len(main) < 4:
        return np.zeros_like(depth), 0.0
    strong = float(np.median(main[main >= _otsu(main)]))
    low = max(floor, 0.35 * strong)
    ink = np.clip((depth - low) / max(0.85 * strong - low, 0.02), 0, 1).astype(np.float32)
    labels, count = ndimage.label(ink > 0, np.ones((3, 3)))
    keep = np.zeros(count + 1, bool)
    keep[np.unique(labels[depth > max(0.6 * strong, floor)])] = True
    keep[0] = False
    ink[~keep[labels]] = 0
    share = float((ink > 0).mean())
    return ink, strong * (1 - share) if share < 0.5 else 0.0


def _main_marks(labels: np.ndarray, count: int, depth: np.ndarray) -> np.ndarray:
    """Return the depths of the marks that are likely writing, not those cut by the picture's edge if there are others."""
    mass = np.bincount(labels.ravel(), depth.ravel(), count + 1)
    mass[0] = 0
    inside = mass.copy()
    inside[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = 0
    if inside.max() > 0.05 * mass.max():
        mass = inside
    return depth[(mass >= 0.2 * mass.max())[labels] & (labels > 0)]


def _depth(level: np.ndarray) -> np.ndarray:
    """Return how far each pixel lies below the paper around it, in [0, 1] of the paper's own level.

    The paper is a closing wider than any stroke (a ramp stays a ramp), on a small copy; a shadow divides out.
    """
    height, width = level.shape
    ratio = min(1.0, PAPER_SIDE / max(height, width))
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    small = np.asarray(Image.fromarray(level).resize(size, Image.Resampling.BOX)) if ratio < 1 else level
    window = max(5, int(max(small.shape) * 0.17) | 1)
    closed = ndimage.grey_closing(ndimage.median_filter(small, 3), size=(window, window), mode="nearest")
    paper = ndimage.uniform_filter(closed, 3, mode="nearest")
    if ratio < 1:
        paper = np.asarray(Image.fromarray(paper.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))
    depth = np.clip(1 - level / np.maximum(paper, 0.02), 0, 1)
    return depth


def _otsu(values: np.ndarray) -> float:
    """Return the threshold that best splits `values` in two (Otsu, 1979)."""
    counts, edges = np.histogram(values, 128)
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    mean_below = np.cumsum(counts * middle) / np.maximum(below, 1)
    total = (counts * middle).sum()
    mean_above = (total - np.cumsum(counts * middle)) / np.maximum(above, 1)
    return float(middle[np.argmax(below * above * (mean_below - mean_above) ** 2)])
