"""Strokes and the ink they make: no window, no network.

A canvas keeps what was drawn as vectors in its own units and their ink as a picture of one pixel a unit. The same strokes can be
drawn at any other scale (`Raster`), so a window shows them sharp while the recognizer always reads the same picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np

from ink.raster import Raster, Rect
from ink.stroke import BRUSH, BRUSH_RANGE, FORMAT, Stroke, strokes_from_json

WIDTH, HEIGHT = 280, 280  # canvas units


class Canvas:
    """What was drawn, with undo without limit. `strokes` are those to be seen, in order."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        """`width`, `height`: canvas units."""
        self.width, self.height = width, height
        self.strokes: list[Stroke] = []
        self.current: Stroke | None = None
        self._raster = Raster(width, height)
        self._done: list[Stroke | list[Stroke]] = []  # a stroke, or what a clear took away
        self._undone: list[Stroke | list[Stroke]] = []
        self._views: list[Raster] = [self._raster]

    @property
    def empty(self) -> bool:
        """Whether there is no ink to be seen."""
        return not self._raster.ink.any()

    @property
    def can_undo(self) -> bool:
        return bool(self._done) or self.current is not None

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def picture(self) -> np.ndarray:
        """Return a copy of the ink as uint8 (H, W), dark on white paper: what is read and what is saved."""
        return 255 - self._raster.ink

    def view(self, scale: float) -> Raster:
        """Return the ink at `scale` pixels a unit, kept up to date from now on in place of an earlier view."""
        raster = Raster(self.width, self.height, scale)
        raster.redraw(self._finished())
        if self.current is not None:
            raster.extend(self.current)
        self._views = [self._raster, raster]
        return raster

    def begin(self, x: float, y: float, brush: float = BRUSH, eraser: bool = False) -> Rect:
        """Start a stroke; return the rectangle (view pixels) that changed. A stroke in progress is ended first."""
        self.end()
        self.current = Stroke(min(max(brush, BRUSH_RANGE[0]), BRUSH_RANGE[1]), eraser)
        self.strokes.append(self.current)
        self.current.add(x, y)
        return self._extend()

    def extend(self, x: float, y: float) -> Rect:
        """Continue the stroke; return the rectangle (view pixels) that changed, empty if none did."""
        if self.current is None or not self.current.add(x, y):
            return (0, 0, 0, 0)
        return self._extend()

    def end(self) -> None:
        """Finish the stroke in progress, if any; one that never touched the canvas is none."""
        if self.current is not None:
            for raster in self._views:
                raster.finish()
            left, top, right, bottom = self.current.box()
            if left < self.width and top < self.height and right > 0 and bottom > 0:
                self._done.append(self.current)
                self._undone.clear()
            else:
                self.strokes.pop()
            self.current = None

    def undo(self) -> Rect:
        """Take back the last stroke or clear; return the rectangle (view pixels) that changed, empty if none did."""
        self.end()
        if not self._done:
            return (0, 0, 0, 0)
        action = self._done.pop()
        self._undone.append(action)
        if isinstance(action, Stroke):
            self.strokes.pop()
            return self._redraw(action)
        self.strokes = action
        return self._redraw()

    def redo(self) -> Rect:
        """Do again what undo took back; return the rectangle (view pixels) that changed, empty if none did."""
        self.end()
        if not self._undone:
            return (0, 0, 0, 0)
        action = self._undone.pop()
        self._done.append(action)
        if isinstance(action, Stroke):
            self.strokes.append(action)
            return self._redraw(action)
        self.strokes = []
        return self._redraw()

    def clear(self) -> Rect:
        """Take everything away, undoably; return the rectangle (view pixels) that changed."""
        return self.replace([])

    def replace(self, strokes: Sequence[Stroke]) -> Rect:
        """Show other strokes in place of these, undoably; return the rectangle (view pixels) that changed."""
        self.end()
        if self.strokes:
            self._done.append(self.strokes)
            self._undone.clear()
            self.strokes = []
        for stroke in strokes:
            self.strokes.append(stroke)
            self._done.append(stroke)
            self._undone.clear()
        return self._redraw()

    def to_json(self) -> str:
        """Return the strokes as JSON text."""
        strokes = [
            {"brush": stroke.brush, "eraser": stroke.eraser, "points": stroke.points}
            for stroke in self.strokes
        ]
        return json.dumps({"format": FORMAT, "width": self.width, "height": self.height, "strokes": strokes})

    def load_json(self, text: str | bytes) -> Rect:
        """Show the strokes of `to_json`, scaled to fit a canvas of another size, undoably.

        Returns the rectangle that changed. Raises ValueError, and changes nothing, if `text` is not such strokes.
        """
        return self.replace(strokes_from_json(text, self.width, self.height))

    def _finished(self) -> list[Stroke]:
        return self.strokes[:-1] if self.current is not None else self.strokes

    def _extend(self) -> Rect:
        assert self.current is not None
        return [raster.extend(self.current) for raster in self._views][-1]

    def _redraw(self, stroke: Stroke | None = None) -> Rect:
        """Draw everything afresh, or only where `stroke` may have left ink."""
        changed: Rect = (0, 0, 0, 0)
        for raster in self._views:
            box = None
            if stroke is not None:
                left, top, right, bottom = (side * raster.scale for side in stroke.box())
                box = (math.floor(left) - 1, math.floor(top) - 1, math.ceil(right) + 1, math.ceil(bottom) + 1)
            changed = raster.redraw(self.strokes, box)
        return changed


# ---------------------------------------------------------------------------------- helpers
