"""Training pictures a second: this program's batches beside the same augmentations in torchvision's DataLoader.

    $ python -m benchmarks.augmentation

Both turn MNIST's training pictures by up to 12.6 degrees, shear, scale and shift them and bend them elastically (our
"light" augmentation, `augment.warp`). The other side is what tutorials write: torchvision's MNIST with
RandomAffine, ElasticTransform and ToTensor, in a DataLoader with 2 workers. The two take turns; the first batch
of each (starting the workers) is not counted. A last line has our "full" augmentation, which has no counterpart there.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from base import command
from dataset import Batches, Digits, load_mnist
from training.loop import make_transform
from training.pictures.augment import FULL

BATCH = 256
WORKERS = 2


def main(argv: list[str] | None = None) -> int:
    """Measure and print the table."""
    arguments = build_parser().parse_args(argv)
    digits = load_mnist(True)
    device = torch.device(arguments.device)
    sides = {
        "torchvision, DataLoader": lambda: measure(theirs(digits), arguments.batches),
        "this program, the same": lambda: measure(
            ours(digits, "light", device), arguments.our_batches, device
        ),
        "this program, full": lambda: measure(ours(digits, "full", device), arguments.our_batches, device),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(arguments.runs):
        for name, side in sides.items():
            rates[name].append(side())
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, {device}, Python {platform.python_version()}, torch {torch.__version__}; "
        f"n = {arguments.runs} runs in turn, batches of {BATCH}, DataLoader with {WORKERS} workers\n"
    )
    print("| | images/s, median | least | most | times |\n|---|---:|---:|---:|---:|")
    base = statistics.median(rates["torchvision, DataLoader"])
    for name, each in rates.items():
        median = statistics.median(each)
        print(f"| {name} | {median:,.0f} | {min(each):,.0f} | {max(each):,.0f} | {median / base:.1f} |")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="augmentation.py", description="Compare the speed of two ways to augment."
    )
    parser.add_argument("--runs", type=command.number(int, 1), default=5, help="of each side (default: 5)")
    parser.add_argument(
        "--batches", type=command.number(int, 1), default=40, help="a run of the DataLoader (default: 40)"
    )
    parser.add_argument(
        "--our-batches", type=command.number(int, 1), default=200, help="a run of ours (default: 200)"
    )
    parser.add_argument("--device", default="cpu", help="for our side (default: cpu)")
    return parser


def ours(digits: Digits, name: str, device: torch.device) -> Iterator[object]:
    """Yield batches as train.py makes them."""
    transform = make_transform(name, torch.Generator(device).manual_seed(0))
    batches = Batches(digits, BATCH, device, seed=0, transform=transform)
    while True:
        yield from batches


def theirs(digits: Digits) -> Iterable[object]:
    """Return a DataLoader as tutorials write it, on the same pictures."""
    from torchvision import transforms

    shift = FULL.shift / 28
    steps = [
        transforms.RandomAffine(
            math.degrees(FULL.rotation),
            (shift, shift),
            (1 - FULL.scale, 1 + FULL.scale),
            shear=math.degrees(FULL.shear),
        ),
        transforms.ElasticTransform(alpha=30.0, sigma=4.0),
        transforms.ToTensor(),
    ]
    pictures = torchvision_mnist(digits, transforms.Compose(steps))
    return torch.utils.data.DataLoader(pictures, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True)


def torchvision_mnist(digits: Digits, transform: Callable[[object], Tensor]) -> Dataset[object]:
    """Return torchvision's own data set of the training pictures `digits`; SystemExit where it cannot read their files."""
    from torchvision.datasets import MNIST

    try:
        return MNIST(str(Path(digits.place).parent.parent), train=True, transform=transform)
    except RuntimeError:
        raise SystemExit(
            f"torchvision reads MNIST unpacked only: gunzip --keep {digits.place}/*.gz"
        ) from None


def measure(batches: Iterable[object], count: int, device: torch.device | None = None) -> float:
    """Return the images a second of `count` batches after the first."""
    source = iter(batches)
    next(source)
    started = time.perf_counter()
    made = sum(1 for _ in islice(source, count))
    if device is not None and device.type == "cuda":
        torch.cuda.synchronize(device)
    return made * BATCH / (time.perf_counter() - started)


if __name__ == "__main__":
    command.run(main, filters=False)
