"""Ink grouped by hand: what belongs to a box, where it is cut, and how the reading is put together again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pygame
import pytest
from driving import SEVEN, Start, at, click, drag, press, read, send, settle, shown
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recognizer.answer import Digit, Reading, Sign
from window.app import App
from window.byhand import ByHand
from window.groups import combined, cut, group_of, lines_of, owners, right_neighbour
from window.paint.boxes import draw_boxes
from window.paint.theme import PALETTES, Style, Type

FRAME = np.zeros((28, 28), np.float32)


def digit(name: str, box: tuple[int, int, int, int], accepted: bool = True) -> Digit:
    return Digit(name, 0.9, (0.9,), box, FRAME, accepted)


def bars(*columns: int) -> np.ndarray:
    """Return a canvas (100, 200) with an upright bar, 10 wide and 60 high, at each of these columns."""
    ink = np.zeros((100, 200), np.uint8)
    for column in columns:
        ink[20:80, column : column + 10] = 255
    return ink


def test_each_blot_belongs_to_the_box_that_holds_it() -> None:
    ink = bars(20, 60)
    owner = owners(ink, [(20, 20, 10, 60), (18, 18, 60, 64)])  # the second holds both
    assert (owner[20:80, 20:30] == 0).all() and (owner[20:80, 60:70] == 1).all()
    assert ((owner < 0) == (ink == 0)).all()
    ink[90:95, 150:160] = 255  # no box's
    assert (owners(ink, [(20, 20, 10, 60), (18, 18, 60, 64)])[90:95] == -1).all()
    ink[90:95] = 0
    ink[50, 20:70] = 255  # now the bars are one blot
    owner = owners(ink, [(20, 20, 20, 60), (50, 20, 20, 60)])
    assert (
        (owner[ink > 0] >= 0).all() and (owner[20:80, 20:30] == 0).all() and (owner[20:80, 60:70] == 1).all()
    )


def test_the_next_box_to_the_right_is_of_the_same_line() -> None:
    boxes = [(0, 0, 20, 40), (60, 0, 20, 40), (30, 5, 20, 40), (25, 80, 20, 40)]
    assert right_neighbour(boxes, 0) == 2 and right_neighbour(boxes, 2) == 1
    assert right_neighbour(boxes, 1) is None and right_neighbour(boxes, 3) is None


@example([20, 100], True, True, None)
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 180), min_size=1, max_size=4, unique=True),
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.floats(-20, 220)),
)
def test_a_cut_loses_no_ink(columns: list[int], strokes: bool, linked: bool, at: float | None) -> None:
    ink = bars(*columns)
    if linked:  # by the end of another's stroke
        ink[50, min(columns) : max(columns) + 10] = 255
    parts = cut(ink, ink > 0, [bars(column) for column in columns] if strokes else [], at)
    if parts is None:
        return
    back = np.zeros_like(ink)
    for group in parts:
        assert group.ink.any()
        back[group.mask(ink.shape)] = 255
    assert (back == ink).all()


def test_strokes_that_stand_beside_each_other_are_told_apart_where_the_gap_is_widest() -> None:
    ink = bars(20, 40, 90)
    left, right = cut(ink, ink > 0, [bars(20), bars(40), bars(90)]) or (None, None)
    assert (
        left is not None
        and right is not None
        and (left.box, right.box) == ((20, 20, 30, 60), (90, 20, 10, 60))
    )
    left, _ = cut(ink, ink > 0, [bars(20), bars(40), bars(90)], at=34.0) or (None, None)
    assert left is not None and left.box == (20, 20, 10, 60)  # where it was pointed at


def test_one_stroke_is_cut_where_it_is_thinnest_or_near_the_pointer() -> None:
    ink = bars(20, 90, 160)
    ink[48:52, 20:170] = 255
    ink[40:60, 40:80] = 255  # a thick bridge, then a thin one
    left, right = cut(ink, ink > 0, []) or (None, None)
    assert left is not None and right is not None
    end = left.left + left.ink.shape[1]
    assert 80 <= end < 90 or 100 <= end <= 160
    left, _ = cut(ink, ink > 0, [], at=60.0) or (None, None)
    assert left is not None and 30 <= left.left + left.ink.shape[1] <= 90


def test_a_group_stands_until_its_own_ink_changes() -> None:
    ink = bars(20, 60)
    group = group_of(ink, bars(20) > 0)
    assert group.box == (20, 20, 10, 60) and group.stands(ink)
    ink[20:80, 60:70] = 0
    assert group.stands(ink)
    ink[30, 25] = 0
    assert not group.stands(ink) and not group.stands(ink[:40])


def test_a_digit_set_by_hand_is_read_at_its_place_among_digits_and_signs() -> None:
    groups = (digit("1", (0, 0, 20, 40)), digit("2", (100, 0, 20, 40)), digit("3", (0, 80, 20, 40)))
    reading = Reading("ok", "1.2\n3", groups, (Sign(".", 0.9, (60, 30, 5, 5)),), (("1.2\n3", 0.9),))
    again = combined(
        reading, [digit("7", (80, 2, 15, 40)), digit("9", (30, 82, 15, 40)), digit("5", (0, 160, 9, 40))]
    )
    assert again.text == "1.72\n39\n5" and [each.digit for each in again.groups] == list("172395")
    assert [sign.sign for sign in again.signs] == ["."] and again.alternatives == ()
    refused = Reading("not_a_digit", "", (digit("8", (0, 0, 20, 40), accepted=False),))
    assert combined(refused, [digit("7", (40, 0, 20, 40))]).text == "?7"
    assert combined(Reading("blank", "", ()), [digit("7", (40, 0, 20, 40))]).text == "7"


def test_marks_that_the_text_does_not_name_are_in_no_line() -> None:
    groups = (digit("1", (0, 0, 20, 40)), digit("8", (90, 0, 20, 40), accepted=False))
    reading = Reading("ok", "1", groups, (Sign(".", 0.9, (60, 30, 5, 5)),))
    assert lines_of(reading) == [[groups[0]]]
    last = digit("2", (90, 0, 20, 40))  # behind a mark that is no group
    reading = Reading("ok", "1?.2", (groups[0], last), reading.signs)
    assert lines_of(reading) == [[groups[0], *reading.signs, last]]


def test_what_is_set_by_hand_is_undone_before_the_drawings_step_it_followed() -> None:
    steps: list[object] = []
    by_hand = ByHand(lambda: steps[-1] if steps else None)
    group = group_of(bars(20), bars(20) > 0)
    steps.append(object())
    by_hand.set(groups=(group,))
    steps.append(object())
    assert not by_hand.can_undo
    steps.pop()
    assert by_hand.can_undo and by_hand.undo().groups == (group,) and by_hand.now.groups == ()
    assert by_hand.can_redo and by_hand.redo().groups == () and by_hand.now.groups == (group,)
    by_hand.undo()
    by_hand.drawn()
    assert not by_hand.can_redo


# ---------------------------------------------------------------------------------- in the window


def test_a_box_is_split_and_joined_by_key_and_undone(app: App) -> None:
    drag(app, [(100, 60), (100, 220)])
    drag(app, [(108, 60), (180, 60), (120, 220)])
    whole = read(app)
    ink = app.drawing.canvas.ink.copy()
    if len(whole.groups) == 2:
        press(app, pygame.K_LEFT)
        press(app, pygame.K_j)
        assert len(read(app).groups) == 1
    press(app, pygame.K_s)
    assert read(app).text == "17" and "Ctrl-Z" in app.message and app.on_show.selected == 0
    drag(app, [(400, 60), (400, 220)])
    assert read(app).text == "171"  # another stroke leaves them as they are
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert read(app).text == "17"
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert len(read(app).groups) == 1 and (app.drawing.canvas.ink == ink).all()
    press(app, pygame.K_y, pygame.KMOD_CTRL)
    assert read(app).text == "17"
    press(app, pygame.K_LEFT)
    press(app, pygame.K_j)
    assert len(read(app).groups) == 1
    drag(app, [(100, 120), (104, 130)], button=3)  # its ink changes: it is read as if nothing had been set
    assert not app.drawing.by_hand.standing(app.drawing.canvas.ink)


def test_a_split_group_learns_as_any_digit_does(app: App) -> None:
    drag(app, [(100, 60), (100, 220)])
    drag(app, [(140, 60), (140, 220)])
    read(app)
    press(app, pygame.K_LEFT)
    press(app, pygame.K_j)
    joined = read(app)
    assert len(joined.groups) == 1 and joined.groups[0].accepted
    press(app, pygame.K_0, letter="0")
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "0" and read(app).groups[0].corrected


def test_the_pointer_says_where_a_box_is_split(app: App) -> None:
    drag(app, [(100, 60), (100, 140), (400, 140), (400, 60), (400, 220)])
    app.on_show.set(Reading("ok", "4", (digit("4", (92, 52, 316, 176)),)))
    app.on_show.unread = False
    send(app, pygame.MOUSEMOTION, pos=at(app, (320, 150)), rel=(0, 0), buttons=(0, 0, 0), touch=False)
    app.teaching.cut()
    left, right = app.drawing.by_hand.now.groups
    assert 270 < left.left + left.ink.shape[1] < 370 and right.left + right.ink.shape[1] > 400


@pytest.mark.parametrize("key", [pygame.K_j, pygame.K_s])
def test_what_cannot_be_joined_or_split_is_said(start: Start, key: int) -> None:
    app = start(model=None)
    press(app, key)
    assert "no box" in app.message and not app.drawing.by_hand.now.groups


def test_a_chosen_text_is_shown_copied_learnt_and_undone(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(pygame.scrap, "put_text", copied.append)
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    reading = read(app)
    assert reading.text == "71"
    texts = (("71", 0.7), ("-74", 0.2), ("711", 0.05), ("7.1", 0.04), ("77", 0.03), ("17", 0.006))
    app.on_show.set(replace(reading, alternatives=texts))
    shown(app)
    assert (
        list(app.chip_places) == ["-74", "711", "7.1", "77"][: len(app.chip_places)]
        and len(app.chip_places) > 1
    )
    click(app, app.chip_places["-74"].center)
    memory = app.session.memory
    assert memory is not None
    settle(app, lambda: len(memory) == 1)
    assert memory.entries()[0].label == "4" and app.on_show.text == "-74"
    read(app)
    assert app.on_show.text == "-74" and app.on_show.groups[1].digit == "4"
    press(app, pygame.K_c, pygame.KMOD_CTRL)
    assert copied == ["-74"]
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    settle(app, lambda: len(memory) == 0)
    assert read(app).text == "71" == app.on_show.text and len(app.drawing.canvas.strokes) == 2
    press(app, pygame.K_y, pygame.KMOD_CTRL)
    settle(app, lambda: len(memory) == 1)
    read(app)
    assert app.on_show.text == "-74"
    drag(app, [(300, 60), (300, 220)])
    read(app)
    assert app.on_show.chosen is None  # it was said of other ink


def test_a_chosen_text_with_another_number_of_digits_teaches_nothing(app: App) -> None:
    drag(app, SEVEN)
    reading = read(app)
    app.on_show.set(replace(reading, alternatives=(("7", 0.6), ("41", 0.3))))
    app.teaching.choose("41")
    read(app)
    assert app.on_show.text == "41" and app.session.memory is not None and not len(app.session.memory)


def test_signs_have_lighter_boxes_and_what_is_left_out_dashed_ones() -> None:
    pygame.font.init()
    style = Style(PALETTES["light"], Type(), 1.0)
    told, left_out = Sign("-", 0.9, (20, 60, 30, 10)), Sign(".", 0.9, (300, 60, 60, 10))
    groups = (digit("7", (80, 40, 50, 80)), digit("8", (180, 40, 50, 80), accepted=False))
    surface = pygame.Surface((400, 200))
    surface.fill(style.palette.paper)
    draw_boxes(
        surface, style, Reading("ok", "-7?", groups, (told, left_out)), pygame.Rect, 0, surface.get_rect()
    )

    def edge(box: tuple[int, int, int, int], grow: int) -> np.ndarray:
        rect = pygame.Rect(box).inflate(grow, grow)
        return pygame.surfarray.array3d(surface)[rect.left + 6 : rect.right - 6, rect.bottom - 1]

    for box, grow, colour, whole in (
        (told.box, 6, style.palette.muted, True),
        (groups[0].box, 10, style.palette.accent, True),
        (groups[1].box, 10, style.palette.doubt, False),
        (left_out.box, 6, style.palette.doubt, False),
    ):
        coloured = (edge(box, grow) == colour).all(axis=1)
        assert coloured.any() and coloured.all() == whole, box
