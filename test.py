"""Measure a trained network: on MNIST's test set, or on anybody's pictures through the whole road.

    $ python test.py
    $ python test.py --data pictures.tsv --by polarity

The only program that looks at MNIST's test set; nothing is ever chosen on what it prints.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from base import command
from base.checkpoint import MODEL_PATH, load_checkpoint
from ink.stroke import BRUSH_RANGE
from measuring.measure import as_text, measure, mnist_answers, picture_answers
from measuring.plots import plot_report
from measuring.testsets import load_samples
from model import DIGITS
from recognizer.asking import evaluate as evaluate
from recognizer.road import Recognizer


def main(argv: list[str] | None = None) -> int:
    """Print the measurements and return the exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        for option, belongs in (("by", True), ("tta", False), ("data_dir", False)):
            if getattr(arguments, option) and belongs != (arguments.data is not None):
                raise ValueError(
                    f"--{option.replace('_', '-')} {'belongs to' if belongs else 'is for MNIST, not for'} --data"
                )
        device = arguments.device
        checkpoint = load_checkpoint(arguments.model or MODEL_PATH, device, arguments.trust)
        started = time.perf_counter()
        if arguments.data is None:
            name = "MNIST test set"
            if checkpoint.classes != DIGITS or not checkpoint.input["road"]:
                raise ValueError(
                    f"this model was trained on other pictures ({', '.join(checkpoint.classes)}): name some with --data"
                )
            answers = mnist_answers(checkpoint, arguments.data_dir, device, arguments.tta)
        else:
            name = str(arguments.data)
            samples = load_samples(arguments.data, arguments.brush)
            answers = picture_answers(Recognizer(checkpoint, device), samples, arguments.by)
        report = {
            "data": name,
            **measure(answers, checkpoint.classes),
            "seconds": time.perf_counter() - started,
        }
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
    parser.add_argument(
        "--brush",
        type=command.number(float, *BRUSH_RANGE),
        default=16,
        help="pen width in px of the 280 px canvas, for strokes (default: 16)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--plot", type=Path, metavar="PNG", help="draw confusion matrix, reliability curve, worst mistakes"
    )
    parser.add_argument(
        "--tta", action="store_true", help="MNIST: mean over eleven views of each picture (slower)"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA, then data/)"
    )
    parser.add_argument(
        "--model", type=Path, help="checkpoint to use (default: the model.pth beside this program)"
    )
    parser.add_argument(
        "--trust", action="store_true", help="open a --model that ends in .pt2, which may hold code"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (default: cpu)")
    return parser


# ---------------------------------------------------------------------------------- answers


# ---------------------------------------------------------------------------------- measures


# ---------------------------------------------------------------------------------- pictures


if __name__ == "__main__":
    command.run(main)
