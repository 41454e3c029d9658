"""Whether a picture that is changed in a way that changes nothing it says is read the same.

    $ python -m benchmarks.invariance --data ../shared/data/handwriting --most 50

Each picture is read as it is, and inverted, with more paper around it, moved, scaled by 2 and 3, encoded in other formats
without loss, and turned with the EXIF tag that turns it back. A row says how many were read the same: same text, same status.
`right` counts those, not the right answers.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from base import command
from benchmarks.record import add_record, share, told, write_record
from benchmarks.sets import find_sets, read_all, samples_of
from ink.decode import Source, open_picture

MARGIN = 20  # pixels of paper that are added
BRUSH = 16.0  # px of the 280 px canvas, as in the app
TURNS = {  # EXIF's orientation, and what makes a picture that it turns upright
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def paper_of(picture: np.ndarray) -> np.ndarray:
    """Return the colour along the picture's edge: the median of each channel, uint8 () or (3,)."""
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return np.median(edge, axis=0).astype(np.uint8)


def on_paper(picture: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Return a picture (H, W[, 3]) with so many pixels of its own paper on each side."""
    height, width = picture.shape[:2]
    shape = (height + top + bottom, width + left + right, *picture.shape[2:])
    sheet = np.broadcast_to(paper_of(picture), shape).copy()
    sheet[top : top + height, left : left + width] = picture
    return sheet


def enlarged(picture: np.ndarray, factor: int) -> np.ndarray:
    """Return a picture with each pixel `factor` times as wide and as high."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def encoded(picture: np.ndarray, kind: str, turn: int = 1) -> bytes:
    """Return a picture as a file without loss; with `turn`, EXIF's orientation, stored so that this tag turns it back."""
    image, exif = Image.fromarray(picture), Image.Exif()
    if turn != 1:
        exif[0x0112] = turn
        image = image.transpose(TURNS[turn])
    if kind == "WEBP":
        image = image.convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif.tobytes(), **({"lossless": True} if kind == "WEBP" else {}))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue()))).convert("RGB")
    if not np.array_equal(np.asarray(upright), np.asarray(Image.fromarray(picture).convert("RGB"))):
        raise RuntimeError(f"{kind} {turn} does not keep the picture")
    return buffer.getvalue()


CHANGES: dict[str, Callable[[np.ndarray], Source]] = {
    "inverted": lambda picture: 255 - picture,
    "padded": lambda picture: on_paper(picture, MARGIN, MARGIN, MARGIN, MARGIN),
    "moved right": lambda picture: on_paper(picture, 2 * MARGIN, 0, 0, MARGIN),
    "moved left": lambda picture: on_paper(picture, 0, MARGIN, 2 * MARGIN, 0),
    "scaled by 2": lambda picture: enlarged(picture, 2),
    "scaled by 3": lambda picture: enlarged(picture, 3),
    "as TIFF": lambda picture: encoded(picture, "TIFF"),
    "as lossless WebP": lambda picture: encoded(picture, "WEBP"),
    **{
        f"turned by EXIF {turn}": lambda picture, turn=turn: encoded(picture, "PNG", turn)  # type: ignore[misc]
        for turn in TURNS
    },
}


def main(argv: list[str] | None = None) -> int:
    """Print a row a set, kind and change; return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.invariance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="test sets, and folders of them")
    parser.add_argument("--leave-out", nargs="+", default=[], metavar="NAME", help="sets that are not read")
    parser.add_argument(
        "--most", type=command.number(int, 1), default=50, help="pictures of a set and kind (default: 50)"
    )
    parser.add_argument("--change", action="append", choices=list(CHANGES), help="only these (default: all)")
    add_record(parser)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    rows = []
    for name, path in find_sets(arguments.data, arguments.leave_out).items():
        for kind, samples in samples_of(path, BRUSH, arguments.most).items():
            pictures = [open_picture(sample.source)[0] for sample in samples]
            before = [(reading.status, reading.text) for reading in read_all(arguments.model, pictures)]
            for change in arguments.change or CHANGES:
                changed = [CHANGES[change](picture) for picture in pictures]
                after = [(reading.status, reading.text) for reading in read_all(arguments.model, changed)]
                same = sum(one == other for one, other in zip(before, after))
                rows.append(share(f"{name}, {kind}: {change}", same, len(pictures)))
                print(told(rows[-1]), flush=True)
    for change in arguments.change or CHANGES:
        of_change = [row for row in rows if row["what"].endswith(f": {change}")]
        total = share(f"all: {change}", *(sum(row[key] for row in of_change) for key in ("right", "n")))
        rows.append(total)
        print(told(total), flush=True)
    if arguments.record:
        write_record("invariance", rows, arguments.model, argv)
    return 0


if __name__ == "__main__":
    command.run(main, filters=False)
