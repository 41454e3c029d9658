"""What a command line names -> pictures, one after the other: files, folders, patterns, PDF pages, stdin."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ink.decode import MAX_SIDE, PictureError, Source, natural, pictures_below
from ink.files import is_no_file, is_open_pipe

PAGE_SCALE = 2.0  # pixels a point: an A4 page is 1190 x 1684, more than the 1024 that are kept of it
MOST_OF_PAGE = 2 * MAX_SIDE  # pixels; larger pages are drawn smaller, as large pictures are decoded


def find_pictures(
    paths: list[str], leave_out: Path | None = None
) -> Iterator[tuple[str, Source | Exception]]:
    """Yield (name, source) of every picture that `paths` name; an Exception in place of a source says what is wrong.

    The file `leave_out`, which is going to be written, is passed over where a folder or pattern holds it.
    """
    for path in paths:
        if path == "-":
            yield path, _from_stdin()
        elif os.path.isdir(path):
            yield from _in_folder(path, leave_out)
        elif os.path.exists(path):
            yield from _from_pipe(path) if is_open_pipe(path) else _in_file(path)
        elif "://" in path:
            yield path, PictureError(f"{path} is an address: download it first, or pipe it to `predict.py -`")
        elif glob.has_magic(path):  # which Windows' shells leave to the program
            found = [each for each in glob.glob(path, recursive=True) if not _is_same(each, leave_out)]
            if not found:
                yield path, PictureError(f"{path}: no file matches this pattern")
            for each in sorted(found, key=natural):
                yield from _in_folder(each, leave_out) if os.path.isdir(each) else _in_file(each)
        else:
            yield path, path


def _from_stdin() -> Source | Exception:
    if sys.stdin is None:
        return PictureError("stdin is closed: name a file instead")
    return sys.stdin.buffer.read() or PictureError("stdin was empty: pipe a picture to it, or name a file")


def _from_pipe(path: str) -> Iterator[tuple[str, Source | Exception]]:
    """Yield what a pipe that the shell opened holds: it can be read once, and not from its end."""
    with open(path, "rb") as file:
        yield path, file.read() or PictureError(f"{path} was empty: pipe a picture to it, or name a file")


def _in_folder(path: str, leave_out: Path | None) -> Iterator[tuple[str, Source | Exception]]:
    closed: list[OSError] = []
    found = [each for each in pictures_below(path, closed.append) if not _is_same(each, leave_out)]
    yield from ((os.fsdecode(error.filename), error) for error in closed)
    if not found and not closed:
        yield path, PictureError(f"{path} holds no pictures: name a folder with PNG or JPEG files")
    for name in found:
        yield name, name


def _in_file(path: str) -> Iterator[tuple[str, Source | Exception]]:
    """Yield a picture, or each page of a PDF where pypdfium2 is installed."""
    if not path.lower().endswith(".pdf") or is_no_file(path):
        yield path, path
        return
    try:
        import pypdfium2
    except ImportError:
        yield path, path  # which is told in one line when it is read
        return
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        yield path, PictureError(f"{path} is no PDF, is damaged or has a password: save its pages as PNG")
        return
    with document:
        for number in range(len(document)):
            name = f"{path}, page {number + 1}" if len(document) > 1 else path
            page: Source | Exception
            try:
                drawn = document[number]
                scale = min(PAGE_SCALE, MOST_OF_PAGE / max(*drawn.get_size(), 1))
                page = drawn.render(scale=scale).to_pil()
            except (pypdfium2.PdfiumError, ValueError, MemoryError):
                page = PictureError(f"{name} cannot be drawn: save it as PNG")
            yield name, page


def _is_same(path: str, other: Path | None) -> bool:
    return other is not None and other.exists() and os.path.exists(path) and os.path.samefile(path, other)
