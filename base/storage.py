"""Files that are whole or absent: atomic writes, names never reused, the user's data folder."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

APP_NAME = "handwritten-digits"
PARTIAL = ".partial"  # ends the names of temporary files


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Yield a binary file that takes the place of `path` when the block ends without an error.

    The bytes go to a temporary file in the same folder, are flushed to disk, and `os.replace` swaps
    them in, so a reader sees the old file or the new one and never a part. Where `path` is a link, what it
    names is replaced. Raises OSError (disk full, no permission, no regular file); `path` is then as it was and
    the temporary file is gone.
    """
    path = Path(path)
    target = _regular(path)
    with naming(path):
        descriptor, partial = tempfile.mkstemp(prefix=f".{target.name}.", suffix=PARTIAL, dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(partial, _mode_of(target))
            os.replace(partial, target)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    _sync_folder(target.parent)


def try_out(path: Path) -> None:
    """Raise ValueError or OSError if no file can be written at `path`: better now than after a training."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file")
    with naming(path):
        tempfile.TemporaryFile(dir=_regular(path).parent, suffix=PARTIAL).close()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path` in an OSError that names no file, or a temporary one, which says nothing to anybody."""
    try:
        yield
    except OSError as error:
        if error.filename is None or str(error.filename).endswith(PARTIAL):
            error.filename = str(path)
        raise


def unused_path(folder: str | os.PathLike[str], stem: str, suffix: str) -> Path:
    """Return a new, empty file `folder/stem[-2, -3, ...]suffix` that did not exist before."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = 1
    while True:
        path = folder / (f"{stem}{suffix}" if count == 1 else f"{stem}-{count}{suffix}")
        try:
            path.open("xb").close()
            return path
        except FileExistsError:
            count += 1


def back_up(path: Path) -> Path:
    """Copy `path` into backups/ beside it, under the time's name, and return the copy's path."""
    backup = unused_path(path.parent / "backups", f"{path.stem}-{datetime.now():%Y%m%d-%H%M%S}", path.suffix)
    try:
        with atomic_write(backup) as file, path.open("rb") as original:
            shutil.copyfileobj(original, file)
    except BaseException:
        backup.unlink()  # the empty file that held its name
        raise
    return backup


def user_data_dir() -> Path:
    """Return the platform's folder for this user's data (not created here).

    Linux: XDG base directory specification; macOS and Windows: their own conventions.
    """
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / APP_NAME


def _regular(path: Path) -> Path:
    """Return the file that `path`, or the link there, names; OSError if that is a device or a pipe, which cannot be replaced."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file() and not target.is_dir():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return target


def _mode_of(path: Path) -> int:
    """Return the permission bits of `path`, or what the umask gives a new file."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no handle for a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
