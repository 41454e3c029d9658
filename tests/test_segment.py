"""What belongs together is one piece; what stands apart is several, in reading order."""

import time

import numpy as np
import pytest

from ink.cuts import find_cuts
from ink.lines import count_apart, count_parts, find_layouts, find_lines, find_main
from ink.piece import Piece, count_holes, has_odd_hole, is_filled_in, merge
from ink.raster import draw_strokes


def boxes(*rectangles: tuple[int, int, int, int], shape: tuple[int, int] = (200, 400)) -> np.ndarray:
    ink = np.zeros(shape, np.float32)
    for left, top, right, bottom in rectangles:
        ink[top:bottom, left:right] = 1
    return ink


def test_no_ink_is_no_line() -> None:
    assert find_lines(np.zeros((50, 50), np.float32)) == []


def test_a_row_is_read_from_left_to_right() -> None:
    (line,) = find_lines(boxes((300, 45, 330, 150), (40, 50, 70, 155), (170, 40, 200, 145)))
    assert [piece.box[0] for piece in line] == [40, 170, 300]


def test_two_rows_are_two_lines_despite_an_uneven_baseline() -> None:
    lines = find_lines(boxes((40, 20, 60, 70), (100, 30, 120, 80), (40, 110, 60, 165), (100, 120, 120, 170)))
    assert [[piece.box[0] for piece in line] for line in lines] == [[40, 100], [40, 100]]


def test_a_loose_bar_belongs_to_its_digit() -> None:
    (line,) = find_lines(boxes((100, 60, 110, 150), (100, 40, 150, 52)))
    assert [piece.box for piece in line] == [(100, 40, 150, 150)]


def test_specks_far_away_are_dirt() -> None:
    (line,) = find_lines(boxes((100, 40, 130, 160), (350, 10, 353, 13), (5, 190, 8, 193)))
    assert [piece.box for piece in line] == [(100, 40, 130, 160)]


def test_specks_however_many_hide_no_digit() -> None:
    rng = np.random.default_rng(0)
    digit = (60, 40, 110, 160)
    specks = [
        (int(x), int(y), int(x) + 5, int(y) + 5) for x, y in rng.integers((10, 20), (200, 170), (40, 2))
    ]
    ink = boxes(digit, *specks)
    (line,) = find_lines(ink)
    assert len(line) == 1 and line[0].box[0] <= 60 and line[0].box[2] >= 110
    main = find_main(ink)
    assert main is not None and main.ink.sum() >= 50 * 120
    assert count_parts(boxes(digit)) == (1, 1.0) and count_parts(boxes()) == (0, 0.0)
    assert count_parts(boxes(digit, (150, 40, 180, 100), (100, 280, 110, 300), shape=(340, 400))) == (
        3,
        120 / 260,
    )
    assert find_main(boxes(digit)) is None  # nothing is beside it,
    assert find_main(boxes(digit, (150, 40, 180, 160))) is None  # or another digit


def test_a_path_beside_all_ink_is_no_cut() -> None:
    for seed in (
        0,
        1,
        5,
        20,
        21,
    ):  # in which two sums of the same ink, added up in another order, are rounded apart
        ink = np.random.default_rng(seed).random((100, 100)).astype(np.float32) * 0.9 + 0.05
        ink[np.add.outer(np.arange(100), np.arange(100)) > 150] = 0
        ink[0, :2] = 0.5
        mass = ink.astype(np.float64).sum()
        half = np.round(mass) + 0.5 - mass
        ink[0, 0] += np.float32(half + 0.0002 - (half > 0.4))
        assert all(part.ink.any() for cut in find_cuts(Piece((0, 0, 100, 100), ink), 100) for part in cut)


def test_an_edge_of_the_picture_is_dirt_beside_writing() -> None:
    (line,) = find_lines(boxes((100, 40, 130, 160), (390, 0, 400, 200)))
    assert [piece.box[0] for piece in line] == [100]


def test_a_line_under_or_over_a_number_is_left_out() -> None:
    digits = [(60, 50, 90, 150), (120, 40, 150, 155), (200, 60, 230, 150)]
    for rule in ((50, 165, 260, 170), (80, 20, 240, 30)):
        (line,) = find_lines(boxes(*digits, rule))
        assert [piece.box for piece in line] == digits
    (line,) = find_lines(boxes((60, 50, 90, 150), (40, 160, 110, 168)))  # under one digit it may be its foot
    assert [piece.box for piece in line] == [(40, 50, 110, 168)]


def test_a_bar_across_the_picture_is_no_writing() -> None:
    (line,) = find_lines(boxes((20, 20, 180, 150), (0, 160, 200, 200), shape=(200, 200)))
    assert [piece.box for piece in line] == [(20, 20, 180, 150)]


def ring(side: int, width: int) -> np.ndarray:
    ink = np.ones((side, side), np.float32)
    ink[width:-width, width:-width] = 0
    return ink


