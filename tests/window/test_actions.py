"""The table of actions is what keys, toolbar, help card and README show."""

from __future__ import annotations

import re

import pygame
import pytest
from conftest import ROOT
from driving import Start, click, press, shown

from window.actions import by_key, keys_table, more_buttons
from window.cards.help import HelpCard, MoreCard


def test_readme_lists_the_keys(start: Start) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"<!-- keys -->\n(.*?)\n<!-- /keys -->", readme, re.DOTALL)
    assert table == keys_table(start(model=None).actions)


def test_no_key_has_two_meanings_and_each_listed_one_has_one(start: Start) -> None:
    app = start(model=None)
    keys = [key for action in app.actions if action.do for key in action.keys]
    assert len(keys) == len(set(keys)) and set(by_key(app.actions)) == set(keys)
    gestures = {
        "Left button",
        "Right button",
        "[",
        "]",
        "wheel",
        "Drop",
        "Left",
        "Right",
        "0 to 9",
        "Tab",
        "Enter",
        "Esc",
    }
    for action in app.actions:
        assert action.do or set(action.keys) <= gestures


def test_the_help_card_lists_what_the_toolbar_does(start: Start) -> None:
    app = start(model=None)
    press(app, pygame.K_F1)
    assert isinstance(app.card, HelpCard)
    shown = dict(app.card.keys)
    for action in app.actions:
        if action.button:
            assert shown[action.listed_keys] == action.hint
            all_buttons = [*app.widgets, *more_buttons(app.actions, app.widgets)]
            button = next(each for each in all_buttons if getattr(each, "label", "") == action.button)
            assert button.hint.lower() == f"{action.hint} ({action.listed_keys})".lower()


def test_the_help_fits_the_card_at_every_size(start: Start) -> None:
    for size in ((480, 360), (1024, 768), (3840, 2160)):
        app = start(size, model=None)
        longest = max(app.type.width(hint, 14) for _, hint in [(0, a.hint) for a in app.actions if a.hint])
        assert longest < 300  # at 14 px, half the card's width less the keys'


@pytest.mark.parametrize("size", [(480, 360), (1024, 768), (1600, 400)])
def test_what_has_no_room_in_the_toolbar_is_under_more(start: Start, size: tuple[int, int]) -> None:
    app = start(size, model=None)
    labels = [getattr(widget, "label", "") for widget in app.shown_widgets]
    assert labels[-1] == "More"
    app.handle(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=app.more.rect.center, button=1, touch=False))
    card = app.card
    assert isinstance(card, MoreCard)
    shown(app)
    listed = {button.label for button in card.buttons[1:]}
    assert listed | set(labels) >= {action.button for action in app.actions if action.button}
    assert not listed & set(labels) and {"Paste", "Export", "Quit"} <= listed
    for button in card.buttons:
        assert app.screen.get_rect().contains(button.rect) and button.rect.height > 12
    (pen,) = [button for button in card.buttons if button.label == "Arrow pen"]
    click(app, pen.rect.center)
    assert app.card is None and app.drawing.pen
