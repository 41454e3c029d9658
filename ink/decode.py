"""A file -> the upright picture, uint8 (H, W) or (H, W, 3), at most 1024 pixels a side, or an error with its cure.

EXIF orientation is applied, transparency becomes white paper (black under white ink), 16 bits are scaled by their own
range, and huge pictures are reduced while they are decoded.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ink.files import is_no_file, need_file

Source = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | np.ndarray  # or a tensor

# Pillow's decoders for what users have; of the others, one (EPS) runs Ghostscript
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "WEBP", "TIFF", "AVIF")
SUFFIXES = set(
    ".png .jpg .jpeg .jpe .jfif .gif .bmp .webp .tif .tiff .pbm .pgm .ppm .heic .heif .avif".split()
)
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}  # ISO/IEC 23008-12
NOT_THE_FILES = {errno.EMFILE, errno.ENFILE, errno.EIO}  # errors that say nothing of a file's content
MAX_SIDE = 1024  # pixels; larger pictures are reduced to this while they are decoded
MAX_PIXELS = 100_000_000  # larger pictures are refused as bombs: in RGBA, so many take 400 MB a copy
MAX_LENGTH = 1_000_000  # pixels; longer sides are refused, since Pillow keeps 8 bytes a row
LEAST_CONTRAST = 0.06  # of full scale; fainter marks are not ink


class PictureError(ValueError):
    """A file that cannot be read as a picture; the message names the cure."""


def open_picture(source: Source) -> tuple[np.ndarray, float]:
    """Return (uint8 (H, W) or (H, W, 3), scale): the upright picture on white, at most MAX_SIDE pixels a side.

    Float ink, as the canvas has it, is taken for a drawing: dark on white. A tensor is taken like an array; dimensions of 1
    before its height are left out. Raises TypeError for anything else, PictureError, or OSError for a file that cannot
    be opened.
    """
    source = _known(source)
    if isinstance(source, np.ndarray) and source.dtype.kind == "f":
        check_ink(source)
        source = np.round((1 - source) * 255).astype(np.uint8)
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or not (source.ndim == 2 or source.ndim == 3 and source.shape[2] == 3):
            raise PictureError("an array must be uint8 (H, W) or (H, W, 3), or float ink (H, W)")
    name = "the picture"
    if isinstance(source, (str, os.PathLike)):
        need_file(source)
        name = os.fspath(source)
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; what matters is raised
            if isinstance(source, np.ndarray):
                return _decode(Image.fromarray(source))
            if isinstance(source, Image.Image):
                _check_size(source)
                return _decode(source.copy())  # the caller's picture stays as it is
            with Image.open(source, formats=_formats()) as image:
                return _decode(image)
    except Image.UnidentifiedImageError:
        raise PictureError(_what_is_wrong(name, source)) from None
    except Image.DecompressionBombError:
        raise PictureError(f"{_shown(name)} has too many pixels: make it smaller first") from None
    except PictureError:
        raise
    except OSError as error:
        unreadable = isinstance(source, (str, os.PathLike)) and not os.access(source, os.R_OK)
        if error.errno in NOT_THE_FILES or unreadable:
            raise
        raise PictureError(f"{_shown(name)} is truncated or damaged: save it again") from None
    except Exception as error:  # decoders raise SyntaxError, ValueError, struct.error, ... on damaged bytes
        raise PictureError(
            f"{_shown(name)} cannot be decoded ({type(error).__name__}): save it again as PNG"
        ) from None


def _known(source: Any) -> Source:
    """Return `source`, a tensor as an array; raises TypeError for what is no picture."""
    if hasattr(source, "detach") and hasattr(source, "numpy"):  # a torch tensor; torch is not imported here
        source = source.detach().cpu().numpy()
        while source.ndim > 2 and source.shape[0] == 1:
            source = source[0]
    known = (str, os.PathLike, bytes, Image.Image, np.ndarray)
    if isinstance(source, known) or hasattr(source, "read"):
        return source
    raise TypeError(
        f"a picture is a path, bytes, an open file, a PIL image, an array or a tensor (H, W), not {type(source).__name__}"
    )


def check_ink(ink: np.ndarray) -> None:
    """Raise PictureError unless float `ink` is (H, W) in [0, 1]."""
    if ink.ndim != 2 or not np.isfinite(ink).all() or ink.min(initial=0) < 0 or ink.max(initial=0) > 1:
        raise PictureError("float ink must be (H, W) with values in [0, 1]")


def pictures_below(
    folder: str | os.PathLike[str], on_error: Callable[[OSError], object] | None = None
) -> list[str]:
    """Return the paths of the picture files in `folder` and all below it, in natural order.

    A link that leads nowhere is one; a pipe, a socket or a device is none. `on_error` is told of folders that cannot be read.
    """
    found = (
        os.path.join(place, name)
        for place, _, names in os.walk(folder, onerror=on_error)
        for name in names
        if os.path.splitext(name)[1].lower() in SUFFIXES and not is_no_file(os.path.join(place, name))
    )
    return sorted(found, key=natural)


def natural(path: str) -> list[tuple[str, int, str]]:
    """Return a key that sorts 2 before 10: the parts of a path, their digits as numbers."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", path)
    return [(text, int(digits or -1), digits) for text, digits in parts]


