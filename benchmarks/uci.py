"""Bring two public sets of scanned digits into the .npz that test.py reads.

    $ python benchmarks/uci.py semeion.data semeion.npz
    $ python benchmarks/uci.py optdigits-orig.tra optdigits-orig.cv optdigits.npz

Both are in the UCI Machine Learning Repository (CC BY 4.0): "Semeion Handwritten Digit" (16 x 16) and "Optical Recognition
of Handwritten Digits" (32 x 32), whose files end in .Z there: `gunzip` unpacks them. For measuring only, never for training.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from base.storage import atomic_write  # noqa: E402

SEMEION_SIDE, OPTDIGITS_SIDE = 16, 32  # pixels
DRAWING = re.compile(rf"((?:^[01]{{{OPTDIGITS_SIDE}}}\s*?\n){{{OPTDIGITS_SIDE}}})^\s*(\d)\s*$", re.MULTILINE)


def main(argv: list[str] | None = None) -> int:
    """Write the .npz; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="uci.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="semeion.data, or files of optdigits-orig"
    )
    parser.add_argument("output", type=Path, metavar="NPZ", help="what to write")
    arguments = parser.parse_args(argv)
    try:
        parts = [read_digits(file) for file in arguments.files]
        images, labels = (np.concatenate(each) for each in zip(*parts))
        with atomic_write(arguments.output) as file:
            np.savez_compressed(file, x=images, y=labels)
    except (OSError, ValueError) as error:
        print(f"uci.py: {error}", file=sys.stderr)
        return 1
    print(f"{arguments.output}: {len(labels):,} digits of {images.shape[1]} x {images.shape[2]} pixels")
    return 0


def read_digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return (images uint8 (N, H, W), ink 255; labels uint8 (N,)) of semeion.data or a file of optdigits-orig.

    semeion.data has a line a digit: its pixels as 0 or 1, then ten flags, one for each class. optdigits-orig has a header, then
    for each digit as many lines of 0 and 1 as it has rows, and a line with its label. Raises OSError or ValueError.
    """
    text = path.read_text(encoding="latin-1")
    drawings = DRAWING.findall(text)
    if drawings:
        bits = np.array([[list(row) for row in rows.split()] for rows, _ in drawings]) == "1"
        labels = np.array([int(label) for _, label in drawings])
    else:
        table = np.array([line.split() for line in text.splitlines() if line.strip()], dtype=object)
        if table.ndim != 2 or table.shape[1] != SEMEION_SIDE**2 + 10:
            raise ValueError(
                f"{path} is neither semeion.data nor of optdigits-orig: unpack it first if it ends in .Z"
            )
        try:
            values = table.astype(np.float64)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        bits = values[:, :-10].reshape(-1, SEMEION_SIDE, SEMEION_SIDE) > 0.5
        labels = values[:, -10:].argmax(axis=1)
    return np.where(bits, 255, 0).astype(np.uint8), labels.astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
