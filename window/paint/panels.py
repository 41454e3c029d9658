"""The panels under the canvas but for the answer, each a function of what it shows: no state here, no events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pygame

from recognizer.answer import as_percent
from window.paint.theme import Colour, Style

if TYPE_CHECKING:
    from recognizer.answer import Digit
    from training.lesson import Progress

Rects = list[pygame.Rect]

MOST_BARS = 12  # classes shown at once, the likeliest if there are more
CELLS = 64  # feature maps shown of one layer


def panel(surface: pygame.Surface, rect: pygame.Rect, style: Style, *titles: str) -> pygame.Rect:
    """Draw an empty panel with the first of `titles` that fits and return the room inside."""
    pygame.draw.rect(surface, style.palette.panel, rect, border_radius=round(8 * style.unit))
    pygame.draw.rect(surface, style.palette.line, rect, max(1, round(style.unit)), round(8 * style.unit))
    pad = round(10 * style.unit)
    size = max(10.0, 12 * style.unit)
    width = rect.width - 2 * pad
    title = next((title for title in titles if style.type.width(title, size) <= width), titles[-1])
    line = style.text(
        surface, title, (rect.left + pad, rect.top + round(6 * style.unit)), size, faint=True, width=width
    )
    top = line.bottom + round(4 * style.unit)
    return pygame.Rect(rect.left + pad, top, width, max(rect.bottom - round(8 * style.unit) - top, 8))


def draw_bars(
    surface: pygame.Surface, rect: pygame.Rect, style: Style, classes: Sequence[str], group: Digit | None
) -> dict[str, pygame.Rect]:
    """Draw a column for each class and return where each may be clicked."""
    titles = ["How sure"]
    if group is not None and group.accepted:
        cure = "Wrong? Click the right digit"
        titles = [
            f"How sure: the marked one is {group.digit}. {cure}",
            f"{group.digit}. {cure}",
            cure,
            *titles,
        ]
    elif group is not None:
        titles = ["No digit; nearest to it. Wrong? Click the right digit", "No digit; nearest to it"]
    room = panel(surface, rect, style, *titles)
    probs = dict(zip(classes, group.probs if group else [0.0] * len(classes)))
    shown = list(classes)
    if len(shown) > MOST_BARS:
        shown = sorted(sorted(shown, key=lambda name: -probs[name])[:MOST_BARS], key=list(classes).index)
    size = max(10.0, 13 * style.unit)
    label = style.type.font(size).get_linesize()
    small = max(9.0, 11 * style.unit)
    top = room.top + style.type.font(small).get_linesize()
    places = {}
    step = room.width / max(len(shown), 1)
    best = max(probs, key=lambda name: probs[name]) if group and group.accepted else None
    for column, name in enumerate(shown):
        place = pygame.Rect(round(room.left + column * step), room.top, max(1, round(step)), room.height)
        places[name] = place
        wide = max(3, round(step * 0.62))
        full = pygame.Rect(0, top, wide, max(room.bottom - label - top, 4))
        full.centerx = place.centerx
        pygame.draw.rect(surface, style.palette.line, (full.left, full.bottom - 1, full.width, 1))
        tall = round(full.height * probs[name])
        winner = name == best
        if tall:
            pygame.draw.rect(
                surface,
                style.palette.accent if winner else style.palette.muted,
                (full.left, full.bottom - tall, full.width, tall),
                border_top_left_radius=round(3 * style.unit),
                border_top_right_radius=round(3 * style.unit),
            )
        text = style.type.fit(name, size, step, bold=winner)
        colour = style.palette.text if winner or group is None else style.palette.faint
        image = style.type.render(text, size, colour, bold=winner)
        surface.blit(image, image.get_rect(centerx=place.centerx, bottom=room.bottom + round(3 * style.unit)))
        if winner:
            image = style.type.render(as_percent(probs[name]), small, style.palette.text)
            over = image.get_rect(centerx=place.centerx, bottom=full.bottom - tall)
            surface.blit(image, over.clamp(rect))
    return places


def draw_frames(
    surface: pygame.Surface,
    rect: pygame.Rect,
    style: Style,
    frames: Sequence[np.ndarray],
    heats: Sequence[np.ndarray],
    selected: int,
) -> Rects:
    """Draw the frames the network saw, as large as they fit, and return where each is."""
    room = panel(surface, rect, style, "What the network sees", "It sees", "Seen")
    if not frames:
        side = min(room.size)
        empty = pygame.Rect(0, 0, side, side)
        empty.center = room.center
        pygame.draw.rect(surface, style.palette.line, empty, max(1, round(style.unit)), round(4 * style.unit))
        return []
    gap = round(5 * style.unit)
    columns = _columns(len(frames), room.width + gap, room.height + gap)
    rows = math.ceil(len(frames) / columns)
    side = int(max(4, min((room.width + gap) / columns, (room.height + gap) / rows) - gap))
    left = room.left + (room.width - columns * (side + gap) + gap) // 2
    top = room.top + (room.height - rows * (side + gap) + gap) // 2
    places = []
    for index, frame in enumerate(frames):
        place = pygame.Rect(
            left + index % columns * (side + gap), top + index // columns * (side + gap), side, side
        )
        surface.blit(picture_of(frame, (side, side)), place)
        if index < len(heats):
            surface.blit(heat_of(heats[index], place.size, style.palette.heat), place)
        if index == selected and len(frames) > 1:
            pygame.draw.rect(
                surface, style.palette.accent, place.inflate(4, 4), max(2, round(2 * style.unit)), 2
            )
        places.append(place)
    return places


def draw_training(
    surface: pygame.Surface, rect: pygame.Rect, style: Style, reports: Sequence[Progress], paused: bool
) -> None:
    """Draw how a training goes: the accuracy's curve from 0 to 100 %, and where it is now."""
    over = bool(reports) and reports[-1].over
    title = "Trained: a tiny network" if over else "Training, paused" if paused else "Training a tiny network"
    room = panel(surface, rect, style, title, "Trained" if over else "Training")
    size = max(10.0, 12 * style.unit)
    if not reports:
        style.text(surface, "looking for MNIST", room.topleft, size, faint=True, width=room.width)
        return
    last = reports[-1]
    line = style.type.font(size).get_linesize()
    style.text(surface, f"{as_percent(last.accuracy)} right", room.topleft, size, bold=True, width=room.width)
    words = f"step {last.step:,}, loss {last.loss:.2f}"
    style.text(surface, words, (room.left, room.bottom - line), size, faint=True, width=room.width)
    area = pygame.Rect(room.left, room.top + line + 2, room.width, max(room.height - 2 * line - 4, 4))
    pygame.draw.line(surface, style.palette.line, area.topleft, area.topright)
    pygame.draw.line(surface, style.palette.line, area.bottomleft, area.bottomright)
    shown = reports[:: max(1, len(reports) // max(area.width, 1))]
    points = [
        (area.left + report.step / last.step * area.width, area.bottom - report.accuracy * area.height)
        for report in shown
    ]
    if len(points) > 1:
        pygame.draw.lines(surface, style.palette.accent, False, points, max(2, round(2 * style.unit)))


def _columns(count: int, width: float, height: float) -> int:
    """Return in how many columns `count` squares are largest."""
    return max(
        range(1, count + 1), key=lambda columns: min(width / columns, height / math.ceil(count / columns))
    )


def picture_of(frame: np.ndarray, size: tuple[int, int]) -> pygame.Surface:
    """Return a frame in [0, 1], ink bright, as a surface of `size` with hard pixels."""
    levels = (np.clip(frame, 0, 1) * 255).astype(np.uint8)
    grey = np.repeat(levels[..., None], 3, axis=2) if levels.ndim == 2 else levels
    return pygame.transform.scale(pygame.surfarray.make_surface(grey.swapaxes(0, 1)), size)


def heat_of(heat: np.ndarray, size: tuple[int, int], colour: Colour) -> pygame.Surface:
    """Return a heat map in [0, 1] as a surface of `size`: the hotter, the more opaque."""
    surface = pygame.Surface((heat.shape[1], heat.shape[0]), pygame.SRCALPHA)
    surface.fill(colour)
    alpha = pygame.surfarray.pixels_alpha(surface)
    alpha[:] = (np.clip(heat, 0, 1) * 250).astype(np.uint8).T
    del alpha  # a surface is locked while its pixels are held
    return pygame.transform.smoothscale(surface, (max(1, size[0]), max(1, size[1])))


def draw_features(
    surface: pygame.Surface, rect: pygame.Rect, style: Style, layers: Sequence[np.ndarray] | None
) -> None:
    """Draw the maps of each layer as a mosaic, from left to right; None before a digit is marked."""
    room = panel(
        surface, rect, style, "What each layer makes of the marked digit", "What each layer sees", "Layers"
    )
    size = max(9.0, 11 * style.unit)
    if not layers:
        note = "Draw something" if layers is None else "No layers can be shown of this network"
        style.text(surface, note, room.topleft, size, faint=True, width=room.width)
        return
    gap = round(8 * style.unit)
    step = (room.width + gap) / len(layers)
    label = style.type.font(size).get_linesize()
    for index, maps in enumerate(layers):
        count, height, width = min(len(maps), CELLS), *maps.shape[1:]
        place = pygame.Rect(round(room.left + index * step), room.top, round(step) - gap, room.height - label)
        columns = _columns(count, place.width, place.height)
        rows = math.ceil(count / columns)
        side = int(min(place.width / columns, place.height / rows))
        cells = np.zeros((rows * columns, height, width), np.float32)
        cells[:count] = maps[:count]
        mosaic = (
            cells.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
        )
        if side > 2:
            surface.blit(picture_of(mosaic, (columns * side, rows * side)), place)
            for column in range(1, columns):
                surface.fill(style.palette.panel, (place.left + column * side, place.top, 1, rows * side))
            for row in range(1, rows):
                surface.fill(style.palette.panel, (place.left, place.top + row * side, columns * side, 1))
        words = f"{len(maps)} maps, {width} x {height}"
        words = words if style.type.width(words, size) <= place.width else f"{width} x {height}"
        style.text(
            surface,
            words,
            (place.left, room.bottom - label + round(4 * style.unit)),
            size,
            faint=True,
            width=place.width,
        )
