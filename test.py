"""Measure a trained network: on MNIST's test set, or on anybody's pictures through the whole road.

    $ python test.py
    $ python test.py --data pictures.tsv --by polarity

The only program that looks at MNIST's test set; nothing is ever chosen on what it prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from base import command
from base.storage import MODEL_PATH, check_target

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def main(argv: list[str] | None = None) -> int:
    """Print the measurements; return 0, or 1 if some picture could not be read."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    for option, belongs in (("by", True), ("tta", False), ("data_dir", False)):
        if getattr(arguments, option) and belongs != (arguments.data is not None):
            words = "belongs to" if belongs else "is for MNIST, not for"
            parser.error(f"--{option.replace('_', '-')} {words} --data")
    with command.importing():
        from measuring.measure import as_text, measure_data
        from measuring.plots import plot_report
    if arguments.plot:
        inputs = [arguments.data] if arguments.data else []
        check_target(arguments.plot, inputs, arguments.force)
    answers, report = measure_data(
        arguments.model,
        arguments.data,
        device=arguments.device,
        by=arguments.by,
        brush=arguments.brush,
        views=arguments.tta,
        data_dir=arguments.data_dir,
    )
    print(json.dumps(report) if arguments.json else as_text(report), flush=True)
    for problem in report["unreadable"]:
        print(f"test.py: {problem}", file=sys.stderr)
    if report["unreadable"]:
        print(
            f"test.py: {len(report['unreadable']):,} could not be read, and are not counted", file=sys.stderr
        )
    if arguments.plot:
        plot_report(answers, report, arguments.plot)
        print(f"test.py: wrote {arguments.plot}", file=sys.stderr)
    return int(bool(report["unreadable"]))


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="test.py",
        description="Measure a trained network on MNIST's test set, or on labelled pictures read as predict.py reads.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="test sets: a folder of sub-folders named by digit; a .tsv with columns path and label; an .npz\n"
        "with x (uint8, ink bright) and y; a .jsonl.gz of pen strokes. Labels that are no digits are pictures to be refused.\n\n"
        "examples:\n"
        "  python test.py --plot report.png\n"
        "  python test.py --data pictures.tsv --by polarity --json\n"
        "  python test.py --data strokes.jsonl.gz --brush 6\n",
    )
    add = parser.add_argument
    add("--data", type=Path, help="test set (default: MNIST's test set)")
    add("--by", metavar="COLUMN", help="also a row for each value of this column")
    add(
        "--brush",
        type=brush_width,
        default=16,
        help="pen width in px of the 280 px canvas, for strokes (default: 16)",
    )
    add("--json", action="store_true", help="print one JSON object")
    add("--plot", type=Path, metavar="PNG", help="draw confusion matrix, reliability curve, worst mistakes")
    add("--force", action="store_true", help="let --plot overwrite a file that this program did not write")
    add("--tta", action="store_true", help="MNIST: mean over eleven views of each picture (slower)")
    add("--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)")
    add(
        "--model",
        type=Path,
        default=MODEL_PATH,
        help="checkpoint (default: the model.pth beside this program)",
    )
    add("--device", default="cpu", help="cpu or cuda (default: cpu)")
    return parser


def brush_width(text: str) -> float:
    """Return an option's value as a pen width in px of the 280 px canvas."""
    from ink.stroke import BRUSH_RANGE

    return command.number(float, *BRUSH_RANGE)(text)


def evaluate(
    model: Any, loader: Iterable[tuple[Tensor, Tensor]], device: torch.device | str = "cpu"
) -> float:
    """Return the share in [0, 1] of pictures in `loader` whose largest logit is their label's."""
    from recognizer import asking

    return asking.evaluate(model, loader, device)


if __name__ == "__main__":
    command.run(main)
