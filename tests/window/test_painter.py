"""What is on the screen, and that only what changed is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import torch
from driving import SEVEN, Start, at, drag, press, read, send, settle, shown
from PIL import Image

from base.checkpoint import Checkpoint, save_checkpoint
from model import build_model
from window.app import App
from window.paint.theme import PALETTES


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
    assert (app.drawing.canvas.picture()[57, 205] == 0) and read(app).groups[0].probs == before.groups[
        0
    ].probs


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
    settle(app, lambda: app.on_show.picture is not None and app.on_show.reading is not None)
    press(app, pygame.K_h)
    settle(app, lambda: bool(app.on_show.heats))
    app.on_show.heats = [np.tile(np.linspace(0, 1, 64), (64, 1))]
    app.show("all")
    picture, rect = shown(app).astype(int), app.on_show.picture_rect()
    column = picture[:, rect.centery - rect.height // 4]  # in the black: the map alone
    steps = [column[rect.left + rect.width * part // 8].tolist() for part in (1, 4, 7)]
    assert steps[0] != steps[1] != steps[2], steps


def test_the_heat_map_colours_the_ink_and_goes_again(app: App) -> None:
    drag(app, SEVEN)
    read(app)
    before = shown(app)
    press(app, pygame.K_h)
    settle(app, lambda: bool(app.on_show.heats))
    hot = shown(app)
    rect = app.layout.canvas
    area = np.s_[rect.left : rect.right, rect.top : rect.bottom]
    assert (hot[area] != before[area]).any(axis=2).sum() > 500
    press(app, pygame.K_h)
    assert (shown(app)[area] == before[area]).all()


def test_nothing_is_drawn_when_nothing_changed(app: App) -> None:
    shown(app)
    app.tick()
    assert app.draw() == []
    for offset in (0, 5):
        place = app.layout.bars.move(offset, offset).center
        send(app, pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(0, 0, 0), touch=False)
        changed = app.draw()
    assert changed == []


def test_while_drawing_only_the_ink_is_drawn_again(app: App) -> None:
    shown(app)
    send(app, pygame.MOUSEBUTTONDOWN, pos=at(app, (50, 100)), button=1, touch=False)
    app.draw()
    app.draw()
    send(app, pygame.MOUSEMOTION, pos=at(app, (90, 100)), rel=(0, 0), buttons=(1, 0, 0), touch=False)
    (rect,) = app.draw()
    assert rect.width * rect.height < 0.05 * app.layout.canvas.width * app.layout.canvas.height


def test_what_the_system_uncovers_is_drawn_again(app: App) -> None:
    shown(app)
    app.screen.fill("red")
    send(app, pygame.WINDOWEXPOSED)
    assert not (shown(app) == (255, 0, 0)).all(axis=2).any()


def test_a_hint_stays_over_what_is_drawn_again_below_it(app: App) -> None:
    app.message = ""
    place = app.shown_widgets[3].rect.center
    send(app, pygame.MOUSEMOTION, pos=place, rel=(0, 0), buttons=(0, 0, 0), touch=False)
    before = shown(app)
    app.show("canvas")
    assert (shown(app) == before).all()
    send(app, pygame.MOUSEMOTION, pos=app.layout.bars.center, rel=(0, 0), buttons=(0, 0, 0), touch=False)
    assert (shown(app) != before).any()
