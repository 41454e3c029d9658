"""Files, the clipboard, drawings saved."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
from driving import SEVEN, click, drag, press, read, send, settle, shown
from PIL import Image

from window.app import App
from window.cards.files import FilesCard
from window.sheet import crop


def test_a_stroke_in_progress_is_saved_too(app: App, tmp_path: Path) -> None:
    press(app, pygame.K_p)
    press(app, pygame.K_SPACE)
    for _ in range(10):
        press(app, pygame.K_DOWN)
    app.exchange.save(tmp_path / "drawing.json")
    (saved,) = json.loads((tmp_path / "drawing.json").read_text())["strokes"]
    assert len(saved["points"]) > 5


def test_all_files_that_are_dropped_together_are_read(app: App, tmp_path: Path, seven: np.ndarray) -> None:
    send(app, pygame.DROPBEGIN)
    for name in ("a.png", "b.png"):
        Image.fromarray(seven).save(tmp_path / name)
        send(app, pygame.DROPFILE, file=str(tmp_path / name))
    send(app, pygame.DROPCOMPLETE)
    settle(app, lambda: isinstance(app.card, FilesCard) and app.card.rows() == 2)
    assert [reading.text for reading in app.card.readings] == ["7", "7"]


def test_an_empty_drawing_is_not_saved(app: App, tmp_path: Path) -> None:
    press(app, pygame.K_s, pygame.KMOD_CTRL)
    assert "nothing to save" in app.message and app.card is None


def test_a_path_on_the_clipboard_may_begin_at_home(
    app: App, tmp_path: Path, seven: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Image.fromarray(seven).save(tmp_path / "s.png")
    monkeypatch.setattr(pygame.scrap, "get_text", lambda: "~/s.png")
    press(app, pygame.K_v, pygame.KMOD_CTRL)
    settle(app, lambda: app.on_show.picture is not None)


def test_the_saved_picture_and_the_canvas_give_the_identical_frame(app: App, tmp_path: Path) -> None:
    drag(app, SEVEN)
    saved = tmp_path / "drawing.png"
    app.exchange.save(saved)
    with Image.open(saved) as picture:
        assert (np.asarray(picture) == crop(app.drawing.canvas.ink)[0]).all()
    assert (read(app).groups[0].frame == app.session.read(saved).groups[0].frame).all()  # type: ignore[union-attr]


def test_saved_strokes_come_back_when_dropped(app: App, tmp_path: Path) -> None:
    drag(app, SEVEN)
    drag(app, [(200, 100), (220, 140)], button=3)
    before = app.drawing.canvas.picture()
    app.exchange.save(tmp_path / "drawing.json")
    press(app, pygame.K_c)
    send(app, pygame.DROPFILE, file=str(tmp_path / "drawing.json"))
    assert (app.drawing.canvas.picture() == before).all()


def test_a_drawing_too_long_to_be_opened_again_is_said_when_saved(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("window.exchange.MOST_POINTS", 3)
    drag(app, SEVEN)
    app.exchange.save(tmp_path / "drawing.json")
    assert "cannot" not in app.message
    drag(app, SEVEN)
    app.exchange.save(tmp_path / "drawing.json")
    assert app.message.startswith("Saved") and "cannot be opened again" in app.message


@pytest.mark.parametrize("number, words", [(13, "permission denied"), (28, "no space left")])
def test_what_cannot_be_saved_is_said_and_leaves_the_old_file(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(number, words, "/there")

    (tmp_path / "drawing.png").write_bytes(b"mine")
    monkeypatch.setattr("base.storage.os.fsync", refuse)
    drag(app, SEVEN)
    app.exchange.save(tmp_path / "drawing.png")
    assert "Not saved" in app.message and words in app.message
    assert [path.name for path in tmp_path.glob("*.p*")] == ["drawing.png"]
    assert (tmp_path / "drawing.png").read_bytes() == b"mine"


def test_a_dropped_picture_is_shown_with_its_boxes_and_the_canvas_comes_back(
    app: App, tmp_path: Path, seven: np.ndarray
) -> None:
    drag(app, [(450, 60), (450, 220)])
    assert read(app).text == "1"
    Image.fromarray(seven).resize((2800, 2800)).save(tmp_path / "big.png")  # larger than it is decoded
    send(app, pygame.DROPFILE, file=str(tmp_path / "big.png"))
    settle(app, lambda: app.on_show.picture is not None)
    assert app.on_show.reading is not None and app.on_show.reading.text == "7"
    box = app.on_show.to_window(app.on_show.reading.groups[0].box)
    assert app.on_show.picture_rect().contains(box) and box.height > 0.5 * app.layout.canvas.height
    shown(app)
    assert "Esc" in app.hint_at(app.layout.canvas.center)
    press(app, pygame.K_z, pygame.KMOD_CTRL)  # changes nothing that cannot be seen
    assert app.on_show.picture is None and app.message == "" and app.running and read(app).text == "1"
    press(app, pygame.K_F1)
    assert app.hint_at(app.layout.canvas.topleft) == ""
    send(app, pygame.DROPFILE, file=str(tmp_path / "big.png"))
    settle(app, lambda: app.on_show.picture is not None)
    assert app.card is None
    press(app, pygame.K_ESCAPE)
    assert app.on_show.picture is None and app.running and read(app).text == "1"


@pytest.mark.parametrize(
    ("name", "content"),
    [("no.png", b"not a picture"), ("no.json", b"{}"), ("no.pth", b"no model"), ("gone.png", None)],
)
def test_a_bad_file_is_said_and_changes_nothing(
    app: App, tmp_path: Path, name: str, content: bytes | None
) -> None:
    drag(app, SEVEN)
    before, text = app.drawing.canvas.picture(), read(app).text
    if content is not None:
        (tmp_path / name).write_bytes(content)
    app.message = ""
    send(app, pygame.DROPFILE, file=str(tmp_path / name))
    settle(app, lambda: name in app.message and "Loading" not in app.message)
    assert (app.drawing.canvas.picture() == before).all() and read(app).text == text and app.model


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
    while len(app.worker._answers) < 3:  # nobody has fetched them
        assert time.monotonic() < end
        time.sleep(0.002)
    app.exchange.open([str(tmp_path / "second")])
    card = app.card
    assert isinstance(card, FilesCard)
    settle(app, lambda: card.rows() >= 3 and not app.worker.busy)
    assert [reading.path.name for reading in card.readings] == [f"second {number}.png" for number in range(3)]


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
    settle(app, lambda: app.on_show.picture is not None)
    assert app.on_show.reading is not None and app.on_show.reading.text == "7"
    for text in ("hello", "x" * 300, "~nobody-of-that-name/seven.png"):
        monkeypatch.setattr(pygame.scrap, "get_text", lambda text=text: text)
        press(app, pygame.K_v, pygame.KMOD_CTRL)
        assert text[:60] in app.message
    app.escape()
    monkeypatch.setattr(
        pygame.scrap, "get_text", lambda: (tmp_path / "pasted seven.png").as_uri()
    )  # %20 in it
    press(app, pygame.K_v, pygame.KMOD_CTRL)
    settle(app, lambda: app.on_show.picture is not None)


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
    assert (app.on_show.picture is not None) == (content == "image")
