"""The window: a state, the controls that change it, and the painter that shows it.

`handle` changes the state, `tick` talks with the worker, `draw` shows it and notes where things are. Tests drive all three without a display.
"""

from __future__ import annotations

from pathlib import Path

import pygame

from window.controls import Controls
from window.exchange import Exchange
from window.painter import draw
from window.session import Session
from window.settings import Settings
from window.state import State
from window.toolbar import make_toolbar
from window.worker import Worker


class App(State):
    """A window's state with everything that acts on it."""

    def __init__(
        self,
        screen: pygame.Surface,
        session: Session,
        worker: Worker,
        settings: Settings | None = None,
        scale: float = 1.0,
        folder: Path | None = None,
    ) -> None:
        """`scale`: pixels a design unit at the design's size; `folder`: where drawings are saved (default: the current one)."""
        super().__init__(screen, session, worker, settings, scale, folder)
        self.exchange = Exchange(self)
        self.controls = Controls(self, self.exchange)
        self.widgets = make_toolbar(self, self.exchange)
        self.resize(screen)

    def handle(self, event: pygame.event.Event) -> None:
        """Let one event change the state."""
        self.controls.handle(event)

    def draw(self) -> list[pygame.Rect]:
        """Draw what changed and return where, for `pygame.display.update`."""
        return draw(self)
