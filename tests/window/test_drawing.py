"""Strokes, brush, eraser and the keyboard's pen."""

from __future__ import annotations

from pathlib import Path

import pygame
import pytest
from driving import SEVEN, drag, press, read, send, shown

from window.app import App


def test_a_fast_drag_leaves_no_gaps(app: App) -> None:
    drag(app, [(20, 20), (540, 260)])
    picture = app.drawing.canvas.picture()
    assert all((picture[:, x] < 128).any() for x in range(20, 541))


def test_undo_redo_and_clear_by_key(app: App) -> None:
    drag(app, SEVEN)
    one = app.drawing.canvas.picture()
    drag(app, [(400, 50), (400, 200)])
    two = app.drawing.canvas.picture()
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert (app.drawing.canvas.picture() == one).all()
    press(app, pygame.K_y, pygame.KMOD_CTRL)
    assert (app.drawing.canvas.picture() == two).all()
    press(app, pygame.K_c)
    assert app.drawing.canvas.empty
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert (app.drawing.canvas.picture() == one).all()
    press(app, pygame.K_z, pygame.KMOD_CTRL | pygame.KMOD_SHIFT)
    assert (app.drawing.canvas.picture() == two).all()


def test_a_digit_is_drawn_with_the_keyboard_alone(app: App) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_LEFT)
    press(app, pygame.K_SPACE)
    for _ in range(35):
        press(app, pygame.K_DOWN)
        app.tick()
        shown(app)
    press(app, pygame.K_SPACE)
    press(app, pygame.K_RIGHT)
    press(app, pygame.K_ESCAPE)
    assert app.running and app.drawing.pen is None and len(app.drawing.canvas.strokes) == 1
    assert read(app).text == "1"
    press(app, pygame.K_RIGHT)  # marks groups again
    assert len(app.drawing.canvas.strokes) == 1


def test_brush_by_wheel_keys_and_slider(app: App) -> None:
    start = app.settings.brush
    send(app, pygame.MOUSEWHEEL, x=0, y=1, flipped=False)
    press(app, pygame.K_RIGHTBRACKET, letter="]")
    assert app.settings.brush == start + 4
    press(app, pygame.K_LEFTBRACKET, letter="[")
    assert app.settings.brush == start + 2
    slider = app.shown_widgets[0]
    send(app, pygame.MOUSEBUTTONDOWN, pos=(slider.rect.right - 1, slider.rect.centery), button=1, touch=False)
    assert app.settings.brush == 48
    send(app, pygame.MOUSEMOTION, pos=(slider.rect.left, 700), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    assert app.settings.brush == 4
    for _ in range(100):
        send(app, pygame.MOUSEWHEEL, x=0, y=-1, flipped=False)
    drag(app, [(100, 100)])
    assert app.drawing.canvas.strokes[0].brush == 4


def test_the_keyboards_pen_keeps_inside_and_erases(app: App) -> None:
    press(app, pygame.K_p)
    for _ in range(100):
        press(app, pygame.K_UP)
    assert app.drawing.pen[1] == 0
    press(app, pygame.K_e)
    press(app, pygame.K_SPACE)
    assert app.drawing.canvas.current.eraser


def resize(app: App, *size: int) -> None:
    pygame.display.set_mode(size)
    send(app, pygame.VIDEORESIZE, size=size, w=size[0], h=size[1])


def test_resizing_keeps_the_strokes_and_the_answer(app: App) -> None:
    drag(app, SEVEN)
    points, before = app.drawing.canvas.strokes[0].points, read(app)
    for size in ((600, 500), (1600, 400), (500, 1300)):
        resize(app, *size)
        assert app.drawing.canvas.strokes[0].points == points
        again = read(app)
        assert [(each.box, each.probs) for each in again.groups] == [
            (each.box, each.probs) for each in before.groups
        ]
        area = app.layout.canvas
        assert app.drawing.sheet.get_width() >= area.width and app.drawing.sheet.get_height() >= area.height
        shown(app)
        assert area.contains(app.on_show.to_window(again.groups[0].box))
    assert app.settings.width == 500
    drag(app, [(400, 50), (400, 230)])
    assert read(app).text == "71"


def test_ink_at_the_far_end_stays_in_sight_in_a_smaller_window_and_keeps_its_shape(app: App) -> None:
    resize(app, 1600, 400)
    far = app.drawing.canvas.width - 30
    drag(app, [(far, 40), (far, 200)])
    assert far > 600
    resize(app, 500, 500)
    assert app.drawing.canvas.width > far
    box = app.on_show.to_window((far - 8, 32, 16, 176))
    assert app.layout.canvas.contains(box) and box.height / box.width == pytest.approx(11, rel=0.2)
    shown(app)
    assert app.screen.get_at(box.center)[:3] == app.style.palette.ink
    press(app, pygame.K_c)
    assert app.drawing.canvas.width == 560  # as large as it may be again
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert app.drawing.canvas.width > far and app.drawing.canvas.strokes


def test_a_drawing_of_another_shape_is_opened_at_its_own_coordinates(app: App, tmp_path: Path) -> None:
    resize(app, 500, 900)
    drag(app, [(100, 400), (200, 500)])
    points = app.drawing.canvas.strokes[0].points
    (tmp_path / "tall.json").write_text(app.drawing.canvas.to_json())
    resize(app, 1000, 600)
    press(app, pygame.K_c)
    assert app.drawing.canvas.height < 450
    assert app.exchange.open_strokes(tmp_path / "tall.json")
    assert app.drawing.canvas.strokes[0].points == points and app.drawing.canvas.height > 500
