"""How other people's digits are read, and what is no digit refused: every row through the whole road, models side by side.

    $ python -m benchmarks.hands model.pth backups/model.pth --sets handwriting/
    $ python -m benchmarks.hands model.pth --sets handwriting/ --plot docs/refusal.png

The sets lie in one folder, named as docs/data.md names them; a set that is not there is left out, and said. For choosing and
for reporting, never for training.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from base.checkpoint import Checkpoint, load_checkpoint
from dataset import Batches, load_mnist, split_validation
from ink.decode import PictureError
from measuring.plots import save_figure
from measuring.testsets import Sample, load_samples
from recognizer.asking import calibrated, certainty, predict_logits
from recognizer.road import Recognizer
from training.hands.sets import RINGS

BRUSHES = (14, 6, 24)  # px of the 280 px canvas
AMBIGUOUS = frozenset("OoIliSsZzBbGgqQDJjtTyYL")  # letters that look like digits in some hands
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
AT_ONCE = 64  # pictures
MOVED = (-4, -2, -1, 0, 1, 2, 4, 8)  # nats by which the thresholds are moved for the plot


@dataclass(frozen=True)
class Row:
    """One line of the table, or two: what it holds is digits to be read, or nothing (`refuse`); `clear`: labels of the second line."""

    name: str
    samples: list[Sample]
    refuse: bool
    clear: frozenset[str] | None = None


def main(argv: list[str] | None = None) -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.hands", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="checkpoints, one column each")
    parser.add_argument("--sets", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--every", type=int, default=1, help="take one picture in so many (default: 1)")
    parser.add_argument(
        "--brushes", type=float, nargs="+", default=BRUSHES, help="pen widths in px (default: 14 6 24)"
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="PNG",
        help="draw digits refused against each kind refused, of the first model (reads all eight times more)",
    )
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw")
    arguments = parser.parse_args(argv)
    try:
        checkpoints = [load_checkpoint(path) for path in arguments.models]
        print(
            f"| what | n | {' | '.join(str(path) for path in arguments.models)} |\n|---|---:|{'---:|' * len(checkpoints)}"
        )
        print(mnist_row(checkpoints, arguments.data_dir), flush=True)
        curves: list[Curve] = []
        for row in find_rows(arguments.sets, arguments.brushes, arguments.every):
            print("\n".join(measure(checkpoints, row)), flush=True)
            if arguments.plot and row.samples:
                curves.append(Curve(row.name, row.refuse, len(row.samples), refused_at(checkpoints[0], row)))
        if arguments.plot:
            plot_refusals(curves, arguments.plot)
    except (OSError, ValueError) as error:
        print(f"benchmarks.hands: {error}", file=sys.stderr)
        return 1
    return 0


def find_rows(folder: Path, brushes: list[float], every: int) -> Iterator[Row]:
    """Yield the rows whose sets lie in `folder`, one after the other; what is missing is said on stderr."""

    def samples(name: str, brush: float = 16) -> list[Sample]:
        if not (folder / name).exists():
            print(f"no {folder / name}: left out", file=sys.stderr)
            return []
        return list(islice(load_samples(folder / name, brush), 0, None, every))

    pictures = samples("pictures.tsv")
    singles = [sample for sample in pictures if sample.columns["kind"] == "single"]
    for polarity in ("light_on_dark", "dark_on_light", "photo", "other"):
        yield Row(
            f"pictures, {polarity}", [each for each in singles if each.columns["polarity"] == polarity], False
        )
    yield Row("semeion", samples("semeion.npz"), False)
    for brush in brushes:
        for name in ("digilets", "chars74k", "unipen"):
            yield Row(f"{name} digits, brush {brush:g}", samples(f"{name}_digits.jsonl.gz", brush), False)
        for name in ("digilets", "chars74k", "unipen"):
            letters = samples(f"{name}_letters.jsonl.gz", brush)
            yield Row(f"{name} letters, brush {brush:g}", letters, True, LETTERS - AMBIGUOUS)
    doodles = samples("quickdraw.jsonl.gz", brushes[0])
    yield Row("doodles", doodles, True, frozenset(each.label for each in doodles) - RINGS)
    yield Row("words", samples("unipen_words.jsonl.gz", brushes[0]), True)
    yield Row(
        "pictures of no digit (Greek)",
        [each for each in pictures if each.columns["kind"] == "negative"],
        True,
    )


def mnist_row(checkpoints: list[Checkpoint], data_dir: Path | None) -> str:
    """Return the row on MNIST's validation split: right, and how many would be refused by the frame alone."""
    _, digits = split_validation(load_mnist(True, data_dir))
    cells = []
    for checkpoint in checkpoints:
        logits, labels = predict_logits(checkpoint.model, Batches(digits, 500), "cpu")
        refused = certainty(calibrated(checkpoint, logits.numpy())) < checkpoint.threshold
        cells.append(
            f"{_percent(int((logits.argmax(1) == labels).sum()), len(labels))} ({int(refused.sum())})"
        )
    return f"| MNIST validation | {len(digits):,} | {' | '.join(cells)} |"


