"""What the window remembers from one start to the next: its size, theme and brush."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from base.storage import atomic_write, user_data_dir

THEMES = ("light", "dark")
LEAST_SIZE, MOST_SIDE = (480, 360), 16384  # pixels of the window when it opens
LEAST_BRUSH, MOST_BRUSH = 4.0, 48.0  # canvas units


@dataclass
class Settings:
    """Window size in pixels, theme name, brush in canvas units."""

    width: int = 1024
    height: int = 768
    theme: str = "light"
    brush: float = 16.0


def settings_path() -> Path:
    """Return where the settings are kept."""
    return user_data_dir() / "settings.json"


def load_settings(path: Path | None = None) -> Settings:
    """Return the settings at `path`, brought into range; the defaults if there are none. A damaged file is kept aside as `.damaged`."""
    path = path or settings_path()
    try:
        return _checked(json.loads(path.read_bytes()))
    except OSError:
        return Settings()
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        try:
            os.replace(path, path.with_suffix(".damaged"))
        except OSError:
            pass  # it is ignored where it lies
        return Settings()


def save_settings(settings: Settings, path: Path | None = None) -> bool:
    """Keep the settings; False where the folder cannot be written, then the window only forgets."""
    path = path or settings_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(json.dumps(asdict(settings), indent=1).encode())
        return True
    except OSError:
        return False


def _checked(content: Any) -> Settings:
    width, height = (
        min(max(int(content[side]), least), MOST_SIDE) for side, least in zip(("width", "height"), LEAST_SIZE)
    )
    brush = float(content["brush"])
    if content["theme"] not in THEMES or math.isnan(brush):
        raise ValueError("no such theme or brush")
    return Settings(width, height, content["theme"], min(max(brush, LEAST_BRUSH), MOST_BRUSH))
