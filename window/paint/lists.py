"""Lists that scroll: rows of a picture, words and a button, with a bar that shows where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pygame

from window.paint.panels import picture_of
from window.paint.theme import Style, text_size


@dataclass(frozen=True)
class Row:
    """One row of a list."""

    words: str
    beside: str = ""  # faint, at the right
    frame: np.ndarray | None = None  # shown at the left
    button: str = ""  # what its button says
    marked: bool = False


@dataclass(frozen=True)
class Drawn:
    """Where the rows of a list are, by their index; how many fit."""

    fits: int
    rows: dict[int, pygame.Rect]
    buttons: dict[int, pygame.Rect]


def draw_rows(
    surface: pygame.Surface,
    room: pygame.Rect,
    style: Style,
    rows: Sequence[Row],
    first: int,
    note: str = "",
    progress: float | None = None,
) -> Drawn:
    """Draw a list from row `first` on, under a note and a bar of progress in [0, 1] if there are such."""
    size = text_size(style.unit)
    line = style.type.font(size).get_linesize()
    top = room.top
    for part in style.type.wrap(note, size, room.width)[:3] if note else []:
        style.text(surface, part, (room.left, top), size, faint=True, width=room.width)
        top += line
    top += round(6 * style.unit) if note else 0
    if progress is not None:
        bar = pygame.Rect(room.left, top, room.width, max(3, round(5 * style.unit)))
        pygame.draw.rect(surface, style.palette.line, bar, border_radius=bar.height)
        done = pygame.Rect(bar.topleft, (round(bar.width * progress), bar.height))
        pygame.draw.rect(surface, style.palette.accent, done, border_radius=bar.height)
        top = bar.bottom + round(8 * style.unit)
    step = round((34 if any(row.frame is not None for row in rows[:1]) else 24) * style.unit)
    step = max(step, line + 4)
    fits = max(1, (room.bottom - top) // step)
    width = room.width
    if len(rows) > fits:
        width -= round(14 * style.unit)
        track = pygame.Rect(room.right - round(6 * style.unit), top, round(6 * style.unit), fits * step)
        _draw_scroll_bar(surface, track, style, first / len(rows), fits / len(rows))
    places, buttons = {}, {}
    for index, row in enumerate(rows[first : first + fits]):
        places[first + index] = place = pygame.Rect(room.left, top + index * step, width, step)
        button = _draw_row(surface, place, style, row, size, line)
        if button:
            buttons[first + index] = button
    return Drawn(fits, places, buttons)


def _draw_row(
    surface: pygame.Surface, place: pygame.Rect, style: Style, row: Row, size: float, line: int
) -> pygame.Rect | None:
    """Draw a row and return where its button is, if it has one."""
    if row.marked:
        pygame.draw.rect(surface, style.palette.line, place, border_radius=round(5 * style.unit))
    x, right, y = place.left + round(4 * style.unit), place.right, place.top + (place.height - line) // 2
    if row.frame is not None:
        side = place.height - 4
        surface.blit(picture_of(row.frame, (side, side)), (x, place.top + 2))
        x += side + round(10 * style.unit)
    button = None
    if row.button:
        text = style.type.render(row.button, size, style.palette.accent)
        button = pygame.Rect(0, 0, text.get_width() + round(14 * style.unit), place.height - 4)
        button.midright = place.midright
        pygame.draw.rect(surface, style.palette.line, button, 1, round(5 * style.unit))
        surface.blit(text, text.get_rect(center=button.center))
        right = button.left - round(8 * style.unit)
    half = (right - x) * (0.5 if row.beside else 1.0)
    style.text(surface, row.words, (x, y), size, bold=row.frame is not None, width=half - 8 * style.unit)
    beside = style.type.fit(row.beside, size, half, keep_end=row.frame is None)
    image = style.type.render(beside, size, style.palette.faint)
    surface.blit(image, (right - image.get_width() - round(4 * style.unit), y))
    return button


def _draw_scroll_bar(
    surface: pygame.Surface, track: pygame.Rect, style: Style, start: float, share: float
) -> None:
    """Draw which share of a list is shown, from where on, each in [0, 1]."""
    pygame.draw.rect(surface, style.palette.line, track, border_radius=track.width)
    shown = pygame.Rect(track.left, round(track.top + start * track.height), track.width, 0)
    shown.height = max(round(share * track.height), track.width)
    pygame.draw.rect(surface, style.palette.faint, shown.clip(track), border_radius=track.width)
