"""Corrections as files: one PNG each, with its label."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from base.places import user_data_dir

FORMAT = "digits-correction-v1"
WORDS = ("format", "label", "time", "model")  # kept beside the frame
MOST_BYTES = (
    1 << 24
)  # of an unpacked correction (a frame has 3 KB, a picture in colour 50 KB); more is refused as a bomb


@dataclass(frozen=True)
class Correction:
    """One thing the user said: this frame shows this label."""

    id: str  # the file's name without its ending; sorts by time
    frame: np.ndarray = field(repr=False, compare=False)  # float32, (28, 28) or what the network is given
    label: str
    time: str  # ISO 8601, UTC
    model: str = ""  # which network was corrected


def default_folder() -> Path:
    """Return where a user's corrections are kept unless told otherwise."""
    return user_data_dir() / "corrections"


def _check(frame: Any, label: Any) -> None:
    if frame.ndim not in (2, 3) or not frame.size or not np.isfinite(frame).all():
        raise ValueError("a correction needs a frame (H, W) or (H, W, 3) of finite numbers")
    if frame.min() < 0 or frame.max() > 1:
        raise ValueError("a correction's frame must lie in [0, 1]")
    if not isinstance(label, str) or not label:
        raise ValueError("a correction needs a label")


def _to_bytes(entry: Correction) -> bytes:
    buffer = io.BytesIO()
    words = {"format": FORMAT, "label": entry.label, "time": entry.time, "model": entry.model}
    arrays: dict[str, Any] = {"frame": entry.frame, **{key: np.array(word) for key, word in words.items()}}
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _claimed(file: zipfile.ZipFile, name: str) -> int:
    """Return the bytes that an array in a file of corrections says it has; raises ValueError for another version's."""
    with file.open(name) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError("not a correction's array")
        shape, _, kind = np.lib.format.read_array_header_1_0(member)
        return math.prod(shape) * kind.itemsize


def _from_bytes(id: str, content: bytes) -> Correction:
    """Return the correction in a file's bytes; raises ValueError, KeyError, EOFError or OSError for any other bytes."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            if sum(entry.file_size for entry in file.zip.infolist()) > MOST_BYTES:
                raise ValueError("too large for a correction")
            if any(_claimed(file.zip, f"{key}.npy") > MOST_BYTES for key in (*WORDS, "frame")):
                raise ValueError("an array that is larger than its file")
            words = {key: str(file[key]) for key in WORDS}
            frame = file["frame"]
    except (TypeError, AttributeError, NotImplementedError, RuntimeError, MemoryError) as error:
        raise ValueError("not a correction") from error
    except Exception as error:
        if type(error).__module__ not in ("zipfile", "zlib"):
            raise
        raise ValueError("a damaged file") from error
    if words["format"] != FORMAT:
        raise ValueError(f"unknown format {words['format']!r}")
    if frame.dtype.kind not in "fiu":
        raise ValueError("a frame of no numbers")
    frame = np.ascontiguousarray(frame, np.float32)
    _check(frame, words["label"])
    return Correction(id, frame, words["label"], words["time"], words["model"])
