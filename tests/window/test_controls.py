"""Pointer, fingers and keys."""

from __future__ import annotations

import numpy as np
import pygame
import pytest
from driving import SEVEN, at, click, drag, press, read, send, settle, shown

from window.app import App


def test_a_stroke_may_begin_outside_the_canvas(app: App) -> None:
    app.layout.canvas.inflate_ip(-200, -100)
    drag(app, [(-20, 100), (100, 100)])
    assert app.drawing.canvas.picture()[100, 2] == 0 and len(app.drawing.canvas.strokes) == 1


def test_a_pointer_that_comes_in_with_its_button_down_draws(app: App) -> None:
    for x in (50, 100, 150):
        send(app, pygame.MOUSEMOTION, pos=at(app, (x, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    assert app.drawing.canvas.picture()[100, 100] == 0


def test_a_button_let_go_outside_the_window_ends_the_stroke(app: App) -> None:
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, (50, 100)), button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (90, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (300, 200)), rel=(0, 0), buttons=(0, 0, 0), touch=False)
    assert app.drawing.canvas.current is None
    assert app.drawing.canvas.picture()[200, 300] == 255


def test_a_press_on_a_button_does_not_draw_when_dragged_off_it(app: App) -> None:
    button = next(widget for widget in app.shown_widgets if getattr(widget, "label", "") == "Why")
    send(app, pygame.MOUSEBUTTONDOWN, pos=button.rect.center, button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (100, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    assert not app.drawing.canvas.strokes


@pytest.mark.parametrize("part", ["bars", "answer", "frames", "status"])
def test_a_press_on_a_panel_does_not_draw_when_dragged_off_it(app: App, part: str) -> None:
    shown(app)
    send(app, pygame.MOUSEBUTTONDOWN, pos=getattr(app.layout, part).center, button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (100, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, (100, 100)), button=1, touch=False)
    assert not app.drawing.canvas.strokes
    drag(app, SEVEN)
    assert len(app.drawing.canvas.strokes) == 1


def test_the_right_button_and_the_eraser_erase(app: App) -> None:
    drag(app, [(50, 140), (500, 140)])
    drag(app, [(200, 140), (220, 140)], button=3)
    assert app.drawing.canvas.picture()[140, 210] == 255
    press(app, pygame.K_e)
    drag(app, [(400, 140), (420, 140)])
    assert app.drawing.canvas.picture()[140, 410] == 255
    press(app, pygame.K_e)
    drag(app, [(400, 140), (420, 140)])
    assert app.drawing.canvas.picture()[140, 410] == 0


def test_a_finger_draws_once_though_it_is_also_told_as_a_mouse(app: App) -> None:
    width, height = app.screen.get_size()

    def finger(kind: int, point: tuple[float, float], identity: int = 7) -> None:
        x, y = at(app, point)
        send(app, kind, touch_id=1, finger_id=identity, x=x / width, y=y / height, dx=0.0, dy=0.0)

    finger(pygame.FINGERDOWN, SEVEN[0])
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, SEVEN[0]), button=1, touch=True)
    finger(pygame.FINGERDOWN, (500, 250), identity=8)
    for point in SEVEN[1:]:
        finger(pygame.FINGERMOTION, point)
        finger(pygame.FINGERMOTION, (510, 250), identity=8)
        send(app, pygame.MOUSEMOTION, pos=at(app, point), rel=(0, 0), buttons=(1, 0, 0), touch=True)
    finger(pygame.FINGERUP, SEVEN[-1])
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, SEVEN[-1]), button=1, touch=True)
    assert len(app.drawing.canvas.strokes) == 1 and app.drawing.canvas.current is None
    assert len(app.drawing.canvas.strokes[0].points) == len(SEVEN)
    assert read(app).text == "7"


