"""The ink that strokes leave on a grid of pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ink.stroke import BRUSH, FAR, MOST_POINTS, Stroke

Rect = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are outside
BATCH = 8  # lines drawn in one numpy expression


class Raster:
    """The ink of strokes as uint8 (H, W), 0 paper and 255 ink, at `scale` pixels a canvas unit."""

    def __init__(self, width: int, height: int, scale: float = 1.0) -> None:
        """`width`, `height`: canvas units."""
        self.scale = scale
        self.ink = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.uint8)
        self._settled = (
            self.ink.copy()
        )  # without the last pieces of a stroke in progress, which its next point will bend
        self._tail: Rect | None = None
        self._pieces = 0  # of the stroke in progress that are settled

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
        while self._pieces < pieces - 2:  # the last point may move, and bends the two pieces before it
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
            part = corners[first : first + BATCH + 1]
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


def draw_strokes(
    strokes: Sequence[Sequence[Sequence[float]]], brush: float = BRUSH, size: int = 280, margin: float = 40
) -> np.ndarray:
    """Return uint8 (size, size), dark on white: pen strokes [[[x, y], ...], ...] in any units, y down, fitted inside `margin`.

    Raises ValueError if there is no point.
    """
    points = np.array([point[:2] for stroke in strokes for point in stroke], float)
    if not 0 < len(points) <= MOST_POINTS:
        raise ValueError(
            f"there are {len(points):,} points: give at least one point, and at most {MOST_POINTS:,}"
        )
    if points.shape[1:] != (2,) or not np.isfinite(points).all():
        raise ValueError("a point is two finite numbers")
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (size - 2 * margin) / max(float((high - low).max()), 1e-9)
    points = (points - (low + high) / 2) * scale + size / 2
    raster, start = Raster(size, size), 0
    for stroke in strokes:
        part = Stroke(brush)
        for x, y in points[start : start + len(stroke)].tolist():
            part.add(x, y)
        start += len(stroke)
        if len(part):
            corners = np.array(part.points * 2 if len(part) == 1 else part.points)
            raster._draw(raster.ink, part, corners, (0, 0, size, size))
    return 255 - raster.ink


def _cover(corners: np.ndarray, radius: float, box: Rect) -> np.ndarray:
    """Return uint8 (bottom - top, right - left): how much of each pixel of `box` lies within `radius` of the lines.

    Every pixel's value depends on its place and the lines alone, so drawing in parts gives what drawing at once gives.
    """
    left, top, right, bottom = box
    starts, along = corners[:-1], np.diff(corners, axis=0)  # (K, 2)
    lengths = np.hypot(along[:, 0], along[:, 1])
    unit = np.where(lengths[:, None] > 0, along / np.maximum(lengths, 1e-9)[:, None], (1.0, 0.0))
    x = (np.arange(left, right) + 0.5 - starts[:, :1]).astype(np.float32)  # (K, W)
    y = (np.arange(top, bottom) + 0.5 - starts[:, 1:]).astype(np.float32)  # (K, H)
    ux, uy = unit[:, 0, None].astype(np.float32), unit[:, 1, None].astype(np.float32)
    half = (lengths / 2).astype(np.float32)[:, None]
    beyond = (x * ux - half)[:, None, :] + (y * uy)[:, :, None]  # (K, H, W): along the line, from its middle
    np.abs(beyond, out=beyond)
    beyond -= half[:, :, None]
    np.maximum(beyond, 0, out=beyond)
    beyond *= beyond
    aside = (x * uy)[:, None, :] - (y * ux)[:, :, None]
    aside *= aside
    beyond += aside
    nearest = np.sqrt(beyond.min(axis=0))
    return (np.clip(np.float32(radius + 0.5) - nearest, 0, 1) * 255 + 0.5).astype(np.uint8)


def _common(a: Rect, b: Rect) -> Rect:
    left, top, right, bottom = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return left, top, max(left, right), max(top, bottom)


def _union(a: Rect | None, b: Rect) -> Rect:
    if a is None or a[0] >= a[2] or a[1] >= a[3]:
        return b
    if b[0] >= b[2] or b[1] >= b[3]:
        return a
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
