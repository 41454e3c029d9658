"""Strokes and the ink they make: no window, no network.

A canvas keeps what was drawn as vectors in its own units and their ink as a picture of one pixel a unit. The same strokes can be
drawn at any other scale (`Raster`), so a window shows them sharp while the recognizer always reads the same picture.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Rect = tuple[int, int, int, int]    # left, top, right, bottom in pixels; right and bottom are outside
Point = tuple[float, float]         # x, y in canvas units, y down

FORMAT = "digits-strokes-v1"
WIDTH, HEIGHT = 280, 280            # canvas units
BRUSH = 16.0                        # canvas units; a pen of 1.6 to 2.3 frame pixels when a digit fills the height
BRUSH_RANGE = (1.0, 64.0)           # canvas units
LEAST_STEP = 2.5                    # canvas units; points closer than this carry the jitter of whole pixels, not the hand
FLATNESS = 0.06                     # canvas units; how far a line may stray from the curve it stands for
FAR = 1e5                           # canvas units; points beyond are clamped, so that no number overflows
MOST_POINTS = 20_000      # of a drawing that is read from a file: some seconds to draw them again
BATCH = 8                           # lines drawn in one numpy expression


class Stroke:
    """One mark of the pen, or of the eraser: where it went and how wide it was. 16 bytes a point."""

    __slots__ = ("brush", "eraser", "_flat", "_box", "_longest")

    def __init__(self, brush: float, eraser: bool = False) -> None:
        """`brush`: diameter in canvas units."""
        self.brush, self.eraser = brush, eraser
        self._flat = array("d")                             # x, y, x, y, ...
        self._box = (math.inf, math.inf, -math.inf, -math.inf)
        self._longest = 0.0                                 # step between two points

    def __len__(self) -> int:
        return len(self._flat) // 2

    @property
    def points(self) -> list[Point]:
        return [self[index] for index in range(len(self))]

    def __getitem__(self, index: int) -> Point:
        """Return point `index`, the nearest end for an index beyond."""
        index = min(max(index, 0), len(self) - 1)
        return self._flat[2 * index], self._flat[2 * index + 1]

    def add(self, x: float, y: float) -> bool:
        """Append a point, in place of the last one while that is within LEAST_STEP; False if the pointer did not move."""
        point = (round(min(max(x, -FAR), FAR), 2), round(min(max(y, -FAR), FAR), 2))
        last = len(self) - 1
        if last >= 0 and point == self[last]:
            return False
        if last >= 1 and math.dist(self[last], self[last - 1]) < LEAST_STEP:
            last -= 1
            del self._flat[-2:]
        if last >= 0:
            self._longest = max(self._longest, math.dist(point, self[last]))
        left, top, right, bottom = self._box
        self._box = min(left, point[0]), min(top, point[1]), max(right, point[0]), max(bottom, point[1])
        self._flat.extend(point)
        return True

    def lines(self, index: int) -> np.ndarray:
        """Return the curve between points `index` and `index + 1` as corners (K, 2); the point itself if it is the only one.

        Centripetal Catmull-Rom (Yuksel et al., 2011): through every point, without cusps or loops of its own.
        """
        before, start, stop, after = (self[i] for i in range(index - 1, index + 3))
        if start == stop:
            return np.array([start, stop])
        span = math.sqrt(math.dist(start, stop))
        ahead = math.sqrt(math.dist(before, start)) or span
        behind = math.sqrt(math.dist(stop, after)) or span
        controls = []
        for axis in (0, 1):
            a, b, c, d = before[axis], start[axis], stop[axis], after[axis]
            slope = (c - b) if before == start else span * ((b - a) / ahead - (c - a) / (ahead + span) + (c - b) / span)
            out = (c - b) if stop == after else span * ((c - b) / span - (d - b) / (span + behind) + (d - c) / behind)
            controls.append((b + slope / 3, c - out / 3))
        (x1, x2), (y1, y2) = controls
        bend = max(math.dist((x1, y1), _between(start, stop, 1 / 3)), math.dist((x2, y2), _between(start, stop, 2 / 3)))
        count = min(1 + int(math.sqrt(bend / FLATNESS)), 32)
        if count == 1:
            return np.array([start, stop])
        t = np.linspace(0, 1, count + 1)[:, None]
        return ((1 - t) ** 3 * start + 3 * t * (1 - t) ** 2 * np.array((x1, y1))
                + 3 * t ** 2 * (1 - t) * np.array((x2, y2)) + t ** 3 * stop)

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom in canvas units of everything the stroke may touch."""
        reach = self.brush / 2 + 1 + self._longest / 2      # a curve strays less than half a step from its points
        left, top, right, bottom = self._box
        return left - reach, top - reach, right + reach, bottom + reach


