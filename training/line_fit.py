"""Fit the two numbers with which a line reader and the digit classifier are pooled, on numbers that neither has learnt from.

    python -m training.line_fit --hands FOLDER --model model.pth

A temperature for the line reader's logits, and the weight of the classifier's log-probability of each digit: those that give the
true texts of held-out writers' numbers, and of lines composed of validation digits, the highest likelihood.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax

from base.checkpoint import load_checkpoint, save_checkpoint
from dataset import load_mnist, split_validation
from ink.lines import find_row_layouts
from ink.strip import make_strip
from line_reader import SYMBOLS
from recognizer import Recognizer
from recognizer.decoding import Text, score, search
from recognizer.judge import walk
from recognizer.reader import TEXTS, support
from training.pictures.hands import load_hands
from training.pictures.lines import Composer, Pen, drawn, merge_others, worn

TEMPERATURES = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0)
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4)
LEAST = -15.0  # nats; what a true text counts at least, for one or two labels in a hundred are wrong
PENS = (1.2, 2.0, 3.5)  # pixels of a 20 px digit; widths with which each held-out number is drawn

Line = tuple[np.ndarray, str]  # ink float32 (H, W) in [0, 1], and what it says


@dataclass(frozen=True)
class Case:
    """A line that is known, and what both networks make of it."""

    text: Text
    logs: np.ndarray  # (T, classes) of the line reader's at temperature 1
    texts: list[Text]  # the likeliest
    supports: np.ndarray  # log-probability (texts,) that the classifier gives the digits of each


@dataclass(frozen=True)
class Fit:
    """The two numbers, and with them the mean log-likelihood of the true texts and which lines are read right (N,)."""

    temperature: float
    weight: float
    likelihood: float
    right: np.ndarray


def make_cases(hands: Path, more: Path | None, count: int, seed: int = 0) -> tuple[list[Line], list[Line]]:
    """Return every held-out number, drawn with three pens, and `count` composed lines of validation digits."""
    digits = split_validation(load_mnist(True))[1]
    held = load_hands(hands, more)
    composer = Composer(
        digits.images[:, 0].numpy(), digits.labels.numpy(), replace(held, strings=held.held_out)
    )
    rng, real = np.random.default_rng(seed), []
    for strokes, text in held.held_out:
        for width in PENS:
            pen = Pen(60.0, 60 / 20 * width / 2, 1.0, 0.0)
            real.append((worn(drawn(strokes, text, pen).ink, pen, rng), merge_others(text)))
    return real, [composer.line(rng) for _ in range(count)]


def fit(recognizer: Recognizer, lines: Iterable[Line]) -> Fit:
    """Return the temperature and weight with the highest likelihood; a line that is not found whole is read wrong."""
    cases = [make_case(recognizer, ink, text) for ink, text in lines]
    ready = [case for case in cases if case is not None]
    best: tuple[float, float, float] = (-np.inf, 1.0, 0.0)
    for temperature in TEMPERATURES:
        scores = [_scores(case, temperature) for case in ready]
        for weight in WEIGHTS:
            told = [_likelihood(case, own, temperature, weight) for case, own in zip(ready, scores)]
            best = max(best, (float(np.mean(told)), temperature, weight))
    likelihood, temperature, weight = best
    right = [case is not None and _is_right(case, temperature, weight) for case in cases]
    return Fit(temperature, weight, likelihood, np.array(right))


def make_case(recognizer: Recognizer, ink: np.ndarray, text: str) -> Case | None:
    """Return a case of a line, None for one that is not found whole."""
    reader = recognizer.reader
    assert reader is not None
    lines = next(find_row_layouts(ink)).lines
    if len(lines) != 1:
        return None
    strip = make_strip(lines[0].ink)
    logs = replace(reader, temperature=1.0).logs(strip)
    texts = [found for found, _ in search(logs, TEXTS)]
    asked, _, guesses = walk(
        reader.explain(lines[0], strip, logs, [each for each in texts if each], recognizer.judge),
        recognizer.classify,
    )
    said = {each: support(each, own) for each, own in zip(asked, guesses)}
    least = min(said.values(), default=0.0)
    supports = np.array([said.get(each, least) for each in texts])
    return Case(tuple(SYMBOLS.index(each) for each in text), logs, texts, supports)


def _scores(case: Case, temperature: float) -> np.ndarray:
    """Return the line reader's log-probability (texts,) of each of a case's texts."""
    logs = log_softmax(case.logs / temperature, axis=1)
    return np.array([score(logs, text) for text in case.texts])


def _likelihood(case: Case, scores: np.ndarray, temperature: float, weight: float) -> float:
    """Return the log-probability of the true text."""
    if case.text not in case.texts:
        return max(score(log_softmax(case.logs / temperature, axis=1), case.text), LEAST)
    pooled = scores + weight * case.supports
    known = min(float(np.logaddexp.reduce(scores)), 0.0)
    return max(float(pooled[case.texts.index(case.text)] - np.logaddexp.reduce(pooled)) + known, LEAST)


def _is_right(case: Case, temperature: float, weight: float) -> bool:
    return case.texts[int(np.argmax(_scores(case, temperature) + weight * case.supports))] == case.text


def main(argv: list[str] | None = None) -> int:
    """Fit, and write the two numbers into the checkpoint's facts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hands", type=Path, required=True)
    parser.add_argument("--more", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300, help="composed lines")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    checkpoint = load_checkpoint(arguments.model)
    real, made = make_cases(arguments.hands, arguments.more, arguments.count)
    found = fit(Recognizer(checkpoint), [*real, *made])
    checkpoint.facts["line_temperature"], checkpoint.facts["line_weight"] = found.temperature, found.weight
    save_checkpoint(arguments.model, checkpoint)
    print(
        f"temperature {found.temperature}, weight {found.weight}: log-likelihood {found.likelihood:.4f} a line"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
