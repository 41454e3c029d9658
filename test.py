"""Measure a trained network: on MNIST's test set, or on anybody's pictures through the whole road.

    $ python test.py
    $ python test.py --data pictures.tsv --by polarity

The only program that looks at MNIST's test set; nothing is ever chosen on what it prints.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from base import command
from base.storage import save_figure
from dataset import Batches, load_mnist
from ink.canvas import BRUSH_RANGE
from ink.decode import PictureError
from measuring.testsets import Sample, load_samples
from model import DIGITS, MODEL_PATH, Checkpoint, load_checkpoint, look_around, predict_logits
from model import evaluate as evaluate  # for visitors: the accuracy of a model on a loader
from recognizer.road import Recognizer

ECE_BINS = 15
WORST = 36          # mistakes shown in the report


@dataclass(frozen=True)
class Answer:
    """What was said of one picture. `probs` (classes,) if it was seen as one digit, refused or not; else None."""

    label: str
    is_digit: bool                  # or whatever the network's classes are
    text: str
    status: str
    probs: np.ndarray | None
    picture: np.ndarray             # what to show of it in the report
    group: str = ""

    @property
    def right(self) -> bool:
        """A digit read as its label (lines joined without a break), or a picture of no digit refused."""
        return self.text == self.label if self.is_digit else self.status not in ("ok", "error")

    @property
    def confidence(self) -> float:
        return 0.0 if self.probs is None else float(self.probs.max())


def main(argv: list[str] | None = None) -> int:
    """Print the measurements and return the exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        for option, belongs in (("by", True), ("tta", False), ("data_dir", False)):
            if getattr(arguments, option) and belongs != (arguments.data is not None):
                raise ValueError(f"--{option.replace('_', '-')} {'belongs to' if belongs else 'is for MNIST, not for'} --data")
        device = arguments.device
        checkpoint = load_checkpoint(arguments.model or MODEL_PATH, device, arguments.trust)
        started = time.perf_counter()
        if arguments.data is None:
            name = "MNIST test set"
            if checkpoint.classes != DIGITS or not checkpoint.input["road"]:
                raise ValueError(f"this model was trained on other pictures ({', '.join(checkpoint.classes)}): name some with --data")
            answers = mnist_answers(checkpoint, arguments.data_dir, device, arguments.tta)
        else:
            name = str(arguments.data)
            samples = load_samples(arguments.data, arguments.brush)
            answers = picture_answers(Recognizer(checkpoint, device), samples, arguments.by)
        report = {"data": name, **measure(answers, checkpoint.classes), "seconds": time.perf_counter() - started}
        report["images_per_second"] = len(answers) / report["seconds"]
        print(json.dumps(report) if arguments.json else as_text(report), flush=True)
        if arguments.plot:
            plot_report(answers, report, arguments.plot)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"test.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="test.py",
        description="Measure a trained network on MNIST's test set, or on labelled pictures through the whole road.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="test sets: a folder of sub-folders named by digit; a .tsv with columns path and label; an .npz with x (uint8,\n"
        "ink bright) and y; a .jsonl.gz of pen strokes. Labels that are no digits are pictures to be refused.\n\n"
        "examples:\n"
        "  python test.py --plot report.png\n"
        "  python test.py --data pictures.tsv --by polarity --json\n"
        "  python test.py --data strokes.jsonl.gz --brush 6\n",
    )
    parser.add_argument("--data", type=Path, help="test set (default: MNIST's test set)")
    parser.add_argument("--by", metavar="COLUMN", help="also a row for each value of this column")
    parser.add_argument("--brush", type=command.number(float, *BRUSH_RANGE), default=16,
                        help="pen width in px of the 280 px canvas, for strokes (default: 16)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw confusion matrix, reliability curve, worst mistakes")
    parser.add_argument("--tta", action="store_true", help="MNIST: mean over eleven views of each picture (slower)")
    parser.add_argument("--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)")
    parser.add_argument("--model", type=Path, help="checkpoint to use (default: the model.pth beside this program)")
    parser.add_argument("--trust", action="store_true", help="open a --model that ends in .pt2, which may hold code")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (default: cpu)")
    return parser


# ---------------------------------------------------------------------------------- answers

