"""In and out: files dropped or named, the clipboard, drawings saved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pygame

from base.command import one_line
from base.storage import atomic_write, unused_path
from ink.stroke import MOST_POINTS
from window.cards import FilesCard

if TYPE_CHECKING:
    from window.state import State

MODEL_ENDINGS = (".pth", ".pt", ".pt2", ".onnx")


class Exchange:
    """What a `State` takes in and gives out; every failure is said in its status line."""

    def __init__(self, app: State) -> None:
        self.app = app

    def save_picture(self) -> None:
        """Save the drawing: the very picture that is read."""
        from PIL import Image

        self._save(".png", lambda file: Image.fromarray(self.app.canvas.picture()).save(file, "PNG"))

    def save_strokes(self) -> None:
        points = sum(map(len, self.app.canvas.strokes))
        warning = (
            "; with so many points it cannot be opened again: save a picture, too (S)"
            if points > MOST_POINTS
            else ""
        )
        self._save(".json", lambda file: file.write(self.app.canvas.to_json().encode()), warning)

    def _save(self, ending: str, write: Callable[[Any], Any], warning: str = "") -> None:
        if not self.app.canvas.strokes:
            self.app.say("There is nothing to save: draw something first")
            return
        path = None
        try:
            path = unused_path(self.app.folder, "drawing", ending)
            with atomic_write(path) as file:
                write(file)
            self.app.say(f"Saved {path}{warning}")
        except OSError as error:
            if path:
                path.unlink(missing_ok=True)
            self.app.say(f"Not saved, {one_line(error)}. Start with --output and a folder you may write to")

    def copy(self) -> None:
        if not self.app.reading or not self.app.reading.text:
            self.app.say("There is no number to copy")
            return
        try:
            pygame.scrap.put_text(self.app.reading.text)
            self.app.say("Copied " + self.app.reading.text.replace("\n", " / "))
        except pygame.error as error:
            self.app.say(f"The clipboard cannot be used: {error}")

    def paste(self) -> None:
        """Open the file that the clipboard's text names, or the clipboard's picture."""
        try:
            text = pygame.scrap.get_text().strip().strip("'\"")
        except pygame.error:
            text = ""
        if not text:
            self.app.worker.ask("paste")
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
            self.app.card = FilesCard(
                self.app.close_card, self.app.worker.cancel, lambda: self.app.worker.busy
            )
            self.app.worker.ask("read_files", paths, self.app.card)
        elif paths[0].suffix.lower() in MODEL_ENDINGS:
            self.app.stop_training()
            self.app.say(f"Loading {paths[0].name}")
            self.app.worker.ask("load", paths[0])
        elif paths[0].suffix.lower() == ".json":
            self.open_strokes(paths[0])
        else:
            self.app.worker.ask("open", paths[0], paths[0].name)
        self.app.show("all")

    def open_strokes(self, path: Path) -> bool:
        """Draw the strokes of a .json file; say whether they could be read."""
        try:
            self.app.drawn(self.app.canvas.load_json(path.read_bytes()))
            self.app.show("all")
        except (OSError, ValueError) as error:
            self.app.say(f"{path.name}: {one_line(error)}")
            return False
        return True


def _path_of(text: str) -> str:
    """Return the path that a text may name: a file manager's URL, one from the user's home, or as it stands."""
    if text.startswith("file://"):
        return unquote(text.removeprefix("file:///" if os.name == "nt" else "file://"))
    return os.path.expanduser(text)
