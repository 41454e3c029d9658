"""How the window's state is shown: draws the parts that changed, and notes where the things are that can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame

from window.paint import panels
from window.paint.answer import draw_answer
from window.paint.boxes import draw_boxes
from window.paint.bubble import draw_bubble
from window.paint.theme import Palette, Style, text_size

if TYPE_CHECKING:
    from recognizer.answer import Digit
    from window.app import App
    from window.paint.widgets import Widget


def draw(app: App) -> list[pygame.Rect]:
    """Draw what changed and return where, for `pygame.display.update`."""
    dirty, app.dirty = app.dirty, set()
    ink, app.drawing.ink_changed = app.drawing.ink_changed, None
    over = app.card or app.message or _hinted(app)
    if over and (dirty or ink):  # what lies over the window is drawn last
        dirty.add("all")
    everything = "all" in dirty
    if everything:
        app.screen.fill(app.style.palette.window)
    changed = []
    if everything or "toolbar" in dirty:
        changed.append(_draw_toolbar(app))
    if everything or "canvas" in dirty:
        changed.append(_draw_canvas(app, _canvas_area(app)))
    elif ink and not app.on_show.picture:
        changed.append(_draw_canvas(app, ink.clip(app.layout.canvas)))
    if everything or "panels" in dirty:
        changed += _draw_panels(app)
    if everything or "status" in dirty:
        changed.append(_draw_status(app))
    if app.card and everything:
        app.card.draw(app.screen, app.style, app.pointer)
    if everything:
        _draw_bubble(app)
    return [app.screen.get_rect()] if everything else changed


def _hinted(app: App) -> Widget | None:
    """Return what has a hint beside it: the button with the focus, or the one under the pointer until it is pressed."""
    if app.drawing.drawing:
        return None
    if app.focus >= 0 and not app.card:
        return app.shown_widgets[min(app.focus, len(app.shown_widgets) - 1)]
    thing = app.thing_at(app.pointer)
    return thing if thing and thing.rect != app.anchor else None


def _draw_bubble(app: App) -> None:
    """Draw the message beside what was pressed, or else a hint."""
    if app.message:
        anchor = app.anchor or (None if app.card else app.layout.canvas)
        draw_bubble(app.screen, app.style, app.message, anchor, inside=anchor is app.layout.canvas)
    elif thing := _hinted(app):
        draw_bubble(app.screen, app.style, thing.hint, thing.rect, faint=True)


def _canvas_area(app: App) -> pygame.Rect:
    return app.layout.canvas.inflate(2, 2)


def _draw_toolbar(app: App) -> pygame.Rect:
    area = pygame.Rect(0, 0, app.screen.get_width(), app.layout.toolbar.bottom)
    app.screen.fill(app.style.palette.window, area)
    for index, widget in enumerate(app.shown_widgets):
        hovered = not app.card and widget.rect.collidepoint(app.pointer)
        widget.draw(app.screen, app.style.palette, app.type, app.layout.unit, hovered, index == app.focus)
    return area


def _draw_canvas(app: App, area: pygame.Rect) -> pygame.Rect:
    """Draw the part of the canvas inside `area`."""
    screen, rect, palette = app.screen, app.layout.canvas, app.style.palette
    drawing, on_show = app.drawing, app.on_show
    screen.set_clip(area)
    if on_show.picture:
        screen.fill(palette.panel, rect)
        target = on_show.picture_rect()
        screen.blit(pygame.transform.smoothscale(on_show.picture[0], target.size), target)
    else:
        screen.blit(drawing.sheet, rect, (0, 0, *rect.size))  # the clip leaves what changed
        drawing.shown_empty = drawing.canvas.empty
        if drawing.shown_empty:
            draw_invitation(screen, rect, app.style, *app.invitation(), trouble=bool(app.trouble))
    pygame.draw.rect(screen, palette.line, _canvas_area(app), 1)
    for group, heat in zip(on_show.groups, on_show.heats):
        _draw_heat(app, group, heat)
    app.label_places = draw_boxes(
        screen, app.style, on_show.reading, on_show.to_window, on_show.selected, rect
    )
    if drawing.pen and not on_show.picture:
        radius = app.settings.brush * drawing.view.scale / 2 + 4
        pygame.draw.aacircle(screen, palette.accent, drawing.to_window(drawing.pen), radius, 2)
    if drawing.ring and not on_show.picture and not app.card:
        colour = palette.doubt if drawing.erases else palette.faint
        pygame.draw.aacircle(screen, colour, drawing.ring, drawing.ring_radius + 1, 2)
    screen.set_clip(None)
    return area


def _draw_heat(app: App, group: Digit, heat: np.ndarray) -> None:
    """Lay a frame's heat over what it was made from: the frame's ink fills the group's box, a whole picture its frame."""
    marks = np.ones(heat.shape, bool) if app.session.whole else group.frame > 0
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    if not len(rows):
        return
    box = app.on_show.to_window(group.box)
    inked = heat[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if app.on_show.picture:
        app.screen.blit(panels.heat_of(inked, box.size, app.style.palette.heat), box)
    else:
        place = box.move(-app.layout.canvas.left, -app.layout.canvas.top)
        ink = app.drawing.view.ink[place.top : place.bottom, place.left : place.right]
        app.screen.blit(heated_ink(inked, ink, app.style.palette), box)


def _draw_panels(app: App) -> list[pygame.Rect]:
    """Draw the three panels: the answer, its bars or the layers, the frames or the training."""
    screen, style, layout, on_show = app.screen, app.style, app.layout, app.on_show
    waiting = "No model yet" if app.trouble and not app.drawing.canvas.strokes else app.waiting()
    chosen = on_show.chosen.text if on_show.chosen else ""
    app.chip_places = draw_answer(screen, layout.answer, style, on_show.reading, waiting, chosen)
    app.bar_places, app.frame_places = {}, []
    if on_show.layers_shown:
        room = layout.bars if app.lesson.on else layout.bars.union(layout.frames)
        panels.draw_features(screen, room, style, on_show.layers if on_show.group else None)
    else:
        app.bar_places = panels.draw_bars(screen, layout.bars, style, app.classes, on_show.group)
    if app.lesson.reports is not None:
        panels.draw_training(screen, layout.frames, style, app.lesson.reports, app.worker.paused)
    elif not on_show.layers_shown:
        frames = [group.frame for group in on_show.groups]
        app.frame_places = panels.draw_frames(
            screen, layout.frames, style, frames, on_show.heats, on_show.selected
        )
    return [layout.answer, layout.bars, layout.frames]


def _draw_status(app: App) -> pygame.Rect:
    area = app.layout.status
    app.screen.fill(app.style.palette.window, area)
    size = text_size(app.layout.unit) - 1
    name = app.model or ("no model" if app.trouble else "loading")
    model = app.type.fit("a tiny network" if app.lesson.on else name, size, area.width * 0.3)
    image = app.type.render(model, size, app.style.palette.faint)
    app.screen.blit(image, image.get_rect(midright=area.midright))
    room = area.width - image.get_width() - round(16 * app.layout.unit)
    rest = "Read wrong? Click or type the right digit. " if app.on_show.group and not app.lesson.on else ""
    hint = "" if app.thing_at(app.pointer) else app.hint_at(app.pointer)
    step = app.type.font(size).get_linesize()
    lines = app.type.wrap(hint or f"{rest}F1 shows all keys", size, room)[: max(1, area.height // step)]
    for row, words in enumerate(lines):
        image = app.type.render(app.type.fit(words, size, room), size, app.style.palette.faint)
        middle = area.centery + round((row - (len(lines) - 1) / 2) * step)
        app.screen.blit(image, image.get_rect(left=area.left, centery=middle))
    return area


def draw_invitation(
    surface: pygame.Surface, rect: pygame.Rect, style: Style, large: str, small: str, trouble: bool
) -> None:
    """Draw what an empty canvas says in the middle of `rect`: a large line, and small ones below."""
    size = max(12.0, 16 * style.unit)
    lines = [(line, size) for line in style.type.wrap(small, size, rect.width * 0.8)]
    if large:
        lines.insert(0, (large, 1.8 * size))
    heights = [style.type.font(size).get_linesize() * 1.25 for _, size in lines]
    top = rect.centery - sum(heights) / 2
    for (line, size), height in zip(lines, heights):
        image = style.type.render(line, size, style.palette.doubt if trouble else style.palette.faint)
        surface.blit(image, image.get_rect(midtop=(rect.centerx, round(top))))
        top += height


def heated_ink(heat: np.ndarray, ink: np.ndarray, palette: Palette) -> pygame.Surface:
    """Return `ink` (uint8, (H, W)) on paper: pale where it did not count, the colour of heat where it did."""
    height, width = ink.shape
    strokes = pygame.Surface((width, height), pygame.SRCALPHA)
    strokes.fill(palette.muted)
    strokes.blit(panels.heat_of(heat, (width, height), palette.heat), (0, 0))
    alpha = pygame.surfarray.pixels_alpha(strokes)
    alpha[:] = ink.T
    del alpha  # a surface is locked while its pixels are held
    sheet = pygame.Surface((width, height))
    sheet.fill(palette.paper)
    sheet.blit(strokes, (0, 0))
    return sheet
