"""What all cards share: a title, buttons, a list that scrolls, keys."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pygame

from window.paint.lists import Drawn, Row, draw_rows
from window.paint.theme import Style
from window.paint.widgets import Button

PRESSES = (
    pygame.K_RETURN,
    pygame.K_KP_ENTER,
)  # keys that press a button, as the space bar does where nothing is typed


class Card:
    """A card with a title, buttons and, if it has many rows, a place in them."""

    title = ""

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close
        self.first, self.fits = 0, sys.maxsize  # the first row shown; how many fit, once drawn
        self.drawn = Drawn(sys.maxsize, {}, {})  # where the rows of its list are
        self.focus = 0
        self.buttons = [Button("Close", "Close this card", close)]

    def rows(self) -> int:
        return 0

    def draw_inside(self, surface: pygame.Surface, room: pygame.Rect, style: Style) -> None:
        raise NotImplementedError

    def draw_list(
        self,
        surface: pygame.Surface,
        room: pygame.Rect,
        style: Style,
        rows: list[Row],
        note: str = "",
        progress: float | None = None,
    ) -> None:
        """Draw the rows from the first one shown on, and note where they are."""
        self.drawn = draw_rows(surface, room, style, rows, self.first, note, progress)
        self.fits = self.drawn.fits

    def draw(self, surface: pygame.Surface, style: Style, pointer: tuple[float, float]) -> None:
        room = draw_card(surface, style, self.title)
        self.draw_inside(surface, room, style)
        if self.first > (last := max(0, self.rows() - self.fits)):  # rows have gone since
            self.first = last
            return self.draw(surface, style, pointer)
        self.place_buttons(room, style)
        for index, button in enumerate(self.buttons):
            pygame.draw.rect(surface, style.palette.line, button.rect, 1, round(6 * style.unit))
            hovered = button.rect.collidepoint(pointer)
            button.draw(surface, style.palette, style.type, style.unit, hovered, focused=index == self.focus)

    def place_buttons(self, room: pygame.Rect, style: Style) -> None:
        """Lay the buttons out below `room`, from right to left."""
        x, height, gap = room.right, round(30 * style.unit), round(8 * style.unit)
        widths = [button.wanted_width(style.type, style.unit) for button in self.buttons]
        shrink = min(1.0, (room.width - gap * (len(widths) - 1)) / sum(widths))
        for button, wanted in zip(self.buttons, widths):
            width = int(wanted * shrink)
            button.rect = pygame.Rect(x - width, room.bottom + round(9 * style.unit), width, height)
            x -= width + gap

    def press(self, position: tuple[float, float]) -> pygame.Rect | None:
        """Press what is at a position and return where it is; None for nothing."""
        for button in self.buttons:
            if button.rect.collidepoint(position):
                button.press(position)
                return button.rect
        for places, pressed in ((self.drawn.buttons, self.press_button), (self.drawn.rows, self.press_row)):
            for index, rect in places.items():
                if rect.collidepoint(position):
                    pressed(index)
                    return rect
        return None

    def press_row(self, index: int) -> None:
        """A row of the list was pressed."""

    def press_button(self, index: int) -> None:
        """The button in a row of the list was pressed."""

    def pressable(self, position: tuple[float, float]) -> bool:
        """Return whether a press at a position would do something."""
        rects = [button.rect for button in self.buttons if button.enabled()] + list(
            self.drawn.buttons.values()
        )
        return pygame.Rect(position, (1, 1)).collidelist(rects) >= 0

    def scroll(self, steps: int) -> None:
        self.first = max(min(self.first + steps, self.rows() - self.fits), 0)

    def key(self, key: int, typed: str = "") -> None:
        """Answer a key: arrows and pages scroll, Tab walks the buttons, Enter presses one. `typed`: its character."""
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
        elif key in PRESSES or key == pygame.K_SPACE:
            self.buttons[self.focus].press((0, 0))


def draw_card(surface: pygame.Surface, style: Style, title: str) -> pygame.Rect:
    """Dim the window, draw a card over it and return the room inside; its last line is left for buttons."""
    veil = pygame.Surface(surface.get_size())
    veil.fill(style.palette.window)
    veil.set_alpha(190)
    surface.blit(veil, (0, 0))
    width, height = surface.get_size()
    margin, status = round(24 * style.unit), max(16, round(22 * style.unit)) + round(5 * style.unit)
    size = min(width - margin, round(820 * style.unit)), min(height - 2 * status, round(640 * style.unit))
    rect = pygame.Rect((0, 0), size)
    rect.center = (width // 2, height // 2)
    pygame.draw.rect(surface, style.palette.panel, rect, border_radius=round(10 * style.unit))
    pygame.draw.rect(surface, style.palette.line, rect, max(1, round(style.unit)), round(10 * style.unit))
    pad = round(18 * style.unit)
    at = (rect.left + pad, rect.top + round(12 * style.unit))
    line = style.text(surface, title, at, max(13.0, 18 * style.unit), bold=True, width=rect.width - 2 * pad)
    top = line.bottom + round(10 * style.unit)
    return pygame.Rect(rect.left + pad, top, rect.width - 2 * pad, rect.bottom - round(48 * style.unit) - top)