def test_two_pointers_do_not_tangle(app: App) -> None:
    width, height = app.screen.get_size()

    def finger(kind: int, point: tuple[float, float]) -> None:
        x, y = at(app, point)
        send(app, kind, touch_id=1, finger_id=7, x=x / width, y=y / height, dx=0.0, dy=0.0)

    finger(pygame.FINGERDOWN, SEVEN[0])
    for point in SEVEN[1:]:
        send(app, pygame.MOUSEMOTION, pos=at(app, (500, 250)), rel=(0, 0), buttons=(0, 0, 0), touch=False)
        drag(app, [(20, 250), (40, 250)])
        finger(pygame.FINGERMOTION, point)
    finger(pygame.FINGERUP, SEVEN[-1])
    assert [len(stroke.points) for stroke in app.drawing.canvas.strokes] == [len(SEVEN)]
    slider = next(widget for widget in app.shown_widgets if hasattr(widget, "high"))
    send(app, pygame.MOUSEBUTTONDOWN, pos=slider.rect.center, button=1, touch=False)
    brush = app.settings.brush
    finger(pygame.FINGERDOWN, SEVEN[0])
    finger(pygame.FINGERMOTION, (540, 20))
    assert app.settings.brush == brush and len(app.drawing.canvas.strokes) == 1


def test_a_finger_that_is_not_seen_lifted_leaves_the_mouse_its_pen(app: App) -> None:
    send(app, pygame.FINGERDOWN, touch_id=1, finger_id=7, x=0.4, y=0.4, dx=0.0, dy=0.0)
    send(app, pygame.WINDOWFOCUSLOST)
    assert app.drawing.canvas.current is None
    drag(app, SEVEN)
    assert len(app.drawing.canvas.strokes[-1].points) == len(SEVEN)


def test_a_finger_presses_buttons_while_the_keyboards_pen_is_down(app: App) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_SPACE)
    button = next(widget for widget in app.shown_widgets if getattr(widget, "label", "") == "Erase")
    x, y = button.rect.center
    width, height = app.screen.get_size()
    send(app, pygame.FINGERDOWN, touch_id=1, finger_id=7, x=x / width, y=y / height, dx=0.0, dy=0.0)
    assert app.drawing.eraser


def test_a_mouse_that_moves_leaves_the_keyboards_pen_alone(app: App) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_SPACE)
    for x in (20, 300, 500):
        send(app, pygame.MOUSEMOTION, pos=at(app, (x, 250)), rel=(0, 0), buttons=(0, 0, 0), touch=False)
    press(app, pygame.K_DOWN)
    assert (
        app.drawing.canvas.current is not None
        and np.ptp([x for x, _ in app.drawing.canvas.current.points]) == 0
    )


def test_letters_of_other_alphabets_are_the_keys_at_their_place(app: App) -> None:
    drag(app, SEVEN)
    send(
        app, pygame.KEYDOWN, key=0x44F, scancode=pygame.KSCAN_Z, mod=pygame.KMOD_CTRL, unicode=""
    )  # a Russian letter
    assert app.drawing.canvas.empty
    send(
        app,
        pygame.KEYDOWN,
        key=pygame.K_8,
        scancode=pygame.KSCAN_8,
        mod=pygame.KMOD_CTRL | pygame.KMOD_RALT,
        unicode="[",
    )
    assert app.settings.brush == 14  # AltGr


@pytest.mark.parametrize("button", [2, 4, 5])
def test_other_buttons_neither_draw_nor_end_a_stroke(app: App, button: int) -> None:
    drag(app, SEVEN, button=button)
    assert not app.drawing.canvas.strokes
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, (50, 50)), button=1, touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, (50, 50)), button=button, touch=False)
    assert app.drawing.canvas.current is not None


def test_the_right_button_erases_when_it_comes_in_from_beside(app: App) -> None:
    drag(app, [(50, 140), (500, 140)])
    for x in (200, 220):
        send(app, pygame.MOUSEMOTION, pos=at(app, (x, 140)), rel=(0, 0), buttons=(0, 0, 1), touch=False)
    assert app.drawing.canvas.picture()[140, 210] == 255


def test_cmd_is_control(app: App) -> None:
    drag(app, SEVEN)
    press(app, pygame.K_z, pygame.KMOD_META)
    assert app.drawing.canvas.empty


def test_hovering_explains_each_part(app: App) -> None:
    hints = set()
    for rect in (
        app.layout.canvas,
        app.layout.answer,
        app.layout.bars,
        app.layout.frames,
        *(w.rect for w in app.shown_widgets),
    ):
        send(app, pygame.MOUSEMOTION, pos=rect.center, rel=(0, 0), buttons=(0, 0, 0), touch=False)
        assert {"status", "all"} & app.dirty
        app.draw()
        hints.add(app.hint_at(app.pointer))
    assert len(hints) == 4 + len(app.shown_widgets) and "" not in hints


