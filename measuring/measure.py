"""Accuracy with its interval, calibration and refusals of answers whose truth is known."""

from __future__ import annotations

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

from base.checkpoint import Checkpoint, load_checkpoint
from base.command import one_line
from dataset import Batches, load_mnist
from ink.decode import PictureError
from measuring.testsets import Sample, load_samples
from model import DIGITS
from recognizer.asking import calibrated, look_around, predict_logits
from recognizer.road import Recognizer

ECE_BINS = 15


@dataclass(frozen=True)
class Answer:
    """What was said of one picture. `probs` (classes,) if it was seen as one digit, refused or not; else None."""

    label: str
    is_digit: bool  # or whatever the network's classes are
    text: str
    status: str
    probs: np.ndarray | None
    picture: np.ndarray  # what to show of it in the report
    group: str = ""

    @property
    def right(self) -> bool:
        """A digit read as its label (lines joined without a break), or a picture of no digit refused."""
        return self.text == self.label if self.is_digit else self.status != "ok"

    @property
    def confidence(self) -> float:
        return 0.0 if self.probs is None else float(self.probs.max())


def measure_data(
    model: Path,
    data: Path | None = None,
    *,
    device: str = "cpu",
    by: str | None = None,
    brush: float = 16,
    views: bool = False,
    data_dir: Path | None = None,
) -> tuple[list[Answer], dict[str, Any]]:
    """Return the answers of a model and their report: on the test set `data`, or on MNIST's without one.

    `by` names a column whose values get a row each; `brush` is the pen's width in px of the 280 px canvas,
    for strokes; with `views` MNIST's pictures are seen from eleven sides. Raises OSError or ValueError.
    """
    checkpoint = load_checkpoint(model, device)
    started = time.perf_counter()
    unreadable: list[str] = []
    if data is None:
        if checkpoint.classes != DIGITS or not checkpoint.input["road"]:
            others = ", ".join(checkpoint.classes)
            raise ValueError(f"this model was trained on other pictures ({others}): name some with --data")
        answers = mnist_answers(checkpoint, data_dir, device, views)
    else:
        samples = load_samples(data, brush)
        answers = picture_answers(Recognizer(checkpoint, device), samples, by, unreadable)
    seconds = time.perf_counter() - started
    report = {
        "model": str(model),
        "data": "MNIST test set" if data is None else str(data),
        **measure(answers, checkpoint.classes),
        "unreadable": unreadable,
        "seconds": seconds,
        "images_per_second": len(answers) / seconds,
    }
    return answers, report


def mnist_answers(checkpoint: Checkpoint, data_dir: Path | None, device: str, views: bool) -> list[Answer]:
    """Return an answer for each of MNIST's 10,000 test pictures, which go straight to the network."""
    digits = load_mnist(False, data_dir)
    batches = tqdm(Batches(digits, 500, device), desc="MNIST", disable=not sys.stderr.isatty())

    def network(images: Tensor) -> Tensor:
        if not views:
            return checkpoint.model(images)
        seen = torch.from_numpy(look_around(images.cpu().numpy())).to(images.device)
        return torch.stack([checkpoint.model(view) for view in seen.unbind(1)]).mean(0)

    logits, labels = predict_logits(network, batches, device)
    probs = calibrated(checkpoint, logits.numpy())
    return [
        Answer(str(int(label)), True, str(int(p.argmax())), "ok", p, image.numpy())
        for label, p, image in zip(labels, probs, digits.images[:, 0])
    ]


