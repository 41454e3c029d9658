"""Where the parts of the window are, for any size of it."""

from __future__ import annotations

from dataclasses import dataclass

import pygame

LEAST_UNIT, MOST_UNIT = 0.75, 2.5  # pixels a design unit at scale 1; the design is 1024 x 768 units
CROWDED = 1.7  # times the unit at which the whole design fits; beyond, text would not
HINT_WIDTH = 760  # design units from which one line is enough for the hints
WIDE, TALL = 2.5, 1.4  # width over height, height over width, from which the panels lie otherwise
PANELS = 560  # design units of width that the panels need beside the canvas
LEAST_ROW, MOST_ROW = 110, 240  # design units of a row of panels
PARTS = ("canvas", "answer", "bars", "frames", "toolbar", "status")

HINTS = {
    "picture": "A picture that was opened; a click or Esc goes back to the canvas",
    "canvas": "Left button or finger draws, right button erases; click a digit's label to mark it",
    "answer": "What was read, and how sure that is; click another text below it to take that",
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


def to_window(box: tuple[int, int, int, int], area: pygame.Rect, ratio: float) -> pygame.Rect:
    """Return a box (left, top, width, height) of a picture shown in `area`, at `ratio` window pixels a pixel of it."""
    left, top, width, height = (side * ratio for side in box)
    return pygame.Rect(
        round(area.left + left), round(area.top + top), max(1, round(width)), max(1, round(height))
    )


def arrange(width: int, height: int, scale: float) -> Layout:
    """Return the layout of a window: the panels lie below the canvas, in two rows where the window is tall, or,
    where it is wide, beside it; the canvas has the rest."""
    fit = min(width / 1024, height / 768)
    unit = min(max(fit, LEAST_UNIT * scale), MOST_UNIT * scale, CROWDED * fit)
    pad = round(10 * unit)
    whole = width - 2 * pad
    toolbar = pygame.Rect(pad, round(6 * unit), whole, round(36 * unit))
    line = max(16, 22 * unit)
    status_height = round(line if whole > HINT_WIDTH * unit else 2 * line)
    status = pygame.Rect(pad, height - status_height - round(3 * unit), whole, status_height)
    top = toolbar.bottom + round(6 * unit)
    room = pygame.Rect(pad, top, whole, max(status.top - round(4 * unit) - top, 40))
    wide, tall = width > WIDE * height, height > TALL * width
    if wide:
        block = room.move(0, 0)
        block.width = round(max(0.3 * whole, min(PANELS * unit, 0.4 * whole)))
        block.right = room.right
        canvas = pygame.Rect(room.left, room.top, block.left - pad - room.left, room.height)
    else:
        high = min(max(0.26 * room.height, LEAST_ROW * unit), MOST_ROW * unit)
        high = min(2 * high + pad if tall else high, 0.45 * room.height)
        block = pygame.Rect(room.left, room.bottom - round(high), whole, round(high))
        canvas = pygame.Rect(room.left, room.top, whole, block.top - pad - room.top)
    return Layout(unit, toolbar, canvas, *_panels(block, pad, wide or tall), status)


def _panels(block: pygame.Rect, pad: int, rows: bool) -> tuple[pygame.Rect, pygame.Rect, pygame.Rect]:
    """Return the places of answer, bars and frames: in a row, or the bars in a second one."""
    if rows:
        upper = (block.height - pad) // 2
        answer = pygame.Rect(block.left, block.top, round(0.6 * (block.width - pad)), upper)
        frames = pygame.Rect(answer.right + pad, block.top, block.width - answer.width - pad, upper)
        top = answer.bottom + pad
        return answer, pygame.Rect(block.left, top, block.width, block.bottom - top), frames
    room = block.width - 2 * pad
    answer = pygame.Rect(block.left, block.top, round(0.35 * room), block.height)
    bars = pygame.Rect(answer.right + pad, block.top, round(0.4 * room), block.height)
    left = bars.right + pad
    return answer, bars, pygame.Rect(left, block.top, block.right - left, block.height)
