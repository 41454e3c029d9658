"""The card of files that are read one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from window.cards.card import Card
from window.paint.lists import Row
from window.paint.theme import Style
from window.paint.widgets import Button

if TYPE_CHECKING:
    from window.session import FileReading

PAUSE = 0.1  # seconds between two drawings of a list that grows; to draw each row as it comes would slow the reading


class FilesCard(Card):
    """Files read one by one, the newest last, with progress and a way to stop."""

    title = "Files"

    def __init__(
        self,
        close: Callable[[], None],
        open: Callable[[Path], None],
        cancel: Callable[[], None],
        busy: Callable[[], bool],
    ) -> None:
        super().__init__(close)
        self.open = open
        self.readings: list[FileReading] = []
        self.following = True  # whether the newest row stays in sight
        self._due = 0.0
        self.busy = busy
        self.buttons.append(Button("Stop", "Stop reading", cancel, enabled=busy))

    def rows(self) -> int:
        return len(self.readings)

    def add(self, reading: FileReading) -> bool:
        """Take a further file in, and say whether to show it now; the list follows unless it was scrolled back."""
        self.readings.append(reading)
        if self.following:
            self.first = max(0, len(self.readings) - self.fits)
        now = time.monotonic()
        if now < self._due and reading.done < reading.total:
            return False
        self._due = now + PAUSE
        return True

    def scroll(self, steps: int) -> None:
        super().scroll(steps)
        self.following = self.first + self.fits >= len(self.readings)

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        last = self.readings[-1] if self.readings else None
        failed = sum(reading.error is not None for reading in self.readings)
        note = f"{last.done:,} of {last.total:,} read" if last else "Looking for pictures"
        note += f", {failed:,} failed" if failed else ""
        if last and last.done < last.total and not self.busy():
            note += ", stopped"
        rows = [Row(reading.error or reading.text, reading.path.name) for reading in self.readings]
        self.draw_list(surface, room, style, rows, note, last.done / last.total if last else 0.0)

    def press_row(self, index: int) -> None:
        """Open a file that was read."""
        self.open(self.readings[index].path)
