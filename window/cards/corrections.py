"""The card of what was learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pygame

from window.cards.card import Card
from window.paint.lists import Row
from window.paint.theme import Style
from window.paint.widgets import Button

if TYPE_CHECKING:
    from corrections.store import Correction
    from window.teaching import Teaching


class CorrectionsCard(Card):
    """What was learnt, newest first; a row that is deleted stays until the card is closed, to be put back."""

    title = "Corrections"

    def __init__(self, close: Callable[[], None], teaching: Teaching) -> None:
        super().__init__(close)
        self.teaching, self.asked = teaching, False
        self.deleted: dict[str, Correction] = {}
        self.buttons += [
            Button("Undo the last", "Take the newest correction back", teaching.unlearn, enabled=self._any),
            Button("Forget all", "Delete every correction", self._ask, enabled=self._any),
            Button(
                "Practise",
                "Fine-tune the model in memory on all corrections, or undo that",
                lambda: teaching.practise(teaching.practised),
                enabled=lambda: self._any() or teaching.practised,
            ),
            Button(
                "Export",
                "Write all as pictures, a folder a class, to train on",
                teaching.export,
                enabled=self._any,
            ),
        ]

    def _any(self) -> bool:
        return bool(self.teaching.entries())

    def _ask(self) -> None:
        """Forgetting all cannot be undone: the second press does it."""
        if self.asked:
            self.deleted.clear()
            self.teaching.forget_all()
        self.asked = not self.asked
        self.buttons[2].label = "Really forget all" if self.asked else "Forget all"

    def entries(self) -> Sequence[Correction]:
        """Return what is listed, newest first."""
        known = {**self.deleted, **{entry.id: entry for entry in self.teaching.entries()}}
        return sorted(known.values(), key=lambda entry: entry.id, reverse=True)

    def rows(self) -> int:
        return len(self.entries())

    def press_button(self, index: int) -> None:
        """Delete a correction, or put it back."""
        entry = self.entries()[index]
        if entry.id in self.deleted and self.teaching.restore(entry):
            del self.deleted[entry.id]
        elif entry.id not in self.deleted and self.teaching.forget(entry):
            self.deleted[entry.id] = entry

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        entries = self.entries()
        standing = {entry.id for entry in self.teaching.standing()}
        rows = [
            Row(
                f"is {entry.label}{self._note(entry, standing)}",
                _local_time(entry.time),
                entry.frame,
                "Put back" if entry.id in self.deleted else "Delete",
            )
            for entry in entries
        ]
        note = "" if rows else "None yet. When an answer is wrong, type the right digit, or click its bar."
        if len(rows) > self.fits:
            last = min(self.first + self.fits, len(rows))
            note = f"{self.first + 1} to {last} of {len(rows):,}, newest first; the wheel or the arrows show more"
        self.buttons[3].label = "Undo practice" if self.teaching.practised else "Practise"
        self.draw_list(surface, room, style, rows, note)

    def _note(self, entry: Correction, standing: set[str]) -> str:
        """Return why an entry does not count, if it does not."""
        if entry.id in self.deleted:
            return " (deleted)"
        return "" if entry.id in standing else " (a later one counts)"


def _local_time(time: str) -> str:
    """Return a correction's time as the user's clock shows it; what is no time as it stands."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return time[:16]
