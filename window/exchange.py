"""In and out: files dropped or named, the clipboard, drawings saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pygame

from base.command import one_line
from base.places import read_file
from base.storage import atomic_write
from ink.stroke import MOST_POINTS
from window.cards.choosing import STROKES, OpenCard, SaveCard
from window.cards.files import FilesCard
from window.settings import MOST_BYTES
from window.sheet import crop

if TYPE_CHECKING:
    import numpy as np

    from corrections.store import Correction
    from window.app import App
    from window.session import FileReading

MODEL_ENDINGS = (".pth", ".pt", ".pt2", ".onnx")


class Exchange:
    """What an `App` takes in and gives out; every outcome is said."""

    def __init__(self, app: App) -> None:
        self.app = app

    def choose_open(self) -> None:
        """Open the card that lists what can be opened."""
        self.app.open_card(OpenCard(self.app.close_card, self.folder, self._chosen))

    def _chosen(self, path: Path) -> None:
        self._remember(path.parent)
        self.open([str(path)])

    def choose_save(self) -> None:
        """Open the card that asks for a name."""
        if self.app.drawing.canvas.strokes:
            self.app.open_card(SaveCard(self.app.close_card, self.folder, self.save))
        else:
            self.app.say("There is nothing to save: draw something first")

    @property
    def folder(self) -> Path:
        """The folder that was used last, or else the user's for pictures."""
        kept = self.app.folder or (Path(self.app.settings.folder) if self.app.settings.folder else None)
        home = Path.home()
        folders = [*([kept] if kept else []), home / "Pictures", home / "Documents", home]
        return next((folder for folder in folders if folder.is_dir()), Path.cwd())

    def _remember(self, folder: Path) -> None:
        self.app.folder, self.app.settings.folder = None, str(folder.absolute())

    def save(self, path: Path) -> None:
        """Save the drawing at `path`: as strokes if it ends so, else the very picture that is read."""
        from PIL import Image

        canvas, warning = self.app.drawing.canvas, ""
        try:
            with atomic_write(path) as file:
                if path.suffix.lower() == STROKES:
                    file.write(canvas.to_json().encode())
                    if sum(map(len, canvas.strokes)) > MOST_POINTS:
                        warning = "; with so many points it cannot be opened again: save a picture, too"
                else:
                    Image.fromarray(crop(canvas.ink)[0]).save(file, "PNG")
        except OSError as error:
            self.app.say(f"Not saved, {one_line(error)}. Choose a folder you may write to")
            return
        self._remember(path.parent)
        self.app.close_card()
        self.app.say(f"Saved {path.absolute()}{warning}")

    def export(self, corrections: Sequence[Correction], drawn: Sequence[tuple[np.ndarray, str]]) -> None:
        """Write frames as pictures, a folder a class, into a new folder."""
        from corrections.labelled import export_pictures

        if not corrections and not drawn:
            self.app.say("There is nothing to export: draw a number, or correct a digit first")
            return
        try:
            folder = export_pictures(self.folder, corrections, drawn)
        except OSError as error:
            self.app.say(
                f"Not exported, {one_line(error)}. Choose a folder you may write to: Ctrl-S, then Up"
            )
            return
        count = f"{len(corrections):,} corrections and {len(drawn):,} digits of the drawing"
        self.app.say(f"Exported {count} to {folder}; learn from them: python train.py --data {folder}")

    def copy(self) -> None:
        text = self.app.on_show.text
        if not text:
            self.app.say("There is no number to copy")
            return
        try:
            pygame.scrap.put_text(text)
            self.app.say(f"Copied {text.replace(chr(10), ' / ')}")
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
            card = FilesCard(
                self.app.close_card,
                lambda path: self.open([str(path)]),
                self.app.worker.cancel,
                lambda: self.app.worker.busy,
            )
            self.app.open_card(card)
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
            content = read_file(path, MOST_BYTES)
            self.app.drawing.change(lambda: self.app.drawing.canvas.load_json(content))
            self.app.drawing.by_hand.drawn()
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
