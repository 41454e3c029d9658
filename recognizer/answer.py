"""A reading: what a picture says, digit by digit, in words and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

SIGNS = frozenset(".,-+/:=()%x÷")  # that are told between digits


def as_percent(confidence: float) -> str:
    """Return a probability in [0, 1] with one decimal, rounded down: "94.9%" is below 95 %, and nothing is "100.0%"."""
    return f"{min(int(confidence * 1000 + 1e-6), 999) / 10:.1f}%"


def describe(reading: Reading, classes: tuple[str, ...], top: int = 1) -> str:
    """Return a reading in words: "7 (99.2%)", "-3.14 (97.0%)", "blank", "not a digit".

    With `top` above 1 the likeliest classes of each digit, and the signs between them.
    """
    if reading.status != "ok":
        return reading.status.replace("_", " ")
    if top == 1:
        side = ", lying on its side" if reading.turned else ""
        return f"{reading.text.replace(chr(10), ' / ')} ({as_percent(reading.confidence)}){side}"
    said, ranked = list(reading.text.replace("\n", "")) if reading.signs else [], []
    for group in reading.groups:
        while said and said[0] in SIGNS:
            ranked.append(said.pop(0))
        said = said[1:]
        order = sorted(range(len(classes)), key=lambda c: -group.probs[c])[:top]
        likely = ", ".join(f"{classes[c]} ({as_percent(group.probs[c])})" for c in order)
        ranked.append(likely if group.accepted else "?")
    return "; ".join([*ranked, *said])


def as_json(path: str, reading: Reading | None, error: str | None) -> dict[str, Any]:
    """Return the object that --json prints for one picture; its keys are fixed."""
    reading = reading or Reading("error", "", ())
    digits = [
        {
            "digit": d.digit,
            "confidence": round(d.confidence, 6),
            "probs": [round(p, 6) for p in d.probs],
            "box": list(d.box),
        }
        for d in reading.digits
    ]
    return {
        "path": path,
        "status": reading.status,
        "text": reading.text,
        "digits": digits,
        "rejected": [list(group.box) for group in reading.rejected],
        "signs": [
            {"sign": s.sign, "confidence": round(s.confidence, 6), "box": list(s.box)} for s in reading.signs
        ],
        "alternatives": [{"text": text, "probability": round(p, 6)} for text, p in reading.alternatives],
        "turned": reading.turned,
        "error": error,
    }


@dataclass(frozen=True)
class Digit:
    """One group of ink and what the network says of it."""

    digit: str
    confidence: float  # calibrated probability in [0, 1]
    probs: tuple[float, ...]  # in class order
    box: tuple[int, int, int, int]  # left, top, width, height in pixels of the upright picture
    frame: np.ndarray = field(
        repr=False, compare=False
    )  # float32: what the network saw, (28, 28) or a whole picture
    accepted: bool = True
    corrected: bool = False  # by the user, who has said what this frame is


@dataclass(frozen=True)
class Sign:
    """One sign between digits, such as a point, a comma or a minus."""

    sign: str
    confidence: float
    box: tuple[int, int, int, int]  # as of a digit


@dataclass(frozen=True)
class Reading:
    """What a picture says. `status`: "ok" if any group was accepted, "blank" without ink, else "not_a_digit"."""

    status: str
    text: str  # what was written, signs too, "?" for a refused group, lines joined by "\\n", "" unless ok
    groups: tuple[Digit, ...]  # all groups in reading order, refused ones too
    signs: tuple[Sign, ...] = ()
    alternatives: tuple[
        tuple[str, float], ...
    ] = ()  # the likeliest texts with their probabilities, likeliest first
    turned: int = 0  # degrees clockwise by which the picture was turned to read it: 0, 90 or 270

    @property
    def digits_only(self) -> str:
        """What was written without its signs."""
        return _without_signs(self.text) if self.signs else self.text

    def plain(self) -> Reading:
        """Return the same reading with text and alternatives without their signs."""
        if not self.signs:
            return self
        texts: dict[str, float] = {}
        for text, probability in self.alternatives:
            text = _without_signs(text)
            texts[text] = texts.get(text, 0.0) + probability
        ranked = sorted(texts.items(), key=lambda each: -each[1])
        return replace(self, text=self.digits_only, alternatives=tuple(ranked))

    def refused(self) -> Reading:
        """Return the same reading as one of no number."""
        groups = tuple(replace(group, accepted=False) for group in self.groups)
        return replace(self, status="not_a_digit", text="", groups=groups, alternatives=())

    @property
    def digits(self) -> tuple[Digit, ...]:
        return tuple(group for group in self.groups if group.accepted)

    @property
    def rejected(self) -> tuple[Digit, ...]:
        return tuple(group for group in self.groups if not group.accepted)

    @property
    def confidence(self) -> float:
        """The likeliest text's probability, or else the least sure accepted digit's confidence; 0 without one."""
        if self.alternatives and self.status == "ok":
            return self.alternatives[0][1]
        return self.least_sure

    @property
    def least_sure(self) -> float:
        """The least sure accepted digit's confidence; 0 without one."""
        return min((group.confidence for group in self.digits), default=0.0)


def turned_back(reading: Reading, quarters: int, shape: tuple[int, ...]) -> Reading:
    """Return the reading of a picture that was turned clockwise by 1 or 3 `quarters`, with boxes as they lie in it.

    `shape`: height and width of the picture before it was turned, in pixels.
    """
    height, width = shape

    def back(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        left, top, wide, high = box
        if quarters == 1:
            return top, height - left - wide, high, wide
        return width - top - high, left, high, wide

    groups = tuple(replace(group, box=back(group.box)) for group in reading.groups)
    signs = tuple(replace(sign, box=back(sign.box)) for sign in reading.signs)
    return replace(reading, groups=groups, signs=signs, turned=90 * quarters)


def _without_signs(text: str) -> str:
    return "".join(each for each in text if each not in SIGNS)


def reading_of(digit: Digit) -> Reading:
    """Return what a picture says that holds one group of ink."""
    return Reading("ok" if digit.accepted else "not_a_digit", digit.digit if digit.accepted else "", (digit,))
