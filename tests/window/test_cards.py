"""Help, corrections and files over the window."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pygame
import pytest
from driving import SEVEN, click, drag, press, read, send, settle, shown

from corrections.memory import Memory
from window.app import App
from window.cards.corrections import CorrectionsCard, _local_time
from window.cards.help import HelpCard


def test_a_typed_digit_is_learnt_at_once_and_backspace_takes_it_back(app: App) -> None:
    drag(app, SEVEN)
    before = read(app)
    press(app, pygame.K_4, letter="4")
    settle(app, lambda: "Learnt" in app.message)
    assert read(app).text == "4"
    press(app, pygame.K_BACKSPACE)
    settle(app, lambda: "Forgotten again" in app.message)
    assert read(app).groups[0].probs == before.groups[0].probs


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
    app.session.practise = lambda undo: "Practised"
    click(app, practise.rect.center)
    settle(app, lambda: app.message == "Practised")
    above = practise.rect.move(0, -practise.rect.height)  # beside the button, over the card, in full contrast
    said = shown(app)[above.left : above.right, above.top : above.bottom]
    assert (said == pygame.Color(app.style.palette.text)[:3]).all(axis=2).any()
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
    app.lesson.reports = []
    press(app, pygame.K_l)
    assert isinstance(app.card, CorrectionsCard)
    shown(app)
    click(app, app.card.buttons[3].rect.center)
    assert "Practice rests" in app.message and not app.worker.asked_for(app.session.practise)


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
    assert app.drawing.canvas.strokes  # keys belong to the card
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
    settle(app, lambda: not app.worker.asked_for(app.session.unlearn))
    assert len(memory) == 2
    press(app, pygame.K_l, letter="l")
    press(app, pygame.K_BACKSPACE)
    settle(app, lambda: len(memory) == 1)


def test_corrections_are_listed_newest_first_and_scroll(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        app.session.memory.learn(np.full((28, 28), number / 40, np.float32), str(number % 10))
    seen: list[int] = []

    def note(frame: np.ndarray, size: tuple[int, int]) -> pygame.Surface:
        seen.append(round(float(frame[0, 0]) * 40))
        return pygame.Surface(size)

    monkeypatch.setattr("window.paint.lists.picture_of", note)
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
    assert asked == [(app.session.unlearn,)] and app.card is not None


def test_practice_is_undone_by_the_same_button(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.session.memory.learn(np.zeros((28, 28), np.float32), "7")
    practised: list[bool] = []
    monkeypatch.setattr(app.session, "practise", lambda undo: practised.append(undo) or "Practised")
    press(app, pygame.K_l)
    for done, label in ((False, "Practise"), (True, "Undo practice")):
        monkeypatch.setattr(type(app.session), "practised", done)
        app.show("all")
        shown(app)
        button = app.card.buttons[3]
        assert button.label == label
        click(app, button.rect.center)
        settle(app, lambda: not app.worker.asked_for())
    assert practised == [False, True]


def test_one_correction_is_deleted_and_put_back_at_its_place(app: App) -> None:
    memory = app.session.memory
    assert memory is not None
    for number in range(3):
        memory.learn(np.full((28, 28), number / 4, np.float32), str(number))
    before = memory.entries()
    press(app, pygame.K_l)
    card = app.card
    assert isinstance(card, CorrectionsCard)
    shown(app)
    middle = card.drawn.buttons[1].center
    click(app, middle)
    assert [entry.label for entry in memory.entries()] == ["0", "2"] and card.rows() == 3
    assert "Deleted" in app.message
    shown(app)
    click(app, middle)
    assert memory.entries() == before and len(Memory(memory.folder)) == 3
    assert (memory.entries()[1].frame == before[1].frame).all() and not card.deleted


def test_the_list_says_which_correction_of_a_drawing_counts(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.session.memory is not None
    for label in "37":
        app.session.memory.learn(np.eye(28, dtype=np.float32), label)
    press(app, pygame.K_l)
    assert isinstance(app.card, CorrectionsCard)
    texts: list[str] = []
    monkeypatch.setattr(
        app.card,
        "draw_list",
        lambda surface, room, style, rows, note: texts.extend(row.words for row in rows),
    )
    shown(app)
    assert texts[:2] == ["is 7", "is 3 (a later one counts)"]


def test_a_list_longer_than_its_card_shows_where_one_is(app: App) -> None:
    assert app.session.memory is not None
    press(app, pygame.K_l)
    shown(app)
    card = app.card
    assert isinstance(card, CorrectionsCard)

    def bar() -> np.ndarray:
        app.show("all")
        shown(app)
        rect = max(card.drawn.rows.values(), key=lambda rect: rect.right)
        pixels = shown(app)[rect.right + 8 : rect.right + 14, rect.top : rect.top + 16 * rect.height]
        return (pixels == app.style.palette.faint).all(axis=2).any(axis=0)

    for number in range(40):
        app.session.memory.learn(np.full((28, 28), number / 40, np.float32), "1")
    app.show("all")
    shown(app)
    first = bar()
    press(app, pygame.K_END)
    assert first[: len(first) // 4].any() and not bar()[: len(first) // 4].any()
