"""The likeliest texts of a line and their places, against all paths there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from recognizer.decoding import Text, align, score, search

CLASSES, BLANK = 3, 2  # two symbols and the blank


def some_logs(seed: int, columns: int = 5) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, 2, (columns, CLASSES))
    return (values - np.logaddexp.reduce(values, axis=1, keepdims=True)).astype(np.float32)


def text_of(path: tuple[int, ...]) -> Text:
    """Return what a path says: repeats are one symbol, blanks none."""
    return tuple(each for each, _ in itertools.groupby(path) if each != BLANK)


def all_paths(logs: np.ndarray) -> list[tuple[tuple[int, ...], float]]:
    paths = itertools.product(range(CLASSES), repeat=len(logs))
    return [(path, float(sum(logs[t, each] for t, each in enumerate(path)))) for path in paths]


def by_force(logs: np.ndarray) -> dict[Text, float]:
    """Return the log-probability of every text, from all paths."""
    texts: dict[Text, float] = {}
    for path, log in all_paths(logs):
        text = text_of(path)
        texts[text] = float(np.logaddexp(texts.get(text, -np.inf), log))
    return texts


@pytest.mark.parametrize("seed", range(6))
def test_a_texts_score_is_the_sum_over_its_paths(seed: int) -> None:
    logs = some_logs(seed)
    for text, log in by_force(logs).items():
        assert score(logs, [(0,), text])[1] == pytest.approx(log, abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_finds_the_likeliest_texts(seed: int) -> None:
    logs = some_logs(seed)
    wanted = sorted(by_force(logs).items(), key=lambda each: -each[1])[:3]
    found = search(logs, 3)
    assert [text for text, _ in found] == [text for text, _ in wanted]
    assert [log for _, log in found] == pytest.approx([log for _, log in wanted], abs=0.05)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_keeps_to_what_is_allowed(seed: int) -> None:
    logs = some_logs(seed)
    texts = by_force(logs)

    def two(text: Text) -> tuple[frozenset[int], bool]:
        return (frozenset({0, 1}), False) if len(text) < 2 else (frozenset(), True)

    found = search(logs, 4, two)
    wanted = sorted((text for text in texts if len(text) == 2), key=lambda text: -texts[text])
    assert [text for text, _ in found] == wanted


@pytest.mark.parametrize("seed", range(6))
def test_the_alignment_is_the_likeliest_path(seed: int) -> None:
    logs = some_logs(seed)
    for text in [(0,), (0, 1), (1, 1), (0, 1, 0)]:
        path = max((each for each in all_paths(logs) if text_of(each[0]) == text), key=lambda each: each[1])[
            0
        ]
        runs, start = [], 0
        for symbol, run in itertools.groupby(path):
            length = len(list(run))
            if symbol != BLANK:
                runs.append([start, start + length - 1])
            start += length
        assert align(logs, text).tolist() == runs


def test_a_line_too_short_for_a_text_is_said_so() -> None:
    with pytest.raises(ValueError, match="too short"):
        align(some_logs(0, 3), (1, 1, 1))
    assert align(some_logs(0), ()).shape == (0, 2)