def picture_answers(
    recognizer: Recognizer, samples: Iterable[Sample], by: str | None, unreadable: list[str]
) -> list[Answer]:
    """Return an answer for each picture, read as predict.py reads it; `unreadable` gets a line for each other file."""
    answers = []
    classes = recognizer.classes
    for sample in tqdm(samples, desc="pictures", unit="", disable=not sys.stderr.isatty()):
        if by is not None and by not in sample.columns:
            raise ValueError(
                f"no column {by!r} in this test set: it has {', '.join(sample.columns) or 'none'}"
            )
        try:
            reading = recognizer.read(sample.source)
        except (OSError, PictureError) as error:
            unreadable.append(one_line(error))
            continue
        known = sample.label in classes or sample.is_digit and set(sample.label) <= set(classes)
        single = reading.groups[0] if len(reading.groups) == 1 else None
        frame = reading.groups[0].frame if reading.groups else np.zeros((28, 28), np.float32)
        answers.append(
            Answer(
                sample.label,
                known,
                reading.text.replace("\n", ""),
                reading.status,
                np.array(single.probs) if single else None,
                (frame * 255).astype(np.uint8),
                sample.columns[by] if by else "",
            )
        )
    if not answers:
        raise ValueError(
            f"none of the pictures could be read: {unreadable[0]}" if unreadable else "the test set is empty"
        )
    return answers


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
        report["several_groups"] = sum(a.probs is None and a.status != "blank" for a in singles)
        truth = torch.tensor([index[a.label] for a in singles])
        said = torch.tensor([index.get(a.text, len(classes)) for a in singles])
        matrix = multiclass_confusion_matrix(said, truth, len(classes) + 1)[:-1]
        report["confusion"] = matrix.tolist()
        hits = matrix.diagonal().double()
        report["precision"] = _shares(hits, matrix.sum(0)[:-1])
        report["recall"] = _shares(hits, matrix.sum(1))
    if others:
        report["negatives"], report["negatives_refused"] = len(others), sum(a.right for a in others)
        if singles:
            scores = torch.tensor([a.confidence for a in singles + others])
            report["auroc"] = float(
                binary_auroc(scores, torch.tensor([1] * len(singles) + [0] * len(others)))
            )
    groups = sorted({a.group for a in answers} - {""})
    if groups:
        report["by"] = {group: _row([a for a in answers if a.group == group]) for group in groups}
    return report


def interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson, 1927)."""
    z = 1.959964
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, min(middle - half, share)), min(
        1.0, max(middle + half, share)
    )  # rounding leads beside it


def _row(answers: list[Answer]) -> dict[str, Any]:
    """Return the accuracy on the digits among `answers`, and the refusals of the others."""
    digits, others = [a for a in answers if a.is_digit], [a for a in answers if not a.is_digit]
    row = _accuracy(digits) if digits else {}
    if others:
        row.update(negatives=len(others), negatives_refused=sum(a.right for a in others))
    return row


def _shares(hits: Tensor, counts: Tensor) -> list[float | None]:
    """Return hits / counts, None where there is nothing to count."""
    return [float(hit / count) if count else None for hit, count in zip(hits, counts)]


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
    for key, words in (
        ("refused", "refused as no digit"),
        ("blank", "seen as blank"),
        ("several_groups", "read as several digits"),
    ):
        if report.get(key):
            facts.append(f"{report[key]:,} {words}")
    facts.append(f"{report['images_per_second']:,.0f} images a second")
    lines.append(", ".join(facts))
    if "negatives" in report:
        lines.append(_refusals(report) + (f", AUROC {report['auroc']:.4f}" if "auroc" in report else ""))
    for group, row in report.get("by", {}).items():
        parts = [_share(row)] if "accuracy" in row else []
        parts += [_refusals(row)] if "negatives" in row else []
        lines.append(f"  {group}: {'; '.join(parts)}")
    if "confusion" in report:
        wide = max(5, *map(len, report["classes"]))
        title = "digit" if report["classes"] == list(DIGITS) else "class"
        lines.append(
            f"{title:>{wide}}  precision  recall   read as"
            + "".join(f" {name:>{wide}}" for name in report["classes"])
            + " other"
        )
        for name, precision, recall, row in zip(
            report["classes"], report["precision"], report["recall"], report["confusion"]
        ):
            shares = f"{_percent(precision):>9}  {_percent(recall):>6}"
            lines.append(
                f"{name:>{wide}}  {shares}          " + "".join(f" {count:>{wide}}" for count in row)
            )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _refusals(row: dict[str, Any]) -> str:
    return f"no digit: {row['negatives_refused']:,} of {row['negatives']:,} refused"


def _share(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    counted = f"{row['right']:,} of {row['count']:,}"
    return f"{row['accuracy']:.2%} ({counted}; 95% interval {100 * low:.2f}-{100 * high:.2f})"
