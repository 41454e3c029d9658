"""Read pictures of digits from the command line.

$ python predict.py examples/seven.png
examples/seven.png: 7 (99.2%)
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from measuring.plots import MOST_PLOTTED, plot_readings
from recognizer.answer import as_json, describe

if __name__ == "__main__":
    gc.disable()  # until all is imported: looking for garbage meanwhile takes a sixth of torch's import

from base import command
from base.checkpoint import MODEL_PATH
from corrections.memory import Memory
from corrections.store import default_folder
from ink.decode import PictureError, Source, pictures_below
from recognizer.answer import Reading
from recognizer.many import read_pictures
from recognizer.road import Recognizer


def main(argv: list[str] | None = None) -> int:
    """Print one line a picture; return 0, or 1 if some file could not be read."""
    arguments = build_parser().parse_args(argv)
    make = partial(
        open_recognizer,
        arguments.model or MODEL_PATH,
        arguments.device,
        arguments.corrections,
        arguments.trust,
        arguments.single,
    )
    try:
        recognizer = make()
    except (OSError, ValueError, RuntimeError) as error:
        print(f"predict.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    for path in recognizer.memory.damaged if recognizer.memory else ():
        print(f"predict.py: {path} is no correction, or damaged", file=sys.stderr)
    failed = False
    shown: list[tuple[str, Source, Reading]] = []
    try:
        for name, source, answer in read_pictures(
            find_pictures(arguments.paths), recognizer, make, arguments.processes
        ):
            reading, problem = (
                (None, command.one_line(answer)) if isinstance(answer, Exception) else (answer, None)
            )
            if problem:
                failed = True
                print(f"predict.py: {problem}", file=sys.stderr)
            if arguments.json:
                print(json.dumps(as_json(name, reading, problem)), flush=True)
            elif reading is not None:
                print(
                    f"{command.printable(name)}: {describe(reading, recognizer.classes, arguments.top)}",
                    flush=True,
                )
            if (
                arguments.plot
                and reading is not None
                and not isinstance(source, Exception)
                and len(shown) < MOST_PLOTTED
            ):
                shown.append((name, source, reading))
    except RuntimeError as error:
        print(f"predict.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    if arguments.plot and shown:
        try:
            plot_readings(shown, recognizer.classes, arguments.plot)
        except (OSError, ValueError) as error:
            print(f"predict.py: cannot write {arguments.plot}: {command.one_line(error)}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="predict.py",
        description="Read the digits in pictures: files, folders (with all below them), or - for a picture on stdin.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        "  python predict.py seven.png phone-number.jpg\n"
        "  python predict.py --plot seen.png examples/\n"
        "  curl -s https://example.org/seven.png | python predict.py --json -\n",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="picture, folder, or - for stdin")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a picture instead of a line of text"
    )
    parser.add_argument(
        "--single", action="store_true", help="each picture is one digit: never several, and never refused"
    )
    parser.add_argument(
        "--top",
        type=command.number(int, 1),
        default=1,
        metavar="K",
        help="show the K likeliest digits (default: 1)",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="PNG",
        help=f"draw the first {MOST_PLOTTED} pictures, their boxes, what the network saw",
    )
    parser.add_argument(
        "--model", type=Path, help="checkpoint to use (default: the model.pth beside this program)"
    )
    parser.add_argument(
        "--trust", action="store_true", help="open a --model that ends in .pt2, which may hold code"
    )
    parser.add_argument(
        "--corrections",
        nargs="?",
        type=Path,
        const=default_folder(),
        metavar="DIR",
        help="use your corrections, those made in app.py or in DIR (after PATH)",
    )
    parser.add_argument(
        "--processes",
        type=command.number(int, 1),
        metavar="N",
        help="processes that read (default: as many as cores from 200 pictures on, 1 for fewer)",
    )
    parser.add_argument(
        "--device", default="cpu", help="cpu, cuda, mps (default: cpu, quickest for single pictures)"
    )
    return parser


def predict_user_input(
    model: str | os.PathLike[str] | Any, image_path: str | os.PathLike[str]
) -> int | str | None:
    """Return the digit or number in a picture as an int; else its text (a class's name, "7?3" with a refused part); None if there is none.

    Several lines are joined. `model` is a checkpoint, its path, or a Recognizer.
    """
    recognizer = model if isinstance(model, Recognizer) else Recognizer(model)
    text = recognizer.read(image_path).text.replace("\n", "")
    return int(text) if text.isdecimal() else text or None


def open_recognizer(
    model: str | os.PathLike[str], device: str, corrections: Path | None, trust: bool, single: bool
) -> Recognizer:
    """Return a Recognizer for what the command line says; raises OSError, ValueError or RuntimeError."""
    return Recognizer(model, device, open_memory(corrections) if corrections else None, trust, single)


def open_memory(folder: Path) -> Memory:
    """Return the corrections in `folder`; raises ValueError if it is another file, or a folder named but not there."""
    if not folder.is_dir() and (folder.exists() or folder != default_folder()):
        raise ValueError(f"{folder} is no folder of corrections: leave DIR out to use those made in app.py")
    return Memory(folder)


def find_pictures(paths: list[str]) -> Iterator[tuple[str, Source | Exception]]:
    """Yield (name, source) of every picture that `paths` name; an Exception in place of a source says what is wrong."""
    for path in paths:
        if path == "-":
            yield (
                path,
                sys.stdin.buffer.read()
                if sys.stdin
                else PictureError("stdin is closed: name a file instead"),
            )
        elif os.path.isdir(path):
            closed: list[OSError] = []
            found = pictures_below(path, closed.append)
            yield from ((os.fsdecode(error.filename), error) for error in closed)
            if not found and not closed:
                yield path, PictureError(f"{path} holds no pictures: name a folder with PNG or JPEG files")
            for name in found:
                yield name, name
        else:
            yield path, path


def plot_pictures(
    sources: list[Source], path: str | os.PathLike[str], recognizer: Recognizer | None = None
) -> None:
    """Read pictures and draw them to `path` with boxes, frames and probabilities. Raises OSError or PictureError."""
    recognizer = recognizer or Recognizer()
    names = [str(source) if isinstance(source, (str, os.PathLike)) else "" for source in sources]
    shown = [(name, source, recognizer.read(source)) for name, source in zip(names, sources)]
    plot_readings(shown, recognizer.classes, Path(path))


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    command.run(main)
