"""The one road from a picture to a reading: looks -> lines -> digits (frames, network) -> reading.

    from recognizer import Recognizer
    print(Recognizer("model.pth").read("seven.png").text)

Files, the canvas, the clipboard and folders all come this way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint
from base.networks import on_device
from corrections.memory import Memory
from ink import DIGITS
from ink.decode import PictureError, Source, see_as_is
from ink.frame import fit_frame
from ink.lines import count_parts, find_layouts
from ink.looks import SMALL_SIDE, Look, Picture, read_ink
from ink.measures import find_box
from ink.piece import Piece
from ink.rows import Layout
from recognizer.answer import Digit, Reading, reading_of, turned_back
from recognizer.asking import certainty, probabilities
from recognizer.expect import Expect, Expected, ExpectError, parse_expect
from recognizer.judge import Guess, Judge, Steps, pool, walk
from recognizer.lines import digit_of, marks_of, read_layout, read_marks
from recognizer.reader import Reader
from recognizer.shipped import with_reader

CLEAN = 0.98  # confidence below which ink beside a digit may be dirt
DOUBTFUL = 0.8  # confidence below which a picture's other looks are tried
OTHER_INK = 0.9  # confidence that another look, or what a box holds, must reach
SURE_WHOLE = 2.5  # nats of certainty that a whole needs to be one digit among dirt
SURE_TANGLED = 5.0  # the same where it reads as several or is connected
LARGEST_FRAGMENT = 0.2  # of a broken digit's longer side; nothing but dots is no digit
MOST_TURNED = 40  # marks; of more, a page is no number on its side
LOOPED = ("4", "6", "8", "9")  # digits with a loop in part of them
ROUND = 0.9  # shorter over longer side of a ring, at least
LONGEST_RINGED = 0.6  # of a ring's longer side; a 1 in it is no longer
MOST_FRAMES = 64  # frames that the network is asked for at once; more are no faster, and take memory


class Recognizer:
    """A checkpoint and the road to it. Not thread-safe; one per thread."""

    def __init__(
        self,
        model: str | os.PathLike[str] | Checkpoint = MODEL_PATH,
        device: str = "cpu",
        memory: Memory | None = None,
        single: bool = False,
        expect: Expect | None = None,
    ) -> None:
        """Load a checkpoint; raises FileNotFoundError, OSError, CheckpointError or ExpectError.

        A `memory` of corrections answers for what it remembers. `single`: a picture is one digit, never several and
        never refused; `confidence` and `probs` alone show doubt. `expect`: what each line says, see `read`.
        """
        checkpoint = with_reader(model if isinstance(model, Checkpoint) else load_checkpoint(model, device))
        on_device(checkpoint.model, device)
        self.judge = Judge(checkpoint, device, memory, single)
        self.expected = None if expect is None else self._expected(expect)
        self.reader: Reader | None = None
        if checkpoint.lines is not None and checkpoint.classes == DIGITS:
            network = on_device(checkpoint.lines, device)
            self.reader = Reader(
                network, checkpoint.line_temperature, checkpoint.line_weights, checkpoint.line_form
            )

    def __repr__(self) -> str:
        network = f"{self.checkpoint.arch}, {len(self.classes)} classes, on {self.device}"
        return f"<Recognizer: {network}{'' if self.memory is None else f', {len(self.memory)} corrections'}>"

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

    def read(self, source: Source, expect: Expect | None = None) -> Reading:
        """Read a picture: a path, bytes, an open file, a PIL image, a uint8 array or float ink, or such a tensor.

        `expect`: what each line of writing says, as `expect.parse_expect` takes it; a line that fits it is read as the
        likeliest such text, any other is refused. Raises TypeError for any other source, OSError, decode.PictureError
        or expect.ExpectError.
        """
        expected = self.expected if expect is None else self._expected(expect)
        return walk(self._steps(source, expected), self.classify)

    def _expected(self, expect: Expect) -> Expected:
        if self.classes != DIGITS:
            raise ExpectError("nothing can be expected of a network that does not read digits")
        return parse_expect(expect)

    def read_many(self, sources: Sequence[Source]) -> list[Reading | OSError | PictureError]:
        """Read pictures as `read` does, all together: the network is asked for many frames at a time.

        What `read` would raise stands in a reading's place.
        """
        results: dict[int, Reading | OSError | PictureError] = {}
        waiting: list[tuple[int, Steps[Reading], np.ndarray | None]] = [
            (place, self._steps(source, self.expected), None) for place, source in enumerate(sources)
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

    def _steps(self, source: Source, expected: Expected | None) -> Steps[Reading]:
        if self.checkpoint.input["road"]:
            reading = yield from self._read_looks(read_ink(source), expected)
        else:
            reading = yield from self._read_as_is(source)
        if expected is None or reading.status != "ok" or expected.fits(reading.text):
            return reading
        return reading.refused()

    def _read_looks(self, picture: Picture, expected: Expected | None) -> Steps[Reading]:
        """Read a picture by its likeliest look, and by the others only while it has not been read surely."""
        best, whole = Reading("blank", "", ()), None  # the first look that is not one digit's frame
        for look in picture.looks:
            if look.frames is None:
                whole = whole if whole is not None else look.ink
                reading = yield from self._read_framed(find_layouts(look.ink), picture.scale, expected)
            else:
                reading = yield from self._read_frames(look.ink, look.frames, picture.scale)
            if expected is None:
                reading = yield from self._among_dirt(look, reading, picture.scale)
            if best.status == "blank" or reading.confidence > max(best.confidence, OTHER_INK):
                best = reading
            if best.least_sure >= DOUBTFUL:
                break
        sure = best.least_sure >= DOUBTFUL and len(best.digits) >= len(best.rejected)
        if whole is None or sure or best.status == "blank" or self.judge.single:
            return best
        return (yield from self._read_turned(whole, best, picture.scale, expected))

    def _read_turned(
        self, ink: np.ndarray, best: Reading, scale: float, expected: Expected | None
    ) -> Steps[Reading]:
        """Return `best`, or what ink that is higher than wide says on its side, if that is a number and surely read."""
        high, wide = _all_of(ink).ink.shape
        few = len(best.groups) <= MOST_TURNED
        for quarters in (1, 3) if self.reader is not None and high > wide and few else ():
            layouts = find_layouts(np.ascontiguousarray(np.rot90(ink, -quarters)))
            reading = yield from self._read_framed(layouts, scale, expected)
            more = len(reading.digits) > max(len(best.digits), 1) and not reading.rejected
            if more and reading.confidence >= OTHER_INK:
                best = turned_back(reading, quarters, tuple(round(side * scale) for side in ink.shape))
        return best

    def _read_frames(self, ink: np.ndarray, frames: np.ndarray, scale: float) -> Steps[Reading]:
        """Read ink that is one digit, framed in each of the proportions it may have (N, 28, 28)."""
        piece = _all_of(ink)
        probs = yield frames
        guesses = self.judge.guess([piece] * len(frames), frames, probs)
        middle = guesses[len(guesses) // 2]
        if not middle.corrected:
            guesses = yield from self.judge.look_again(guesses)
            pooled = pool([guess.probs for guess in guesses], [1 / len(guesses)] * len(guesses))
            middle = replace(guesses[len(guesses) // 2], probs=pooled)
        return reading_of(self._digit(middle, scale))

    def _among_dirt(self, look: Look, reading: Reading, scale: float) -> Steps[Reading]:
        """Return `reading`, or that of the whole picture as one digit among dirt where that is surer."""
        if (least := _least_of_whole(look, reading)) is not None:
            reading = yield from self._compare(reading, _all_of(look.ink), fit_frame(look.ink), scale, least)
        return reading

    def _compare(
        self, reading: Reading, piece: Piece, frame: np.ndarray, scale: float, least: float
    ) -> Steps[Reading]:
        """Return `reading`, or that of `piece` as one digit, seen as `frame` (28, 28), if it is surer.

        Unless `reading` is of one accepted digit, `piece` must also reach `least` nats of certainty.
        """
        groups = reading.groups
        if any(group.corrected or np.array_equal(group.frame, frame) for group in groups):
            return reading
        probs = yield frame[None]
        (guess,) = yield from self.judge.look_again(self.judge.guess([piece], frame[None], probs))
        alone = groups[0] if len(groups) == 1 else None
        known = float(certainty(np.array(alone.probs))) if alone is not None else 0.0
        needed = known if alone is not None and alone.accepted else max(known, least)
        if certainty(guess.probs) <= needed and not guess.corrected:
            return reading
        digit = self._digit(guess, scale)
        return reading_of(digit) if digit.accepted else reading

    def _read_framed(
        self, layouts: Iterator[Layout], scale: float, expected: Expected | None
    ) -> Steps[Reading]:
        """Read layouts of ink; where a box is drawn around some of it, what that holds if it is sure and the box no slashed 0."""
        reading = yield from self._read_layout(next(layouts), scale, expected)
        held = next(layouts, None)
        if held is None:
            return reading
        within = yield from self._read_layout(held, scale, expected)
        if within.confidence < OTHER_INK or within.rejected:
            return reading
        if within.text == "0" and reading.text in LOOPED and reading.confidence >= OTHER_INK:
            return reading  # drawn in outline: the 0 is the inner edge of its loop
        zero = reading.text == "0" and reading.confidence >= OTHER_INK
        slashed = zero and within.text == "1" and not _is_ringed(within.digits[0], reading.digits[0])
        return reading if slashed else within

    def _read_layout(self, layout: Layout, scale: float, expected: Expected | None) -> Steps[Reading]:
        """Read a layout as one digit where it is to be one, by the line reader, or mark by mark where there is none."""
        if self.judge.single:
            return (yield from self._read_single(layout, scale))
        if self.reader is None:
            return (yield from read_marks(layout, self.judge, scale))
        return (yield from read_layout(layout, self.judge, self.reader, scale, expected))

    def _read_single(self, layout: Layout, scale: float) -> Steps[Reading]:
        """Read all of a layout as one digit or, where that looks like none, the mark that is most surely one."""
        marks = marks_of(layout)
        if not marks:
            return Reading("blank", "", ())
        guesses = yield from self.judge.look_again((yield from self.judge.look(marks)))
        sure = certainty(np.stack([guess.probs for guess in guesses]))
        best = guesses[0 if sure[0] >= self.checkpoint.threshold else int(sure.argmax())]
        return reading_of(self._digit(best, scale))

    def _read_as_is(self, source: Source) -> Steps[Reading]:
        """Read a picture whole, for a network that was trained on pictures as they are."""
        taken = self.checkpoint.input
        pixels, (width, height) = see_as_is(source, taken["size"], taken["channels"])
        frame = pixels.astype(np.float32) / 255
        probs = yield frame[None]
        (guess,) = self.judge.guess([Piece((0, 0, width, height), frame)], frame[None], probs)
        accepted = self.judge.single or guess.corrected or self.judge.is_certain(guess)
        name, box = self.judge.name(guess.probs), (0, 0, width, height)
        known = tuple(guess.probs.tolist())
        return reading_of(Digit(name, guess.confidence, known, box, frame, accepted, guess.corrected))

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
        pictures = frames[:, None] if frames.ndim == 3 else frames.transpose(0, 3, 1, 2)  # (N, C, H, W)
        return probabilities(self.checkpoint, pictures)

    def _digit(self, guess: Guess, scale: float) -> Digit:
        """Return `guess` as a digit, accepted or not."""
        return digit_of(guess, self.judge, scale, self.judge.accepts(guess))


def _least_of_whole(look: Look, reading: Reading) -> float | None:
    """Return the nats of certainty that a whole look must reach to be one digit among dirt; None if it cannot."""
    if not look.whole:
        return None
    if max(look.ink.shape) <= SMALL_SIDE:
        return SURE_WHOLE if look.ink.any() else None
    if len(reading.groups) == 1 and reading.confidence >= CLEAN:
        return None
    parts, longest = count_parts(look.ink)
    number = len(reading.digits) > 1 and "\n" not in reading.text and reading.least_sure >= OTHER_INK
    if longest < LARGEST_FRAGMENT or number and not reading.rejected:  # dots alone, or digits side by side
        return None
    return SURE_WHOLE if parts > 1 and len(reading.digits) < 2 else SURE_TANGLED


def _is_ringed(bar: Digit, outline: Digit) -> bool:
    """Return whether a bar in an outline is a 1 in a ring, not the slash of a 0: in a round outline, far from it."""
    shorter, longer = sorted(outline.box[2:])
    return shorter >= ROUND * longer and max(bar.box[2:]) <= LONGEST_RINGED * longer


def _all_of(ink: np.ndarray) -> Piece:
    """Return all of `ink` (H, W) as one piece."""
    left, top, right, bottom = box = find_box(ink > 0) or (0, 0, ink.shape[1], ink.shape[0])
    return Piece(box, ink[top:bottom, left:right])
