"""The window's canvas: of any shape, as the window is, and never so small that ink would lie outside."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from ink.canvas import Canvas
from ink.measures import find_box
from ink.raster import Raster, Rect
from ink.stroke import Stroke, strokes_from_json

WIDTH, HEIGHT = 560, 280  # canvas units: room for a whole number, the least that is shown
MOST_SIDE = 4096  # canvas units; ink beyond is not shown
MARGIN = 40  # canvas units of paper around the ink that is read and saved


class Sheet(Canvas):
    """A canvas whose strokes keep their coordinates whatever its size is; its top left corner is (0, 0)."""

    def __init__(self) -> None:
        super().__init__(WIDTH, HEIGHT)

    @property
    def last_step(self) -> Any:
        """What undo would take back: the same object as long as it would be the same."""
        return self._done[-1] if self._done else None

    @property
    def ink(self) -> np.ndarray:
        """The ink as uint8 (H, W), one pixel a unit, 255 where there is most; not to be changed."""
        return self._raster.ink

    def fit(self, width: int, height: int) -> float:
        """Take the shape of a place of `width` x `height` window pixels and return the pixels a unit.

        All ink is inside, no smaller than it must be, and so is WIDTH x HEIGHT.
        """
        right, bottom = self._extent()
        scale = min(width / max(right, WIDTH), height / max(bottom, HEIGHT))
        self._resize(math.ceil(width / scale), math.ceil(height / scale))
        return scale

    def fits(self) -> bool:
        """Return whether all ink is inside."""
        right, bottom = self._extent()
        return right <= self.width and bottom <= self.height

    def load_json(self, text: str | bytes) -> Rect:
        """Show the strokes of `to_json` at their own coordinates, undoably; raises ValueError as `Canvas.load_json` does."""
        return self.replace(strokes_from_json(text, *_own_size(text)))

    def coverage(self, stroke: Stroke) -> np.ndarray:
        """Return the ink that a stroke leaves by itself, uint8 (H, W)."""
        raster = Raster(self.width, self.height)
        raster.redraw([stroke])
        return raster.ink

    def _extent(self) -> tuple[float, float]:
        """Return the right and the bottom end of the ink, in canvas units."""
        ends = [
            (x + stroke.brush / 2, y + stroke.brush / 2)
            for stroke in self.strokes
            if not stroke.eraser
            for x, y in stroke.points
        ]
        right, bottom = np.array(ends).max(axis=0).tolist() if ends else (0.0, 0.0)
        return min(right, MOST_SIDE), min(bottom, MOST_SIDE)

    def _resize(self, width: int, height: int) -> None:
        if (width, height) == (self.width, self.height):
            return
        self.width, self.height = width, height
        self._raster = Raster(width, height)
        self._raster.redraw(self._finished())
        if self.current is not None:
            self._raster.extend(self.current)
        self._views = [self._raster]


def crop(ink: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return (picture, its left and top end on the canvas): the ink, uint8 (H, W), dark on white paper, with a margin.

    What lies around the ink, and so the window's shape, does not count for what is read.
    """
    left, top, right, bottom = find_box(ink > 0) or (0, 0, 1, 1)
    return 255 - np.pad(ink[top:bottom, left:right], MARGIN), (left - MARGIN, top - MARGIN)


def _own_size(text: str | bytes) -> tuple[int, int]:
    """Return the size of the canvas that strokes were drawn on; the least one where it is none to be shown."""
    try:
        content = json.loads(text)
        width, height = float(content["width"]), float(content["height"])
        if (
            0 < width <= MOST_SIDE
            and 0 < height <= MOST_SIDE
            and width == int(width)
            and height == int(height)
        ):
            return int(width), int(height)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        pass  # strokes_from_json says what is wrong
    return WIDTH, HEIGHT