class Raster:
    """The ink of strokes as uint8 (H, W), 0 paper and 255 ink, at `scale` pixels a canvas unit."""

    def __init__(self, width: int, height: int, scale: float = 1.0) -> None:
        """`width`, `height`: canvas units."""
        self.scale = scale
        self.ink = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.uint8)
        self._settled = self.ink.copy()     # without the last pieces of a stroke in progress, which its next point will bend
        self._tail: Rect | None = None
        self._pieces = 0                    # of the stroke in progress that are settled

    def redraw(self, strokes: Iterable[Stroke], rect: Rect | None = None) -> Rect:
        """Draw `strokes`, finished ones in order, afresh (only inside `rect`) and return the rectangle."""
        height, width = self.ink.shape
        left, top, right, bottom = rect = _common(rect or (0, 0, width, height), (0, 0, width, height))
        self.ink[top:bottom, left:right] = 0
        for stroke in strokes:
            reach = tuple(side * self.scale for side in stroke.box())
            if reach[0] <= right and reach[2] >= left and reach[1] <= bottom and reach[3] >= top:
                corners = [stroke.lines(i) for i in range(max(1, len(stroke) - 1))]
                self._draw(self.ink, stroke, np.concatenate(corners), rect)
        self._settled[top:bottom, left:right] = self.ink[top:bottom, left:right]
        self._tail, self._pieces = None, 0
        return rect

    def extend(self, stroke: Stroke) -> Rect:
        """Draw what the newest point of `stroke` changes and return the rectangle of changed pixels."""
        height, width = self.ink.shape
        whole = (0, 0, width, height)
        touched = self._tail
        if touched:
            left, top, right, bottom = touched
            self.ink[top:bottom, left:right] = self._settled[top:bottom, left:right]
        pieces = max(1, len(stroke) - 1)
        while self._pieces < pieces - 2:            # the last point may move, and bends the two pieces before it
            settled = stroke.lines(self._pieces)
            touched = _union(touched, self._draw(self._settled, stroke, settled, whole))
            self._draw(self.ink, stroke, settled, whole)
            self._pieces += 1
        tail = np.concatenate([stroke.lines(index) for index in range(self._pieces, pieces)])
        self._tail = self._draw(self.ink, stroke, tail, whole)
        return _union(touched, self._tail)

    def finish(self) -> None:
        """The stroke in progress is over: its last pieces are settled as they are."""
        if self._tail:
            left, top, right, bottom = self._tail
            self._settled[top:bottom, left:right] = self.ink[top:bottom, left:right]
        self._tail, self._pieces = None, 0

    def _draw(self, ink: np.ndarray, stroke: Stroke, corners: np.ndarray, rect: Rect) -> Rect:
        """Draw round-ended lines through `corners` (K, 2) into `ink`, inside `rect`; return the rectangle of touched pixels."""
        corners = corners * self.scale
        radius = stroke.brush * self.scale / 2
        touched: Rect | None = None
        for first in range(0, len(corners) - 1, BATCH):
            part = corners[first:first + BATCH + 1]
            left, top = np.floor(np.clip(part.min(axis=0) - radius - 1, -FAR, FAR)).astype(int)
            right, bottom = np.ceil(np.clip(part.max(axis=0) + radius + 2, -FAR, FAR)).astype(int)
            box = _common((int(left), int(top), int(right), int(bottom)), rect)
            left, top, right, bottom = box
            if left >= right or top >= bottom:
                continue
            touched = _union(touched, box)
            cover = _cover(part, radius, box)
            patch = ink[top:bottom, left:right]
            if stroke.eraser:
                np.minimum(patch, 255 - cover, out=patch)
            else:
                np.maximum(patch, cover, out=patch)
        return touched or (0, 0, 0, 0)


