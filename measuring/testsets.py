"""Labelled pictures of any origin, one at a time: what test.py measures on.

A folder with sub-folders named by digit; a `.tsv` with columns path, label and any others; an `.npz` with x
(N, H, W) uint8, ink bright, and y; a `.jsonl.gz` (or `.jsonl`) of pen strokes drawn on a 280 px canvas. A
label that is no digit marks a picture of no digit.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dataset import DataError
from ink.decode import Source, class_files
from ink.files import need_file
from ink.raster import draw_strokes

MOST_BYTES = 1 << 30  # of an unpacked .npz; more is refused as a bomb
MOST_LINE = 1 << 22  # characters; one drawing


@dataclass(frozen=True)
class Sample:
    """A picture with its truth; `columns` are a .tsv's other columns (for --by)."""

    name: str
    source: Source
    label: str
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def is_digit(self) -> bool:
        """Whether the label is a digit or a number, rather than the name of something else."""
        return self.label.isascii() and self.label.isdecimal()


def load_samples(path: str | os.PathLike[str], brush: float = 16) -> Iterator[Sample]:
    """Yield the samples of a test set; `brush` is the pen's width in px of the 280 px canvas, for strokes.

    Raises DataError naming the file and what it should be.
    """
    path = Path(path)
    readers = {".tsv": _read_tsv, ".npz": _read_npz, ".gz": _read_strokes, ".jsonl": _read_strokes}
    try:
        if path.is_dir():
            yield from _read_folder(path)
        elif path.suffix in readers:
            need_file(path)
            yield from readers[path.suffix](path, brush)
        elif path.exists():
            raise DataError(f"{path} is no test set: give a folder, .tsv, .npz or .jsonl.gz")
        else:
            raise DataError(f"{path}: no such file or folder")
    except (
        LookupError,
        TypeError,
        AttributeError,
        EOFError,
        OverflowError,
        RecursionError,
        NotImplementedError,
        MemoryError,
        zlib.error,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        csv.Error,
    ) as error:
        raise DataError(
            f"{path} is damaged or has another layout ({error}): see `python test.py --help`"
        ) from error
    except ValueError as error:
        raise error if isinstance(error, DataError) else DataError(f"{path} is damaged ({error})") from error


def _read_folder(path: Path) -> Iterator[Sample]:
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not folders:
        raise DataError(f"{path} has no sub-folders: sort the pictures into folders named 0 to 9")
    for folder in folders:
        for file in class_files(folder):
            yield Sample(str(file), str(file), folder.name)


def _read_tsv(path: Path, _: float) -> Iterator[Sample]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        if not {"path", "label"} <= set(rows.fieldnames or ()):
            raise DataError(f"{path} has no columns path and label in its first line")
        for row in rows:
            name = row["path"]
            if not name or not row["label"]:
                raise DataError(f"{path}, line {rows.line_num}: a row needs a path and a label")
            yield Sample(
                name,
                str(path.parent / name),
                row["label"],
                {key: value or "" for key, value in row.items() if key},
            )


def _read_npz(path: Path, _: float) -> Iterator[Sample]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        if sum(entry.file_size for entry in arrays.zip.infolist()) > MOST_BYTES:
            raise DataError(f"{path} unpacks to more than {MOST_BYTES >> 20} MB: split it")
        images, labels = arrays["x"], arrays["y"]
    if images.ndim != 3 or images.dtype != np.uint8 or len(images) != len(labels):
        raise DataError(
            f"{path} needs x uint8 (N, H, W), ink bright, and y (N,): it has {images.dtype} {images.shape}"
        )
    for number, (image, label) in enumerate(zip(images, labels)):
        yield Sample(
            f"{path.name}[{number}]", image, str(int(label)) if 0 <= int(label) <= 9 else f"class {label}"
        )


def _read_strokes(path: Path, brush: float) -> Iterator[Sample]:
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_LINE), "")):
            if len(line) == MOST_LINE:
                raise DataError(f"{path} has a line too long for a drawing: one drawing a line")
            drawing = json.loads(line)
            name = f"{path.name}[{number}]"
            others = {key: str(value) for key, value in drawing.items() if key not in ("strokes", "label")}
            yield Sample(name, draw_strokes(drawing["strokes"], brush), str(drawing["label"]), others)
