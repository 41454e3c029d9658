"""Where a user's own files are kept, and how they are read."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from ink.files import need_file

APP_NAME = "handwritten-digits"


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


def read_file(path: Path, most: int) -> bytes:
    """Return what a file of the user's own holds; raises OSError for a pipe, a device, a folder, and for more than `most` bytes."""
    if need_file(path).st_size > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return path.read_bytes()
