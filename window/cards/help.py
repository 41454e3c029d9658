"""The card of all keys, and the card of what has no room in the toolbar."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pygame

from window.cards.card import Card
from window.paint.theme import Style, text_size
from window.paint.widgets import Button


class HelpCard(Card):
    """All keys."""

    title = "Keys"

    def __init__(self, close: Callable[[], None], keys: Sequence[tuple[str, str]]) -> None:
        super().__init__(close)
        self.keys = keys

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        draw_keys(surface, room, style, self.keys)


class MoreCard(Card):
    """The buttons that the toolbar has no room for, and what has a key alone."""

    title = "More"

    def __init__(self, close: Callable[[], None], buttons: Sequence[Button]) -> None:
        super().__init__(close)
        self.buttons += buttons
        self._column = 0  # pixels of width

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        """Draw what each button does beside it."""
        self.place_buttons(room, style)
        size, gap = max(10.0, 12 * style.unit), round(8 * style.unit)
        step = style.type.font(size).get_linesize()
        for button in self.buttons[1:]:
            lines = style.type.wrap(button.hint, size, self._column - button.rect.width - 2 * gap)
            lines = lines[: max(1, (button.rect.height + gap) // step)]
            top = button.rect.centery - len(lines) * step / 2
            for row, line in enumerate(lines):
                at = button.rect.right + gap, top + row * step
                style.text(surface, line, at, size, faint=True, width=self._column - button.rect.width - gap)

    def place_buttons(self, room: pygame.Rect, style: Style) -> None:
        """Lay the buttons out in columns, each with room beside it; Close below, as on other cards."""
        close, *others = self.buttons
        gap = round(6 * style.unit)
        widest = max(button.wanted_width(style.type, style.unit) for button in others)
        columns = 1 if len(others) <= 4 else 2
        rows = math.ceil(len(others) / columns)
        self._column = room.width // columns
        least = style.type.font(text_size(style.unit)).get_linesize()
        height = max(min(round(38 * style.unit), (room.height + gap) // rows - gap), least)
        for index, button in enumerate(others):
            column, row = divmod(index, rows)
            at = room.left + column * self._column, room.top + row * (height + gap)
            button.rect = pygame.Rect(at, (widest, height))
        size = close.wanted_width(style.type, style.unit), round(30 * style.unit)
        close.rect = pygame.Rect((room.right - size[0], room.bottom + round(9 * style.unit)), size)

    def press(self, position: tuple[float, float]) -> pygame.Rect | None:
        for button in self.buttons[1:]:
            if button.rect.collidepoint(position) and button.enabled():
                self.close()  # first: what the button does may open another card
        return super().press(position)

    def key(self, key: int, typed: str = "") -> None:
        if key in (pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN):
            self.focus = (self.focus + (1 if key in (pygame.K_RIGHT, pygame.K_DOWN) else -1)) % len(
                self.buttons
            )
        elif key in (pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_SPACE):
            self.press(self.buttons[self.focus].rect.center)
        else:
            super().key(key, typed)


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
