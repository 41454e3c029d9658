"""The window: drawing, reading on show and lesson, the controls that change them, and the painter that shows them.

`handle` changes the state, `tick` talks with the worker, `draw` shows it and notes where things are. Tests drive
all three without a display.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pygame

from ink.raster import Rect
from window.actions import listed, make_actions, make_toolbar, more_buttons
from window.cards.card import Card
from window.cards.corrections import CorrectionsCard
from window.cards.files import FilesCard
from window.cards.help import HelpCard, MoreCard
from window.controls import Controls
from window.drawing import Drawing
from window.exchange import Exchange
from window.lesson import Lesson
from window.onshow import OnShow
from window.paint.layout import HINTS, arrange
from window.paint.painter import draw
from window.paint.theme import PALETTES, Style, Type
from window.paint.widgets import Button, Widget, place
from window.session import Model, Session
from window.settings import Settings, bring_back_drawing
from window.teaching import Teaching
from window.worker import Worker

TOAST = 6.0  # seconds that a message stays


class App:
    """One window. `worker` answers, `session` holds what it works with."""

    def __init__(
        self,
        screen: pygame.Surface,
        session: Session,
        worker: Worker,
        settings: Settings | None = None,
        scale: float = 1.0,
        folder: Path | None = None,
    ) -> None:
        """`scale`: pixels a design unit at the design's size; `folder`: where files are opened and saved first."""
        self.session, self.worker = session, worker
        self.settings, self.scale, self.folder = settings or Settings(), scale, folder
        self.running = True
        self.model, self.trouble = "", ""  # the name of the checkpoint in use; why there is none
        self.classes: tuple[str, ...] = tuple("0123456789")
        self.message, self._message_until = "", 0.0
        self.card: Card | None = None
        self.pointer: tuple[float, float] = (-1.0, -1.0)
        self.focus = -1  # index of the focused widget
        self.type = Type()
        self.dirty: set[str] = set()  # parts of the window to draw again
        self.bar_places: dict[str, pygame.Rect] = {}  # where each class's bar, and each frame, was drawn
        self.frame_places: list[pygame.Rect] = []
        self.label_places: list[pygame.Rect] = []  # of the boxes on the canvas
        self.chip_places: dict[str, pygame.Rect] = {}  # of other texts for the number
        self.anchor: pygame.Rect | None = None  # what was pressed last: its outcome is said beside it
        self.drawing = Drawing(self.settings, self._ink_changed, self.show)
        self.on_show = OnShow(session, worker, self.drawing, self.show, self.say)
        self.lesson = Lesson(session, worker, self.on_show, self.show, self.say)
        self.exchange = Exchange(self)
        self.teaching = Teaching(self)
        self.actions = make_actions(self)
        self.widgets, self.more = make_toolbar(self)
        self.controls = Controls(self)
        self.resize(screen)

    def handle(self, event: pygame.event.Event) -> None:
        """Let one event change the state."""
        self.controls.handle(event)

    def tick(self) -> None:
        """Take the worker's answers in, and ask what there is to ask."""
        self.worker.deliver(self.say)
        self.on_show.tick()
        if self.message and time.monotonic() >= self._message_until:
            self.say("")

    def draw(self) -> list[pygame.Rect]:
        """Draw what changed and return where, for `pygame.display.update`."""
        return draw(self)

    def resize(self, screen: pygame.Surface) -> None:
        """Lay everything out for a window of another size; strokes stay."""
        self.screen = screen
        self.layout = arrange(*screen.get_size(), self.scale)
        self.style = Style(PALETTES[self.settings.theme], self.type, self.layout.unit)
        self.drawing.resize(self.layout.canvas, self.style.palette)
        self.shown_widgets = place(self.widgets, self.more, self.layout.toolbar, self.type, self.layout.unit)
        self.show("all")

    def show(self, *parts: str) -> None:
        """Mark parts of the window to be drawn again: "all", "toolbar", "canvas", "panels", "status"."""
        self.dirty = self.dirty | set(parts)

    def say(self, message: str) -> None:
        """Show a message for a while, beside what was pressed."""
        if message or self.message:
            self.show("all")
        self.message, self._message_until = message, time.monotonic() + TOAST

    def waiting(self) -> str:
        """Return in words why there is no answer."""
        if self.trouble:
            cure = "To use another model, drop its file here, or copy its path and press Ctrl-V"
            return f"{self.trouble[0].upper()}{self.trouble[1:]}. {cure}"
        if not self.model:
            return "Loading the network; you can draw already"
        return "Reading ..." if self.on_show.waits else "Write a number on the canvas"

    def invitation(self) -> tuple[str, str]:
        """Return what an empty canvas says: a line, and a smaller one."""
        if self.trouble:
            return "", self.waiting()
        small = (
            "Read wrong? Click the right digit below, or type it" if self.model else "The network is loading"
        )
        return "Write a number here", small

    def part_at(self, position: tuple[float, float]) -> str:
        """Return the name of what lies at a position of the window, a key of HINTS; "" for none."""
        name = self.layout.part_at(position)
        if name == "frames" and self.lesson.on:
            return "training"
        if name == "canvas" and self.on_show.picture:
            return "picture"
        return "layers" if self.on_show.layers_shown and name in ("bars", "frames") else name

    def hint_at(self, position: tuple[float, float]) -> str:
        """Return the hint of what lies at a position of the window."""
        thing = self.thing_at(position)
        return thing.hint if thing else "" if self.card else HINTS.get(self.part_at(position), "")

    def thing_at(self, position: tuple[float, float]) -> Widget | None:
        """Return the button or slider at a position of the window."""
        things = self.card.buttons if self.card else self.shown_widgets
        return next((thing for thing in things if thing.rect.collidepoint(position)), None)

    def pressable(self, position: tuple[float, float]) -> bool:
        """Return whether a press at a position would do something other than draw."""
        if self.card:
            return self.card.pressable(position)
        thing = self.thing_at(position)
        if thing:
            return not isinstance(thing, Button) or thing.enabled()
        rects = [
            *self.bar_places.values(),
            *self.frame_places,
            *self.chip_places.values(),
            *self.label_places,
        ]
        return pygame.Rect(position, (1, 1)).collidelist(rects) >= 0

    # ------------------------------------------------------------------------------ the model

    def load(self, path: Path) -> None:
        """Read with the checkpoint at `path` once it is loaded."""
        self.worker.ask(self.session.load, path, then=self._loaded, otherwise=self._not_loaded)

    def _loaded(self, model: Model) -> None:
        if self.model or self.trouble:
            self.say(f"Reading with {model.name} now")
        self.model, self.classes, self.trouble = model.name, model.classes, ""
        damaged = self.session.memory.damaged if self.session.memory is not None else []
        if damaged:
            plural = "s" if len(damaged) > 1 else ""
            self.say(f"{len(damaged)} correction{plural} cannot be read, and kept in {damaged[0].parent}")
        self.on_show.read_again()

    def _not_loaded(self, error: str) -> None:
        if not self.model:
            self.trouble = error
            self.show("all")
        if self.model or self.drawing.canvas.strokes:  # an empty canvas says it in large
            self.say(error)

    # ------------------------------------------------------------------------------ actions

    def bring_back(self) -> None:
        """Show the drawing that was on the canvas when the last window was closed."""
        words = bring_back_drawing(self.drawing.canvas)
        self.drawing.resize(self.layout.canvas, self.style.palette)
        self._ink_changed()
        self.say(words)

    def _ink_changed(self) -> None:
        """The drawing changed: have it read, in place of a picture or of what an empty canvas says."""
        self.on_show.unread = True
        if self.on_show.picture or self.trouble or self.message:  # a message would hide what is drawn
            self.on_show.picture, self.message = None, ""
            self.show("all")
        elif self.drawing.canvas.empty != self.drawing.shown_empty:
            self.show("canvas")

    def undo(self) -> None:
        if not (self._in_sight and self.teaching.undo()):
            self._change(self.drawing.canvas.undo)

    def redo(self) -> None:
        if not (self._in_sight and self.teaching.redo()):
            self._change(self.drawing.canvas.redo)

    @property
    def _in_sight(self) -> bool:
        """Whether what was set by hand last is of what is shown: no picture hides it."""
        return not self.on_show.picture or self.on_show.chosen is not None

    def clear(self) -> None:
        self.drawing.by_hand.drawn()
        self._change(self.drawing.canvas.clear)

    def _change(self, change: Callable[[], Rect]) -> None:
        """Change the drawing, or leave the picture that hides it."""
        if self.on_show.picture:
            self.on_show.leave_picture()
        else:
            self.drawing.change(change)

    def toggle_pen(self) -> None:
        self.drawing.toggle_pen()
        if self.drawing.pen:
            self.say("Arrows move the pen, Space puts it down and lifts it, Esc ends")

    def toggle_theme(self) -> None:
        self.settings.theme = "light" if self.settings.theme == "dark" else "dark"
        self.resize(self.screen)

    def train(self) -> None:
        self.lesson.toggle(self.model)

    def stop_training(self) -> None:
        self.lesson.stop(self.model)

    # ------------------------------------------------------------------------------ cards

    def open_card(self, card: Card) -> None:
        """Show a card over the window, in place of another."""
        self.close_card()
        self.card = card

    def show_help(self) -> None:
        self.open_card(HelpCard(self.close_card, listed(self.actions)))

    def show_more(self) -> None:
        """Open the card of what has no button in the toolbar."""
        self.open_card(MoreCard(self.close_card, more_buttons(self.actions, self.shown_widgets)))

    def show_corrections(self) -> None:
        """Open the list of corrections, those that another window made meanwhile included."""
        self.worker.ask(
            self.session.reload, then=lambda changed: self.on_show.read_again() if changed else None
        )
        self.open_card(CorrectionsCard(self.close_card, self.teaching))

    def close_card(self) -> None:
        if isinstance(self.card, FilesCard):
            self.worker.cancel()
        self.card = None
        self.show("all")

    def quit(self) -> None:
        self.running = False

    def escape(self) -> None:
        """Leave what is on top: a card, the pen, the focus, a picture, a training; never the drawing."""
        if self.card:
            self.close_card()
        elif self.drawing.pen:
            self.toggle_pen()
        elif self.focus >= 0:
            self.focus = -1
            self.show("toolbar")
        elif self.on_show.picture:
            self.on_show.leave_picture()
        elif self.lesson.on:
            self.stop_training()
        elif self.message:
            self.say("")
        else:
            self.say("Ctrl-Q quits; the drawing is kept")
