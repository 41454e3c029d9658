"""What the user says about a reading: the right digit, the right text, which ink is one digit; and what was learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from base.command import one_line
from recognizer.answer import SIGNS
from window.byhand import Chosen, State
from window.groups import Box, Group, cut, group_of, owners, right_neighbour

if TYPE_CHECKING:
    from corrections.store import Correction
    from window.app import App

REST = "Corrections rest while the tiny network learns: M stops it"


class Teaching:
    """What an `App` is told by its user; every outcome is said."""

    def __init__(self, app: App) -> None:
        self.app = app

    # ------------------------------------------------------------------------------ digits and texts

    def correct(self, label: str) -> None:
        """Learn that the marked group shows `label`."""
        app, group = self.app, self.app.on_show.group
        if group is None:
            app.say("There is nothing to correct: draw a digit first")
        elif app.lesson.on:
            app.say(REST)
        elif label not in app.classes:
            app.say(f"This model knows no class {label!r}")
        else:
            if app.on_show.chosen:  # what is said of one digit counts from now on
                app.drawing.by_hand.set(chosen=None)
            app.worker.ask(app.session.learn, group.frame, label, then=self._learnt)

    def _learnt(self, entry: Correction) -> None:
        self._relearnt(f"Learnt: this is {entry.label}. Backspace takes it back")

    def choose(self, text: str) -> None:
        """Take another text as the right one; digits of it that differ become corrections."""
        reading, on_show = self.app.on_show.reading, self.app.on_show
        if reading is None:
            return
        digits = [letter for letter in text if letter not in SIGNS and letter != "\n"]
        lessons = tuple(
            (group.frame, said)
            for group, said in zip(reading.groups, digits)
            if said in self.app.classes and (said != group.digit or not group.accepted)
        )
        if self.app.lesson.on or len(digits) != len(reading.groups):
            lessons = ()
        self.app.drawing.by_hand.set(chosen=Chosen(text, on_show.key, lessons))
        self._follow(State())
        learnt = f"; learnt: {', '.join(label for _, label in lessons)}" if lessons else ""
        self.app.say(f"It says {text.replace(chr(10), ' / ')}{learnt}. Ctrl-Z takes that back")

    def _follow(self, left: State) -> None:
        """What is set by hand is another state than the one that was `left`: learn, forget and read accordingly."""
        app, now = self.app, self.app.drawing.by_hand.now
        if left.chosen and left.chosen is not now.chosen and left.chosen.corrections:
            app.worker.ask(app.session.forget, left.chosen.corrections)
        if now.chosen and left.chosen is not now.chosen and now.chosen.lessons:
            frames, labels = zip(*now.chosen.lessons)
            now.chosen.corrections.clear()
            app.worker.ask(app.session.learn_all, frames, labels, now.chosen.corrections, otherwise=app.say)
        app.on_show.read_again()
        app.show("toolbar")

    # ------------------------------------------------------------------------------ groups

    def join(self) -> None:
        """Make one digit of the marked box and the next one to its right."""
        boxes, index = self._boxes()
        if index is None:
            return
        other = right_neighbour(boxes, index)
        if other is None:
            self.app.say("There is no box to the right of the marked one: mark the left one of two")
            return
        owner = self._owners(boxes)
        mask = (owner == index) | (owner == other)
        if mask.any():
            new = group_of(self.app.drawing.canvas.ink, mask)
            self._set([new], (boxes[index], boxes[other]))
            self.app.say("Joined: these are one digit. Ctrl-Z takes it back")

    def cut(self) -> None:
        """Make two digits of the marked box, split where the pointer is, or else between strokes or where it is thinnest."""
        boxes, index = self._boxes()
        if index is None:
            return
        drawing, (left, top, width, height) = self.app.drawing, boxes[index]
        x, y = drawing.to_units(self.app.pointer)
        pointed = (
            left < x < left + width and top < y < top + height and not drawing.just_drawn(self.app.pointer)
        )
        strokes = [drawing.canvas.coverage(stroke) for stroke in drawing.canvas.strokes if not stroke.eraser]
        mask = self._owners(boxes) == index
        parts = cut(drawing.canvas.ink, mask, strokes, x if pointed else None) if mask.any() else None
        if parts is None:
            self.app.say("This is too small to be split in two")
            return
        self._set(parts, (boxes[index],))
        self.app.say("Split in two; a pointer in the box says where. Ctrl-Z takes it back")

    def _boxes(self) -> tuple[list[Box], int | None]:
        """Return the boxes of all groups and signs, in canvas units, and which one is marked; None, said why, if none can be set."""
        app, reading = self.app, self.app.on_show.reading
        if app.on_show.picture or app.session.whole:
            app.say("Boxes can be joined and split on the canvas only")
        elif reading is None or not reading.groups:
            app.say("There is no box: draw a number first")
        elif app.on_show.waits:
            app.say("Wait until what you drew is read")
        else:
            index = min(app.on_show.selected, len(reading.groups) - 1)
            return [group.box for group in reading.groups] + [sign.box for sign in reading.signs], index
        return [], None

    def _owners(self, boxes: Sequence[Box]) -> np.ndarray:
        canvas, by_hand = self.app.drawing.canvas, self.app.drawing.by_hand
        return owners(canvas.ink, boxes, by_hand.standing(canvas.ink))

    def _set(self, new: Sequence[Group], instead_of: Sequence[Box]) -> None:
        by_hand, canvas = self.app.drawing.by_hand, self.app.drawing.canvas
        kept = [group for group in by_hand.standing(canvas.ink) if group.box not in instead_of]
        by_hand.set(groups=(*kept, *new), chosen=None)
        self.app.on_show.wanted = new[0].box
        self.app.on_show.read_again()

    # ------------------------------------------------------------------------------ undo

    def undo(self) -> bool:
        """Take back what was set by hand last; False if the drawing's own last step comes first."""
        by_hand = self.app.drawing.by_hand
        if by_hand.can_undo:
            left = by_hand.undo()
            self._follow(left)
            if left.chosen and left.chosen is not by_hand.now.chosen:
                self.app.say(f"Taken back: that it says {left.chosen.text.replace(chr(10), ' / ')}")
            return True
        return False

    def redo(self) -> bool:
        """Set again by hand what was taken back; False if that is not next."""
        by_hand = self.app.drawing.by_hand
        if by_hand.can_redo:
            self._follow(by_hand.redo())
            return True
        return False

    # ------------------------------------------------------------------------------ what was learnt

    def entries(self) -> list[Correction]:
        """Return all corrections, oldest first."""
        memory = self.app.session.memory
        return memory.entries() if memory is not None else []

    def standing(self) -> list[Correction]:
        """Return the corrections that count, oldest first: the latest of each drawing."""
        memory = self.app.session.memory
        return memory.standing() if memory is not None else []

    @property
    def practised(self) -> bool:
        return self.app.session.practised

    def unlearn(self) -> None:
        """Take the latest correction back."""
        self.app.worker.ask(self.app.session.unlearn, then=self._unlearnt)

    def _unlearnt(self, label: str | None) -> None:
        self._relearnt(
            f"Forgotten again: that this is {label}" if label else "There is no correction to take back"
        )

    def forget(self, entry: Correction) -> bool:
        """Delete one correction; return whether that was possible."""
        try:
            self.app.session.forget([entry.id])
        except OSError as error:
            self.app.say(one_line(error))
            return False
        self._relearnt(f"Deleted: one correction to {entry.label}; Put back brings it back")
        return True

    def restore(self, entry: Correction) -> bool:
        """Put a deleted correction back; return whether that was possible."""
        try:
            self.app.session.restore(entry)
        except OSError as error:
            self.app.say(one_line(error))
            return False
        self._relearnt(f"Put back: this is {entry.label}")
        return True

    def forget_all(self) -> None:
        self.app.worker.ask(self.app.session.forget_all, then=self._forgotten)

    def _forgotten(self, count: int) -> None:
        self._relearnt(f"Forgotten: {count} correction{'' if count == 1 else 's'}")

    def _relearnt(self, message: str) -> None:
        """What is known of corrections changed: say so and read again."""
        self.app.say(message)
        self.app.on_show.read_again()

    def practise(self, undo: bool) -> None:
        if self.app.lesson.on:
            self.app.say("Practice rests while the tiny network learns: M stops it")
            return
        self.app.say("Practising ...")
        self.app.worker.ask(self.app.session.practise, undo, then=self._relearnt)

    def export(self) -> None:
        """Write what was corrected, and the digits of the drawing, as pictures of their classes to train on."""
        on_show = self.app.on_show
        text = [letter for letter in on_show.text if letter not in SIGNS and letter != "\n"]
        drawn: list[tuple[np.ndarray, str]] = []
        if on_show.reading and not on_show.picture and len(text) == len(on_show.groups):
            drawn = [
                (group.frame, said) for group, said in zip(on_show.groups, text) if said in self.app.classes
            ]
        self.app.exchange.export(self.standing(), drawn)
