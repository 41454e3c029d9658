"""The panel of the answer: the number, how sure it is, and what else it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pygame

from recognizer.answer import as_percent
from window.paint.panels import panel
from window.paint.theme import Style

if TYPE_CHECKING:
    from recognizer.answer import Reading

SURE, LIKELY = 0.95, 0.7  # calibrated confidence from which these words are used
MOST_CHIPS = 4  # other texts that are offered
LEAST_CHIP = 0.02  # probability of the likeliest other text, or none is offered
LEAST_BESIDE = 0.005  # probability of the others


def other_texts(reading: Reading | None, shown: str) -> list[tuple[str, float]]:
    """Return the texts and their probabilities, likeliest first, that are worth being offered in place of `shown`."""
    if reading is None or reading.status != "ok":
        return []
    others = [each for each in reading.alternatives if each[0] != shown and each[1] >= LEAST_BESIDE]
    return others[:MOST_CHIPS] if others and others[0][1] >= LEAST_CHIP else []


def in_words(reading: Reading | None, waiting: str, chosen: str = "") -> tuple[str, str, float, bool]:
    """Return (number, words, confidence, whether to doubt it) for a reading; `waiting` is said while there is none.

    `chosen`: the text that the user has taken instead, "" for none.
    """
    if reading is None:
        return "", waiting, 0.0, False
    if chosen:
        return chosen, "Chosen by you", 1.0, False
    if reading.status == "blank":
        return "", "Nothing here yet: draw a digit", 0.0, False
    if reading.status != "ok":
        return "?", "Not a digit, as far as I can tell", 0.0, True
    confidence = reading.confidence
    words = "Sure" if confidence >= SURE else "Likely" if confidence >= LIKELY else "Unsure"
    each = len(reading.digits) > 1 and not reading.alternatives  # the least sure digit's, not the number's
    words += f", {'at least ' if each else ''}{as_percent(confidence)}"
    if reading.rejected:
        many = len(reading.rejected) > 1
        words = f"{len(reading.rejected)} mark{'s are' if many else ' is'} not a digit. {words}"
    return reading.text, words, confidence, confidence < LIKELY or bool(reading.rejected)


def draw_answer(
    surface: pygame.Surface,
    rect: pygame.Rect,
    style: Style,
    reading: Reading | None,
    waiting: str,
    chosen: str = "",
) -> dict[str, pygame.Rect]:
    """Draw the number in large type, how sure it is, and other texts; return where each of those may be clicked."""
    number, words, confidence, doubt = in_words(reading, waiting, chosen)
    room = panel(surface, rect, style, "Number")
    size = max(11.0, 13 * style.unit)
    height = style.type.font(size).get_linesize()
    lines = style.type.wrap(words, size, room.width)[: max(1, room.height // (3 * height)) if number else 6]
    if not number:
        y = room.centery - height * len(lines) / 2 - 4 * style.unit
        for line in lines:
            style.text(surface, line, (room.left, y), size, faint=True, width=room.width)
            y += height
        return {}
    tone = style.palette.doubt if doubt else style.palette.accent
    y = room.bottom - height * len(lines)
    for row, line in enumerate(lines):
        style.text(surface, line, (room.left, y + row * height), size, colour=tone, width=room.width)
    gauge = pygame.Rect(room.left, y - round(7 * style.unit), room.width, max(3, round(4 * style.unit)))
    pygame.draw.rect(surface, style.palette.line, gauge, border_radius=gauge.height)
    full = (*gauge.topleft, round(gauge.width * confidence), gauge.height)
    pygame.draw.rect(surface, tone, full, border_radius=gauge.height)
    places = _draw_chips(surface, room, gauge.top, style, other_texts(reading, number))
    bottom = min([place.top for place in places.values()], default=gauge.top) - round(2 * style.unit)
    _draw_number(
        surface, pygame.Rect(room.left, room.top, room.width, max(bottom - room.top, 8)), style, number
    )
    return places


def _draw_number(surface: pygame.Surface, space: pygame.Rect, style: Style, number: str) -> None:
    rows = number.split("\n")
    widest = max(style.type.width(row, 100, bold=True) for row in rows) / 100
    size = max(min(space.height / len(rows) * 1.05, 170 * style.unit, space.width / widest), 10)
    for row, line in enumerate(rows):
        image = style.type.render(line, size, style.palette.text, bold=True)
        middle = space.top + space.height * (row + 0.5) / len(rows)
        surface.blit(image, image.get_rect(left=space.left, centery=round(middle)))


def _draw_chips(
    surface: pygame.Surface, room: pygame.Rect, bottom: int, style: Style, texts: Sequence[tuple[str, float]]
) -> dict[str, pygame.Rect]:
    """Draw other texts with their probabilities in a row that ends above `bottom`, as many as fit; return where."""
    size, gap = max(10.0, 12 * style.unit), round(5 * style.unit)
    height = style.type.font(size).get_linesize() + round(4 * style.unit)
    if room.height < 3 * height:
        return {}
    x, places = room.left, {}
    for text, probability in texts:
        words = style.type.render(text.replace("\n", " / "), size, style.palette.accent, bold=True)
        share = style.type.render(as_percent(probability), size, style.palette.faint)
        width = words.get_width() + share.get_width() + 3 * gap
        if x + width > room.right:
            break
        place = pygame.Rect(x, bottom - height - gap, width, height)
        pygame.draw.rect(surface, style.palette.line, place, max(1, round(style.unit)), place.height // 2)
        surface.blit(words, words.get_rect(left=place.left + gap, centery=place.centery))
        surface.blit(share, share.get_rect(right=place.right - gap, centery=place.centery))
        places[text] = place
        x = place.right + gap
    return places