def mnist_answers(checkpoint: Checkpoint, data_dir: Path | None, device: str, tta: bool) -> list[Answer]:
    """Return an answer for each of MNIST's 10,000 test pictures, which go straight to the network."""
    digits = load_mnist(False, data_dir)
    loader: Iterable[tuple[Tensor, Tensor]] = tqdm(Batches(digits, 500, device), desc="MNIST", disable=not sys.stderr.isatty())

    def network(images: Tensor) -> Tensor:
        views = look_around(images).unbind(1) if tta else [images]
        return torch.stack([checkpoint.model(view) for view in views]).mean(0)

    network.training, network.eval, network.train = False, lambda: None, lambda mode: None      # type: ignore[attr-defined]
    logits, labels = predict_logits(network, loader, device)
    probs = (logits / checkpoint.temperature).softmax(1).numpy()
    return [Answer(str(int(label)), True, str(int(p.argmax())), "ok", p, image.numpy())
            for label, p, image in zip(labels, probs, digits.images[:, 0])]


def picture_answers(recognizer: Recognizer, samples: Iterable[Sample], by: str | None) -> list[Answer]:
    """Return an answer for each picture, read through the whole road; one that cannot be read counts as wrong."""
    answers = []
    classes = recognizer.classes
    for sample in tqdm(samples, desc="pictures", unit="", disable=not sys.stderr.isatty()):
        if by is not None and by not in sample.columns:
            raise ValueError(f"no column {by!r} in this test set: it has {', '.join(sample.columns) or 'none'}")
        known = sample.label in classes or sample.is_digit and set(sample.label) <= set(classes)
        group = sample.columns[by] if by else ""
        try:
            reading = recognizer.read(sample.source)
        except (OSError, PictureError) as error:
            print(f"test.py: {command.one_line(error)}", file=sys.stderr)
            answers.append(Answer(sample.label, known, "", "error", None, np.zeros((28, 28), np.uint8), group))
            continue
        single = reading.groups[0] if len(reading.groups) == 1 else None
        frame = reading.groups[0].frame if reading.groups else np.zeros((28, 28), np.float32)
        answers.append(Answer(
            sample.label, known, reading.text.replace("\n", ""), reading.status,
            np.array(single.probs) if single else None, (frame * 255).astype(np.uint8), group))
    if not answers:
        raise ValueError("the test set is empty")
    return answers


# ---------------------------------------------------------------------------------- measures

def measure(answers: list[Answer], classes: tuple[str, ...] = DIGITS) -> dict[str, Any]:
    """Return accuracy with count and interval, loss, ECE, per-class precision and recall, confusion, refusals.

    The confusion matrix has a row a class and a last column for refused, blank or several digits.
    """
    from torchmetrics.functional.classification import binary_auroc, multiclass_confusion_matrix

    digits = [a for a in answers if a.is_digit]
    others = [a for a in answers if not a.is_digit]
    singles = [a for a in digits if a.label in classes]
    index = {name: number for number, name in enumerate(classes)}
    report: dict[str, Any] = {"pictures": len(answers), "classes": list(classes)}
    if digits:
        report.update(_accuracy(digits))
        report["refused"] = sum(a.status == "not_a_digit" for a in digits)
        report["blank"] = sum(a.status == "blank" for a in digits)
    seen = [a for a in singles if a.probs is not None]
    if seen:
        probs = torch.tensor(np.array([a.probs for a in seen]))
        labels = torch.tensor([index[a.label] for a in seen])
        report["loss"] = float(probs[range(len(seen)), labels].clamp(1e-12, 1).log().mean().abs())
        report["ece"] = _ece(probs, labels)
    if singles:
        report["several_groups"] = sum(a.probs is None and a.status not in ("blank", "error") for a in singles)
        truth = torch.tensor([index[a.label] for a in singles])
        said = torch.tensor([index.get(a.text, len(classes)) for a in singles])
        matrix = multiclass_confusion_matrix(said, truth, len(classes) + 1)[:-1]
        report["confusion"] = matrix.tolist()
        hits = matrix.diagonal().double()
        report["precision"] = (hits / matrix.sum(0)[:-1].clamp(min=1)).tolist()
        report["recall"] = (hits / matrix.sum(1).clamp(min=1)).tolist()
    if others:
        report["negatives"], report["negatives_refused"] = len(others), sum(a.right for a in others)
        if singles:
            scores = torch.tensor([a.confidence for a in singles + others])
            report["auroc"] = float(binary_auroc(scores, torch.tensor([1] * len(singles) + [0] * len(others))))
    groups = sorted({a.group for a in answers} - {""})
    if groups:
        report["by"] = {group: _accuracy([a for a in answers if a.group == group]) for group in groups}
    return report


def interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson, 1927)."""
    z = 1.959964
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return min(middle - half, share), max(middle + half, share)  # all or nothing right: not beside it by rounding


def _accuracy(answers: list[Answer]) -> dict[str, Any]:
    right = sum(a.right for a in answers)
    low, high = interval(right, len(answers))
    return {"accuracy": right / len(answers), "right": right, "count": len(answers), "interval": [low, high]}


def _ece(probs: Tensor, labels: Tensor) -> float:
    """Return the expected calibration error over ECE_BINS equal bins (Naeini et al., 2015)."""
    from torchmetrics.functional.classification import multiclass_calibration_error

    return float(multiclass_calibration_error(probs, labels, probs.shape[1], n_bins=ECE_BINS, norm="l1"))


def as_text(report: dict[str, Any]) -> str:
    """Return the report for people."""
    lines = []
    if "accuracy" in report:
        lines.append(f"{report['data']}: {_share(report)}")
    facts = []
    if "loss" in report:
        facts.append(f"loss {report['loss']:.4f}, ECE {report['ece']:.2%} ({ECE_BINS} bins)")
    for key, words in (("refused", "refused as no digit"), ("blank", "seen as blank"), ("several_groups", "read as several digits")):
        if report.get(key):
            facts.append(f"{report[key]:,} {words}")
    facts.append(f"{report['images_per_second']:,.0f} images a second")
    lines.append(", ".join(facts))
    if "negatives" in report:
        lines.append(f"no digit: {report['negatives_refused']:,} of {report['negatives']:,} refused"
                     + (f", AUROC {report['auroc']:.4f}" if "auroc" in report else ""))
    lines.extend(f"  {group}: {_share(row)}" for group, row in report.get("by", {}).items())
    if "confusion" in report:
        wide = max(5, *map(len, report["classes"]))
        title = "digit" if report["classes"] == list(DIGITS) else "class"
        lines.append(f"{title:>{wide}}  precision  recall   read as" + "".join(f" {name:>{wide}}" for name in report["classes"]) + " other")
        for name, precision, recall, row in zip(report["classes"], report["precision"], report["recall"], report["confusion"]):
            shares = f"{precision:>9.2%}  {recall:>6.2%}"
            lines.append(f"{name:>{wide}}  {shares}          " + "".join(f" {count:>{wide}}" for count in row))
    return "\n".join(lines)


def _share(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{row['accuracy']:.2%} ({row['right']:,} of {row['count']:,}; 95% interval {100 * low:.2f}-{100 * high:.2f})"


# ---------------------------------------------------------------------------------- pictures

def plot_report(answers: list[Answer], report: dict[str, Any], path: Path) -> None:
    """Draw the confusion matrix, the reliability curve and the worst mistakes with truth and answer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(15, 7.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25])       # type: ignore[misc]  # matplotlib: an array
    top, bottom = left.subplots(2, 1, height_ratios=[1.5, 1])
    if "confusion" in report:
        matrix = np.array(report["confusion"], float)
        top.imshow(np.log1p(matrix), cmap="Blues")
        top.set(xlabel="answer", ylabel="truth", xticks=range(len(matrix) + 1), yticks=range(len(matrix)))
        top.set_xticklabels([*report["classes"], "other"])
        top.set_yticklabels(report["classes"])
        for row, column in np.ndindex(matrix.shape):
            if matrix[row, column]:
                top.text(column, row, int(matrix[row, column]), ha="center", va="center", fontsize=7,
                         color="white" if row == column else "black")
    seen = [(a.confidence, a.label == report["classes"][int(a.probs.argmax())]) for a in answers if a.is_digit and a.probs is not None]
    confidence, right_ones = np.array([c for c, _ in seen]), np.array([r for _, r in seen], float)
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    filled = [b for b in range(ECE_BINS) if (bins == b).any()]
    bottom.plot([0, 1], [0, 1], color="grey", linewidth=1)
    bottom.plot([confidence[bins == b].mean() for b in filled], [right_ones[bins == b].mean() for b in filled], "o-")
    bottom.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.02))
    wrong = sorted((a for a in answers if not a.right), key=lambda a: -a.confidence)[:WORST]
    right.suptitle(f"the {len(wrong)} worst of {sum(not a.right for a in answers):,} mistakes: truth, then answer")
    for axes, answer in zip(right.subplots(6, 6).flat, [*wrong, *[None] * (WORST - len(wrong))]):
        axes.set_axis_off()
        if answer is not None:
            axes.imshow(answer.picture, cmap="gray", vmin=0, vmax=255)
            said = answer.text or answer.status.replace("_", " ")
            axes.set_title(f"{answer.label} → {said} {answer.confidence:.0%}", fontsize=8)
    save_figure(figure, path, 100)
    pyplot.close(figure)


if __name__ == "__main__":
    command.run(main)
