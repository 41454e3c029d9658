"""Fit the two numbers with which a line reader and the digit classifier are pooled, on numbers that neither has learnt from.

    python -m training.line_fit --hands FOLDER --model model.pth

A temperature for the line reader's logits, and the weight of the classifier's log-probability of each digit: those that give the
true texts of held-out writers' numbers, and of lines composed of validation digits, the highest likelihood.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from base.checkpoint import load_checkpoint, save_checkpoint
from dataset import load_mnist, split_validation
from ink.lines import find_row_layouts
from ink.rows import Line
from ink.strip import Strip, make_strip
from model import SYMBOLS
from recognizer import Recognizer
from recognizer.decoding import Text, search
from recognizer.judge import walk
from recognizer.reader import TEXTS, Reader, support
from training.pictures.hands import load_hands
from training.pictures.lines import Composer, Pen, drawn, merge_others, worn

TEMPERATURES = (0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0)
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4)
LEAST = -7.0  # nats; what a true text counts that is not among the likeliest


@dataclass
class Case:
    """A line, its text, and what the classifier makes of each of its likeliest texts."""

    line: Line
    strip: Strip
    text: Text
    supports: dict[Text, float]


def make_cases(hands: Path, more: Path | None, count: int, seed: int = 0) -> list[tuple[np.ndarray, str]]:
    """Return (ink, text) of every held-out number, drawn with three pens, and `count` composed lines of validation digits."""
    digits = split_validation(load_mnist(True))[1]
    held = load_hands(hands, more)
    composer = Composer(
        digits.images[:, 0].numpy(), digits.labels.numpy(), replace(held, strings=held.held_out)
    )
    rng, made = np.random.default_rng(seed), []
    for strokes, text in held.held_out:
        for width in (1.2, 2.0, 3.5):
            pen = Pen(60.0, 60 / 20 * width / 2, 1.0, 0.0)
            made.append((worn(drawn(strokes, text, pen).ink, pen, rng), merge_others(text)))
    made += [composer.line(rng) for _ in range(count)]
    return [(ink, text) for ink, text in made if any(each.isdigit() for each in text)]


def fit(recognizer: Recognizer, cases: list[tuple[np.ndarray, str]]) -> tuple[float, float, float]:
    """Return the temperature and weight, and the mean log-likelihood of the true texts with them."""
    assert recognizer.reader is not None
    ready = [case for ink, text in cases if (case := _prepare(recognizer, ink, text)) is not None]
    best = (1.0, 0.0, -np.inf)
    for temperature in TEMPERATURES:
        reader = replace(recognizer.reader, temperature=temperature)
        found = [search(reader.logs(case.strip), TEXTS) for case in ready]
        for case, texts in zip(ready, found):
            _ask(recognizer, reader, case, [text for text, _ in texts])
        for weight in WEIGHTS:
            likelihood = float(
                np.mean([_likelihood(case, texts, weight) for case, texts in zip(ready, found)])
            )
            if likelihood > best[2]:
                best = temperature, weight, likelihood
    return best


def _prepare(recognizer: Recognizer, ink: np.ndarray, text: str) -> Case | None:
    """Return a case of a line that is found whole."""
    lines = next(find_row_layouts(ink)).lines
    if len(lines) != 1:
        return None
    return Case(lines[0], make_strip(lines[0].ink), tuple(SYMBOLS.index(each) for each in text), {})


def _ask(recognizer: Recognizer, reader: Reader, case: Case, texts: list[Text]) -> None:
    """Ask the classifier about those of `texts` it has not been asked about."""
    new = [text for text in texts if text and text not in case.supports]
    logs = reader.logs(case.strip)
    asked, _, guesses = walk(
        reader.explain(case.line, case.strip, logs, new, recognizer.judge), recognizer.classify
    )
    case.supports.update({text: support(text, own) for text, own in zip(asked, guesses)})


def _likelihood(case: Case, texts: list[tuple[Text, float]], weight: float) -> float:
    """Return the log-probability of the true text."""
    scores = np.array([log + weight * case.supports.get(text, 0.0) for text, log in texts])
    known = np.logaddexp.reduce([log for _, log in texts])
    told = scores - np.logaddexp.reduce(scores) + min(float(known), 0.0)
    return max((float(log) for (text, _), log in zip(texts, told) if text == case.text), default=LEAST)


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
    temperature, weight, likelihood = fit(
        Recognizer(checkpoint), make_cases(arguments.hands, arguments.more, arguments.count)
    )
    checkpoint.facts["line_temperature"], checkpoint.facts["line_weight"] = temperature, weight
    save_checkpoint(arguments.model, checkpoint)
    print(f"temperature {temperature}, weight {weight}: log-likelihood {likelihood:.4f} a line")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
