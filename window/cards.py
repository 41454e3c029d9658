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

from window.panels import Style, picture_of
from window.widgets import Button, text_size

if TYPE_CHECKING:
    from window.session import FileReading

PAUSE = 0.1  # seconds between two drawings of a list that grows; to draw each row as it comes would slow the reading

KEYS = (
    ("Left button", "draw (or a finger)"),
    ("Right button", "erase"),
    ("E", "pen or eraser"),
    ("[  ]  wheel", "brush size"),
    ("Ctrl-Z", "undo, without limit"),
    ("Ctrl-Y", "redo (or Ctrl-Shift-Z)"),
    ("C", "clear (can be undone)"),
    ("Left, Right", "mark another digit"),
    ("0 to 9", "the marked digit is this"),
    ("Backspace", "undo the last teaching"),
    ("L", "list of corrections"),
    ("P", "draw with the arrow keys"),
    ("H", "heat map: what decided"),
    ("F", "maps of each layer, live"),
    ("M, Shift-M", "train a tiny network, stop"),
    ("S", "save the drawing as PNG"),
    ("J", "save the strokes as JSON"),
    ("Ctrl-C", "copy the number"),
    ("Ctrl-V", "paste a picture or a path"),
    ("Drop", "picture, folder, .json, .pth"),
    ("T", "light or dark"),
    ("Tab, Enter", "walk, press buttons"),
    ("F1, ?", "this help"),
    ("Esc", "close; on the canvas: quit"),
)


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

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        draw_keys(surface, room, style, KEYS)


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


def draw_rows(
    surface: pygame.Surface,
    room: pygame.Rect,
    style: Style,
    rows: Sequence[tuple[np.ndarray | None, str, str]],
    first: int,
    note: str = "",
    progress: float | None = None,
) -> int:
    """Draw a scrolled list of (frame or None, words, faint words) and return how many rows fit."""
    size = text_size(style.unit)
    line = style.type.font(size).get_linesize()
    top = room.top
    if note:
        for part in style.type.wrap(note, size, room.width)[:3]:
            style.text(surface, part, (room.left, top), size, faint=True)
            top += line
        top += round(6 * style.unit)
    if progress is not None:
        bar = pygame.Rect(room.left, top, room.width, max(3, round(5 * style.unit)))
        pygame.draw.rect(surface, style.palette.line, bar, border_radius=bar.height)
        done = pygame.Rect(bar.topleft, (round(bar.width * progress), bar.height))
        pygame.draw.rect(surface, style.palette.accent, done, border_radius=bar.height)
        top = bar.bottom + round(8 * style.unit)
    step = round((34 if any(frame is not None for frame, _, _ in rows[:1]) else 24) * style.unit)
    step = max(step, line + 4)
    fits = max(1, (room.bottom - top) // step)
    for index, (frame, words, faint) in enumerate(rows[first : first + fits]):
        place = pygame.Rect(room.left, top + index * step, room.width, step)
        x = place.left
        if frame is not None:
            side = step - 4
            surface.blit(picture_of(frame, (side, side)), (x, place.top + 2))
            x += side + round(10 * style.unit)
        y = place.top + (step - line) // 2
        half = (place.right - x) * 0.5
        style.text(surface, words, (x, y), size, bold=frame is not None, width=half - 8 * style.unit)
        text = style.type.fit(faint, size, half, keep_end=frame is None)
        image = style.type.render(text, size, style.palette.faint)
        surface.blit(image, (place.right - image.get_width(), y))
    return fits
