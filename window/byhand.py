"""What the user has set by hand about the reading, with undo: groups of ink, and the text that is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from window.groups import Group

Key = Any  # names what was read, the same for the same ink


@dataclass(frozen=True)
class Chosen:
    """A text that the user took among the alternatives of what `key` names."""

    text: str
    key: Key
    lessons: tuple[tuple[np.ndarray, str], ...] = field(
        default=(), compare=False
    )  # frames and what they show
    corrections: list[str] = field(default_factory=list, compare=False)  # ids of what was learnt from it


@dataclass(frozen=True)
class State:
    """All that is set by hand."""

    groups: tuple[Group, ...] = ()
    chosen: Chosen | None = None


class ByHand:
    """What is set now, and the way back. `step` names the drawing's last step, which undo would take back.

    A step by hand is undone before the drawing's step that it followed.
    """

    def __init__(self, step: Callable[[], Any]) -> None:
        self._step = step
        self.now = State()
        self._done: list[tuple[Any, State]] = []  # the drawing's step it followed, the state before
        self._undone: list[tuple[Any, State]] = []

    @property
    def can_undo(self) -> bool:
        return bool(self._done) and self._done[-1][0] is self._step()

    @property
    def can_redo(self) -> bool:
        return bool(self._undone) and self._undone[-1][0] is self._step()

    def set(self, **changes: Any) -> None:
        """Set `groups` or `chosen`, undoably."""
        self._done.append((self._step(), self.now))
        self._undone.clear()
        self.now = replace(self.now, **changes)

    def undo(self) -> State:
        """Go back to the state before and return the one that was left."""
        step, before = self._done.pop()
        left, self.now = self.now, before
        self._undone.append((step, left))
        return left

    def redo(self) -> State:
        """Do again what was undone and return the state that was left."""
        step, after = self._undone.pop()
        left, self.now = self.now, after
        self._done.append((step, left))
        return left

    def drawn(self) -> None:
        """Something was drawn: what was undone before cannot be done again."""
        self._undone.clear()

    def standing(self, ink: np.ndarray) -> tuple[Group, ...]:
        """Return the groups whose ink is on the canvas `ink` (H, W) as it was."""
        return tuple(group for group in self.now.groups if group.stands(ink))
