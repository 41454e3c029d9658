"""Sets of handwriting: files and folders read into drawings and pictures with their labels and writers.

A file of pen strokes (.jsonl or .jsonl.gz: one JSON a line with `label`, `strokes` and, where known, `writer`), an .npz
(x uint8 (N, H, W), ink bright; y labels; w writers where known), a folder of such files, or a folder of pictures in
sub-folders named by label. What is labelled 0 to 9 teaches that digit, everything else teaches "not a digit", but for
what is a digit to any reader (LOOKALIKES by name, lookalikes.txt by checksum), which teaches nothing.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dataset import DataError
from ink.decode import PictureError, Source, class_files
from ink.files import is_no_file, need_file
from training.folders import frame_of
from training.pictures.augment import NOT_A_DIGIT

MOST_BYTES = 1 << 30  # of an unpacked file; more is refused as a bomb
RINGS = frozenset(  # Quick, Draw!'s, that are a ring, a bar, a hook or a zigzag
    "circle line donut moon pond squiggle finger knee nail ear bracelet peanut snake boomerang zigzag lightning triangle".split()
) | {"baseball bat", "golf club", "hockey stick", "paper clip"}
LOOKALIKES = RINGS | frozenset("/OoIliZzSsqgbDBGJj")  # and letters that are digits in many hands
LOOKALIKES_FILE = Path(__file__).with_name("lookalikes.txt")  # made by lookalikes.py


@lru_cache(maxsize=1)
def _lookalikes() -> frozenset[str]:
    """Return the checksums of drawings and pictures that are digits to any reader, whatever their name."""
    return frozenset(LOOKALIKES_FILE.read_text(encoding="ascii").split("\n"))


@dataclass(frozen=True)
class Item:
    """One drawing or picture: `strokes`, or a `frame` uint8 (28, 28)."""

    label: str
    writer: str
    strokes: list[list[list[float]]] | None = None
    frame: np.ndarray | None = None

    @property
    def digit(self) -> int:
        """The digit, or NOT_A_DIGIT."""
        return int(self.label) if len(self.label) == 1 and self.label in "0123456789" else NOT_A_DIGIT

    @property
    def checksum(self) -> str:
        """The CRC-32 of what is drawn or seen, in hexadecimal."""
        content = (
            json.dumps(self.strokes, separators=(",", ":")).encode()
            if self.frame is None
            else self.frame.tobytes()
        )
        return f"{zlib.crc32(content):08x}"

    @property
    def teaches(self) -> bool:
        """Whether it is a digit, or none to any reader."""
        return (
            self.digit != NOT_A_DIGIT or self.label not in LOOKALIKES and self.checksum not in _lookalikes()
        )


def find_sets(path: Path) -> list[Path]:
    """Return the sets at `path`: itself, the files of a folder, or the folder if its sub-folders hold pictures."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder: docs/data.md says where hands come from")
    if not path.is_dir():
        need_file(path)
        return [path]
    files = [
        file
        for file in sorted(path.iterdir())
        if file.name.endswith((".jsonl.gz", ".jsonl", ".npz")) and not is_no_file(file)
    ]
    pictures = any(entry.is_dir() and not entry.name.startswith(".") for entry in path.iterdir())
    if not files and not pictures:
        raise DataError(f"{path} holds no .jsonl.gz, .npz or sub-folders of pictures")
    return files + ([path] if pictures else [])


def read_set(path: Path) -> Iterator[Item]:
    """Yield what a file or a folder of pictures holds; pictures through the road. Raises DataError naming the file."""
    try:
        if path.is_dir():
            yield from _read_pictures(path)
        elif path.suffix == ".npz":
            yield from _read_npz(path)
        else:
            yield from _read_strokes(path)
    except (
        LookupError,
        TypeError,
        AttributeError,
        EOFError,
        zlib.error,
        gzip.BadGzipFile,
        ValueError,
    ) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path} is damaged or has another layout ({error}): docs/data.md says how it is made"
        ) from error


def _read_strokes(path: Path) -> Iterator[Item]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DataError(f"{path} unpacks to more than {MOST_BYTES >> 20} MB: split it")
    for line in content.splitlines():
        drawing = json.loads(line)
        yield Item(str(drawing["label"]), str(drawing.get("writer") or ""), drawing["strokes"])


def _read_npz(path: Path) -> Iterator[Item]:
    with np.load(path, allow_pickle=False) as arrays:
        if sum(entry.file_size for entry in arrays.zip.infolist()) > MOST_BYTES:
            raise DataError(f"{path} unpacks to more than {MOST_BYTES >> 20} MB: split it")
        images, labels = arrays["x"], arrays["y"]
        writers = arrays["w"] if "w" in arrays else np.full(len(labels), "")
    if images.ndim != 3 or images.dtype != np.uint8 or len(images) != len(labels):
        raise DataError(
            f"{path} needs x uint8 (N, H, W), ink bright, and y (N,): it has {images.dtype} {images.shape}"
        )
    for image, label, writer in zip(images, labels, writers):
        yield from _framed(image, str(label), str(writer))


def _read_pictures(path: Path) -> Iterator[Item]:
    for folder in sorted(
        entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    ):
        for file in class_files(folder):
            yield from _framed(file, folder.name, "")


def _framed(source: Source, label: str, writer: str) -> Iterator[Item]:
    """Yield the item of a picture; nothing for one without ink, or that is no picture."""
    try:
        yield Item(label, writer, frame=np.round(frame_of(source) * 255).astype(np.uint8))
    except PictureError:
        return


def checksum_of(path: Path) -> str:
    """Return the CRC-32 of a file, or of all files below a folder."""
    checksum = 0
    for file in class_files(path) if path.is_dir() else [path]:
        checksum = zlib.crc32(file.read_bytes(), checksum)
    return f"{checksum:08x}"
