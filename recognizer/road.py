"""The one road from a picture to an answer: read_ink -> segment -> grouping (frame, network) -> reading.

    from recognizer.road import Recognizer
    print(Recognizer("model.pth").read("seven.png").text)

Files, the canvas, the clipboard and folders all come this way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch

from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint
from corrections.memory import Memory
from ink import lines as segment
from ink.decode import PictureError, Source, see_as_is
from ink.frame import fit_frame, frame_amid
from ink.looks import Look, Picture, read_ink
from ink.measures import find_box, is_solid
from ink.piece import Piece, meets_edge, merge
from ink.plain import SMALL_SIDE
from model import DIGITS
from recognizer.answer import Digit, Reading
from recognizer.asking import certainty
from recognizer.grouping import LARGEST_FRAGMENT, SURE, SURE_WHOLE, Grouping
from recognizer.judge import Guess, Judge, Steps, pool, walk
from recognizer.lines import read_layout
from recognizer.reader import Reader

CLEAN = 0.98  # confidence below which ink beside a digit may be dirt
DOUBTFUL = 0.8  # confidence below which a picture's other looks are tried;
OTHER_INK = 0.9  # they, and what a box or ring holds, must reach this
SURE_TANGLED = 5.0  # nats of certainty needed to read a picture whole as one digit, if it reads as several or its ink is all connected
MANY, LEAST_READ = 8, 1 / 2  # groups, and the share of so many that must be digits; else those are chance
NUMBER, MOST_READ = (
    2,
    2 / 3,
)  # digits, and their share of all groups, from which the others are likely digits too
SCAN_TEMPERATURE = 1.2  # of what is told of a scan that fills its square; fitted on validation digits made such scans (RESULTS.md)
LOOPED = ("4", "6", "8", "9")  # digits with a loop in part of them
ROUND, LONGEST_RINGED = (
    0.9,
    0.6,
)  # shorter over longer side of a ring at least, and of a 1 in it, over the ring's, at most
MOST_FRAMES = (
    64  # that the network is asked for at once; more are no faster, and glibc keeps what larger batches took
)


class Recognizer:
    """A checkpoint and the road to it. Not thread-safe; one per thread."""

    def __init__(
        self,
        model: str | os.PathLike[str] | Checkpoint = MODEL_PATH,
        device: str = "cpu",
        memory: Memory | None = None,
        trust: bool = False,
        single: bool = False,
    ) -> None:
        """Load a checkpoint; raises FileNotFoundError, OSError or model.CheckpointError.

        A `memory` of corrections answers for what it remembers. `trust`: see model.load_checkpoint. `single`: a picture
        is one digit, never several and never refused; `confidence` and `probs` alone tell of doubt.
        """
        checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model, device, trust)
        checkpoint.model.to(device)
        if isinstance(checkpoint.model, torch.nn.Module):
            checkpoint.model.to(memory_format=torch.channels_last)  # convolutions in 0.6 of the time on a CPU
        if checkpoint.pairs is not None:
            checkpoint.pairs.to(device)
        self.judge = Judge(checkpoint, device, memory, single)
        self.grouping = Grouping(self.judge)
        self.reader: Reader | None = None
        if checkpoint.lines is not None and checkpoint.classes == DIGITS:
            network = checkpoint.lines.to(device).to(memory_format=torch.channels_last)
            self.reader = Reader(network, checkpoint.line_temperature, checkpoint.line_weight)

    @property
    def checkpoint(self) -> Checkpoint:
        return self.judge.checkpoint

    @property
    def device(self) -> str:
        return self.judge.device

    @property
    def memory(self) -> Memory | None:
        return self.judge.memory

    @property
    def classes(self) -> tuple[str, ...]:
        return self.checkpoint.classes

    def read(self, source: Source) -> Reading:
        """Read a picture: a path, bytes, an open file, a PIL image, a uint8 array or float ink.

        Raises OSError or decode.PictureError.
        """
        return walk(self._steps(source), self.classify)

    def read_many(self, sources: Sequence[Source]) -> list[Reading | OSError | PictureError]:
        """Read pictures as `read` does, all together: the network is asked for many frames at a time.

        What `read` would raise stands in a reading's place.
        """
        results: dict[int, Reading | OSError | PictureError] = {}
        waiting: list[tuple[int, Steps[Reading], np.ndarray | None]] = [
            (place, self._steps(source), None) for place, source in enumerate(sources)
        ]
        while waiting:
            asked = []
            for place, steps, probs in waiting:
                try:
                    asked.append((place, steps, steps.send(probs)))  # type: ignore[arg-type]
                except StopIteration as end:
                    results[place] = end.value
                except (OSError, PictureError) as error:
                    results[place] = error
            if not asked:
                break
            frames = np.concatenate([frames for _, _, frames in asked])
            parts = np.split(self.classify(frames), np.cumsum([len(frames) for _, _, frames in asked])[:-1])
            waiting = [(place, steps, probs) for (place, steps, _), probs in zip(asked, parts)]
        return [results[place] for place in range(len(sources))]

    def _steps(self, source: Source) -> Steps[Reading]:
        if not self.checkpoint.input["road"]:
            return (yield from self._read_as_is(source))
        return (yield from self._read_looks(read_ink(source)))

    def _read_looks(self, picture: Picture) -> Steps[Reading]:
        """Read a picture by its likeliest look, and by the others only while it has not been read surely."""
        best, stretched = Reading("blank", "", ()), False
        for look in picture.looks:
            if look.frames is None:
                first = yield from self._read_framed(look.ink, picture.scale)
            else:
                first = yield from self._read_frames(look.ink, look.frames, picture.scale)
            reading = yield from self._amid(look, first, picture.scale)
            if best.status == "blank" or reading.confidence > max(best.confidence, OTHER_INK):
                best, stretched = (
                    reading,
                    reading is first and look.frames is not None and len(look.frames) > 1,
                )
            if best.confidence >= DOUBTFUL:
                break
        return _calmed(best) if stretched and not self.judge.is_corrected(best.groups[0].frame) else best

    def _read_frames(self, ink: np.ndarray, frames: np.ndarray, scale: float) -> Steps[Reading]:
        """Read ink that is one digit, framed in each of the proportions it may have (N, 28, 28)."""
        piece = _all_of(ink)
        if len(frames) > 1 and self.judge.is_corrected(frames[len(frames) // 2]):
            frames = frames[len(frames) // 2][None]  # what was corrected
        probs = yield frames
        guesses = yield from self.judge.look_again([Guess(piece, *each) for each in zip(frames, probs)])
        pooled = pool([guess.probs for guess in guesses], [1 / len(guesses)] * len(guesses))
        digit = self._digit(replace(guesses[len(frames) // 2], probs=pooled), scale)
        return _reading_of(digit)

    def _amid(self, look: Look, reading: Reading, scale: float) -> Steps[Reading]:
        """Return `reading`, or that of one digit amid dirt where it is surer: the whole of a picture, or its boldest ink."""
        if (least := _least_of_whole(look, reading)) is not None:
            reading = yield from self._compare(reading, _all_of(look.ink), fit_frame(look.ink), scale, least)
        if (
            len(reading.digits) <= 1
            and reading.confidence < CLEAN
            and (main := segment.find_main(look.ink)) is not None
        ):
            reading = yield from self._compare(
                reading, main, frame_amid(look.ink, main.box), scale, SURE_WHOLE
            )
        return reading

    def _compare(
        self, reading: Reading, piece: Piece, frame: np.ndarray, scale: float, least: float
    ) -> Steps[Reading]:
        """Return `reading`, or that of `piece` as one digit, seen as `frame` (28, 28) with all around it, if it is surer.

        Unless `reading` is of one accepted digit, `piece` must also reach `least` nats of certainty.
        """
        frames = [group.frame for group in reading.groups]
        if (
            any(np.array_equal(each, frame) for each in frames)
            or frames
            and self.judge.corrected(np.stack(frames)).any()
        ):
            return reading
        probs = yield frame[None]
        (guess,) = yield from self.judge.look_again([Guess(piece, frame, probs[0])])
        alone = reading.groups[0] if len(frames) == 1 else None
        known = float(certainty(np.array(alone.probs))) if alone is not None else 0.0
        needed = known if alone is not None and alone.accepted else max(known, least)
        if certainty(guess.probs) <= needed and not self.judge.is_corrected(frame):
            return reading
        digit = self._digit(guess, scale)
        return _reading_of(digit) if digit.accepted else reading

    def _read_framed(self, ink: np.ndarray, scale: float) -> Steps[Reading]:
        """Read ink; where a box or ring is drawn around some of it, what they hold, if that is sure and it is no slashed 0."""
        layouts: Iterator[Any] = segment.find_layouts(ink) if self.reader is None else segment.find_row_layouts(ink)
        reading = yield from self._read_layout(next(layouts), scale, ink.shape)
        held = next(layouts, None)
        if held is None:
            return reading
        within = yield from self._read_layout(held, scale, ink.shape)
        sure = within.confidence >= OTHER_INK and not within.rejected
        if not sure and not _says_more(within, reading):
            return reading
        if within.text == "0" and reading.text in LOOPED and reading.confidence >= OTHER_INK:
            return reading  # drawn in outline: the 0 is the inner edge of its loop
        zero = reading.text == "0" and reading.confidence >= OTHER_INK
        slashed = zero and within.text == "1" and not _is_ringed(within.digits[0], reading.digits[0])
        return reading if slashed else within

    def _read_layout(self, layout: Any, scale: float, shape: tuple[int, ...]) -> Steps[Reading]:
        """Read lines of writing, by the line reader if there is one."""
        if self.reader is None:
            return (yield from self._read_lines(layout, scale, shape))
        if self.judge.single and layout.lines:
            pieces = [Piece(line.box, line.ink) for line in layout.lines]
            return (yield from self._read_single([*pieces, *layout.rest], scale))
        return (yield from read_layout(layout, self.judge, self.reader, scale))

    def _read_lines(self, pieces: list[list[Piece]], scale: float, shape: tuple[int, ...]) -> Steps[Reading]:
        """Read the lines of writing that `segment` found in ink of `shape` (H, W)."""
        if not pieces:
            return Reading("blank", "", ())
        if self.judge.single:
            return (yield from self._read_single([piece for row in pieces for piece in row], scale))
        lines = yield from self.grouping.find_digits(pieces)
        seen = iter((yield from self.judge.look_again([guess for line in lines for guess in line])))
        return self._compose([list(islice(seen, len(line))) for line in lines], scale, shape)

    def _compose(self, lines: list[list[Guess]], scale: float, shape: tuple[int, ...]) -> Reading:
        """Return what lines of guesses say, in ink of `shape` (H, W): which are digits, and whether those are more than chance."""
        rows = [[(guess, self._digit(guess, scale)) for guess in line] for line in lines]
        found = tuple(group for row in rows for _, group in row)
        accepted = sum(group.accepted for group in found)
        chance = len(found) >= MANY and accepted < LEAST_READ * len(found)
        bars = accepted < len(found) and all(
            group.digit == "1" for group in found if group.accepted
        )  # of what is no digit
        if (
            accepted == 0
            or (chance or bars)
            and not self.judge.corrected(np.stack([group.frame for group in found])).any()
        ):
            return Reading("not_a_digit", "", tuple(replace(group, accepted=False) for group in found))
        rows = [kept for row in rows if (kept := _without_dirt(row, shape))]
        if accepted >= NUMBER and accepted >= MOST_READ * sum(map(len, rows)):
            rows = [
                [
                    (guess, group if group.accepted else self._digit(guess, scale, among=True))
                    for guess, group in row
                ]
                for row in rows
            ]
        text = "\n".join("".join(group.digit if group.accepted else "?" for _, group in row) for row in rows)
        return Reading("ok", text, tuple(group for row in rows for _, group in row))

    def _read_single(self, pieces: list[Piece], scale: float) -> Steps[Reading]:
        """Read all pieces as one digit or, where that looks like none, the piece that is most surely one."""
        looked = yield from self.judge.look([merge(pieces), *(pieces if len(pieces) > 1 else [])])
        guesses = yield from self.judge.look_again(looked)
        sure = certainty(np.stack([guess.probs for guess in guesses]))
        best = guesses[0 if sure[0] >= self.checkpoint.threshold else int(sure.argmax())]
        return _reading_of(self._digit(best, scale))

    def _read_as_is(self, source: Source) -> Steps[Reading]:
        """Read a picture whole, for a network that was trained on pictures as they are."""
        taken = self.checkpoint.input
        pixels, (width, height) = see_as_is(source, taken["size"], taken["channels"])
        frame = pixels.astype(np.float32) / 255
        probs = (yield frame[None])[0]
        confidence = float(probs.max())
        name = self.judge.name(probs)
        accepted = (
            self.judge.single
            or self.judge.is_corrected(frame)
            or bool(certainty(probs) >= self.checkpoint.threshold)
        )
        digit = Digit(name, confidence, tuple(probs.tolist()), (0, 0, width, height), frame, accepted)
        return _reading_of(digit)

    def classify(self, frames: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities (N, classes) of frames (N, H, W[, 3]) in [0, 1], corrections consulted."""
        answers = []
        for start in range(0, len(frames), MOST_FRAMES):
            part = frames[start : start + MOST_FRAMES]
            probs = self.ask(part)
            answers.append(probs if self.memory is None else self.memory.consult(part, probs, self))
        return np.concatenate(answers)

    def ask(self, frames: np.ndarray) -> np.ndarray:
        """Return what the network alone says: calibrated probabilities (N, classes)."""
        with torch.inference_mode():
            pictures = frames[:, None] if frames.ndim == 3 else frames.transpose(0, 3, 1, 2)  # (N, C, H, W)
            images = torch.from_numpy(np.ascontiguousarray(pictures, np.float32)).to(self.device)
            logits = self.checkpoint.model(images).float()
            return (logits / self.checkpoint.temperature).softmax(1).cpu().numpy()

    def _digit(self, guess: Guess, scale: float, among: bool = False) -> Digit:
        """Return `guess` as a digit, accepted or not; `among`: in a number, most of which has been read."""
        left, top, right, bottom = (round(side * scale) for side in guess.piece.box)
        return Digit(
            self.judge.name(guess.probs),
            guess.confidence,
            tuple(guess.probs.tolist()),
            (left, top, right - left, bottom - top),
            guess.frame,
            self.judge.accepts(guess, among),
        )


