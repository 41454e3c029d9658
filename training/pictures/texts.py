"""What composed lines say: random digits, alone or in the usual forms of numbers, so that no sequence is expected."""

from __future__ import annotations

import itertools

import numpy as np

from model import SYMBOLS
from recognizer.forms import FORMS

Rng = np.random.Generator

# how often each sign stands where one stands at random
SIGN_SHARES = {".": 3, ",": 2, "-": 4, "+": 2, "/": 3, ":": 2, "=": 2, "(": 1, ")": 1, "%": 1, "x": 1, "÷": 1}


def random_text(rng: Rng) -> str:
    """Return the text of a number: random digits, a usual form of random digits, or digits and signs at random."""
    draw = rng.random()
    if draw < 0.65:
        return random_digits(rng, 1 + min(int(rng.gamma(2.0, 2.2)), 11))
    if draw < 0.95:
        form = FORMS[int(rng.integers(len(FORMS)))]
        counts = {"#": 1, "N": int(rng.integers(1, 5))}
        return "".join(random_digits(rng, counts[each]) if each in counts else each for each in form)
    names, shares = list(SIGN_SHARES), np.array(list(SIGN_SHARES.values()), float)
    signs = rng.choice(names, int(rng.integers(2, 9)), p=shares / shares.sum())
    return "".join(str(sign) if rng.random() < 0.35 else str(rng.integers(10)) for sign in signs)


def random_digits(rng: Rng, count: int) -> str:
    """Return `count` random digits; equal neighbours, and 0s and 1s, a little more often than chance."""
    digits: list[int] = []
    for _ in range(count):
        draw = rng.random()
        if digits and draw < 0.12:
            digits.append(digits[-1])
        else:
            digits.append(int(rng.integers(2 if draw < 0.2 else 10)))
    return "".join(map(str, digits))


def merge_others(text: str) -> str:
    """Return `text` with what is not in SYMBOLS as "?", a run of which is one."""
    known = "".join(each if each in SYMBOLS else "?" for each in text if each != " ")
    return "".join("?" if symbol == "?" else "".join(run) for symbol, run in itertools.groupby(known))
