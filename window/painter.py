"""How the window's state is shown: draws the parts that changed, and notes where the things are that can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame

from window import panels
from window.widgets import text_size

if TYPE_CHECKING:
    from recognizer.answer import Digit
    from window.state import State


def draw(app: State) -> list[pygame.Rect]:
    """Draw what changed and return where, for `pygame.display.update`."""
    dirty, app.dirty = app.dirty, set()
    ink, app.ink_changed = app.ink_changed, None
    if app.card and (dirty or ink):
        dirty.add("all")
    everything = "all" in dirty
    if everything:
        app.screen.fill(app.style.palette.window)
    changed = []
    if everything or "toolbar" in dirty:
        changed.append(_draw_toolbar(app))
    if everything or "canvas" in dirty:
        changed.append(_draw_canvas(app, _canvas_area(app)))
    elif ink and not app.shown:
        changed.append(_draw_canvas(app, ink.clip(app.layout.canvas)))
    if everything or "panels" in dirty:
        changed += _draw_panels(app)
    if everything or "status" in dirty:
        changed.append(_draw_status(app))
    if app.card and everything:
        app.card.draw(app.screen, app.style, app.pointer)
        _draw_status(app)  # over the veil: what a card's buttons did is said there
    return [app.screen.get_rect()] if everything else changed


def _canvas_area(app: State) -> pygame.Rect:
    return app.layout.canvas.inflate(2, 2)


def _draw_toolbar(app: State) -> pygame.Rect:
    area = pygame.Rect(0, 0, app.screen.get_width(), app.layout.toolbar.bottom)
    app.screen.fill(app.style.palette.window, area)
    for index, widget in enumerate(app.shown_widgets):
        hovered = not app.card and widget.rect.collidepoint(app.pointer)
        widget.draw(app.screen, app.style.palette, app.type, app.layout.unit, hovered, index == app.focus)
    return area


def _draw_canvas(app: State, area: pygame.Rect) -> pygame.Rect:
    """Draw the part of the canvas inside `area`."""
    rect = app.layout.canvas
    app.screen.set_clip(area)
    if app.shown:
        app.screen.fill(app.style.palette.panel, rect)
        target = app.picture_rect()
        app.screen.blit(pygame.transform.smoothscale(app.shown[0], target.size), target)
    else:
        app.screen.blit(app.sheet, rect)  # the clip leaves what changed
        if app.trouble and not app.canvas.strokes:
            panels.draw_notice(app.screen, rect, app.style, app.waiting())
    pygame.draw.rect(app.screen, app.style.palette.line, _canvas_area(app), 1)
    if app.reading:
        for group, heat in zip(app.reading.groups, app.heats):
            _draw_heat(app, group, heat)
        panels.draw_boxes(app.screen, app.style, app.reading.groups, app.to_screen, app.selected, rect)
    if app.pen and not app.shown:
        spot = (rect.left + app.pen[0] * app.view.scale, rect.top + app.pen[1] * app.view.scale)
        pygame.draw.aacircle(
            app.screen, app.style.palette.accent, spot, app.settings.brush * app.view.scale / 2 + 4, 2
        )
    app.screen.set_clip(None)
    return area


def _draw_heat(app: State, group: Digit, heat: np.ndarray) -> None:
    """Lay a frame's heat over what it was made from: the frame's ink fills the group's box, a whole picture its frame."""
    marks = np.ones(heat.shape, bool) if app.session.whole else group.frame > 0
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    if len(rows):
        box = app.to_screen(group.box)
        inked = heat[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        place = box.move(-app.layout.canvas.left, -app.layout.canvas.top)
        if app.shown:
            app.screen.blit(panels.heat_of(inked, box.size, app.style.palette.heat), box)
        else:
            ink = app.view.ink[place.top : place.bottom, place.left : place.right]
            app.screen.blit(panels.heated_ink(inked, ink, app.style.palette), box)


def _draw_panels(app: State) -> list[pygame.Rect]:
    layout, group = app.layout, app.group
    waiting = "No model yet" if app.trouble and not app.canvas.strokes else app.waiting()
    panels.draw_answer(app.screen, layout.answer, app.style, app.reading, waiting)
    if app.layers_shown:
        app.bar_places, app.frame_places = {}, []
        panels.draw_features(
            app.screen,
            layout.bars if app.training is not None else layout.bars.union(layout.frames),
            app.style,
            app.layers if group else None,
        )
    else:
        app.bar_places = panels.draw_bars(app.screen, layout.bars, app.style, app.classes, group)
    frames = [each.frame for each in app.reading.groups] if app.reading else []
    if app.training is not None:
        app.frame_places = []
        panels.draw_training(app.screen, layout.frames, app.style, app.training, app.worker.paused)
    elif not app.layers_shown:
        app.frame_places = panels.draw_frames(
            app.screen, layout.frames, app.style, frames, app.heats, app.selected
        )
    return [layout.answer, layout.bars, layout.frames]


def _draw_status(app: State) -> pygame.Rect:
    area = app.layout.status
    app.screen.fill(app.style.palette.window, area)
    size = text_size(app.layout.unit) - 1
    name = app.model or ("no model" if app.trouble else "loading")
    model = app.type.fit("a tiny network" if app.training is not None else name, size, area.width * 0.3)
    image = app.type.render(model, size, app.style.palette.faint)
    app.screen.blit(image, image.get_rect(midright=area.midright))
    room = area.width - image.get_width() - round(16 * app.layout.unit)
    hint = app.hint_at(app.pointer)
    if app.focus >= 0:
        hint = app.shown_widgets[min(app.focus, len(app.shown_widgets) - 1)].hint
    words = app.type.fit(app.message or hint or "F1 shows all keys", size, room)
    image = app.type.render(words, size, app.style.palette.text if app.message else app.style.palette.faint)
    app.screen.blit(image, image.get_rect(midleft=area.midleft))
    return area
