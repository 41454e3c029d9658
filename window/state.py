"""What the window shows and can do: the drawing, its reading, what was learnt, messages, cards.

Actions change the state, `tick` talks with the worker. No events and no drawing here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

from ink.canvas import Canvas
from ink.raster import Rect
from window import answers, panels
from window.cards import Card, CorrectionsCard, FilesCard, HelpCard
from window.layout import Layout, arrange
from window.panels import Style
from window.session import Session
from window.settings import LEAST_BRUSH, MOST_BRUSH, Settings
from window.theme import PALETTES, Type
from window.widgets import Widget, place
from window.worker import Worker

if TYPE_CHECKING:
    from recognizer.answer import Digit, Reading

WIDTH, HEIGHT = 560, 280  # canvas units: room for a whole number
TOAST = 6.0  # seconds that a message stays

HINTS = {
    "picture": "A picture that was opened; a click or Esc goes back to the canvas",
    "canvas": "Draw here: left button or finger draws, right button erases",
    "answer": "The number that was read, and how sure the least sure digit is",
    "bars": "The probability of each class for the marked digit; click one to say that it is the right one",
    "layers": "What each layer of the network makes of the marked digit, from the first to the last",
    "training": "How many of its training digits the tiny network gets right; M pauses it, Shift-M stops it",
    "frames": "Each digit as the network sees it, 28 x 28 pixels; click one to mark it",
}


class State:
    """One window's state. `worker` answers, `session` holds what it works with."""

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
        self.screen, self.session, self.worker = screen, session, worker
        self.settings = settings or Settings()
        self.scale, self.folder = scale, folder or Path.cwd()
        self.canvas = Canvas(WIDTH, HEIGHT)
        self.running = True
        self.eraser = False
        self.reading: Reading | None = None
        self.classes: tuple[str, ...] = tuple("0123456789")
        self.selected = 0
        self._marked: tuple[list[Any], Any] | None = (
            None  # what was there when the mark was set: boxes, the newest ink
        )
        self.heat = False
        self.heats: list[np.ndarray] = []
        self.layers_shown = False
        self.layers: list[np.ndarray] | None = None  # maps of each layer, for the marked digit
        self.shown: tuple[pygame.Surface, float] | None = (
            None  # a picture in place of the canvas, file pixels a pixel of it
        )
        self.card: Card | None = None
        self.model = ""  # the name of the checkpoint in use
        self.trouble = ""  # why there is none
        self.training: list[Any] | None = None  # how far the tiny network is, report by report
        self.message, self._message_until = "", 0.0
        self.pointer: tuple[float, float] = (-1.0, -1.0)
        self.pen: tuple[float, float] | None = None  # where the keyboard's pen is, canvas units
        self.focus = -1
        self.source = 0  # counts what is shown, so that late answers are known
        self._unread = False
        self.bar_places: dict[str, pygame.Rect] = {}
        self.frame_places: panels.Rects = []
        self.type = Type()
        self.dirty: set[str] = set()  # parts of the window to draw again
        self.ink_changed: pygame.Rect | None = None  # window pixels where there is new ink
        self.widgets: list[Widget] = []
        self.resize(screen)

    def resize(self, screen: pygame.Surface) -> None:
        """Lay everything out for a window of another size; strokes stay."""
        self.screen = screen
        width, height = screen.get_size()
        self.layout: Layout = arrange(width, height, self.scale, WIDTH / HEIGHT)
        self.style = Style(PALETTES[self.settings.theme], self.type, self.layout.unit)
        self.view = self.canvas.view(self.layout.canvas.width / WIDTH)
        self.sheet = pygame.Surface(self.view.ink.shape[::-1], depth=8)
        self.sheet.set_palette(panels.ink_palette(self.style.palette))
        self._copy_ink((0, 0, *self.sheet.get_size()))
        self.shown_widgets = place(self.widgets, self.layout.toolbar, self.type, self.layout.unit)
        self.show("all")

    def show(self, *parts: str) -> None:
        """Mark parts of the window to be drawn again: "all", "toolbar", "canvas", "panels", "status"."""
        self.dirty = self.dirty | set(parts)

    def _copy_ink(self, rect: Rect) -> None:
        """Bring a rectangle of the view to the sheet that is shown."""
        left, top, right, bottom = rect
        if left >= right or top >= bottom:
            return
        pixels = pygame.surfarray.pixels2d(self.sheet)
        pixels[left:right, top:bottom] = self.view.ink[top:bottom, left:right].T  # surfaces are (x, y)
        del pixels  # a surface is locked while its pixels are held
        changed = pygame.Rect(left, top, right - left, bottom - top).move(self.layout.canvas.topleft)
        self.ink_changed = changed.union(self.ink_changed) if self.ink_changed else changed

    def drawn(self, rect: Rect) -> None:
        """The canvas changed in `rect`: show it and have it read."""
        self._copy_ink(rect)
        self._unread = True
        if self.shown or self.trouble:
            self.shown, self.message = None, ""
            self.show("all")

    def say(self, message: str) -> None:
        """Show a message in the status line for a while."""
        self.message, self._message_until = message, time.monotonic() + TOAST
        self.show("status")

    @property
    def group(self) -> Digit | None:
        """The marked group of ink."""
        groups = self.reading.groups if self.reading else ()
        return groups[min(self.selected, len(groups) - 1)] if groups else None

    def waiting(self) -> str:
        """Say in words why there is no answer."""
        if self.trouble:
            cure = "To use another model, drop its file here, or copy its path and press Ctrl-V"
            return f"{self.trouble[0].upper()}{self.trouble[1:]}. {cure}"
        if not self.model:
            return "Loading the network; you can draw already"
        reading = self._unread or not self.canvas.empty and self.worker.asked_for("read")
        return "Reading ..." if reading else "Draw a digit, or a whole number"

    def tick(self) -> None:
        """Take the worker's answers in, and ask what there is to ask."""
        for result in self.worker.results():
            answers.take(self, result)
        if self._unread:
            self._unread = False
            self.source += 1
            if self.canvas.empty:
                self.set_reading(None)
            else:
                self.worker.ask("read", self.canvas.picture(), ("canvas", self.source), newest=True)
        if self.message and time.monotonic() >= self._message_until:
            self.message = ""
            self.show("status")

    def set_reading(self, reading: Reading | None) -> None:
        """This is what is read now: mark the group of the newest ink, unless it was, and ask what is to be explained of it."""
        self.reading = reading
        newest = self.canvas.strokes[-1] if self.canvas.strokes else None
        there = [group.box for group in reading.groups] if reading else [], (newest, newest and len(newest))
        if there != self._marked:
            self._marked, self.selected = there, self._nearest_group()
        self.heats = []
        if self.heat and reading and reading.groups:
            self.worker.ask("saliency", reading.groups, reading, newest=True)
        self._ask_layers()
        self.show("canvas", "panels", "toolbar")

    def _nearest_group(self) -> int:
        """Return the group that the newest ink belongs to."""
        groups = self.reading.groups if self.reading else ()
        if not groups or not self.canvas.strokes or self.shown:
            return 0
        newest = self.canvas.strokes[-1]
        x, y = newest[len(newest) - 1]

        def distance(index: int) -> float:
            left, top, width, height = groups[index].box
            return max(left - x, x - left - width, 0) + max(top - y, y - top - height, 0)

        return min(range(len(groups)), key=distance)

    def read_again(self, everything: bool = True) -> None:
        """Read what is shown once more, by another model or with another memory."""
        if self.shown:
            picture = pygame.surfarray.array3d(self.shown[0]).swapaxes(0, 1)
            self.source += 1
            self.worker.ask("read", picture, ("picture", self.source), newest=True)
        else:
            self._unread = True
        if everything:
            self.show("all")

    def set_brush(self, brush: float) -> None:
        self.settings.brush = min(max(brush, LEAST_BRUSH), MOST_BRUSH)
        self.show("toolbar")

    def toggle_eraser(self) -> None:
        self.eraser = not self.eraser
        self.show("toolbar")

    def toggle_pen(self) -> None:
        """Draw with the keyboard, or no longer."""
        self.canvas.end()
        self.pen = None if self.pen else (WIDTH / 2, HEIGHT / 4)
        pygame.key.set_repeat(
            *((200, 16) if self.pen else ())
        )  # milliseconds: arrows glide while they are held
        if self.pen:
            self.say("Arrows move the pen, Space puts it down and lifts it, Esc ends")
        self.show("all")

    def move_pen(self, right: float, down: float) -> None:
        """Move the keyboard's pen, drawing if it is down."""
        if self.pen:
            self.pen = (
                min(max(self.pen[0] + right, 0.0), float(WIDTH)),
                min(max(self.pen[1] + down, 0.0), float(HEIGHT)),
            )
            if self.canvas.current is not None:
                self.drawn(self.canvas.extend(*self.pen))
            self.show("canvas")

    def drop_pen(self) -> None:
        """Put the keyboard's pen down, or lift it."""
        if self.canvas.current is not None:
            self.canvas.end()
        elif self.pen:
            self.drawn(self.canvas.begin(*self.pen, self.settings.brush, self.eraser))
        self.show("canvas", "toolbar")

    def undo(self) -> None:
        self._change(self.canvas.undo)

    def redo(self) -> None:
        self._change(self.canvas.redo)

    def clear(self) -> None:
        self._change(self.canvas.clear)

    def _change(self, change: Callable[[], Rect]) -> None:
        """Change the drawing, or leave the picture that hides it."""
        if self.shown:
            self.leave_picture()
        else:
            self.drawn(change())
            self.show("toolbar")

    def leave_picture(self) -> None:
        """Show the canvas again in place of a picture."""
        self.shown, self.message = None, ""
        self.read_again()

    def toggle_theme(self) -> None:
        self.settings.theme = "light" if self.settings.theme == "dark" else "dark"
        self.resize(self.screen)

    def toggle_heat(self) -> None:
        self.heat = not self.heat
        self.set_reading(self.reading)
        self.show("all")

    def correct(self, label: str) -> None:
        """The marked group shows `label`: learn it."""
        if self.group is None:
            self.say("There is nothing to correct: draw a digit first")
        elif self.training is not None:
            self.say("Corrections rest while the tiny network learns: Shift-M stops it")
        elif label not in self.classes:
            self.say(f"This model knows no class {label!r}")
        else:
            self.worker.ask("learn", (self.group.frame, label))

    def train(self) -> None:
        """Start to train a tiny network, pause it, or let it go on; what is drawn is read by it meanwhile."""
        if self.training is None:
            if not self.model:
                self.say("Wait until the network is loaded")
                return
            self.worker.cancel()
            self.training = []
            self.worker.ask("train", tag=self.training)
            self.say("A tiny network learns: M pauses it, Shift-M stops it. No file is written")
        elif self.training and self.training[-1].over:
            self.say(f"The lesson is over: the tiny network reads; Shift-M brings {self.model} back")
        else:
            self.worker.pause(not self.worker.paused)
        self.show("all")

    def stop_training(self) -> None:
        """End the training and read with the model from before."""
        if self.training is not None:
            self.worker.cancel()
            self.training = None
            self.worker.ask("stop_training")
            self.read_again()
            self.say(f"Training stopped: {self.model} reads again")

    def unlearn(self) -> None:
        """Take the latest correction back."""
        self.worker.ask("unlearn")

    def close_card(self) -> None:
        if isinstance(self.card, FilesCard):
            self.worker.cancel()
        self.card = None
        self.show("all")

    def show_help(self) -> None:
        self.card = HelpCard(self.close_card)
        self.show("all")

    def show_corrections(self) -> None:
        self.worker.ask("reload")  # another window may have learnt meanwhile

        def entries() -> list[Any]:
            return self.session.memory.entries() if self.session.memory is not None else []

        def forget_all() -> None:
            self.worker.ask("forget_all")

        def practise(undo: bool) -> None:
            if self.training is not None:
                self.say("Practice rests while the tiny network learns: Shift-M stops it")
                return
            self.say("Practising ...")
            self.worker.ask("practise", undo)

        self.card = CorrectionsCard(
            self.close_card, entries, self.unlearn, forget_all, practise, lambda: self.session.practised
        )
        self.show("all")

    def toggle_layers(self) -> None:
        self.layers_shown = not self.layers_shown
        self._ask_layers()
        self.show("all")

    def _ask_layers(self) -> None:
        if self.layers_shown and self.group is not None:
            self.worker.ask("features", self.group.frame, newest=True)

    def select(self, step: int) -> None:
        """Mark the next group, or the one before."""
        if self.reading and self.reading.groups:
            self.mark((self.selected + step) % len(self.reading.groups))

    def mark(self, index: int) -> None:
        """Mark a group."""
        self.selected = index
        self._ask_layers()
        self.show("canvas", "panels")

    def escape(self) -> None:
        """Leave what is on top: a card, the pen, the focus, a picture, a training, the program."""
        if self.card:
            self.close_card()
        elif self.pen:
            self.toggle_pen()
        elif self.focus >= 0:
            self.focus = -1
            self.show("toolbar")
        elif self.shown:
            self.leave_picture()
        elif self.training is not None:
            self.stop_training()
        else:
            self.running = False

    # ------------------------------------------------------------------------------ where things are

    def picture_rect(self) -> pygame.Rect:
        """Return where the picture shown lies."""
        assert self.shown is not None
        size = self.shown[0].get_size()
        return pygame.Rect(0, 0, *size).fit(self.layout.canvas)

    def to_screen(self, box: tuple[int, int, int, int]) -> pygame.Rect:
        """Return window pixels for a box in pixels of the picture that was read."""
        if self.shown:
            target = self.picture_rect()
            ratio = target.width / (self.shown[0].get_width() * self.shown[1])
        else:
            target, ratio = self.layout.canvas, self.view.scale
        left, top, width, height = (side * ratio for side in box)
        return pygame.Rect(
            round(target.left + left), round(target.top + top), max(1, round(width)), max(1, round(height))
        )

    def part_at(self, position: tuple[float, float]) -> str:
        for name in ("canvas", "answer", "bars", "frames", "toolbar", "status"):
            if getattr(self.layout, name).collidepoint(position):
                if name == "frames" and self.training is not None:
                    return "training"
                if name == "canvas" and self.shown:
                    return "picture"
                return "layers" if self.layers_shown and name in ("bars", "frames") else name
        return ""

    def hint_at(self, position: tuple[float, float]) -> Any:
        """Return what the pointer is on, for its hint."""
        things = self.card.buttons if self.card else self.shown_widgets
        for thing in things:
            if thing.rect.collidepoint(position):
                return thing.hint
        return "" if self.card else HINTS.get(self.part_at(position), "")
