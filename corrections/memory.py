"""Learning from corrections: kept as data, consulted by similarity, undone, forgotten.

    memory = Memory()                                   # the user's data folder, or Memory(folder)
    recognizer = Recognizer("model.pth", memory=memory)
    memory.learn(reading.groups[0].frame, "7")          # right from now on
    memory.undo()

A memory compares what the network sees with the corrected frames and moves its answer where they are alike:
right at once, nothing forgotten, whatever the network is made of, and its weights stay as they are.
(`finetune` moves them, in memory and under guard.) No torch here: the app opens its memory before torch is loaded.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image
from scipy import ndimage

from base.places import read_file
from base.storage import atomic_write, delete_stale, make_folder, remove, set_aside
from corrections.store import MOST_BYTES, Correction, _check, _from_bytes, _to_bytes, default_folder

RANK = re.compile(r"-(\d{3,})-")  # of corrections made at one instant, in their files' names
OWN_NAME = re.compile(r"\d{8}T\d{12}-\d{3}-[0-9a-f]{6}")  # of a correction's file, without its ending
SIDE = 28  # pixels; frames are compared at this size
BLUR = 1.0  # pixels; standard deviation of the blur that lets strokes lie a little apart
SHIFTS = [
    (dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)
]  # pixels; tried before two frames are called unlike
UNLIKE = 0.74  # correlation at which two frames have nothing to do with each other
SAME = 0.98  # correlation from which a frame is the corrected drawing again
RECALLED = 0.95  # probability of its label that a correction gives its own frame
LEAST = 1e-7  # probability below which the network's doubt is not believed


class Network(Protocol):
    """Who asks a memory: a recognizer.Recognizer."""

    @property
    def classes(self) -> Sequence[str]: ...

    def ask(self, frames: np.ndarray) -> np.ndarray:
        """Return probabilities (N, classes) without any memory."""


class Memory:
    """The corrections in a folder, one file each; safe to use from several threads.

    Every change is on disk, whole, before the call returns, and a file is never rewritten: a crash at any
    instant loses at most the correction being made. A damaged file is moved to `damaged/` if its name is one of ours.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        """Read the corrections in `folder` (default: the user's data folder; made when first needed)."""
        self.folder = Path(folder) if folder is not None else default_folder()
        self.damaged: list[Path] = []  # files that could not be taken in, at their present paths
        self._lock = threading.RLock()
        self._entries: dict[str, Correction] = {}
        self._features: dict[str, np.ndarray] = {}  # id -> (SIDE * SIDE,), unit length
        self._answers: WeakKeyDictionary[Network, dict[str, np.ndarray]] = (
            WeakKeyDictionary()
        )  # of the frames
        self.reload()

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[Correction]:
        """Return the corrections, oldest first."""
        with self._lock:
            return [self._entries[name] for name in sorted(self._entries)]

    def standing(self) -> list[Correction]:
        """Return the corrections that count, oldest first: of several of one frame the latest, until it is taken back."""
        return _latest(self.entries())

    def learn(self, frame: np.ndarray, label: str, model: str = "") -> Correction:
        """Keep a correction and use it from now on. Raises ValueError for a bad frame or label, OSError if not stored."""
        frame = np.ascontiguousarray(frame, np.float32)
        _check(frame, label)
        now = datetime.now(UTC)
        with self._lock:
            latest = max(self._entries, default="")
            stamp = max(f"{now:%Y%m%dT%H%M%S%f}", latest.split("-")[0])  # a clock set back keeps the order
            taken = [RANK.match(name, len(stamp)) for name in self._entries if name.startswith(stamp)]
            rank = 1 + max((int(found[1]) for found in taken if found), default=-1)
            entry = Correction(
                f"{stamp}-{rank:03d}-{secrets.token_hex(3)}",
                frame,
                label,
                now.isoformat(timespec="seconds"),
                model,
            )
            make_folder(self.folder)
            try:
                with atomic_write(self._path(entry.id)) as file:
                    file.write(_to_bytes(entry))
            except OSError:  # it may be there and not yet be safe: what failed is not kept by half
                with suppress(OSError):
                    remove(self._path(entry.id))
                raise
            self._remember(entry)
        return entry

    def undo(self) -> Correction | None:
        """Take back the latest correction and return it; None if there is none."""
        with self._lock:
            latest = max(self._entries, default=None)
            if latest is None:
                return None
            entry = self._entries[latest]
            self.forget(latest)
            return entry

    def forget(self, id: str) -> None:
        """Delete one correction; raises KeyError if there is none of that name, OSError if it cannot be deleted."""
        with self._lock:
            if id not in self._entries:
                raise KeyError(id)
            try:
                remove(self._path(id))
            finally:  # an error may come after the file has gone
                if not self._path(id).exists():
                    del self._entries[id], self._features[id]

    def restore(self, entry: Correction) -> None:
        """Keep a correction again that was deleted, at its old place; raises OSError if it is not stored."""
        with self._lock:
            make_folder(self.folder)
            with atomic_write(self._path(entry.id)) as file:
                file.write(_to_bytes(entry))
            self._remember(entry)

    def forget_all(self) -> int:
        """Delete all corrections, those of other programs too, and return how many there were."""
        with self._lock:
            self.reload()
            names = list(self._entries)
            for name in names:
                self.forget(name)
            return len(names)

    def reload(self) -> bool:
        """Take in what other programs added to the folder, or deleted from it, and say whether that was anything."""
        with self._lock:
            before = set(self._entries)
            delete_stale(self.folder)
            names = {path.stem for path in self.folder.glob("*.npz")} if self.folder.is_dir() else set()
            for name in set(self._entries) - names:
                del self._entries[name], self._features[name]
            for name in sorted(names - set(self._entries)):
                path = self._path(name)
                try:
                    content = read_file(path, MOST_BYTES)
                except FileNotFoundError:
                    continue  # deleted by another program since it was listed
                except OSError:
                    self._report(path)  # it cannot be read now: that is no damage
                    continue
                try:
                    self._remember(_from_bytes(name, content))
                except (ValueError, KeyError, EOFError, OSError):
                    self._set_aside(path)
            return set(self._entries) != before

    def consult(self, frames: np.ndarray, probs: np.ndarray, network: Network) -> np.ndarray:
        """Return `probs` (N, classes) of frames (N, H, W[, 3]), each row moved by the corrections it is like.

        On its own frame a correction lifts its label's log-probability until the probability is RECALLED;
        on another by as much of that as the two are alike, in the frames and in what the network says of
        them. Of several corrections for one label the strongest counts. A frame that is a corrected drawing
        again (SAME) hears only that one, the latest if there are several.
        """
        classes = list(network.classes)
        with self._lock:
            entries = self._suiting(frames, classes)
            if not entries:
                return probs
            stored = np.stack([self._features[entry.id] for entry in entries], axis=1)  # (P, M)
            said = self._ask(entries, network)  # (M, classes)
        labels = np.array([classes.index(entry.label) for entry in entries])
        own = np.clip(said[np.arange(len(entries)), labels], LEAST, 1 - LEAST)
        lacking = np.maximum(_log_odds(RECALLED) - _log_odds(own), 0)  # (M,) nats
        similar = _likeness(frames, stored)
        answers = np.clip(_opinion(probs) @ _opinion(said).T, 0, 1)
        share = (np.clip((similar - UNLIKE) / (1 - UNLIKE), 0, 1) * answers) ** 2
        last = len(entries) - 1
        for row in np.flatnonzero(similar.max(axis=1) >= SAME):
            nearest = last - similar[row, ::-1].round(3).argmax()
            share[row] = np.arange(len(entries)) == nearest
        lift = np.zeros_like(probs)
        for column, label in enumerate(labels):
            lift[:, label] = np.maximum(lift[:, label], share[:, column] * lacking[column])
        raised = np.maximum(probs, LEAST) * np.exp(lift)
        return np.where(lift.any(axis=1, keepdims=True), raised / raised.sum(axis=1, keepdims=True), probs)

    def knows(self, frames: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Say (N,) which of the frames (N, H, W[, 3]) are drawings again that were corrected to one of `classes`."""
        with self._lock:
            entries = self._suiting(frames, classes)
            stored = [self._features[entry.id] for entry in entries]
        if not stored:
            return np.zeros(len(frames), bool)
        return _likeness(frames, np.stack(stored, axis=1)).max(axis=1) >= SAME

    def _suiting(self, frames: np.ndarray, classes: Sequence[str]) -> list[Correction]:
        """Return the corrections that count, oldest first, of frames shaped as `frames` (N, H, W[, 3]), with labels among `classes`."""
        return _latest(
            entry
            for entry in self.entries()
            if entry.label in classes and entry.frame.shape == frames.shape[1:]
        )

    def _ask(self, entries: list[Correction], network: Network) -> np.ndarray:
        """Return what the network alone says of the corrected frames (M, classes), asked once for each."""
        known = self._answers.setdefault(network, {})
        new = [entry for entry in entries if entry.id not in known]
        if new:
            known.update(
                zip([entry.id for entry in new], network.ask(np.stack([entry.frame for entry in new])))
            )
        return np.stack([known[entry.id] for entry in entries])

    def _remember(self, entry: Correction) -> None:
        self._entries[entry.id] = entry
        self._features[entry.id] = _unit(_comparable(entry.frame))

    def _set_aside(self, path: Path) -> None:
        with suppress(OSError):
            if OWN_NAME.fullmatch(path.stem):
                path = set_aside(path, path.parent / "damaged", path.suffix)
        self._report(path)

    def _report(self, path: Path) -> None:
        if path not in self.damaged:
            self.damaged.append(path)

    def _path(self, id: str) -> Path:
        return self.folder / f"{id}.npz"


# ---------------------------------------------------------------------------------- files and features


def _latest(entries: Iterable[Correction]) -> list[Correction]:
    """Return the last of `entries`, oldest first, for each frame."""
    found: dict[tuple[tuple[int, ...], bytes], Correction] = {}
    for entry in entries:
        key = entry.frame.shape, entry.frame.tobytes()
        found.pop(key, None)  # the later one takes its own place in the order
        found[key] = entry
    return list(found.values())


def _likeness(frames: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Return how alike frames (N, H, W[, 3]) are, each shifted to its best, to the features `stored` (P, M): correlations (N, M)."""
    moved = np.stack([_moved(_comparable(frame)) for frame in frames])  # (N, shifts, P)
    return (moved @ stored).max(axis=1)


def _comparable(frame: np.ndarray) -> np.ndarray:
    """Return a frame in grey at SIDE x SIDE, blurred."""
    grey = frame.mean(axis=2) if frame.ndim == 3 else frame
    if grey.shape != (SIDE, SIDE):
        image = Image.fromarray(np.ascontiguousarray(grey, np.float32))
        grey = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
    return ndimage.gaussian_filter(grey, BLUR)


def _unit(picture: np.ndarray) -> np.ndarray:
    """Return a picture as a vector of mean 0 and length 1: products of two are their correlation."""
    flat = picture.ravel() - picture.mean()
    return (flat / max(float(np.linalg.norm(flat)), 1e-6)).astype(np.float32)


def _moved(picture: np.ndarray) -> np.ndarray:
    """Return (shifts, SIDE * SIDE): the picture and its neighbours a pixel away, each of unit length."""
    return np.stack([_unit(np.roll(picture, shift, axis=(0, 1))) for shift in SHIFTS])


def _log_odds(probability: Any) -> Any:
    return np.log(probability / (1 - probability))


def _opinion(probs: np.ndarray) -> np.ndarray:
    """Return probabilities (N, classes) as centred log-probabilities of unit length: products are cosines."""
    logs = np.log(probs.astype(np.float64) + LEAST)
    logs -= logs.mean(axis=1, keepdims=True)
    return logs / np.maximum(np.linalg.norm(logs, axis=1, keepdims=True), 1e-9)