def test_only_the_arrows_go_on_while_they_are_held(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    for digit in "123":
        press(app, pygame.K_0 + int(digit), letter=digit)
        settle(app, lambda digit=digit: digit in app.message)
    press(app, pygame.K_p)
    for _ in range(5):
        send(app, pygame.KEYDOWN, key=pygame.K_BACKSPACE, mod=0, unicode="")
    settle(app, lambda: not app.worker.asked_for(app.session.unlearn))
    assert app.session.memory is not None and len(app.session.memory) == 2
    before = app.drawing.pen
    for _ in range(5):
        send(app, pygame.KEYDOWN, key=pygame.K_RIGHT, mod=0, unicode="")
    assert before and app.drawing.pen and app.drawing.pen[0] > before[0] + 10


def test_a_click_on_a_digits_label_marks_it_and_leaves_no_dot(app: App) -> None:
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    read(app)
    shown(app)
    before = app.drawing.canvas.picture()
    assert app.on_show.selected == 1
    click(app, app.label_places[0].center)
    assert app.on_show.selected == 0 and (app.drawing.canvas.picture() == before).all()


def test_a_stroke_may_begin_on_a_digits_label(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    shown(app)
    start = app.label_places[0].center
    end = start[0], start[1] + 60
    send(app, pygame.MOUSEBUTTONDOWN, pos=start, button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=end, rel=(0, 0), buttons=(1, 0, 0), touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=end, button=1, touch=False)
    stroke = app.drawing.canvas.strokes[-1]
    assert len(app.drawing.canvas.strokes) == 2 and len(stroke) == 2
    assert app.drawing.to_window(stroke[0]) == pytest.approx(start, abs=1)


def test_a_ring_shows_the_brush_over_the_canvas_and_the_arrow_elsewhere(app: App) -> None:
    shown(app)
    place = at(app, (100, 100))
    send(app, pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(0, 0, 0), touch=False)
    assert not pygame.mouse.get_visible()
    (area,) = [rect for rect in app.draw() if app.layout.canvas.contains(rect)]
    assert area.width < 60
    assert not (pygame.surfarray.array3d(app.screen)[place[0] - 20 : place[0] + 20, place[1]] == 255).all()
    clean = app.drawing.sheet.get_at((0, 0))[:3]
    send(app, pygame.MOUSEMOTION, pos=app.layout.bars.center, rel=(0, 0), buttons=(0, 0, 0), touch=False)
    assert pygame.mouse.get_visible() and app.drawing.ring is None
    app.draw()
    assert (pygame.surfarray.array3d(app.screen)[place[0] - 20 : place[0] + 20, place[1]] == clean).all()


def test_the_pointer_is_a_hand_over_what_can_be_pressed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(pygame.mouse, "set_cursor", seen.append)
    drag(app, SEVEN)
    read(app)
    shown(app)

    def over(place: tuple[int, int]) -> int:
        send(app, pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(0, 0, 0), touch=False)
        return seen[-1] if seen else pygame.SYSTEM_CURSOR_ARROW

    hand, arrow = pygame.SYSTEM_CURSOR_HAND, pygame.SYSTEM_CURSOR_ARROW
    redo = next(widget for widget in app.shown_widgets if getattr(widget, "label", "") == "Redo")
    for place, cursor in (
        (app.shown_widgets[1].rect.center, hand),
        (redo.rect.center, arrow),  # it would do nothing
        (app.bar_places["3"].center, hand),
        (app.layout.status.center, arrow),
        (app.label_places[0].center, hand),
    ):
        assert over(place) == cursor
    assert pygame.mouse.get_visible()


def test_a_stroke_ends_at_the_canvas_edge_and_goes_on_where_it_comes_in(app: App) -> None:
    width = app.drawing.canvas.width
    drag(app, [(width - 60, 100), (width + 900, 100), (width + 900, 200), (width - 60, 200)])
    assert len(app.drawing.canvas.strokes) == 2 and app.drawing.canvas.current is None
    ends = [x for stroke in app.drawing.canvas.strokes for x, _ in stroke.points]
    assert max(ends) < width + 20  # or the next size of the window would show it small
    picture = app.drawing.canvas.picture()
    assert picture[100, width - 1] == 0 == picture[200, width - 1] and picture[150, width - 1] == 255