class Canvas:
    """What was drawn, with undo without limit. `strokes` are those to be seen, in order."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        """`width`, `height`: canvas units."""
        self.width, self.height = width, height
        self.strokes: list[Stroke] = []
        self.current: Stroke | None = None
        self._raster = Raster(width, height)
        self._done: list[Stroke | list[Stroke]] = []    # a stroke, or what a clear took away
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
        strokes = [{"brush": stroke.brush, "eraser": stroke.eraser, "points": stroke.points} for stroke in self.strokes]
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


def strokes_from_json(text: str | bytes, width: int, height: int) -> list[Stroke]:
    """Return the strokes that `Canvas.to_json` wrote, fitted to a canvas of `width` x `height`. Raises ValueError."""
    cure = "drop a .json file that this program saved"
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):        # not JSON, not UTF-8, or nested beyond reason
        raise ValueError(f"these are no strokes, the text is not JSON: {cure}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"these are no strokes of format {FORMAT!r}: {cure}")
    try:
        own_width, own_height = _number(content["width"]), _number(content["height"])
        scale = min(width / own_width, height / own_height)
        if min(own_width, own_height) < 0 or not math.isfinite(scale):
            raise ValueError("no size of a canvas")
        count = sum(len(each["points"]) for each in content["strokes"])
        strokes = [_stroke(each, scale) for each in content["strokes"]] if count <= MOST_POINTS else []
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"these strokes are damaged: {cure}") from None
    if count > MOST_POINTS:
        raise ValueError(f"these strokes have {count:,} points, more than {MOST_POINTS:,}: drop a picture of them instead")
    return strokes


def draw_strokes(strokes: Sequence[Sequence[Sequence[float]]], brush: float = BRUSH, size: int = 280,
                 margin: float = 40) -> np.ndarray:
    """Return uint8 (size, size), dark on white: pen strokes [[[x, y], ...], ...] in any units, y down, fitted inside `margin`.

    Raises ValueError if there is no point.
    """
    points = np.array([point[:2] for stroke in strokes for point in stroke], float)
    if not 0 < len(points) <= MOST_POINTS:
        raise ValueError(f"there are {len(points):,} points: give at least one point, and at most {MOST_POINTS:,}")
    if points.shape[1:] != (2,) or not np.isfinite(points).all():
        raise ValueError("a point is two finite numbers")
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (size - 2 * margin) / max(float((high - low).max()), 1e-9)
    points = (points - (low + high) / 2) * scale + size / 2
    raster, start = Raster(size, size), 0
    for stroke in strokes:
        part = Stroke(brush)
        for x, y in points[start:start + len(stroke)].tolist():
            part.add(x, y)
        start += len(stroke)
        if len(part):
            corners = np.array(part.points * 2 if len(part) == 1 else part.points)
            raster._draw(raster.ink, part, corners, (0, 0, size, size))
    return 255 - raster.ink


# ---------------------------------------------------------------------------------- helpers

def _cover(corners: np.ndarray, radius: float, box: Rect) -> np.ndarray:
    """Return uint8 (bottom - top, right - left): how much of each pixel of `box` lies within `radius` of the lines.

    Every pixel's value depends on its place and the lines alone, so drawing in parts gives what drawing at once gives.
    """
    left, top, right, bottom = box
    starts, along = corners[:-1], np.diff(corners, axis=0)                     # (K, 2)
    lengths = np.hypot(along[:, 0], along[:, 1])
    unit = np.where(lengths[:, None] > 0, along / np.maximum(lengths, 1e-9)[:, None], (1.0, 0.0))
    x = (np.arange(left, right) + 0.5 - starts[:, :1]).astype(np.float32)      # (K, W)
    y = (np.arange(top, bottom) + 0.5 - starts[:, 1:]).astype(np.float32)      # (K, H)
    ux, uy = unit[:, 0, None].astype(np.float32), unit[:, 1, None].astype(np.float32)
    half = (lengths / 2).astype(np.float32)[:, None]
    beyond = (x * ux - half)[:, None, :] + (y * uy)[:, :, None]                # (K, H, W): along the line, from its middle
    np.abs(beyond, out=beyond)
    beyond -= half[:, :, None]
    np.maximum(beyond, 0, out=beyond)
    beyond *= beyond
    aside = (x * uy)[:, None, :] - (y * ux)[:, :, None]
    aside *= aside
    beyond += aside
    nearest = np.sqrt(beyond.min(axis=0))
    return (np.clip(np.float32(radius + 0.5) - nearest, 0, 1) * 255 + 0.5).astype(np.uint8)


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def _common(a: Rect, b: Rect) -> Rect:
    left, top, right, bottom = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return left, top, max(left, right), max(top, bottom)


def _union(a: Rect | None, b: Rect) -> Rect:
    if a is None or a[0] >= a[2] or a[1] >= a[3]:
        return b
    if b[0] >= b[2] or b[1] >= b[3]:
        return a
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _number(value: Any) -> float:
    """Return a finite number; bool, text and the rest are a ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def _stroke(content: Any, scale: float) -> Stroke:
    eraser = content["eraser"]
    if not isinstance(eraser, bool):
        raise ValueError("not a yes or no")
    brush = _number(content["brush"]) * scale
    stroke = Stroke(min(max(brush, BRUSH_RANGE[0]), BRUSH_RANGE[1]), eraser)
    for x, y in content["points"]:
        stroke.add(_number(x) * scale, _number(y) * scale)
    if not len(stroke):
        raise ValueError("a stroke without points")
    return stroke
