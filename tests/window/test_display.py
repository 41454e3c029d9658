"""The window before the first paint: its colour, icon, size and scale."""

from __future__ import annotations

import subprocess
import warnings
from typing import Any

import pygame
import pytest
from driving import SEVEN, Start, drag, shown

from window.app import App
from window.paint.bubble import draw_bubble
from window.paint.display import draw_icon, open_window, system_scale
from window.paint.theme import PALETTES, Style, Type


@pytest.mark.parametrize("window", [pygame.Window, None])  # whether a least size can be given to the system
def test_the_window_opens_in_the_themes_colour_and_no_smaller_than_the_least_size(
    monkeypatch: pytest.MonkeyPatch, window: Any
) -> None:
    monkeypatch.setattr(pygame, "Window", window)
    screen = open_window((100, 100), PALETTES["dark"])
    assert screen.get_size() == (480, 360)
    assert screen.get_at((5, 5))[:3] == PALETTES["dark"].window
    if window:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            assert window.from_display_module().minimum_size == (480, 360)


def test_the_icon_is_our_own() -> None:
    icon = draw_icon()
    assert icon.get_at((0, 0)).a == 0 and icon.get_at((32, 16))[:3] == PALETTES["light"].panel


@pytest.mark.parametrize(
    "environment, said, scale",
    [
        ({}, "Xft.dpi:\t192\n", 2.0),
        ({}, "", 1.0),
        ({"GDK_SCALE": "2"}, "", 2.0),
        ({"QT_SCALE_FACTOR": "1.5"}, "", 1.5),
        ({"GDK_SCALE": "much"}, "", 1.0),
        (
            {"WAYLAND_DISPLAY": "wayland-0", "GDK_SCALE": "2"},
            "",
            1.0,
        ),  # the desktop enlarges the window itself
    ],
)
def test_the_scale_is_the_systems(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: str, scale: float
) -> None:
    def query(*args: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(args, 0, said, "")

    for name in ("GDK_SCALE", "QT_SCALE_FACTOR", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(subprocess, "run", query)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert system_scale() == scale


@pytest.mark.parametrize("size", [(480, 360), (1600, 400), (500, 1300)])
def test_long_words_are_wrapped_beside_their_button_and_inside_the_window(size: tuple[int, int]) -> None:
    pygame.font.init()
    surface = pygame.Surface(size)
    style = Style(PALETTES["light"], Type(), 0.75)
    words = (
        "Exported 1,234 corrections and 12 digits of the drawing to /home/somebody/Pictures/labelled-digits "
        * 2
    )
    for anchor in (
        pygame.Rect(5, 5, 60, 30),
        pygame.Rect(size[0] - 60, size[1] - 40, 50, 30),
        pygame.Rect(size[0] // 2, 5, 60, 30),
        None,
    ):
        place = draw_bubble(surface, style, words, anchor)
        assert surface.get_rect().contains(place) and place.height > 40
        assert anchor is None or not place.colliderect(anchor)


def test_an_outcome_stands_beside_the_button_over_a_card_and_goes_when_one_draws(start: Start) -> None:
    app: App = start(model=None)
    app.show_corrections()
    shown(app)
    close = app.card.buttons[0].rect.copy() if app.card else None
    app.anchor = close
    before = shown(app)
    app.say("Practised: the model itself now knows 3 of 3 corrections")
    changed = (shown(app) != before).any(axis=2)
    assert close is not None and changed[close.left - 40 : close.right, close.top - 60 : close.top].any()
    app.close_card()
    drag(app, SEVEN)
    assert app.message == ""
