"""Colours and type: two calm themes, safe for the colour-blind, and text drawn once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pygame

Colour = tuple[int, int, int]

MOST_TEXTS = 600  # rendered texts kept


@dataclass(frozen=True)
class Palette:
    """Accents are blue, orange and their neighbours (Okabe and Ito, 2008): told apart in every common colour vision."""

    window: Colour
    panel: Colour
    line: Colour
    text: Colour
    faint: Colour  # secondary text
    paper: Colour
    ink: Colour
    accent: Colour  # the answer, the selection, the focus
    muted: Colour  # bars that did not win, tracks
    doubt: Colour  # refused, unsure, wrong
    heat: Colour


PALETTES = {
    "light": Palette(
        (238, 240, 243),
        (255, 255, 255),
        (211, 216, 223),
        (28, 34, 43),
        (96, 106, 120),
        (255, 255, 255),
        (24, 28, 36),
        (0, 98, 168),
        (176, 190, 206),
        (186, 78, 0),
        (230, 120, 0),
    ),
    "dark": Palette(
        (22, 25, 30),
        (32, 36, 43),
        (58, 64, 74),
        (234, 237, 241),
        (150, 159, 172),
        (14, 16, 20),
        (242, 243, 245),
        (86, 180, 233),
        (76, 88, 104),
        (240, 158, 50),
        (255, 150, 30),
    ),
}


class Type:
    """Text in a few sizes, each rendered once. Sizes are in pixels."""

    def __init__(self) -> None:
        self._fonts: dict[tuple[int, bool], pygame.font.Font] = {}
        self._texts: dict[tuple[str, int, Colour, bool], pygame.Surface] = {}
        self._folder = _font_folder()

    def font(self, size: float, bold: bool = False) -> pygame.font.Font:
        key = (max(8, round(size)), bold)
        if key not in self._fonts:
            name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
            self._fonts[key] = pygame.font.Font(self._folder / name if self._folder else None, key[0])
        return self._fonts[key]

    def render(self, text: str, size: float, colour: Colour, bold: bool = False) -> pygame.Surface:
        key = (text, max(8, round(size)), colour, bold)
        if key not in self._texts:
            if len(self._texts) >= MOST_TEXTS:
                self._texts.clear()
            shown = "".join(
                letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
            )
            self._texts[key] = self.font(size, bold).render(shown, True, colour)
        return self._texts[key]

    def width(self, text: str, size: float, bold: bool = False) -> int:
        return self.font(size, bold).size(text)[0]

    def fit(self, text: str, size: float, width: float, bold: bool = False, keep_end: bool = False) -> str:
        """Return `text`, shortened with an ellipsis to at most `width` pixels."""
        if self.width(text, size, bold) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            part = "…" + text[-middle:] if keep_end else text[:middle] + "…"
            low, high = (middle, high) if self.width(part, size, bold) <= width else (low, middle - 1)
        if low == 0:
            return ""
        return "…" + text[-low:] if keep_end else text[:low].rstrip() + "…"

    def wrap(self, text: str, size: float, width: float) -> list[str]:
        """Return `text` in lines of at most `width` pixels; a longer word, such as a path, goes on in the next line."""
        lines = [""]
        for word in text.split():
            while len(word) > 1 and self.width(word, size) > width:
                count = max(1, int(len(word) * width / self.width(word, size)))
                while count > 1 and self.width(word[:count], size) > width:
                    count -= 1
                lines = [*lines, word[:count]] if lines[-1] else [*lines[:-1], word[:count]]
                word = word[count:]
                if self.width(word, size) <= width:
                    lines.append("")
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.width(longer, size) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines


@dataclass(frozen=True)
class Style:
    """How things are drawn: colours, type and the size of things (pixels a design unit)."""

    palette: Palette
    type: Type
    unit: float

    def text(
        self,
        surface: pygame.Surface,
        words: str,
        at: tuple[float, float],
        size: float | None = None,
        faint: bool = False,
        bold: bool = False,
        colour: Colour | None = None,
        width: float | None = None,
    ) -> pygame.Rect:
        """Draw one line of text with its left top corner `at`, shortened to `width`."""
        size = text_size(self.unit) if size is None else size
        if width is not None:
            words = self.type.fit(words, size, width, bold)
        image = self.type.render(
            words, size, colour or (self.palette.faint if faint else self.palette.text), bold
        )
        return surface.blit(image, at)


def text_size(unit: float) -> float:
    """Return the size of ordinary text in pixels."""
    return max(11.0, 14 * unit)


def shades(start: Colour, stop: Colour) -> list[Colour]:
    """Return 256 colours from `start` to `stop`."""
    mix = np.linspace(0, 1, 256)[:, None]
    return [(int(r), int(g), int(b)) for r, g, b in np.rint((1 - mix) * start + mix * stop)]


def _font_folder() -> Path | None:
    """Return matplotlib's fonts, the same on every machine and found without importing it; None for pygame's own font."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return (
        folder if (folder / "DejaVuSans.ttf").exists() and (folder / "DejaVuSans-Bold.ttf").exists() else None
    )