def _decode(image: Image.Image) -> tuple[np.ndarray, float]:
    if not image.width or not image.height:
        raise PictureError("the picture has no pixels")
    full = max(image.size)
    if image.format in ("JPEG", "MPO"):  # MPO: a phone's JPEG with a second picture
        image.draft(None, (MAX_SIDE, MAX_SIDE))
    _check_size(image)
    image.load()
    with suppress(Exception):  # metadata that cannot be read turn nothing
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            image = ImageOps.exif_transpose(image)
    sixteen_bits = image.mode.startswith("I;16")
    image = _reduced(image)
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        if sixteen_bits or image.mode == "I" and values.max(initial=0) > 255:
            top = (
                2.0 ** max(int(values.max(initial=0)).bit_length(), 8) - 1
            )  # cameras write 10 to 14 bits into 16
        else:
            top = max(float(np.nan_to_num(values).max(initial=0)), 1.0)
        image = Image.fromarray(np.clip(np.nan_to_num(values) * (255 / top), 0, 255).round().astype(np.uint8))
    if image.has_transparency_data:
        image = _on_paper(image.convert("RGBA"))
    if image.mode != "L":
        image = image.convert("L" if image.mode == "1" else "RGB")
    if max(image.size) > MAX_SIDE:
        ratio = MAX_SIDE / max(image.size)
        size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
        image = image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(image), full / max(image.size)


def _check_size(image: Image.Image) -> None:
    """Raise DecompressionBombError for a picture too large to be decoded."""
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_LENGTH:
        raise Image.DecompressionBombError


def _on_paper(image: Image.Image) -> Image.Image:
    """Return an RGBA picture on white, or on black where nothing of it shows on white."""
    on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    shows = np.asarray(on_white).min() <= 255 * (1 - LEAST_CONTRAST)
    return on_white if shows else Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)


def _reduced(image: Image.Image) -> Image.Image:
    """Return a picture of very many pixels with its sides divided by a whole number, twice MAX_SIDE or more still."""
    factor = max(image.size) // (2 * MAX_SIDE)
    if factor < 2:
        return image
    if image.has_transparency_data and image.mode not in ("RGBA", "LA"):
        image = image.convert("RGBA")
    elif image.mode in ("1", "P") or image.mode.startswith("I;16"):
        image = image.convert({"1": "L", "P": "RGB"}.get(image.mode, "I"))
    return image.reduce(factor)


@functools.cache
def _formats() -> tuple[str, ...]:
    """Return FORMATS, and HEIF where pillow-heif is installed."""
    try:
        import pillow_heif
    except ImportError:
        return FORMATS
    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def _what_is_wrong(name: Any, source: Any) -> str:
    shown = _shown(name)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.stat().st_size == 0:
            return f"{shown} is empty: save the picture again"
        with path.open("rb") as file:
            head = file.read(12)
        if head[4:8] == b"ftyp" and head[8:] in HEIC_BRANDS:
            return f"{shown} is HEIC: `pip install pillow-heif`, or save it as JPEG or PNG"
        if head.startswith(b"%PDF"):
            return (
                f"{shown} is PDF: `pip install pypdfium2` and name it to predict.py, or save the page as PNG"
            )
    elif isinstance(source, io.BytesIO) and not source.getbuffer():
        return f"{shown} is empty"
    return (
        f"{shown} is in none of the formats that are read here ({', '.join(FORMATS)}): save it as PNG or JPEG"
    )


def _shown(name: Any) -> str:
    """Return a name that can be printed: bytes that are not UTF-8 are shown escaped."""
    return os.fsdecode(name).encode("utf-8", "backslashreplace").decode()


def see_as_is(source: Source, size: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return (uint8 (size, size[, 3]), (width, height) of the upright picture); raises as `open_picture`."""
    colours, scale = open_picture(source)
    image = Image.fromarray(colours).convert("RGB" if channels == 3 else "L")
    upright = (round(image.width * scale), round(image.height * scale))
    resized = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(resized), upright


def class_files(folder: Path) -> list[Path]:
    """Return the sorted files in and below a class's folder, without hidden ones and those in hidden folders."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
