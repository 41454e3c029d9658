"""What predict.py costs by a checkpoint and by its .onnx: one file, and 10,000 beside the usual script and mere decoding.

    $ python -m benchmarks.throughput                      # minutes; --count 1000 for a quick look
    $ python -m benchmarks.throughput --one                # one file alone: cold start and memory

One file: wall times of whole processes, in turn, beside `import torch`, and the peak memory of each. Many files
(PNGs of MNIST validation digits, 28x28 and pasted on 280x280): the wall time of `predict.py FOLDER`, its start
included; of the usual script (torch's model loaded once; per file: open, convert to grey, resize to 28x28, tensor,
network); of that script begun anew for each file (a sample of them, times their number); of Pillow decoding them in
as many processes; of the road alone (no network) in as many processes. The last lines split one process's time into
road and network, and give predict.py's peak memory for a tenth of the files and for all.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from base import command
from base.storage import MODEL_PATH
from benchmarks.record import ROOT

CHUNK = 64

USUAL = """
import sys
import torch
from PIL import Image
import numpy as np
sys.path.insert(0, {root!r})
from base.checkpoint import load_checkpoint
model = load_checkpoint({model!r}).model
for path in sys.argv[1:] or sys.stdin.read().splitlines():
    image = Image.open(path).convert("L").resize((28, 28))
    tensor = torch.from_numpy(np.array(image)).float().div(255)[None, None]
    if {dark}:
        tensor = 1 - tensor
    with torch.no_grad():
        print(path, int(model(tensor).argmax(1)))
