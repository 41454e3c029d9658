"""The live training, watched, paused and stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pygame
import pytest
from conftest import ROOT
from driving import SEVEN, click, drag, press, read, send, settle, shown
from PIL import Image

from dataset import Digits
from window.app import App


@pytest.mark.parametrize("how", ["M", "model", "folder"])
def test_a_paused_training_is_ended_for_good(
    app: App, monkeypatch: pytest.MonkeyPatch, digits: Digits, tmp_path: Path, how: str
) -> None:
    monkeypatch.setattr("training.lesson._find_digits", lambda: digits)
    press(app, pygame.K_m)
    settle(app, lambda: bool(app.lesson.reports))
    press(app, pygame.K_m, pygame.KMOD_SHIFT)
    assert app.worker.paused
    if how == "M":
        press(app, pygame.K_m)
    elif how == "model":
        (tmp_path / "Own.PTH").write_bytes((ROOT / "model.pth").read_bytes())
        send(app, pygame.DROPFILE, file=str(tmp_path / "Own.PTH"))
    else:
        (tmp_path / "many").mkdir()
        Image.new("L", (30, 30), 255).save(tmp_path / "many" / "a.png")
        send(app, pygame.DROPFILE, file=str(tmp_path / "many"))
    assert app.lesson.reports is None and not app.worker.paused
    if how == "model":
        settle(app, lambda: "Own.PTH" in app.model)
    if how == "folder":
        settle(app, lambda: app.card.rows() == 1)


def test_a_training_is_watched_paused_and_stopped_and_leaves_the_model_alone(
    app: App, monkeypatch: pytest.MonkeyPatch, digits: Any
) -> None:
    monkeypatch.setattr("training.lesson.load_mnist", lambda *args, **options: digits)
    model = (ROOT / "model.pth").read_bytes()
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_m)
    settle(app, lambda: len(app.lesson.reports or ()) >= 3)
    settle(
        app,
        lambda: (
            app.on_show.reading is not None and app.on_show.reading.groups[0].probs != before.groups[0].probs
        ),
    )
    shown(app)
    press(app, pygame.K_4, letter="4")
    assert "Corrections rest" in app.message
    press(app, pygame.K_m, pygame.KMOD_SHIFT)
    settle(app, lambda: app.worker.paused and not app.worker.asked_for(app.session.train))
    count = len(app.lesson.reports or ())
    time.sleep(0.2)
    app.tick()
    assert len(app.lesson.reports or ()) == count
    click(app, app.layout.frames.center)
    settle(app, lambda: len(app.lesson.reports or ()) > count)
    button = next(widget for widget in app.shown_widgets if getattr(widget, "label", "") == "Train")
    click(app, button.rect.center)
    assert app.running and app.lesson.reports is None
    assert read(app).groups[0].probs == before.groups[0].probs
    assert (ROOT / "model.pth").read_bytes() == model


def test_a_lesson_that_is_over_says_so(app: App, monkeypatch: pytest.MonkeyPatch, digits: Any) -> None:
    monkeypatch.setattr("training.lesson._find_digits", lambda: digits)
    monkeypatch.setattr("training.lesson.teach.__defaults__", (None, 10))  # steps
    press(app, pygame.K_m)
    settle(app, lambda: bool(app.lesson.reports) and not app.worker.busy)
    app.tick()
    assert app.lesson.reports is not None and [report.over for report in app.lesson.reports] == [False, True]
    press(app, pygame.K_m, pygame.KMOD_SHIFT)
    assert "The lesson is over" in app.message and not app.worker.paused
    shown(app)


def test_a_training_that_fails_brings_the_model_back(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ImportError("no digits here")

    monkeypatch.setattr("training.lesson._find_digits", missing)
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_m)
    settle(app, lambda: "no digits here" in app.message)
    assert app.lesson.reports is None
    assert read(app).groups[0].probs == before.groups[0].probs
