"""The window, driven by events without a display."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
import torch
from PIL import Image

import app as command
from base.checkpoint import Checkpoint, save_checkpoint
from corrections.memory import Memory
from dataset import Digits
from ink.canvas import Canvas
from ink.frame import make_frame
from ink.looks import read_ink
from model import build_model
from recognizer.answer import Digit, Reading
from recognizer.explain import feature_maps, saliency
from recognizer.road import Recognizer
from window import answers
from window.app import App
from window.cards import CorrectionsCard, FilesCard, HelpCard, _local_time
from window.layout import arrange
from window.panels import in_words, picture_of
from window.session import FileReading, Session
from window.settings import Settings, load_settings, save_settings
from window.theme import PALETTES
from window.widgets import Button
from window.worker import Result, Worker

ROOT = Path(__file__).resolve().parent.parent
SEVEN = [(150, 60), (260, 55), (200, 220)]  # canvas units
Start = Callable[..., App]


@pytest.fixture(scope="module", autouse=True)
def display() -> Iterator[None]:
    pygame.display.init()
    pygame.font.init()
    yield
    pygame.display.quit()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start windows of any size and model; they are closed in the end."""
    apps = []

    def begin(
        size: tuple[int, int] = (1024, 768),
        scale: float = 1.0,
        theme: str = "light",
        model: Path | None = ROOT / "model.pth",
    ) -> App:
        screen = pygame.display.set_mode(size)
        session = Session(corrections=tmp_path / "corrections")
        app = App(screen, session, Worker(session), Settings(*size, theme=theme), scale, tmp_path)
        apps.append(app)
        if model:
            app.worker.ask("load", model)
            settle(app, lambda: bool(app.trouble or app.model and not app.worker.asked_for("classes")))
        return app

    pygame.event.clear()
    yield begin
    for app in apps:
        app.worker.close()


@pytest.fixture
def app(start: Start) -> App:
    return start()


