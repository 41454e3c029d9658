"""A window from its start to its end: settings, the first paint, the model, a file to begin with, what is kept."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from base.command import one_line
from ink.files import need_file
from window.settings import keep_drawing, load_settings, save_settings

if TYPE_CHECKING:
    from window.app import App


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for; None is what the last window had, or the system's."""

    model: Path
    device: str = "cpu"
    corrections: Path | None = None
    scale: float | None = None
    size: tuple[int, int] | None = None  # pixels
    theme: str | None = None
    folder: Path | None = None
    file: Path | None = None  # to open
    screenshot: Path | None = None  # to write


def run_window(wishes: Wishes) -> int:
    """Open the window and run it until it is closed, or until its screenshot is written; return the exit status."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    # a window's OpenGL driver may bring an LLVM of its own, beside which triton's crashes; torch does without triton
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
    # the click that brings the window to the front draws, too
    os.environ.setdefault("SDL_MOUSE_FOCUS_CLICKTHROUGH", "1")
    if wishes.screenshot:
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    import pygame

    from window.paint.display import open_window, system_scale
    from window.paint.theme import PALETTES

    settings = load_settings()
    settings.theme = wishes.theme or settings.theme
    settings.scale = wishes.scale or settings.scale
    scale = settings.scale or system_scale()
    size = wishes.size or (settings.width, settings.height)
    if not wishes.size and (wishes.scale or (settings.width, settings.height) == (1024, 768)):
        size = round(1024 * scale), round(768 * scale)
    try:
        screen = open_window(size, PALETTES[settings.theme])
    except pygame.error as error:
        cure = "start it where there is a display, or use predict.py for files"
        print(f"app.py: no window can be opened ({error}): {cure}", file=sys.stderr)
        return 1
    from window.app import App
    from window.loop import run, screenshot
    from window.session import Session
    from window.worker import Worker

    wake = threading.Event()
    pygame.font.init()
    worker = Worker(wake.set)
    session = Session(wishes.device, wishes.corrections)
    app = App(screen, session, worker, settings, scale, wishes.folder)
    pygame.display.update(app.draw())
    app.load(wishes.model)
    try:
        if not wishes.screenshot:
            app.bring_back()  # also below a file that is opened: what was drawn is not lost
        if wishes.file and not _open(app, wishes.file) and wishes.screenshot:
            print(f"app.py: {app.message}", file=sys.stderr)
            return 1
        if wishes.screenshot:
            return screenshot(app, wishes.screenshot)
        opened = app.drawing.canvas.last_step
        try:
            run(app, wake)
        finally:  # also where Ctrl-C ended it
            save_settings(settings)
            if not wishes.file or app.drawing.canvas.last_step is not opened:
                keep_drawing(app.drawing.canvas)  # not what still lies in the file that was opened
    finally:
        worker.close(timeout=0.2)
        pygame.display.quit()
    return 0


def _open(app: App, path: Path) -> bool:
    """Open a file; return False if it is not there, or holds strokes that cannot be read, which the window says."""
    if path.suffix.lower() == ".json":
        return app.exchange.open_strokes(path)
    try:
        if not path.is_dir():
            need_file(path)
    except OSError as error:
        app.say(one_line(error))
        return False
    app.exchange.open([str(path)])
    return True
