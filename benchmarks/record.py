"""What a benchmark measured, kept as results/NAME.json: rows, command, commit, model, machine, date, versions."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from base.storage import MODEL_PATH, atomic_write
from measuring.measure import interval

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
PACKAGES = ("torch", "numpy", "scipy", "pillow")


def add_record(parser: argparse.ArgumentParser, model: bool = True) -> None:
    """Add the option --record to a benchmark's parser, and --model unless that has one or needs none."""
    name = Path(sys.argv[0]).stem if not parser.prog else parser.prog.rpartition(".")[2]
    parser.add_argument("--record", action="store_true", help=f"also write results/{name}.json")
    if model:
        parser.add_argument(
            "--model", type=Path, default=MODEL_PATH, help="checkpoint (default: the shipped model.pth)"
        )


def share(what: str, right: int, count: int, **more: Any) -> dict[str, Any]:
    """Return a row: `right` of `count`, with its share and the 95 % interval of that."""
    right, count = int(right), int(count)  # numpy's integers are not json's
    low, high = interval(right, count)
    return {"what": what, "right": right, "n": count, "share": right / count, "interval": [low, high], **more}


def told(row: dict[str, Any]) -> str:
    """Return a row of `share` as a line of text."""
    low, high = (100 * end for end in row["interval"])
    return f"{row['what']:<34} {row['share']:7.2%}  {row['right']:,} of {row['n']:,}  ({low:.2f}-{high:.2f})"


def write_record(
    name: str, rows: Sequence[dict[str, Any]], model: Path | None, words: list[str] | None = None
) -> Path:
    """Write results/NAME.json and return its path; `model` is None where the figures do not hang on it."""
    content = {
        "name": name,
        "command": command_line(name, sys.argv[1:] if words is None else words),
        "commit": commit(),
        "model": None if model is None else {"file": model.name, "sha256": checksum(model)},
        "machine": machine(),
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version(), **{each: version(each) for each in PACKAGES}},
        "rows": list(rows),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    with atomic_write(path) as file:
        file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    print(f"wrote {path.relative_to(ROOT)}; `python -m benchmarks.report` brings it into RESULTS.md")
    return path


def command_line(name: str, words: list[str]) -> str:
    """Return the command that was given, paths by their last names and without --record."""
    short = [os.path.basename(word.rstrip("/")) or word for word in words if word != "--record"]
    return shlex.join(["python", "-m", f"benchmarks.{name}", *short])


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def commit() -> str:
    """Return the short name of the commit that is checked out, with "+" if tracked files differ from it."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results", ":!*.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + ("+" if changed else "")


def machine() -> str:
    """Return the processor and the number of cores that this process may use."""
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    name = found[1] if found else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
