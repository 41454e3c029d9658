"""Opening, saving and exporting: nothing is overwritten unasked, and the path is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import pytest
from driving import SEVEN, click, drag, press, read, settle, shown
from PIL import Image

from training.folders import load_folder
from window.app import App
from window.cards.choosing import OpenCard, SaveCard


def type_in(app: App, text: str) -> None:
    for letter in text:
        press(app, 0, letter=letter)


def names(card: OpenCard | SaveCard) -> list[str]:
    return [path.name for path in card.entries]


def test_a_drawing_is_found_by_typing_and_opened(app: App, tmp_path: Path) -> None:
    drag(app, SEVEN)
    before = app.drawing.canvas.picture()
    app.exchange.save(tmp_path / "my seven.json")
    press(app, pygame.K_c)
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("")
    press(app, pygame.K_o, pygame.KMOD_CTRL)
    card = app.card
    assert isinstance(card, OpenCard) and names(card) == ["folder", "my seven.json"]
    type_in(app, "SEV")
    assert names(card) == ["my seven.json"]
    press(app, pygame.K_RETURN)
    assert app.card is None and (app.drawing.canvas.picture() == before).all()


def test_folders_are_walked_by_click_and_key(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    Image.fromarray(seven).save(tmp_path / "deep" / "deeper" / "s.PNG")
    press(app, pygame.K_o, pygame.KMOD_CTRL)
    card = app.card
    assert isinstance(card, OpenCard)
    shown(app)
    click(app, card.drawn.rows[names(card).index("deep")].center)
    assert card.folder == tmp_path / "deep" and names(card) == ["deeper"]
    press(app, pygame.K_DOWN)
    press(app, pygame.K_RETURN)
    assert names(card) == ["s.PNG"]
    press(app, pygame.K_BACKSPACE)
    assert card.folder == tmp_path / "deep"
    card.go(tmp_path / "nowhere")
    assert card.folder == tmp_path / "deep" and "nowhere" in card.error
    card.go(tmp_path / "deep" / "deeper")
    app.show("all")
    shown(app)
    click(app, card.drawn.rows[0].center)
    settle(app, lambda: app.on_show.picture is not None)
    assert app.settings.folder == str(tmp_path / "deep" / "deeper") == str(app.exchange.folder)


def test_saving_says_the_path_and_overwrites_after_a_second_press_only(app: App, tmp_path: Path) -> None:
    (tmp_path / "drawing.png").write_bytes(b"mine")
    drag(app, SEVEN)
    press(app, pygame.K_s, pygame.KMOD_CTRL)
    card = app.card
    assert isinstance(card, SaveCard) and card.text == "drawing-2.png"
    press(app, pygame.K_RETURN)
    assert app.card is None and str(tmp_path / "drawing-2.png") in app.message
    press(app, pygame.K_s, pygame.KMOD_CTRL)
    card = app.card
    assert isinstance(card, SaveCard)
    card.type("drawing")
    press(app, pygame.K_RETURN)
    assert app.card is card and card.buttons[1].label == "Overwrite drawing.png"
    assert (tmp_path / "drawing.png").read_bytes() == b"mine"
    type_in(app, "s")  # another name: it is asked anew
    assert card.buttons[1].label == "Save"
    press(app, pygame.K_BACKSPACE)
    press(app, pygame.K_RETURN)
    assert (tmp_path / "drawing.png").read_bytes() == b"mine"
    press(app, pygame.K_RETURN)
    assert app.card is None
    with Image.open(tmp_path / "drawing.png") as picture:
        assert picture.mode == "L"


def test_a_drawing_is_saved_as_strokes_by_its_name_or_by_the_button(app: App, tmp_path: Path) -> None:
    drag(app, SEVEN)
    press(app, pygame.K_s, pygame.KMOD_CTRL)
    shown(app)
    assert isinstance(app.card, SaveCard)
    click(app, app.card.buttons[3].rect.center)
    assert app.card.text == "drawing.json"
    press(app, pygame.K_RETURN)
    assert (tmp_path / "drawing.json").read_text().startswith("{")


def test_the_first_folder_is_the_users_own_and_never_the_current_one(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    app.folder = None
    assert app.exchange.folder == tmp_path
    (tmp_path / "Documents").mkdir()
    assert app.exchange.folder == tmp_path / "Documents"
    (tmp_path / "Pictures").mkdir()
    assert app.exchange.folder == tmp_path / "Pictures"
    app.settings.folder = str(tmp_path / "gone")
    assert app.exchange.folder == tmp_path / "Pictures"
    app.settings.folder = str(tmp_path / "Documents")
    assert app.exchange.folder == tmp_path / "Documents"


def test_what_was_corrected_and_drawn_is_exported_as_pictures_to_train_on(
    app: App, tmp_path: Path, frames: np.ndarray
) -> None:
    memory = app.session.memory
    assert memory is not None
    press(app, pygame.K_x)
    assert "nothing to export" in app.message
    memory.learn(frames[0], "9")  # said again, otherwise, below
    for number in range(6):
        memory.learn(frames[number], str(number % 2))
    drag(app, SEVEN)
    drag(app, [(450, 60), (450, 220)])
    assert read(app).text == "71"
    press(app, pygame.K_x)
    folder = tmp_path / "labelled-digits"
    assert str(folder) in app.message
    data = load_folder(folder)
    assert data.training.classes == ("0", "1", "7") and not data.skipped
    assert len(data.training) + len(data.validation) == 8
    images = [*data.training.images[:, 0].numpy(), *data.validation.images[:, 0].numpy()]
    for frame in (*frames[:6], *(group.frame for group in app.on_show.groups)):
        alike = [np.corrcoef(image.ravel(), frame.ravel())[0, 1] for image in images]
        assert max(alike) > 0.95  # the same but for the placing of a lone bar by a pixel
    press(app, pygame.K_x)
    assert (tmp_path / "labelled-digits-2").is_dir()
