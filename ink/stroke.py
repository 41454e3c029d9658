"""One mark of the pen as points, and drawings as JSON."""

from __future__ import annotations

import json
import math
from array import array
from typing import Any

import numpy as np

Point = tuple[float, float]  # x, y in canvas units, y down
FORMAT = "digits-strokes-v1"
BRUSH = 16.0  # canvas units; a pen of 1.6 to 2.3 frame pixels when a digit fills the height
BRUSH_RANGE = (1.0, 64.0)  # canvas units
LEAST_STEP = 2.5  # canvas units; points closer than this carry the jitter of whole pixels, not the hand
FLATNESS = 0.06  # canvas units; how far a line may stray from the curve it stands for
FAR = 1e5  # canvas units; points beyond are clamped, so that no number overflows
MOST_POINTS = 20_000  # of a drawing that is read from a file: some seconds to draw them again


class Stroke:
    """One mark of the pen, or of the eraser: where it went and how wide it was. 16 bytes a point."""

    __slots__ = ("brush", "eraser", "_flat", "_box", "_longest")

    def __init__(self, brush: float, eraser: bool = False) -> None:
        """`brush`: diameter in canvas units."""
        self.brush, self.eraser = brush, eraser
        self._flat = array("d")  # x, y, x, y, ...
        self._box = (math.inf, math.inf, -math.inf, -math.inf)
        self._longest = 0.0  # step between two points

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
            slope = (
                (c - b)
                if before == start
                else span * ((b - a) / ahead - (c - a) / (ahead + span) + (c - b) / span)
            )
            out = (
                (c - b)
                if stop == after
                else span * ((c - b) / span - (d - b) / (span + behind) + (d - c) / behind)
            )
            controls.append((b + slope / 3, c - out / 3))
        (x1, x2), (y1, y2) = controls
        bend = max(
            math.dist((x1, y1), _between(start, stop, 1 / 3)),
            math.dist((x2, y2), _between(start, stop, 2 / 3)),
        )
        count = min(1 + int(math.sqrt(bend / FLATNESS)), 32)
        if count == 1:
            return np.array([start, stop])
        t = np.linspace(0, 1, count + 1)[:, None]
        return (
            (1 - t) ** 3 * start
            + 3 * t * (1 - t) ** 2 * np.array((x1, y1))
            + 3 * t**2 * (1 - t) * np.array((x2, y2))
            + t**3 * stop
        )

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom in canvas units of everything the stroke may touch."""
        reach = self.brush / 2 + 1 + self._longest / 2  # a curve strays less than half a step from its points
        left, top, right, bottom = self._box
        return left - reach, top - reach, right + reach, bottom + reach


def strokes_from_json(text: str | bytes, width: int, height: int) -> list[Stroke]:
    """Return the strokes that `Canvas.to_json` wrote, fitted to a canvas of `width` x `height`. Raises ValueError."""
    cure = "drop a .json file that this program saved"
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or nested beyond reason
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
        raise ValueError(
            f"these strokes have {count:,} points, more than {MOST_POINTS:,}: drop a picture of them instead"
        )
    return strokes


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


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
