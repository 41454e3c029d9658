"""How tests drive a window: events as a hand makes them, and waiting for the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pygame

from recognizer.answer import Reading
from window.app import App

SEVEN = [(150, 60), (260, 55), (200, 220)]  # canvas units
Start = Callable[..., App]


def settle(app: App, done: Callable[[], bool], seconds: float = 60) -> None:
    """Let the worker answer until `done`."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, (app.message, app.trouble)
        app.tick()
        time.sleep(0.002)


def send(app: App, kind: int, **values: Any) -> None:
    app.handle(pygame.event.Event(kind, values))


def press(app: App, key: int, mod: int = 0, letter: str = "") -> None:
    send(app, pygame.KEYDOWN, key=key, mod=mod, unicode=letter)
    send(app, pygame.KEYUP, key=key, mod=mod)


def at(app: App, point: tuple[float, float]) -> tuple[int, int]:
    """Return window pixels for canvas units."""
    rect = app.layout.canvas
    return round(rect.left + point[0] * app.drawing.view.scale), round(
        rect.top + point[1] * app.drawing.view.scale
    )


def drag(app: App, points: list[tuple[float, float]], button: int = 1, touch: bool = False) -> None:
    buttons = (int(button == 1), 0, int(button == 3))
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, points[0]), button=button, touch=touch)
    for point in points[1:]:
        send(app, pygame.MOUSEMOTION, pos=at(app, point), rel=(0, 0), buttons=buttons, touch=touch)
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, points[-1]), button=button, touch=touch)


def click(app: App, position: tuple[float, float]) -> None:
    send(app, pygame.MOUSEBUTTONDOWN, pos=position, button=1, touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=position, button=1, touch=False)


def read(app: App) -> Reading:
    """Wait for the answer to what is drawn now."""
    app.tick()
    settle(app, lambda: not app.worker.asked_for(app.session.read_drawing))
    app.tick()
    assert app.on_show.reading is not None
    return app.on_show.reading


def shown(app: App) -> np.ndarray:
    app.draw()
    return pygame.surfarray.array3d(app.screen).copy()
