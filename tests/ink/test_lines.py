"""Lines of writing: without what clings to the picture's edge, and those within a box that is drawn around them."""

import time

import numpy as np
import pytest

from ink.lines import count_parts, find_layouts
from ink.measures import Box
from ink.piece import Piece, is_filled_in


def boxes(*rectangles: tuple[int, int, int, int], shape: tuple[int, int] = (200, 400)) -> np.ndarray:
    ink = np.zeros(shape, np.float32)
    for left, top, right, bottom in rectangles:
        ink[top:bottom, left:right] = 1
    return ink


def lines_of(ink: np.ndarray) -> list[Box]:
    """Return the boxes of the lines, those within a box left aside."""
    return [line.box for line in next(find_layouts(ink)).lines]


def holds(box: Box, other: Box) -> bool:
    """Say whether `other` lies in `box`."""
    return box[0] <= other[0] and box[1] <= other[1] and box[2] >= other[2] and box[3] >= other[3]


def test_no_ink_is_no_line() -> None:
    (layout,) = find_layouts(np.zeros((50, 50), np.float32))
    assert layout.lines == layout.rest == []


def test_a_row_is_one_line() -> None:
    assert lines_of(boxes((300, 45, 330, 150), (40, 50, 70, 155), (170, 40, 200, 145))) == [
        (40, 40, 330, 155)
    ]


def test_two_rows_are_two_lines_despite_an_uneven_baseline() -> None:
    rows = (40, 20, 60, 70), (100, 30, 120, 80), (40, 110, 60, 165), (100, 120, 120, 170)
    assert lines_of(boxes(*rows)) == [(40, 20, 120, 80), (40, 110, 120, 170)]


def test_specks_far_away_are_dirt() -> None:
    specks = (350, 10, 353, 13), (5, 190, 8, 193)
    assert lines_of(boxes((100, 40, 130, 160), *specks)) == [(100, 40, 130, 160)]


def test_specks_however_many_hide_no_digit() -> None:
    rng = np.random.default_rng(0)
    digit = (60, 40, 110, 160)
    specks = [
        (int(x), int(y), int(x) + 5, int(y) + 5) for x, y in rng.integers((10, 20), (200, 170), (40, 2))
    ]
    assert any(holds(line, digit) for line in lines_of(boxes(digit, *specks)))
    assert count_parts(boxes(digit)) == (1, 1.0) and count_parts(boxes()) == (0, 0.0)
    assert count_parts(boxes(digit, (150, 40, 180, 100), (100, 280, 110, 300), shape=(340, 400))) == (
        3,
        120 / 260,
    )


def test_an_edge_of_the_picture_is_dirt_beside_writing() -> None:
    assert lines_of(boxes((100, 40, 130, 160), (390, 0, 400, 200))) == [(100, 40, 130, 160)]


def test_a_bar_across_the_picture_is_no_writing() -> None:
    assert lines_of(boxes((20, 20, 180, 150), (0, 160, 200, 200), shape=(200, 200))) == [(20, 20, 180, 150)]


def ring(side: int, width: int) -> np.ndarray:
    ink = np.ones((side, side), np.float32)
    ink[width:-width, width:-width] = 0
    return ink


def test_a_box_around_writing_is_left_out() -> None:
    ink = np.zeros((200, 300), np.float32)
    ink[20:180, 20:180] = np.maximum(ink[20:180, 20:180], ring(160, 4))  # a box ...
    ink[30:170, 30:170] = np.maximum(ink[30:170, 30:170], ring(140, 2))  # ... in double lines
    ink[60:130, 90:110] = 1
    ink[60:130, 220:240] = 1  # writing beside it
    _, held = find_layouts(ink)
    assert [line.box for line in held.lines] == [(90, 60, 240, 130)]


def test_a_dot_in_a_0_and_a_digit_in_outline_are_not_in_a_box() -> None:
    dotted = np.pad(ring(100, 12), 20)
    dotted[64:76, 64:76] = 1
    outlined = np.pad(ring(100, 3), 20)
    outlined[32:108, 32:108] = ring(76, 3)
    for ink in (dotted, outlined):
        (layout,) = find_layouts(ink)
        assert [line.box for line in layout.lines] == [(20, 20, 120, 120)]


def test_a_thin_straight_mark_is_a_slash_whatever_its_slope() -> None:
    ring = np.zeros((80, 60), np.float32)
    y, x = np.mgrid[-1:1:80j, -1:1:60j]
    ring[(x * x + y * y < 1) & (x * x + y * y > 0.85)] = 1
    for turn in np.linspace(0, np.pi, 13):
        far = np.linspace(-18, 18, 73)
        slashed = ring.copy()
        slashed[
            np.rint(40 + far * np.sin(turn)).astype(int), np.rint(30 + far * np.cos(turn)).astype(int)
        ] = 1
        assert not is_filled_in(Piece((0, 0, 60, 80), slashed)), turn
    bent = ring.copy()
    bent[25:50, 22] = bent[50, 22:42] = 1
    assert is_filled_in(Piece((0, 0, 60, 80), bent))


def test_a_streak_from_edge_to_edge_is_no_writing() -> None:
    streak = (200, 0, 204, 200)
    (layout, *_) = find_layouts(boxes((40, 0, 70, 155), (300, 45, 330, 200), streak))
    assert [line.box for line in layout.lines] == [(40, 0, 330, 200)] and [
        each.box for each in layout.rest
    ] == [streak]
    assert lines_of(boxes(streak)) == [streak]  # by itself it may be a 1 that fills its picture


def test_a_scanners_dark_corner_is_no_writing() -> None:
    assert lines_of(boxes((100, 50, 130, 155), (340, 140, 400, 200))) == [(100, 50, 130, 155)]


def test_a_digit_in_the_corner_of_a_tight_crop_is_writing() -> None:
    zero = boxes((0, 0, 60, 100), shape=(100, 240)) - boxes((10, 10, 50, 90), shape=(100, 240))
    between = boxes((100, 10, 112, 90), shape=(100, 240))
    assert lines_of(zero + between + np.roll(zero, 180, axis=1)) == [(0, 0, 240, 100)]


def test_a_dotted_line_under_a_number_joins_nothing() -> None:
    dots = [(x, 170, x + 5, 175) for x in range(20, 380, 11)]
    first = lines_of(boxes(*((x, 60, x + 16, 160) for x in (60, 120, 180, 240)), *dots))[0]
    assert first[1] == 60 and first[2] - first[0] >= 196


@pytest.mark.parametrize("level", [60, 100, 135, 158])
def test_a_dashed_line_behind_a_digit_hides_it_not(level: int) -> None:
    dashes = [(x, level, x + 42, level + 5) for x in range(10, 860, 66) if not 380 <= x <= 540]
    digit = (450, 40, 470, 160)
    assert any(holds(line, digit) for line in lines_of(boxes(digit, *dashes, shape=(200, 900))))


def test_a_box_around_a_page_of_specks_is_looked_at_quickly() -> None:
    ink = np.pad(ring(900, 4), 20)
    places = np.random.default_rng(0).integers(40, 890, (1500, 2))
    for x, y in places:
        ink[y : y + 2, x : x + 2] = 1
    started = time.process_time()
    assert list(find_layouts(ink))
    assert (
        time.process_time() - started < 0.5
    )  # seconds; it took two when every speck was looked for in all of it
