"""Every figure that is plotted: training curves, the report of test.py, what predict.py saw."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from base.storage import PLOT_MARK, atomic_write
from ink.decode import Source, open_picture
from measuring.measure import ECE_BINS, Answer
from recognizer.answer import Digit, Reading, as_percent, describe

MOST_PLOTTED = 20  # pictures in one plot
MOST_FRAMES = 12  # frames a picture in a plot
PICTURE = 2  # columns of a plot that a picture takes; a frame takes one
WORST = 36  # mistakes shown in the report
# the field of a file's metadata in which PLOT_MARK goes, by format
MARKED = {"png": "Software", "pdf": "Creator", "svg": "Creator", "ps": "Creator", "eps": "Creator"}


def plot_curves(history: list[dict[str, float]], path: Path) -> None:
    """Draw loss and validation accuracy by epoch to a picture file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    epochs = [line["epoch"] for line in history]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(epochs, [line["loss"] for line in history], label="training")
    left.plot(epochs, [line["validation_loss"] for line in history], label="validation")
    left.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
    left.legend()
    right.plot(epochs, [100 * line["training_accuracy"] for line in history], label="training")
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
    means = [(confidence[bins == b].mean(), right_ones[bins == b].mean()) for b in filled]
    bottom.plot(*zip(*means), "o-") if means else None
    for mean, b in zip(means, filled):
        bottom.annotate(f"{(bins == b).sum():,}", mean, (0, 4), textcoords="offset points", fontsize=6)
    bottom.set(
        title="calibration; at each point its number of pictures",
        xlabel="confidence",
        ylabel="share that is right",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
    )
    figure.suptitle(
        f"{os.path.basename(report['model'])} on {os.path.basename(report['data'])}"
        + (
            f": {report['right']:,} of {report['count']:,} right, {report['accuracy']:.2%}"
            if "accuracy" in report
            else ""
        )
    )
    wrong = sorted((a for a in answers if not a.right), key=lambda a: -a.confidence)[:WORST]
    right.suptitle(
        f"the {len(wrong)} worst of {sum(not a.right for a in answers):,} mistakes: truth, then answer"
    )
    for axes, answer in zip(right.subplots(6, 6).flat, [*wrong, *[None] * (WORST - len(wrong))]):
        axes.set_axis_off()
        if answer is not None:
            axes.imshow(answer.picture, cmap="gray", vmin=0, vmax=255)
            said = answer.text or answer.status.replace("_", " ")
            axes.set_title(f"{answer.label} → {said} {as_percent(answer.confidence)}", fontsize=8)
    save_figure(figure, path, 100)
    pyplot.close(figure)


def plot_readings(shown: list[tuple[str, Source, Reading]], classes: tuple[str, ...], path: Path) -> None:
    """Draw each picture with its boxes, and beside it each frame the network saw over its probabilities.

    Raises ValueError without any picture.
    """
    if not shown:
        raise ValueError("there is no picture to draw")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    widths = [PICTURE + min(MOST_FRAMES, len(reading.groups)) for _, _, reading in shown]
    places, columns = flow(widths, max(PICTURE + MOST_FRAMES, *widths))
    rows = places[-1][0] + 1
    figure = pyplot.figure(figsize=(1.4 * columns, 2.6 * rows), layout="constrained")
    grid = figure.add_gridspec(2 * rows, columns)
    for (row, column), (name, source, reading) in zip(places, shown):
        across = slice(column, column + PICTURE)
        answer = describe(reading, classes)
        title = f"{os.path.basename(name)}: {answer}" if name else answer
        _draw_picture(figure.add_subplot(grid[2 * row : 2 * row + 2, across]), source, reading, title)
        for place, group in enumerate(reading.groups[:MOST_FRAMES], column + PICTURE):
            frame, bars = (figure.add_subplot(grid[2 * row + below, place]) for below in (0, 1))
            _draw_group(frame, bars, group, classes)
    save_figure(figure, path, 110)
    pyplot.close(figure)


def flow(widths: list[int], most: int) -> tuple[list[tuple[int, int]], int]:
    """Return where things of these widths go in lines of at most `most`: (line, column) of each; the columns used."""
    places, line, column, used = [], 0, 0, 0
    for width in widths:
        if column + width > most:
            line, column = line + 1, 0
        places.append((line, column))
        column += width
        used = max(used, column)
    return places, used


def _draw_picture(axes: Any, source: Source, reading: Reading, title: str) -> None:
    """Draw a picture with a box around each group of ink: full lines around what was accepted."""
    from matplotlib.patches import Rectangle

    colours, scale = open_picture(source)
    axes.imshow(colours, cmap="gray", vmin=0, vmax=255)
    shown = title.encode("utf-8", "replace").decode()
    axes.set_title("\n".join(textwrap.wrap(shown, 34)), fontsize=9, parse_math=False)
    axes.set(xticks=[], yticks=[])  # the line around it stays: a blank picture is one, too
    for group in reading.groups:
        left, top, width, height = (side / scale for side in group.box)
        box = Rectangle((left - 1, top - 1), width + 1, height + 1, fill=False, linewidth=1.5)
        box.set(linestyle="-" if group.accepted else ":", edgecolor="C0" if group.accepted else "C1")
        axes.add_patch(box)


def _draw_group(frame: Any, bars: Any, group: Digit, classes: tuple[str, ...]) -> None:
    """Draw what the network saw, and its probabilities."""
    frame.imshow(group.frame, cmap="gray", vmin=0, vmax=1)
    frame.set_title(
        f"{group.digit} {as_percent(group.confidence)}" if group.accepted else "not a digit", fontsize=9
    )
    frame.set_axis_off()
    bars.bar(range(len(classes)), group.probs, color="C0" if group.accepted else "C1")
    bars.set(ylim=(0, 1), xticks=range(len(classes)), yticks=[])
    bars.set_xticklabels(classes, fontsize=7)


def save_figure(figure: Any, path: Path, dpi: int) -> None:
    """Write a matplotlib figure atomically, in the format that the name's suffix says (PNG without one)."""
    kind = path.suffix.lstrip(".").lower() or "png"
    metadata = {MARKED[kind]: PLOT_MARK} if kind in MARKED else None
    with atomic_write(path) as file:
        figure.savefig(file, format=kind, dpi=dpi, metadata=metadata)
