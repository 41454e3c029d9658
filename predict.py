"""Read pictures of digits from the command line.

$ python predict.py examples/seven.png
examples/seven.png: 7 (99.2%)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from base import command
from base.storage import MODEL_PATH, check_target

if TYPE_CHECKING:
    from base.checkpoint import Checkpoint
    from ink.decode import Source
    from recognizer.answer import Reading
    from recognizer.road import Recognizer


def main(argv: list[str] | None = None) -> int:
    """Print one line a picture; return 0, or 1 if some file could not be read."""
    arguments = build_parser().parse_args(argv)
    with command.importing():
        from recognizer.answer import as_json, describe
        from recognizer.many import read_pictures
        from recognizer.sources import find_pictures
    most = 0  # pictures that are kept for the plot
    if arguments.plot:
        from measuring.plots import MOST_PLOTTED as most
        from measuring.plots import plot_readings

        check_target(arguments.plot, arguments.paths, arguments.force)
    corrections = arguments.corrections_in or arguments.corrections
    options = (arguments.device, corrections, arguments.single, arguments.expect)
    make = partial(open_recognizer, arguments.model, *options)
    with command.importing():  # torch or onnxruntime
        recognizer = make()
    for path in recognizer.memory.damaged if recognizer.memory else ():
        print(f"predict.py: {path} is no correction, or damaged", file=sys.stderr)
    failed = False
    shown: list[tuple[str, Source, Reading]] = []
    pictures = find_pictures(arguments.paths, arguments.plot)
    for name, source, answer in read_pictures(pictures, recognizer, make, arguments.processes):
        problem = command.one_line(answer) if isinstance(answer, Exception) else None
        reading = None if isinstance(answer, Exception) else answer
        if reading is not None and arguments.digits_only:
            reading = reading.plain()
        if problem:
            failed = True
            print(f"predict.py: {problem}", file=sys.stderr)
        if arguments.json:
            print(json.dumps(as_json(name, reading, problem)), flush=True)
        elif reading is not None:
            said = describe(reading, recognizer.classes, arguments.top)
            print(f"{command.printable(name)}: {said}", flush=True)
        if reading and not isinstance(source, Exception) and len(shown) < most:
            shown.append((name, source, reading))
    if shown:
        plot_readings(shown, recognizer.classes, arguments.plot)
        print(f"predict.py: wrote {arguments.plot}", file=sys.stderr)
    return int(failed)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="predict.py",
        description="Read the digits in pictures: files, folders (with all below them), PDF pages, or - for stdin.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        "  python predict.py seven.png phone-number.jpg\n"
        "  python predict.py --plot seen.png examples/\n"
        "  curl -s https://example.org/seven.png | python predict.py --json -\n",
    )
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="picture, folder, pattern, or - for stdin")
    add("--json", action="store_true", help="one JSON object a picture instead of a line of text")
    add("--single", action="store_true", help="each picture is one digit: never several, and never refused")
    expect = "what each line says: so many digits (5), a pattern (##/##/####) or a .txt with an answer a line"
    add("--expect", metavar="WHAT", help=f"{expect}; what does not fit is refused")
    add("--digits-only", action="store_true", help="leave the signs between digits out")
    add("--top", type=command.number(int, 1), default=1, metavar="K", help="K likeliest digits (default: 1)")
    add("--plot", type=Path, metavar="PNG", help="draw the first pictures, their boxes, what the network saw")
    add("--force", action="store_true", help="let --plot overwrite a file that this program did not write")
    add("--model", type=Path, default=MODEL_PATH, help=".pth or .onnx (default: the shipped model.pth)")
    add("--corrections", action="store_true", help="use your corrections, those made in app.py")
    add("--corrections-in", type=Path, metavar="DIR", help="use the corrections in this folder")
    many = "processes that read (default: as many as cores from 200 pictures on, 1 for fewer)"
    add("--processes", type=command.number(int, 1), metavar="N", help=many)
    add("--device", default="cpu", help="cpu or cuda (default: cpu, quickest for single pictures)")
    return parser


def predict_user_input(
    model: str | os.PathLike[str] | Checkpoint | Recognizer, image_path: Source
) -> int | str | None:
    """Return the digit or number in a picture as an int; else its text (a class's name, "7?3"); None if there is none.

    Several lines are joined. `model` is a checkpoint, its path, or a Recognizer.
    """
    from recognizer.road import Recognizer

    recognizer = model if isinstance(model, Recognizer) else Recognizer(model)
    text = recognizer.read(image_path).text.replace("\n", "")
    return int(text) if text.isdecimal() else text or None


def plot_pictures(
    sources: list[Source], path: str | os.PathLike[str], recognizer: Recognizer | None = None
) -> None:
    """Read pictures and draw them to `path` with boxes, frames and probabilities. Raises OSError or PictureError."""
    from measuring.plots import plot_readings
    from recognizer.road import Recognizer

    recognizer = recognizer or Recognizer()
    names = [str(source) if isinstance(source, (str, os.PathLike)) else "" for source in sources]
    shown = [(name, source, recognizer.read(source)) for name, source in zip(names, sources)]
    plot_readings(shown, recognizer.classes, Path(path))


def open_recognizer(
    model: str | os.PathLike[str],
    device: str = "cpu",
    corrections: Path | bool = False,
    single: bool = False,
    expect: str | None = None,
) -> Recognizer:
    """Return a Recognizer with the corrections in a folder, or (True) those made in app.py; `expect`: see its `read`.

    Raises OSError, RuntimeError or ValueError: of the model, or a folder of corrections that is none.
    """
    from corrections.memory import Memory
    from corrections.store import default_folder
    from recognizer.road import Recognizer

    folder = default_folder() if corrections is True else corrections
    if folder and not folder.is_dir() and (folder.exists() or corrections is not True):
        raise ValueError(f"{folder} is no folder of corrections: --corrections uses those made in app.py")
    return Recognizer(model, device, Memory(folder) if folder else None, single, expect)


if __name__ == "__main__":
    command.run(main)
