"""A few words over the window, beside what they are about."""

from __future__ import annotations

import pygame

from window.paint.theme import Style, text_size

WIDEST = 420  # design units


def draw_bubble(
    surface: pygame.Surface,
    style: Style,
    words: str,
    anchor: pygame.Rect | None,
    inside: bool = False,
    faint: bool = False,
) -> pygame.Rect:
    """Draw words in lines below `anchor`, above it where that is low in the window; in the window's middle without one.

    `inside`: at the upper end of `anchor`, which is large. Returns where.
    """
    unit, window = style.unit, surface.get_rect()
    size, pad = text_size(unit) - faint, round(9 * unit)
    lines = style.type.wrap(words, size, min(WIDEST * unit, window.width - 4 * pad))
    step = style.type.font(size).get_linesize()
    width = max(style.type.width(line, size) for line in lines)
    place = pygame.Rect(0, 0, min(width, window.width - 4 * pad) + 2 * pad, step * len(lines) + pad)
    if anchor is None:
        place.center = window.center
    elif inside:
        place.midtop = anchor.centerx, anchor.top + pad
    elif anchor.bottom + place.height + pad <= window.height * 0.6:
        place.midtop = anchor.centerx, anchor.bottom + pad // 2
    else:
        place.midbottom = anchor.centerx, anchor.top - pad // 2
    place.clamp_ip(window.inflate(-pad, -pad))
    pygame.draw.rect(surface, style.palette.panel, place, border_radius=round(7 * unit))
    colour = style.palette.line if faint else style.palette.accent
    pygame.draw.rect(surface, colour, place, max(1, round(unit)), round(7 * unit))
    for row, line in enumerate(lines):
        at = place.left + pad, place.top + pad // 2 + row * step
        style.text(surface, line, at, size, width=place.width - 2 * pad)
    return place
