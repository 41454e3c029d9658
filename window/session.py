"""What the window's thread works with: a recognizer, its memory of corrections, files, explanations, a small training.

    session = Session()
    session.load("model.pth")
    session.read(picture)

Its methods are what a `worker.Worker` is asked. No window here, and no torch before `load`.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from base.command import one_line
from base.devices import need_torch, use_one_thread
from window.groups import Group, combined, moved
from window.sheet import crop

if TYPE_CHECKING:
    from corrections.memory import Memory
    from corrections.store import Correction
    from recognizer.answer import Digit, Reading
    from recognizer.road import Recognizer
    from training.finetune import FineTuner


@dataclass(frozen=True)
class Model:
    """What the window knows of a model: its name, and what it tells apart."""

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class FileReading:
    """One file of several: what it says, or why it could not be read."""

    path: Path
    text: str
    error: str | None
    done: int
    total: int


class Session:
    """A recognizer and its memory of corrections."""

    def __init__(self, device: str = "cpu", corrections: str | os.PathLike[str] | None = None) -> None:
        """`corrections`: their folder (default: in the user's data)."""
        self.device, self.corrections = device, corrections
        self.recognizer: Recognizer | None = None
        self.memory: Memory | None = None
        self._before: Recognizer | None = None  # the model that was in use before a training
        self._tuner: FineTuner | None = None  # of the model in use, once it has practised

    def load(self, path: str | os.PathLike[str]) -> Model:
        """Use the checkpoint at `path` from now on; on an error the one before stays in use."""
        from corrections.memory import Memory

        if self.memory is None:
            self.memory = Memory(self.corrections)
        with _without_collecting():
            from recognizer.road import Recognizer

            recognizer = Recognizer(path, device=self.device, memory=self.memory)
            use_one_thread()  # small batches; the other cores belong to the pen
            recognizer.read(_warm_up())  # the first reading costs several times the next
        self.recognizer = recognizer
        return Model(f"{Path(path).name} ({recognizer.checkpoint.arch})", tuple(recognizer.classes))

    def read(self, source: Any) -> Reading | None:
        """Return the reading of a picture; None while there is no model."""
        return None if self.recognizer is None else self.recognizer.read(source)

    def read_drawing(self, ink: np.ndarray, groups: Sequence[Group] = ()) -> Reading | None:
        """Return the reading of a canvas's ink, uint8 (H, W), boxes in canvas units; None while there is no model.

        Each of `groups` is one digit; what is left is read as any picture is.
        """
        if self.recognizer is None:
            return None
        rest = ink.copy()
        for group in groups:
            rest[group.mask(ink.shape)] = 0
        picture, origin = crop(rest)
        reading = moved(self.recognizer.read(picture), *origin)
        return combined(reading, [self._digit(group) for group in groups]) if groups else reading

    def _digit(self, group: Group) -> Digit:
        """Return what a group that the user has set says, as one digit; it is never refused."""
        from ink.frame import make_frame
        from recognizer.answer import Digit

        assert self.recognizer is not None
        frame = make_frame(group.ink.astype(np.float32) / 255)
        probs = self.recognizer.classify(frame[None])[0]
        known = self.memory is not None and bool(self.memory.knows(frame[None], self.recognizer.classes)[0])
        name = self.recognizer.classes[int(probs.argmax())]
        return Digit(name, float(probs.max()), tuple(probs.tolist()), group.box, frame, True, known)

    @property
    def whole(self) -> bool:
        """Whether pictures are shown to the network whole, as they are."""
        return self.recognizer is not None and not self.recognizer.checkpoint.input["road"]

    def open(self, source: Any) -> tuple[np.ndarray, float, Reading | None]:
        """Return (uint8 upright picture, pixels of the file per pixel of it, reading) of a file or a PIL image."""
        from ink.decode import open_picture

        colours, scale = open_picture(source)
        return colours, scale, self.read(source)

    def paste(self) -> tuple[np.ndarray, float, Reading | None] | None:
        """Open the clipboard's image; None if it holds none. Raises OSError with the cure where no helper is installed."""
        from PIL import Image, ImageGrab

        try:
            content = ImageGrab.grabclipboard()
        except NotImplementedError:
            raise OSError(
                "images cannot be pasted here: install wl-clipboard or xclip, or drop the file on the window"
            ) from None
        if isinstance(content, list):
            return self.open(content[0]) if content else None
        return self.open(content) if isinstance(content, Image.Image) else None

    def read_files(self, paths: Sequence[str | os.PathLike[str]]) -> Iterator[FileReading]:
        """Read files and folders (recursively), one at a time."""
        found = [file for path in paths for file in find_pictures(path)]
        if not found:
            raise ValueError("there are no pictures in it: drop a folder with PNG or JPEG files")
        for done, path in enumerate(found, 1):
            text, error = "", None
            try:
                reading = self.read(path)
                text = (
                    ""
                    if reading is None
                    else reading.text.replace("\n", " / ") or reading.status.replace("_", " ")
                )
            except (OSError, ValueError) as problem:
                error = one_line(problem)
            yield FileReading(path, text, error, done, len(found))

    def saliency(self, groups: Sequence[Digit]) -> list[np.ndarray]:
        """Return for each group (28, 28) in [0, 1]: how much each pixel of its frame counted for the answer."""
        if self.recognizer is None:
            return []
        from recognizer.explain import saliency

        return [
            saliency(self.recognizer.checkpoint.model, group.frame, int(np.argmax(group.probs)))
            for group in groups
        ]

    def features(self, frame: np.ndarray) -> list[np.ndarray]:
        """Return the maps (C, H, W), in [0, 1], of each layer that keeps a picture, in order."""
        if self.recognizer is None:
            return []
        from recognizer.explain import feature_maps

        return feature_maps(self.recognizer.checkpoint.model, frame)

    def train(self) -> Iterator[Any]:
        """Train a tiny network, in memory only, and read with it meanwhile; `stop_training` brings the model back."""
        need_torch("a training")
        from recognizer.road import Recognizer
        from training.lesson import new_network, teach

        checkpoint = new_network()
        if self._before is None:
            self._before = self.recognizer
        self.recognizer = Recognizer(checkpoint, device="cpu")
        yield from teach(checkpoint.model)

    def stop_training(self) -> None:
        """Read with the model from before the training again."""
        if self._before is not None:
            self.recognizer, self._before = self._before, None

    def learn(self, frame: np.ndarray, label: str) -> Correction:
        """Keep a correction and return it."""
        if self.memory is None or self.recognizer is None:
            raise ValueError("nothing can be learnt before a model is loaded")
        return self.memory.learn(frame, label, self.recognizer.checkpoint.arch)

    def learn_all(self, frames: Sequence[np.ndarray], labels: Sequence[str], ids: list[str]) -> None:
        """Keep several corrections and add their names to `ids`."""
        for frame, label in zip(frames, labels):
            ids.append(self.learn(frame, label).id)

    def forget(self, ids: Sequence[str]) -> int:
        """Delete these corrections, but for those that are gone already, and return how many there were."""
        there = {entry.id for entry in self.memory.entries()} & set(ids) if self.memory is not None else set()
        for id in there:
            self.memory.forget(id)  # type: ignore[union-attr]  # there is one
        return len(there)

    def restore(self, entry: Correction) -> None:
        """Keep a correction again that was deleted."""
        assert self.memory is not None
        self.memory.restore(entry)

    def unlearn(self) -> str | None:
        """Take back the latest correction and return its label; None if there is none."""
        entry = self.memory.undo() if self.memory is not None else None
        return entry.label if entry else None

    @property
    def practised(self) -> bool:
        """Whether the model in use differs from its file by practice."""
        tuner, recognizer = self._tuner, self.recognizer
        return (
            tuner is not None
            and recognizer is not None
            and tuner.checkpoint is recognizer.checkpoint
            and tuner.tuned
        )

    def practise(self, undo: bool = False) -> str:
        """Fine-tune the model in use on all corrections, in memory only, or `undo` that; return what came of it, a sentence."""
        if self.memory is None or self.recognizer is None:
            raise ValueError("nothing can be learnt before a model is loaded")
        if undo and self._tuner is not None:
            while self._tuner.undo():
                pass
            self._begin_anew()
            return "The model is as it was before it practised"
        need_torch("practising")
        from recognizer.answer import as_percent
        from training.finetune import make_tuner

        checkpoint = self.recognizer.checkpoint
        if self._tuner is None or self._tuner.checkpoint is not checkpoint:
            self._tuner = make_tuner(checkpoint)
        outcome = self._tuner.tune(self.memory.standing())
        shares = f"{as_percent(outcome.before)} -> {as_percent(outcome.after)} of {outcome.held_out:,} other digits right"
        if not outcome.accepted:
            return (
                f"Practised, and not taken over: {outcome.learnt} of {outcome.corrections} learnt, {shares}"
            )
        self._begin_anew()
        return f"Practised: the model itself now knows {outcome.learnt} of {outcome.corrections} corrections ({shares})"

    def _begin_anew(self) -> None:
        """Read with a new recognizer of the same checkpoint: its memory keeps what the old one's weights said."""
        from recognizer.road import Recognizer

        assert self.recognizer is not None
        self.recognizer = Recognizer(self.recognizer.checkpoint, device=self.device, memory=self.memory)

    def reload(self) -> bool:
        """Take in what other windows learnt or forgot; return whether that was anything."""
        return self.memory is not None and self.memory.reload()

    def forget_all(self) -> int:
        """Delete all corrections and return how many there were."""
        return self.memory.forget_all() if self.memory is not None else 0


def find_pictures(path: str | os.PathLike[str]) -> list[Path]:
    """Return the picture files in a folder, recursively and sorted, then the folders in it that cannot be read; or the file itself."""
    from ink.decode import pictures_below

    if not os.path.isdir(path):
        return [Path(path)]
    closed: list[OSError] = []
    return [Path(file) for file in pictures_below(path, closed.append)] + [
        Path(error.filename) for error in closed
    ]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep the garbage collector from scanning torch's many new objects, which holds up the window's thread."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # later collections leave them out, too
        atexit.register(gc.unfreeze)
        if collecting:
            gc.enable()


def _warm_up() -> np.ndarray:
    picture = np.full((56, 56), 255, np.uint8)
    picture[10:46, 26:31] = 0
    return picture
