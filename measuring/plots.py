"""Every figure that is plotted: training curves, the report of test.py, what predict.py saw."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from base.storage import atomic_write
from ink.decode import Source, open_picture
from measuring.measure import ECE_BINS, Answer
from recognizer.answer import Reading, describe

MOST_PLOTTED = 20  # pictures in one plot
MOST_FRAMES = 12  # frames a picture in a plot

WORST = 36  # mistakes shown in the report


def plot_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draw loss and validation accuracy by epoch to a picture file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    epochs = [line["epoch"] for line in history]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(epochs, [line["loss"] for line in history], label="training (augmented)")
    left.plot(epochs, [line["validation_loss"] for line in history], label="validation")
    left.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
    left.legend()
    right.plot(epochs, [100 * line["training_accuracy"] for line in history], label="training (augmented)")
    right.plot(epochs, [100 * line["validation_accuracy"] for line in history], label="validation")
    right.set(xlabel="epoch", ylabel="accuracy, %")
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    save_figure(figure, path, 120)
    pyplot.close(figure)


def plot_report(answers: list[Answer], report: dict[str, Any], path: Path) -> None:
    """Draw the confusion matrix, the reliability curve and the worst mistakes with truth and answer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(15, 7.5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.25])  # type: ignore[misc]  # matplotlib: an array
    top, bottom = left.subplots(2, 1, height_ratios=[1.5, 1])
    if "confusion" in report:
        matrix = np.array(report["confusion"], float)
        top.imshow(np.log1p(matrix), cmap="Blues")
        top.set(xlabel="answer", ylabel="truth", xticks=range(len(matrix) + 1), yticks=range(len(matrix)))
        top.set_xticklabels([*report["classes"], "other"])
        top.set_yticklabels(report["classes"])
        for row, column in np.ndindex(matrix.shape):
            if matrix[row, column]:
                top.text(
                    column,
                    row,
                    int(matrix[row, column]),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if row == column else "black",
                )
    seen = [
        (a.confidence, a.label == report["classes"][int(a.probs.argmax())])
        for a in answers
        if a.is_digit and a.probs is not None
    ]
    confidence, right_ones = np.array([c for c, _ in seen]), np.array([r for _, r in seen], float)
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    filled = [b for b in range(ECE_BINS) if (bins == b).any()]
    bottom.plot([0, 1], [0, 1], color="grey", linewidth=1)
    bottom.plot(
        [confidence[bins == b].mean() for b in filled], [right_ones[bins == b].mean() for b in filled], "o-"
    )
    bottom.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.02))
    wrong = sorted((a for a in answers if not a.right), key=lambda a: -a.confidence)[:WORST]
    right.suptitle(
        f"the {len(wrong)} worst of {sum(not a.right for a in answers):,} mistakes: truth, then answer"
    )
    for axes, answer in zip(right.subplots(6, 6).flat, [*wrong, *[None] * (WORST - len(wrong))]):
        axes.set_axis_off()
        if answer is not None:
            axes.imshow(answer.picture, cmap="gray", vmin=0, vmax=255)
            said = answer.text or answer.status.replace("_", " ")
            axes.set_title(f"{answer.label} → {said} {answer.confidence:.0%}", fontsize=8)
    save_figure(figure, path, 100)
    pyplot.close(figure)


def plot_readings(shown: list[tuple[str, Source, Reading]], classes: tuple[str, ...], path: Path) -> None:
    """Draw a row a picture: the picture with its boxes, then each frame the network saw over its probabilities.

    Raises ValueError without any.
    """
    if not shown:
        raise ValueError("there is no picture to draw")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.patches import Rectangle

    columns = max(1, min(MOST_FRAMES, max(len(reading.groups) for _, _, reading in shown)))
    figure = pyplot.figure(figsize=(3.4 + 1.5 * columns, 2.6 * len(shown)), layout="constrained")
    grid = figure.add_gridspec(2 * len(shown), columns + 1, width_ratios=[2.2, *[1] * columns])
    for row, (name, source, reading) in enumerate(shown):
        colours, scale = open_picture(source)
        axes = figure.add_subplot(grid[2 * row : 2 * row + 2, 0])
        axes.imshow(colours, cmap="gray", vmin=0, vmax=255)
        answer = describe(reading, classes)
        title = (
            (f"{os.path.basename(name)}: {answer}" if name else answer).encode("utf-8", "replace").decode()
        )
        axes.set_title("\n".join(textwrap.wrap(title, 40)), fontsize=9, parse_math=False)
        axes.set_axis_off()
        for group in reading.groups:
            left, top, width, height = (side / scale for side in group.box)
            axes.add_patch(
                Rectangle(
                    (left - 1, top - 1),
                    width + 1,
                    height + 1,
                    fill=False,
                    linewidth=1.5,
                    linestyle="-" if group.accepted else ":",
                    edgecolor="C0" if group.accepted else "C1",
                )
            )
        for column, group in enumerate(reading.groups[:columns], 1):
            frame = figure.add_subplot(grid[2 * row, column])
            frame.imshow(group.frame, cmap="gray", vmin=0, vmax=1)
            frame.set_title(
                f"{group.digit} {group.confidence:.0%}" if group.accepted else "not a digit", fontsize=9
            )
            frame.set_axis_off()
            bars = figure.add_subplot(grid[2 * row + 1, column])
            bars.bar(range(len(classes)), group.probs, color="C0" if group.accepted else "C1")
            bars.set(ylim=(0, 1), xticks=range(len(classes)), yticks=[])
            bars.set_xticklabels(classes, fontsize=7)
    save_figure(figure, path, 110)
    pyplot.close(figure)


def save_figure(figure: Any, path: Path, dpi: int) -> None:
    """Write a matplotlib figure atomically, in the format that the name's suffix says (PNG without one)."""
    with atomic_write(path) as file:
        figure.savefig(file, format=path.suffix.lstrip(".") or "png", dpi=dpi)
