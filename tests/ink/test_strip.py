"""A line as the line reader sees it: one height, level, and every column has its place."""

from __future__ import annotations

import numpy as np
import pytest

from ink.strip import (
    DIGIT_HEIGHT,
    MARGIN,
    STRIP_HEIGHT,
    WIDTH_STEP,
    make_strip,
)


def bars(height: int, lean: float = 0.0, count: int = 6, pen: int = 4) -> np.ndarray:
    """Return `count` upright bars `height` pixels high, each `lean` pixels lower for each pixel along."""
    apart = height
    ink = np.zeros((height * 2 + int(abs(lean) * apart * count) + 4, apart * (count + 1)), np.float32)
    for n in range(count):
        x = apart // 2 + n * apart
        top = round(lean * x) + (0 if lean >= 0 else ink.shape[0] - height - 2)
        ink[top : top + height, x : x + pen] = 1
    return ink


@pytest.mark.parametrize("height", [16, 40, 100, 300])
def test_writing_of_any_size_has_one_height(height: int) -> None:
    strip = make_strip(bars(height, pen=max(2, height // 10)))
    assert strip.pixels.shape[0] == STRIP_HEIGHT and strip.pixels.shape[1] % WIDTH_STEP == 0
    assert strip.columns.shape == (strip.pixels.shape[1],)
    rows = np.flatnonzero((strip.pixels > 0.4).any(axis=1))
    assert abs(rows[-1] + 1 - rows[0] - DIGIT_HEIGHT) <= 2
    assert 0 <= strip.pixels.min() and 1 >= strip.pixels.max() > 0.9


def test_a_climbing_line_is_levelled() -> None:
    strip = make_strip(bars(40, lean=-0.3))
    tops = [np.flatnonzero(column > 0.4)[0] for column in strip.pixels.T if (column > 0.4).any()]
    assert max(tops) - min(tops) <= 7  # of the 19 that it would climb if it were left as it is


def test_columns_say_where_they_come_from() -> None:
    ink = bars(60)
    strip = make_strip(ink)
    inked = np.flatnonzero((strip.pixels > 0.5).any(axis=0))
    places = strip.columns[inked]
    assert all(ink[:, max(int(place) - 2, 0) : int(place) + 3].any() for place in places)
    assert (np.diff(strip.columns) >= 0).all()
    assert not strip.pixels[:, : MARGIN - 1].any()


def test_wide_gaps_are_shortened() -> None:
    near, far = np.zeros((40, 200), np.float32), np.zeros((40, 2000), np.float32)
    for ink in (near, far):
        ink[:, :4] = ink[:, -4:] = 1
    assert make_strip(far).pixels.shape[1] == make_strip(near).pixels.shape[1]


def test_paper_has_no_strip() -> None:
    with pytest.raises(ValueError, match="no ink"):
        make_strip(np.zeros((30, 30), np.float32))
