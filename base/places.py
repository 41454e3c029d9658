"""Where a user's own files are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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