"""


def main(argv: list[str] | None = None) -> int:
    """Measure and print the tables."""
    arguments = build_parser().parse_args(argv)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{arguments.processes} processes; "
        f"medians of {arguments.runs} runs in turn (least to most), n = {arguments.count:,} files\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        models = [arguments.model, Path(folder) / "model.onnx"]
        words = ["export.py", "--format", "onnx", "--model", str(models[0]), "--output", str(models[1])]
        subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        one_file(ROOT / "examples" / "seven.png", models, arguments.runs * 3)
        for side in () if arguments.one else (28, 280):
            many_files(
                side, make_pictures(Path(folder) / str(side), side, arguments.count), models, arguments
            )
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput", description="Time predict.py beside its alternatives."
    )
    parser.add_argument(
        "--count", type=command.number(int, 10), default=10_000, help="files (default: 10,000)"
    )
    parser.add_argument("--one", action="store_true", help="one file only")
    parser.add_argument(
        "--model", type=Path, default=MODEL_PATH, help="checkpoint (default: the shipped model.pth)"
    )
    parser.add_argument("--runs", type=command.number(int, 1), default=3, help="of each way (default: 3)")
    parser.add_argument(
        "--processes",
        type=command.number(int, 1),
        default=os.cpu_count(),
        help="of each way that uses several (default: all cores)",
    )
    return parser


def make_pictures(folder: Path, side: int, count: int) -> list[Path]:
    """Write `count` PNGs: MNIST as it is (28), or dark on light, enlarged and off centre on a canvas of 280."""
    from dataset import load_mnist, split_validation

    folder.mkdir()
    images = split_validation(load_mnist(True))[1].images[:, 0].numpy()
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        image = Image.fromarray(images[number % len(images)])
        if side > 28:
            canvas = Image.new("L", (side, side), 0)
            canvas.paste(
                image.resize((140, 140), Image.Resampling.BICUBIC), tuple(rng.integers(10, 130, 2).tolist())
            )
            image = Image.fromarray(255 - np.asarray(canvas))
        paths.append(folder / f"{number:06}.png")
        image.save(paths[-1])
    return paths


# ---------------------------------------------------------------------------------- whole processes


def one_file(path: Path, models: list[Path], runs: int) -> None:
    """Print the wall time and the peak memory of predict.py on one file by each model, and of `import torch`."""
    sides = {
        "import torch": ["-c", "import torch"],
        **{f"predict.py, {model.suffix}": predict(model, path) for model in models},
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, words in sides.items():
            seconds[name].append(wall(words))
    base = statistics.median(seconds["import torch"])
    print("| one file | seconds | times | MB at most |\n|---|---:|---:|---:|")
    for name, each in seconds.items():
        times = statistics.median(each) / base
        print(f"| {name} | {spread(each)} | {times:.2f} | {peak(sides[name]):,.0f} |")
    print(flush=True)


def predict(model: Path, *words: object) -> list[str]:
    """Return the words that run predict.py by a model."""
    return [str(ROOT / "predict.py"), "--model", str(model.resolve()), *map(str, words)]


def many_files(side: int, paths: list[Path], models: list[Path], arguments: argparse.Namespace) -> None:
    """Print the table of one size of pictures."""
    script = USUAL.format(root=str(ROOT), dark=side > 28, model=str(models[0].resolve()))
    names, processes = "\n".join(map(str, paths)), arguments.processes
    ours = {f"predict.py, {model.suffix}": predict(model, "--processes", processes) for model in models}
    ways: dict[str, Callable[[], float]] = {
        "the usual script": lambda: wall(["-c", script], names),
        **{name: partial(wall, [*words, str(paths[0].parent)]) for name, words in ours.items()},
        "decoding alone (Pillow)": lambda: in_processes(decode, paths, processes),
        "the road alone": lambda: in_processes(road, paths, processes),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.runs):
        for name, way in ways.items():
            seconds[name].append(way())
    sample = [wall(["-c", script, str(path)]) for path in paths[:: max(1, len(paths) // 5)][:5]]
    seconds["the usual script, begun for each file"] = [statistics.median(sample) * len(paths)]
    first = statistics.median(seconds[next(iter(ours))])
    print(
        f"| {side} x {side} | seconds | files/s | times predict.py, {models[0].suffix} |\n|---|---:|---:|---:|"
    )
    for name, each in seconds.items():
        median = statistics.median(each)
        print(f"| {name} | {spread(each)} | {len(paths) / median:,.0f} | {median / first:.2f} |")
    decoding, roads = (
        statistics.median(seconds["decoding alone (Pillow)"]),
        statistics.median(seconds["the road alone"]),
    )
    print(f"\nroad alone: {decoding / roads:.2f} of the speed of decoding alone")
    split_time(paths, models)
    for name, words in ours.items():
        peaks = [(count, peak_of(words, paths[:count])) for count in (len(paths) // 10, len(paths))]
        told = ", ".join(f"{size:,.0f} MB for {n:,} files" for n, size in peaks)
        print(f"peak memory of the largest process of {name}: {told}", flush=True)
    print(flush=True)


def wall(words: list[str], given: str | None = None) -> float:
    """Return the seconds of a Python process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], input=given, text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def peak(words: list[str]) -> float:
    """Return the peak resident memory of a Python process or its largest child, in MB (Linux: ru_maxrss is in kB)."""
    script = (  # a small parent: a child's figure begins with its parent's
        "import resource, subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL, "
        "check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    words = [sys.executable, "-c", script, *words]
    return int(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout) / 1024


def peak_of(words: list[str], paths: list[Path]) -> float:
    """Return the peak memory of predict.py, called by `words`, on a folder of `paths`."""
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            os.link(path, Path(folder) / path.name)
        return peak([*words, folder])


# ---------------------------------------------------------------------------------- in processes


def in_processes(work: Callable[[list[Path]], int], paths: list[Path], processes: int) -> float:
    """Return the seconds that `processes`, started before, need for all chunks of `paths`."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ProcessPoolExecutor(processes) as executor:
        list(executor.map(work, chunks[:processes] * 4))  # imports
        started = time.perf_counter()
        assert sum(executor.map(work, chunks)) == len(paths)
        return time.perf_counter() - started


def decode(paths: list[Path]) -> int:
    """Decode the files."""
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image.convert("L"))
    return len(paths)


def road(paths: list[Path]) -> int:
    """Take the files down the road, all but the network: the first look, which nearly all are read by."""
    from ink.frame import make_frame
    from ink.lines import find_layouts
    from ink.looks import read_ink

    for path in paths:
        look = next(iter(read_ink(path).looks))
        for line in next(find_layouts(look.ink)).lines if look.frames is None else []:
            make_frame(line.ink)
    return len(paths)


def split_time(paths: list[Path], models: list[Path]) -> None:
    """Print the milliseconds a file of one process, reading in chunks on one thread: road and network."""
    import torch

    from recognizer.road import Recognizer

    torch.set_num_threads(1)
    chunks = [paths[start : start + CHUNK] for start in range(0, min(len(paths), 2048), CHUNK)]
    for model in models:
        recognizer = Recognizer(model)
        ask, taken = recognizer.ask, [0.0, 0.0]  # seconds in the network, frames

        def timed(frames: np.ndarray, ask: Any = ask, taken: list[float] = taken) -> np.ndarray:
            started = time.perf_counter()
            answer = ask(frames)
            taken[:] = taken[0] + time.perf_counter() - started, taken[1] + len(frames)
            return answer

        recognizer.ask = timed  # type: ignore[method-assign]
        recognizer.read_many(chunks[0])
        taken[:] = 0.0, 0.0
        started = time.perf_counter()
        for chunk in chunks:
            recognizer.read_many(chunk)
        whole, count = time.perf_counter() - started, sum(map(len, chunks))
        print(
            f"one process, {model.suffix}: all but the classifier {(whole - taken[0]) / count * 1000:.3f} ms a file, "
            f"classifier {taken[0] / count * 1000:.3f} ms a file ({taken[1] / count:.2f} frames a file)"
        )


def spread(values: list[float]) -> str:
    """Return "median (least to most)"."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    command.run(main, filters=False)
