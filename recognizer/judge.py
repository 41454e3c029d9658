"""Pieces of ink -> guesses: what the network answers for each, and whether that is a digit."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeVar

import numpy as np

from base.checkpoint import Checkpoint
from corrections.memory import Memory
from ink.frame import make_frame
from ink.measures import is_bold
from ink.piece import Piece, is_filled_in
from recognizer.asking import UNSURE, VIEWS, certainty, look_around

LEAST_PROBABILITY = 1e-6  # probabilities count as at least this where opinions are pooled
SURE_BOLD = 3.0  # nats of certainty from which ink as bold as a silhouette is a digit
LEAST_SIDE = 6  # pixels of the ink; a smaller mark may be dirt
MOST_UNSURE = 40  # guesses; more unsure ones are texture, and not asked about again

T = TypeVar("T")
Steps = Generator[np.ndarray, np.ndarray, T]  # yields frames, is sent their probabilities, returns a T


def walk(steps: Steps[T], classify: Callable[[np.ndarray], np.ndarray]) -> T:
    """Let `classify` answer `steps` until they return."""
    probs = None
    while True:
        try:
            frames = steps.send(probs)  # type: ignore[arg-type]  # None is how a generator is begun
        except StopIteration as end:
            return end.value
        probs = classify(frames)


@dataclass(frozen=True)
class Guess:
    """A piece of ink as the network sees it."""

    piece: Piece
    frame: np.ndarray
    probs: np.ndarray
    corrected: bool = False  # by the user, who has said what this frame is

    @property
    def confidence(self) -> float:
        return float(self.probs.max())


class Company(IntEnum):
    """What a mark has beside it in its line: nothing, digits and signs alone, or marks that are neither."""

    ALONE = 0
    DIGITS = 1
    OTHERS = 2


def evidence(probs: np.ndarray, belief: float) -> float:
    """Return how far a mark is from no digit, in nats: certainty of probabilities (classes,), and a belief's log-odds."""
    belief = min(max(belief, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    return float(certainty(probs)) + math.log(belief / (1 - belief))


def pool(opinions: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted geometric mean (logarithmic opinion pool) of probabilities (..., classes), normalised."""
    logs = [np.log(np.maximum(opinion, LEAST_PROBABILITY)) for opinion in opinions]
    pooled = np.exp(sum(weight * log for weight, log in zip(weights, logs)))
    return pooled / pooled.sum(axis=-1, keepdims=True)


def _is_speck(guess: Guess) -> bool:
    return max(guess.piece.ink.shape) < LEAST_SIDE


@dataclass(frozen=True)
class Judge:
    """A checkpoint, and what its user has corrected, as judges of ink.

    What asks the network is a generator that yields frames (see Steps), so that several pictures may be asked together.
    """

    checkpoint: Checkpoint
    device: str
    memory: Memory | None
    single: bool  # a picture is one digit, never refused

    def name(self, probs: np.ndarray) -> str:
        """Return the likeliest class of probabilities (classes,)."""
        return self.checkpoint.classes[int(probs.argmax())]

    def accepts(self, guess: Guess) -> bool:
        """Return whether `guess` is a digit: user-corrected, or sure enough and no dirt, silhouette or face."""
        if self.single or guess.corrected:
            return True
        return self.is_certain(guess) and not self._is_blot(guess)

    def is_certain(self, guess: Guess) -> bool:
        """Return whether the classifier is certain enough that `guess` is one of its classes."""
        return float(certainty(guess.probs)) >= self.checkpoint.threshold

    def accepts_with(self, guess: Guess, belief: float, company: Company) -> bool:
        """Return whether `guess` is a digit where the line reader's `belief` that it is one, in (0, 1), counts as well.

        A speck is none, and what stands alone must have the shape of one, too.
        """
        if self.single or guess.corrected:
            return True
        sure = evidence(guess.probs, belief) >= self.checkpoint.line_thresholds[company]
        return sure and not _is_speck(guess) and not (company == Company.ALONE and self._is_blot(guess))

    def _is_blot(self, guess: Guess) -> bool:
        """Return whether the ink of `guess` is dirt, a silhouette or a face, rather than a digit's strokes."""
        ink = guess.piece.ink
        if _is_speck(guess):
            return True
        if is_bold(ink) and float(certainty(guess.probs)) < SURE_BOLD:
            return True
        return self.name(guess.probs) == "0" and is_filled_in(guess.piece)

    def look(self, pieces: list[Piece]) -> Steps[list[Guess]]:
        """Return what the network says of each piece, in one batch."""
        if not pieces:
            return []
        frames = np.stack([make_frame(piece.ink) for piece in pieces])
        probs = yield frames
        return self.guess(pieces, frames, probs)

    def guess(self, pieces: Sequence[Piece], frames: np.ndarray, probs: np.ndarray) -> list[Guess]:
        """Return the guesses of probabilities (N, classes) for pieces seen as frames (N, 28, 28)."""
        known = [False] * len(frames)
        if self.memory is not None:
            known = self.memory.knows(frames, self.checkpoint.classes).tolist()
        parts = zip(pieces, frames, probs, known)
        return [Guess(piece, frame, row, said) for piece, frame, row, said in parts]

    def look_again(self, guesses: list[Guess]) -> Steps[list[Guess]]:
        """Return `guesses`, of which the unsure ones that are not user-corrected have been averaged over all views."""
        unsure = [n for n, guess in enumerate(guesses) if guess.confidence < UNSURE and not guess.corrected]
        if len(unsure) > MOST_UNSURE:
            return guesses
        seen = yield from self.look_around([guesses[place] for place in unsure])
        again = dict(zip(unsure, seen))
        return [again.get(n, guess) for n, guess in enumerate(guesses)]

    def look_around(self, guesses: Sequence[Guess]) -> Steps[list[Guess]]:
        """Return `guesses` averaged over all views."""
        if not guesses:
            return []
        frames = np.stack([guess.frame for guess in guesses])
        probs = yield look_around(frames).reshape(-1, *frames.shape[1:])
        views = probs.reshape(len(guesses), len(VIEWS), -1).mean(axis=1)
        return [replace(guess, probs=seen) for guess, seen in zip(guesses, views)]
