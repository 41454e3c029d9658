"""Files that are whole or absent: the one module through which files are written, moved and deleted.

What a function here has done is on the disk when it returns: the file is flushed, and so is the folder that holds
its name. All of it goes through `os`, so that tests can let any step fail, or cut the power after it.
"""

from __future__ import annotations

import errno
import io
import itertools
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

MODEL_PATH = Path(__file__).parent.parent / "model.pth"  # the shipped model
PARTIAL = ".partial"  # ends the names of temporary files
STALE = 86_400  # seconds after which a temporary file is one that a crash left
CHUNK = 1 << 20  # bytes written at once
NO_FOLDER = "no such folder"  # what a FileNotFoundError says where it is the folder that is missing
# what the files that may be overwritten carry in their metadata: plots and exports of ours
PLOT_MARK, EXPORT_MARK = "handwritten-digits-plot-v1", "digits-export-v1"
# what file systems without hard links say to one, and those that cannot flush a folder to that
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
NO_FLUSH = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


# ---------------------------------------------------------------------------------- writing


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Yield a binary file that takes the place of `path` when the block ends without an error.

    The bytes are gathered in memory, go to a temporary file in the same folder, are flushed to disk, and
    `os.replace` swaps them in, so a reader sees the old file or the new one and never a part. Where `path` is a
    link, what it names is replaced. Raises OSError (disk full, no permission, no regular file); `path` is then as it
    was and the temporary file is gone. One that a crash left is deleted a day later.
    """
    path = Path(path)
    target = _regular(path)
    _need_folder(path)
    with naming(path):
        gathered = io.BytesIO()
        yield gathered
        delete_stale(target.parent, target.name)
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        partial = _write_partial(target, gathered.getbuffer(), mode)
        with _dropping(partial):
            os.replace(partial, target)
        _flush_folder(target.parent)


def write_new(
    folder: str | os.PathLike[str],
    stem: str,
    suffix: str,
    content: bytes | memoryview,
    mode: int | None = None,
) -> Path:
    """Write a new file `folder/stem[-2, -3, ...]suffix`, whole or not at all, under a name that no file has.

    `mode`: its permission bits (default: what the umask gives). Makes the folder. Raises OSError.
    """
    folder = Path(folder)
    make_folder(folder)
    wanted = folder / f"{stem}{suffix}"
    with naming(wanted):
        delete_stale(folder, wanted.name)
        partial = _write_partial(wanted, content, mode)
        with _dropping(partial):
            path = _move_to_unused(partial, folder, stem, suffix)
        with _dropping(path):
            _flush_folder(folder)
    return path


def append_line(path: Path, text: str) -> None:
    """Add a line to a text file, in one piece also where others add to it; one cut short before is ended first.

    A log: it is not flushed to the disk. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    with naming(path):
        descriptor = os.open(path, flags, 0o666)
        try:
            left = memoryview((_ends_cut_short(path) * "\n" + text + "\n" * bool(text)).encode())
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)


def back_up(path: Path) -> Path:
    """Copy `path` into backups/ beside it, under the time's name, and return the copy's path."""
    name = f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S}"
    mode = path.stat().st_mode & 0o777
    return write_new(path.parent / "backups", name, path.suffix, path.read_bytes(), mode)


# ---------------------------------------------------------------------------------- moving and deleting


def remove(path: Path) -> None:
    """Delete a file for good, if it is there. Raises OSError."""
    with suppress(FileNotFoundError):
        os.unlink(path)
        with naming(path):
            _flush_folder(path.parent)


def set_aside(path: Path, folder: Path, suffix: str) -> Path:
    """Move a file to `folder`, under its own stem with `suffix` and a number if that is taken; return its new path."""
    make_folder(folder)
    new = _move_to_unused(path, folder, path.stem, suffix)
    for place in {folder, path.parent}:
        _flush_folder(place)
    return new


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder and those above it that are missing. Raises OSError."""
    folder = Path(folder)
    for each in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        with suppress(FileExistsError):  # another program was quicker
            os.mkdir(each)
        try:
            _flush_folder(each.parent)
        except OSError as error:
            with suppress(OSError):
                os.rmdir(each)
            error.filename = str(each)
            raise
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder))


def delete_stale(folder: Path, name: str = "*") -> None:
    """Delete the temporary files that a crash left in `folder`, of files called `name`."""
    with suppress(OSError):
        for path in folder.glob(f".{_short(name)}.????????{PARTIAL}"):
            if time.time() - path.lstat().st_mtime > STALE:
                os.unlink(path)


# ---------------------------------------------------------------------------------- checks


def try_out(path: Path) -> None:
    """Raise ValueError or OSError if no file can be written at `path`: better now than after a training."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file")
    _need_folder(path)
    with naming(path):
        partial = _write_partial(_regular(path), b"", None)
        with _dropping(partial):
            os.unlink(partial)


