"""The one road from a picture to an answer: read_ink -> segment -> frame -> network -> reading.

    from recognizer import Recognizer
    print(Recognizer("model.pth").read("seven.png").text)

Files, the canvas, the clipboard and folders all come this way.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field

import numpy as np
import torch

import segment
from frame import make_frame
from learn import Memory
from model import MODEL_PATH, Checkpoint, load_checkpoint
from read_ink import Picture, Source, read_ink
from segment import Piece

SURE = 0.9  # confidence above which no other way to group the ink is tried
GROUP_COST = 0.05  # nats; each further digit must explain the ink better by this much
CUT_COST = 3.0  # nats; and each cut through joined ink by this, less CUT_SLOPE a line height of width beyond one
CUT_SLOPE = 6.0
LONGEST_RUN = 3  # pieces that one digit may be broken into
MOST_FRAGMENTS = 12  # pieces that a single broken digit may consist of
WIDEST = 1.4  # width over height of the widest single digit


@dataclass(frozen=True)
class Digit:
    """One group of ink and what the network says of it."""

    digit: str
    confidence: float  # calibrated probability in [0, 1]
    probs: tuple[float, ...]  # in class order
    box: tuple[int, int, int, int]  # left, top, width, height in pixels of the upright picture
    frame: np.ndarray = field(repr=False, compare=False)  # float32 (28, 28): what the network saw
    accepted: bool = True


@dataclass(frozen=True)
class Reading:
    """What a picture says. `status`: "ok" if any group was accepted, "blank" without ink, else "not_a_digit"."""

    status: str
    text: str  # "?" for a refused group, lines joined by "\\n", "" unless ok
    groups: tuple[Digit, ...]  # all groups in reading order, refused ones too

    @property
    def digits(self) -> tuple[Digit, ...]:
        return tuple(group for group in self.groups if group.accepted)

    @property
    def rejected(self) -> tuple[Digit, ...]:
        return tuple(group for group in self.groups if not group.accepted)

    @property
    def confidence(self) -> float:
        """The least sure accepted digit's confidence; 0 without one."""
        return min((group.confidence for group in self.digits), default=0.0)


@dataclass(frozen=True)
class Guess:
    """A piece of ink as the network sees it."""

    piece: Piece
    frame: np.ndarray
    probs: np.ndarray

    @property
    def confidence(self) -> float:
        return float(self.probs.max())

    @property
    def cost(self) -> float:
        """Nats; how badly one digit explains this ink."""
        return GROUP_COST - math.log(max(self.confidence, 1e-6))


class Recognizer:
    """A checkpoint and the road to it. Not thread-safe; one per thread."""

    def __init__(
        self,
        model: str | os.PathLike[str] | Checkpoint = MODEL_PATH,
        device: str = "cpu",
        memory: Memory | None = None,
        trust: bool = False,
    ) -> None:
        """Load a checkpoint; raises FileNotFoundError, OSError or model.CheckpointError.

        A `memory` of corrections answers for what it remembers. `trust`: see model.load_checkpoint.
        """
        self.checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model, device, trust)
        self.device = device
        self.memory = memory

    @property
    def classes(self) -> tuple[str, ...]:
        return self.checkpoint.classes

    def read(self, source: Source) -> Reading:
        """Read a picture: a path, bytes, an open file, a PIL image, a uint8 array or float ink.

        Raises OSError or read_ink.PictureError.
        """
        return self.read_picture(read_ink(source))

    def read_picture(self, picture: Picture) -> Reading:
        """Read the ink of a picture."""
        pieces = segment.find_lines(picture.ink)
        if not pieces:
            return Reading("blank", "", ())
        lines = [self._read_line(line) for line in pieces]
        if sum(map(len, lines)) > 1:
            lines = self._as_one(pieces, lines)
        groups = [[self._digit(guess, picture.scale) for guess in line] for line in lines]
        found = tuple(group for line in groups for group in line)
        if not any(group.accepted for group in found):
            return Reading("not_a_digit", "", found)
        text = "\n".join("".join(group.digit if group.accepted else "?" for group in line) for line in groups)
        return Reading("ok", text, found)

    def classify(self, frames: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities (N, classes) of frames (N, 28, 28) in [0, 1], corrections consulted."""
        probs = self.ask(frames)
        return probs if self.memory is None else self.memory.consult(frames, probs, self)

    def ask(self, frames: np.ndarray) -> np.ndarray:
        """Return what the network alone says: calibrated probabilities (N, classes)."""
        with torch.inference_mode():
            images = torch.from_numpy(np.ascontiguousarray(frames, np.float32))[:, None].to(self.device)
            logits = self.checkpoint.model(images).float()
            return (logits / self.checkpoint.temperature).softmax(1).cpu().numpy()

    def _read_line(self, pieces: list[Piece]) -> list[Guess]:
        """Return the digits of one line: the grouping of its pieces that the network explains best."""
        line_height = max(piece.height for piece in pieces)
        guesses = self._look(pieces)
        parts: list[Piece] = []
        for guess in guesses:
            sure = guess.confidence >= SURE and guess.piece.width < WIDEST * line_height
            parts.extend([guess.piece] if sure else segment.cut(guess.piece, line_height))
        return guesses if len(parts) == 1 else self._best_grouping(parts, line_height)

    def _look(self, pieces: list[Piece]) -> list[Guess]:
        """Return what the network says of each piece, in one batch."""
        frames = np.stack([make_frame(piece.ink) for piece in pieces])
        return [Guess(*each) for each in zip(pieces, frames, self.classify(frames))]

    def _best_grouping(self, parts: list[Piece], line_height: float) -> list[Guess]:
        """Return the digits of the cheapest way to join neighbouring parts (dynamic programming)."""
        spans = []
        for start in range(len(parts)):
            for stop in range(start + 1, min(start + LONGEST_RUN, len(parts)) + 1):
                joined = segment.merge(parts[start:stop])
                if stop == start + 1 or joined.width <= WIDEST * max(line_height, joined.height):
                    spans.append((start, stop, joined))
        best: list[tuple[float, list[Guess]]] = [(0.0, []), *((math.inf, []) for _ in parts)]
        for (start, stop, _), guess in zip(spans, self._look([joined for _, _, joined in spans])):
            cost = best[start][0] + guess.cost
            if parts[start].cut_before:
                neighbours = segment.merge(parts[start - 1 : stop])
                cost += max(CUT_COST - CUT_SLOPE * (neighbours.width / line_height - 1), 0)
            if cost < best[stop][0]:
                best[stop] = (cost, [*best[start][1], guess])
        return best[-1][1]

    def _as_one(self, pieces: list[list[Piece]], lines: list[list[Guess]]) -> list[list[Guess]]:
        """Return `lines`, or a single digit if all their pieces together read better as one broken digit."""
        flat = [piece for line in pieces for piece in line]
        if len(flat) > MOST_FRAGMENTS:
            return lines
        whole = segment.merge(flat)
        if whole.width > WIDEST * whole.height:
            return lines
        guess = self._look([whole])[0]
        better = guess.cost < sum(part.cost for line in lines for part in line)
        return [[guess]] if better and guess.confidence >= self.checkpoint.threshold else lines

    def _digit(self, guess: Guess, scale: float) -> Digit:
        left, top, right, bottom = guess.piece.box
        box = (round(left * scale), round(top * scale), round((right - left) * scale), round((bottom - top) * scale))
        return Digit(
            self.checkpoint.classes[int(guess.probs.argmax())],
            guess.confidence,
            tuple(guess.probs.tolist()),
            box,
            guess.frame,
            guess.confidence >= self.checkpoint.threshold,
        )
