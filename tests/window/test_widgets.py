"""Buttons, by pointer and keyboard."""

from __future__ import annotations

import pygame
from driving import press, shown

from window.app import App
from window.cards.help import HelpCard, MoreCard
from window.paint.widgets import Button


def test_the_keyboard_reaches_every_button(app: App) -> None:
    usable = [
        index
        for index, widget in enumerate(app.shown_widgets)
        if not isinstance(widget, Button) or widget.enabled()
    ]
    reached = []
    for _ in usable:
        press(app, pygame.K_TAB)
        reached.append(app.focus)
    assert reached == usable and len(usable) < len(app.shown_widgets)  # there is nothing to undo yet
    press(app, pygame.K_RETURN)  # the last one is More
    assert isinstance(app.card, MoreCard)
    shown(app)
    press(app, pygame.K_RETURN)  # Close has the focus
    assert app.card is None
    press(app, pygame.K_TAB)
    brush = app.settings.brush
    press(app, pygame.K_RIGHT)
    assert app.settings.brush > brush
    press(app, pygame.K_ESCAPE)
    assert app.focus == -1 and app.running


def test_shift_tab_goes_backwards_and_space_presses(app: App) -> None:
    press(app, pygame.K_TAB, pygame.KMOD_SHIFT)
    assert app.focus == len(app.shown_widgets) - 1
    press(app, pygame.K_TAB, pygame.KMOD_SHIFT)
    assert app.focus == len(app.shown_widgets) - 2
    press(app, pygame.K_SPACE)
    assert isinstance(app.card, HelpCard)


def test_a_disabled_button_does_nothing() -> None:
    done: list[int] = []
    Button("x", "", lambda: done.append(1), enabled=lambda: False).press((0, 0))
    assert not done
