"""What is drawn and with what: the canvas and how it is shown, brush, eraser, the keyboard's pen."""

from __future__ import annotations

import math
from collections.abc import Callable

import pygame

from ink.raster import Rect
from window.byhand import ByHand
from window.paint.theme import Palette, shades
from window.settings import LEAST_BRUSH, MOST_BRUSH, Settings
from window.sheet import Sheet


class Drawing:
    """A canvas in its place in the window. Positions are window pixels, the pen's place is in canvas units."""

    def __init__(self, settings: Settings, changed: Callable[[], None], show: Callable[..., None]) -> None:
        """`changed` is called after each change of the ink, `show` with the parts of the window to draw again."""
        self.settings, self._changed, self._show = settings, changed, show
        self.canvas = Sheet()
        self.by_hand = ByHand(lambda: self.canvas.last_step)
        self.eraser = False
        self._outside: tuple[float, float] | None = None  # where the pen is while it is beside the canvas
        self.pen: tuple[float, float] | None = None  # where the keyboard's pen is, if it is in use
        self.ring: tuple[float, float] | None = None  # where the mouse is, while it is over the canvas
        self.ink_changed: pygame.Rect | None = None  # window pixels to draw again
        self.shown_empty = True  # whether the canvas had no ink when it was last drawn

    def resize(self, place: pygame.Rect, palette: Palette) -> None:
        """Show the canvas at `place`, window pixels."""
        self.place, self._palette = place, palette
        self.view = self.canvas.view(self.canvas.fit(*place.size))
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
        """Start a stroke at window pixels; beside the canvas, where the pointer comes in."""
        self.by_hand.drawn()
        self._erasing, point = eraser or self.eraser, self.to_units(position)
        self._outside = None if self._near.collidepoint(point) else point
        if self._outside is None:
            self.drawn(self.canvas.begin(*point, self.settings.brush, self._erasing))
        self._show("toolbar")

    @property
    def drawing(self) -> bool:
        """Whether a stroke is in progress, also while the pointer is beside the canvas."""
        return self.canvas.current is not None or self._outside is not None

    def extend(self, position: tuple[float, float]) -> None:
        """Go on with the stroke in progress; it ends where it leaves the canvas, and another begins where it comes in."""
        point, before = self.to_units(position), self._outside
        inside = self._near.collidepoint(point)
        if before is not None:
            crossed = self._near.clipline(before, point)
            self._outside = None if inside else point
            if not crossed:
                return
            self.drawn(self.canvas.begin(*crossed[0], self.settings.brush, self._erasing))
            point = point if inside else crossed[1]
        elif not inside and self.canvas.current:
            self._outside = point
            crossed = self._near.clipline(self.canvas.current[len(self.canvas.current) - 1], point)
            point = crossed[1] if crossed else point
        rect = self.canvas.extend(*point)
        if rect[0] < rect[2] and rect[1] < rect[3]:
            self.drawn(rect)
        if self._outside is not None:
            self.canvas.end()

    @property
    def _near(self) -> pygame.Rect:
        """The canvas and a brush's width around it, canvas units."""
        reach = 2 * math.ceil(self.settings.brush)
        return pygame.Rect(0, 0, self.canvas.width, self.canvas.height).inflate(reach, reach)

    def end(self) -> None:
        """Finish the stroke in progress, if any."""
        self._outside = None
        if self.canvas.current:
            self.canvas.end()
            self._show("toolbar")

    def change(self, change: Callable[[], Rect]) -> None:
        """Undo, redo, clear or open, as `change` does it; all ink is in sight afterwards."""
        rect = change()
        if self.canvas.empty or not self.canvas.fits():
            self.resize(self.place, self._palette)
            rect = (0, 0, *self.sheet.get_size())
        self.drawn(rect)
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

    def to_units(self, position: tuple[float, float]) -> tuple[float, float]:
        """Return canvas units for window pixels."""
        x, y = position[0] - self.place.left, position[1] - self.place.top
        return x / self.view.scale, y / self.view.scale

    def just_drawn(self, position: tuple[float, float]) -> bool:
        """Return whether a position is where the last stroke ended: the pointer has not moved since."""
        if not self.canvas.strokes:
            return False
        last = self.canvas.strokes[-1]
        return math.dist(last[len(last) - 1], self.to_units(position)) <= self.settings.brush
