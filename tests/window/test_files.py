"""The list of files that are read one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import pytest
from driving import click, press, send, settle, shown
from PIL import Image

from window.app import App
from window.cards.files import FilesCard
from window.paint.lists import Drawn
from window.session import FileReading


def test_a_long_list_follows_its_newest_row_until_it_is_scrolled_back(app: App) -> None:
    card = FilesCard(app.close_card, print, app.worker.cancel, lambda: True)
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


def test_the_list_of_files_says_what_failed_and_how_far_it_came(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple] = []

    def note(surface: object, room: object, style: object, rows: list, first: int, *words: object) -> Drawn:
        said.append((rows, words[0]))
        return Drawn(5, {}, {})

    monkeypatch.setattr("window.cards.card.draw_rows", note)
    card = app.card = FilesCard(app.close_card, print, app.worker.cancel, lambda: False)
    assert card.add(FileReading(Path("a.png"), "7", None, 1, 3)) and not card.add(
        FileReading(Path("b.png"), "", "damaged", 2, 3)
    )
    shown(app)
    rows, words = said[-1]
    assert (rows[1].words, rows[1].beside) == (
        "damaged",
        "b.png",
    ) and words == "2 of 3 read, 1 failed, stopped"
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


def test_a_file_of_the_list_is_opened_by_a_click(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    (tmp_path / "many").mkdir()
    for name in ("a", "b"):
        Image.fromarray(seven).save(tmp_path / "many" / f"{name}.png")
    send(app, pygame.DROPFILE, file=str(tmp_path / "many"))
    card = app.card
    assert isinstance(card, FilesCard)
    settle(app, lambda: card.rows() == 2)
    app.show("all")
    shown(app)
    click(app, card.drawn.rows[1].center)
    settle(app, lambda: app.on_show.picture is not None)
    assert app.card is None and "b.png" in app.message