def settle(app: App, done: Callable[[], bool], seconds: float = 20) -> None:
    """Let the worker answer until `done`."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, (app.message, app.trouble)
        app.tick()
        time.sleep(0.002)


def send(app: App, kind: int, **values: Any) -> None:
    app.handle(pygame.event.Event(kind, values))


def press(app: App, key: int, mod: int = 0, letter: str = "") -> None:
    send(app, pygame.KEYDOWN, key=key, mod=mod, unicode=letter)
    send(app, pygame.KEYUP, key=key, mod=mod)


def at(app: App, point: tuple[float, float]) -> tuple[int, int]:
    """Return window pixels for canvas units."""
    rect = app.layout.canvas
    return round(rect.left + point[0] * app.view.scale), round(rect.top + point[1] * app.view.scale)


def drag(app: App, points: list[tuple[float, float]], button: int = 1, touch: bool = False) -> None:
    buttons = (int(button == 1), 0, int(button == 3))
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, points[0]), button=button, touch=touch)
    for point in points[1:]:
        send(app, pygame.MOUSEMOTION, pos=at(app, point), rel=(0, 0), buttons=buttons, touch=touch)
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, points[-1]), button=button, touch=touch)


def click(app: App, position: tuple[float, float]) -> None:
    send(app, pygame.MOUSEBUTTONDOWN, pos=position, button=1, touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=position, button=1, touch=False)


def read(app: App) -> Reading:
    """Wait for the answer to what is drawn now."""
    app.tick()
    settle(app, lambda: not app.worker.asked_for("read"))
    app.tick()
    assert app.reading is not None
    return app.reading


def shown(app: App) -> np.ndarray:
    app.draw()
    return pygame.surfarray.array3d(app.screen).copy()


# ---------------------------------------------------------------------------------- drawing


def test_a_drawn_seven_is_read(app: App) -> None:
    drag(app, SEVEN)
    assert read(app).text == "7"


def test_a_whole_number_is_read_from_left_to_right(app: App) -> None:
    for left in (0, 150, 280):
        drag(app, [(x + left - 100, y) for x, y in SEVEN])
    assert read(app).text == "777"


def test_the_answer_follows_the_pen_while_the_button_is_down(app: App) -> None:
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, SEVEN[0]), button=1, touch=False)
    for point in SEVEN[1:]:
        send(app, pygame.MOUSEMOTION, pos=at(app, point), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    assert app.canvas.current is not None
    assert read(app).text == "7"


def test_an_empty_canvas_gives_no_answer(app: App) -> None:
    assert app.reading is None
    drag(app, SEVEN)
    read(app)
    press(app, pygame.K_c)
    app.tick()
    assert app.reading is None
    assert app.waiting().startswith("Draw")


def test_a_late_answer_is_not_shown_on_an_empty_canvas(app: App) -> None:
    drag(app, SEVEN)
    app.tick()
    press(app, pygame.K_c)
    settle(app, lambda: not app.worker.asked_for("read"))
    app.tick()
    assert app.reading is None


def test_a_fast_drag_leaves_no_gaps(app: App) -> None:
    drag(app, [(20, 20), (540, 260)])
    picture = app.canvas.picture()
    assert all((picture[:, x] < 128).any() for x in range(20, 541))


def test_a_stroke_may_begin_outside_the_canvas(app: App) -> None:
    app.layout.canvas.inflate_ip(-200, -100)
    drag(app, [(-20, 100), (100, 100)])
    assert app.canvas.picture()[100, 2] == 0 and len(app.canvas.strokes) == 1


def test_a_pointer_that_comes_in_with_its_button_down_draws(app: App) -> None:
    for x in (50, 100, 150):
        send(app, pygame.MOUSEMOTION, pos=at(app, (x, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    assert app.canvas.picture()[100, 100] == 0


def test_a_button_let_go_outside_the_window_ends_the_stroke(app: App) -> None:
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, (50, 100)), button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (90, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (300, 200)), rel=(0, 0), buttons=(0, 0, 0), touch=False)
    assert app.canvas.current is None
    assert app.canvas.picture()[200, 300] == 255


def test_a_press_on_a_button_does_not_draw_when_dragged_off_it(app: App) -> None:
    button = next(widget for widget in app.shown_widgets if getattr(widget, "label", "") == "Theme")
    send(app, pygame.MOUSEBUTTONDOWN, pos=button.rect.center, button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (100, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    assert not app.canvas.strokes


@pytest.mark.parametrize("part", ["bars", "answer", "frames", "status"])
def test_a_press_on_a_panel_does_not_draw_when_dragged_off_it(app: App, part: str) -> None:
    shown(app)
    send(app, pygame.MOUSEBUTTONDOWN, pos=getattr(app.layout, part).center, button=1, touch=False)
    send(app, pygame.MOUSEMOTION, pos=at(app, (100, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, (100, 100)), button=1, touch=False)
    assert not app.canvas.strokes
    drag(app, SEVEN)
    assert len(app.canvas.strokes) == 1


def test_the_right_button_and_the_eraser_erase(app: App) -> None:
    drag(app, [(50, 140), (500, 140)])
    drag(app, [(200, 140), (220, 140)], button=3)
    assert app.canvas.picture()[140, 210] == 255
    press(app, pygame.K_e)
    drag(app, [(400, 140), (420, 140)])
    assert app.canvas.picture()[140, 410] == 255
    press(app, pygame.K_e)
    drag(app, [(400, 140), (420, 140)])
    assert app.canvas.picture()[140, 410] == 0


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
    assert len(app.canvas.strokes) == 1 and app.canvas.current is None
    assert len(app.canvas.strokes[0].points) == len(SEVEN)
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
    assert [len(stroke.points) for stroke in app.canvas.strokes] == [len(SEVEN)]
    slider = next(widget for widget in app.shown_widgets if hasattr(widget, "high"))
    send(app, pygame.MOUSEBUTTONDOWN, pos=slider.rect.center, button=1, touch=False)
    brush = app.settings.brush
    finger(pygame.FINGERDOWN, SEVEN[0])
    finger(pygame.FINGERMOTION, (540, 20))
    assert app.settings.brush == brush and len(app.canvas.strokes) == 1


def test_a_finger_that_is_not_seen_lifted_leaves_the_mouse_its_pen(app: App) -> None:
    send(app, pygame.FINGERDOWN, touch_id=1, finger_id=7, x=0.4, y=0.4, dx=0.0, dy=0.0)
    send(app, pygame.WINDOWFOCUSLOST)
    assert app.canvas.current is None
    drag(app, SEVEN)
    assert len(app.canvas.strokes[-1].points) == len(SEVEN)


def test_a_finger_presses_buttons_while_the_keyboards_pen_is_down(app: App) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_SPACE)
    button = next(widget for widget in app.shown_widgets if getattr(widget, "label", "") == "Erase")
    x, y = button.rect.center
    width, height = app.screen.get_size()
    send(app, pygame.FINGERDOWN, touch_id=1, finger_id=7, x=x / width, y=y / height, dx=0.0, dy=0.0)
    assert app.eraser


def test_an_emptied_canvas_waits_for_a_drawing_not_for_an_answer(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    drag(app, SEVEN)
    monkeypatch.setattr(app.worker, "asked_for", lambda kind: True)
    press(app, pygame.K_c)
    app.tick()
    assert app.waiting().startswith("Draw")


def test_a_mouse_that_moves_leaves_the_keyboards_pen_alone(app: App) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_SPACE)
    for x in (20, 300, 500):
        send(app, pygame.MOUSEMOTION, pos=at(app, (x, 250)), rel=(0, 0), buttons=(0, 0, 0), touch=False)
    press(app, pygame.K_DOWN)
    assert app.canvas.current is not None and np.ptp([x for x, _ in app.canvas.current.points]) == 0


def test_letters_of_other_alphabets_are_the_keys_at_their_place(app: App) -> None:
    drag(app, SEVEN)
    send(
        app, pygame.KEYDOWN, key=0x44F, scancode=pygame.KSCAN_Z, mod=pygame.KMOD_CTRL, unicode=""
    )  # a Russian letter
    assert app.canvas.empty
    send(
        app,
        pygame.KEYDOWN,
        key=pygame.K_8,
        scancode=pygame.KSCAN_8,
        mod=pygame.KMOD_CTRL | pygame.KMOD_RALT,
        unicode="[",
    )
    assert app.settings.brush == 14  # AltGr


def test_undo_redo_and_clear_by_key(app: App) -> None:
    drag(app, SEVEN)
    one = app.canvas.picture()
    drag(app, [(400, 50), (400, 200)])
    two = app.canvas.picture()
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert (app.canvas.picture() == one).all()
    press(app, pygame.K_y, pygame.KMOD_CTRL)
    assert (app.canvas.picture() == two).all()
    press(app, pygame.K_c)
    assert app.canvas.empty
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    assert (app.canvas.picture() == one).all()
    press(app, pygame.K_z, pygame.KMOD_CTRL | pygame.KMOD_SHIFT)
    assert (app.canvas.picture() == two).all()


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
    assert app.running and app.pen is None and len(app.canvas.strokes) == 1
    assert read(app).text == "1"
    press(app, pygame.K_RIGHT)  # marks groups again
    assert len(app.canvas.strokes) == 1


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
    assert app.canvas.strokes[0].brush == 4


@pytest.mark.parametrize("button", [2, 4, 5])
def test_other_buttons_neither_draw_nor_end_a_stroke(app: App, button: int) -> None:
    drag(app, SEVEN, button=button)
    assert not app.canvas.strokes
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, (50, 50)), button=1, touch=False)
    send(app, pygame.MOUSEBUTTONUP, pos=at(app, (50, 50)), button=button, touch=False)
    assert app.canvas.current is not None


def test_the_right_button_erases_when_it_comes_in_from_beside(app: App) -> None:
    drag(app, [(50, 140), (500, 140)])
    for x in (200, 220):
        send(app, pygame.MOUSEMOTION, pos=at(app, (x, 140)), rel=(0, 0), buttons=(0, 0, 1), touch=False)
    assert app.canvas.picture()[140, 210] == 255


def test_the_keyboards_pen_keeps_inside_and_erases(app: App) -> None:
    press(app, pygame.K_p)
    for _ in range(100):
        press(app, pygame.K_UP)
    assert app.pen[1] == 0
    press(app, pygame.K_e)
    press(app, pygame.K_SPACE)
    assert app.canvas.current.eraser


def test_cmd_is_control(app: App) -> None:
    drag(app, SEVEN)
    press(app, pygame.K_z, pygame.KMOD_META)
    assert app.canvas.empty


# ---------------------------------------------------------------------------------- looking


def test_answers_that_come_late_change_no_picture(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    drag(app, [(450, 60), (450, 220)])
    one = read(app)
    Image.fromarray(seven).save(tmp_path / "a.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "a.png"))
    settle(app, lambda: app.shown is not None)
    seen = app.reading
    answers.take(app, Result("read", ("canvas", app.source), one))
    answers.take(app, Result("read", ("picture", app.source - 1), one))
    assert app.reading is seen


def test_a_click_leaves_the_picture_shown(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    Image.fromarray(seven).save(tmp_path / "a.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "a.png"))
    settle(app, lambda: app.shown is not None)
    click(app, app.layout.canvas.center)
    assert app.shown is None and not app.canvas.strokes


@pytest.mark.parametrize(
    "groups, said",
    [
        ([("7", 0.8, True)], ("Likely, 80.0%", 0.8, False)),
        ([("7", 0.6, True)], ("Unsure, 60.0%", 0.6, True)),
        ([("7", 1.0, True)], ("Sure, 99.9%", 1.0, False)),
        ([("7", 0.99, True), ("1", 0.96, True)], ("Sure, at least 96.0%", 0.96, False)),
        ([("7", 0.99, True), ("1", 0.5, False)], ("1 mark is not a digit. Sure, 99.0%", 0.99, True)),
    ],
)
def test_the_answer_says_how_sure_it_is(groups: list, said: tuple) -> None:
    made = tuple(
        Digit(digit, sure, (), (0, 0, 9, 9), np.zeros((28, 28)), accepted) for digit, sure, accepted in groups
    )
    assert in_words(Reading("ok", "".join(digit for digit, *_ in groups), made), "")[1:] == said


def test_frames_are_shown_upright() -> None:
    frame = np.zeros((4, 4), np.float32)
    frame[0, 3] = 1
    assert picture_of(frame, (4, 4)).get_at((3, 0))[:3] == (255, 255, 255)


def test_the_heat_is_that_of_the_class_asked_for() -> None:
    def halves(images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images[..., :14].sum((1, 2, 3)), images[..., 14:].sum((1, 2, 3))], 1)

    ones = np.ones((28, 28), np.float32)
    left, right = saliency(halves, ones, 0), saliency(halves, ones, 1)
    assert (
        left[:, :10].min() > 0.9 > 0.1 > left[:, 18:].max()
        and right[:, 18:].min() > 0.9 > 0.1 > right[:, :10].max()
    )


def test_a_network_without_gradients_shows_no_heat(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="gives no gradient"):
        saliency(lambda images: torch.zeros(len(images), 10), np.ones((28, 28), np.float32), 3)
    drag(app, SEVEN)
    read(app)
    monkeypatch.setattr(
        app.session.recognizer.checkpoint, "model", lambda images: torch.zeros(len(images), 10)
    )
    press(app, pygame.K_h)
    settle(app, lambda: "gives no gradient" in app.message)
    assert not app.heat


def test_looking_at_the_layers_leaves_no_hooks(recognizer: Recognizer, seven: np.ndarray) -> None:
    feature_maps(recognizer.checkpoint.model, recognizer.read(seven).groups[0].frame)
    assert not any(module._forward_hooks for module in recognizer.checkpoint.model.modules())


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((480, 360), 1),
        ((480, 360), 2),
        ((1024, 768), 1),
        ((1024, 768), 2),
        ((700, 1000), 1),
        ((3840, 2160), 2),
    ],
)
def test_everything_has_its_place_at_every_size(
    start: Start, size: tuple[int, int], scale: float, theme: str
) -> None:
    app = start(size, scale, theme)
    layout = app.layout
    parts = [layout.toolbar, layout.canvas, layout.answer, layout.bars, layout.frames, layout.status]
    for index, part in enumerate(parts):
        assert app.screen.get_rect().contains(part) and part.width > 20 and part.height > 10
        assert part.collidelist(parts[index + 1 :]) == -1
    assert layout.canvas.width * layout.canvas.height > 0.28 * size[0] * size[1]
    assert layout.canvas.width == pytest.approx(2 * layout.canvas.height, abs=2)
    widgets = [widget.rect for widget in app.shown_widgets]
    assert all(layout.toolbar.contains(rect) for rect in widgets) and len(widgets) >= 8
    assert all(rect.collidelist(widgets[index + 1 :]) == -1 for index, rect in enumerate(widgets))
    drag(app, SEVEN)
    assert read(app).text == "7"
    assert len(np.unique(shown(app)[::3, ::3].reshape(-1, 3)[::5], axis=0)) > 20


def test_what_is_drawn_in_part_equals_what_is_drawn_whole(app: App) -> None:
    app.message = ""
    app.show("all")
    shown(app)
    drag(app, SEVEN)
    read(app)
    shown(app)
    press(app, pygame.K_e)
    send(app, pygame.MOUSEMOTION, pos=app.layout.bars.center, rel=(0, 0), buttons=(0, 0, 0), touch=False)
    drag(app, [(180, 60), (230, 100)])
    read(app)
    in_parts = shown(app)
    app.show("all")
    assert (shown(app) == in_parts).all()


def test_resizing_keeps_the_strokes_and_the_answer(app: App) -> None:
    drag(app, SEVEN)
    before, text = app.canvas.picture(), read(app).text
    pygame.display.set_mode((600, 500))
    send(app, pygame.VIDEORESIZE, size=(600, 500), w=600, h=500)
    assert (app.canvas.picture() == before).all() and read(app).text == text
    assert app.settings.width == 600
    drag(app, [(400, 50), (400, 230)])
    assert read(app).text == "71"


def test_the_sheet_shows_the_canvas_upright(app: App) -> None:
    drag(app, [(400, 60), (520, 60)])
    picture = shown(app)
    assert picture[at(app, (460, 60))].tolist() == list(PALETTES["light"].ink)
    assert picture[at(app, (60, 230))].tolist() == list(PALETTES["light"].paper)


def test_the_dark_theme_shows_light_ink_and_reads_the_same(app: App) -> None:
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_t)
    assert shown(app)[at(app, (205, 57))].tolist() == list(PALETTES["dark"].ink)
    assert app.settings.theme == "dark"
    assert (app.canvas.picture()[57, 205] == 0) and read(app).groups[0].probs == before.groups[0].probs


def test_words_for_confidence_and_for_no_digit(app: App) -> None:
    drag(app, SEVEN)
    sure = read(app)
    number, words, confidence, doubt = in_words(sure, "")
    assert (number, doubt) == ("7", False) and words.startswith("Sure") and confidence == sure.confidence
    assert "Not a digit" in in_words(Reading("not_a_digit", "", ()), "")[1]
    assert "Nothing here" in in_words(Reading("blank", "", ()), "")[1]


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
        assert "status" in app.dirty
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
    settle(app, lambda: not app.worker.asked_for("unlearn"))
    assert app.session.memory is not None and len(app.session.memory) == 2
    before = app.pen
    for _ in range(5):
        send(app, pygame.KEYDOWN, key=pygame.K_RIGHT, mod=0, unicode="")
    assert before and app.pen and app.pen[0] > before[0] + 10


def test_a_stroke_in_progress_is_saved_too(app: App, tmp_path: Path) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_SPACE)
    for _ in range(10):
        press(app, pygame.K_DOWN)
    press(app, pygame.K_j)
    (saved,) = json.loads((tmp_path / "drawing.json").read_text())["strokes"]
    assert len(saved["points"]) > 5


def test_the_heat_map_of_a_picture_shown_whole_covers_it(start: Start, tmp_path: Path) -> None:
    torch.manual_seed(0)
    checkpoint = Checkpoint(
        build_model("colour", 2).eval(), "colour", {}, ("a", "b"), {"size": 64, "channels": 3, "road": False}
    )
    save_checkpoint(tmp_path / "colour.pth", checkpoint)
    night = np.zeros((64, 64, 3), np.uint8)
    night[40:60, 40:60] = np.random.default_rng(0).integers(0, 255, (20, 20, 3))  # the rest is black
    Image.fromarray(night).save(tmp_path / "night.png")
    app = start(model=tmp_path / "colour.pth")
    send(app, pygame.DROPFILE, file=str(tmp_path / "night.png"))
    settle(app, lambda: app.shown is not None and app.reading is not None)
    press(app, pygame.K_h)
    settle(app, lambda: bool(app.heats))
    app.heats = [np.tile(np.linspace(0, 1, 64), (64, 1))]
    app.show("all")
    picture, rect = shown(app).astype(int), app.picture_rect()
    column = picture[:, rect.centery - rect.height // 4]  # in the black: the map alone
    steps = [column[rect.left + rect.width * part // 8].tolist() for part in (1, 4, 7)]
    assert steps[0] != steps[1] != steps[2], steps


def test_the_heat_map_colours_the_ink_and_goes_again(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    before = shown(app)
    press(app, pygame.K_h)
    settle(app, lambda: bool(app.heats))
    hot = shown(app)
    rect = app.layout.canvas
    area = np.s_[rect.left : rect.right, rect.top : rect.bottom]
    assert (hot[area] != before[area]).any(axis=2).sum() > 500
    press(app, pygame.K_h)
    assert (shown(app)[area] == before[area]).all()


def test_contrast_of_text_is_enough_to_read() -> None:
    def brightness(colour: tuple[int, int, int]) -> float:  # relative luminance, WCAG 2
        r, g, b = (
            value / 3294.6 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour
        )
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for palette in PALETTES.values():
        for colour in (palette.text, palette.faint, palette.accent, palette.doubt):
            low, high = sorted((brightness(colour), brightness(palette.panel)))
            assert (high + 0.05) / (low + 0.05) >= 4.5


# Machado, Oliveira and Fernandes (2009), severity 1.0: linear RGB as those see it who lack one kind of cone
LACKING = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}
DIFFERENT = 20.0  # CIE 1976 colour difference; 2.3 can just be seen side by side, 20 is told apart without a second look


def lab(colour: tuple[int, int, int], lacking: str) -> np.ndarray:
    """Return CIE L*a*b* (D65) of an sRGB colour as somebody sees it who is `lacking` a kind of cone."""
    share = np.array(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(LACKING[lacking]) @ linear, 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ seen
        / (0.9505, 1, 1.089)
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("theme", PALETTES)
def test_colours_that_mean_something_differ_in_every_colour_vision(theme: str, lacking: str) -> None:
    palette = PALETTES[theme]
    pairs = [
        ("accent", "doubt"),
        ("accent", "muted"),
        ("doubt", "muted"),
        ("accent", "text"),
        ("heat", "muted"),
        ("accent", "panel"),
        ("doubt", "panel"),
        ("heat", "paper"),
        ("ink", "paper"),
        ("text", "panel"),
        ("faint", "panel"),
    ]
    for one, other in pairs:
        apart = np.linalg.norm(lab(getattr(palette, one), lacking) - lab(getattr(palette, other), lacking))
        assert apart >= DIFFERENT, (one, other, apart)


# ---------------------------------------------------------------------------------- correcting


def test_a_typed_digit_is_learnt_at_once_and_backspace_takes_it_back(app: App) -> None:
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_4, letter="4")
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "4"
    press(app, pygame.K_BACKSPACE)
    settle(app, lambda: "Taken back" in app.message)
    assert read(app).groups[0].probs == before.groups[0].probs


def test_a_click_on_a_bar_corrects_the_marked_digit(app: App) -> None:
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    assert read(app).text == "71"
    shown(app)
    click(app, app.frame_places[0].center)
    assert app.selected == 0
    click(app, app.bar_places["2"].center)
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "21"


def test_the_arrows_mark_the_next_group(app: App) -> None:
    drag(app, [(450, 60), (450, 220)])
    drag(app, SEVEN)
    assert read(app).text == "71" and app.selected == 0  # the newest ink
    press(app, pygame.K_RIGHT)
    assert app.selected == 1 and app.group is not None and app.group.digit == "1"


def test_a_mark_stays_while_nothing_is_drawn(app: App) -> None:
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    read(app)
    press(app, pygame.K_LEFT)
    for letter in "23":
        press(app, pygame.K_0 + int(letter), letter=letter)
        settle(app, lambda letter=letter: f"this is {letter}" in app.message)  # type: ignore[misc]
        assert read(app).text == f"{letter}1" and app.selected == 0
    press(app, pygame.K_h)
    assert app.selected == 0
    drag(app, [(300, 60), (300, 220)])
    assert read(app).text == "311" and app.selected == 1


def test_corrections_are_listed_and_forgotten_after_a_second_press(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    for letter in "45":
        press(app, pygame.K_0 + int(letter), letter=letter)
        settle(app, lambda letter=letter: f"this is {letter}" in app.message)  # type: ignore[misc]
    press(app, pygame.K_l)
    assert isinstance(app.card, CorrectionsCard) and app.card.rows() == 2
    shown(app)
    practise = app.card.buttons[3]
    click(app, practise.rect.center)
    settle(app, lambda: app.message.startswith("Practised"))
    status = app.layout.status
    said = shown(app)[status.left : status.right, status.top : status.bottom]
    assert (
        (said == pygame.Color(app.style.palette.text)[:3]).all(axis=2).any()
    )  # over the veil, in full contrast
    app.card.practised = lambda: True
    app.show("all")
    shown(app)
    assert practise.label == "Undo practice"
    app.card.practised = lambda: False
    app.show("all")
    shown(app)
    assert practise.label == "Practise"
    forget = app.card.buttons[2]
    click(app, forget.rect.center)
    assert app.card.rows() == 2 and "Really" in forget.label
    shown(app)
    click(app, forget.rect.center)
    settle(app, lambda: "Forgotten: 2" in app.message)
    assert app.card.rows() == 0
    press(app, pygame.K_ESCAPE)
    assert app.card is None and app.running


def test_a_list_that_grew_shorter_shows_its_end(app: App) -> None:
    assert app.session.memory is not None
    for number in range(40):
        app.session.memory.learn(np.full((28, 28), number / 40, np.float32), "1")
    press(app, pygame.K_l)
    card = app.card
    assert isinstance(card, CorrectionsCard)
    shown(app)
    press(app, pygame.K_END)
    for _ in range(25):
        app.session.memory.undo()
    app.show("all")
    shown(app)
    assert card.first == max(0, 15 - card.fits)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows' clock has one time zone")
def test_times_are_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert (
            _local_time("2026-11-23T05:08:09+00:00") == "2026-11-23 14:08" and _local_time("once") == "once"
        )
    finally:
        monkeypatch.undo()
        time.tzset()


def test_practice_rests_while_a_network_is_trained(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    press(app, pygame.K_4, letter="4")
    settle(app, lambda: "this is 4" in app.message)
    app.training = []
    press(app, pygame.K_l)
    assert isinstance(app.card, CorrectionsCard)
    shown(app)
    click(app, app.card.buttons[3].rect.center)
    assert "Practice rests" in app.message and not app.worker.asked_for("practise")


def test_nothing_to_correct_is_said(app: App) -> None:
    press(app, pygame.K_4, letter="4")
    assert "nothing to correct" in app.message


def test_a_digit_that_the_model_does_not_know_is_not_learnt(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    app.classes = ("a", "b")
    press(app, pygame.K_4, letter="4")
    assert "knows no class" in app.message and not app.worker.asked_for("learn")


def test_what_changes_the_answer_reads_again(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    press(app, pygame.K_4, letter="4")
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "4"
    app.worker.ask("forget_all")
    settle(app, lambda: "Forgotten" in app.message)
    assert read(app).text == "7"
    app.worker.ask("unlearn")
    settle(app, lambda: "no correction to take back" in app.message)
    for kind, value in (("practise", "Practised"), ("reload", True)):
        read(app)
        answers.take(app, Result(kind, None, value))
        app.tick()
        assert app.worker.asked_for("read")


# ---------------------------------------------------------------------------------- in and out


def test_all_files_that_are_dropped_together_are_read(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    send(app, pygame.DROPBEGIN)
    for name in ("a.png", "b.png"):
        Image.fromarray(seven).save(tmp_path / name)
        send(app, pygame.DROPFILE, file=str(tmp_path / name))
    send(app, pygame.DROPCOMPLETE)
    settle(app, lambda: isinstance(app.card, FilesCard) and app.card.rows() == 2)
    assert [reading.text for reading in app.card.readings] == ["7", "7"]


def test_folders_that_cannot_be_read_are_said(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all" / "closed").mkdir(parents=True)
    listed = os.scandir

    def scan(path: str) -> Any:  # as root, who may read everything, would see it otherwise
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scan)
    (reading,) = app.session.read_files([tmp_path / "all"])
    assert reading.path == tmp_path / "all" / "closed" and reading.error


def test_a_model_that_may_hold_code_is_not_opened_untrusted(tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ValueError, match="--trust"):
        Session(corrections=tmp_path).load(tmp_path / "m.pt2")


def test_an_empty_drawing_is_not_saved(app: App, tmp_path: Path) -> None:
    press(app, pygame.K_s)
    press(app, pygame.K_j)
    assert "nothing to save" in app.message and not list(tmp_path.glob("drawing*"))


def test_a_path_on_the_clipboard_may_begin_at_home(
    app: App, tmp_path: Path, seven: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Image.fromarray(seven).save(tmp_path / "s.png")
    monkeypatch.setattr(pygame.scrap, "get_text", lambda: "~/s.png")
    press(app, pygame.K_v, pygame.KMOD_CTRL)
    settle(app, lambda: app.shown is not None)


@pytest.mark.parametrize("how", ["Shift-M", "model", "folder"])
def test_a_paused_training_is_ended_for_good(
    app: App, monkeypatch: pytest.MonkeyPatch, digits: Digits, tmp_path: Path, how: str
) -> None:
    monkeypatch.setattr("training.lesson._find_digits", lambda: digits)
    press(app, pygame.K_m)
    settle(app, lambda: bool(app.training))
    press(app, pygame.K_m)
    if how == "Shift-M":
        press(app, pygame.K_m, pygame.KMOD_SHIFT)
    elif how == "model":
        (tmp_path / "Own.PTH").write_bytes((ROOT / "model.pth").read_bytes())
        send(app, pygame.DROPFILE, file=str(tmp_path / "Own.PTH"))
    else:
        (tmp_path / "many").mkdir()
        Image.new("L", (30, 30), 255).save(tmp_path / "many" / "a.png")
        send(app, pygame.DROPFILE, file=str(tmp_path / "many"))
    assert app.training is None and not app.worker.paused
    if how == "model":
        settle(app, lambda: "Own.PTH" in app.model)
    if how == "folder":
        settle(app, lambda: app.card.rows() == 1)


def test_the_saved_picture_and_the_canvas_give_the_identical_frame(app: App, tmp_path: Path) -> None:
    drag(app, SEVEN)
    press(app, pygame.K_s)
    saved = tmp_path / "drawing.png"
    from_file, from_canvas = (next(iter(read_ink(source).looks)) for source in (saved, app.canvas.picture()))
    assert (make_frame(from_file.ink) == make_frame(from_canvas.ink)).all()
    with Image.open(saved) as picture:
        assert (np.asarray(picture) == app.canvas.picture()).all()
    assert (read(app).groups[0].frame == app.session.read(saved).groups[0].frame).all()  # type: ignore[union-attr]


def test_saving_never_writes_over_a_file(app: App, tmp_path: Path) -> None:
    (tmp_path / "drawing.png").write_bytes(b"mine")
    drag(app, SEVEN)
    press(app, pygame.K_s)
    press(app, pygame.K_s, pygame.KMOD_CTRL)
    assert (tmp_path / "drawing.png").read_bytes() == b"mine"
    assert (tmp_path / "drawing-2.png").exists() and (tmp_path / "drawing-3.png").exists()


def test_saved_strokes_come_back_when_dropped(app: App, tmp_path: Path) -> None:
    drag(app, SEVEN)
    drag(app, [(200, 100), (220, 140)], button=3)
    before = app.canvas.picture()
    press(app, pygame.K_j)
    press(app, pygame.K_c)
    send(app, pygame.DROPFILE, file=str(tmp_path / "drawing.json"))
    assert (app.canvas.picture() == before).all()


def test_a_drawing_too_long_to_be_opened_again_is_said_when_saved(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("window.exchange.MOST_POINTS", 3)
    drag(app, SEVEN)
    press(app, pygame.K_j)
    assert "cannot" not in app.message
    drag(app, SEVEN)
    press(app, pygame.K_j)
    assert app.message.startswith("Saved") and "cannot be opened again" in app.message


def test_a_folder_that_cannot_be_written_is_said(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Path:
        raise PermissionError(13, "Permission denied", "/there")

    monkeypatch.setattr("window.exchange.unused_path", refuse)
    drag(app, SEVEN)
    press(app, pygame.K_s)
    assert "Not saved" in app.message and "permission denied" in app.message and "--output" in app.message


def test_a_full_disk_leaves_no_empty_file(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> Any:
        raise OSError(28, "No space left on device", "/there")

    monkeypatch.setattr("window.exchange.atomic_write", full)
    drag(app, SEVEN)
    press(app, pygame.K_s)
    assert "no space left" in app.message and not list(tmp_path.glob("drawing*"))


def test_a_dropped_picture_is_shown_with_its_boxes_and_the_canvas_comes_back(
    app: App, tmp_path: Path, seven: np.ndarray
) -> None:
    drag(app, [(450, 60), (450, 220)])
    assert read(app).text == "1"
    Image.fromarray(seven).resize((2800, 2800)).save(tmp_path / "big.png")  # larger than it is decoded
    send(app, pygame.DROPFILE, file=str(tmp_path / "big.png"))
    settle(app, lambda: app.shown is not None)
    assert app.reading is not None and app.reading.text == "7"
    box = app.to_screen(app.reading.groups[0].box)
    assert app.picture_rect().contains(box) and box.height > 0.5 * app.layout.canvas.height
    shown(app)
    assert "Esc" in app.hint_at(app.layout.canvas.center)
    press(app, pygame.K_z, pygame.KMOD_CTRL)  # changes nothing that cannot be seen
    assert app.shown is None and app.message == "" and app.running and read(app).text == "1"
    press(app, pygame.K_F1)
    assert app.hint_at(app.layout.canvas.topleft) == ""
    send(app, pygame.DROPFILE, file=str(tmp_path / "big.png"))
    settle(app, lambda: app.shown is not None)
    assert app.card is None
    press(app, pygame.K_ESCAPE)
    assert app.shown is None and app.running and read(app).text == "1"


@pytest.mark.parametrize(
    ("name", "content"),
    [("no.png", b"not a picture"), ("no.json", b"{}"), ("no.pth", b"no model"), ("gone.png", None)],
)
def test_a_bad_file_is_said_and_changes_nothing(
    app: App, tmp_path: Path, name: str, content: bytes | None
) -> None:
    drag(app, SEVEN)
    before, text = app.canvas.picture(), read(app).text
    if content is not None:
        (tmp_path / name).write_bytes(content)
    app.message = ""
    send(app, pygame.DROPFILE, file=str(tmp_path / name))
    settle(app, lambda: name in app.message and "Loading" not in app.message)
    assert (app.canvas.picture() == before).all() and read(app).text == text and app.model


def test_a_dropped_folder_is_read_with_progress_and_can_be_stopped(
    app: App, tmp_path: Path, seven: np.ndarray
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        Image.fromarray(seven).save(folder / f"{number:03d}.png")
    send(app, pygame.DROPBEGIN)
    send(app, pygame.DROPFILE, file=str(folder))
    send(app, pygame.DROPCOMPLETE)
    card = app.card
    assert isinstance(card, FilesCard)
    settle(app, lambda: card.rows() >= 3)
    assert card.readings[0].text == "7" and card.readings[0].total == 200
    shown(app)
    click(app, card.buttons[1].rect.center)
    settle(app, lambda: not app.worker.busy)
    app.tick()
    count = card.rows()
    time.sleep(0.05)
    app.tick()
    assert card.rows() == count < 200
    press(app, pygame.K_ESCAPE)
    drag(app, SEVEN)
    assert read(app).text == "7"


def test_a_second_folder_shows_its_own_files_alone(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.fromarray(seven).save(tmp_path / name / f"{name} {number}.png")
    app.exchange.open([str(tmp_path / "first")])
    end = time.monotonic() + 20
    while len(app.worker._results) < 3:  # nobody has fetched them
        assert time.monotonic() < end
        time.sleep(0.002)
    app.exchange.open([str(tmp_path / "second")])
    card = app.card
    assert isinstance(card, FilesCard)
    settle(app, lambda: card.rows() >= 3 and not app.worker.busy)
    assert [reading.path.name for reading in card.readings] == [f"second {number}.png" for number in range(3)]


def test_the_list_of_corrections_shows_another_windows(app: App) -> None:
    assert app.session.memory is not None
    Memory(app.session.memory.folder).learn(np.eye(28, dtype=np.float32), "1")
    press(app, pygame.K_l)
    card = app.card
    assert isinstance(card, CorrectionsCard)
    settle(app, lambda: card.rows() == 1)


def test_corrections_that_cannot_be_read_now_are_said(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(_: Path) -> bool:
        raise OSError(116, "Stale file handle", "corrections")

    monkeypatch.setattr(Path, "is_dir", stale)
    press(app, pygame.K_l)
    settle(app, lambda: "stale file handle" in app.message)


def test_a_long_list_follows_its_newest_row_until_it_is_scrolled_back(app: App) -> None:
    card = FilesCard(app.close_card, app.worker.cancel, lambda: True)
    app.card = card
    for number in range(100):
        card.add(FileReading(Path(f"{number}.png"), "7", None, number + 1, 100))
        app.show("all")
        app.draw()
    assert card.first + card.fits == 100 and card.fits > 5
    press(app, pygame.K_PAGEUP)
    first = card.first
    card.add(FileReading(Path("late.png"), "7", None, 100, 100))
    assert card.first == first == 90 - card.fits
    press(app, pygame.K_HOME)
    press(app, pygame.K_END)
    assert card.first + card.fits == card.rows() == 101


def test_another_model_is_loaded_when_dropped(app: App, checkpoint: Path, tmp_path: Path) -> None:
    other = checkpoint.rename(tmp_path / "other.pth")
    send(app, pygame.DROPFILE, file=str(other))
    settle(app, lambda: "other.pth" in app.model)


def test_the_number_is_copied(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(pygame.scrap, "put_text", copied.append)
    press(app, pygame.K_c, pygame.KMOD_CTRL)
    assert "no number" in app.message and not copied
    drag(app, SEVEN)
    read(app)
    press(app, pygame.K_c, pygame.KMOD_CTRL)
    assert copied == ["7"]


def test_a_pasted_path_is_opened_and_other_text_is_said(
    app: App, tmp_path: Path, seven: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(seven).save(tmp_path / "pasted seven.png")
    monkeypatch.setattr(pygame.scrap, "get_text", lambda: f'"{tmp_path / "pasted seven.png"}"\n')
    press(app, pygame.K_v, pygame.KMOD_CTRL)
    settle(app, lambda: app.shown is not None)
    assert app.reading is not None and app.reading.text == "7"
    for text in ("hello", "x" * 300, "~nobody-of-that-name/seven.png"):
        monkeypatch.setattr(pygame.scrap, "get_text", lambda text=text: text)
        press(app, pygame.K_v, pygame.KMOD_CTRL)
        assert text[:60] in app.message
    app.escape()
    monkeypatch.setattr(
        pygame.scrap, "get_text", lambda: (tmp_path / "pasted seven.png").as_uri()
    )  # %20 in it
    press(app, pygame.K_v, pygame.KMOD_CTRL)
    settle(app, lambda: app.shown is not None)


@pytest.mark.parametrize("content", ["image", "nothing", "missing helper"])
def test_a_pasted_image_is_read_or_what_is_missing_is_said(
    app: App, seven: np.ndarray, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    def grab() -> Any:
        if content == "missing helper":
            raise NotImplementedError("wl-paste or xclip is required")
        return Image.fromarray(seven) if content == "image" else None

    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", grab)
    monkeypatch.setattr(pygame.scrap, "get_text", lambda: "")
    app.message = ""
    press(app, pygame.K_v, pygame.KMOD_CTRL)
    settle(app, lambda: bool(app.message))
    words = {"image": "clipboard", "nothing": "no picture and no path", "missing helper": "xclip"}
    assert words[content] in app.message
    assert (app.shown is not None) == (content == "image")


# ---------------------------------------------------------------------------------- keys, cards, settings


def test_the_keyboard_reaches_every_button(app: App) -> None:
    reached = []
    for _ in app.shown_widgets:
        press(app, pygame.K_TAB)
        reached.append(app.focus)
    assert reached == list(range(len(app.shown_widgets)))
    press(app, pygame.K_RETURN)  # the last one is Help
    assert isinstance(app.card, HelpCard)
    press(app, pygame.K_TAB)
    press(app, pygame.K_RETURN)
    assert app.card is None
    press(app, pygame.K_TAB)
    brush = app.settings.brush
    press(app, pygame.K_RIGHT)
    assert app.settings.brush > brush
    press(app, pygame.K_ESCAPE)
    assert app.focus == -1 and app.running


@pytest.mark.parametrize(
    ("key", "letter", "kind"),
    [(pygame.K_F1, "", HelpCard), (pygame.K_SLASH, "?", HelpCard), (pygame.K_l, "l", CorrectionsCard)],
)
def test_cards_open_and_close_by_key(app: App, key: int, letter: str, kind: type) -> None:
    drag(app, SEVEN)
    read(app)
    press(app, key, letter=letter)
    assert isinstance(app.card, kind)
    shown(app)
    press(app, pygame.K_c, letter="c")
    assert app.canvas.strokes  # keys belong to the card
    press(app, pygame.K_ESCAPE)
    assert app.card is None and app.running


def test_backspace_takes_a_correction_back_on_the_canvas_and_in_their_list_only(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    for letter in "12":
        press(app, ord(letter), letter=letter)
        settle(app, lambda: app.message.startswith("Learnt"))
        app.message = ""
    memory = app.session.memory
    assert memory is not None and len(memory) == 2
    press(app, pygame.K_F1)
    press(app, pygame.K_BACKSPACE)
    press(app, pygame.K_F1)
    settle(app, lambda: not app.worker.asked_for("unlearn"))
    assert len(memory) == 2
    press(app, pygame.K_l, letter="l")
    press(app, pygame.K_BACKSPACE)
    settle(app, lambda: len(memory) == 1)


def test_boxes_stay_in_place_while_a_picture_is_read_again(
    app: App, tmp_path: Path, seven: np.ndarray
) -> None:
    Image.fromarray(seven).resize((4000, 4000)).save(tmp_path / "large.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "large.png"))
    settle(app, lambda: app.shown is not None)

    def box() -> list[float]:
        assert app.shown and app.reading
        return [side / app.shown[1] for side in app.reading.groups[0].box]

    before, seen = box(), app.reading
    app.read_again()
    assert box() == before
    settle(app, lambda: app.reading is not seen)
    assert box() == pytest.approx(before, abs=2)


def test_the_maps_of_each_layer_follow_the_pen(app: App) -> None:
    press(app, pygame.K_f, letter="f")
    shown(app)
    drag(app, SEVEN)
    read(app)
    settle(app, lambda: app.layers is not None)
    before = app.layers
    assert before is not None and len(before) == 5 and before[0].shape == (32, 28, 28)
    picture = shown(app)
    drag(app, [(440, 60), (440, 220)])
    read(app)
    settle(app, lambda: app.layers is not before)
    changed = (shown(app) != picture).any(axis=2)
    area = app.layout.bars.union(app.layout.frames)
    assert changed[area.left : area.right, area.top : area.bottom].mean() > 0.05
    assert app.hint_at(app.layout.bars.center) == app.hint_at(app.layout.frames.center)
    press(app, pygame.K_f, letter="f")
    shown(app)
    assert app.bar_places and app.frame_places


def test_escape_on_the_canvas_quits(app: App) -> None:
    press(app, pygame.K_ESCAPE)
    assert not app.running


def test_a_message_goes_after_a_while(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.say("hello")
    later = time.monotonic() + 10
    monkeypatch.setattr(time, "monotonic", lambda: later)
    app.tick()
    assert app.message == ""


def test_nothing_is_drawn_when_nothing_changed(app: App) -> None:
    shown(app)
    app.tick()
    assert app.draw() == []
    send(app, pygame.MOUSEMOTION, pos=app.layout.canvas.center, rel=(0, 0), buttons=(0, 0, 0), touch=False)
    app.draw()
    send(
        app,
        pygame.MOUSEMOTION,
        pos=app.layout.canvas.move(5, 5).center,
        rel=(0, 0),
        buttons=(0, 0, 0),
        touch=False,
    )
    assert app.draw() == []


def test_while_drawing_only_the_ink_is_drawn_again(app: App) -> None:
    shown(app)
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, (50, 100)), button=1, touch=False)
    app.draw()
    send(app, pygame.MOUSEMOTION, pos=at(app, (90, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    (rect,) = app.draw()
    assert rect.width * rect.height < 0.05 * app.layout.canvas.width * app.layout.canvas.height


def test_settings_come_back_and_damaged_ones_are_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    assert load_settings(path) == Settings()
    assert save_settings(Settings(800, 600, "dark", 24.0), path)
    assert load_settings(path) == Settings(800, 600, "dark", 24.0)
    assert save_settings(Settings(95, 99_999, "dark", 64.0), path)
    assert load_settings(path) == Settings(480, 16384, "dark", 48.0)  # in range again, and no more lost
    for content in (
        "",
        "{",
        "[]",
        '{"width": "x"}',
        json.dumps({"width": 1, "height": 1, "theme": "pink", "brush": 0}),
    ):
        path.write_text(content)
        assert load_settings(path) == Settings()
        assert path.with_suffix(".damaged").read_text() == content and not path.exists()


def test_settings_that_cannot_be_saved_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not save_settings(Settings(), tmp_path / "file" / "settings.json")


def test_a_training_is_watched_paused_and_stopped_and_leaves_the_model_alone(
    app: App, monkeypatch: pytest.MonkeyPatch, digits: Any
) -> None:
    monkeypatch.setattr("training.lesson.load_mnist", lambda *args, **options: digits)
    model = (ROOT / "model.pth").read_bytes()
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_m)
    settle(app, lambda: len(app.training or ()) >= 3)
    settle(app, lambda: app.reading is not None and app.reading.groups[0].probs != before.groups[0].probs)
    shown(app)
    press(app, pygame.K_4, letter="4")
    assert "Corrections rest" in app.message
    press(app, pygame.K_m)
    settle(app, lambda: app.worker.paused and not app.worker.asked_for("train"))
    count = len(app.training or ())
    time.sleep(0.2)
    app.tick()
    assert len(app.training or ()) == count
    press(app, pygame.K_m)
    settle(app, lambda: len(app.training or ()) > count)
    press(app, pygame.K_ESCAPE)
    assert app.running and app.training is None
    assert read(app).groups[0].probs == before.groups[0].probs
    assert (ROOT / "model.pth").read_bytes() == model


def test_a_lesson_that_is_over_says_so(app: App, monkeypatch: pytest.MonkeyPatch, digits: Any) -> None:
    monkeypatch.setattr("training.lesson._find_digits", lambda: digits)
    monkeypatch.setattr("training.lesson.teach.__defaults__", (None, 10))  # steps
    press(app, pygame.K_m)
    settle(app, lambda: bool(app.training) and not app.worker.busy)
    app.tick()
    assert app.training is not None and [report.over for report in app.training] == [False, True]
    press(app, pygame.K_m)
    assert "The lesson is over" in app.message and not app.worker.paused
    shown(app)


def test_shift_tab_goes_backwards_and_space_presses(app: App) -> None:
    press(app, pygame.K_TAB, pygame.KMOD_SHIFT)
    assert app.focus == len(app.shown_widgets) - 1
    press(app, pygame.K_TAB, pygame.KMOD_SHIFT)
    assert app.focus == len(app.shown_widgets) - 2
    press(app, pygame.K_TAB)
    press(app, pygame.K_SPACE)
    assert isinstance(app.card, HelpCard)


def test_corrections_are_listed_newest_first_and_scroll(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        app.session.memory.learn(np.full((28, 28), number / 40, np.float32), str(number % 10))
    seen: list[int] = []

    def note(frame: np.ndarray, size: tuple[int, int]) -> pygame.Surface:
        seen.append(round(float(frame[0, 0]) * 40))
        return pygame.Surface(size)

    monkeypatch.setattr("window.cards.picture_of", note)
    press(app, pygame.K_l)
    shown(app)
    assert seen == list(range(39, 39 - app.card.fits, -1))
    seen.clear()
    send(app, pygame.MOUSEWHEEL, x=0, y=-3, flipped=False)
    shown(app)
    assert seen[0] == 36
    seen.clear()
    press(app, pygame.K_END)
    shown(app)
    assert seen[-1] == 0


def test_the_lists_buttons_undo(app: App) -> None:
    app.session.memory.learn(np.zeros((28, 28), np.float32), "7")
    press(app, pygame.K_l)
    shown(app)
    asked: list[tuple] = []
    app.worker.ask = lambda *words, **_: asked.append(words)
    click(app, app.card.buttons[1].rect.center)
    assert asked == [("unlearn",)] and app.card is not None
    practice: list[bool] = []
    card = CorrectionsCard(app.close_card, list, app.unlearn, list, practice.append, lambda: True)
    card.buttons[3].press((0, 0))
    assert practice == [True]


def test_the_list_of_files_says_what_failed_and_how_far_it_came(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple] = []

    def note(
        surface: object,
        room: object,
        style: object,
        rows: list,
        first: int,
        note: str = "",
        progress: object = None,
    ) -> int:
        said.append((rows, note))
        return 5

    monkeypatch.setattr("window.cards.draw_rows", note)
    card = app.card = FilesCard(app.close_card, app.worker.cancel, lambda: False)
    assert card.add(FileReading(Path("a.png"), "7", None, 1, 3)) and not card.add(
        FileReading(Path("b.png"), "", "damaged", 2, 3)
    )
    shown(app)
    rows, words = said[-1]
    assert rows[1][1:] == ("damaged", "b.png") and words == "2 of 3 read, 1 failed, stopped"
    assert card.add(FileReading(Path("c.png"), "7", None, 3, 3))
    app.show("all")
    shown(app)
    assert said[-1][1] == "3 of 3 read, 1 failed"


def test_closing_the_list_of_files_ends_the_reading(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    (tmp_path / "many").mkdir()
    for number in range(100):
        Image.fromarray(seven).save(tmp_path / "many" / f"{number}.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "many"))
    settle(app, lambda: app.card.rows() >= 1)
    press(app, pygame.K_ESCAPE)
    assert not app.worker.busy


def test_a_disabled_button_does_nothing() -> None:
    done: list[int] = []
    Button("x", "", lambda: done.append(1), enabled=lambda: False).press((0, 0))
    assert not done


def test_a_narrow_window_keeps_the_brush_and_the_help(start: Start) -> None:
    app = start((480, 360), model=None)
    assert hasattr(app.shown_widgets[0], "high")
    assert {"Undo", "Clear", "Help"} <= {getattr(widget, "label", "") for widget in app.shown_widgets}


def test_a_larger_scale_makes_larger_units() -> None:
    assert arrange(1024, 768, 2, 2).unit > arrange(1024, 768, 1, 2).unit


def test_settings_with_a_brush_that_is_no_number_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"width": 800, "height": 600, "theme": "dark", "brush": NaN}')
    assert load_settings(tmp_path / "s.json") == Settings()


# ---------------------------------------------------------------------------------- faults and the command


def test_a_training_that_fails_brings_the_model_back(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("no digits here")

    monkeypatch.setattr("training.lesson._find_digits", missing)
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_m)
    settle(app, lambda: "no digits here" in app.message)
    assert app.training is None
    assert read(app).groups[0].probs == before.groups[0].probs


def test_a_missing_model_is_said_in_the_window_and_another_can_be_dropped(
    start: Start, tmp_path: Path
) -> None:
    app = start(model=tmp_path / "gone.pth")
    assert "gone.pth" in app.trouble and "drop" in app.waiting()
    shown(app)
    drag(app, SEVEN)
    app.tick()
    in_parts = shown(app)
    app.show("all")
    assert (shown(app) == in_parts).all()
    send(app, pygame.DROPFILE, file=str(ROOT / "model.pth"))
    settle(app, lambda: bool(app.model))
    assert app.trouble == "" and read(app).text == "7"


def test_strokes_drawn_while_loading_are_read_once_the_model_is_there(start: Start) -> None:
    app = start(model=None)
    assert "Loading" in app.waiting()
    drag(app, SEVEN)
    app.tick()
    shown(app)
    app.worker.ask("load", ROOT / "model.pth")
    settle(app, lambda: bool(app.model))
    assert read(app).text == "7"


def test_damaged_corrections_are_kept_aside_and_said(start: Start, tmp_path: Path) -> None:
    (tmp_path / "corrections").mkdir()
    name = "20260101T000000000000-000-abcdef.npz"
    (tmp_path / "corrections" / name).write_bytes(b"damaged")
    app = start()
    assert "damaged" in app.message
    assert (tmp_path / "corrections" / "damaged" / name).read_bytes() == b"damaged"


def test_an_error_of_the_worker_is_shown_and_the_window_lives(app: App) -> None:
    drag(app, SEVEN)
    assert read(app).text == "7"
    answers.take(app, Result("read", ("canvas", 1), error="something broke"))
    assert app.message == "something broke" and app.reading is None
    drag(app, [(450, 60), (450, 220)])
    assert app.waiting() == "Reading ..."
    assert read(app).text == "71"


def test_heat_of_an_earlier_reading_is_not_shown(app: App) -> None:
    drag(app, SEVEN)
    old = read(app)
    press(app, pygame.K_h)
    settle(app, lambda: bool(app.heats))
    drag(app, [(450, 60), (450, 220)])
    read(app)
    settle(app, lambda: len(app.heats) == 2)
    answers.take(app, Result("saliency", old, [np.ones((28, 28))]))
    assert len(app.heats) == 2


def test_what_the_system_uncovers_is_drawn_again(app: App) -> None:
    shown(app)
    app.screen.fill("red")
    send(app, pygame.WINDOWEXPOSED)
    assert not (shown(app) == (255, 0, 0)).all(axis=2).any()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize("display", [{"SDL_VIDEODRIVER": "x11", "DISPLAY": ":987"}, {}])
def test_no_display_is_one_clear_line(display: dict[str, str], tmp_path: Path) -> None:
    environment = {"PATH": "", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), **display}
    done = subprocess.run(
        [sys.executable, ROOT / "app.py"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("app.py: no window can be opened") and done.stderr.count("\n") == 1


def test_the_window_is_up_before_torch_is_imported(tmp_path: Path) -> None:
    code = """
