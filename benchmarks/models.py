"""Train every registered network by its own recipe and print the table that shows what each idea buys.

    $ python benchmarks/models.py --npz optdigits.npz --npz semeion.npz
    $ python benchmarks/models.py --exports             # how far each network's exports differ from it

A row a network: parameters, size of its file, MNIST test accuracy, wall time of its training, and accuracy on
each .npz of other people's handwriting (x uint8, ink bright, and y), read through the whole road. Everything is
done by the commands a user has: train.py and test.py. Hours in all on two cores: --arch picks some, a model that is
already in --folder is measured without being trained again, and a training that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint
from export import CHECKS, FORMATS, TOLERANCE, export  # noqa: E402
from model import ARCHITECTURES, DEFAULT_ARCH, build_model


def main(argv: list[str] | None = None) -> int:
    """Print the table; return 1 if a command failed."""
    arguments = build_parser().parse_args(argv)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.exports:
        return compare_exports(arguments)
    names = [path.stem for path in arguments.npz]
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print(
        table_row(
            "network", "parameters", "file, kB", "MNIST test, %", "training, s", *(f"{n}, %" for n in names)
        )
    )
    print(table_row(*["---"] + ["---:"] * (4 + len(names))), flush=True)
    try:
        for arch in arguments.arch or ARCHITECTURES:
            print(table_row(arch, *measure(arch, arguments)), flush=True)
    except subprocess.CalledProcessError as error:
        print(f"models.py: {error}\n{error.stderr or ''}", file=sys.stderr)
        return 1
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="models.py", description="Train and compare the registered networks."
    )
    parser.add_argument(
        "--arch", action="append", choices=list(ARCHITECTURES), help="only this one (may be repeated)"
    )
    parser.add_argument(
        "--npz", action="append", type=Path, default=[], help="foreign test set (may be repeated)"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/models"), help="where the models go and are looked for"
    )
    parser.add_argument("--seed", type=int, default=0, help="of each training (default: 0)")
    parser.add_argument(
        "--exports", action="store_true", help="print a table of export differences instead; trains nothing"
    )
    parser.add_argument("--epochs", type=int, help="instead of each recipe's own, for a quick look")
    return parser


def measure(arch: str, arguments: argparse.Namespace) -> list[str]:
    """Return the cells of one network's row; raises CalledProcessError if a command fails."""
    path = model_path(arch, arguments)
    if not path.exists():
        words = ["--arch", arch, "--seed", arguments.seed, "--output", path]
        epochs = ["--epochs", arguments.epochs] if arguments.epochs else []
        resume = ["--resume"] if path.with_name(path.stem + ".resume.pth").exists() else []
        command("train.py", *words, *epochs, *resume)
    facts = load_checkpoint(path).facts
    accuracies = [accuracy(path)] + [accuracy(path, "--data", npz) for npz in arguments.npz]
    size = f"{path.stat().st_size / 1000:,.0f}"
    shown = [f"{100 * share:.2f}" for share in accuracies]
    return [f"{facts['parameters']:,}", size, shown[0], f"{facts['seconds']:.0f}", *shown[1:]]


def compare_exports(arguments: argparse.Namespace) -> int:
    """Print for each network how far the logits of its exports lie from its own, at most, on CHECKS inputs."""
    failed = False
    print(f"largest difference of a logit on {CHECKS:,} inputs; more than {TOLERANCE} is an error\n")
    print(table_row("network", "weights", *FORMATS))
    print(table_row("---", "---", *["---:"] * len(FORMATS)), flush=True)
    for arch in arguments.arch or ARCHITECTURES:
        path = model_path(arch, arguments)
        path = MODEL_PATH if arch == DEFAULT_ARCH and not path.exists() else path
        torch.manual_seed(arguments.seed)
        config = dict(ARCHITECTURES[arch].config)
        checkpoint = (
            load_checkpoint(path) if path.exists() else Checkpoint(build_model(arch).eval(), arch, config)
        )
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            for name in FORMATS:
                try:
                    cells.append(f"{export(checkpoint, name, Path(folder) / f'network.{name}'):.1e}")
                except (OSError, ValueError) as error:
                    cells.append(str(error))
                    failed = True
        print(table_row(arch, path.name if path.exists() else "fresh", *cells), flush=True)
    return int(failed)


def model_path(arch: str, arguments: argparse.Namespace) -> Path:
    """Return where the model of a network, seed and number of epochs lies."""
    epochs = f"-epochs{arguments.epochs}" if arguments.epochs else ""
    return arguments.folder / f"{arch}-seed{arguments.seed}{epochs}.pth"


def accuracy(path: Path, *words: object) -> float:
    """Return what test.py measures of the model at `path`."""
    return float(json.loads(command("test.py", "--json", "--model", path, *words))["accuracy"])


def command(*words: object) -> str:
    """Run one of the program's commands and return what it printed."""
    call = [sys.executable, str(ROOT / str(words[0])), *map(str, words[1:])]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout


def table_row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
