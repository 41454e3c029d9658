"""Corrections and drawn digits as pictures to train on: a new folder with a sub-folder a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from base.storage import atomic_write, make_folder
from corrections.store import Correction

NAME = "labelled-digits"  # of the folder; "labelled-digits-2" where there is one


def export_pictures(
    folder: str | os.PathLike[str],
    corrections: Sequence[Correction],
    drawn: Sequence[tuple[np.ndarray, str]] = (),
) -> Path:
    """Write frames, float (H, W[, 3]) in [0, 1], as PNG files label/name.png into a new folder in `folder`; return it.

    `drawn`: further frames and their labels. `train.py --data` takes the folder. Raises OSError.
    """
    target = _new_folder(Path(folder))
    named = [(entry.frame, entry.label, f"corrected-{entry.id}") for entry in corrections]
    named += [(frame, label, f"drawn-{number:03d}") for number, (frame, label) in enumerate(drawn, 1)]
    for frame, label, name in named:
        place = target / (label if Path(label).name == label else "_")  # a label may be a slash
        make_folder(place)
        with atomic_write(place / f"{name}.png") as file:
            Image.fromarray(np.round(frame * 255).astype(np.uint8)).save(file, "PNG")
    return target


def _new_folder(folder: Path) -> Path:
    target, number = folder / NAME, 1
    while target.exists():
        number += 1
        target = folder / f"{NAME}-{number}"
    make_folder(target)
    return target.absolute()
