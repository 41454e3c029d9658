"""Lines of writing: every mark lies in one, or in what is left out."""

from __future__ import annotations

import numpy as np

from ink.rows import find_rows


def boxes(*places: tuple[int, int, int, int], shape: tuple[int, int] = (400, 600)) -> np.ndarray:
    """Return ink that is full in `places` (left, top, right, bottom)."""
    ink = np.zeros(shape, np.float32)
    for left, top, right, bottom in places:
        ink[top:bottom, left:right] = 1
    return ink


def test_no_ink_has_no_lines() -> None:
    layout = find_rows(np.zeros((20, 30), np.float32))
    assert layout.lines == [] and layout.rest == []


def test_a_row_is_one_line_and_two_rows_are_two() -> None:
    row = [(x, 40, x + 20, 100) for x in (40, 90, 140)]
    (line,) = find_rows(boxes(*row)).lines
    assert line.box == (40, 40, 160, 100)
    below = [(x, 160, x + 20, 220) for x in (40, 90, 140)]
    first, second = find_rows(boxes(*below, *row)).lines
    assert (first.box[1], second.box[1]) == (40, 160)


def test_a_climbing_row_is_one_line() -> None:
    row = [(x, 300 - x // 2, x + 20, 360 - x // 2) for x in range(40, 440, 50)]
    assert len(find_rows(boxes(*row)).lines) == 1


def test_a_comma_and_a_minus_belong_to_their_line() -> None:
    marks = [(40, 70, 60, 75), (90, 40, 110, 100), (120, 95, 124, 110), (140, 40, 160, 100)]
    (line,) = find_rows(boxes(*marks)).lines
    assert line.parts.max() == 4 and line.box == (40, 40, 160, 110)


def test_every_mark_lies_in_one_line_or_in_the_rest() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        marks = np.zeros((300, 400), np.float32)
        for _ in range(int(rng.integers(1, 20))):
            x, y = int(rng.integers(0, 340)), int(rng.integers(0, 240))
            marks[y : y + int(rng.integers(20, 60)), x : x + int(rng.integers(20, 60))] = 1
        layout = find_rows(marks)
        found = np.zeros_like(marks)
        for each in [*layout.lines, *layout.rest]:
            left, top, right, bottom = each.box
            found[top:bottom, left:right] += each.ink
        assert np.array_equal(found, marks)


def test_parts_that_are_no_writing_are_the_rest() -> None:
    ink = boxes((40, 40, 60, 100), (90, 40, 110, 100))
    layout = find_rows(ink, np.array([True, False]))
    assert [line.box for line in layout.lines] == [(40, 40, 60, 100)]
    assert [piece.box for piece in layout.rest] == [(90, 40, 110, 100)]


def test_the_rings_of_a_per_cent_sign_belong_to_its_bar_and_one_digit_under_another_does_not() -> None:
    ring, bar, other = (40, 40, 70, 70), (72, 40, 78, 140), (80, 110, 110, 140)
    (line,) = find_rows(boxes(ring, bar, other)).lines
    assert line.box == (40, 40, 110, 140)
    assert len(find_rows(boxes((40, 40, 70, 100), (44, 110, 72, 150))).lines) == 2
