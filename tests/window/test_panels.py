"""What the panels say."""

from __future__ import annotations

import numpy as np
import pygame
import pytest
from driving import SEVEN, drag, read

from recognizer.answer import Digit, Reading
from window.app import App
from window.paint.answer import in_words
from window.paint.panels import draw_bars, picture_of
from window.paint.theme import PALETTES, Style, Type


@pytest.mark.parametrize(
    "groups, said",
    [
        ([("7", 0.8, True)], ("Likely, 80.0%", 0.8, False)),
        ([("7", 0.6, True)], ("Unsure, 60.0%", 0.6, True)),
        ([("7", 1.0, True)], ("Sure, 99.9%", 1.0, False)),
        ([("7", 0.9496, True)], ("Likely, 94.9%", 0.9496, False)),
        ([("7", 0.99, True), ("1", 0.96, True)], ("Sure, at least 96.0%", 0.96, False)),
        ([("7", 0.99, True), ("1", 0.5, False)], ("1 mark is not a digit. Sure, 99.0%", 0.99, True)),
    ],
)
def test_the_answer_says_how_sure_it_is(groups: list, said: tuple) -> None:
    made = tuple(
        Digit(digit, sure, (), (0, 0, 9, 9), np.zeros((28, 28)), accepted) for digit, sure, accepted in groups
    )
    assert in_words(Reading("ok", "".join(digit for digit, *_ in groups), made), "")[1:] == said


def test_frames_are_shown_upright() -> None:
    frame = np.zeros((4, 4), np.float32)
    frame[0, 3] = 1
    assert picture_of(frame, (4, 4)).get_at((3, 0))[:3] == (255, 255, 255)


def test_words_for_confidence_and_for_no_digit(app: App) -> None:
    drag(app, SEVEN)
    sure = read(app)
    number, words, confidence, doubt = in_words(sure, "")
    assert (number, doubt) == ("7", False) and words.startswith("Sure") and confidence == sure.confidence
    assert "Not a digit" in in_words(Reading("not_a_digit", "", ()), "")[1]
    assert "Nothing here" in in_words(Reading("blank", "", ()), "")[1]


@pytest.mark.parametrize("accepted", [True, False])
def test_only_a_digit_has_a_bar_in_colour(accepted: bool) -> None:
    pygame.font.init()
    surface = pygame.Surface((400, 200))
    style = Style(PALETTES["light"], Type(), 1.0)
    group = Digit("1", 0.99, (0.01, 0.99), (0, 0, 9, 9), np.zeros((28, 28)), accepted)
    draw_bars(surface, surface.get_rect(), style, ("0", "1"), group)
    pixels = pygame.surfarray.array3d(surface)
    coloured = (pixels == style.palette.accent).all(axis=2) | (pixels == style.palette.doubt).all(axis=2)
    assert (coloured.sum() > 1000) == accepted