def check_target(path: Path, inputs: Iterable[str | os.PathLike[str]] = (), force: bool = False) -> None:
    """Raise ValueError or OSError if `path` cannot be written, or if that would destroy a user's file.

    That is one of `inputs`, or, without `force`, any file that is neither a plot nor an export of ours.
    """
    try_out(path)
    if not path.exists():
        return
    if any(os.path.exists(each) and os.path.samefile(path, each) for each in inputs):
        raise ValueError(
            f"{path} is one of the files to be read, so it is not overwritten: name another file"
        )
    if not force and not is_ours(path):
        raise ValueError(f"{path} was not written by this program: name another file, or add --force")


def is_ours(path: Path) -> bool:
    """Return whether a file is a plot or an export that this program wrote."""
    content = path.read_bytes()
    return any(mark.encode() in content for mark in (PLOT_MARK, EXPORT_MARK))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path` in an OSError that names no file, or a temporary one, which says nothing to anybody."""
    try:
        yield
    except OSError as error:
        if error.errno and (error.filename is None or str(error.filename).endswith(PARTIAL)):
            error.filename = str(path)
        raise


# ---------------------------------------------------------------------------------- helpers


def _write_partial(target: Path, content: bytes | memoryview, mode: int | None) -> Path:
    """Write `content` to a temporary file beside `target` and return its path; on an error it is gone."""
    partial = target.parent / f".{_short(target.name)}.{secrets.token_hex(4)}{PARTIAL}"
    descriptor = os.open(partial, NEW, 0o666 if mode is None else 0o600)
    with _dropping(partial):
        try:
            if mode is not None:
                os.chmod(partial, mode)
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left[:CHUNK]) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return partial


def _move_to_unused(source: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Move a file to `folder/stem[-2, -3, ...]suffix`, the first name that no file has, and return that path."""
    for count in itertools.count(1):
        path = folder / (f"{stem}{suffix}" if count == 1 else f"{stem}-{count}{suffix}")
        with suppress(FileExistsError):
            _move(source, path)
            break
    return path


def _move(source: Path, path: Path) -> None:
    """Move a file, never over another one: raises FileExistsError."""
    if os.name == "nt":
        os.rename(source, path)
        return
    try:
        os.link(source, path, follow_symlinks=False)  # a link is moved itself
        with _dropping(path):
            _flush_folder(path.parent)  # else the old name may be lost before the new one is kept
            os.unlink(source)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        os.close(os.open(path, NEW))  # an empty file holds the name
        with _dropping(path):
            os.replace(source, path)


@contextmanager
def _dropping(path: Path) -> Iterator[None]:
    """Delete `path` if the block fails."""
    try:
        yield
    except BaseException:
        with suppress(OSError):  # the first error says more
            os.unlink(path)
        raise


def _regular(path: Path) -> Path:
    """Return the file that `path`, or the link there, names; raises OSError for a device or a pipe."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file() and not target.is_dir():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return target


def _need_folder(path: Path) -> None:
    """Raise FileNotFoundError that names the folder of `path` if it is not there."""
    if not path.parent.exists():
        raise FileNotFoundError(errno.ENOENT, NO_FOLDER, str(path.parent))


def _short(name: str) -> str:
    """Return the start of a file's name: a temporary file's must not be too long for the disk."""
    return name[:50]


def _ends_cut_short(path: Path) -> bool:
    """Return whether a text file ends within a line."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _flush_folder(folder: Path) -> None:
    """Make new names in a folder durable, where the system can: Windows has no handle for a folder."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may be written and not listed
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FLUSH:
            raise
    finally:
        os.close(descriptor)
