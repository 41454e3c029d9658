"""How well the road and the network read what users bring: pasted, printed, corrupted, numbers, no digits, and how fast.

python benchmarks/road.py                    # MNIST's validation split: for choosing
python benchmarks/road.py --test             # MNIST's test set: for reporting
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [
    str(Path(__file__).resolve().parent.parent),
    str(Path(__file__).resolve().parent),
]  # ours goes before benchmarks/canvas.py

import pictures  # noqa: E402
import things  # noqa: E402

from base import command  # noqa: E402
from dataset import DataError, Digits, load_mnist, split_validation  # noqa: E402
from recognizer.road import Recognizer  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--test", action="store_true", help="measure on the test set instead of the validation split"
    )
    parser.add_argument(
        "--count", type=command.number(int, 5), default=1000, help="pictures a row (default: 1000)"
    )
    parser.add_argument("--model", type=Path, help="checkpoint (default: the shipped model.pth)")
    parser.add_argument(
        "--plain", type=Path, help="checkpoint that sees the corrupted pixels without the road, to compare"
    )
    parser.add_argument(
        "--only", choices=["paste", "printed", "corrupt", "scenes", "numbers", "negatives", "speed"]
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    recognizer = Recognizer(arguments.model) if arguments.model else Recognizer()
    digits = load_mnist(False) if arguments.test else split_validation(load_mnist(True))[1]
    plain = Recognizer(arguments.plain) if arguments.plain else None
    parts: dict[str, Callable[..., None]] = {
        "paste": pasted,
        "printed": printed,
        "corrupt": partial(corrupted, plain=plain),
        "scenes": scenes,
        "numbers": numbers,
        "negatives": negatives,
        "speed": speed,
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            part(recognizer, digits, arguments.count, np.random.default_rng(arguments.seed))
    return 0


def pasted(recognizer: Recognizer, digits: Digits, count: int, rng: np.random.Generator) -> None:
    """Print the accuracy on the digits as they are and pasted at random."""
    images, labels = digits.images[:count, 0].numpy(), digits.labels[:count].tolist()
    plain = [recognizer.read(image) for image in images]
    moved = [recognizer.read(pictures.paste(image, rng)) for image in images]
    for name, readings in (("as they are", plain), ("pasted", moved)):
        right = sum(r.text == str(y) for r, y in zip(readings, labels))
        print(
            f"{name:<16} {right / len(labels):.2%} (n = {len(labels):,}), split {sum(len(r.groups) > 1 for r in readings)}, "
            f"refused {sum(r.status != 'ok' for r in readings)}"
        )


def printed(recognizer: Recognizer, digits: Digits, count: int, rng: np.random.Generator) -> None:
    """Print the accuracy on digits in matplotlib's fonts."""
    made = [pictures.printed("0123456789", rng) for _ in range(count)]
    right = sum(recognizer.read(picture).text == label for picture, label in made)
    print(f"{'printed':<16} {right / count:.2%} (n = {count:,})")


