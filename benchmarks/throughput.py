"""What predict.py costs: one file beside `import torch`, and 10,000 files beside the usual script and mere decoding.

    $ python -m benchmarks.throughput                      # minutes; --count 1000 for a quick look

One file: wall times of whole processes, in turn. Many files (PNGs of MNIST validation digits, 28x28 and
pasted on 280x280): the wall time of `predict.py FOLDER`, its start included; of the usual script (model
loaded once; per file: open, convert to grey, resize to 28x28, tensor, network); of that script begun anew for
each file (a sample of them, times their number); of Pillow decoding them in as many processes; of the road
alone (no network) in as many processes. The last lines split one process's time into road and network, and
give predict.py's peak memory.
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
from pathlib import Path

import numpy as np
from PIL import Image

from base import command
from benchmarks.record import ROOT

CHUNK = 64

USUAL = """
import sys
import torch
from PIL import Image
import numpy as np
sys.path.insert(0, {root!r})
from base.checkpoint import load_checkpoint
model = load_checkpoint().model
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
        made = {side: make_pictures(Path(folder) / str(side), side, arguments.count) for side in (28, 280)}
        one_file(made[280][0], arguments.runs * 3)
        for side, paths in made.items():
            many_files(side, paths, arguments)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput", description="Time predict.py beside its alternatives."
    )
    parser.add_argument(
        "--count", type=command.number(int, 10), default=10_000, help="files (default: 10,000)"
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


def one_file(path: Path, runs: int) -> None:
    """Print the wall time of predict.py on one file and of `import torch`."""
    sides = {
        "import torch": ["-c", "import torch"],
        "predict.py, one file": [str(ROOT / "predict.py"), str(path)],
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, words in sides.items():
            seconds[name].append(wall(words))
    base = statistics.median(seconds["import torch"])
    print("| one file | seconds | times |\n|---|---:|---:|")
    for name, each in seconds.items():
        print(f"| {name} | {spread(each)} | {statistics.median(each) / base:.2f} |")
    print(flush=True)


def many_files(side: int, paths: list[Path], arguments: argparse.Namespace) -> None:
    """Print the table of one size of pictures."""
    script = USUAL.format(root=str(ROOT), dark=side > 28)
    names, processes = "\n".join(map(str, paths)), arguments.processes
    predict = [str(ROOT / "predict.py"), "--processes", str(processes), str(paths[0].parent)]
    ways: dict[str, Callable[[], float]] = {
        "the usual script": lambda: wall(["-c", script], names),
        "predict.py": lambda: wall(predict),
        "decoding alone (Pillow)": lambda: in_processes(decode, paths, processes),
        "the road alone": lambda: in_processes(road, paths, processes),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.runs):
        for name, way in ways.items():
            seconds[name].append(way())
    sample = [wall(["-c", script, str(path)]) for path in paths[:: max(1, len(paths) // 5)][:5]]
    seconds["the usual script, begun for each file"] = [statistics.median(sample) * len(paths)]
    ours = statistics.median(seconds["predict.py"])
    print(f"| {side} x {side} | seconds | files/s | times predict.py |\n|---|---:|---:|---:|")
    for name, each in seconds.items():
        median = statistics.median(each)
        print(f"| {name} | {spread(each)} | {len(paths) / median:,.0f} | {median / ours:.2f} |")
    decoding, roads = (
        statistics.median(seconds["decoding alone (Pillow)"]),
        statistics.median(seconds["the road alone"]),
    )
    print(f"\nroad alone: {decoding / roads:.2f} of the speed of decoding alone")
    split_time(paths)
    peaks = [(count, peak(paths[:count], processes)) for count in (len(paths) // 10, len(paths))]
    print(
        "peak memory of the largest of predict.py's processes: "
        + ", ".join(f"{size:,.0f} MB for {n:,} files" for n, size in peaks)
        + "\n",
        flush=True,
    )


def wall(words: list[str], given: str | None = None) -> float:
    """Return the seconds of a Python process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], input=given, text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def peak(paths: list[Path], processes: int) -> float:
    """Return the greatest resident memory of predict.py's largest process, in MB (Linux: ru_maxrss is in kB)."""
    script = (
        "import resource, subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]], stdin=sys.stdin, "
        "stdout=subprocess.DEVNULL, check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            os.link(path, Path(folder) / path.name)
        words = [str(ROOT / "predict.py"), "--processes", str(processes), folder]
        done = subprocess.run(
            [sys.executable, "-c", script, *words], stdout=subprocess.PIPE, text=True, check=True
        )
    return int(done.stdout) / 1024


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


def split_time(paths: list[Path]) -> None:
    """Print the milliseconds a file of one process, reading in chunks on one thread: road and network."""
    import torch

    from recognizer.road import Recognizer

    torch.set_num_threads(1)
    recognizer = Recognizer()
    ask, network, asked = recognizer.ask, 0.0, 0

    def timed(frames: np.ndarray) -> np.ndarray:
        nonlocal network, asked
        started = time.perf_counter()
        answer = ask(frames)
        network += time.perf_counter() - started
        asked += len(frames)
        return answer

    recognizer.ask = timed  # type: ignore[method-assign]
    chunks = [paths[start : start + CHUNK] for start in range(0, min(len(paths), 2048), CHUNK)]
    recognizer.read_many(chunks[0])
    network, asked, started = 0.0, 0, time.perf_counter()
    for chunk in chunks:
        recognizer.read_many(chunk)
    whole, count = time.perf_counter() - started, sum(map(len, chunks))
    print(
        f"one process: all but the network {(whole - network) / count * 1000:.3f} ms a file, "
        f"network {network / count * 1000:.3f} ms a file "
        f"({asked / count:.2f} frames a file)"
    )


def spread(values: list[float]) -> str:
    """Return "median (least to most)"."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    command.run(main, filters=False)
