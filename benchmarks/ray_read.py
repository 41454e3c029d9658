"""examples/ray_read.py on generated pictures: pictures a second by workers, and a worker killed half-way (Linux).

    $ python benchmarks/ray_read.py                       # 100,000 pictures; --count 5000 for a quick look

The pictures are 28x28 PNGs of MNIST validation digits. For each number of workers a run into an empty folder; then one in which a
worker gets SIGKILL when half of the parts are there. After each: every picture must be answered exactly once, no file may be left
but the plan and what the killed worker had begun, and the parts must be the same bytes as those of the first run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples"), str(ROOT / "benchmarks")]

from ray_read import PART  # noqa: E402  # the example's: examples/ goes before benchmarks/
from throughput import make_pictures  # noqa: E402

from base import command  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table; return 1 if some output was not exactly once."""
    parser = argparse.ArgumentParser(prog="ray_read.py", description="Measure the Ray example.")
    parser.add_argument("--count", type=int, default=100_000, help="pictures (default: 100,000)")
    parser.add_argument(
        "--workers", type=int, action="append", help="may be repeated (default: 1, 2, ... to the cores)"
    )
    arguments = parser.parse_args(argv)
    workers = arguments.workers or list(range(1, (os.cpu_count() or 1) + 1))
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {arguments.count:,} pictures\n"
    )
    print(
        "| workers | killed | seconds, reading | pictures/s | answered once | more or less often | the same bytes |\n"
        "|---:|---:|---:|---:|---:|---:|---|"
    )
    good, expected = True, ""
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        make_pictures(pictures, 28, arguments.count)
        for number, (count, kill) in enumerate([*((count, False) for count in workers), (workers[-1], True)]):
            answers = Path(folder) / f"answers-{number}"
            said, killed = read(pictures, answers, count, arguments.count if kill else 0)
            once, otherwise, digest = check(pictures, answers)
            expected = expected or digest
            good &= otherwise == 0 and digest == expected and killed == bool(kill)
            seconds, rate = re.findall(r"in ([\d.]+) s by \d+ workers: ([\d,]+) pictures/s", said)[0]
            print(
                f"| {count} | {int(killed)} | {seconds} | {rate} | {once:,} | {otherwise:,} | {'yes' if digest == expected else 'NO'} |",
                flush=True,
            )
    return 0 if good else 1


def read(pictures: Path, answers: Path, workers: int, kill: int) -> tuple[str, bool]:
    """Run the example, and kill a worker when half of `kill` pictures are answered; return what it printed, and whether that was done."""
    words = [str(ROOT / "examples" / "ray_read.py"), str(pictures), str(answers), "--workers", str(workers)]
    process = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    killed = False
    while kill and not killed and process.poll() is None:
        time.sleep(0.05)
        there = len(list(answers.glob("part-*.jsonl"))) if answers.exists() else 0
        if there * 2 * PART >= kill:
            victims = [
                pid for pid, name in descendants(process.pid) if name.startswith("ray::") and "Reader" in name
            ]
            if victims:
                os.kill(victims[0], signal.SIGKILL)
                killed = True
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"the example failed: {err[-2000:]}")
    return out, killed


def descendants(pid: int) -> list[tuple[int, str]]:
    """Return (pid, command line) of the processes that `pid` started, directly or not."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal():
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
        except OSError:
            continue
    found, todo = [], [pid]
    while todo:
        for child in parents.get(todo.pop(), []):
            todo.append(child)
            try:
                found.append(
                    (child, Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip())
                )
            except OSError:
                continue
    return found


def check(pictures: Path, answers: Path) -> tuple[int, int, str]:
    """Return (pictures answered once, answered more or less often, checksum of the parts); strange files count as wrong."""
    seen: dict[str, int] = {name: 0 for name in os.listdir(pictures)}
    digest, strange = hashlib.sha256(), 0
    for path in sorted(answers.iterdir()):
        if path.suffix == ".jsonl":
            content = path.read_bytes()
            digest.update(path.name.encode() + content)
            for line in content.splitlines():
                name = json.loads(line)["path"]
                seen[name] = seen.get(name, 0) + 1
        elif path.name != "plan.json" and not path.name.endswith(
            ".partial"
        ):  # what a killed worker had begun
            strange += 1
    once = sum(times == 1 for times in seen.values())
    return once, len(seen) - once + strange, digest.hexdigest()


if __name__ == "__main__":
    command.run(main, filters=False, told=ValueError)  # no MNIST
