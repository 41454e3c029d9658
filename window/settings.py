"""What the window remembers from one start to the next: size, theme, brush, folder, the last drawing."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from base.storage import atomic_write, user_data_dir
from ink.canvas import Canvas

THEMES = ("light", "dark")
LEAST_SIZE, MOST_SIDE = (480, 360), 16384  # pixels of the window when it opens
SCALES = (0.5, 4.0)  # pixels a design unit at the design's size
LEAST_BRUSH, MOST_BRUSH = 4.0, 48.0  # canvas units


@dataclass
class Settings:
    """Window size in pixels, theme name, brush in canvas units, the folder used last, the scale (0: the system's)."""

    width: int = 1024
    height: int = 768
    theme: str = "light"
    brush: float = 16.0
    folder: str = ""
    scale: float = 0.0


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


def drawing_path() -> Path:
    """Return where the last drawing is kept from one start to the next."""
    return user_data_dir() / "drawing.json"


def keep_drawing(canvas: Canvas, path: Path | None = None) -> bool:
    """Keep a drawing for the next start, none if it is empty; False where the folder cannot be written."""
    path = path or drawing_path()
    try:
        if canvas.empty:
            path.unlink(missing_ok=True)
            return True
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(canvas.to_json().encode())
        return True
    except OSError:
        return False


def bring_back_drawing(canvas: Canvas, path: Path | None = None) -> str:
    """Draw what was kept and return what there is to say of it; what cannot be read is kept aside as `.damaged`."""
    path = path or drawing_path()
    try:
        canvas.load_json(path.read_bytes())
        return "Your last drawing is back; C clears it"
    except OSError:
        return ""
    except ValueError as error:
        aside = path.with_suffix(".damaged")
        try:
            os.replace(path, aside)
        except OSError:
            aside = path
        return f"The last drawing cannot be read ({error}); it is kept as {aside}"


def _checked(content: Any) -> Settings:
    width, height = (
        min(max(int(content[side]), least), MOST_SIDE) for side, least in zip(("width", "height"), LEAST_SIZE)
    )
    brush, scale, folder = float(content["brush"]), float(content.get("scale", 0)), content.get("folder", "")
    if (
        content["theme"] not in THEMES
        or math.isnan(brush)
        or math.isnan(scale)
        or not isinstance(folder, str)
    ):
        raise ValueError("no such theme, brush, scale or folder")
    brush = min(max(brush, LEAST_BRUSH), MOST_BRUSH)
    scale = min(max(scale, SCALES[0]), SCALES[1]) if scale else 0.0
    return Settings(width, height, content["theme"], brush, folder, scale)
