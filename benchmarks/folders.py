"""Peak memory of `train.py --data FOLDER` by the number of pictures in the folder (Linux).

    $ python -m benchmarks.folders                    # 10,000 and 200,000 pictures; a quarter of an hour

The pictures are generated: ten classes of coloured bars, 16x16 PNGs with noise, taken as they are (64x64x3: 200,000 of
them are 2.5 GB). They are streamed from disk, as train.py does with more than 1 GB. One epoch: memory is what is
measured. Resident memory counts the pages of
the mapped file that the system happens to keep and can drop at any time; the program's own (anonymous) memory, from
/proc/PID/status, stands beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

import numpy as np
from PIL import Image

from base import command

CLASSES, SIDE = 10, 16
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from functools import partial
import train
from training import data, folders
data.load_folder = partial(folders.load_folder, in_memory={in_memory})
sys.exit(train.main(sys.argv[1:]))
"""


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    arguments = build_parser().parse_args(argv)
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print(
        "| pictures | their pixels, MB | peak of the program's own memory, MB | peak resident, MB | seconds |\n|---:|---:|---:|---:|---:|"
    )
    peaks = []
    for count in arguments.count or [10_000, 200_000]:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            make_folder(Path(folder) / "pictures", count)
            own, resident, seconds = measure(Path(folder), arguments.in_memory)
        peaks.append(own)
        print(
            f"| {count:,} | {count * 64 * 64 * 3 / 1e6:,.0f} | {own:,.0f} | {resident:,.0f} | {seconds:,.0f} |",
            flush=True,
        )
    print(f"\nthe last is {peaks[-1] / peaks[0]:.2f} times the first")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="folders.py", description="Measure the memory of training on large folders."
    )
    parser.add_argument(
        "--count",
        type=command.number(int, 20),
        action="append",
        help="pictures (may be repeated; default: 10,000 and 200,000)",
    )
    parser.add_argument(
        "--in-memory",
        type=command.number(int, 0),
        default=1 << 26,
        help="bytes that training may keep in memory (default: 64 MB, "
        "so that every row streams; train.py's own is 1 GB)",
    )
    parser.add_argument(
        "--folder", type=Path, help="where the pictures are made (default: the system's temporary folder)"
    )
    return parser


def make_folder(folder: Path, count: int) -> None:
    """Write `count` pictures in CLASSES sub-folders."""
    rng = np.random.default_rng(0)
    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)
    for number in range(count):
        pixels = rng.integers(200, 256, (SIDE, SIDE, 3), np.uint8)
        pixels[:, number % CLASSES : number % CLASSES + 4, number % 3] = 20
        Image.fromarray(pixels).save(folder / str(number % CLASSES) / f"{number:07}.png", compress_level=1)


def measure(folder: Path, in_memory: int) -> tuple[float, float, float]:
    """Return (peak anonymous MB, peak resident MB, seconds) of training on folder/pictures."""
    script = folder / "train_here.py"
    script.write_text(SCRIPT.format(root=str(ROOT), in_memory=in_memory), encoding="utf-8")
    words = [
        "--data",
        folder / "pictures",
        "--as-is",
        "--arch",
        "colour",
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--output",
        folder / "m.pth",
    ]
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, str(script), *map(str, words)], stdout=subprocess.DEVNULL)
    peak = {"RssAnon": 0, "VmRSS": 0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for name, size in memory(process.pid).items():
                peak[name] = max(peak[name], size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"train.py failed with {code}")
    return peak["RssAnon"] / 1024, peak["VmRSS"] / 1024, time.perf_counter() - started


def memory(pid: int) -> dict[str, int]:
    """Return RssAnon and VmRSS of a process in kB, nothing if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {
        name: int(line.split()[1])
        for line in lines
        for name in ("RssAnon", "VmRSS")
        if line.startswith(name + ":")
    }


if __name__ == "__main__":
    sys.exit(main())
