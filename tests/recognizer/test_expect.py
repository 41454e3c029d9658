"""What may be expected of a number, and what cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from model import SYMBOLS
from recognizer.decoding import Text
from recognizer.expect import MOST_DIGITS, Expect, ExpectError, parse_expect


@pytest.mark.parametrize(
    "expect, fits, fails",
    [
        (3, ["123", "000"], ["12", "1234", "1.3", "1?3", ""]),
        ("5", ["12345"], ["5", "1234"]),
        ("##/##/####", ["12/03/2024"], ["12032024", "12/03/202", "12-03-2024"]),
        ("-#.##", ["-3.14"], ["3.14", "-3,14"]),
        (["12", "125", "7"], ["12", "125", "7"], ["1", "25", "1257"]),
    ],
)
def test_what_fits_and_what_does_not(expect: Expect, fits: list[str], fails: list[str]) -> None:
    expected = parse_expect(expect)
    assert [text for text in [*fits, *fails] if expected.fits(text)] == fits


def test_each_line_must_fit() -> None:
    expected = parse_expect(2)
    assert expected.fits("12\n34") and not expected.fits("12\n3")


@pytest.mark.parametrize("expect, count", [(2, 100), ("##.#", 1000), (["12", "125", "7"], 3)])
def test_the_tree_leads_to_the_texts_and_nowhere_else(expect: Expect, count: int) -> None:
    expected, reached = parse_expect(expect), []
    waiting: list[Text] = [()]
    while waiting:
        text = waiting.pop()
        follows, whole = expected(text)
        if whole:
            reached.append("".join(SYMBOLS[each] for each in text))
        waiting += [(*text, each) for each in follows]
    assert all(expected.fits(text) for text in reached)
    assert len(reached) == len(set(reached)) == count


def test_a_list_is_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("12\n\n 3,50 \n", encoding="utf-8")
    for expect in (path, str(path)):
        assert parse_expect(expect).fits("3,50") and not parse_expect(expect).fits("3.50")


@pytest.mark.parametrize(
    "expect, words",
    [
        (0, "1 to 64"),
        (MOST_DIGITS + 1, "1 to 64"),
        ("##a", "'a' in '##a' cannot be read"),
        ("seven", "nothing to expect"),
        (["12", "?"], "cannot be read"),
        ([], "empty"),
    ],
)
def test_what_cannot_be_expected_is_said(expect: Expect, words: str) -> None:
    with pytest.raises(ExpectError, match=words.replace("?", r"\?")):
        parse_expect(expect)


def test_a_missing_list_is_an_oserror() -> None:
    with pytest.raises(OSError):
        parse_expect("no-such-list.txt")
