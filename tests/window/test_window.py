"""The window as a whole: corrections, messages, models."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pygame
import pytest
from conftest import ROOT
from driving import SEVEN, Start, click, drag, press, read, send, settle, shown

from window.app import App
from window.settings import drawing_path, keep_drawing


def test_a_click_on_a_bar_corrects_the_marked_digit(app: App) -> None:
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    assert read(app).text == "71"
    shown(app)
    click(app, app.frame_places[0].center)
    assert app.on_show.selected == 0
    click(app, app.bar_places["2"].center)
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "21"


def test_nothing_to_correct_is_said(app: App) -> None:
    press(app, pygame.K_4, letter="4")
    assert "nothing to correct" in app.message


def test_a_digit_that_the_model_does_not_know_is_not_learnt(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    app.classes = ("a", "b")
    press(app, pygame.K_4, letter="4")
    assert "knows no class" in app.message and not app.worker.asked_for(app.session.learn)


def test_what_changes_the_answer_reads_again(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    press(app, pygame.K_4, letter="4")
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "4"
    app.teaching.forget_all()
    settle(app, lambda: "Forgotten" in app.message)
    assert read(app).text == "7"
    app.teaching.unlearn()
    settle(app, lambda: "no correction to take back" in app.message)
    app.session.practise = lambda undo: "Practised"
    app.session.reload = lambda: True
    for change in (lambda: app.teaching.practise(False), app.show_corrections):
        read(app)
        change()
        settle(app, lambda: app.on_show.unread or app.worker.asked_for(app.session.read_drawing))
        app.tick()
        assert app.worker.asked_for(app.session.read_drawing)


def test_escape_never_loses_a_drawing_and_control_q_quits(app: App) -> None:
    drag(app, SEVEN)
    for _ in range(3):
        press(app, pygame.K_ESCAPE)
    assert app.running and app.drawing.canvas.strokes and "Ctrl-Q quits" in app.message
    press(app, pygame.K_q, pygame.KMOD_CTRL)
    assert not app.running


def test_a_kept_drawing_comes_back_and_can_be_undone(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    first = start(model=None)
    drag(first, SEVEN)
    drag(first, [(450, 60), (450, 220)])
    before = first.drawing.canvas.picture()
    keep_drawing(first.drawing.canvas)
    second = start()
    second.bring_back()
    assert (second.drawing.canvas.picture() == before).all() and read(second).text == "71"
    assert "last drawing is back" in second.message
    press(second, pygame.K_z, pygame.KMOD_CTRL)
    assert len(second.drawing.canvas.strokes) == 1
    press(second, pygame.K_c)
    keep_drawing(second.drawing.canvas)
    assert not drawing_path().exists()
    third = start(model=None)
    third.bring_back()
    assert third.drawing.canvas.empty and third.message == ""


def test_an_empty_canvas_invites_to_write(start: Start) -> None:
    app = start(model=None)
    empty = shown(app)[
        tuple(slice(*side) for side in zip(app.layout.canvas.topleft, app.layout.canvas.bottomright))
    ]
    assert "loading" in app.invitation()[1]
    drag(app, [(20, 20), (30, 20)])
    area = app.layout.canvas
    inked = shown(app)[area.left : area.right, area.top : area.bottom]
    paper = np.array(app.style.palette.paper)
    middle = np.s_[area.width // 4 : -area.width // 4, area.height // 4 : -area.height // 4]
    assert (empty[middle] != paper).any() and (inked[middle] == paper).all()
    press(app, pygame.K_z, pygame.KMOD_CTRL)
    again = shown(app)[area.left : area.right, area.top : area.bottom]
    assert (again[middle] == empty[middle]).all()


def test_a_message_goes_after_a_while(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.say("hello")
    later = time.monotonic() + 10
    monkeypatch.setattr(time, "monotonic", lambda: later)
    app.tick()
    assert app.message == ""


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
    app.load(ROOT / "model.pth")
    settle(app, lambda: bool(app.model))
    assert read(app).text == "7"


def test_damaged_corrections_are_kept_aside_and_said(start: Start, tmp_path: Path) -> None:
    (tmp_path / "corrections").mkdir()
    name = "20260101T000000000000-000-abcdef.npz"
    (tmp_path / "corrections" / name).write_bytes(b"damaged")
    app = start()
    assert "damaged" in app.message
    assert (tmp_path / "corrections" / "damaged" / name).read_bytes() == b"damaged"