def test_a_frame_around_writing_is_left_out() -> None:
    ink = np.zeros((200, 300), np.float32)
    ink[20:180, 20:180] = np.maximum(ink[20:180, 20:180], ring(160, 4))  # a box ...
    ink[30:170, 30:170] = np.maximum(ink[30:170, 30:170], ring(140, 2))  # ... in double lines
    ink[60:130, 90:110] = 1
    ink[60:130, 220:240] = 1  # writing beside it
    _, (line,) = find_layouts(ink)
    assert [piece.box for piece in line] == [(90, 60, 110, 130), (220, 60, 240, 130)]


def test_a_dot_in_a_0_and_a_digit_in_outline_are_not_framed() -> None:
    dotted = np.pad(ring(100, 12), 20)
    dotted[64:76, 64:76] = 1
    outlined = np.pad(ring(100, 3), 20)
    outlined[32:108, 32:108] = ring(76, 3)
    for ink in (dotted, outlined):
        (((piece,),),) = find_layouts(ink)
        assert piece.box == (20, 20, 120, 120)


def test_a_piece_holds_its_own_ink_only() -> None:
    ink = boxes((40, 40, 50, 160), (40, 150, 100, 160), (70, 60, 100, 120))
    for line in find_lines(ink):
        for piece in line:
            left, top, right, bottom = piece.box
            assert piece.ink.shape == (bottom - top, right - left)
    assert merge(find_lines(ink)[0]).ink.sum() == ink.sum()


def test_digits_apart_are_counted_and_the_parts_of_an_open_four_are_not() -> None:
    (apart,) = find_lines(boxes((40, 40, 60, 160), (90, 40, 110, 160)))
    four = 1 - draw_strokes([[[20, 5], [15, 60], [62, 58]], [[66, 5], [64, 96]]], 8).astype(np.float32) / 255
    (pieces,) = find_lines(four)
    assert count_apart(apart, 120) == 1
    assert count_apart(pieces, 220) == 0


def test_touching_digits_can_be_cut_where_they_meet() -> None:
    ink = boxes((40, 40, 140, 160))
    ink[60:140, 60:120] = 0  # a box like a 0 ...
    ink[40:160, 140:160], ink[90:100, 130:170] = 0, 1  # ... joined by a bar ...
    ink[40:160, 165:180] = 1  # ... to a 1
    (line,) = find_lines(ink)
    assert len(line) == 1
    cuts = find_cuts(line[0], 120)
    assert any(130 <= left.box[2] <= 166 and right.box[2] == 180 for left, right in cuts)
    for left, right in cuts:
        assert left.ink.sum() + right.ink.sum() == ink.sum()


def test_a_narrow_piece_is_never_cut() -> None:
    (line,) = find_lines(boxes((40, 40, 60, 160)))
    assert find_cuts(line[0], 120) == []


def test_a_digit_under_the_bar_of_another_is_cut_out_along_a_path() -> None:
    ink = np.zeros((32, 30), np.float32)
    ink[4:6, 5:20] = ink[4:28, 5:8] = 1  # a bar over what follows, and its stem
    ink[16:28, 12:16] = 1
    ink[22, 8:12] = 1  # where they touch
    cuts = find_cuts(Piece((5, 4, 20, 28), ink[4:28, 5:20]), 24)
    assert any(right.box[0] >= 8 and right.box[1:] == (16, 16, 28) for _, right in cuts)
    assert all(left.ink.sum() + right.ink.sum() == ink.sum() for left, right in cuts)


def test_loops_are_counted_and_gaps_in_the_ink_are_not() -> None:
    ink = np.zeros((60, 90), np.float32)
    ink[10:50, 10:80] = 1
    assert count_holes(Piece((0, 0, 90, 60), ink)) == 0
    ink[15:45, 15:30] = ink[15:45, 35:50] = ink[15:45, 55:75] = 0
    ink[12, 12] = 0
    assert count_holes(Piece((0, 0, 90, 60), ink)) == 3
    ink[15:45, 75:80] = 0
    assert count_holes(Piece((0, 0, 90, 60), ink)) == 2


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


def test_a_hole_that_is_not_round_is_odd() -> None:
    y, x = np.mgrid[-40:40, -30:30]
    disc = (np.hypot(y / 40, x / 30) < 1).astype(np.float32)
    tick, oval, slit = disc.copy(), disc.copy(), disc.copy()
    tick[30:55, 20:24] = tick[51:55, 20:45] = 0
    oval[np.hypot(y / 15, x / 6) < 1] = 0
    slit[20:60, 28:31] = 0
    assert has_odd_hole(Piece((0, 0, 60, 80), tick))
    for round_one in (disc, oval, slit):
        assert not has_odd_hole(Piece((0, 0, 60, 80), round_one))


def test_a_streak_from_edge_to_edge_is_no_writing() -> None:
    (line,) = find_lines(boxes((40, 0, 70, 155), (300, 45, 330, 200), (200, 0, 204, 200)))
    assert [piece.box[0] for piece in line] == [40, 300]
    ((one,),) = find_lines(boxes((200, 0, 204, 200)))  # by itself it may be a 1 that fills its picture
    assert one.box == (200, 0, 204, 200)


def test_a_scanners_dark_corner_is_no_writing() -> None:
    ((one,),) = find_lines(boxes((100, 50, 130, 155), (340, 140, 400, 200)))
    assert one.box == (100, 50, 130, 155)


