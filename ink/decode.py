"""A file -> the upright picture: uint8, on white, of a size that can be worked with, or an error that names the cure.

EXIF's turn, alpha on white (white ink on black), 16 bits and palettes by their own range, huge pictures reduced while decoding.
"""

from __future__ import annotations

import errno
import io
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

Source = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | np.ndarray

# what a user has; Pillow's other decoders are rarely used, and one of them (EPS) runs Ghostscript
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "WEBP", "TIFF", "AVIF")
SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".gif",
    ".bmp",
    ".webp",
    ".tif",
    ".tiff",
    ".pbm",
    ".pgm",
    ".ppm",
    ".heic",
    ".heif",
    ".avif",
}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}  # ISO/IEC 23008-12
NOT_THE_FILES = {
    errno.EISDIR,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
}  # errors of opening that say nothing of what a file holds
MAX_SIDE = 1024  # pixels; larger pictures are reduced to this while decoding
MAX_PIXELS = (
    100_000_000  # a picture that decodes to more is refused as a bomb (in colour with alpha: 400 MB a copy)
)
MAX_LENGTH = 1_000_000  # pixels; a longer side is refused too, since Pillow keeps 8 bytes a row
LEAST_CONTRAST = 0.06  # of full scale; fainter marks are not ink


class PictureError(ValueError):
    """A file that cannot be read as a picture; the message names the cure."""


def open_picture(source: Source) -> tuple[np.ndarray, float]:
    """Return (uint8 (H, W) or (H, W, 3), scale): the upright picture on white, at most MAX_SIDE pixels a side.

    Float ink, as the canvas has it, is taken for a drawing: dark on white. Raises PictureError, or OSError for a file that
    cannot be opened.
    """
    if isinstance(source, np.ndarray) and source.dtype.kind == "f":
        check_ink(source)
        source = np.round((1 - source) * 255).astype(np.uint8)
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or not (source.ndim == 2 or source.ndim == 3 and source.shape[2] == 3):
            raise PictureError("an array must be uint8 (H, W) or (H, W, 3), or float ink (H, W)")
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the picture"
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
        if (
            error.errno in NOT_THE_FILES
            or isinstance(source, (str, os.PathLike))
            and not os.access(source, os.R_OK)
        ):
            raise
        raise PictureError(f"{_shown(name)} is truncated or damaged: save it again") from None
    except Exception as error:  # decoders raise SyntaxError, ValueError, struct.error, ... on damaged bytes
        raise PictureError(
            f"{_shown(name)} cannot be decoded ({type(error).__name__}): save it again as PNG"
        ) from None


def check_ink(ink: np.ndarray) -> None:
    """Raise PictureError unless float `ink` is (H, W) in [0, 1]."""
    if ink.ndim != 2 or not np.isfinite(ink).all() or ink.min(initial=0) < 0 or ink.max(initial=0) > 1:
        raise PictureError("float ink must be (H, W) with values in [0, 1]")


def pictures_below(
    folder: str | os.PathLike[str], on_error: Callable[[OSError], object] | None = None
) -> list[str]:
    """Return the paths of the picture files in `folder` and all below it, sorted; `on_error` is told of folders that cannot be read."""
    return sorted(
        os.path.join(place, name)
        for place, _, names in os.walk(folder, onerror=on_error)
        for name in names
        if os.path.splitext(name)[1].lower() in SUFFIXES
    )


def _decode(image: Image.Image) -> tuple[np.ndarray, float]:
    if not image.width or not image.height:
        raise PictureError("the picture has no pixels")
    full = max(image.size)
    image.draft(None, (MAX_SIDE, MAX_SIDE)) if image.format in (
        "JPEG",
        "MPO",
    ) else None  # MPO: a phone's JPEG with a second picture
    _check_size(image)
    image.load()
    with suppress(Exception):  # metadata that cannot be read turn nothing
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            image = ImageOps.exif_transpose(image)
    sixteen_bits = image.mode.startswith("I;16")
    image = _reduced(image)
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        top = (
            2.0 ** max(int(values.max(initial=0)).bit_length(), 8)
            - 1  # cameras write 10, 12 or 14 bits into 16
            if sixteen_bits or (image.mode == "I" and values.max(initial=0) > 255)
            else max(float(np.nan_to_num(values).max(initial=0)), 1.0)
        )
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


def _formats() -> tuple[str, ...]:
    """Return FORMATS, and HEIF where pillow-heif has been registered."""
    return (*FORMATS, "HEIF") if "HEIF" in Image.OPEN else FORMATS


def _what_is_wrong(name: Any, source: Any) -> str:
    shown = _shown(name)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.stat().st_size == 0:
            return f"{shown} is empty: save the picture again"
        with path.open("rb") as file:
            head = file.read(12)
            if head[4:8] == b"ftyp" and head[8:] in HEIC_BRANDS:
                return f"{shown} is HEIC, which Pillow does not read: save it as JPEG or PNG, or `pip install pillow-heif`"
    return f"{shown} is not an image that Pillow can read: save it as PNG or JPEG"


def _shown(name: Any) -> str:
    """Return a name that can be printed: bytes that are not UTF-8 are shown escaped."""
    return os.fsdecode(name).encode("utf-8", "backslashreplace").decode()


def see_as_is(source: Source, size: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return (uint8 (size, size) or (size, size, 3), (width, height) of the upright picture). Raises what `open_picture` raises."""
    colours, scale = open_picture(source)
    image = Image.fromarray(colours).convert("RGB" if channels == 3 else "L")
    upright = (round(image.width * scale), round(image.height * scale))
    resized = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(resized), upright


def class_files(folder: Path) -> list[Path]:
    """Return the files of a class's folder, all levels down, sorted, without hidden ones and those in hidden folders."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
