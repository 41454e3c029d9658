"""Pieces of ink -> guesses: what the network answers for each, and whether that is a digit."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from base.checkpoint import Checkpoint, predict_pairs
from corrections.memory import Memory
from ink.frame import make_frame
from ink.measures import is_bold, is_solid
from ink.piece import Piece, is_filled_in
from recognizer.asking import UNSURE, VIEWS, certainty, look_around

GROUP_COST = 0.05  # nats; each further digit must explain the ink better by this much
PAIR_WEIGHT = 0.65  # of the pair reader's opinion of a half; the rest is the network's
LEAST_PROBABILITY = 1e-6  # probabilities count as at least this where opinions are pooled
SURE_BOLD = 3.0  # nats of certainty from which ink as bold as a silhouette is a digit
AMONG_DIGITS = 0.7  # of the threshold; enough among digits, however bold the ink is
LEAST_SIDE = 6  # pixels of the ink; a smaller mark may be dirt
MOST_UNSURE = 40  # guesses; more unsure ones are texture, and neither cut nor asked about again

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
    doubt: float = 0.0  # nats; by how much it fails to be certain of a digit at all
    paired: np.ndarray | None = None  # what the pair reader says of this half of a pair
    corrected: bool = False  # by the user, who has said what this frame is

    @property
    def confidence(self) -> float:
        return float(self.probs.max())

    @property
    def cost(self) -> float:
        """Nats; how badly one digit explains this ink."""
        return GROUP_COST - math.log(self.confidence) + self.doubt


def pool(opinions: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted geometric mean (logarithmic opinion pool) of probabilities (..., classes), normalised."""
    logs = [np.log(np.maximum(opinion, LEAST_PROBABILITY)) for opinion in opinions]
    pooled = np.exp(sum(weight * log for weight, log in zip(weights, logs)))
    return pooled / pooled.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Judge:
    """A checkpoint, and what its user has corrected, as judges of ink.

    What asks the network is a generator that yields frames (see Steps), so that several pictures may be asked together.
    """

    checkpoint: Checkpoint
    device: str
    memory: Memory | None
    single: bool  # a picture is one digit, never refused

    def doubts(self, probs: np.ndarray) -> list[float]:
        """Return by how many nats each row (N, classes) fails to be certain of a digit."""
        return np.maximum(self.checkpoint.threshold - certainty(probs), 0).tolist()

    def name(self, probs: np.ndarray) -> str:
        """Return the likeliest class of probabilities (classes,)."""
        return self.checkpoint.classes[int(probs.argmax())]

    def accepts(self, guess: Guess, among: bool) -> bool:
        """Return whether `guess` is a digit: user-corrected, or sure enough and no dirt, spot or face."""
        if self.single or guess.corrected:
            return True
        certain, ink = float(certainty(guess.probs)), guess.piece.ink
        least = self.checkpoint.threshold * (AMONG_DIGITS if among else 1)
        if certain < least or max(ink.shape) < LEAST_SIDE or is_solid(ink):
            return False
        if certain < SURE_BOLD and not among and is_bold(ink):
            return False
        return self.name(guess.probs) != "0" or not is_filled_in(guess.piece)

    def accepts_with(self, guess: Guess, belief: float, alone: bool) -> bool:
        """Return whether `guess` is a digit where the line reader's `belief` that it is one, in (0, 1), counts as well.

        Certainty and the belief's log-odds are both nats, and are added. What stands `alone` must be a digit by the
        classifier too.
        """
        if self.single or guess.corrected:
            return True
        log_odds = math.log(max(belief, LEAST_PROBABILITY)) - math.log(max(1 - belief, LEAST_PROBABILITY))
        sure = float(certainty(guess.probs)) + log_odds >= self.checkpoint.threshold
        return sure and (not alone or self.accepts(guess, False))

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
        parts = zip(pieces, frames, probs, self.doubts(probs), known)
        return [Guess(piece, frame, row, doubt, None, said) for piece, frame, row, doubt, said in parts]

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
        again = [replace(guess, probs=seen) for guess, seen in zip(guesses, views)]
        return [
            guess if guess.paired is None else self.pool_pairs([guess], guess.paired[None])[0]
            for guess in again
        ]

    def pool_pairs(self, guesses: Sequence[Guess], paired: np.ndarray) -> list[Guess]:
        """Return halves of pairs with what the network and the pair reader (N, classes) say of them, pooled."""
        probs = pool([np.stack([guess.probs for guess in guesses]), paired], [1 - PAIR_WEIGHT, PAIR_WEIGHT])
        parts = zip(guesses, probs, self.doubts(probs), paired)
        return [replace(guess, probs=mean, doubt=doubt, paired=said) for guess, mean, doubt, said in parts]

    def ask_pairs(self, frames: list[np.ndarray]) -> list[np.ndarray] | list[None]:
        """Return for each frame probabilities (2, classes) of a pair's digits; None without a pair reader."""
        if self.checkpoint.pairs is None or not frames:
            return [None] * len(frames)
        import torch

        images = torch.from_numpy(np.stack(frames))[:, None].to(self.device)
        return list(predict_pairs(self.checkpoint, images).cpu().numpy())
