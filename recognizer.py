"""The one road from a picture to an answer: read_ink -> segment -> frame -> network -> reading.

    from recognizer import Recognizer
    print(Recognizer("model.pth").read("seven.png").text)

Files, the canvas, the clipboard and folders all come this way.
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

import numpy as np
import torch

import segment
from as_is import see_as_is
from frame import FRAME_SIZE, find_box, fit_frame, frame_amid, is_bold, is_solid, make_frame
from learn import Memory
from model import MODEL_PATH, UNSURE, VIEWS, Checkpoint, certainty, load_checkpoint, look_around, predict_pairs
from read_ink import SMALL_SIDE, Look, Picture, PictureError, Source, read_ink
from segment import Piece

SURE = 0.9  # confidence above which no other way to group the ink is tried
SURE_OF_PAIRS = 0.998  # the same where the reader of pairs is asked, too: the network reads 6 of 100 touching pairs surely as one digit
SURE_PART = 0.98  # confidence that both parts of a cut must reach: half a house is a fair 6
CLEAN = 0.98  # confidence below which ink beside a digit may be dirt
DOUBTFUL = 0.8  # confidence below which a picture's other inks are tried too,
OTHER_INK = 0.9  # and which these, and what stands in a box or ring, must reach
GROUP_COST = 0.05  # nats; each further digit must explain the ink better by this much
# nats by which a cut through joined ink must explain it better: less a share of each line height by which it is wider than high
CUT_COST, CUT_SLOPE = 0.3, 8.0  # in a line of several digits,
ALONE_COST, ALONE_SLOPE = 4.5, 5.0  # and where the ink stands alone and may be one digit;
# if it is none, both parts must be so sure from all sides instead, and the ink so wide for its height (without a reader of pairs)
SURE_ALONE = 0.995
WIDE, WIDE_WITH_BAR = 0.9, 1.2  # the second if one part is a 1, as half of an H, an M or a U is too
JOIN_COST = 4.0     # nats; and each pair of pieces joined though they stand apart like two digits
# where the network is not sure of one digit: nats of certainty that the reader of pairs needs on each of two, and the confidence
# that both halves must reach then
CERTAIN_PAIR, SURE_HALF = 0.6, 0.75
PAIR_WEIGHT = 0.65  # of what the reader of pairs says of a half, beside what the network does
CERTAIN_INSTEAD = 1.5  # nats of each that it needs where the network is sure
MOST_HOLES, PAIR_HOLES = 3, 4  # in a part of a cut, and in two digits that touch; a scribble or a star has more
LONGEST_RUN = 3  # pieces that one digit may be broken into
MOST_FRAGMENTS = 12  # pieces that a single broken digit may consist of
LARGEST_FRAGMENT = 0.2  # of a broken digit's longer side; nothing but dots is no digit
SURE_WHOLE = 2.5  # nats of certainty that parts which are no digits, and a small picture, need to be read whole as one
SURE_TANGLED = 5.0  # the same for a larger one that reads as several digits, or whose ink is all connected
SURE_FOUR = 3.5  # nats of certainty that a 4 in two strokes needs, each of which would be a 1
SURE_BOLD = 3.0  # nats of certainty from which ink as bold as a silhouette is a digit
LEAST_SIDE = 6  # pixels of the ink; a smaller mark cannot be told from dirt
WIDEST = 1.4  # width over height of the widest single digit
LEAST_PROBABILITY = 1e-6  # that counts where several frames of one digit are pooled
MOST_UNSURE = 40  # guesses; where more are unsure it is texture, and neither cut nor looked at again
MANY, LEAST_READ = 8, 1 / 3  # groups, and the share of so many that must be digits; else those are chance
NUMBER, MOST_READ = 2, 2 / 3  # digits, and their share of all groups, from which the others are likely digits too:
AMONG_DIGITS = 0.7  # of the threshold, which is enough for these, however bold they are
ROUND, LONGEST_RINGED = 0.9, 0.6  # shorter over longer side of a ring at least, and of a 1 in it, over the ring's, at most
MOST_FRAMES = 64  # that the network is asked for at once; more are no faster, and glibc keeps what larger batches took

T = TypeVar("T")
Steps = Generator[np.ndarray, np.ndarray, T]  # yields frames, is sent their probabilities, returns a T


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
    doubt: float = 0.0  # nats; by how much it fails to be certain of a digit at all
    paired: np.ndarray | None = None  # what the reader of pairs says of this part of one

    @property
    def confidence(self) -> float:
        return float(self.probs.max())

    @property
    def cost(self) -> float:
        """Nats; how badly one digit explains this ink."""
        return GROUP_COST - math.log(max(self.confidence, 1e-6)) + self.doubt


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
        self.checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model, device, trust)
        if isinstance(self.checkpoint.model, torch.nn.Module):
            self.checkpoint.model.to(memory_format=torch.channels_last)  # convolutions in 0.6 of the time on a CPU
        self.device = device
        self.memory = memory
        self.single = single

    @property
    def classes(self) -> tuple[str, ...]:
        return self.checkpoint.classes

    def read(self, source: Source) -> Reading:
        """Read a picture: a path, bytes, an open file, a PIL image, a uint8 array or float ink.

        Raises OSError or read_ink.PictureError.
        """
        return self._walk(self._steps(source))

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

    def _walk(self, steps: Steps[T]) -> T:
        """Answer `steps` until they return."""
        probs = None
        while True:
            try:
                frames = steps.send(probs)  # type: ignore[arg-type]  # None is how a generator is begun
            except StopIteration as end:
                return end.value
            probs = self.classify(frames)

    def _steps(self, source: Source) -> Steps[Reading]:
        if not self.checkpoint.input["road"]:
            return (yield from self._read_as_is(source))
        return (yield from self._read_looks(read_ink(source)))

    def _read_looks(self, picture: Picture) -> Steps[Reading]:
        """Read a picture by its likeliest look, and by the others only while it has not been read surely."""
        best = Reading("blank", "", ())
        for look in picture.looks:
            if look.frames is None:
                reading = yield from self._read_framed(look.ink, picture.scale)
            else:
                reading = yield from self._read_frames(look.ink, look.frames, picture.scale)
            reading = yield from self._amid(look, reading, picture.scale)
            if best.status == "blank" or reading.confidence > max(best.confidence, OTHER_INK):
                best = reading
            if best.confidence >= DOUBTFUL:
                break
        return best

    def _read_frames(self, ink: np.ndarray, frames: np.ndarray, scale: float) -> Steps[Reading]:
        """Read ink that is one digit, framed in each of the proportions it may have (N, 28, 28)."""
        piece = _all_of(ink)
        if len(frames) > 1 and self._corrected(frames[len(frames) // 2][None])[0]:
            frames = frames[len(frames) // 2][None]  # what was corrected
        probs = yield frames
        guesses = yield from self._look_again([Guess(piece, *each) for each in zip(frames, probs)])
        # the geometric mean (a logarithmic opinion pool): a frame that doubts, as a bar drawn wide does, has no veto
        pooled = np.exp(np.mean([np.log(np.maximum(guess.probs, LEAST_PROBABILITY)) for guess in guesses], axis=0))
        digit = self._digit(replace(guesses[len(frames) // 2], probs=pooled / pooled.sum()), scale)
        return _reading_of(digit)

    def _amid(self, look: Look, reading: Reading, scale: float) -> Steps[Reading]:
        """Return `reading`, or that of one digit amid dirt where it is surer: the whole of a picture, or its boldest ink."""
        clean = len(reading.groups) == 1 and reading.confidence >= CLEAN
        small = max(look.ink.shape) <= SMALL_SIDE
        parts, longest = segment.count_parts(look.ink) if look.whole and (small or not clean) else (0, 0.0)
        number = not small and "\n" in reading.text and not reading.rejected and reading.confidence >= SURE
        if small and parts or longest >= LARGEST_FRAGMENT and not number:  # not of dots alone, if large
            least = SURE_WHOLE if small or parts > 1 and len(reading.digits) < 2 else SURE_TANGLED
            reading = yield from self._compare(reading, _all_of(look.ink), fit_frame(look.ink), scale, least)
        if len(reading.digits) <= 1 and reading.confidence < CLEAN and (main := segment.find_main(look.ink)) is not None:
            reading = yield from self._compare(reading, main, frame_amid(look.ink, main.box), scale, SURE_WHOLE)
        return reading

    def _compare(self, reading: Reading, piece: Piece, frame: np.ndarray, scale: float, least: float) -> Steps[Reading]:
        """Return `reading`, or that of `piece` as one digit, seen as `frame` (28, 28) with all around it, if it is surer.

        Where `reading` is not of one digit, so sure as `least` (nats of certainty).
        """
        frames = [group.frame for group in reading.groups]
        if any(np.array_equal(each, frame) for each in frames) or frames and self._corrected(np.stack(frames)).any():
            return reading
        probs = yield frame[None]
        (guess,) = yield from self._look_again([Guess(piece, frame, probs[0])])
        alone = reading.groups[0] if len(frames) == 1 else None
        known = float(certainty(np.array(alone.probs))) if alone is not None else 0.0
        needed = known if alone is not None and alone.accepted else max(known, least)
        if certainty(guess.probs) <= needed and not self._corrected(frame[None])[0]:
            return reading
        digit = self._digit(guess, scale)
        return _reading_of(digit) if digit.accepted else reading

    def _read_framed(self, ink: np.ndarray, scale: float) -> Steps[Reading]:
        """Read ink; where a box or ring is drawn around some of it, what they hold, if that is sure and it is no slashed 0."""
        layouts = segment.find_layouts(ink)
        reading = yield from self._read_lines(next(layouts), scale, ink.shape)
        held = next(layouts, None)
        if held is None:
            return reading
        within = yield from self._read_lines(held, scale, ink.shape)
        if within.confidence < OTHER_INK or within.rejected:
            return reading
        zero = reading.text == "0" and reading.confidence >= OTHER_INK
        slashed = zero and within.text == "1" and not _is_ringed(within.digits[0], reading.digits[0])
        return reading if slashed else within

    def _read_lines(self, pieces: list[list[Piece]], scale: float, shape: tuple[int, ...]) -> Steps[Reading]:
        """Read the lines of writing that `segment` found in ink of `shape` (H, W)."""
        if not pieces:
            return Reading("blank", "", ())
        if self.single:
            return (yield from self._read_single([piece for row in pieces for piece in row], scale))
        lines: list[list[Guess]] = []
        for row in pieces:
            lines.append((yield from self._join(row)))
        if sum(guess.confidence < SURE for line in lines for guess in line) <= MOST_UNSURE:
            for place, guesses in enumerate(lines):
                lines[place] = yield from self._cut_line(guesses, _line_height(pieces[place]), len(guesses) == 1)
        if sum(map(len, pieces)) > 1:
            lines = yield from self._as_one(pieces, lines)
        seen = iter((yield from self._look_again([guess for line in lines for guess in line])))
        rows = [[(guess, self._digit(guess, scale)) for guess in islice(seen, len(line))] for line in lines]
        found = tuple(group for row in rows for _, group in row)
        accepted = sum(group.accepted for group in found)
        chance = len(found) >= MANY and accepted < LEAST_READ * len(found)
        bars = accepted < len(found) and all(group.digit == "1" for group in found if group.accepted)  # of what is no digit
        if accepted == 0 or (chance or bars) and not self._corrected(np.stack([group.frame for group in found])).any():
            return Reading("not_a_digit", "", tuple(replace(group, accepted=False) for group in found))
        rows = [kept for row in rows if (kept := _without_dirt(row, shape))]
        if accepted >= NUMBER and accepted >= MOST_READ * sum(map(len, rows)):
            rows = [[(guess, group if group.accepted else self._digit(guess, scale, among=True)) for guess, group in row] for row in rows]
        text = "\n".join("".join(group.digit if group.accepted else "?" for _, group in row) for row in rows)
        return Reading("ok", text, tuple(group for row in rows for _, group in row))

    def _read_single(self, pieces: list[Piece], scale: float) -> Steps[Reading]:
        """Read all pieces as one digit or, where that looks like none, the piece that is most surely one."""
        looked = yield from self._look([segment.merge(pieces), *(pieces if len(pieces) > 1 else [])])
        guesses = yield from self._look_again(looked)
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
        name = self._name(probs)
        accepted = self.single or bool(certainty(probs) >= self.checkpoint.threshold)
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

    def _cut_line(self, guesses: list[Guess], line_height: float, alone: bool) -> Steps[list[Guess]]:
        """Return the digits of one line, each cut where the network explains the ink better so."""
        wide = [self._may_be_two(guess, line_height) for guess in guesses]
        pairs = iter(self._ask_pairs([guess.frame for guess, may in zip(guesses, wide) if may]))
        parts: list[Guess] = []
        for guess, may in zip(guesses, wide):
            parts += (yield from self._cut(guess, next(pairs), line_height, alone)) if may else [guess]
        return parts

    def _may_be_two(self, guess: Guess, line_height: float) -> bool:
        """Say whether `guess` may be touching digits: not too narrow, nor surely one digit, nor corrected to one."""
        width = guess.piece.width / line_height
        sure = SURE if self.checkpoint.pairs is None else SURE_OF_PAIRS
        wide = width >= WIDEST or width >= segment.CUTTABLE and guess.confidence < sure
        return wide and not self._corrected(guess.frame[None])[0]

    def _cut(self, guess: Guess, pair: np.ndarray | None, line_height: float, alone: bool) -> Steps[list[Guess]]:
        """Return `guess`, or the two or more digits that explain its ink better; `pair`: what it says if it is two."""
        fits = guess.doubt == 0 and guess.piece.width < WIDEST * line_height
        whole = pair is not None and (alone or fits)  # unless it is read as a pair
        least = CERTAIN_INSTEAD if guess.confidence >= SURE else CERTAIN_PAIR
        touching = pair is not None and certainty(pair).min() >= least and segment.count_holes(guess.piece) <= PAIR_HOLES
        if whole and not touching:
            return [guess]
        cuts = segment.find_cuts(guess.piece, line_height)
        if not cuts:
            return [guess]
        halves = yield from self._look([half for cut in cuts for half in cut])
        if pair is not None and touching and (parts := self._part(halves, pair)):
            digits: list[Guess] = []
            for half, part in parts:
                more = (yield from self._cut_line([half], line_height, alone)) if half.doubt > 0 else []  # three may touch
                digits += more if len(more) > 1 else [part]
            return digits
        if whole:
            return [guess]
        return (yield from self._weigh(guess, halves, line_height, alone))

    def _part(self, halves: list[Guess], pair: np.ndarray) -> list[tuple[Guess, Guess]]:
        """Return the two halves, of all cuts, on which network and `pair` (2, classes) agree most; [] unless both are sure.

        Each as the network sees it, and as both do. What the user has corrected stands, and its cut goes before others.
        """
        told = self._corrected(np.stack([half.frame for half in halves]))
        both = self._pool(halves, np.tile(pair, (len(halves) // 2, 1)))
        pooled = [half if known else part for half, part, known in zip(halves, both, told)]
        costs = [left.cost + right.cost for left, right in zip(pooled[::2], pooled[1::2])]
        best = min(range(len(costs)), key=lambda n: (not told[2 * n] and not told[2 * n + 1], costs[n]))
        two = slice(2 * best, 2 * best + 2)
        sure = min(part.confidence for part in pooled[two]) >= SURE_HALF
        return list(zip(halves[two], pooled[two])) if sure else []

    def _weigh(self, guess: Guess, halves: list[Guess], line_height: float, alone: bool) -> Steps[list[Guess]]:
        """Return `guess` or the parts of the cut, of all `halves`, on which the network is surest, cut on if they are wide."""
        wide = guess.piece.width / line_height
        no_digit_alone = alone and guess.doubt > 0 and guess.piece.width > FRAME_SIZE
        if no_digit_alone and wide < WIDE:
            return [guess]
        best = min(zip(halves[::2], halves[1::2]), key=lambda pair: pair[0].cost + pair[1].cost)
        if min(half.confidence for half in best) < SURE_PART or max(half.doubt for half in best) > 0:
            return [guess]
        if max(segment.count_holes(half.piece) for half in best) > MOST_HOLES:
            return [guess]
        if no_digit_alone:
            if wide < WIDE_WITH_BAR and any(self._name(half.probs) == "1" for half in best):
                return [guess]
            seen = yield from self._look_around(best)
            if min(half.confidence for half in seen) < SURE_ALONE:
                return [guess]
        else:
            wider = max(wide - 1, 0)
            price = max(ALONE_COST - ALONE_SLOPE * wider, 0) if alone else CUT_COST - CUT_SLOPE * wider
            if best[0].cost + best[1].cost + price >= guess.cost:
                return [guess]
        return (yield from self._cut_line(list(best), line_height, alone))

    def _pool(self, guesses: Sequence[Guess], paired: np.ndarray) -> list[Guess]:
        """Return halves of pairs with the weighted geometric mean of the network's and the pair reader's probabilities (N, classes)."""
        seen = np.stack([guess.probs for guess in guesses])
        likely = np.maximum(seen, LEAST_PROBABILITY) ** (1 - PAIR_WEIGHT) * np.maximum(paired, LEAST_PROBABILITY) ** PAIR_WEIGHT
        probs = likely / likely.sum(axis=1, keepdims=True)
        parts = zip(guesses, probs, self._doubts(probs), paired)
        return [replace(guess, probs=mean, doubt=doubt, paired=said) for guess, mean, doubt, said in parts]

    def _ask_pairs(self, frames: list[np.ndarray]) -> list[np.ndarray] | list[None]:
        """Return for each frame probabilities (2, classes) of the left and right digit of a pair; None from a network that reads none."""
        if self.checkpoint.pairs is None or not frames:
            return [None] * len(frames)
        return list(predict_pairs(self.checkpoint, torch.from_numpy(np.stack(frames))[:, None].to(self.device)).cpu().numpy())

    def _name(self, probs: np.ndarray) -> str:
        """Return the likeliest class of probabilities (classes,)."""
        return self.classes[int(probs.argmax())]

    def _corrected(self, frames: np.ndarray) -> np.ndarray:
        """Say (N,) which of the frames (N, 28, 28) the user has said the digits of."""
        return np.zeros(len(frames), bool) if self.memory is None else self.memory.knows(frames)

    def _doubts(self, probs: np.ndarray) -> list[float]:
        """Return by how many nats each row (N, classes) fails to be certain of a digit."""
        return np.maximum(self.checkpoint.threshold - certainty(probs), 0).tolist()

    def _look(self, pieces: list[Piece]) -> Steps[list[Guess]]:
        """Return what the network says of each piece, in one batch."""
        frames = np.stack([make_frame(piece.ink) for piece in pieces])
        probs = yield frames
        return [Guess(*each) for each in zip(pieces, frames, probs, self._doubts(probs))]

    def _look_again(self, guesses: list[Guess]) -> Steps[list[Guess]]:
        """Return `guesses`; the unsure ones, but for those the user has said the digits of, have been seen from all sides."""
        unsure = [place for place, guess in enumerate(guesses) if guess.confidence < UNSURE and not self._corrected(guess.frame[None])[0]]
        if len(unsure) > MOST_UNSURE:
            return guesses
        seen = yield from self._look_around([guesses[place] for place in unsure])
        again = dict(zip(unsure, seen))
        return [again.get(place, guess) for place, guess in enumerate(guesses)]

    def _look_around(self, guesses: Sequence[Guess]) -> Steps[list[Guess]]:
        """Return `guesses` seen from all sides."""
        if not guesses:
            return []
        frames = torch.from_numpy(np.stack([guess.frame for guess in guesses]))[:, None]
        probs = yield look_around(frames).flatten(0, 2).numpy()
        views = probs.reshape(len(guesses), len(VIEWS), -1).mean(axis=1)
        again = [replace(guess, probs=seen) for guess, seen in zip(guesses, views)]
        return [guess if guess.paired is None else self._pool([guess], guess.paired[None])[0] for guess in again]

    def _join(self, parts: list[Piece]) -> Steps[list[Guess]]:
        """Return the digits of the cheapest way to join neighbouring parts of a line (dynamic programming)."""
        line_height = _line_height(parts)
        spans = []
        for start in range(len(parts)):
            for stop in range(start + 1, min(start + LONGEST_RUN, len(parts)) + 1):
                joined = segment.merge(parts[start:stop])
                if stop == start + 1 or joined.width <= WIDEST * max(line_height, joined.height):
                    spans.append((start, stop, joined))
        best: list[tuple[float, list[Guess]]] = [(0.0, []), *((math.inf, []) for _ in parts)]
        guesses = yield from self._look([joined for _, _, joined in spans])
        alone = {start: guess for (start, stop, _), guess in zip(spans, guesses) if stop == start + 1}
        for (start, stop, _), guess in zip(spans, guesses):
            apart = segment.count_apart(parts[start:stop], line_height)
            if apart and self._is_open_four(guess, [alone[place] for place in range(start, stop)]):
                apart = 0
            cost = best[start][0] + guess.cost + JOIN_COST * apart
            if cost < best[stop][0]:
                best[stop] = (cost, [*best[start][1], guess])
        return best[-1][1]

    def _is_open_four(self, whole: Guess, parts: list[Guess]) -> bool:
        """Say whether two bars that would each be a 1 are surely a 4 in two strokes."""
        bars = len(parts) == 2 and all(self._name(part.probs) == "1" for part in parts)
        return bars and self._name(whole.probs) == "4" and bool(certainty(whole.probs) >= SURE_FOUR)

    def _as_one(self, pieces: list[list[Piece]], lines: list[list[Guess]]) -> Steps[list[list[Guess]]]:
        """Return `lines`, or a single digit if all their pieces together read better, or surely where some are none, as one broken digit."""
        flat = [piece for line in pieces for piece in line]
        if len(flat) > MOST_FRAGMENTS:
            return lines
        whole = segment.merge(flat)
        side = max(max(piece.width, piece.height) for piece in flat)
        if whole.width > WIDEST * whole.height or side < LARGEST_FRAGMENT * max(whole.width, whole.height):
            return lines
        guess = (yield from self._look([whole]))[0]
        height = _line_height(flat)
        cost = guess.cost + JOIN_COST * sum(segment.count_apart(line, height) for line in pieces)
        better = cost < sum(part.cost for line in lines for part in line)
        none = any(part.doubt > 0 for line in lines for part in line)  # so they are no number
        least = self.checkpoint.threshold if better else SURE_WHOLE if none else math.inf
        return [[guess]] if certainty(guess.probs) >= least else lines

    def _digit(self, guess: Guess, scale: float, among: bool = False) -> Digit:
        """Return `guess` as a digit, accepted or not; `among`: in a number, most of which has been read."""
        left, top, right, bottom = guess.piece.box
        box = (round(left * scale), round(top * scale), round((right - left) * scale), round((bottom - top) * scale))
        return Digit(
            self._name(guess.probs),
            guess.confidence,
            tuple(guess.probs.tolist()),
            box,
            guess.frame,
            self._accepts(guess, among),
        )

    def _accepts(self, guess: Guess, among: bool) -> bool:
        """Say whether `guess` is a digit: sure enough, and no dirt, spot or face, unless the user has said what it is."""
        if self.single:
            return True
        certain, ink = float(certainty(guess.probs)), guess.piece.ink
        least = self.checkpoint.threshold
        if self._corrected(guess.frame[None])[0]:
            return certain >= least
        bold = is_bold(ink)
        least = AMONG_DIGITS * least if among else max(least, SURE_BOLD if bold else 0)
        if certain < least or max(ink.shape) < LEAST_SIDE or is_solid(ink):
            return False
        if self._name(guess.probs) != "0":
            return True
        return not segment.is_filled_in(guess.piece) and not (bold and segment.has_odd_hole(guess.piece))


def _reading_of(digit: Digit) -> Reading:
    """Return what a picture says that holds one group of ink."""
    return Reading("ok" if digit.accepted else "not_a_digit", digit.digit if digit.accepted else "", (digit,))


def _without_dirt(row: list[tuple[Guess, Digit]], shape: tuple[int, ...]) -> list[tuple[Guess, Digit]]:
    """Return a line of writing without refused spots and, if none of it is accepted, without what runs out of the picture (H, W)."""
    alone = not any(group.accepted for _, group in row)
    return [(guess, group) for guess, group in row
            if group.accepted or not (is_solid(guess.piece.ink) or alone and segment.meets_edge(guess.piece, shape))]


def _is_ringed(bar: Digit, outline: Digit) -> bool:
    """Say whether a bar in an outline is a 1 in a ring rather than the slash of a 0: the outline is round, the bar far from it."""
    shorter, longer = sorted(outline.box[2:])
    return shorter >= ROUND * longer and max(bar.box[2:]) <= LONGEST_RINGED * longer


def _all_of(ink: np.ndarray) -> Piece:
    """Return all of `ink` (H, W) as one piece."""
    left, top, right, bottom = box = find_box(ink > 0) or (0, 0, ink.shape[1], ink.shape[0])
    return Piece(box, ink[top:bottom, left:right])


def _line_height(pieces: list[Piece]) -> int:
    """Return the height in pixels of the tallest piece."""
    return max(piece.height for piece in pieces)
