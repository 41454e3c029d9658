"""In and out: files dropped or named, the clipboard, drawings saved."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pygame

from base.command import one_line
from base.storage import atomic_write, write_new
from ink.stroke import MOST_POINTS
from window.cards import FilesCard

if TYPE_CHECKING:
    from window.app import App
    from window.session import FileReading

LOADING_LIMIT = 120.0  # seconds; a screenshot waits no longer for the answer
MODEL_ENDINGS = (".pth", ".pt", ".pt2", ".onnx")


class Exchange:
    """What an `App` takes in and gives out; every failure is said in its status line."""

    def __init__(self, app: App) -> None:
        self.app = app

    def save_picture(self) -> None:
        """Save the drawing: the very picture that is read."""
        from PIL import Image

        self._save(".png", lambda file: Image.fromarray(self.app.drawing.canvas.picture()).save(file, "PNG"))

    def save_strokes(self) -> None:
        points = sum(map(len, self.app.drawing.canvas.strokes))
        warning = (
            "; with so many points it cannot be opened again: save a picture, too (S)"
            if points > MOST_POINTS
            else ""
        )
        self._save(".json", lambda file: file.write(self.app.drawing.canvas.to_json().encode()), warning)

    def _save(self, ending: str, write: Callable[[Any], Any], warning: str = "") -> None:
        if not self.app.drawing.canvas.strokes:
            self.app.say("There is nothing to save: draw something first")
            return
        content = io.BytesIO()
        try:
            write(content)
            path = write_new(self.app.folder, "drawing", ending, content.getbuffer())
            self.app.say(f"Saved {path}{warning}")
        except OSError as error:
            self.app.say(f"Not saved, {one_line(error)}. Start with --output and a folder you may write to")

    def copy(self) -> None:
        if not self.app.on_show.reading or not self.app.on_show.reading.text:
            self.app.say("There is no number to copy")
            return
        try:
            pygame.scrap.put_text(self.app.on_show.reading.text)
            self.app.say("Copied " + self.app.on_show.reading.text.replace("\n", " / "))
        except pygame.error as error:
            self.app.say(f"The clipboard cannot be used: {error}")

    def paste(self) -> None:
        """Open the file that the clipboard's text names, or the clipboard's picture."""
        try:
            text = pygame.scrap.get_text().strip().strip("'\"")
        except pygame.error:
            text = ""
        if not text:
            self.app.worker.ask(self.app.session.paste, then=partial(self.app.on_show.open, "The clipboard"))
        elif os.path.exists(path := _path_of(text)):
            self.open([path])
        else:
            self.app.say(f"The clipboard holds text that is no file: {text[:80]}")

    def open(self, names: list[str]) -> None:
        """Open what was dropped: a picture, several, a folder, strokes or a model."""
        paths = [Path(name) for name in names]
        if self.app.card:
            self.app.close_card()
        if len(paths) > 1 or paths[0].is_dir():
            self.app.stop_training()
            self.app.worker.cancel()
            card = FilesCard(self.app.close_card, self.app.worker.cancel, lambda: self.app.worker.busy)
            self.app.card = card
            self.app.worker.follow(self.app.session.read_files, paths, then=partial(self._file_read, card))
        elif paths[0].suffix.lower() in MODEL_ENDINGS:
            self.app.stop_training()
            self.app.say(f"Loading {paths[0].name}")
            self.app.load(paths[0])
        elif paths[0].suffix.lower() == ".json":
            self.open_strokes(paths[0])
        else:
            self.app.worker.ask(
                self.app.session.open, paths[0], then=partial(self.app.on_show.open, paths[0].name)
            )
        self.app.show("all")

    def _file_read(self, card: FilesCard, reading: FileReading) -> None:
        if self.app.card is card and card.add(reading):
            self.app.show("all")

    def open_strokes(self, path: Path) -> bool:
        """Draw the strokes of a .json file; return whether they could be read."""
        try:
            self.app.drawing.drawn(self.app.drawing.canvas.load_json(path.read_bytes()))
            self.app.show("all")
        except (OSError, ValueError) as error:
            self.app.say(f"{path.name}: {one_line(error)}")
            return False
        return True


def screenshot(app: App, path: Path) -> int:
    """Wait for the model's answer, save a picture of the window and return the exit status."""
    end = time.monotonic() + LOADING_LIMIT
    ready = False
    while time.monotonic() < end and not app.trouble and not ready:
        pygame.event.get()
        app.tick()
        ready = bool(app.model and (app.on_show.reading or app.drawing.canvas.empty))
        time.sleep(0.01)
    app.say("")
    app.show("all")
    app.draw()
    try:
        with atomic_write(path) as file:
            pygame.image.save(app.screen, file, path.name)
    except (OSError, pygame.error) as error:
        print(f"app.py: {path} cannot be written: {error}", file=sys.stderr)
        return 1
    if app.trouble:
        print(f"app.py: {app.trouble}", file=sys.stderr)
    return 1 if app.trouble else 0


def _path_of(text: str) -> str:
    """Return the path that a text may name: a file manager's URL, one from the user's home, or as it stands."""
    if text.startswith("file://"):
        return unquote(text.removeprefix("file:///" if os.name == "nt" else "file://"))
    return os.path.expanduser(text)
