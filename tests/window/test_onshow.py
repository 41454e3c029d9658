"""The reading on show: of the drawing, of pictures; what is marked and explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
import torch
from driving import SEVEN, at, click, drag, press, read, send, settle, shown
from PIL import Image

from recognizer.explain import saliency
from window.app import App


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
    assert app.drawing.canvas.current is not None
    assert read(app).text == "7"


def test_an_empty_canvas_gives_no_answer(app: App) -> None:
    assert app.on_show.reading is None
    drag(app, SEVEN)
    read(app)
    press(app, pygame.K_c)
    app.tick()
    assert app.on_show.reading is None
    assert app.waiting().startswith("Write")


def test_a_late_answer_is_not_shown_on_an_empty_canvas(app: App) -> None:
    drag(app, SEVEN)
    app.tick()
    press(app, pygame.K_c)
    settle(app, lambda: not app.worker.asked_for(app.session.read_drawing))
    app.tick()
    assert app.on_show.reading is None


def test_an_emptied_canvas_waits_for_a_drawing_not_for_an_answer(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    drag(app, SEVEN)
    monkeypatch.setattr(app.worker, "asked_for", lambda kind: True)
    press(app, pygame.K_c)
    app.tick()
    assert app.waiting().startswith("Write")


def test_answers_that_come_late_change_no_picture(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    drag(app, [(450, 60), (450, 220)])
    one = read(app)
    Image.fromarray(seven).save(tmp_path / "a.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "a.png"))
    settle(app, lambda: app.on_show.picture is not None)
    seen = app.on_show.reading
    app.on_show._canvas_was_read(app.on_show.asked, 0, one)
    app.on_show._picture_was_read(app.on_show.asked - 1, one)
    assert app.on_show.reading is seen


def test_a_click_leaves_the_picture_shown(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    Image.fromarray(seven).save(tmp_path / "a.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "a.png"))
    settle(app, lambda: app.on_show.picture is not None)
    click(app, app.layout.canvas.center)
    assert app.on_show.picture is None and not app.drawing.canvas.strokes


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
    assert not app.on_show.heat


def test_the_arrows_mark_the_next_group(app: App) -> None:
    drag(app, [(450, 60), (450, 220)])
    drag(app, SEVEN)
    assert read(app).text == "71" and app.on_show.selected == 0  # the newest ink
    press(app, pygame.K_RIGHT)
    assert app.on_show.selected == 1 and app.on_show.group is not None and app.on_show.group.digit == "1"


def test_a_mark_stays_while_nothing_is_drawn(app: App) -> None:
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    read(app)
    press(app, pygame.K_LEFT)
    for letter in "23":
        press(app, pygame.K_0 + int(letter), letter=letter)
        settle(app, lambda letter=letter: f"this is {letter}" in app.message)  # type: ignore[misc]
        assert read(app).text == f"{letter}1" and app.on_show.selected == 0
    press(app, pygame.K_h)
    assert app.on_show.selected == 0
    drag(app, [(300, 60), (300, 220)])
    assert read(app).text == "311" and app.on_show.selected == 1


def test_boxes_stay_in_place_while_a_picture_is_read_again(
    app: App, tmp_path: Path, seven: np.ndarray
) -> None:
    Image.fromarray(seven).resize((4000, 4000)).save(tmp_path / "large.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "large.png"))
    settle(app, lambda: app.on_show.picture is not None)

    def box() -> list[float]:
        assert app.on_show.picture and app.on_show.reading
        return [side / app.on_show.picture[1] for side in app.on_show.reading.groups[0].box]

    before, seen = box(), app.on_show.reading
    app.on_show.read_again()
    assert box() == before
    settle(app, lambda: app.on_show.reading is not seen)
    assert box() == pytest.approx(before, abs=2)


def test_the_maps_of_each_layer_follow_the_pen(app: App) -> None:
    press(app, pygame.K_f, letter="f")
    shown(app)
    drag(app, SEVEN)
    read(app)
    settle(app, lambda: app.on_show.layers is not None)
    before = app.on_show.layers
    assert before is not None and len(before) == 5 and before[0].shape == (32, 28, 28)
    picture = shown(app)
    drag(app, [(440, 60), (440, 220)])
    read(app)
    settle(app, lambda: app.on_show.layers is not before)
    changed = (shown(app) != picture).any(axis=2)
    area = app.layout.bars.union(app.layout.frames)
    assert changed[area.left : area.right, area.top : area.bottom].mean() > 0.05
    assert app.hint_at(app.layout.bars.center) == app.hint_at(app.layout.frames.center)
    press(app, pygame.K_f, letter="f")
    shown(app)
    assert app.bar_places and app.frame_places


def broken() -> Any:
    raise ValueError("something broke")


def test_an_error_of_the_worker_is_shown_and_the_window_lives(app: App) -> None:
    drag(app, SEVEN)
    assert read(app).text == "7"
    app.worker.ask(broken, then=app.on_show.set, otherwise=app.on_show._failed)
    settle(app, lambda: not app.worker.asked_for(broken))
    assert app.message == "something broke" and app.on_show.reading is None
    drag(app, [(450, 60), (450, 220)])
    assert app.waiting() == "Reading ..."
    assert read(app).text == "71"


def test_heat_of_an_earlier_reading_is_not_shown(app: App) -> None:
    drag(app, SEVEN)
    old = read(app)
    press(app, pygame.K_h)
    settle(app, lambda: bool(app.on_show.heats))
    drag(app, [(450, 60), (450, 220)])
    read(app)
    settle(app, lambda: len(app.on_show.heats) == 2)
    app.on_show._explained(old, [np.ones((28, 28))])
    assert len(app.on_show.heats) == 2


def test_where_on_the_canvas_the_ink_is_does_not_count(app: App) -> None:
    def write(right: float, down: float) -> list[tuple[str, float]]:
        press(app, pygame.K_c)
        for line in ([(x, y + down - 45) for x, y in SEVEN], [(450, 20 + down), (450, 180 + down)]):
            drag(app, [(x + right, y) for x, y in line])
        return [(group.digit, group.confidence) for group in read(app).groups]

    at_the_edge = write(0, 0)  # the 7 touches the upper end
    inside = write(50, 60)
    assert [digit for digit, _ in at_the_edge] == ["7", "1"] == [digit for digit, _ in inside]
    for (_, one), (_, other) in zip(at_the_edge, inside):
        assert one == pytest.approx(other, abs=0.02)  # the mouse's pixels are not the canvas's units
