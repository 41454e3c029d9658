"""Every difference between what a checkpoint reads and what its .onnx reads, on any public sets.

    $ python -m benchmarks.runtimes --data handwriting/                # a folder of .tsv, .npz and .jsonl.gz
    $ python -m benchmarks.runtimes --data handwriting/ --most 50      # of each set and kind

A row a set and kind: pictures; how many are read as another text, with other boxes, or with a probability that
differs by more than 1e-4; and the largest such difference. Each picture that is read otherwise is named.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from base import command
from base.checkpoint import load_checkpoint
from base.devices import use_one_thread
from base.exports import export
from benchmarks.record import add_record, write_record
from benchmarks.sets import find_sets, read_all, samples_of
from recognizer.answer import Reading

BRUSH = 16.0  # px of the 280 px canvas, as in the app
SAME = 1e-4  # probabilities that differ by less are the same


def main(argv: list[str] | None = None) -> int:
    """Print a row a set and kind; return 1 if a text or a box differs, else 0."""
    arguments = build_parser().parse_args(argv)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(load_checkpoint(arguments.model), "onnx", path)
        use_one_thread()
        print(
            f"{'set':<38} {'n':>7} {'texts':>6} {'boxes':>6} {'probabilities':>14} {'by at most':>11}",
            flush=True,
        )
        for name, file in find_sets(arguments.data, arguments.leave_out).items():
            for kind, samples in samples_of(file, BRUSH, arguments.most).items():
                both = [
                    list(read_all(model, [each.source for each in samples]))
                    for model in (arguments.model, path)
                ]
                rows.append(compare(f"{name}: {kind}", *both))
    rows.append(sum_of(rows))
    print(told(rows[-1]))
    if arguments.record:
        write_record("runtimes", rows, arguments.model, argv)
    return int(rows[-1]["texts"] + rows[-1]["boxes"] > 0)


def compare(what: str, readings: list[Reading], others: list[Reading]) -> dict[str, Any]:
    """Return and print the row of two readings of the same pictures, and name the pictures read otherwise."""
    row: dict[str, Any] = {"what": what, "n": len(readings), "texts": 0, "boxes": 0, "probabilities": 0}
    row["most"] = 0.0
    for number, (one, other) in enumerate(zip(readings, others)):
        text, boxes = said(one) != said(other), boxes_of(one) != boxes_of(other)
        row["texts"] += text
        row["boxes"] += boxes
        if text or boxes:
            print(f"  {what} {number}: {said(one)} {boxes_of(one)}, by .onnx {said(other)} {boxes_of(other)}")
            continue
        difference = float(np.abs(probabilities_of(one) - probabilities_of(other)).max(initial=0.0))
        row["probabilities"] += difference > SAME
        row["most"] = max(row["most"], difference)
    print(told(row), flush=True)
    return row


def said(reading: Reading) -> tuple[Any, ...]:
    """Return what a reading says: status, text, each digit and sign, and the other texts."""
    digits = [(group.digit, group.accepted) for group in reading.groups]
    texts = [text for text, _ in reading.alternatives]
    return reading.status, reading.text, digits, [sign.sign for sign in reading.signs], texts


def boxes_of(reading: Reading) -> list[tuple[int, int, int, int]]:
    """Return the boxes of all that was read: left, top, width, height in pixels."""
    return [*(group.box for group in reading.groups), *(sign.box for sign in reading.signs)]


def probabilities_of(reading: Reading) -> np.ndarray:
    """Return every probability of a reading: of each digit's classes, the signs and the texts."""
    digits = [probability for group in reading.groups for probability in group.probs]
    signs = [sign.confidence for sign in reading.signs]
    return np.array([*digits, *signs, *(probability for _, probability in reading.alternatives)])


def sum_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of all sets."""
    counts = {key: sum(row[key] for row in rows) for key in ("n", "texts", "boxes", "probabilities")}
    return {"what": "all", **counts, "most": max(row["most"] for row in rows)}


def told(row: dict[str, Any]) -> str:
    """Return a row as a line of text."""
    counts = f"{row['n']:>7,} {row['texts']:>6,} {row['boxes']:>6,} {row['probabilities']:>14,}"
    return f"{row['what']:<38} {counts} {row['most']:>11.1e}"


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runtimes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="test sets, and folders of them")
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="NAME", help="sets that are not compared"
    )
    parser.add_argument("--most", type=command.number(int, 1), help="pictures of a set and kind, at most")
    add_record(parser)
    return parser


if __name__ == "__main__":
    command.run(main, filters=False)
