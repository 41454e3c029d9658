"""What may be opened as a file: a pipe is waited for and a device never ends, so neither is, unless it is asked for."""

from __future__ import annotations

import errno
import os
import stat

# those of an open program: `<(command)` of a shell, and what is piped to it
OPEN_ALREADY = ("/dev/fd", "/proc/self/fd")
KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def need_file(path: str | os.PathLike[str]) -> os.stat_result:
    """Return what the system knows of a file, or of that which a link names.

    Raises OSError that names the cure for a pipe, a socket, a device or a folder, FileNotFoundError for nothing.
    """
    try:
        found = os.stat(path)
    except ValueError:  # a null character in a name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path)) from None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file: name a file in it", os.fspath(path))
    for is_kind, kind in KINDS:
        if is_kind(found.st_mode):
            raise OSError(errno.EINVAL, f"{kind}, not a file: name a file", os.fspath(path))
    return found


def is_no_file(path: str | os.PathLike[str]) -> bool:
    """Return whether there is a pipe, a socket, a device or a folder; False for a file, for nothing and a dead link."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # which opening it tells
        return False


def is_open_pipe(path: str | os.PathLike[str]) -> bool:
    """Return whether a path names a pipe that this program was given open: /dev/stdin, or a shell's `<(command)`."""
    name = os.fspath(path)
    given = name == "/dev/stdin" or os.path.dirname(name) in OPEN_ALREADY
    return given and stat.S_ISFIFO(os.stat(name).st_mode)
