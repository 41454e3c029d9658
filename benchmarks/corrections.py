"""Give a network's wrong answers on foreign digits as corrections, one by one, and print what that does.

    $ python benchmarks/corrections.py --data optdigits.npz --data semeion.npz
    $ python benchmarks/corrections.py --data pen_strokes.jsonl.gz --data pictures.tsv --rows odd

Any test set that test.py reads will do; its pictures of single digits are taken. Printed, for the memory alone and for
fine-tuning: how many of the corrected are right right after, how many of the other wrong answers became right, how many
right ones wrong, MNIST validation and test accuracy before and after, milliseconds a correction, and whether undoing
everything restores the exact state.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch  # noqa: E402

from base import command  # noqa: E402
from base.checkpoint import MODEL_PATH
from corrections.memory import Memory  # noqa: E402
from dataset import DataError, load_mnist, split_validation  # noqa: E402
from ink.decode import PictureError  # noqa: E402
from measuring.testsets import load_samples  # noqa: E402
from recognizer.road import Recognizer  # noqa: E402
from training.finetune import make_tuner  # noqa: E402
from training.folders import frame_of  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(prog="corrections.py", description="Measure learning from corrections.")
    parser.add_argument(
        "--data", action="append", type=Path, required=True, help="foreign digits (may be repeated)"
    )
    parser.add_argument(
        "--rows", choices=("all", "even", "odd"), default="all", help="of each set (default: all)"
    )
    parser.add_argument("--model", type=Path, default=MODEL_PATH, help="checkpoint (default: model.pth)")
    parser.add_argument(
        "--count", type=command.number(int, 1), default=100, help="corrections to give (default: 100)"
    )
    arguments = parser.parse_args(argv)
    _, validation = split_validation(load_mnist(True))
    test = load_mnist(False)
    frames, labels = foreign_digits(arguments.data, arguments.rows)
    sets = {
        "MNIST validation": ((validation.images[:, 0].float() / 255).numpy(), validation.labels.numpy()),
        "MNIST test": ((test.images[:, 0].float() / 255).numpy(), test.labels.numpy()),
    }
    with tempfile.TemporaryDirectory() as folder:
        recognizer = Recognizer(arguments.model, memory=Memory(folder))
        memory = recognizer.memory
        assert memory is not None
        before = {name: answers(recognizer, images) for name, (images, _) in sets.items()}
        said = answers(recognizer, frames)
        wrong = np.random.default_rng(0).permutation(np.flatnonzero(said != labels))
        given, others, right = (
            wrong[: arguments.count],
            wrong[arguments.count :],
            np.flatnonzero(said == labels),
        )
        at_once, seconds = 0, 0.0
        for index in given:
            started = time.perf_counter()
            memory.learn(frames[index], str(labels[index]))
            at_once += int(recognizer.classify(frames[index][None]).argmax()) == labels[index]
            seconds += time.perf_counter() - started
        print(
            f"{len(wrong)} of {len(labels)} wrong; {len(given)} corrected, {1000 * seconds / len(given):.1f} ms each "
            f"(kept on disk and read again), right right after: {at_once}"
        )
        report(recognizer, "memory", frames, labels, given, others, right, sets, before)

        tuner = make_tuner(recognizer.checkpoint)
        weights = {name: weight.clone() for name, weight in recognizer.checkpoint.model.state_dict().items()}
        outcome = tuner.tune(memory.entries())
        print(f"fine-tuning: {outcome}")
        report(
            Recognizer(recognizer.checkpoint),
            "fine-tuning alone",
            frames,
            labels,
            given,
            others,
            right,
            sets,
            before,
        )
        tuner.undo()
        while memory.undo():
            pass
        state = recognizer.checkpoint.model.state_dict()
        exact = all(torch.equal(weight, state[name]) for name, weight in weights.items())
        exact = (
            exact and bool((answers(recognizer, frames) == said).all()) and not any(Path(folder).iterdir())
        )
        print(f"undone: exactly as before: {exact}")
    return 0 if exact else 1


def foreign_digits(paths: list[Path], rows: str) -> tuple[np.ndarray, np.ndarray]:
    """Return frames (N, 28, 28) and labels (N,) of the single digits in test sets, all through the road."""
    frames, labels = [], []
    for path in paths:
        for number, sample in enumerate(load_samples(path)):
            if len(sample.label) != 1 or not sample.is_digit or rows == ("even", "odd")[1 - number % 2]:
                continue
            try:
                frames.append(frame_of(sample.source))
                labels.append(int(sample.label))
            except (OSError, PictureError) as error:
                print(f"corrections.py: left out: {command.one_line(error)}", file=sys.stderr)
    return np.stack(frames), np.array(labels)


def answers(recognizer: Recognizer, frames: np.ndarray) -> np.ndarray:
    """Return the class of each frame, in batches."""
    return np.concatenate(
        [recognizer.classify(part).argmax(1) for part in np.array_split(frames, len(frames) // 500 + 1)]
    )


def report(
    recognizer: Recognizer,
    name: str,
    frames: np.ndarray,
    labels: np.ndarray,
    given: np.ndarray,
    others: np.ndarray,
    right: np.ndarray,
    sets: dict[str, tuple[np.ndarray, np.ndarray]],
    before: dict[str, np.ndarray],
) -> None:
    """Print what is right now: of the corrected, the other wrong ones, those right before, and MNIST."""
    now = answers(recognizer, frames) == labels
    print(
        f"{name}: corrected right {now[given].sum()} of {len(given)}, other wrong ones now right {now[others].sum()} of "
        f"{len(others)}, right ones now wrong {(~now[right]).sum()} of {len(right)}"
    )
    for title, (images, truth) in sets.items():
        after = answers(recognizer, images)
        print(f"  {title}: {(before[title] == truth).mean():.2%} before, {(after == truth).mean():.2%} after")


if __name__ == "__main__":
    command.run(main, filters=False, told=DataError)
