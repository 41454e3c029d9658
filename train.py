"""Train a network on MNIST and write `model.pth`.

    python train.py                          # the default network, some minutes on two CPU cores
    python train.py --resume                 # go on where an interrupted run stopped

Choices are made on a fixed validation split of the training set; the test set belongs to test.py alone.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from base import command
from training.recipe import DEFAULT, NETWORKS, TrainConfig, make_job


def main(argv: list[str] | None = None) -> int:
    """Train as told, print what was done, and return the exit status."""
    words = sys.argv[1:] if argv is None else argv
    arguments = build_parser().parse_args(words)
    try:
        job = make_job(vars(arguments), shlex.join(["python", "train.py", *words]))
        if arguments.summary:
            from model import describe_layers

            print(describe_layers(job.recipe.get("arch", DEFAULT)))
            return 0
        from tqdm import tqdm

        from measuring.plots import plot_curves
        from training.reports import Reports
        from training.rounds import train_network

        terminal = sys.stderr.isatty()
        tell = partial(tqdm.write if terminal else print, file=sys.stderr)
        reports = Reports(
            say=partial(print, flush=True),
            note=tell,
            warn=lambda line: tell(f"train.py: {line}"),
            bar=partial(tqdm, dynamic_ncols=True) if terminal else None,
            log=arguments.log,
            plot=arguments.plot,
            draw=plot_curves,
        )
        return train_network(job, reports)
    except BrokenPipeError:  # `... | head`: see command.run
        raise
    except (OSError, ValueError) as error:
        print(f"train.py: {command.one_line(error)}", file=sys.stderr)
        return 1


def train(model: Any, loader: Any, device: Any = "cpu", optimizer: Any = None, **options: Any) -> float:
    """Train `model` for one epoch of `loader` and return the mean loss a batch: see training.loop.train."""
    from training import loop

    return loop.train(model, loader, device, optimizer, **options)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; the options of TrainConfig are made from it."""
    parser = argparse.ArgumentParser(
        prog="train.py",
        description="Train a digit network on MNIST and write model.pth.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        "  python train.py                                  the default network\n"
        "  python train.py --epochs 60 --plot curves.png    longer, with a picture of the curves\n"
        "  python train.py --forever                        until Ctrl-C, then --resume goes on\n"
        "  python train.py --data signs/ --output signs.pth your own pictures, a sub-folder a class\n"
        "  python train.py --corrections                    learn your corrections for good\n"
        "  torchrun --nproc-per-node=4 train.py             in four processes, a GPU each where there are GPUs\n\n"
        "networks:\n" + "".join(f"  {name:9} {known.summary}\n" for name, known in NETWORKS.items()),
    )
    add = parser.add_argument
    add("--resume", action="store_true", help="go on with an interrupted run, bit for bit")
    add(
        "--forever", action="store_true", help="rounds of --epochs until interrupted; each better one is kept"
    )
    for option in fields(TrainConfig):
        add(
            "--" + option.name.replace("_", "-"),
            type=type(option.default),
            default=None,
            metavar=option.name.upper(),
            help=f"{option.metadata['help']} (default: {option.default}, or the network's own recipe)",
        )
    add("--data", type=Path, metavar="FOLDER", help="train on pictures in sub-folders named by class")
    add("--as-is", action="store_true", help="take the pictures of --data as they are, not their ink")
    add(
        "--hands",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="other people's digits, numbers, letters and doodles, learnt beside MNIST: files and folders (docs/data.md)",
    )
    add("--start", type=Path, metavar="MODEL", help="start from this model's weights instead of fresh ones")
    add(
        "--corrections",
        nargs="?",
        type=Path,
        const=True,
        metavar="DIR",
        help="retrain --start (default: model.pth) gently with the corrections in DIR (default: those of the app)",
    )
    add("--output", type=Path, help="where it goes (default: model.pth; with another --arch, ARCH.pth)")
    add("--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)")
    add("--device", help="cpu, cuda, cuda:1 (default: cuda where there is one that works)")
    add("--precision", choices=["fp32", "bf16"], help="default: bf16 where the CPU or GPU multiplies it")
    add(
        "--no-fallback",
        dest="fallback",
        action="store_false",
        help="fail without MNIST instead of training on 5,000 stand-in digits",
    )
    add("--plot", type=Path, metavar="PNG", help="draw loss and validation accuracy by epoch")
    add("--log", type=Path, metavar="JSONL", help="append one JSON line an epoch")
    add("--summary", action="store_true", help="print the network's layers and leave")
    return parser


if __name__ == "__main__":
    command.run(main, filters=False)
