"""Two programs at one file: the second waits for its turn, or is told.

The system lifts a lock when its program ends, however that happens. Where there are none (Windows, some network
disks) programs go on without.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from base.storage import naming

LOCK = ".lock"  # ends the names of files that are there to be locked


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only program that works on `path`, by a file `.NAME.lock` beside it that goes in the end.

    Raises BlockingIOError where another program does, OSError where the file cannot be made.
    """
    place = path.parent / f".{path.name}{LOCK}"
    descriptor = None
    while descriptor is None:
        with naming(path):
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if not _lock(descriptor, wait=False):
            os.close(descriptor)
            raise BlockingIOError(f"another program is writing {path}: wait for it, or name another file")
        if not _is(place, descriptor):  # deleted by the one before, as its last act
            os.close(descriptor)
            descriptor = None
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(place)
        os.close(descriptor)


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Wait until no other program is in such a block for `folder`, which must be there."""
    descriptor = None
    if os.name == "posix":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            _lock(descriptor, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int, wait: bool) -> bool:
    """Lock an open file; return False if another program holds it. True where there are no locks."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is(path: Path, descriptor: int) -> bool:
    """Return whether an open file is the one at `path`."""
    try:
        return sys.platform == "win32" or os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
