"""How well digits and numbers of other people are read: MNIST's test set, and any public sets.

    $ python -m benchmarks.reading --data handwriting/                 # a folder of .tsv, .npz and .jsonl.gz
    $ python -m benchmarks.reading --data pen_strokes.jsonl.gz --brush 6 --brush 32

Every picture goes through the whole road; refused pictures and wrong splits count as wrong, and of a number
every character must be right. MNIST's test set is measured by test.py. docs/data.md says where the sets come
from.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from base import command
from benchmarks.record import ROOT, add_record, share, told, write_record
from benchmarks.sets import find_sets, is_right, read_all, samples_of

BRUSH = 16.0  # px of the 280 px canvas, as in the app


def main(argv: list[str] | None = None) -> int:
    """Print a row a set and kind; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    rows = [] if arguments.without_mnist else [mnist_row(arguments.model)]
    for row in rows:
        print(told(row), flush=True)
    sets = find_sets(arguments.data, arguments.leave_out) if arguments.data else {}
    for name, path in sets.items():
        strokes = ".jsonl" in path.name
        for brush in (arguments.brush or [BRUSH]) if strokes else [BRUSH]:
            for kind, samples in samples_of(path, brush, arguments.most).items():
                if kind in ("no digit", "mixed"):
                    continue
                readings = read_all(arguments.model, [sample.source for sample in samples])
                right = sum(map(is_right, samples, readings))
                pen = f", pen of {brush:g} px" if strokes and brush != BRUSH else ""
                rows.append(share(f"{name}{pen}: {kind}s".replace("signss", "signs"), right, len(samples)))
                print(told(rows[-1]), flush=True)
    if arguments.record:
        write_record("reading", rows, arguments.model, argv)
    return 0


def mnist_row(model: Path) -> dict[str, Any]:
    """Return what test.py measures on MNIST's test set."""
    words = [sys.executable, "test.py", "--json", "--model", str(model.resolve())]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(done.stderr.strip() or "test.py failed")
    report = json.loads(done.stdout)
    return share("MNIST test set: digits", report["right"], report["count"], ece=report["ece"])


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, nargs="+", help="test sets, and folders of them")
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="NAME", help="sets that are not measured"
    )
    parser.add_argument("--without-mnist", action="store_true", help="leave MNIST's test set out")
    parser.add_argument("--brush", type=float, action="append", help="pen width for strokes (default: 16)")
    parser.add_argument("--most", type=command.number(int, 1), help="pictures of a set and kind, at most")
    add_record(parser)
    return parser


if __name__ == "__main__":
    command.run(main, filters=False)
