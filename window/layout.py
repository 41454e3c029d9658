"""Where the parts of the window are, for any size of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pygame

from window.settings import LEAST_SIZE

LEAST_UNIT, MOST_UNIT = 0.75, 2.5  # pixels a design unit at scale 1; the design is 1024 x 768 units
CROWDED = 1.7  # times the unit at which the whole design fits; beyond, text would not
COLUMN = 860  # design units that toolbar and panels need
PARTS = ("canvas", "answer", "bars", "frames", "toolbar", "status")

HINTS = {
    "picture": "A picture that was opened; a click or Esc goes back to the canvas",
    "canvas": "Left button or finger draws, right button erases; click a digit's label to mark it",
    "answer": "The number that was read, and how sure the least sure digit is",
    "bars": "The probability of each class for the marked digit; click one to say that it is the right one",
    "layers": "What each layer of the network makes of the marked digit, from the first to the last",
    "training": "How many of its training digits the tiny network gets right; click, or Shift-M, pauses it; M stops it",
    "frames": "Each digit as the network sees it, 28 x 28 pixels; click one to mark it",
}


@dataclass(frozen=True)
class Layout:
    """Where things are, in window pixels."""

    unit: float
    toolbar: pygame.Rect
    canvas: pygame.Rect
    answer: pygame.Rect
    bars: pygame.Rect
    frames: pygame.Rect
    status: pygame.Rect

    def part_at(self, position: tuple[float, float]) -> str:
        """Return the name of the part that a position lies in; "" beside all of them."""
        return next((name for name in PARTS if getattr(self, name).collidepoint(position)), "")


def open_window(size: tuple[int, int]) -> pygame.Surface:
    """Open the window, `size` pixels but no larger than the screen, and return what it shows. Raises pygame.error."""
    pygame.display.init()
    if "SDL_VIDEODRIVER" not in os.environ and pygame.display.get_driver() in ("offscreen", "dummy"):
        raise pygame.error("there is no display")  # and SDL would draw a window that nobody sees
    pygame.display.set_caption("Digits")
    desktop = pygame.display.get_desktop_sizes()
    if desktop and os.environ.get("SDL_VIDEODRIVER") != "dummy":
        size = min(size[0], desktop[0][0]), min(size[1], desktop[0][1])
    size = max(size[0], LEAST_SIZE[0]), max(size[1], LEAST_SIZE[1])
    return pygame.display.set_mode(size, pygame.RESIZABLE)


def to_window(box: tuple[int, int, int, int], area: pygame.Rect, ratio: float) -> pygame.Rect:
    """Return a box (left, top, width, height) of a picture shown in `area`, at `ratio` window pixels a pixel of it."""
    left, top, width, height = (side * ratio for side in box)
    return pygame.Rect(
        round(area.left + left), round(area.top + top), max(1, round(width)), max(1, round(height))
    )


def arrange(width: int, height: int, scale: float, aspect: float) -> Layout:
    """Return the layout of a window; `aspect` is the canvas's width over its height."""
    fit = min(width / 1024, height / 768)
    unit = min(max(fit, LEAST_UNIT * scale), MOST_UNIT * scale, CROWDED * fit)
    pad = round(10 * unit)
    whole = width - 2 * pad
    toolbar = pygame.Rect(pad, round(6 * unit), whole, round(36 * unit))
    status_height = round(max(16, 22 * unit))
    status = pygame.Rect(pad, height - status_height - round(3 * unit), whole, status_height)
    top = toolbar.bottom + round(6 * unit)
    room = max(status.top - round(4 * unit) - top - pad, 40)
    canvas_height = min(whole / aspect, 0.74 * room)
    strip = room - canvas_height
    canvas = pygame.Rect(0, 0, round(canvas_height * aspect), round(canvas_height))
    canvas.midtop = (width // 2, top)
    column = max(
        canvas.width, min(whole, round(COLUMN * unit))
    )  # everything shares the canvas's edges where it has room
    left = (width - column) // 2
    toolbar.left, toolbar.width, status.left, status.width = left, column, left, column
    lower = pygame.Rect(left, canvas.bottom + pad, column, round(strip))
    first, second = round(lower.width * 0.34), round(lower.width * 0.40)
    answer = pygame.Rect(lower.left, lower.top, first, lower.height)
    bars = pygame.Rect(answer.right + pad, lower.top, second - pad, lower.height)
    frames = pygame.Rect(bars.right + pad, lower.top, lower.right - bars.right - pad, lower.height)
    return Layout(unit, toolbar, canvas, answer, bars, frames, status)
