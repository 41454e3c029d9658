"""The cards that open a file and save one: a folder's entries, and a line to type in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pygame

from base.command import one_line
from ink.decode import SUFFIXES
from ink.files import is_no_file
from window.cards.card import PRESSES, Card
from window.paint.lists import Row
from window.paint.theme import Style, text_size
from window.paint.widgets import Button

STROKES, PICTURE = ".json", ".png"  # what a drawing is saved as
OPENED = {STROKES, *SUFFIXES}  # endings of what is listed


class FolderCard(Card):
    """The folders and files of a folder, and a line to type in."""

    asks = ""  # what is typed, in a word

    def __init__(self, close: Callable[[], None], folder: Path, done: Callable[[Path], None]) -> None:
        """`done` is called with the file that was chosen."""
        super().__init__(close)
        self.done, self.text, self.error = done, "", ""
        self.marked = -1  # the entry that Enter takes; -1 for none
        self.entries: list[Path] = []
        self.buttons.append(Button(self.title, self.title, self.take))
        self.buttons.append(Button("Up", "Go to the folder that holds this one", self.up))
        self.go(folder)

    def go(self, folder: Path) -> None:
        """Show a folder, or say why it cannot be read."""
        try:
            found = [path for path in folder.iterdir() if not path.name.startswith(".")]
        except OSError as error:
            self.error = one_line(error)
            if hasattr(self, "folder"):
                return
            folder, found = Path.home(), []
        else:
            self.error = ""
        self.folder, self.first, self.marked = folder.absolute(), 0, -1
        folders = sorted((path for path in found if path.is_dir()), key=lambda path: path.name.casefold())
        files = [path for path in found if path.suffix.lower() in OPENED and not is_no_file(path)]
        self._all = folders + sorted(files, key=lambda path: path.name.casefold())
        self.filter()

    def filter(self) -> None:
        """List what belongs to what is typed."""
        self.entries = self._all

    def up(self) -> None:
        self.go(self.folder.parent)

    def take(self) -> None:
        """Take the marked entry: go into a folder, be done with a file."""
        if 0 <= self.marked < len(self.entries):
            path = self.entries[self.marked]
            self.enter(path) if path.is_dir() else self.done(path)

    def enter(self, folder: Path) -> None:
        self.go(folder)

    def rows(self) -> int:
        return len(self.entries)

    def press_row(self, index: int) -> None:
        self.marked = index
        self.take()

    def pressable(self, position: tuple[float, float]) -> bool:
        rows = pygame.Rect(position, (1, 1)).collidelist(list(self.drawn.rows.values())) >= 0
        return rows or super().pressable(position)

    def key(self, key: int, typed: str = "") -> None:
        if key in (pygame.K_UP, pygame.K_DOWN) and self.entries:
            self.marked = min(
                max(self.marked + (1 if key == pygame.K_DOWN else -1), 0), len(self.entries) - 1
            )
            self.first = min(max(self.first, self.marked - self.fits + 1), self.marked)
        elif key in PRESSES:
            self.buttons[max(self.focus, 1)].press((0, 0))
        elif key == pygame.K_BACKSPACE:
            self.type(self.text[:-1]) if self.text else self.up()
        elif typed and typed.isprintable():
            self.type(self.text + typed)
        else:
            super().key(key)

    def type(self, text: str) -> None:
        self.text, self.first, self.marked = text, 0, -1
        self.filter()

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        size = text_size(style.unit)
        where = style.type.fit(str(self.folder), size, room.width, keep_end=True)
        line = style.text(surface, where, room.topleft, size, faint=True)
        field = pygame.Rect(room.left, line.bottom + round(5 * style.unit), room.width, round(1.7 * size))
        pygame.draw.rect(
            surface, style.palette.accent, field, max(1, round(style.unit)), round(5 * style.unit)
        )
        words = style.type.fit(f"{self.asks}{self.text}|", size, field.width - 12 * style.unit, keep_end=True)
        style.text(surface, words, (field.left + 6 * style.unit, field.top + 0.2 * size), size)
        top = field.bottom + round(6 * style.unit)
        rows = [
            Row(f"{path.name}{os.sep if path.is_dir() else ''}", marked=index == self.marked)
            for index, path in enumerate(self.entries)
        ]
        below = pygame.Rect(room.left, top, room.width, room.bottom - top)
        self.draw_list(surface, below, style, rows, self.error or ("" if rows else self.nothing()))

    def nothing(self) -> str:
        """Return what is said of a folder without entries."""
        return "There is no folder, picture or drawing here"


class OpenCard(FolderCard):
    """Open a drawing or a picture; typing filters."""

    title, asks = "Open", "Type to filter: "

    def filter(self) -> None:
        self.entries = [path for path in self._all if self.text.casefold() in path.name.casefold()]
        self.marked = 0 if self.text and self.entries else -1

    def enter(self, folder: Path) -> None:
        self.text = ""
        self.go(folder)


class SaveCard(FolderCard):
    """Save the drawing under the name that is typed; a file is overwritten after a second press only."""

    title, asks = "Save", "Name: "

    def __init__(self, close: Callable[[], None], folder: Path, done: Callable[[Path], None]) -> None:
        super().__init__(close, folder, done)
        self.asked: Path | None = None  # the file that may be overwritten
        self.text = self._unused(PICTURE)
        self.buttons.append(
            Button("As strokes", "Save as a picture, or as strokes to draw on later", self.switch)
        )
        self.focus = 1

    def _unused(self, ending: str) -> str:
        taken = {path.name for path in self._all}
        names = (
            f"drawing{'' if number == 1 else f'-{number}'}{ending}" for number in range(1, len(taken) + 2)
        )
        return next(name for name in names if name not in taken)

    def type(self, text: str) -> None:
        super().type(text)
        self._ask(None)
        self.buttons[3].label = "As a picture" if text.lower().endswith(STROKES) else "As strokes"

    def switch(self) -> None:
        """Save as strokes in place of a picture, or the other way round."""
        ending = PICTURE if self.text.lower().endswith(STROKES) else STROKES
        stem = self.text.removesuffix(PICTURE).removesuffix(STROKES)
        self.type((stem or "drawing") + ending)

    def _ask(self, path: Path | None) -> None:
        self.asked = path
        self.buttons[1].label = f"Overwrite {path.name}" if path else "Save"

    def take(self) -> None:
        """Go into a marked folder, or save; where the file is there already, ask first."""
        if 0 <= self.marked < len(self.entries):
            path, self.marked = self.entries[self.marked], -1
            return self.go(path) if path.is_dir() else self.type(path.name)
        if not self.text.strip():
            self.error = "Type a name first"
            return
        ending = "" if self.text.lower().endswith((PICTURE, STROKES)) else PICTURE
        path = self.folder / os.path.expanduser(self.text.strip() + ending)
        if path.exists() and self.asked != path:
            self._ask(path)
        else:
            self.done(path)

    def nothing(self) -> str:
        return ""
