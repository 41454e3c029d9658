"""Pieces of ink -> digits: of the ways to join and to cut them, the one that the network explains best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ink.cuts import CUTTABLE, find_cuts
from ink.frame import FRAME_SIZE
from ink.lines import are_lines_apart, count_apart
from ink.piece import Piece, count_holes, merge, tallest
from recognizer.asking import certainty
from recognizer.judge import GROUP_COST, MOST_UNSURE, Guess, Judge, Steps

SURE = 0.9  # confidence above which no other way to group the ink is tried
SURE_OF_PAIRS = 0.998  # the same where the reader of pairs is asked, too: the network reads 6 of 100 touching pairs surely as one digit
JOIN_COST = 4.0  # nats; and each pair of pieces joined though they stand apart like two digits
LONGEST_RUN = 3  # pieces that one digit may be broken into
WIDEST = 1.4  # width over height of the widest single digit
SURE_FOUR = 3.5  # nats of certainty from which two strokes, each surer to be a 1, are a 4
MOST_FRAGMENTS = 12  # pieces that a single broken digit may consist of
LARGEST_FRAGMENT = 0.2  # of a broken digit's longer side; nothing but dots is no digit
LIKELY = 0.7  # confidence that a whole needs where a part by itself is surely a digit and another is none
SURE_WHOLE = (
    2.5  # nats of certainty that parts which are no digits, and a small picture, need to be read whole as one
)
# nats of certainty that the reader of pairs needs on each of two where the network is not sure of one digit, and where it is;
# and the confidence that both halves must reach then
CERTAIN_PAIR, CERTAIN_INSTEAD, SURE_HALF = 0.6, 1.5, 0.75
MOST_HOLES, PAIR_HOLES = (
    3,
    4,
)  # in a part of a cut, and in two digits that touch; a scribble or a star has more
# without a reader of pairs:
SURE_PART = 0.98  # confidence that both parts of a cut must reach: half a house is a fair 6
# nats by which a cut through joined ink must explain it better: less a share of each line height by which it is wider than high
CUT_COST, CUT_SLOPE = 0.3, 8.0  # in a line of several digits,
ALONE_COST, ALONE_SLOPE = 4.5, 5.0  # and where the ink stands alone and may be one digit;
# if the whole is no digit: confidence that both parts need over all views, and the least width over height
SURE_ALONE = 0.995
WIDE, WIDE_WITH_BAR = 0.9, 1.2  # the second if one part is a 1, as half of an H, an M or a U is too


@dataclass(frozen=True)
class Grouping:
    """How a `judge` groups ink."""

    judge: Judge

    def find_digits(self, lines: list[list[Piece]]) -> Steps[list[list[Guess]]]:
        """Return the guesses that explain lines of pieces best, each line from left to right."""
        found: list[list[Guess]] = []
        for line in lines:
            found.append((yield from self._join(line)))
        if sum(guess.confidence < SURE for line in found for guess in line) <= MOST_UNSURE:
            for place, guesses in enumerate(found):
                found[place] = yield from self._cut_line(guesses, tallest(lines[place]), len(guesses) == 1)
        if sum(map(len, lines)) > 1:
            found = yield from self._as_one(lines, found)
        return found

    def _join(self, parts: list[Piece]) -> Steps[list[Guess]]:
        """Return the digits of the cheapest way to join neighbouring parts of a line (dynamic programming)."""
        line_height = tallest(parts)
        alone = yield from self.judge.look(parts)
        costs = [guess.cost for guess in alone]
        gaps = [
            JOIN_COST * count_apart(parts[start : start + 2], line_height) for start in range(len(parts) - 1)
        ]
        spans = [(start, start + 1, 0.0) for start in range(len(parts))]  # and the price of joining them
        joined = []
        for start in range(len(parts) - 1):
            for stop in range(start + 2, min(start + LONGEST_RUN, len(parts)) + 1):
                price = sum(gaps[start : stop - 1])
                least = GROUP_COST + (0 if self._are_bars(alone[start:stop]) else price)
                if least >= sum(costs[start:stop]):
                    continue  # however sure the network is of the whole
                whole = merge(parts[start:stop])
                if whole.width <= WIDEST * max(line_height, whole.height):
                    spans.append((start, stop, price))
                    joined.append(whole)
        guesses = alone + (yield from self.judge.look(joined))
        best: list[tuple[float, list[Guess]]] = [(0.0, []), *((math.inf, []) for _ in parts)]
        for (start, stop, price), guess in sorted(zip(spans, guesses), key=lambda each: each[0]):
            if price and self._are_bars(alone[start:stop]) and self._is_four(guess, alone[start:stop]):
                price = 0
            cost = best[start][0] + guess.cost + price
            if cost < best[stop][0]:
                best[stop] = (cost, [*best[start][1], guess])
        return best[-1][1]

    def _are_bars(self, guesses: list[Guess]) -> bool:
        """Say whether these are two that would each be a 1: they may be a 4 in two strokes, or a V or a U cut in two."""
        return len(guesses) == 2 and all(self.judge.name(guess.probs) == "1" for guess in guesses)

    def _is_four(self, whole: Guess, bars: list[Guess]) -> bool:
        """Say whether `whole` is a 4: surely, or more surely than one of its bars is a 1."""
        least = min(SURE_FOUR, *(float(certainty(bar.probs)) for bar in bars))
        return self.judge.name(whole.probs) == "4" and bool(certainty(whole.probs) >= least)

    def _as_one(self, pieces: list[list[Piece]], lines: list[list[Guess]]) -> Steps[list[list[Guess]]]:
        """Return `lines`, or one broken digit if all pieces together read better so, or surely so where some are no digit."""
        flat = [piece for line in pieces for piece in line]
        parts = [part for line in lines for part in line]
        sure = all(part.confidence >= SURE for part in parts)
        rings = all(self.judge.name(part.probs) == "0" for part in parts)  # which may be an 8
        if len(flat) > MOST_FRAGMENTS or sure and not rings and are_lines_apart(pieces):
            return lines
        whole = merge(flat)
        side = max(max(piece.width, piece.height) for piece in flat)
        if whole.width > WIDEST * whole.height or side < LARGEST_FRAGMENT * max(whole.width, whole.height):
            return lines
        guess = (yield from self.judge.look([whole]))[0]
        height = tallest(flat)
        cost = guess.cost + JOIN_COST * sum(count_apart(line, height) for line in pieces)
        better = cost < sum(part.cost for part in parts)
        none = any(part.doubt > 0 for part in parts)  # so they are no number
        given_up = none and any(
            part.doubt == 0 and part.confidence >= SURE for part in parts
        )  # a digit that is sure by itself
        if given_up and guess.confidence < LIKELY:
            return lines
        least = self.judge.checkpoint.threshold if better else SURE_WHOLE if none else math.inf
        return [[guess]] if certainty(guess.probs) >= least else lines

    def _cut_line(self, guesses: list[Guess], line_height: float, alone: bool) -> Steps[list[Guess]]:
        """Return the digits of one line, each cut where the network explains the ink better so."""
        wide = [self._may_be_two(guess, line_height) for guess in guesses]
        pairs = iter(self.judge.ask_pairs([guess.frame for guess, may in zip(guesses, wide) if may]))
        parts: list[Guess] = []
        for guess, may in zip(guesses, wide):
            parts += (yield from self._cut(guess, next(pairs), line_height, alone)) if may else [guess]
        return parts

    def _may_be_two(self, guess: Guess, line_height: float) -> bool:
        """Say whether `guess` may be touching digits: not too narrow, nor surely one digit, nor corrected to one."""
        width = guess.piece.width / line_height
        sure = SURE if self.judge.checkpoint.pairs is None else SURE_OF_PAIRS
        wide = width >= WIDEST or width >= CUTTABLE and guess.confidence < sure
        return wide and not self.judge.is_corrected(guess.frame)

    def _cut(
        self, guess: Guess, pair: np.ndarray | None, line_height: float, alone: bool
    ) -> Steps[list[Guess]]:
        """Return `guess`, or the two or more digits that explain its ink better; `pair`: what it says if it is two."""
        one = guess.doubt == 0 and guess.piece.width < WIDEST * line_height
        asked = pair is not None and (alone or one)  # then it is two only if it is read as a pair
        touching = pair is not None and self._is_pair(guess, pair)
        cuts = find_cuts(guess.piece, line_height) if touching or not asked else []
        if not cuts:
            return [guess]
        halves = yield from self.judge.look([half for cut in cuts for half in cut])
        if pair is not None and touching and (parts := self._part(halves, pair)):
            digits: list[Guess] = []
            for half, part in parts:
                more = (
                    (yield from self._cut_line([half], line_height, alone)) if half.doubt > 0 else []
                )  # three may touch
                digits += more if len(more) > 1 else [part]
            return digits
        return [guess] if asked else (yield from self._weigh(guess, halves, line_height, alone))

    def _is_pair(self, guess: Guess, pair: np.ndarray) -> bool:
        """Say whether the reader of pairs is certain of both digits (2, classes), more so where the network is sure of one."""
        least = CERTAIN_INSTEAD if guess.confidence >= SURE else CERTAIN_PAIR
        return bool(certainty(pair).min() >= least) and count_holes(guess.piece) <= PAIR_HOLES  # no scribble

    def _part(self, halves: list[Guess], pair: np.ndarray) -> list[tuple[Guess, Guess]]:
        """Return the halves of the cut on which the network and `pair` (2, classes) agree most; [] unless both are sure.

        Each half as (what the network says, what both say). A corrected half keeps its label, and a cut with one comes first.
        Of two bars the reader of pairs must be more certain.
        """
        told = self.judge.corrected(np.stack([half.frame for half in halves]))
        both = self.judge.pool_pairs(halves, np.tile(pair, (len(halves) // 2, 1)))
        pooled = [half if known else part for half, part, known in zip(halves, both, told)]
        costs = [left.cost + right.cost for left, right in zip(pooled[::2], pooled[1::2])]
        best = min(range(len(costs)), key=lambda n: (not told[2 * n] and not told[2 * n + 1], costs[n]))
        two = slice(2 * best, 2 * best + 2)
        bars = not told[two].any() and self._are_bars(pooled[two])
        sure = min(part.confidence for part in pooled[two]) >= SURE_HALF and not (
            bars and certainty(pair).min() < CERTAIN_INSTEAD
        )
        return list(zip(halves[two], pooled[two])) if sure else []

    def _weigh(
        self, guess: Guess, halves: list[Guess], line_height: float, alone: bool
    ) -> Steps[list[Guess]]:
        """Return `guess` or the parts of the cut, of all `halves`, on which the network is surest, cut on if they are wide."""
        wide = guess.piece.width / line_height
        no_digit_alone = alone and guess.doubt > 0 and guess.piece.width > FRAME_SIZE
        if no_digit_alone and wide < WIDE:
            return [guess]
        best = min(zip(halves[::2], halves[1::2]), key=lambda pair: pair[0].cost + pair[1].cost)
        if not all(half.confidence >= SURE_PART and half.doubt == 0 for half in best):
            return [guess]
        holes = [count_holes(half.piece) for half in best]
        if max(holes) > MOST_HOLES or sum(holes) > PAIR_HOLES:
            return [guess]
        if no_digit_alone:
            if wide < WIDE_WITH_BAR and any(self.judge.name(half.probs) == "1" for half in best):
                return [guess]
            seen = yield from self.judge.look_around(best)
            better = min(half.confidence for half in seen) >= SURE_ALONE
        else:
            wider = max(wide - 1, 0)
            price = max(ALONE_COST - ALONE_SLOPE * wider, 0) if alone else CUT_COST - CUT_SLOPE * wider
            better = best[0].cost + best[1].cost + price < guess.cost
        if not better:
            return [guess]
        return (yield from self._cut_line(list(best), line_height, alone))
