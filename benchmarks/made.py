"""How well made pictures are read: pasted, printed, corrupted, in scenes, as numbers.

    $ python -m benchmarks.made

Made of MNIST's validation digits by benchmarks/pictures.py, which training never uses. They say what the road
bears, not what strangers' pictures are like: that is `python -m benchmarks.reading`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from base import command
from benchmarks import pictures
from benchmarks.record import add_record, share, told, write_record
from benchmarks.sets import read_all
from dataset import Digits, load_mnist, split_validation
from ink.decode import Source

Rng = np.random.Generator
Made = Iterator[tuple[Source, str]]  # a picture and what it says
NUMBERS: dict[str, dict[str, Any]] = {
    "written apart": {},
    "with a touching pair": {"touching": True},
    "in two lines": {"lines": 2},
    "photographed": {},
}


def main(argv: list[str] | None = None) -> int:
    """Print a row a kind; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    digits = split_validation(load_mnist(True))[1]
    rows: list[dict[str, Any]] = []
    for place, (name, make) in enumerate(kinds(digits).items()):
        rng = np.random.default_rng([arguments.seed, place])  # other digits for each kind
        made = list(make(arguments.count, rng))
        readings = read_all(arguments.model, [picture for picture, _ in made])
        right = sum(reading.text.replace("\n", "") == text for (_, text), reading in zip(made, readings))
        rows.append(share(name, right, len(made)))
        print(told(rows[-1]), flush=True)
        if name == f"corrupted: {list(pictures.CORRUPTIONS)[-1]}":
            each = [row for row in rows if row["what"].startswith("corrupted: ")]
            right, count = (sum(row[key] for row in each) for key in ("right", "n"))
            rows.append(share("corrupted, all fifteen", right, count))
            print(told(rows[-1]), flush=True)
    if arguments.record:
        write_record("made", rows, arguments.model, argv)
    return 0


def kinds(digits: Digits) -> dict[str, Callable[[int, Rng], Made]]:
    """Return each kind of picture by name: a function that makes a number of them."""
    made: dict[str, Callable[[int, Rng], Made]] = {
        "as they are": lambda count, rng: drawn(digits, count, rng, lambda image, rng: image),
        "pasted": lambda count, rng: drawn(digits, count, rng, pictures.paste),
        "printed": lambda count, rng: (pictures.printed("0123456789", rng) for _ in range(count)),
    }
    for kind in pictures.CORRUPTIONS:
        made[f"corrupted: {kind}"] = lambda count, rng, kind=kind: drawn(  # type: ignore[misc]
            digits, count // 2, rng, lambda image, rng: pictures.corrupt(image, kind, rng)
        )
    for kind, maker in pictures.SCENES.items():
        made[f"scene: {kind}"] = lambda count, rng, maker=maker: drawn(  # type: ignore[misc]
            digits, count // 4, rng, maker
        )
    for kind in NUMBERS:
        made[f"number, {kind}"] = lambda count, rng, kind=kind: numbers(digits, kind, count, rng)  # type: ignore[misc]
    return made


def drawn(digits: Digits, count: int, rng: Rng, make: Callable[[np.ndarray, Rng], np.ndarray]) -> Made:
    """Yield pictures of `count` digits, each made by `make` of uint8 (28, 28), ink bright."""
    for place in rng.permutation(len(digits))[:count]:
        yield make(digits.images[place, 0].numpy(), rng), str(int(digits.labels[place]))


def numbers(digits: Digits, kind: str, count: int, rng: Rng) -> Made:
    """Yield pictures of `count` numbers of two to twelve digits."""
    for _ in range(count):
        chosen = rng.integers(0, len(digits), int(rng.integers(4 if kind == "in two lines" else 2, 13)))
        picture = pictures.number([digits.images[i, 0].numpy() for i in chosen], rng, **NUMBERS[kind])
        if kind == "photographed":
            picture = pictures.photograph(picture, rng)
        yield picture, "".join(str(int(digits.labels[i])) for i in chosen)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.made",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--count",
        type=command.number(int, 8),
        default=400,
        help="pictures of a kind; of corruptions half, of scenes a quarter (default: 400)",
    )
    parser.add_argument("--seed", type=int, default=0)
    add_record(parser)
    return parser


if __name__ == "__main__":
    command.run(main, filters=False)
