"""Milliseconds to read a canvas of 1, 5 and 12 digits: road and network apart; ONNX beside eager.

    $ python -m benchmarks.canvas

The canvases are numbers drawn with our own pen from examples/make_examples.py, a single digit at a random place and size,
longer ones on an uneven line, as app.py gives them to the recognizer. One reading is
`Recognizer.read`; network: the time inside `Recognizer.ask`. The ways take turns, canvas by canvas.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import export
from base import command
from base.checkpoint import MODEL_PATH, load_checkpoint
from examples.make_examples import row_of, written_wide
from ink.raster import draw_strokes
from recognizer.road import Recognizer

WARM = 5  # readings of each that are not counted


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(arguments.threads)
    rng = np.random.default_rng(0)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"{arguments.threads} threads; n = {arguments.count} readings a row; ms: p50 (p99)\n"
    )
    print(
        "| digits on the canvas | network | whole | road | network's part | read right |\n|---:|---|---:|---:|---:|---:|"
    )
    with tempfile.TemporaryDirectory() as folder:
        ways = {"eager": Timed(arguments.model)}
        path = Path(folder) / "model.onnx"
        if export.main(["--model", str(arguments.model), "--format", "onnx", "--output", str(path)]):
            return 1
        ways["onnx"] = Timed(path)
        for digits in (1, 5, 12):
            texts = ["".join(rng.choice(list("0123456789"), digits)) for _ in range(arguments.count + WARM)]
            drawn = [draw(text, rng) for text in texts]
            rows: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in ways}
            for text, canvas in zip(texts, drawn):
                for name, way in ways.items():
                    rows[name].append(way.read(canvas, text))
            for name, each in rows.items():
                whole, network, right = (np.array(column) for column in zip(*each[WARM:]))
                cells = [shown(times * 1000) for times in (whole, whole - network, network)]
                print(f"| {digits} | {name} | {' | '.join(cells)} | {right.mean():.1%} |", flush=True)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(prog="canvas.py", description="Time the reading of canvases.")
    parser.add_argument(
        "--count", type=command.number(int, 1), default=300, help="canvases of each kind (default: 300)"
    )
    parser.add_argument(
        "--threads", type=command.number(int, 1), default=1, help="of torch, as in the app (default: 1)"
    )
    parser.add_argument("--model", type=Path, default=MODEL_PATH, help="checkpoint (default: model.pth)")
    return parser


class Timed:
    """A recognizer that knows how long its network took."""

    def __init__(self, path: Path) -> None:
        self.recognizer = Recognizer(load_checkpoint(path))
        self.network = 0.0
        ask = self.recognizer.ask

        def timed(frames: np.ndarray) -> np.ndarray:
            started = time.perf_counter()
            answer = ask(frames)
            self.network += time.perf_counter() - started
            return answer

        self.recognizer.ask = timed  # type: ignore[method-assign]

    def read(self, canvas: np.ndarray, text: str) -> tuple[float, float, bool]:
        """Return (seconds of the reading, of those in the network, whether it read `text`)."""
        self.network, started = 0.0, time.perf_counter()
        reading = self.recognizer.read(canvas)
        return time.perf_counter() - started, self.network, reading.text == text


def draw(text: str, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (H, W), dark on light: `text` on a canvas of 280 px for a digit, longer ones in a strip."""
    if len(text) > 1:
        return written_wide(text, 14, rng)
    margin = int(rng.integers(30, 90))
    return np.roll(
        draw_strokes(row_of(text, rng), 16, 280, margin), rng.integers(20 - margin, margin - 20, 2), (0, 1)
    )


def shown(times: np.ndarray) -> str:
    """Return the median and the 99th percentile."""
    return f"{np.median(times):.2f} ({np.percentile(times, 99):.2f})"


if __name__ == "__main__":
    sys.exit(main())