def measure(checkpoints: list[Checkpoint], row: Row) -> list[str]:
    """Return a row's lines: the share right or refused in per cent; of digits also how many were refused."""
    right, refused = np.array([read_row(Recognizer(each), row) for each in checkpoints]).swapaxes(0, 1)
    if not row.refuse:
        cells = [f"{_percent(int(a.sum()), a.size)} ({int(b.sum())})" for a, b in zip(right, refused)]
        return [f"| {row.name} | {len(row.samples):,} | {' | '.join(cells)} |"]
    chosen = [("", np.ones(len(row.samples), bool))]
    if row.clear is not None:
        chosen.append((", clear ones", np.array([sample.label in row.clear for sample in row.samples], bool)))
    return [
        f"| {row.name}{what} | {int(part.sum()):,} | {' | '.join(_percent(int(each[part].sum()), int(part.sum())) for each in refused)} |"
        for what, part in chosen
    ]


def read_row(recognizer: Recognizer, row: Row) -> np.ndarray:
    """Return which pictures of a row are read right, and which are refused: bool (2, N)."""
    right, refused = np.zeros((2, len(row.samples)), bool)
    for start in range(0, len(row.samples), AT_ONCE):
        part = row.samples[start : start + AT_ONCE]
        for number, reading in enumerate(recognizer.read_many([each.source for each in part]), start):
            said = None if isinstance(reading, (OSError, PictureError)) else reading
            refused[number] = said is None or said.status != "ok"
            right[number] = said is not None and said.text == row.samples[number].label
    return np.stack([right, refused])


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "-"


# ---------------------------------------------------------------------------------- the whole curve


@dataclass(frozen=True)
class Curve:
    """How many of the n pictures of a row are refused with all thresholds moved by each of MOVED: int (len(MOVED),)."""

    name: str
    refuse: bool
    n: int
    refused: np.ndarray


def refused_at(checkpoint: Checkpoint, row: Row) -> np.ndarray:
    """Return how many (len(MOVED),) of a row's pictures are refused with all thresholds moved by each of MOVED."""
    fitted, refused = Recognizer(checkpoint).checkpoint, []
    for nats in MOVED:
        facts = {**fitted.facts, "line_thresholds": [each + nats for each in fitted.line_thresholds]}
        refused.append(int(read_row(Recognizer(replace(fitted, facts=facts)), row)[1].sum()))
    return np.array(refused)


def plot_refusals(curves: list[Curve], path: Path) -> None:
    """Draw how much of each kind is refused against how many of all digits, as the thresholds move."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    known = [curve for curve in curves if not curve.refuse]
    digits = np.sum([curve.refused for curve in known], axis=0) / sum(curve.n for curve in known)
    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    for curve in curves:
        if curve.refuse:
            axes.plot(100 * digits, 100 * curve.refused / curve.n, marker=".", label=curve.name)
    now = 100 * digits[MOVED.index(0)]
    axes.axvline(now, color="grey", linestyle=":", label="the model's thresholds")
    axes.set(
        xlabel=f"digits refused, % (n = {sum(curve.n for curve in known):,})",
        ylabel="refused, %",
        ylim=(0, 101),
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, path, 120)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
