"""Bring openly licensed handwriting from the form in which its origin publishes it into the sets that `train.py --hands` reads.

    $ python -m training.convert uci semeion.data semeion.npz                       # or files of optdigits-orig: pictures
    $ python -m training.convert uci pendigits-orig.tra pen_strokes.jsonl.gz        # or ujipenchars2.txt: strokes
    $ python -m training.convert unipen train_r01_v07 unipen_digits.jsonl.gz --labels digits
    $ python -m training.convert quickdraw apple.ndjson candle.ndjson quickdraw.jsonl.gz --most 40
    $ python -m training.convert omniglot strokes_background_small1 omniglot.jsonl.gz

docs/data.md says where each comes from and under which licence. Strokes are written as one JSON a line: `label`, `writer`,
`strokes` [[[x, y], ...], ...], whole numbers from 0 on, y down, a new stroke at each pen-up.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from base.storage import atomic_write
from training.hands import origins
from training.hands.origins import Drawing

LABELS: dict[str, Callable[[str], bool]] = {
    "all": lambda label: True,
    "digits": lambda label: len(label) == 1 and label in "0123456789",
    "letters": lambda label: len(label) == 1 and label.isascii() and label.isalpha(),
    "words": lambda label: 2 <= len(label) <= 4 and label.isascii() and label.isalpha(),
    "numbers": lambda label: len(label) >= 2 and any(letter in "0123456789" for letter in label),
}


def main(argv: list[str] | None = None) -> int:
    """Write the set; return the exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        said = convert(arguments)
    except (OSError, ValueError) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1
    print(said)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="training.convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("origin", choices=["uci", "unipen", "quickdraw", "omniglot"], help="who published it")
    parser.add_argument(
        "sources", type=Path, nargs="+", metavar="SOURCE", help="files, or a folder with all below it"
    )
    parser.add_argument(
        "target", type=Path, metavar="TARGET", help="what to write: .npz for pictures, else .jsonl.gz"
    )
    parser.add_argument("--labels", choices=list(LABELS), default="all", help="which to take (default: all)")
    parser.add_argument(
        "--writers", metavar="PATTERN", default="*", help="which to take, as in w0? (default: all)"
    )
    parser.add_argument("--most", type=int, default=sys.maxsize, help="of each label (default: all)")
    return parser


def convert(arguments: argparse.Namespace) -> str:
    """Write what was asked for and return a line about it; raises OSError, or ValueError naming the file and the cure."""
    if arguments.target in arguments.sources:
        raise ValueError(f"{arguments.target} is to be read and to be written: name another target, last")
    files = [file for source in arguments.sources for file in _files(source)]
    if arguments.origin == "uci" and not any(origins.is_strokes(file) for file in files):
        images, labels = (np.concatenate(each) for each in zip(*map(origins.read_pictures, files)))
        if arguments.target.suffix != ".npz":
            raise ValueError(f"{arguments.target}: these are pictures, which go into an .npz")
        with atomic_write(arguments.target) as file:
            np.savez_compressed(file, x=images, y=labels)
        return f"{arguments.target}: {len(labels):,} digits of {images.shape[1]} x {images.shape[2]} pixels"
    if not arguments.target.name.endswith(".jsonl.gz"):
        raise ValueError(f"{arguments.target}: these are strokes, which go into a .jsonl.gz")
    wanted = _choose(_read(arguments.origin, arguments.sources, files), arguments)
    count = write_drawings(arguments.target, wanted)
    if not count:
        raise ValueError(
            f"no drawing of the wanted labels and writers in {', '.join(map(str, arguments.sources))}"
        )
    return f"{arguments.target}: {count:,} drawings"


def _read(origin: str, sources: list[Path], files: list[Path]) -> Iterator[Drawing]:
    for file in files:
        if origin == "uci":
            yield from origins.read_uci_strokes(file)
        elif origin == "quickdraw":
            yield from origins.read_quickdraw(file)
        elif origin == "omniglot":
            yield from origins.read_omniglot(file)
        else:
            root = next(source for source in sources if file == source or source in file.parents)
            yield from origins.read_unipen(file, root)


def _files(source: Path) -> list[Path]:
    """Return `source`, or all files below it; raises FileNotFoundError."""
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder: docs/data.md says where to get it")
    return [source] if source.is_file() else [path for path in sorted(source.rglob("*")) if path.is_file()]


def _choose(drawings: Iterable[Drawing], arguments: argparse.Namespace) -> Iterator[Drawing]:
    """Yield the drawings of the wanted labels and writers, of each label the first `--most`."""
    taken: Counter[str] = Counter()
    for drawing in drawings:
        fits = LABELS[arguments.labels](drawing.label) and Path(drawing.writer or "-").match(
            arguments.writers
        )
        if fits and taken[drawing.label] < arguments.most:
            taken[drawing.label] += 1
            yield drawing


def write_drawings(path: Path, drawings: Iterable[Drawing]) -> int:
    """Write a .jsonl.gz, always the same bytes for the same drawings, and return how many; nothing is written for none."""
    lines = [json.dumps(_plain(drawing), separators=(",", ":")) for drawing in drawings]
    if lines:
        with atomic_write(path) as file:
            file.write(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    return len(lines)


def _plain(drawing: Drawing) -> dict[str, Any]:
    """Return a drawing's line, moved so that its smallest x and y are 0."""
    points = [point for stroke in drawing.strokes for point in stroke]
    left, top = (math.floor(min(point[axis] for point in points)) for axis in (0, 1))
    strokes = [[[round(x - left), round(y - top)] for x, y in stroke] for stroke in drawing.strokes]
    return {"label": drawing.label, "writer": drawing.writer, "strokes": strokes}


if __name__ == "__main__":
    sys.exit(main())
