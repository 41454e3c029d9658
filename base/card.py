"""The card that an export carries, one JSON text: format, classes, input, facts, and the preprocessing constants.

What is read from an export is believed only as far as its card goes.
"""

from __future__ import annotations

import json
import os
from typing import Any

from base.storage import EXPORT_MARK
from ink import SYMBOLS

CARD = "digits"  # the name under which an export carries its card


def make_card(
    arch: str, classes: tuple[str, ...], input: dict[str, Any], facts: dict[str, Any], lines: bool = False
) -> str:
    """Return the JSON text that an export carries; `lines`: it holds a line reader as well."""
    size, channels = input["size"], input["channels"]
    card: dict[str, Any] = {
        "format": EXPORT_MARK,
        "arch": arch,
        "classes": list(classes),
        "input": dict(input),
        "facts": dict(facts),
        "preprocessing": {
            "shape": ["batch", channels, size, size],
            "values": "float32 in [0, 1]; standardisation is inside the network",
            "placing": "ink bright on 0; longer side 20 px, centre of mass on pixel 14.0 of 28"
            if input["road"]
            else "the picture scaled to the size, colours divided by 255",
            "output": "logits; divide by facts.temperature, then softmax",
        },
    }
    if lines:
        card["lines"] = {
            "shape": ["lines", 1, 32, "a multiple of 4"],
            "values": "float32 in [0, 1]; standardisation is inside the network",
            "placing": "ink bright on 0, digits some 20 px high",
            "symbols": list(SYMBOLS),
            "output": "log-probabilities of the symbols and, last, of the blank between them, two columns for four "
            "pixels; divide by facts.line_temperature, then log-softmax",
        }
    return json.dumps(card, ensure_ascii=False)


def read_card(text: str | bytes, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a card's content; raises ValueError if it is none of ours."""
    try:
        card = json.loads(text)
        good = (
            card["format"] == EXPORT_MARK
            and card["classes"]
            and {"size", "channels", "road"} <= set(card["input"])
            and isinstance(card["facts"], dict)
            and isinstance(card["arch"], str)
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} was not made by export.py: it does not say its classes and input"
        ) from error
    if not good:
        raise ValueError(f"{path} was exported in a format that this program does not read: export it again")
    return card
