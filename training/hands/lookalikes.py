"""Which drawings of no digit are one to any reader: left out of what teaches "not a digit".

    $ python -m training.hands.lookalikes --model digits-only.pth HANDS...    # writes training/hands/lookalikes.txt

A ring drawn as a potato, the bar of a match, a Cyrillic letter like a 3: a network that has only ever seen digits and
invented negatives says which. What it reads as certainly as three in four of the real digits in HANDS, drawn plainly
with three pens, is listed by its checksum (`Item.checksum`). So the list does not depend on the network that learns from it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint
from base.storage import atomic_write
from ink.frame import CENTRE, DIGIT_BOX
from recognizer.asking import certainty
from training.hands import sets
from training.pictures.augment import NOT_A_DIGIT, Augmentation, warp
from training.pictures.pens import ink_points
from training.pictures.redraw import AT_ONCE, trace_drawings

PENS = (1.6, 2.2, 3.0)  # frame pixels
QUANTILE = 0.25  # of the certainties of real digits
POINTS = 192  # of a path
STILL = Augmentation(
    rotation=0, shear=0, scale=0, shift=0, bend=0, stretch_share=0
)  # centred, and nothing else


def main(argv: list[str] | None = None) -> int:
    """Write the list; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="training.hands.lookalikes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "hands", type=Path, nargs="+", metavar="HANDS", help="files and folders, as for train.py --hands"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=MODEL_PATH,
        help="a network trained on digits alone (default: model.pth)",
    )
    parser.add_argument(
        "--output", type=Path, default=sets.LOOKALIKES_FILE, help="default: training/hands/lookalikes.txt"
    )
    arguments = parser.parse_args(argv)
    try:
        checkpoint = load_checkpoint(arguments.model)
        items = [
            item for path in arguments.hands for file in sets.find_sets(path) for item in sets.read_set(file)
        ]
        sure, least = find_lookalikes(items, checkpoint)
        maker = f"{checkpoint.facts.get('command', 'a network')} of {checkpoint.facts.get('date', 'no date')}"
        lines = [
            f"# what {maker} reads with {least:.2f} nats or more",
            *sorted({item.checksum for item in sure}),
        ]
        with atomic_write(arguments.output) as file:
            file.write("".join(f"{line}\n" for line in lines).encode("ascii"))
    except (OSError, ValueError) as error:
        print(f"lookalikes: {error}", file=sys.stderr)
        return 1
    others = sum(item.digit == NOT_A_DIGIT for item in items)
    print(
        f"{len(sure):,} of {others:,} are digits to a reader, with {least:.2f} nats or more: wrote {arguments.output}"
    )
    return 0


def find_lookalikes(items: list[sets.Item], checkpoint: Checkpoint) -> tuple[list[sets.Item], float]:
    """Return the items of no digit that `checkpoint` reads as surely as most digits, and how sure that is in nats."""
    sure = np.zeros(len(items))
    drawn = [place for place, item in enumerate(items) if item.strokes is not None]
    framed = [place for place, item in enumerate(items) if item.frame is not None]
    for start in range(0, len(drawn), 500):
        part = drawn[start : start + 500]
        paths = trace_drawings([items[place].strokes or [] for place in part], POINTS).points.float()
        sure[part] = _certainty(checkpoint, [_plain(paths, pen) for pen in PENS])
    for start in range(0, len(framed), 500):
        part = framed[start : start + 500]
        frames = np.stack([frame for place in part if (frame := items[place].frame) is not None])
        sure[part] = _certainty(checkpoint, [torch.from_numpy(frames)[:, None] / 255])
    digits = np.array([item.digit != NOT_A_DIGIT for item in items])
    if not digits.any():
        raise ValueError("no digits among these hands to compare with: name sets of digits too")
    least = float(np.quantile(sure[digits], QUANTILE))
    return [
        item for item, certain, digit in zip(items, sure, digits) if certain >= least and not digit
    ], least


def _plain(paths: Tensor, pen: float) -> Tensor:
    """Return frames (N, 1, 28, 28) of paths (N, P, 2) in [-0.5, 0.5], drawn with a `pen` of so many pixels."""
    placed = paths * (DIGIT_BOX - pen) + CENTRE
    ink = torch.cat([ink_points(part, torch.full((len(part),), pen / 2)) for part in placed.split(AT_ONCE)])
    return warp(ink[:, None], STILL, Generator().manual_seed(0)).clamp(0, 1)


def _certainty(checkpoint: Checkpoint, pictures: list[Tensor]) -> np.ndarray:
    """Return how certain (N,) the network is, in nats, of what is drawn in several ways (each (N, 1, 28, 28))."""
    with torch.inference_mode():
        logits = torch.stack(
            [checkpoint.model(images).float() / checkpoint.temperature for images in pictures]
        )
    return certainty(logits.log_softmax(2).mean(0).softmax(1).numpy())


if __name__ == "__main__":
    sys.exit(main())
