"""How much of what is no digit is refused: made pictures, and other people's letters and drawings.

    $ python -m benchmarks.refusing --data handwriting/      # a folder of .tsv, .npz and .jsonl.gz

The makers are those of benchmarks/pictures.py and benchmarks/things.py, which training never uses. Refused is
what is answered "not a digit" or "blank"; the last row is the price, validation digits that are refused, too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from base import command
from benchmarks import pictures, things
from benchmarks.record import add_record, share, told, write_record
from benchmarks.sets import find_sets, read_all, samples_of
from dataset import load_mnist, split_validation
from ink.decode import Source


def main(argv: list[str] | None = None) -> int:
    """Print a row a kind; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    rows = []

    def measure(name: str, sources: list[Source]) -> None:
        refused = sum(reading.status != "ok" for reading in read_all(arguments.model, sources))
        rows.append(share(name, refused, len(sources)))
        print(told(rows[-1]), flush=True)

    sets = find_sets(arguments.data, arguments.leave_out) if arguments.data else {}
    for name, path in sets.items():
        samples = samples_of(path, 16.0, arguments.most).get("no digit", [])
        if samples:
            measure(name, [sample.source for sample in samples])
    for name, make in {**pictures.NEGATIVES, "things": things.thing}.items():
        rng = np.random.default_rng(arguments.seed)
        measure(f"made: {name}", [make(rng) for _ in range(arguments.count)])
    digits = split_validation(load_mnist(True))[1].images[: 2 * arguments.count, 0].numpy()
    measure("validation digits, wrongly", list(digits))
    if arguments.record:
        write_record("refusing", rows, arguments.model, argv)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.refusing",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, nargs="+", help="test sets, and folders of them")
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="NAME", help="sets that are not measured"
    )
    parser.add_argument("--most", type=command.number(int, 1), help="pictures of a set, at most")
    parser.add_argument(
        "--count", type=command.number(int, 1), default=500, help="made pictures of a kind (default: 500)"
    )
    parser.add_argument("--seed", type=int, default=0)
    add_record(parser)
    return parser


if __name__ == "__main__":
    command.run(main, filters=False)
