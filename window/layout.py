"""Where the parts of the window are, for any size of it."""

from __future__ import annotations

from dataclasses import dataclass

import pygame

LEAST_UNIT, MOST_UNIT = 0.75, 2.5  # pixels a design unit at scale 1; the design is 1024 x 768 units
CROWDED = 1.7  # times the unit at which the whole design fits; beyond, text would not
COLUMN = 860  # design units that toolbar and panels need


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
