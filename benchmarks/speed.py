"""Milliseconds to read a canvas of 1, 5 and 12 digits, and seconds for 1,000 files: only where nothing else runs.

    $ python -m benchmarks.speed

The canvases are numbers drawn with our own pen, 280 px a digit, as app.py gives them to the recognizer; one
thread, the checkpoint and its .onnx in turn. The files are such digits, read by predict.py, its start
included.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from base import command
from base.checkpoint import load_checkpoint
from base.exports import export
from benchmarks.record import ROOT, add_record, write_record
from examples.make_examples import row_of, written_wide
from ink.raster import draw_strokes
from recognizer.road import Recognizer

WARM = 5  # readings of each that are not counted


def main(argv: list[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = load_checkpoint(arguments.model)
        export(checkpoint, "onnx", Path(folder) / "model.onnx")
        ways = {
            arguments.model.name: Recognizer(checkpoint),
            "its .onnx": Recognizer(Path(folder) / "model.onnx"),
        }
        for digits in (1, 5, 12):
            texts = ["".join(rng.choice(list("0123456789"), digits)) for _ in range(arguments.count + WARM)]
            canvases = [draw(text, rng) for text in texts]
            rows += [row for row in time_canvases(ways, canvases, digits)]
        rows += time_files(Path(folder) / "files", arguments.files, rng)
    for row in rows:
        print(f"{row['what']:<40} {row['p50']:10.2f} {row['p99']:10.2f} {row['unit']}  (n = {row['n']:,})")
    if arguments.record:
        write_record("speed", rows, arguments.model, argv)
    return 0


def time_canvases(
    ways: dict[str, Recognizer], canvases: list[np.ndarray], digits: int
) -> list[dict[str, Any]]:
    """Return a row for each way to read the canvases, which they read in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for canvas in canvases:
        for name, recognizer in ways.items():
            started = time.perf_counter()
            recognizer.read(canvas)
            seconds[name].append(time.perf_counter() - started)
    return [
        timed(f"a canvas of {digits} digit{'s'[: digits > 1]}, {name}", each[WARM:], 1000, "ms")
        for name, each in seconds.items()
    ]


def time_files(folder: Path, count: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return a row for predict.py on `count` files."""
    folder.mkdir()
    for number in range(count):
        Image.fromarray(draw(str(number % 10), rng)).save(folder / f"{number}.png")
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        words = [sys.executable, str(ROOT / "predict.py"), str(folder)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return [timed(f"predict.py on {count:,} files", seconds, 1, "s")]


def timed(what: str, seconds: list[float], scale: float, unit: str) -> dict[str, Any]:
    """Return a row of the median and the 99th percentile."""
    p50, p99 = (float(np.percentile(seconds, each)) * scale for each in (50, 99))
    return {"what": what, "p50": p50, "p99": p99, "unit": unit, "n": len(seconds)}


def draw(text: str, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (H, W), dark on light: `text` on a canvas of 280 px for a digit, longer ones in a strip."""
    if len(text) > 1:
        return written_wide(text, 14, rng)
    margin = int(rng.integers(30, 90))
    drawn = draw_strokes(row_of(text, rng), 16, 280, margin)
    return np.roll(drawn, rng.integers(20 - margin, margin - 20, 2), (0, 1))


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--count", type=command.number(int, 1), default=200, help="canvases of each kind (default: 200)"
    )
    parser.add_argument("--files", type=command.number(int, 1), default=1000, help="default: 1000")
    add_record(parser)
    return parser


if __name__ == "__main__":
    command.run(main, filters=False)
