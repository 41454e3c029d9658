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
from window.actions import listed, make_actions, make_toolbar
from window.cards import Card, CorrectionsCard, FilesCard, HelpCard
from window.controls import Controls
from window.drawing import HEIGHT, WIDTH, Drawing
from window.exchange import Exchange
from window.layout import HINTS, arrange
from window.lesson import Lesson
from window.onshow import OnShow
from window.painter import draw
from window.session import Model, Session
from window.settings import Settings, bring_back_drawing
from window.theme import PALETTES, Style, Type
from window.widgets import place
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
        """`scale`: pixels a design unit at the design's size; `folder`: where drawings are saved (default: the current one)."""
        self.session, self.worker = session, worker
        self.settings, self.scale, self.folder = settings or Settings(), scale, folder or Path.cwd()
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
        self.drawing = Drawing(self.settings, self._ink_changed, self.show)
        self.on_show = OnShow(session, worker, self.drawing, self.show, self.say)
        self.lesson = Lesson(session, worker, self.on_show, self.show, self.say)
        self.exchange = Exchange(self)
        self.actions = make_actions(self)
        self.widgets = make_toolbar(self)
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
        self.layout = arrange(*screen.get_size(), self.scale, WIDTH / HEIGHT)
        self.style = Style(PALETTES[self.settings.theme], self.type, self.layout.unit)
        self.drawing.resize(self.layout.canvas, self.style.palette)
        self.shown_widgets = place(self.widgets, self.layout.toolbar, self.type, self.layout.unit)
        self.show("all")

    def show(self, *parts: str) -> None:
        """Mark parts of the window to be drawn again: "all", "toolbar", "canvas", "panels", "status"."""
        self.dirty = self.dirty | set(parts)

    def say(self, message: str) -> None:
        """Show a message in the status line for a while."""
        self.message, self._message_until = message, time.monotonic() + TOAST
        self.show("status")

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
        for thing in self.card.buttons if self.card else self.shown_widgets:
            if thing.rect.collidepoint(position):
                return thing.hint
        return "" if self.card else HINTS.get(self.part_at(position), "")

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
        self.say(bring_back_drawing(self.drawing.canvas))
        self.drawing.resize(self.layout.canvas, self.style.palette)
        self._ink_changed()

    def _ink_changed(self) -> None:
        """The drawing changed: have it read, in place of a picture or of what an empty canvas says."""
        self.on_show.unread = True
        if self.on_show.picture or self.trouble:
            self.on_show.picture, self.message = None, ""
            self.show("all")
        elif self.drawing.canvas.empty != self.drawing.shown_empty:
            self.show("canvas")

    def undo(self) -> None:
        self._change(self.drawing.canvas.undo)

    def redo(self) -> None:
        self._change(self.drawing.canvas.redo)

    def clear(self) -> None:
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

    def correct(self, label: str) -> None:
        """Learn that the marked group shows `label`."""
        group = self.on_show.group
        if group is None:
            self.say("There is nothing to correct: draw a digit first")
        elif self.lesson.on:
            self.say("Corrections rest while the tiny network learns: M stops it")
        elif label not in self.classes:
            self.say(f"This model knows no class {label!r}")
        else:
            self.worker.ask(self.session.learn, group.frame, label, then=self._learnt)

    def _learnt(self, label: str) -> None:
        self._relearnt(f"Learnt: this is {label}. Backspace takes it back")

    def unlearn(self) -> None:
        """Take the latest correction back."""
        self.worker.ask(self.session.unlearn, then=self._unlearnt)

    def _unlearnt(self, label: str | None) -> None:
        self._relearnt(f"Taken back: this is {label}" if label else "There is no correction to take back")

    def _forgotten(self, count: int) -> None:
        self._relearnt(f"Forgotten: {count} correction{'' if count == 1 else 's'}")

    def _relearnt(self, message: str) -> None:
        """What is known of corrections changed: say so and read again."""
        self.say(message)
        self.on_show.read_again()

    def _practise(self, undo: bool) -> None:
        if self.lesson.on:
            self.say("Practice rests while the tiny network learns: M stops it")
            return
        self.say("Practising ...")
        self.worker.ask(self.session.practise, undo, then=self._relearnt)

    def train(self) -> None:
        self.lesson.toggle(self.model)

    def stop_training(self) -> None:
        self.lesson.stop(self.model)

    # ------------------------------------------------------------------------------ cards

    def show_help(self) -> None:
        self.card = HelpCard(self.close_card, listed(self.actions))
        self.show("all")

    def show_corrections(self) -> None:
        """Open the list of corrections, those that another window made meanwhile included."""
        session = self.session
        self.worker.ask(session.reload, then=lambda changed: self.on_show.read_again() if changed else None)
        self.card = CorrectionsCard(
            self.close_card,
            lambda: session.memory.entries() if session.memory is not None else [],
            self.unlearn,
            lambda: self.worker.ask(session.forget_all, then=self._forgotten),
            self._practise,
            lambda: session.practised,
        )
        self.show("all")

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
        else:
            self.say("Ctrl-Q quits; the drawing is kept")
