"""The boxes around what was read: digits with their labels, signs lighter, what was refused or left out dashed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pygame

from window.groups import lines_of
from window.paint.theme import Colour, Style

if TYPE_CHECKING:
    from recognizer.answer import Reading

DASH = 5.0  # design units, a dash and a gap alike


def draw_boxes(
    surface: pygame.Surface,
    style: Style,
    reading: Reading | None,
    to_window: Callable[[Any], pygame.Rect],
    selected: int,
    inside: pygame.Rect,
) -> list[pygame.Rect]:
    """Draw a box around everything that was read; return where the labels of the groups are, in their order."""
    if reading is None:
        return []
    told = {id(mark) for line in lines_of(reading) for mark in line} if reading.status == "ok" else set()
    for sign in reading.signs:
        box = to_window(sign.box).inflate(round(6 * style.unit), round(6 * style.unit)).clip(inside)
        if id(sign) in told:
            pygame.draw.rect(
                surface, style.palette.muted, box, max(1, round(style.unit)), round(4 * style.unit)
            )
            _tag(surface, style, sign.sign, box, inside, style.palette.muted, style.palette.text)
        else:
            draw_dashed(surface, box, style.palette.doubt, style.unit)
    places = []
    for index, group in enumerate(reading.groups):
        box = to_window(group.box).inflate(round(10 * style.unit), round(10 * style.unit)).clip(inside)
        colour = style.palette.accent if group.accepted else style.palette.doubt
        thick = max(1, round((2 if index == selected and len(reading.groups) > 1 else 1) * style.unit))
        if group.accepted:
            pygame.draw.rect(surface, colour, box, thick, round(5 * style.unit))
        else:
            draw_dashed(surface, box, colour, style.unit, thick)
        label = group.digit if group.accepted else "?"
        places.append(_tag(surface, style, label, box, inside, colour, style.palette.panel))
    return places


def _tag(
    surface: pygame.Surface,
    style: Style,
    label: str,
    box: pygame.Rect,
    inside: pygame.Rect,
    colour: Colour,
    ink: Colour,
) -> pygame.Rect:
    """Draw a box's label at its left top corner, inside the canvas, and return where."""
    text = style.type.render(label, max(11.0, 15 * style.unit), ink, bold=True)
    tag = text.get_rect().inflate(round(10 * style.unit), round(2 * style.unit))
    tag.bottomleft = box.topleft
    if tag.top < inside.top:
        tag.topleft = box.topleft
    pygame.draw.rect(surface, colour, tag, border_radius=round(4 * style.unit))
    surface.blit(text, text.get_rect(center=tag.center))
    return tag


def draw_dashed(
    surface: pygame.Surface, box: pygame.Rect, colour: Colour, unit: float, thick: int = 1
) -> None:
    """Draw a box of dashes."""
    dash = max(3, round(DASH * unit))
    for x in range(box.left, box.right, 2 * dash):
        width = min(dash, box.right - x)
        for y in (box.top, box.bottom - thick):
            surface.fill(colour, (x, y, width, thick))
    for y in range(box.top, box.bottom, 2 * dash):
        height = min(dash, box.bottom - y)
        for x in (box.left, box.right - thick):
            surface.fill(colour, (x, y, thick, height))
