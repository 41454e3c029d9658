"""Where a training's pictures come from: MNIST or the stand-in, a folder of one's own, corrections.

Other people's hands are drawn from beside MNIST's training part; the validation part stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from corrections.memory import Memory
from dataset import Digits, load_digits, split_validation
from model import ARCHITECTURES
from training.folders import FolderData, add_corrections, load_folder
from training.hands import Hands, load_hands
from training.recipe import RETRAIN_EPOCHS, RETRAIN_RATE, Job, make_config, suit_small_data
from training.reports import SILENT, Reports


@dataclass(frozen=True)
class Data:
    """The pictures of a training, and what of the recipe suits them."""

    training: Digits
    validation: Digits
    hands: Hands | None = None
    suits: dict[str, int | float | str] = field(default_factory=dict)


def load_data(job: Job, arch: str, cache_dir: Path, reports: Reports = SILENT) -> Data:
    """Return the data that `job` names, for a network of kind `arch`. Raises OSError or ValueError if there is none.

    A folder too large for memory is decoded into a file in `cache_dir`.
    """
    if job.data is None:
        digits = load_digits(job.data_dir, fallback=job.fallback, warn=reports.warn)
        hands = load_hands(job.hands) if job.hands else None
        if hands is not None:
            reports.say(hands.summary())
        data = Data(*split_validation(digits), hands)
    else:
        found = _load_folder(job.data, arch, job.as_is, cache_dir, reports)
        small = suit_small_data(make_config(arch, {}), len(found.training))
        augment = "none" if job.as_is else "light"
        data = Data(found.training, found.validation, suits={**small, "augment": augment})
    if job.corrections is None:
        return data
    training = _with_corrections(data.training, job.corrections, reports)
    gentle = {"epochs": RETRAIN_EPOCHS, "learning_rate": make_config(arch, {}).learning_rate * RETRAIN_RATE}
    return Data(training, data.validation, data.hands, {**data.suits, **gentle})


def _load_folder(folder: Path, arch: str, as_is: bool, cache_dir: Path, reports: Reports) -> FolderData:
    known = ARCHITECTURES[arch]
    found = load_folder(
        folder, size=known.size, channels=known.channels, as_is=as_is, cache_dir=cache_dir, reports=reports
    )
    for _, reason in found.skipped:
        reports.warn(f"skipped: {reason}")
    reports.say(f"classes {', '.join(found.training.classes)}; {len(found.skipped)} files skipped")
    return found


def _with_corrections(training: Digits, folder: Path, reports: Reports) -> Digits:
    memory = Memory(folder)
    corrections = memory.standing()
    training = add_corrections(training, corrections)
    for path in memory.damaged:
        reports.warn(f"skipped: {path} is no correction, or damaged")
    reports.say(f"{len(corrections)} corrections from {folder}")
    return training
