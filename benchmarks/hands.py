"""How other people's digits are read, and what is no digit refused: every row through the whole road, models side by side.

    $ python -m benchmarks.hands model.pth backups/model.pth --sets ../shared/data/handwriting
    $ python -m benchmarks.hands model.pth --sets ../shared/data/handwriting --plot docs/refusal.png

The sets lie in one folder, named as docs/data.md names them; a set that is not there is left out, and said. For choosing and
for reporting, never for training.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from base.checkpoint import Checkpoint, load_checkpoint
from dataset import Batches, load_mnist, split_validation
from ink.decode import PictureError
from measuring.plots import save_figure
from measuring.testsets import Sample, load_samples
from recognizer.asking import certainty, predict_logits
from recognizer.road import Recognizer
from training.folders import frame_of

BRUSHES = (14, 6, 24)  # px of the 280 px canvas
AMBIGUOUS = frozenset("OoIliSsZzBbGgqQDJjtTyYL")  # letters that look like digits in some hands
RINGS = frozenset(  # Quick, Draw!'s, that are a ring, a bar or a hook
    "circle line donut moon pond squiggle finger knee nail ear bracelet peanut snake boomerang zigzag lightning triangle".split()
) | {"baseball bat", "golf club", "hockey stick", "paper clip"}
AT_ONCE = 64  # pictures


@dataclass(frozen=True)
class Row:
    """One line of the table: the samples' truth is a digit to be read, or nothing (`refuse`)."""

    name: str
    samples: list[Sample]
    refuse: bool


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
        help="draw digits refused against each kind refused, of the first model",
    )
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw")
    arguments = parser.parse_args(argv)
    try:
        checkpoints = [load_checkpoint(path) for path in arguments.models]
        print(
            f"| what | n | {' | '.join(path.name for path in arguments.models)} |\n|---|---:|{'---:|' * len(checkpoints)}"
        )
        print("\n".join(mnist_rows(checkpoints, arguments.data_dir)), flush=True)
        rows = list(find_rows(arguments.sets, arguments.brushes, arguments.every))
        for row in rows:
            figures = [measure(checkpoint, row) for checkpoint in checkpoints]
            print(f"| {row.name} | {len(row.samples):,} | {' | '.join(figures)} |", flush=True)
        if arguments.plot:
            plot_refusals(checkpoints[0], rows, arguments.plot)
    except (OSError, ValueError) as error:
        print(f"benchmarks.hands: {error}", file=sys.stderr)
        return 1
    return 0


def find_rows(folder: Path, brushes: list[float], every: int) -> Iterator[Row]:
    """Yield the rows whose sets lie in `folder`; what is missing is said on stderr."""

    def samples(name: str, brush: float = 16) -> list[Sample]:
        if not (folder / name).exists():
            print(f"no {folder / name}: left out", file=sys.stderr)
            return []
        return list(load_samples(folder / name, brush))[::every]

    pictures = samples("pictures.tsv")
    for polarity in ("light_on_dark", "dark_on_light", "photo", "other"):
        yield Row(
            f"pictures, {polarity}",
            [s for s in pictures if s.columns["kind"] == "single" and s.columns["polarity"] == polarity],
            False,
        )
    yield Row("semeion", samples("semeion.npz"), False)
    for name in ("digilets", "chars74k", "unipen"):
        for brush in brushes:
            yield Row(f"{name} digits, brush {brush:g}", samples(f"{name}_digits.jsonl.gz", brush), False)
    for name in ("digilets", "chars74k", "unipen"):
        for brush in brushes:
            letters = samples(f"{name}_letters.jsonl.gz", brush)
            yield Row(f"{name} letters, brush {brush:g}, all", letters, True)
            yield Row(
                f"{name} letters, brush {brush:g}, clear ones",
                [s for s in letters if s.label not in AMBIGUOUS],
                True,
            )
    doodles = samples("quickdraw.jsonl.gz", brushes[0])
    yield Row("doodles, all", doodles, True)
    yield Row("doodles, no rings and bars", [s for s in doodles if s.label not in RINGS], True)
    yield Row("words", samples("unipen_words.jsonl.gz", brushes[0]), True)
    yield Row("pictures of no digit (Greek)", [s for s in pictures if s.columns["kind"] == "negative"], True)


def mnist_rows(checkpoints: list[Checkpoint], data_dir: Path | None) -> list[str]:
    """Return rows on MNIST's validation split: right, and refused."""
    _, digits = split_validation(load_mnist(True, data_dir))
    lines = []
    for checkpoint in checkpoints:
        logits, labels = predict_logits(checkpoint.model, Batches(digits, 500), "cpu")
        refused = certainty((logits / checkpoint.temperature).softmax(1).numpy()) < checkpoint.threshold
        lines.append(
            f"{_percent(int((logits.argmax(1) == labels).sum()), len(labels))} ({int(refused.sum())})"
        )
    return [f"| MNIST validation (refused by the frame alone) | {len(digits):,} | {' | '.join(lines)} |"]


def measure(checkpoint: Checkpoint, row: Row) -> str:
    """Return the share right or refused in per cent; of digits also how many were refused."""
    recognizer = Recognizer(checkpoint)
    right = refused = 0
    for start in range(0, len(row.samples), AT_ONCE):
        part = row.samples[start : start + AT_ONCE]
        for sample, reading in zip(part, recognizer.read_many([each.source for each in part])):
            said = None if isinstance(reading, (OSError, PictureError)) else reading
            no_answer = said is None or said.status != "ok"
            refused += no_answer
            right += no_answer if row.refuse else said is not None and said.text == sample.label
    share = _percent(right, len(row.samples))
    return share if row.refuse else f"{share} ({refused})"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "-"


# ---------------------------------------------------------------------------------- the whole curve


def plot_refusals(checkpoint: Checkpoint, rows: list[Row], path: Path) -> None:
    """Draw how much of each kind is refused against how many digits, at every threshold; of frames alone, one a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    scores = {row.name: _scores(checkpoint, row) for row in rows if row.samples}
    digits = np.sort(np.concatenate([scores[row.name] for row in rows if not row.refuse and row.samples]))
    shares = np.geomspace(1e-4, 0.1, 200)
    thresholds = np.quantile(digits, shares)
    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    for row in rows:
        if row.refuse and row.samples:
            axes.plot(
                100 * shares,
                [100 * (scores[row.name] < threshold).mean() for threshold in thresholds],
                label=row.name,
            )
    now = 100 * (digits < checkpoint.threshold).mean()
    axes.axvline(
        now, color="grey", linestyle=":", label=f"the model's threshold, {checkpoint.threshold:.2f} nats"
    )
    axes.set(
        xlabel="digits refused, % (all sets of digits)", ylabel="refused, %", xscale="log", ylim=(0, 101)
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, path, 120)
    pyplot.close(figure)


def _scores(checkpoint: Checkpoint, row: Row) -> np.ndarray:
    """Return the certainty (N,) in nats of each picture's frame; 0 for one without ink."""
    frames = []
    for sample in row.samples:
        try:
            frames.append(frame_of(sample.source))
        except (OSError, PictureError):
            frames.append(np.zeros((28, 28), np.float32))
    images: Tensor = torch.from_numpy(np.stack(frames))[:, None]
    with torch.inference_mode():
        logits = torch.cat([checkpoint.model(part).float() for part in images.split(500)])
    return certainty((logits / checkpoint.temperature).softmax(1).numpy())


if __name__ == "__main__":
    sys.exit(main())
