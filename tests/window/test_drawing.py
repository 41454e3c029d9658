"""Strokes, brush, eraser and the keyboard's pen."""

from __future__ import annotations

import pygame
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


def test_resizing_keeps_the_strokes_and_the_answer(app: App) -> None:
    drag(app, SEVEN)
    before, text = app.drawing.canvas.picture(), read(app).text
    pygame.display.set_mode((600, 500))
    send(app, pygame.VIDEORESIZE, size=(600, 500), w=600, h=500)
    assert (app.drawing.canvas.picture() == before).all() and read(app).text == text
    assert app.settings.width == 600
    drag(app, [(400, 50), (400, 230)])
    assert read(app).text == "71"
