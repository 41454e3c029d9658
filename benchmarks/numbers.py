"""How well whole numbers are read: real ones of other writers, made ones, words, and single digits that must
stay single.

    python -m benchmarks.numbers --data FOLDER                       # with unipen_strings.jsonl.gz and the like
    python -m benchmarks.numbers --data FOLDER --model a.pth b.pth   # two models on the same numbers, side by side

A number counts if its whole text is right; a mark that is neither digit nor sign is "?". Plain text: signs left
out of both. ECE: the expected calibration error of the whole number's confidence, of those that were read.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from base import command
from benchmarks import pictures
from dataset import Digits, load_mnist, split_validation
from ink.raster import Raster
from ink.stroke import Stroke
from measuring.measure import ECE_BINS, interval
from recognizer import Reading, Recognizer

SIGNS = ".,-+/:=()%x÷"
DRAWN = (
    (100, 8),
    (30, 4),
    (30, 8),
    (300, 4),
    (300, 16),
)  # pixels: height of the whole drawing, width of the pen


@dataclass(frozen=True)
class Case:
    """A picture of a number, uint8 or a path, and what it says."""

    source: np.ndarray | Path
    text: str


def draw_line(strokes: Sequence[Sequence[Sequence[float]]], height: float, brush: float) -> np.ndarray:
    """Return uint8 (H, W), dark on white: pen strokes in any units, y down, drawn `height` pixels high with a
    pen `brush` wide."""
    lines = [np.array(stroke, float)[:, :2] for stroke in strokes if len(stroke)]
    points = np.concatenate(lines)
    low, high = points.min(axis=0), points.max(axis=0)
    scale, margin = height / max(float(high[1] - low[1]), 1e-9), brush + 10
    wide, tall = (int(np.ceil(side * scale + 2 * margin)) for side in high - low)
    raster, drawn = Raster(wide, tall), []
    for line in lines:
        drawn.append(Stroke(brush))
        for x, y in ((line - low) * scale + margin).tolist():
            drawn[-1].add(x, y)
    raster.redraw(drawn)
    return 255 - raster.ink


def as_told(text: str) -> str:
    """Return a label as a reading tells it: what is neither digit nor sign is "?", a run of which is one."""
    told = ""
    for each in text.replace(" ", ""):
        each = each if each.isdigit() or each in SIGNS else "?"
        told += each if each != "?" or not told.endswith("?") else ""
    return told


def plain(text: str) -> str:
    """Return the digits and "?" of a text, lines joined."""
    return "".join(each for each in text if each.isdigit() or each == "?")


def strings(path: Path, height: float, brush: float, pure: bool, every: int) -> Iterator[Case]:
    """Yield real numbers of digits alone (`pure`) or with signs, drawn from strokes."""
    with gzip.open(path, "rt") as file:
        rows = [row for row in map(json.loads, file) if row["pure"] == pure]
    for row in rows[::every]:
        yield Case(draw_line(row["strokes"], height, brush), as_told(row["label"]))


def made(digits: Digits, kind: str, count: int, rng: np.random.Generator) -> Iterator[Case]:
    """Yield numbers put together from single digits, as in benchmarks/road.py."""
    options = {"a touching pair": {"touching": True}, "two lines": {"lines": 2}}.get(kind, {})
    for _ in range(count):
        chosen = rng.integers(0, len(digits), int(rng.integers(4 if kind == "two lines" else 2, 13)))
        shown = [digits.images[i, 0].numpy() for i in chosen]
        picture = pictures.number(shown, rng, **options)  # type: ignore[arg-type]
        if kind == "photographed":
            picture = pictures.photograph(picture, rng)
        yield Case(picture, "".join(str(int(digits.labels[i])) for i in chosen))


def told_pictures(path: Path, kind: str, every: int = 1) -> Iterator[Case]:
    """Yield the pictures of one kind that a .tsv lists."""
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    for row in [row for row in rows if row[2] == kind][::every]:
        yield Case(path.parent / row[0], row[1])


def tell(name: str, cases: list[Case], recognizers: list[Recognizer], show: bool) -> None:
    """Print for each recognizer the share of whole texts read right, and of plain texts."""
    columns, wrong = [], []
    for recognizer in recognizers:
        readings = [recognizer.read(case.source) for case in cases]
        texts = [reading.text.replace("\n", "") for reading in readings]
        right = sum(text == case.text for text, case in zip(texts, cases))
        digits = sum(plain(text) == plain(case.text) for text, case in zip(texts, cases))
        low, high = interval(right, len(cases))
        ece = calibration_error(readings, [case.text for case in cases])
        columns.append(
            f"{right / len(cases):6.1%} ({low:.1%}-{high:.1%}), digits alone {digits / len(cases):6.1%}, ECE {ece:.1%}"
        )
        wrong = [
            (case.text, reading.text, round(reading.confidence, 2))
            for case, reading in zip(cases, readings)
            if reading.text.replace("\n", "") != case.text
        ]
    print(f"{name:<34} n = {len(cases):4}  " + "  |  ".join(columns), flush=True)
    if show:
        print(
            "    "
            + "  ".join(f"{truth}->{said.replace(chr(10), '/')} {sure}" for truth, said, sure in wrong),
            flush=True,
        )


def calibration_error(readings: Sequence[Reading], texts: Sequence[str]) -> float:
    """Return the expected calibration error, over ECE_BINS bins, of the confidence of those read; 0 if none was."""
    from torchmetrics.functional.classification import binary_calibration_error

    known = [(each, text) for each, text in zip(readings, texts) if each.status == "ok"]
    if not known:
        return 0.0
    right = torch.tensor([int(each.text.replace("\n", "") == text) for each, text in known])
    sure = torch.tensor([each.confidence for each, _ in known])
    return float(binary_calibration_error(sure, right, n_bins=ECE_BINS))


def tell_words(path: Path, recognizers: list[Recognizer], every: int) -> None:
    """Print the share of words of which no part is read as a digit."""
    with gzip.open(path, "rt") as file:
        rows = [json.loads(line) for line in file][::every]
    drawn = [draw_line(row["strokes"], 100, 8) for row in rows]
    columns = [
        f"{sum(not _has_digit(recognizer.read(picture)) for picture in drawn) / len(drawn):6.1%}"
        for recognizer in recognizers
    ]
    print(
        f"{path.name.split('.')[0] + ' without a digit':<34} n = {len(drawn):4}  " + "  |  ".join(columns),
        flush=True,
    )


def tell_single(name: str, cases: list[Case], recognizers: list[Recognizer]) -> None:
    """Print the accuracy on single digits, and how many are read as several or refused."""
    columns = []
    for recognizer in recognizers:
        readings = [recognizer.read(case.source) for case in cases]
        right = sum(reading.text == case.text for reading, case in zip(readings, cases))
        several = sum(len(reading.text.replace("\n", "")) > 1 for reading in readings)
        columns.append(
            f"{right / len(cases):6.1%}, several {several}, refused {sum(r.status != 'ok' for r in readings)}"
        )
    print(f"{name:<34} n = {len(cases):4}  " + "  |  ".join(columns), flush=True)


def _has_digit(reading: Reading) -> bool:
    return any(each.isdigit() for each in reading.text)


def single_strokes(path: Path, every: int) -> list[Case]:
    """Return single digits drawn from strokes."""
    with gzip.open(path, "rt") as file:
        rows = [json.loads(line) for line in file][::every]
    return [Case(draw_line(row["strokes"], 100, 8), row["label"]) for row in rows]


def main(argv: list[str] | None = None) -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with unipen_strings.jsonl.gz, unipen_words.jsonl.gz, pictures.tsv and others",
    )
    parser.add_argument(
        "--model",
        type=Path,
        nargs="+",
        default=[],
        help="checkpoints, side by side (default: the shipped one)",
    )
    parser.add_argument("--only", choices=["strings", "made", "words", "single", "pictures"])
    parser.add_argument(
        "--every", type=command.number(int, 1), default=1, help="every so many of the real ones"
    )
    parser.add_argument("--count", type=command.number(int, 1), default=500, help="made numbers a row")
    parser.add_argument("--show", action="store_true", help="what was read wrong (by the last model)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    recognizers = [Recognizer(path) for path in arguments.model] or [Recognizer()]
    every, show, data = arguments.every, arguments.show, arguments.data
    if arguments.only in (None, "strings"):
        for height, brush in DRAWN[: None if every == 1 else 1]:
            for pure in (True, False):
                cases = list(strings(data / "unipen_strings.jsonl.gz", height, brush, pure, every))
                tell(
                    f"{'digits alone' if pure else 'with signs'}, {height} px, pen {brush}",
                    cases,
                    recognizers,
                    show,
                )
    if arguments.only in (None, "pictures"):
        tell(
            "photographed by strangers",
            list(told_pictures(data / "pictures.tsv", "multi")),
            recognizers,
            show,
        )
    if arguments.only in (None, "made"):
        digits = split_validation(load_mnist(True))[1]
        for kind in ("apart", "a touching pair", "two lines", "photographed"):
            tell(
                f"made, {kind}",
                list(made(digits, kind, arguments.count, np.random.default_rng(arguments.seed))),
                recognizers,
                show,
            )
    if arguments.only in (None, "words"):
        for name in ("unipen_words", "digilets_letters", "unipen_letters"):
            tell_words(data / f"{name}.jsonl.gz", recognizers, every)
    if arguments.only in (None, "single"):
        tell_single("pictures", list(told_pictures(data / "pictures.tsv", "single", every)), recognizers)
        for name in ("digilets_digits", "unipen_digits", "chars74k_digits"):
            tell_single(name, single_strokes(data / f"{name}.jsonl.gz", every), recognizers)
        with np.load(data / "semeion.npz") as file:
            cases = [
                Case(255 - image, str(label)) for image, label in zip(file["x"][::every], file["y"][::every])
            ]
        tell_single("semeion", cases, recognizers)
        digits, rng = split_validation(load_mnist(True))[1], np.random.default_rng(arguments.seed)
        pasted = [
            Case(pictures.paste(digits.images[n, 0].numpy(), rng), str(int(digits.labels[n])))
            for n in range(0, 1000, every)
        ]
        tell_single("MNIST, pasted", pasted, recognizers)
    return 0


if __name__ == "__main__":
    command.run(main, filters=False)
