"""A user's own pictures to train on: folders, one a class, through the road or as they are; and corrections.

The split is fixed: of each class the pictures whose paths hash lowest are for validation, whatever the seed,
and a picture keeps its side when others are added (but for those at the border). More than memory should hold
is decoded once into a file without a name, from which batches are read as they are needed.
"""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from base.storage import naming
from corrections.store import Correction
from dataset import DataError, Digits
from ink.decode import PictureError, Source, class_files, see_as_is
from ink.frame import FRAME_SIZE, make_frame
from ink.lines import find_layouts
from ink.looks import read_ink
from ink.piece import merge
from training.reports import SILENT, Reports

VALIDATION_SHARE = 0.15  # of each class
MOST_COPIES = 50  # of a correction in the training set, or as many as make 2 % of it
IN_MEMORY = 1 << 30  # bytes; more than this is kept on disk


@dataclass(frozen=True)
class FolderData:
    """What a folder held."""

    training: Digits
    validation: Digits
    skipped: list[tuple[Path, str]]  # files that could not be used, and why


def load_folder(
    folder: str | os.PathLike[str],
    *,
    size: int = FRAME_SIZE,
    channels: int = 1,
    as_is: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    in_memory: int = IN_MEMORY,
    reports: Reports = SILENT,
) -> FolderData:
    """Return the pictures below `folder`, whose sub-folders name the classes.

    Through the road each becomes a frame, 28 x 28; `as_is` (channels, size, size). More than `in_memory` bytes
    are kept in a file in `cache_dir`. Raises DataError if two classes with readable pictures are not there.
    """
    folder = Path(folder)
    classes = find_classes(folder)
    shape = (channels, size, size) if as_is else (1, FRAME_SIZE, FRAME_SIZE)
    files = [
        (path, label, held_out)
        for label, name in enumerate(classes)
        for path, held_out in split(folder, name)
    ]
    files.sort(key=lambda file: not file[2])  # validation first: both parts are then slices, not copies
    images = _room_for(len(files), shape, in_memory, cache_dir)
    labels: list[int] = []
    skipped: list[tuple[Path, str]] = []
    validation_size = 0
    with reports.watch(files, "pictures", len(files)) as watched:
        for path, label, held_out in watched:
            try:
                images[len(labels)] = _picture(path, size, channels, as_is)
            except (OSError, PictureError) as error:
                skipped.append((path, str(error)))
                continue
            labels.append(label)
            validation_size += held_out
    pictures = Digits(
        torch.from_numpy(images[: len(labels)]),
        torch.tensor(labels, dtype=torch.int64),
        folder.name,
        classes,
        road=not as_is,
        mapped=isinstance(images, np.memmap),
        place=str(folder),
    )
    validation = _slice(pictures, 0, validation_size)
    training = _slice(pictures, validation_size, len(pictures))
    missing = sorted(set(range(len(classes))) - set(training.labels.tolist()))
    if missing:
        raise DataError(
            f"{folder / classes[missing[0]]} has no picture to train on: add some, or remove the folder"
        )
    if not len(validation):
        raise DataError(f"{folder} has no class with two readable pictures: one is needed for validation")
    return FolderData(training, validation, skipped)


def _picture(path: Path, size: int, channels: int, as_is: bool) -> np.ndarray:
    """Return a picture, uint8 range (C, H, W): its frame, or as it is. Raises OSError or PictureError."""
    if not as_is:
        return np.round(frame_of(path) * 255)[None]
    picture = see_as_is(path, size, channels)[0]
    return picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)


def find_classes(folder: Path) -> tuple[str, ...]:
    """Return the names of the sub-folders, numbers by value before words. Raises DataError for fewer than two."""
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not a folder: name one whose sub-folders hold the pictures of a class each"
        )
    names = [entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    if len(names) < 2:
        raise DataError(f"{folder} has {len(names)} sub-folders: sort the pictures into one for each class")
    return tuple(sorted(names, key=lambda name: (0, int(name), name) if name.isdecimal() else (1, 0, name)))


def split(folder: Path, name: str) -> list[tuple[Path, bool]]:
    """Return the files of a class, all levels down, in a fixed order, each with whether it is for validation."""
    paths = class_files(folder / name)

    def rank(path: Path) -> str:
        return hashlib.sha256(os.fsencode(path.relative_to(folder).as_posix())).hexdigest()

    held_out = math.ceil(VALIDATION_SHARE * len(paths)) if len(paths) > 1 else 0
    return [(path, number < held_out) for number, path in enumerate(sorted(paths, key=rank))]


def frame_of(source: Source) -> np.ndarray:
    """Return the frame of a picture that shows one sign, all its ink together. Raises OSError or PictureError."""
    look = next(iter(read_ink(source).looks))
    if look.frames is not None:
        return look.frames[len(look.frames) // 2]
    layout = next(find_layouts(look.ink))
    pieces = [line.piece for line in layout.lines] or layout.rest
    if not pieces:
        raise PictureError(f"{source if isinstance(source, (str, Path)) else 'the picture'} is blank")
    return make_frame(merge(pieces).ink)


def add_corrections(training: Digits, corrections: list[Correction]) -> Digits:
    """Return `training` with the corrections added, up to MOST_COPIES of each, all of it in memory.

    Raises ValueError if no correction fits.
    """
    shape = tuple(training.images.shape[1:])
    pictures, labels = [], []
    for correction in corrections:
        frame = correction.frame if correction.frame.ndim == 3 else correction.frame[..., None]
        picture = torch.from_numpy(np.round(frame.transpose(2, 0, 1) * 255).astype(np.uint8))
        if correction.label in training.classes and tuple(picture.shape) == shape:
            pictures.append(picture)
            labels.append(training.classes.index(correction.label))
    if not pictures:
        raise ValueError(
            "there are no corrections for this network's classes: correct some answers in app.py first"
        )
    copies = min(MOST_COPIES, max(1, len(training) // (50 * len(pictures))))
    return replace(
        training,
        images=torch.cat([training.images, torch.stack(pictures).repeat(copies, 1, 1, 1)]),
        labels=torch.cat([training.labels, torch.tensor(labels).repeat(copies)]),
        source=f"{training.source} and {len(pictures)} corrections",
        mapped=False,
    )


def _slice(digits: Digits, start: int, stop: int) -> Digits:
    return replace(digits, images=digits.images[start:stop], labels=digits.labels[start:stop])


def _room_for(
    count: int, shape: tuple[int, int, int], in_memory: int, cache_dir: str | os.PathLike[str] | None
) -> np.ndarray:
    """Return an uint8 array (count, *shape): in memory, or on disk in a file without a name, which vanishes with it."""
    size = count * math.prod(shape)
    if size <= in_memory:
        return np.empty((count, *shape), np.uint8)
    with tempfile.TemporaryFile(dir=cache_dir, prefix="pictures-") as file:
        _reserve(file.fileno(), size, Path(cache_dir or tempfile.gettempdir()))
        return np.memmap(file, np.uint8, shape=(count, *shape))


def _reserve(descriptor: int, size: int, place: Path) -> None:
    """Make a file in `place` of `size` bytes; on a full disk an OSError now, not SIGBUS at a later write."""
    with naming(place):
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:  # macOS, Windows
            os.truncate(descriptor, size)
