"""What the window remembers from one start to the next: size, theme, brush, folder, the last drawing."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from base.command import one_line
from base.locks import in_turn
from base.places import read_file, user_data_dir
from base.storage import atomic_write, make_folder, remove, set_aside, write_new
from ink.canvas import Canvas

THEMES = ("light", "dark")
LEAST_SIZE, MOST_SIDE = (480, 360), 16384  # pixels of the window when it opens
MOST_BYTES = 1 << 28  # of a file that is read here
SCALES = (0.5, 4.0)  # pixels a design unit at the design's size
LEAST_BRUSH, MOST_BRUSH = 4.0, 48.0  # canvas units
# a canvas, and what was kept for it when it was last brought back or kept: the file's bytes, its own drawing's
_brought_back: WeakKeyDictionary[Canvas, tuple[bytes, bytes]] = WeakKeyDictionary()


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
        return _checked(json.loads(read_file(path, MOST_BYTES)))
    except OSError:
        return Settings()
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        with suppress(OSError):  # else it is ignored where it lies
            set_aside(path, path.parent, ".damaged")
        return Settings()


def save_settings(settings: Settings, path: Path | None = None) -> bool:
    """Keep the settings; False where the folder cannot be written, then the window only forgets."""
    path = path or settings_path()
    try:
        make_folder(path.parent)
        with atomic_write(path) as file:
            file.write(json.dumps(asdict(settings), indent=1).encode())
        return True
    except OSError:
        return False


def drawing_path() -> Path:
    """Return where the last drawing is kept from one start to the next."""
    return user_data_dir() / "drawing.json"


def keep_drawing(canvas: Canvas, path: Path | None = None) -> None:
    """Keep a drawing for the next start, none if it is empty. Raises OSError where it cannot be kept.

    What another window has kept meanwhile stays: it is copied beside first, and an empty canvas deletes nothing then.
    """
    path = path or drawing_path()
    content = b"" if canvas.empty else canvas.to_json().encode()
    kept, shown = _brought_back.get(canvas, (b"", b""))
    if content == shown:
        return
    make_folder(path.parent)
    with in_turn(path.parent):
        there = _read(path)
        if there == kept and not content:
            remove(path)
        elif content:
            if there not in (b"", kept, content):
                write_new(path.parent, path.stem, path.suffix, there)
            with atomic_write(path) as file:
                file.write(content)
    _brought_back[canvas] = content, content


def bring_back_drawing(canvas: Canvas, path: Path | None = None) -> str:
    """Draw what was kept and return what there is to say of it; what cannot be read is kept aside as `.damaged`."""
    path = path or drawing_path()
    try:
        kept = _read(path)
        if not kept and not path.exists():
            return ""
        canvas.load_json(kept)
        _brought_back[canvas] = kept, canvas.to_json().encode()
        others = sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))
        more = f"; another window's is kept as {others[-1]}" if others else ""
        return f"Your last drawing is back; C clears it{more}"
    except (OSError, ValueError) as error:
        aside = path
        with suppress(OSError):
            aside = set_aside(path, path.parent, ".damaged")
        return f"The last drawing cannot be read ({one_line(error)}); it is kept as {aside}"


def _read(path: Path) -> bytes:
    """Return what a file holds, b"" if there is none."""
    try:
        return read_file(path, MOST_BYTES)
    except FileNotFoundError:
        return b""


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
