"""A user's own pictures to train on: folders, one a class, through the road or as they are; and corrections.

The split is fixed: of each class the pictures whose paths hash lowest are for validation, whatever the seed,
and a picture keeps its side when others are added (but for those at the border). More than memory should hold
is decoded once into a file without a name, from which batches are read as they are needed.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import math
import mmap
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from base.storage import naming
from corrections.store import Correction
from dataset import DataError, Digits, let_go
from ink.decode import PictureError, Source, class_files, see_as_is
from ink.frame import FRAME_SIZE, make_frame
from ink.lines import find_lines
from ink.looks import read_ink
from ink.piece import merge

VALIDATION_SHARE = 0.15  # of each class
MOST_COPIES = 50  # of a correction in the training set, or as many as make 2 % of it
IN_MEMORY = 1 << 30  # bytes; more than this is kept on disk
LET_GO_EVERY = 500  # pictures written to disk
M_MMAP_THRESHOLD = -3  # mallopt's number for it, in glibc's malloc.h
KEPT_BLOCK = 128 * 1024  # bytes; larger freed blocks go back to the system (where glibc begins, too)


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
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> FolderData:
    """Return the pictures below `folder`, whose sub-folders name the classes.

    Through the road each becomes a frame, 28 x 28; `as_is` (channels, size, size). More than `in_memory` bytes
    are kept in a file in `cache_dir`. Raises DataError if two classes with readable pictures are not there.
    """
    folder = Path(folder)
    classes = find_classes(folder)
    shape = (channels, size, size) if as_is else (1, FRAME_SIZE, FRAME_SIZE)
    files = [
        (str(path), label, held_out)
        for label, name in enumerate(classes)
        for path, held_out in split(folder, name)
    ]
    files.sort(key=lambda file: not file[2])  # validation first: both parts are then slices, not copies
    images, pages = _room_for(len(files), shape, in_memory, cache_dir)
    labels: list[int] = []
    skipped: list[tuple[Path, str]] = []
    validation_size = 0
    for path, label, held_out in progress(files):
        try:
            picture = see_as_is(path, size, channels)[0] if as_is else np.round(frame_of(path) * 255)
        except (OSError, PictureError) as error:
            skipped.append((Path(path), str(error)))
            continue
        images[len(labels)] = picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
        labels.append(label)
        validation_size += held_out
        if not len(labels) % LET_GO_EVERY:
            let_go(pages)
    pictures = Digits(
        torch.from_numpy(images[: len(labels)]),
        torch.tensor(labels, dtype=torch.int64),
        folder.name,
        classes,
        road=not as_is,
        pages=pages,
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
    pieces = [piece for line in find_lines(look.ink) for piece in line]
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
        pages=None,
    )


def _slice(digits: Digits, start: int, stop: int) -> Digits:
    return replace(digits, images=digits.images[start:stop], labels=digits.labels[start:stop])


def _room_for(
    count: int, shape: tuple[int, int, int], in_memory: int, cache_dir: str | os.PathLike[str] | None
) -> tuple[np.ndarray, mmap.mmap | None]:
    """Return an uint8 array (count, *shape): in memory, or in a file that vanishes with it, and that file's pages."""
    size = count * math.prod(shape)
    if size <= in_memory:
        return np.empty((count, *shape), np.uint8), None
    _give_memory_back()
    with tempfile.TemporaryFile(dir=cache_dir, prefix="pictures-") as file:
        _reserve(file.fileno(), size, Path(cache_dir or tempfile.gettempdir()))
        pages = mmap.mmap(file.fileno(), size)
    return np.frombuffer(pages, np.uint8).reshape(count, *shape), pages


def _reserve(descriptor: int, size: int, place: Path) -> None:
    """Make a file in `place` of `size` bytes; on a full disk an OSError now, rather than SIGBUS where a hole is to be filled."""
    if not hasattr(os, "posix_fallocate"):  # macOS, Windows
        os.truncate(descriptor, size)
        return
    with naming(place):
        os.posix_fallocate(descriptor, 0, size)


def _give_memory_back() -> None:
    """Have glibc return large freed blocks at once: by default it keeps ever larger ones (mallopt(3))."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # other C libraries have no mallopt
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)