def _calmed(reading: Reading) -> Reading:
    """Return the reading of one digit in a scan that fills its square, its probabilities by SCAN_TEMPERATURE."""
    told = pool([np.array(reading.groups[0].probs)], [1 / SCAN_TEMPERATURE])
    return _reading_of(replace(reading.groups[0], confidence=float(told.max()), probs=tuple(told.tolist())))


def _reading_of(digit: Digit) -> Reading:
    """Return what a picture says that holds one group of ink."""
    return Reading("ok" if digit.accepted else "not_a_digit", digit.digit if digit.accepted else "", (digit,))


def _without_dirt(row: list[tuple[Guess, Digit]], shape: tuple[int, ...]) -> list[tuple[Guess, Digit]]:
    """Return a line of writing without refused spots and, if none of it is accepted, without what runs out of the picture (H, W)."""
    alone = not any(group.accepted for _, group in row)
    return [
        (guess, group)
        for guess, group in row
        if group.accepted or not (is_solid(guess.piece.ink) or alone and meets_edge(guess.piece, shape))
    ]


def _least_of_whole(look: Look, reading: Reading) -> float | None:
    """Return the nats of certainty that all of a look's ink must reach to be one digit amid dirt; None where it is not seen whole."""
    if not look.whole:
        return None
    if max(look.ink.shape) <= SMALL_SIDE:
        return SURE_WHOLE if look.ink.any() else None
    if len(reading.groups) == 1 and reading.confidence >= CLEAN:
        return None
    parts, longest = segment.count_parts(look.ink)
    number = "\n" in reading.text and not reading.rejected and reading.confidence >= SURE
    if longest < LARGEST_FRAGMENT or number:  # dots alone, or several lines
        return None
    return SURE_WHOLE if parts > 1 and len(reading.digits) < 2 else SURE_TANGLED


def _says_more(within: Reading, reading: Reading) -> bool:
    """Say whether a frame holds a number, most of it read, where `reading` with the frame has none, or more of it refused."""
    number = len(within.digits) >= NUMBER and 2 * len(within.rejected) < len(within.digits)
    return number and (len(reading.digits) < NUMBER or len(within.rejected) < len(reading.rejected))


def _is_ringed(bar: Digit, outline: Digit) -> bool:
    """Say whether a bar in an outline is a 1 in a ring rather than the slash of a 0: the outline is round, the bar far from it."""
    shorter, longer = sorted(outline.box[2:])
    return shorter >= ROUND * longer and max(bar.box[2:]) <= LONGEST_RINGED * longer


def _all_of(ink: np.ndarray) -> Piece:
    """Return all of `ink` (H, W) as one piece."""
    left, top, right, bottom = box = find_box(ink > 0) or (0, 0, ink.shape[1], ink.shape[0])
    return Piece(box, ink[top:bottom, left:right])
