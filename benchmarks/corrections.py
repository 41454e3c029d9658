"""Give a network's wrong answers on foreign digits as corrections, one by one, and print what that does.

    $ python -m benchmarks.corrections --data handwriting/           # a folder of .tsv, .npz and .jsonl.gz

Of every set the pictures of single digits are taken, one frame a picture. Printed, for the memory alone and
for fine-tuning: how many of the corrected are right at once, how many of the other wrong answers became
right, how many right ones wrong, MNIST's validation digits before and after, and whether undoing everything
restores the exact state.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from base import command
from benchmarks.record import add_record, share, told, write_record
from benchmarks.sets import find_sets, samples_of
from corrections.memory import Memory
from dataset import load_mnist, split_validation
from recognizer.road import Recognizer
from training.finetune import make_tuner
from training.folders import frame_of


def main(argv: list[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    _, validation = split_validation(load_mnist(True))
    known = (validation.images[:, 0].float() / 255).numpy(), validation.labels.numpy()
    frames, labels = foreign_digits(arguments.data, arguments.leave_out, arguments.most)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        recognizer = Recognizer(arguments.model, memory=Memory(folder))
        memory = recognizer.memory
        assert memory is not None
        before = answers(recognizer, known[0])
        rows.append(share("MNIST validation, before", int((before == known[1]).sum()), len(before)))
        said = answers(recognizer, frames)
        wrong = np.random.default_rng(0).permutation(np.flatnonzero(said != labels))
        given, others, right = (
            wrong[: arguments.count],
            wrong[arguments.count :],
            np.flatnonzero(said == labels),
        )
        at_once = 0
        for index in given:
            memory.learn(frames[index], str(labels[index]))
            at_once += int(recognizer.classify(frames[index][None]).argmax()) == labels[index]
        rows.append(share("corrected, right at once", at_once, len(given)))
        rows += after(recognizer, "memory", frames, labels, given, others, right, known)
        tuner = make_tuner(recognizer.checkpoint)
        weights = {name: weight.clone() for name, weight in recognizer.checkpoint.model.state_dict().items()}
        print(f"fine-tuning: {tuner.tune(memory.entries())}")
        tuned = Recognizer(recognizer.checkpoint)
        rows += after(tuned, "fine-tuning alone", frames, labels, given, others, right, known)
        tuner.undo()
        while memory.undo():
            pass
        state = recognizer.checkpoint.model.state_dict()
        exact = all(torch.equal(weight, state[name]) for name, weight in weights.items())
        exact = (
            exact and bool((answers(recognizer, frames) == said).all()) and not any(Path(folder).iterdir())
        )
        rows.append(share("undone: every weight and answer as before", int(exact), 1))
    for row in rows:
        print(told(row))
    if arguments.record:
        write_record("corrections", rows, arguments.model, argv)
    return 0 if exact else 1


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corrections",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="test sets, and folders of them")
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="NAME", help="sets that are not measured"
    )
    parser.add_argument("--most", type=command.number(int, 1), help="digits of a set, at most")
    parser.add_argument(
        "--count", type=command.number(int, 1), default=100, help="corrections to give (default: 100)"
    )
    add_record(parser)
    return parser


def foreign_digits(
    paths: list[Path], leave_out: list[str], most: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return frames (N, 28, 28) and labels (N,) of the single digits in test sets."""
    frames, labels = [], []
    for path in find_sets(paths, leave_out).values():
        for sample in samples_of(path, 16.0, most).get("digit", []):
            frames.append(frame_of(sample.source))
            labels.append(int(sample.label))
    return np.stack(frames), np.array(labels)


def answers(recognizer: Recognizer, frames: np.ndarray) -> np.ndarray:
    """Return the class of each frame, in batches."""
    return np.concatenate(
        [recognizer.classify(part).argmax(1) for part in np.array_split(frames, len(frames) // 500 + 1)]
    )


def after(
    recognizer: Recognizer,
    name: str,
    frames: np.ndarray,
    labels: np.ndarray,
    given: np.ndarray,
    others: np.ndarray,
    right: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
) -> list[dict[str, Any]]:
    """Return a row each for what is right now: the corrected, the other wrong ones, those right before, MNIST."""
    now = answers(recognizer, frames) == labels
    rows = [share(f"{name}: corrected ones right", int(now[given].sum()), len(given))]
    if len(others):
        rows.append(share(f"{name}: other wrong ones now right", int(now[others].sum()), len(others)))
    rows.append(share(f"{name}: right ones now wrong", int((~now[right]).sum()), len(right)))
    kept = answers(recognizer, known[0]) == known[1]
    return [*rows, share(f"{name}: MNIST validation, after", int(kept.sum()), len(kept))]


if __name__ == "__main__":
    command.run(main, filters=False)
