"""What each line of a reading may say: so many digits, a pattern, or one of a list of answers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ink import SYMBOLS
from ink.files import need_file
from recognizer.decoding import Text

DIGIT = "#"  # any digit, in a pattern
MOST_DIGITS = 64  # that can be asked for
Expect = str | int | os.PathLike[str] | Iterable[str]


class ExpectError(ValueError):
    """What cannot be expected of a number."""


@dataclass(frozen=True)
class Expected:
    """A set of texts as the tree of their beginnings: what may follow each, and which are whole."""

    follows: dict[Text, frozenset[int]]
    whole: frozenset[Text]
    pattern: tuple[frozenset[int], ...] | None = None  # in place of both: what may stand at each place

    def __call__(self, text: Text) -> tuple[frozenset[int], bool]:
        """Return what may follow `text`, and whether it may end there."""
        if self.pattern is not None:
            place = len(text)
            return (self.pattern[place], False) if place < len(self.pattern) else (frozenset(), True)
        return self.follows.get(text, frozenset()), text in self.whole

    def allows(self, text: Text) -> bool:
        """Say whether `text` is among the texts."""
        if self.pattern is not None:
            return len(text) == len(self.pattern) and all(
                symbol in may for symbol, may in zip(text, self.pattern)
            )
        return text in self.whole

    def fits(self, said: str) -> bool:
        """Say whether each line of what a reading says is among the texts."""
        lines = said.split("\n")
        known = all(each in SYMBOLS for line in lines for each in line)
        return known and all(self.allows(tuple(map(SYMBOLS.index, line))) for line in lines)


def parse_expect(expect: Expect) -> Expected:
    """Return what is expected. Raises ExpectError or OSError.

    A number, or text of digits only ("5"): so many digits. Text with "#" ("##/##/####"): any digit for each "#",
    the rest as it stands. A path to a .txt file, or several texts: one of them, a line each.
    """
    if isinstance(expect, int) or isinstance(expect, str) and expect.isdecimal():
        count = int(expect)
        if not 1 <= count <= MOST_DIGITS:
            raise ExpectError(f"a number of {count} digits cannot be expected: ask for 1 to {MOST_DIGITS}")
        return _pattern(DIGIT * count)
    if isinstance(expect, str) and DIGIT in expect:
        return _pattern(expect)
    if isinstance(expect, (str, os.PathLike)):
        if Path(expect).suffix != ".txt":
            raise ExpectError(
                f"{os.fspath(expect)!r} is nothing to expect: give a number of digits (5), a pattern (##/##/####) "
                "or a .txt with an answer a line"
            )
        need_file(expect)
        expect = Path(expect).read_text(encoding="utf-8").splitlines()
    return _list([each.strip() for each in expect if each.strip()])


def _pattern(pattern: str) -> Expected:
    digits = frozenset(range(10))
    return Expected(
        {},
        frozenset(),
        tuple(digits if each == DIGIT else frozenset([_symbol(each, pattern)]) for each in pattern),
    )


def _list(answers: list[str]) -> Expected:
    if not answers:
        raise ExpectError("the list of expected answers is empty: give one a line")
    follows: dict[Text, set[int]] = {}
    whole = set()
    for answer in answers:
        text = tuple(_symbol(each, answer) for each in answer)
        for place, symbol in enumerate(text):
            follows.setdefault(text[:place], set()).add(symbol)
        whole.add(text)
    return Expected({text: frozenset(after) for text, after in follows.items()}, frozenset(whole))


def _symbol(character: str, where: str) -> int:
    if character not in SYMBOLS or character == "?":
        raise ExpectError(
            f"{character!r} in {where!r} cannot be read: use digits and {' '.join(SYMBOLS[10:-1])}"
        )
    return SYMBOLS.index(character)
