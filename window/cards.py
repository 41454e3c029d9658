"""Cards over the window: help, the corrections, files read. Each draws itself and answers a few keys."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

from window.theme import Style
from window.widgets import Button, draw_rows

if TYPE_CHECKING:
    from window.session import FileReading

PAUSE = 0.1  # seconds between two drawings of a list that grows; to draw each row as it comes would slow the reading


class Card:
    """A card with a title, buttons and, if it has many rows, a place in them."""

    title = ""

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close
        self.first, self.fits = 0, sys.maxsize  # the first row shown; how many fit, once drawn
        self.focus = 0
        self.buttons = [Button("Close", "Close this card", close)]

    def rows(self) -> int:
        return 0

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        raise NotImplementedError

    def draw(self, surface: pygame.Surface, style: Style, pointer: tuple[float, float]) -> None:
        room = draw_card(surface, style, self.title)
        self.draw_inside(surface, room, style)
        if self.first > (last := max(0, self.rows() - self.fits)):  # rows have gone since
            self.first = last
            return self.draw(surface, style, pointer)
        x, height = room.right, round(30 * style.unit)
        for index, button in enumerate(self.buttons):
            width = button.wanted_width(style.type, style.unit)
            button.rect = pygame.Rect(x - width, room.bottom + round(9 * style.unit), width, height)
            pygame.draw.rect(surface, style.palette.line, button.rect, 1, round(6 * style.unit))
            hovered = button.rect.collidepoint(pointer)
            button.draw(surface, style.palette, style.type, style.unit, hovered, focused=index == self.focus)
            x -= width + round(8 * style.unit)

    def press(self, position: tuple[float, float]) -> None:
        for button in self.buttons:
            if button.rect.collidepoint(position):
                button.press(position)
                return

    def scroll(self, steps: int) -> None:
        self.first = max(min(self.first + steps, self.rows() - self.fits), 0)

    def key(self, key: int) -> None:
        """Answer a key: arrows and pages scroll, Tab walks the buttons, Enter presses one."""
        steps = {
            pygame.K_UP: -1,
            pygame.K_DOWN: 1,
            pygame.K_PAGEUP: -10,
            pygame.K_PAGEDOWN: 10,
            pygame.K_HOME: -self.rows(),
            pygame.K_END: self.rows(),
        }
        if key in steps:
            self.scroll(steps[key])
        elif key == pygame.K_TAB:
            self.focus = (self.focus + 1) % len(self.buttons)
        elif key in (pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE):
            self.buttons[self.focus].press((0, 0))


class HelpCard(Card):
    """All keys."""

    title = "Keys"

    def __init__(self, close: Callable[[], None], keys: Sequence[tuple[str, str]]) -> None:
        super().__init__(close)
        self.keys = keys

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        draw_keys(surface, room, style, self.keys)


class CorrectionsCard(Card):
    """What was learnt, newest first."""

    title = "Corrections"

    def __init__(
        self,
        close: Callable[[], None],
        entries: Callable[[], Sequence[Any]],
        undo: Callable[[], None],
        forget_all: Callable[[], None],
        practise: Callable[[bool], None],
        practised: Callable[[], bool],
    ) -> None:
        super().__init__(close)
        self.entries, self.forget_all, self.asked = entries, forget_all, False
        self.practised = practised
        self.buttons += [
            Button("Undo the last", "Take the newest correction back", undo, enabled=self._any),
            Button("Forget all", "Delete every correction", self._ask, enabled=self._any),
            Button(
                "Practise",
                "Fine-tune the model in memory on all corrections, or undo that",
                lambda: practise(practised()),
                enabled=lambda: self._any() or practised(),
            ),
        ]

    def _any(self) -> bool:
        return bool(self.entries())

    def _ask(self) -> None:
        """Forgetting all cannot be undone: the second press does it."""
        if self.asked:
            self.forget_all()
        self.asked = not self.asked
        self.buttons[2].label = "Really forget all" if self.asked else "Forget all"

    def rows(self) -> int:
        return len(self.entries())

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        entries = list(self.entries())[::-1]
        rows: list[tuple[np.ndarray | None, str, str]] = [
            (entry.frame, f"is {entry.label}", _local_time(entry.time)) for entry in entries
        ]
        note = "" if rows else "None yet. When an answer is wrong, type the right digit, or click its bar."
        self.buttons[3].label = "Undo practice" if self.practised() else "Practise"
        self.fits = draw_rows(surface, room, style, rows, self.first, note)


class FilesCard(Card):
    """Files read one by one, the newest last, with progress and a way to stop."""

    title = "Files"

    def __init__(
        self, close: Callable[[], None], cancel: Callable[[], None], busy: Callable[[], bool]
    ) -> None:
        super().__init__(close)
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
        rows: list[tuple[np.ndarray | None, str, str]] = [
            (None, reading.error or reading.text, reading.path.name) for reading in self.readings
        ]
        self.fits = draw_rows(
            surface, room, style, rows, self.first, note, last.done / last.total if last else 0.0
        )


def _local_time(time: str) -> str:
    """Return a correction's time as the user's clock shows it; what is no time as it stands."""
    try:
        return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return time[:16]


def draw_card(surface: pygame.Surface, style: Style, title: str) -> pygame.Rect:
    """Dim the window, draw a card over it and return the room inside; its last line is left for buttons."""
    veil = pygame.Surface(surface.get_size())
    veil.fill(style.palette.window)
    veil.set_alpha(190)
    surface.blit(veil, (0, 0))
    width, height = surface.get_size()
    margin, status = round(24 * style.unit), max(16, round(22 * style.unit)) + round(5 * style.unit)
    rect = pygame.Rect(
        0, 0, min(width - margin, round(820 * style.unit)), min(height - 2 * status, round(640 * style.unit))
    )
    rect.center = (width // 2, height // 2)
    pygame.draw.rect(surface, style.palette.panel, rect, border_radius=round(10 * style.unit))
    pygame.draw.rect(surface, style.palette.line, rect, max(1, round(style.unit)), round(10 * style.unit))
    pad = round(18 * style.unit)
    line = style.text(
        surface,
        title,
        (rect.left + pad, rect.top + round(12 * style.unit)),
        max(13.0, 18 * style.unit),
        bold=True,
        width=rect.width - 2 * pad,
    )
    top = line.bottom + round(10 * style.unit)
    return pygame.Rect(rect.left + pad, top, rect.width - 2 * pad, rect.bottom - round(48 * style.unit) - top)


def draw_keys(
    surface: pygame.Surface, room: pygame.Rect, style: Style, keys: Sequence[tuple[str, str]]
) -> None:
    """Draw (key, meaning) pairs in two columns."""
    half = math.ceil(len(keys) / 2)
    step = room.height / half
    tab, gap = room.width * 0.17, 6 * style.unit
    size = min(max(10.0, 14 * style.unit), step * 0.8)
    longest = max(style.type.width(meaning, size) for _, meaning in keys) / (room.width / 2 - tab - 2 * gap)
    widest = max(style.type.width(key, size, bold=True) for key, _ in keys) / tab
    size /= max(longest, widest, 1.0)
    for index, (key, meaning) in enumerate(keys):
        column, row = divmod(index, half)
        x = room.left + column * room.width / 2
        y = room.top + row * step
        style.text(surface, key, (x, y), size, bold=True, colour=style.palette.accent, width=tab)
        style.text(surface, meaning, (x + tab + gap, y), size, width=room.width / 2 - tab - gap)
