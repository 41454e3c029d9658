"""Colours that everybody can tell apart."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from window.paint.theme import PALETTES, Type

# Machado, Oliveira and Fernandes (2009), severity 1.0: linear RGB as those see it who lack one kind of cone
LACKING = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


DIFFERENT = 20.0  # CIE 1976 colour difference; 2.3 can just be seen side by side, 20 is told apart without a second look


def lab(colour: tuple[int, int, int], lacking: str) -> np.ndarray:
    """Return CIE L*a*b* (D65) of an sRGB colour as somebody sees it who is `lacking` a kind of cone."""
    share = np.array(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(LACKING[lacking]) @ linear, 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ seen
        / (0.9505, 1, 1.089)
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_contrast_of_text_is_enough_to_read() -> None:
    def brightness(colour: tuple[int, int, int]) -> float:  # relative luminance, WCAG 2
        r, g, b = (
            value / 3294.6 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour
        )
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    for palette in PALETTES.values():
        for colour in (palette.text, palette.faint, palette.accent, palette.doubt):
            low, high = sorted((brightness(colour), brightness(palette.panel)))
            assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("theme", PALETTES)
def test_colours_that_mean_something_differ_in_every_colour_vision(theme: str, lacking: str) -> None:
    palette = PALETTES[theme]
    pairs = [
        ("accent", "doubt"),
        ("accent", "muted"),
        ("doubt", "muted"),
        ("accent", "text"),
        ("heat", "muted"),
        ("accent", "panel"),
        ("doubt", "panel"),
        ("heat", "paper"),
        ("ink", "paper"),
        ("text", "panel"),
        ("faint", "panel"),
    ]
    for one, other in pairs:
        apart = np.linalg.norm(lab(getattr(palette, one), lacking) - lab(getattr(palette, other), lacking))
        assert apart >= DIFFERENT, (one, other, apart)


def test_a_path_longer_than_a_line_goes_on_in_the_next() -> None:
    pygame.font.init()
    type = Type()
    path = "/home/somebody/Pictures/" + "a-long-name-" * 12 + "drawing.png"
    lines = type.wrap(f"Saved {path} there", 14, 200)
    assert "".join(lines).replace("Saved", "").replace("there", "").replace(" ", "") == path
    assert all(type.width(line, 14) <= 200 for line in lines) and len(lines) > 4
