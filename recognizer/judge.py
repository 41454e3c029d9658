"""What the network says of pieces of ink, and whether that is a digit."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch

from base.checkpoint import Checkpoint, predict_pairs
from corrections.memory import Memory
from ink.frame import make_frame
from ink.measures import is_bold, is_solid
from ink.piece import Piece, has_odd_hole, is_filled_in
from recognizer.asking import UNSURE, VIEWS, certainty, look_around

GROUP_COST = 0.05  # nats; each further digit must explain the ink better by this much
PAIR_WEIGHT = 0.65  # of what the reader of pairs says of a half, beside what the network does
LEAST_PROBABILITY = 1e-6  # that counts where several opinions of one digit are pooled
SURE_BOLD = 3.0  # nats of certainty from which ink as bold as a silhouette is a digit
AMONG_DIGITS = 0.7  # of the threshold, which is enough in a number, however bold the ink is
LEAST_SIDE = 6  # pixels of the ink; a smaller mark cannot be told from dirt
MOST_UNSURE = 40  # guesses; where more are unsure it is texture, and neither cut nor looked at again

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
    paired: np.ndarray | None = None  # what the reader of pairs says of this part of one

    @property
    def confidence(self) -> float:
        return float(self.probs.max())

    @property
    def cost(self) -> float:
        """Nats; how badly one digit explains this ink."""
        return GROUP_COST - math.log(self.confidence) + self.doubt


def pool(opinions: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted geometric mean (a logarithmic opinion pool) of probabilities (..., classes): one that doubts has no veto."""
    pooled = np.exp(
        sum(
            weight * np.log(np.maximum(opinion, LEAST_PROBABILITY))
            for opinion, weight in zip(opinions, weights)
        )
    )
    return pooled / pooled.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Judge:
    """A checkpoint, and what its user has said, as judges of ink.

    What asks the network is a generator: it yields the frames (see Steps), so that several pictures may be asked together.
    """

    checkpoint: Checkpoint
    device: str
    memory: Memory | None
    single: bool  # a picture is one digit, never refused

    def corrected(self, frames: np.ndarray) -> np.ndarray:
        """Say (N,) which of the frames (N, 28, 28) the user has said the digits of."""
        return (
            np.zeros(len(frames), bool)
            if self.memory is None
            else self.memory.knows(frames, self.checkpoint.classes)
        )

    def is_corrected(self, frame: np.ndarray) -> bool:
        """Say whether the user has said which digit the frame (28, 28) is."""
        return bool(self.corrected(frame[None])[0])

    def doubts(self, probs: np.ndarray) -> list[float]:
        """Return by how many nats each row (N, classes) fails to be certain of a digit."""
        return np.maximum(self.checkpoint.threshold - certainty(probs), 0).tolist()

    def name(self, probs: np.ndarray) -> str:
        """Return the likeliest class of probabilities (classes,)."""
        return self.checkpoint.classes[int(probs.argmax())]

    def accepts(self, guess: Guess, among: bool) -> bool:
        """Say whether `guess` is a digit: sure enough, and no dirt, spot or face, unless the user has said what it is."""
        if self.single:
            return True
        if self.is_corrected(guess.frame):
            return True
        certain, ink, least = float(certainty(guess.probs)), guess.piece.ink, self.checkpoint.threshold
        if (
            certain < (AMONG_DIGITS * least if among else least)
            or max(ink.shape) < LEAST_SIDE
            or is_solid(ink)
        ):
            return False
        if certain < SURE_BOLD and not among and is_bold(ink):
            return False
        if self.name(guess.probs) != "0":
            return True
        return not is_filled_in(guess.piece) and not (is_bold(ink) and has_odd_hole(guess.piece))

    def look(self, pieces: list[Piece]) -> Steps[list[Guess]]:
        """Return what the network says of each piece, in one batch."""
        if not pieces:
            return []
        frames = np.stack([make_frame(piece.ink) for piece in pieces])
        probs = yield frames
        return [Guess(*each) for each in zip(pieces, frames, probs, self.doubts(probs))]

    def look_again(self, guesses: list[Guess]) -> Steps[list[Guess]]:
        """Return `guesses`; the unsure ones, but for those the user has said the digits of, have been seen from all sides."""
        unsure = [
            place
            for place, guess in enumerate(guesses)
            if guess.confidence < UNSURE and not self.is_corrected(guess.frame)
        ]
        if len(unsure) > MOST_UNSURE:
            return guesses
        seen = yield from self.look_around([guesses[place] for place in unsure])
        again = dict(zip(unsure, seen))
        return [again.get(place, guess) for place, guess in enumerate(guesses)]

    def look_around(self, guesses: Sequence[Guess]) -> Steps[list[Guess]]:
        """Return `guesses` seen from all sides."""
        if not guesses:
            return []
        frames = torch.from_numpy(np.stack([guess.frame for guess in guesses]))[:, None]
        probs = yield look_around(frames).flatten(0, 2).numpy()
        views = probs.reshape(len(guesses), len(VIEWS), -1).mean(axis=1)
        again = [replace(guess, probs=seen) for guess, seen in zip(guesses, views)]
        return [
            guess if guess.paired is None else self.pool_pairs([guess], guess.paired[None])[0]
            for guess in again
        ]

    def pool_pairs(self, guesses: Sequence[Guess], paired: np.ndarray) -> list[Guess]:
        """Return halves of pairs with what the network and the reader of pairs (N, classes) say of them, pooled."""
        probs = pool([np.stack([guess.probs for guess in guesses]), paired], [1 - PAIR_WEIGHT, PAIR_WEIGHT])
        parts = zip(guesses, probs, self.doubts(probs), paired)
        return [replace(guess, probs=mean, doubt=doubt, paired=said) for guess, mean, doubt, said in parts]

    def ask_pairs(self, frames: list[np.ndarray]) -> list[np.ndarray] | list[None]:
        """Return for each frame probabilities (2, classes) of the left and right digit of a pair; None from a network that reads none."""
        if self.checkpoint.pairs is None or not frames:
            return [None] * len(frames)
        return list(
            predict_pairs(self.checkpoint, torch.from_numpy(np.stack(frames))[:, None].to(self.device))
            .cpu()
            .numpy()
        )
