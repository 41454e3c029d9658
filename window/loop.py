"""The loop that hands events to a window and shows what they changed, and a screenshot in its place."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from base.storage import atomic_write

if TYPE_CHECKING:
    from window.app import App

LOADING_LIMIT = 120.0  # seconds; a screenshot waits no longer for the answer
FRAMES_PER_SECOND = 120  # at most; drawing more often than the screen shows takes time from the reading
ACTIVE_PAUSE = 0.002  # seconds between looks at the events while there is something to see
CALM_PAUSE = 0.015  # seconds between looks otherwise; less than a frame at 60 Hz
CALM_AFTER = 1.0  # seconds without anything to see


def run(app: App, wake: threading.Event) -> None:
    """Handle events, answer and draw until the window is closed; sleep while nothing happens and `wake` is not set.

    pygame's own wait looks a thousand times a second, which costs 2 % of a core.
    """
    clock, active = pygame.time.Clock(), time.monotonic()
    while app.running:
        events = pygame.event.get()
        for event in events:
            app.handle(event)
        app.tick()
        changed = app.draw()
        if changed:
            pygame.display.update(changed)
            clock.tick(FRAMES_PER_SECOND)
        if changed or events:
            active = time.monotonic()
        else:
            wake.wait(ACTIVE_PAUSE if time.monotonic() - active < CALM_AFTER else CALM_PAUSE)
            wake.clear()


def screenshot(app: App, path: Path) -> int:
    """Wait for the model's answer, save a picture of the window and return the exit status."""
    end = time.monotonic() + LOADING_LIMIT
    ready = False
    while time.monotonic() < end and not app.trouble and not ready:
        pygame.event.get()
        app.tick()
        waits = app.worker.asked_for() or app.on_show.waits
        ready = bool(app.model and not waits and (app.on_show.reading or app.drawing.canvas.empty))
        time.sleep(0.01)
    app.say("")
    app.show("all")
    app.draw()
    try:
        with atomic_write(path) as file:
            pygame.image.save(app.screen, file, path.name)
    except (OSError, pygame.error) as error:
        print(f"app.py: {path} cannot be written: {error}", file=sys.stderr)
        return 1
    if app.trouble:
        print(f"app.py: {app.trouble}", file=sys.stderr)
    return 1 if app.trouble else 0