def test_a_digit_in_the_corner_of_a_tight_crop_is_writing() -> None:
    zero = boxes((0, 0, 60, 100), shape=(100, 240)) - boxes((10, 10, 50, 90), shape=(100, 240))
    between = boxes((100, 10, 112, 90), shape=(100, 240))
    (line,) = find_lines(zero + between + np.roll(zero, 180, axis=1))
    assert [piece.box[0] for piece in line] == [0, 100, 180]


def test_a_hyphen_belongs_to_no_digit() -> None:
    for bars in ([(72, 95, 98, 103)], [(72, 82, 98, 90), (72, 108, 98, 116)]):  # - and =
        (line,) = find_lines(boxes((40, 40, 64, 160), (106, 40, 130, 160), *bars))
        assert [piece.box for piece in line] == [(40, 40, 64, 160), (106, 40, 130, 160)]
    (line,) = find_lines(
        boxes((40, 40, 64, 160), (106, 40, 130, 160), (132, 40, 160, 50))
    )  # a 5's flag, at its top
    assert [piece.box for piece in line] == [(40, 40, 64, 160), (106, 40, 160, 160)]


def test_a_dotted_line_under_a_number_joins_nothing() -> None:
    dots = [(x, 170, x + 5, 175) for x in range(20, 380, 11)]
    rows = find_lines(boxes(*((x, 60, x + 16, 160) for x in (60, 120, 180, 240)), *dots))
    assert len(rows[0]) == 4 and all(piece.height >= 100 for piece in rows[0])


@pytest.mark.parametrize("level", [60, 100, 135, 158])
def test_a_dashed_line_behind_a_digit_hides_it_not(level: int) -> None:
    dashes = [(x, level, x + 42, level + 5) for x in range(10, 860, 66) if not 380 <= x <= 540]
    (line,) = find_lines(boxes((450, 40, 470, 160), *dashes, shape=(200, 900)))
    assert [piece.box for piece in line] == [(450, 40, 470, 160)]


def test_a_table_of_cells_holds_its_writing() -> None:
    table = boxes(
        *((0, y, 360, y + 3) for y in (0, 90, 180, 267)),
        *((x, 0, x + 3, 270) for x in (0, 119, 238, 357)),
        shape=(270, 360),
    )
    written = [(x + 50, y + 25, x + 62, y + 70) for y in (0, 90, 180) for x in (0, 119, 238)]
    ink = np.pad(np.maximum(table, boxes(*written, shape=(270, 360))), 20)
    *_, held = find_layouts(ink)
    assert [len(line) for line in held] == [3, 3, 3]
    alone = np.pad(np.maximum(table, boxes(written[0], (80, 25, 92, 70), shape=(270, 360))), 20)
    assert len(list(find_layouts(alone))) == 1  # one cell alone is no table


@pytest.mark.parametrize("thin", range(4))
def test_a_grid_is_no_box_whichever_of_its_sides_is_thin(thin: int) -> None:
    ink = np.zeros((160, 160), np.float32)
    inside = ink[20:-20, 20:-20]
    for turn in range(4):
        np.rot90(inside, turn)[: 1 if turn == thin else 4] = 1
    inside[58:62], inside[20:100, 58:62] = 1, 1
    assert len(list(find_layouts(ink))) == 1
    inside[58:62, 2:20] = 0  # a stroke that hangs from one side
    assert len(list(find_layouts(ink))) == 2


def test_a_frame_around_a_page_of_specks_is_looked_at_quickly() -> None:
    ink = np.pad(ring(900, 4), 20)
    places = np.random.default_rng(0).integers(40, 890, (1500, 2))
    for x, y in places:
        ink[y : y + 2, x : x + 2] = 1
    started = time.process_time()
    assert list(find_layouts(ink))
    assert (
        time.process_time() - started < 0.5
    )  # seconds; it took two when every speck was looked for in all of it


def test_pieces_that_climb_are_one_line_and_those_below_one_another_are_not() -> None:
    (line,) = find_lines(
        boxes((40, 140, 70, 190), (110, 115, 140, 165), (180, 90, 210, 140), (250, 65, 280, 115))
    )
    assert [piece.box[0] for piece in line] == [40, 110, 180, 250]
    assert (
        len(find_lines(boxes((40, 20, 70, 70), (110, 20, 140, 70), (40, 120, 70, 170), (110, 120, 140, 170))))
        == 2
    )


def test_small_pieces_must_stand_farther_apart_to_be_two() -> None:
    ink = np.ones((40, 10), np.float32)
    assert [
        count_apart([Piece((0, 0, 10, 40), ink), Piece((left, 0, left + 10, 40), ink)], 100)
        for left in (18, 26)
    ] == [0, 1]


def test_pieces_without_a_common_row_stand_apart_by_columns() -> None:
    ink = np.ones((50, 20), np.float32)
    assert count_apart([Piece((0, 60, 20, 110), ink), Piece((40, 0, 60, 50), ink)], 50) == 1
    assert count_apart([Piece((0, 60, 20, 110), ink), Piece((5, 0, 25, 50), ink)], 50) == 0