import app
import sys
from window import app as window
import pygame
def draw(app, original=window.App.draw):
    print("torch" in sys.modules, "torchvision" in sys.modules, pygame.display.get_surface() is not None)
    app.running = False
    return original(app)
window.App.draw = draw
sys.exit(app.main(["--size", "640x480"]))
"""
    environment = {
        "SDL_VIDEODRIVER": "dummy",
        "PATH": "",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[0] == "False False True", done.stderr
    assert done.returncode == 0 and done.stderr == ""


def test_training_beside_a_window_leaves_triton_out(tmp_path: Path) -> None:
    code = """
import sys, app
assert app.main(["--screenshot", "shot.png", "--size", "640x480"]) == 0
import torch
torch.optim.SGD([torch.zeros(1)], 0.1)          # imports torch._dynamo, and that triton, which beside Mesa's LLVM crashes
print("torch._dynamo" in sys.modules, sys.modules.get("triton"))
"""
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1:] == ["True None"], done.stderr


def test_a_screenshot_of_strokes_shows_their_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    canvas = Canvas(560, 280)
    canvas.begin(*SEVEN[0])
    for point in SEVEN[1:]:
        canvas.extend(*point)
    canvas.end()
    (tmp_path / "seven.json").write_text(canvas.to_json())
    words = [
        "--strokes",
        tmp_path / "seven.json",
        "--screenshot",
        tmp_path / "shot.png",
        "--size",
        "640x480",
        "--theme",
        "dark",
    ]
    assert command.main([str(word) for word in words]) == 0
    pygame.display.init()
    with Image.open(tmp_path / "shot.png") as picture:
        assert picture.size == (640, 480)
    assert not (tmp_path / "handwritten-digits" / "settings.json").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--size", "big"],
        ["--size", "1x1"],
        ["--size", "479x360"],
        ["--scale", "9"],
        ["--scale", "x"],
        ["--theme", "pink"],
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(words)
    assert stopped.value.code == 2
    capsys.readouterr()


@pytest.mark.parametrize("scale", [0.5, 1, 2, 4])
def test_the_layout_never_turns_inside_out(scale: float) -> None:
    for width in range(320, 4000, 97):
        for height in (240, 500, 1111, 2160):
            layout = arrange(width, height, scale, 2.0)
            assert layout.canvas.width > 0 and layout.answer.width > 0 and layout.frames.width > 0


def test_strokes_that_are_not_there_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--strokes",
        str(tmp_path / "absent.json"),
        "--screenshot",
        str(tmp_path / "shot.png"),
        "--size",
        "640x480",
    ]
    assert command.main(words) == 1
    assert "absent.json: no such file" in capsys.readouterr().err and not (tmp_path / "shot.png").exists()
