"""The reading on show: what is read now, which digit of it is marked, and what explains it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

from window.byhand import Chosen
from window.paint.layout import to_window
from window.session import Session
from window.sheet import crop
from window.worker import Worker

if TYPE_CHECKING:
    from recognizer.answer import Digit, Reading
    from window.drawing import Drawing


class OnShow:
    """The reading of the drawing, or of a picture that was opened, with its heat map and the maps of each layer."""

    def __init__(
        self,
        session: Session,
        worker: Worker,
        drawing: Drawing,
        show: Callable[..., None],
        say: Callable[[str], None],
    ) -> None:
        """`show` is called with the parts of the window to draw again, `say` with a message."""
        self._session, self._worker, self._drawing = session, worker, drawing
        self._show, self._say = show, say
        self.reading: Reading | None = None
        self.picture: tuple[pygame.Surface, float] | None = (
            None  # in place of the canvas; its file's pixels a pixel
        )
        self.selected = 0
        self._marked: tuple[list[Any], Any] | None = None  # boxes and newest ink when the mark was set
        self.wanted: Any = None  # the box to be marked once it has been read
        self.heat = False  # whether heat maps are wanted
        self.heats: list[np.ndarray] = []
        self.layers_shown = False
        self.layers: list[np.ndarray] | None = None  # maps of each layer, for the marked digit
        self.key: Any = None  # names what the reading is of, the same for the same ink
        self.unread = False  # whether the drawing has changed since it was last given to the worker
        self.asked = self.answered = 0  # counts what was given to be read; the latest that is shown

    @property
    def groups(self) -> tuple[Digit, ...]:
        """Everything that was read, in reading order."""
        return self.reading.groups if self.reading else ()

    @property
    def group(self) -> Digit | None:
        """The marked group of ink."""
        return self.groups[min(self.selected, len(self.groups) - 1)] if self.groups else None

    @property
    def chosen(self) -> Chosen | None:
        """The text that the user has taken for what is shown, if any."""
        chosen = self._drawing.by_hand.now.chosen
        return chosen if chosen and self.reading and chosen.key == self.key else None

    @property
    def text(self) -> str:
        """What is written, as the user has said it or else as it was read; "" for none."""
        return self.chosen.text if self.chosen else self.reading.text if self.reading else ""

    @property
    def waits(self) -> bool:
        """Whether an answer to what is drawn is on its way."""
        return (
            self.unread
            or not self._drawing.canvas.empty
            and self._worker.asked_for(self._session.read_drawing)
        )

    # ------------------------------------------------------------------------------ reading

    def tick(self) -> None:
        """Have the drawing read if it has changed."""
        if not self.unread:
            return
        self.unread = False
        self.asked += 1
        if self._drawing.canvas.empty:
            self.set(None)
            return
        ink = self._drawing.canvas.ink.copy()
        groups = () if self._session.whole else self._drawing.by_hand.standing(ink)
        then = partial(self._canvas_was_read, self.asked, hash(crop(ink)[0].tobytes()))
        self._worker.ask(
            self._session.read_drawing, ink, groups, then=then, otherwise=self._failed, newest=True
        )

    def read_again(self, everything: bool = True) -> None:
        """Read what is shown once more, by another model or with another memory."""
        if self.picture:
            self.asked += 1
            picture = pygame.surfarray.array3d(self.picture[0]).swapaxes(0, 1)
            then = partial(self._picture_was_read, self.asked)
            self._worker.ask(self._session.read, picture, then=then, otherwise=self._failed, newest=True)
        else:
            self.unread = True
        if everything:
            self._show("all")

    def _canvas_was_read(self, asked: int, key: Any, reading: Reading | None) -> None:
        if not self.picture and not self._drawing.canvas.empty:
            self.answered, self.key = asked, key
            self.set(reading)

    def _picture_was_read(self, asked: int, reading: Reading | None) -> None:
        if self.picture and asked == self.asked:
            self.picture = self.picture[0], 1.0  # what was read is the picture on screen, no larger file
            self.set(reading)

    def _failed(self, error: str) -> None:
        self.set(None)
        self._say(error)

    def open(self, name: str, opened: tuple[np.ndarray, float, Reading | None] | None) -> None:
        """Show a picture that was opened, uint8 (H, W[, 3]), its file's pixels a pixel of it, and its reading."""
        if opened is None:
            self._say("There is no picture and no path on the clipboard")
            return
        colours, scale, reading = opened
        rgb = np.repeat(colours[..., None], 3, axis=2) if colours.ndim == 2 else colours
        self.picture = pygame.surfarray.make_surface(rgb.swapaxes(0, 1)), scale
        self.asked += 1
        self.key = self.picture[0]
        self.set(reading)
        self._say(f"{name}: click, or Esc, to go back to the canvas")
        self._show("all")

    def leave_picture(self) -> None:
        """Show the canvas again in place of a picture."""
        self.picture = None
        self._say("")
        self.read_again()

    def set(self, reading: Reading | None) -> None:
        """Show this reading, mark the group of the newest ink unless that was marked already, and have it explained."""
        self.reading = reading
        strokes = self._drawing.canvas.strokes
        newest = strokes[-1] if strokes else None
        there = [group.box for group in self.groups], (newest, newest and len(newest))
        if there != self._marked:
            boxes = [group.box for group in self.groups]
            wanted = self.wanted in boxes
            self._marked, self.selected = there, boxes.index(self.wanted) if wanted else self._nearest_group()
        self.wanted = None
        self.heats = []
        if self.heat and reading and reading.groups:
            self._worker.ask(
                self._session.saliency,
                reading.groups,
                then=partial(self._explained, reading),
                otherwise=self._no_heat,
                newest=True,
            )
        self._ask_layers()
        self._show("canvas", "panels", "toolbar")

    def _nearest_group(self) -> int:
        """Return the group that the newest ink belongs to."""
        strokes = self._drawing.canvas.strokes
        if not self.groups or not strokes or self.picture:
            return 0
        x, y = strokes[-1][len(strokes[-1]) - 1]

        def distance(index: int) -> float:
            left, top, width, height = self.groups[index].box
            return max(left - x, x - left - width, 0) + max(top - y, y - top - height, 0)

        return min(range(len(self.groups)), key=distance)

    # ------------------------------------------------------------------------------ marking, explaining

    def select(self, step: int) -> None:
        """Mark the next group, or the one before."""
        if self.groups:
            self.mark((self.selected + step) % len(self.groups))

    def mark(self, index: int) -> None:
        """Mark a group."""
        self.selected = index
        self._ask_layers()
        self._show("canvas", "panels")

    def toggle_heat(self) -> None:
        self.heat = not self.heat
        self.set(self.reading)
        self._show("all")

    def _explained(self, reading: Reading, heats: list[np.ndarray]) -> None:
        if reading is self.reading:
            self.heats = heats
            self._show("canvas", "panels")

    def _no_heat(self, error: str) -> None:
        self.heat = False
        self._show("all")
        self._say(error)

    def toggle_layers(self) -> None:
        self.layers_shown = not self.layers_shown
        self._ask_layers()
        self._show("all")

    def _ask_layers(self) -> None:
        if self.layers_shown and self.group is not None:
            self._worker.ask(self._session.features, self.group.frame, then=self._layers_came, newest=True)

    def _layers_came(self, layers: list[np.ndarray]) -> None:
        self.layers = layers
        if self.layers_shown:
            self._show("panels")

    # ------------------------------------------------------------------------------ where it is

    def picture_rect(self) -> pygame.Rect:
        """Return where the picture, or the canvas, lies in the window."""
        place = self._drawing.place
        return pygame.Rect(0, 0, *self.picture[0].get_size()).fit(place) if self.picture else place

    def to_window(self, box: tuple[int, int, int, int]) -> pygame.Rect:
        """Return window pixels for a box in pixels of the picture that was read."""
        area = self.picture_rect()
        if self.picture:
            return to_window(box, area, area.width / (self.picture[0].get_width() * self.picture[1]))
        return to_window(box, area, self._drawing.view.scale)
