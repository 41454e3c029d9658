"""What is drawn and with what: the canvas and how it is shown, brush, eraser, the keyboard's pen."""

from __future__ import annotations

import math
from collections.abc import Callable

import pygame

from ink.canvas import Canvas
from ink.raster import Rect
from window.settings import LEAST_BRUSH, MOST_BRUSH, Settings
from window.theme import Palette, shades

WIDTH, HEIGHT = 560, 280  # canvas units: room for a whole number


class Drawing:
    """A canvas in its place in the window. Positions are window pixels, the pen's place is in canvas units."""

    def __init__(self, settings: Settings, changed: Callable[[], None], show: Callable[..., None]) -> None:
        """`changed` is called after each change of the ink, `show` with the parts of the window to draw again."""
        self.settings, self._changed, self._show = settings, changed, show
        self.canvas = Canvas(WIDTH, HEIGHT)
        self.eraser = False
        self.pen: tuple[float, float] | None = None  # where the keyboard's pen is, if it is in use
        self.ring: tuple[float, float] | None = None  # where the mouse is, while it is over the canvas
        self.ink_changed: pygame.Rect | None = None  # window pixels to draw again
        self.shown_empty = True  # whether the canvas had no ink when it was last drawn

    def resize(self, place: pygame.Rect, palette: Palette) -> None:
        """Show the canvas at `place`, window pixels."""
        self.place = place
        self.view = self.canvas.view(place.width / self.canvas.width)
        self.sheet = pygame.Surface(self.view.ink.shape[::-1], depth=8)
        self.sheet.set_palette(shades(palette.paper, palette.ink))
        self._copy_ink((0, 0, *self.sheet.get_size()))

    def _copy_ink(self, rect: Rect) -> None:
        """Bring a rectangle of the view to the sheet that is shown."""
        left, top, right, bottom = rect
        if left >= right or top >= bottom:
            return
        pixels = pygame.surfarray.pixels2d(self.sheet)
        pixels[left:right, top:bottom] = self.view.ink[top:bottom, left:right].T  # surfaces are (x, y)
        del pixels  # a surface is locked while its pixels are held
        self._draw_again(pygame.Rect(left, top, right - left, bottom - top).move(self.place.topleft))

    def _draw_again(self, area: pygame.Rect) -> None:
        self.ink_changed = area.union(self.ink_changed) if self.ink_changed else area

    def hover(self, position: tuple[float, float] | None) -> None:
        """Show the brush as a ring at `position`, or nowhere."""
        for place in (self.ring, position):
            if place:
                side = 2 * math.ceil(self.ring_radius) + 6
                area = pygame.Rect(0, 0, side, side)
                area.center = round(place[0]), round(place[1])
                self._draw_again(area)
        self.ring = position

    @property
    def erases(self) -> bool:
        """Whether the stroke in progress, or else the next one, erases."""
        return self.canvas.current.eraser if self.canvas.current else self.eraser

    @property
    def ring_radius(self) -> float:
        """Half the width of the stroke that the mouse would draw, in window pixels."""
        return max(self.settings.brush * self.view.scale / 2, 2.0)

    def drawn(self, rect: Rect) -> None:
        """The canvas changed in `rect`, view pixels: show it."""
        self._copy_ink(rect)
        self._changed()

    def begin(self, position: tuple[float, float], eraser: bool) -> None:
        """Start a stroke at window pixels."""
        x, y = self._to_units(position)
        self.drawn(self.canvas.begin(x, y, self.settings.brush, eraser or self.eraser))
        self._show("toolbar")

    def extend(self, position: tuple[float, float]) -> None:
        """Go on with the stroke in progress."""
        rect = self.canvas.extend(*self._to_units(position))
        if rect[0] < rect[2] and rect[1] < rect[3]:
            self.drawn(rect)

    def end(self) -> None:
        """Finish the stroke in progress, if any."""
        if self.canvas.current:
            self.canvas.end()
            self._show("toolbar")

    def change(self, change: Callable[[], Rect]) -> None:
        """Undo, redo or clear, as `change` does it."""
        self.drawn(change())
        self._show("toolbar")

    def set_brush(self, brush: float) -> None:
        self.hover(self.ring)  # the old ring's place is drawn again
        self.settings.brush = min(max(brush, LEAST_BRUSH), MOST_BRUSH)
        self.hover(self.ring)
        self._show("toolbar")

    def toggle_eraser(self) -> None:
        self.eraser = not self.eraser
        self.hover(self.ring)
        self._show("toolbar")

    def toggle_pen(self) -> None:
        """Draw with the keyboard, or no longer."""
        self.canvas.end()
        self.pen = None if self.pen else (self.canvas.width / 2, self.canvas.height / 4)
        pygame.key.set_repeat(
            *((200, 16) if self.pen else ())
        )  # milliseconds: arrows glide while they are held
        self._show("all")

    def move_pen(self, right: float, down: float) -> None:
        """Move the keyboard's pen by canvas units, drawing if it is down."""
        if self.pen:
            x, y = self.pen[0] + right, self.pen[1] + down
            self.pen = min(max(x, 0.0), float(self.canvas.width)), min(max(y, 0.0), float(self.canvas.height))
            if self.canvas.current is not None:
                self.drawn(self.canvas.extend(*self.pen))
            self._show("canvas")

    def drop_pen(self) -> None:
        """Put the keyboard's pen down, or lift it."""
        if self.canvas.current is not None:
            self.canvas.end()
        elif self.pen:
            self.drawn(self.canvas.begin(*self.pen, self.settings.brush, self.eraser))
        self._show("canvas", "toolbar")

    def to_window(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return window pixels for canvas units."""
        return self.place.left + point[0] * self.view.scale, self.place.top + point[1] * self.view.scale

    def _to_units(self, position: tuple[float, float]) -> tuple[float, float]:
        """Return canvas units for window pixels."""
        return (position[0] - self.place.left) / self.view.scale, (
            position[1] - self.place.top
        ) / self.view.scale
