"""The table of actions is what keys, toolbar, help card and README show."""

from __future__ import annotations

import re

import pygame
from conftest import ROOT
from driving import Start, press

from window.actions import by_key, keys_table
from window.cards import HelpCard


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
            button = next(widget for widget in app.widgets if getattr(widget, "label", "") == action.button)
            assert button.hint.lower() == f"{action.hint} ({action.listed_keys})".lower()


def test_the_help_fits_the_card_at_every_size(start: Start) -> None:
    for size in ((480, 360), (1024, 768), (3840, 2160)):
        app = start(size, model=None)
        longest = max(app.type.width(hint, 14) for _, hint in [(0, a.hint) for a in app.actions if a.hint])
        assert longest < 300  # at 14 px, half the card's width less the keys'