def corrupted(
    recognizer: Recognizer,
    digits: Digits,
    count: int,
    rng: np.random.Generator,
    plain: Recognizer | None = None,
) -> None:
    """Print the accuracy under each corruption, and the mean; beside it that of `plain`, shown the pixels as they are."""
    shares = []
    for kind in pictures.CORRUPTIONS:
        chosen = rng.permutation(len(digits))[: count // 2]
        truth = digits.labels[chosen].numpy()
        made = [pictures.corrupt(digits.images[i, 0].numpy(), kind, rng) for i in chosen]
        share = [
            float(
                np.mean([recognizer.read(picture).text == str(label) for picture, label in zip(made, truth)])
            )
        ]
        if plain is not None:
            share.append(float((plain.ask(np.stack(made) / 255).argmax(1) == truth).mean()))
        shares.append(share)
        print(f"{kind:<16} " + "  plain ".join(f"{each:.1%}" for each in share))
    print(
        f"{'mean of fifteen':<16} "
        + "  plain ".join(f"{each:.2%}" for each in np.mean(shares, axis=0))
        + f" (n = {len(chosen):,} each)"
    )


def scenes(recognizer: Recognizer, digits: Digits, count: int, rng: np.random.Generator) -> None:
    """Print the accuracy on pictures of a digit with what lies around it."""
    for kind, maker in pictures.SCENES.items():
        chosen = rng.permutation(len(digits))[: count // 5]
        right = sum(
            recognizer.read(maker(digits.images[i, 0].numpy(), rng)).text == str(int(digits.labels[i]))
            for i in chosen
        )
        print(f"{kind:<16} {right / len(chosen):.1%} (n = {len(chosen):,})")


def numbers(recognizer: Recognizer, digits: Digits, count: int, rng: np.random.Generator) -> None:
    """Print the share of whole numbers read right."""
    for name, options in (
        ("apart", {}),
        ("a touching pair", {"touching": True}),
        ("two lines", {"lines": 2}),
        ("photographed", {}),
    ):
        right = 0
        for _ in range(count // 2):
            chosen = rng.integers(0, len(digits), int(rng.integers(2 if "lines" not in options else 4, 13)))
            picture = pictures.number([digits.images[i, 0].numpy() for i in chosen], rng, **options)
            if name == "photographed":
                picture = pictures.photograph(picture, rng)
            said = recognizer.read(picture).text
            right += said.replace("\n", "") == "".join(str(int(digits.labels[i])) for i in chosen)
        print(f"number, {name:<16} {right / (count // 2):.1%} (n = {count // 2:,})")


def negatives(recognizer: Recognizer, digits: Digits, count: int, rng: np.random.Generator) -> None:
    """Print the share of pictures without a digit that are refused, and the AUROC against the digits."""
    from torchmetrics.functional.classification import binary_auroc

    def score(reading) -> float:
        return max((group.confidence for group in reading.groups), default=0.0)

    known = [recognizer.read(image) for image in digits.images[:count, 0].numpy()]
    print(f"digits refused   {sum(r.status != 'ok' for r in known) / len(known):.2%} (n = {len(known):,})")
    for kind, maker in (*pictures.NEGATIVES.items(), ("things", things.thing)):
        readings = [recognizer.read(maker(rng)) for _ in range(count // 2)]
        scores = torch.tensor([score(r) for r in known + readings])
        auroc = float(binary_auroc(scores, torch.tensor([1] * len(known) + [0] * len(readings))))
        print(
            f"{kind:<16} {sum(r.status != 'ok' for r in readings) / len(readings):.1%} refused, AUROC {auroc:.4f}"
        )


def speed(recognizer: Recognizer, digits: Digits, count: int, rng: np.random.Generator) -> None:
    """Print the milliseconds from a 280x280 canvas to frames, and to the answer."""
    from ink.frame import make_frame
    from ink.lines import find_lines
    from ink.looks import read_ink

    canvases = []
    for image in digits.images[:200, 0].numpy():
        canvas = np.zeros((280, 280), np.uint8)
        canvas[20:260, 20:260] = np.kron(image[2:26, 2:26], np.ones((10, 10), np.uint8))
        canvases.append(255 - canvas)
    road, whole = [], []
    for canvas in canvases * 2:
        started = time.perf_counter()
        for line in find_lines(next(iter(read_ink(canvas).looks)).ink):
            for piece in line:
                make_frame(piece.ink)
        road.append(time.perf_counter() - started)
        started = time.perf_counter()
        recognizer.read(canvas)
        whole.append(time.perf_counter() - started)
    for name, times in (("road", road), ("whole", whole)):
        timed = np.array(times[len(canvases) :]) * 1000
        print(
            f"{name:<16} {np.median(timed):.2f} ms median, {np.percentile(timed, 99):.2f} ms p99 (280 x 280, one thread)"
        )


if __name__ == "__main__":
    command.run(main, filters=False, told=DataError)
