"""The numbers with which line reader and digit classifier are pooled, fitted on lines that neither has learnt.

    $ python -m training.line_fit model.pth --hands HANDS...

Those of training.pooling, fitted on held-out writers' numbers and on lines composed of validation digits.

And thresholds: the nats of certainty and of the line reader's log-odds together, below which a mark is no digit (one that
stands alone, one among digits and signs, one beside other marks), and the probability below which a text is not told. Each
refuses REFUSED of those lines, and REFUSED_ALONE of single digits held out; the one beside other marks so many that in MISREAD of the
words of writers held out (without hands: of the composed lines without a digit) a digit is read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from base import command
from base.checkpoint import LINE_FACTS, Checkpoint, load_checkpoint, save_checkpoint
from base.storage import back_up
from dataset import Digits, load_mnist, split_validation
from ink.lines import find_layouts
from model import DIGITS, SYMBOLS
from recognizer import Recognizer
from recognizer.judge import Company, evidence, walk
from recognizer.lines import company_of
from recognizer.shipped import with_reader
from training.hands import load_hands
from training.hands.glyphs import Glyph, Glyphs, glyphs_of_templates
from training.pictures.lines import Composer
from training.pictures.marks import Pen, draw_mark, pen_radius
from training.pictures.texts import merge_others
from training.pictures.wear import worn
from training.pooling import Line, fit
from training.reports import SILENT, Reports

PENS = (1.2, 2.0, 3.5)  # pixels of a 20 px digit; widths with which each held-out number is drawn
UNIT = 60.0  # pixels; height of its digits
MADE = 300  # composed lines, or as many as there are validation digits
MIXED = 1_000  # the same of those with other marks among the digits, of which a tenth is read right
SINGLE = 2_000  # single digits of either kind, for the threshold
REFUSED = 0.005  # share of the digits, and of the numbers, read right that the thresholds refuse
REFUSED_ALONE = 0.01  # the same of digits that stand alone, where most that is none stands
MISREAD = 0.05  # share of the lines without a digit in which one is read beside other marks, at most


def fit_reader(
    checkpoint: Checkpoint, validation: Digits, glyphs: Glyphs, reports: Reports = SILENT
) -> dict[str, Any]:
    """Put the numbers into the facts of a checkpoint with a line reader; return how many lines it reads right."""
    real, made = held_out_lines(glyphs.held_out), composed_lines(validation, glyphs, MADE)
    found = fit(Recognizer(checkpoint), real, made)
    checkpoint.facts |= {
        "line_temperature": found.temperature,
        "line_weights": list(found.weights),
        "line_form": found.form,
    }
    step = max(1, len(glyphs.digits_held_out) * len(PENS) // SINGLE)
    single = [*held_out_lines(glyphs.digits_held_out)[::step], *single_lines(validation)]
    mixed = composed_lines(validation, glyphs, MIXED, others=True)
    words = held_out_lines([(glyph, "?") for glyph in glyphs.words_held_out])
    if words:  # real ones are harder than those put together
        mixed = [line for line in mixed if has_digit(line[1])]
    every = [*real, *made, *single, *mixed, *words]
    without = sum(not has_digit(text) for _, text in every)
    checkpoint.facts |= find_thresholds(evidence_of(Recognizer(checkpoint), every), without)
    right = {"validation": found.right[len(real) :], "held_out": found.right[: len(real)]}
    names = {"validation": "composed of validation digits", "held_out": "of numbers by writers held out"}
    told = [
        f"{names[part]} {lines.mean():.2%} of {len(lines)}" for part, lines in right.items() if len(lines)
    ]
    reports.say(f"whole lines read right: {', '.join(told)}")
    facts: dict[str, Any] = {}
    for part, lines in right.items():
        facts |= {f"{part}_accuracy": float(lines.mean()) if len(lines) else None, f"{part}_size": len(lines)}
    return facts


def held_out_lines(held_out: list[tuple[Glyph, str]], seed: int = 0) -> list[Line]:
    """Return each of the `held_out` numbers, digits or words, drawn with three pens."""
    lines: list[Line] = []
    rng = np.random.default_rng(seed)
    for strokes, text in held_out:
        for width in PENS:
            pen = Pen(UNIT, pen_radius(UNIT, width), 1.0, 0.0)
            lines.append((worn(draw_mark(strokes, text, pen).ink, pen, rng), merge_others(text)))
    return lines


def composed_lines(
    digits: Digits, glyphs: Glyphs, count: int, seed: int = 0, others: bool = False
) -> list[Line]:
    """Return `count` lines, or as many as there are digits, of `digits`, the numbers held out, and the other glyphs as in
    training: those with a digit in them, or those with `others` in them.

    None if one of the ten is not among the digits.
    """
    if len(digits.labels.unique()) < len(DIGITS):
        return []
    own = replace(glyphs, numbers=glyphs.held_out, layouts=[])
    composer = Composer(digits.images[:, 0].numpy(), digits.labels.numpy(), own)
    lines: list[Line] = []
    rng = np.random.default_rng(seed)
    while len(lines) < min(count, len(digits)):
        ink, text = composer.line(rng)
        if ("?" in text) if others else has_digit(text):
            lines.append((ink, text))
    return lines


def has_digit(text: str) -> bool:
    """Return whether there is a digit in `text`."""
    return any(map(str.isdigit, text))


def single_lines(digits: Digits) -> list[Line]:
    """Return SINGLE digits, or as many as there are, as they are."""
    ink = digits.images[:SINGLE, 0].numpy().astype(np.float32) / 255
    return list(zip(ink, map(str, digits.labels[:SINGLE].tolist())))


@dataclass(frozen=True)
class Evidence:
    """How surely the least sure digit of a line that was read is one, in nats, and whether the line has that text, or no
    digit at all."""

    nats: float
    company: Company
    likely: float  # probability of the text
    right: bool


def evidence_of(recognizer: Recognizer, lines: Iterable[Line]) -> list[Evidence]:
    """Return the evidence of the lines that are read right, and of those without a digit in which one was found."""
    reader, judge, found = recognizer.reader, recognizer.judge, []
    assert reader is not None
    for ink, text in lines:
        for line in next(find_layouts(ink)).lines:
            reading = walk(reader.read(line, judge), recognizer.classify)
            right = bool(reading.texts) and reading.texts[0][0] == text
            company = company_of(reading)
            nats = [
                evidence(each.guess.probs, reading.digit if company == Company.ALONE else each.belief)
                for each in reading.symbols
                if each.guess is not None and SYMBOLS[each.kind].isdigit()
            ]
            if nats and (right or not has_digit(text)):
                found.append(Evidence(min(nats), company, reading.texts[0][1], right))
    return found


def find_thresholds(found: list[Evidence], without: int) -> dict[str, Any]:
    """Return the facts of a checkpoint that say what is refused; none of what was not seen.

    `without`: how many of the lines had no digit, those of which nothing was found included.
    """
    right = {each: [line.nats for line in found if line.right and line.company == each] for each in Company}
    if not all(right.values()):
        return {}
    shares = {Company.ALONE: REFUSED_ALONE, Company.DIGITS: REFUSED, Company.OTHERS: REFUSED}
    least = [float(np.quantile(right[each], shares[each])) for each in Company]
    wrong = [line.nats for line in found if not line.right and line.company == Company.OTHERS]
    if too_many := sorted(wrong, reverse=True)[int(MISREAD * without) :]:
        least[Company.OTHERS] = max(least[Company.OTHERS], float(np.nextafter(too_many[0], np.inf)))
    likely = [line.likely for line in found if line.right and line.company != Company.ALONE]
    return {"line_thresholds": least, "least_likely": float(np.quantile(likely, REFUSED))}


def main(argv: list[str] | None = None) -> int:
    """Fit them anew and write the model; return 0. Raises OSError or ValueError, which name the cure."""
    parser = argparse.ArgumentParser(
        prog="training.line_fit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    beside = "a checkpoint; without a line reader of its own it is fitted to the shipped model's"
    parser.add_argument("model", type=Path, help=beside)
    parser.add_argument("--hands", type=Path, nargs="+", metavar="PATH", help="as for train.py")
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw")
    arguments = parser.parse_args(argv)
    own = load_checkpoint(arguments.model)
    checkpoint = with_reader(own)
    if checkpoint.lines is None:
        raise ValueError(f"{arguments.model} has no line reader: train one with `python train.py`")
    glyphs = load_hands(arguments.hands).glyphs if arguments.hands else glyphs_of_templates()
    validation = split_validation(load_mnist(True, arguments.data_dir))[1]
    said = fit_reader(checkpoint, validation, glyphs, Reports(say=print))
    own.facts |= {name: checkpoint.facts[name] for name in LINE_FACTS if name in checkpoint.facts}
    own.facts["lines"] = {**own.facts.get("lines", {}), **said}
    backup = back_up(arguments.model)
    save_checkpoint(arguments.model, own)
    weights = ", ".join(f"{weight:.2f}" for weight in checkpoint.line_weights)
    print(
        f"temperature {checkpoint.line_temperature}, weights {weights}, form {checkpoint.line_form}, "
        f"thresholds {', '.join(f'{nats:.2f}' for nats in checkpoint.line_thresholds)} nats, {checkpoint.least_likely:.2%}: "
        f"wrote {arguments.model} (as it was: {backup})"
    )
    return 0


if __name__ == "__main__":
    command.run(main)
