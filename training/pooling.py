"""How line reader and classifier are pooled: the numbers that give the true texts of known lines the highest likelihood.

A temperature for the line reader's logits, the weights of what the classifier says of each digit that stands free or touches
others, and what a usual form of numbers is worth. For each temperature and form the weights are those of a log-linear model,
of which there is one best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from ink.lines import find_layouts
from ink.strip import make_strip
from model import SYMBOLS
from recognizer import Recognizer
from recognizer.decoding import Text, score, search
from recognizer.forms import is_usual
from recognizer.judge import walk
from recognizer.reader import FOLLOWED, spell, support

TEMPERATURES = (0.8, 1.0, 1.2, 1.5, 2.0)
FORMS_WORTH = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # nats
MOST_WEIGHT = 2.0  # of what the classifier says, beside the line reader
LEAST = -15.0  # nats; what a true text counts at least, for one or two labels in a hundred are wrong

Line = tuple[np.ndarray, str]  # ink float32 (H, W) in [0, 1], and what it says


@dataclass(frozen=True)
class Case:
    """A line that is known, and what both networks make of it.

    `logs`: the line reader's logits (T, classes). `usual`: which of the likeliest `texts` have a usual form. `supports`: what
    the classifier says for each (texts, 4).
    """

    text: Text
    logs: np.ndarray
    texts: list[Text]
    usual: np.ndarray
    supports: np.ndarray

    def scores(self, temperature: float) -> tuple[np.ndarray, float]:
        """Return the line reader's log-probability of each text (texts,), and that of one of them being right or, where
        the right one is none of them, of that.
        """
        logs = log_softmax(self.logs / temperature, axis=1)
        scores = score(logs, self.texts)
        if self.text in self.texts:
            return scores, min(float(np.logaddexp.reduce(scores)), 0.0)
        return scores, float(score(logs, [self.text])[0])

    def read(self, scores: np.ndarray, known: float, form: float) -> Scored:
        """Return what is known of the texts before the classifier is asked; `scores` and `known` as above."""
        right = self.texts.index(self.text) if self.text in self.texts else None
        return Scored(scores + form * self.usual, self.supports, right, known)


@dataclass(frozen=True)
class Scored:
    """The log-score (texts,) of a line's texts by the line reader, what the classifier says for each (texts, 4), and which
    is the right one. `known`: the log-probability that one of them is or, where none is, of the right one."""

    worth: np.ndarray
    supports: np.ndarray
    right: int | None
    known: float

    def is_right(self, weights: np.ndarray) -> bool:
        """Return whether the right text has the best score."""
        return int(np.argmax(self.worth + self.supports @ weights)) == self.right

    def likelihood(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the log-probability of the right text, LEAST at least, and its slope by weights (4,)."""
        if self.right is None:
            return max(self.known, LEAST), np.zeros_like(weights)
        pooled = self.worth + self.supports @ weights
        log = float(pooled[self.right] - np.logaddexp.reduce(pooled)) + self.known
        slope = self.supports[self.right] - softmax(pooled) @ self.supports
        return (log, slope) if log > LEAST else (LEAST, np.zeros_like(weights))


@dataclass(frozen=True)
class Fit:
    """What is fitted (see base.checkpoint.Checkpoint), and which lines are then read right (N,)."""

    temperature: float
    weights: tuple[float, ...]
    form: float
    right: np.ndarray


def fit(recognizer: Recognizer, *kinds: list[Line]) -> Fit:
    """Return the pooling with the highest likelihood, to which each kind of lines counts the same, however many it has.

    A line that is not found whole is read wrong.
    """
    cases = [[make_case(recognizer, ink, text) for ink, text in lines] for lines in kinds]
    known = [[case for case in lines if case is not None] for lines in cases]
    shares = np.concatenate([np.full(len(lines), 1 / max(len(lines), 1)) for lines in known])
    best, found = -math.inf, (1.0, np.full(4, 0.5), 0.0)  # where there is nothing to fit on
    lines_read: list[Scored] = []
    for temperature in TEMPERATURES if len(shares) else ():
        seen = [(case, *case.scores(temperature)) for lines in known for case in lines]
        for form in FORMS_WORTH:
            read = [case.read(scores, likely, form) for case, scores, likely in seen]
            weights, likelihood = fit_weights(read, shares)
            if likelihood > best:
                best, found, lines_read = likelihood, (temperature, weights, form), read
    temperature, weights, form = found
    results = iter([line.is_right(weights) for line in lines_read])
    right = [case is not None and next(results) for lines in cases for case in lines]
    return Fit(temperature, tuple(weights.tolist()), form, np.array(right))


def fit_weights(lines: list[Scored], shares: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the weights (4,) from 0 to MOST_WEIGHT with the highest log-probability of right texts, each line counting
    its share (N,), and that."""

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logs, slopes = zip(*(line.likelihood(weights) for line in lines))
        return -float(shares @ np.array(logs)), -(shares @ np.array(slopes))

    found = minimize(loss, np.full(4, 0.2), jac=True, method="L-BFGS-B", bounds=[(0, MOST_WEIGHT)] * 4)
    return found.x, -float(found.fun)


def make_case(recognizer: Recognizer, ink: np.ndarray, text: str) -> Case | None:
    """Return a case of a line, None for one that is not found whole."""
    reader = recognizer.reader
    assert reader is not None
    lines = next(find_layouts(ink)).lines
    if len(lines) != 1:
        return None
    strip = make_strip(lines[0].ink)
    plain = replace(reader, temperature=1.0)
    logs = plain.logs(strip)
    texts = [found for found, _ in search(logs, FOLLOWED)]
    asked, _, guesses = walk(
        reader.explain(lines[0], strip, logs, [each for each in texts if each], recognizer.judge),
        recognizer.classify,
    )
    texts += [each for each in asked if each not in texts]
    said = {each: support(each, own) for each, own in zip(asked, guesses)}
    least = min(said.values(), key=np.sum, default=np.zeros(4))
    supports = np.array([said.get(each, least) for each in texts])
    usual = np.array([is_usual(spell(each)) for each in texts])
    return Case(tuple(SYMBOLS.index(each) for each in text), logs, texts, usual, supports)
