"""Recognition beside the window: one thread that loads torch, reads, explains and learns, so that the pen never waits.

    worker = Worker(Session("model.pth"), notify=wake_the_window)
    worker.ask("read", picture, newest=True)
    for result in worker.results(): ...

No window here, and no torch until the thread imports it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from learn import Memory
    from recognizer import Digit, Reading, Recognizer

SWITCH_INTERVAL = 0.001     # seconds; how long the worker's Python code may hold up the window's (Python's default is 0.005)
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".heic", ".avif")


@dataclass(frozen=True)
class Result:
    """What became of a question: its kind and tag, and an answer or an error of one line."""

    kind: str
    tag: Any
    value: Any = None
    error: str | None = None


@dataclass(frozen=True)
class FileReading:
    """One file of several: what it says, or why it could not be read."""

    path: Path
    text: str
    error: str | None
    done: int
    total: int


class Session:
    """A recognizer and its memory of corrections; every public method is a kind of question for a `Worker`."""

    def __init__(self, device: str = "cpu", corrections: str | os.PathLike[str] | None = None, trust: bool = False) -> None:
        """`trust`: see model.load_checkpoint."""
        self.device, self.trust = device, trust
        self.corrections = corrections
        self.recognizer: Recognizer | None = None
        self.memory: Memory | None = None
        self._teacher: Recognizer | None = None         # the model that was in use before a training

    def load(self, path: str | os.PathLike[str]) -> str:
        """Use the checkpoint at `path` from now on and return its name; on an error the one before stays in use."""
        from learn import Memory
        if self.memory is None:
            self.memory = Memory(self.corrections)
        import torch

        from recognizer import Recognizer
        torch.set_num_threads(1)        # small batches; the other cores belong to the pen
        recognizer = Recognizer(path, device=self.device, memory=self.memory, trust=self.trust)
        recognizer.read(_warm_up())     # the first reading costs several times the next
        self.recognizer = recognizer
        return f"{Path(path).name} ({recognizer.checkpoint.arch})"

    def read(self, source: Any) -> Reading | None:
        """Return the reading of a picture; None while there is no model."""
        return None if self.recognizer is None else self.recognizer.read(source)

    def classes(self, _: Any = None) -> tuple[str, ...]:
        return () if self.recognizer is None else tuple(self.recognizer.classes)

    def open(self, source: Any) -> tuple[np.ndarray, float, Reading | None]:
        """Return (uint8 upright picture, pixels of the file per pixel of it, reading) of a file or a PIL image."""
        from read_ink import open_picture
        colours, scale = open_picture(source)[:2]
        return colours, float(scale), self.read(source)

    def paste(self, _: Any = None) -> tuple[np.ndarray, float, Reading | None] | None:
        """Open the clipboard's image; None if it holds none. Raises OSError with the cure where no helper is installed."""
        from PIL import Image, ImageGrab
        try:
            content = ImageGrab.grabclipboard()
        except NotImplementedError:
            raise OSError("images cannot be pasted here: install wl-clipboard or xclip, or drop the file on the window") from None
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
                text = "" if reading is None else reading.text.replace("\n", " / ") or reading.status.replace("_", " ")
            except (OSError, ValueError) as problem:
                error = one_line(problem)
            yield FileReading(path, text, error, done, len(found))

    def saliency(self, groups: Sequence[Digit]) -> list[np.ndarray]:
        """Return for each group (28, 28) in [0, 1]: how much each pixel of its frame counted for the answer."""
        if self.recognizer is None:
            return []
        from explain import saliency
        return [saliency(self.recognizer.checkpoint.model, group.frame, int(np.argmax(group.probs))) for group in groups]

    def features(self, frame: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """Return (layer, maps (C, H, W) in [0, 1]) for each layer that keeps a picture, in order."""
        if self.recognizer is None:
            return []
        from explain import feature_maps
        return feature_maps(self.recognizer.checkpoint.model, frame)

    def train(self, _: Any = None) -> Iterator[Any]:
        """Train a tiny network, in memory only, and read with it meanwhile; `stop_training` brings the model back."""
        from lesson import new_pupil, teach
        from recognizer import Recognizer
        pupil = new_pupil()
        if self._teacher is None:
            self._teacher = self.recognizer
        self.recognizer = Recognizer(pupil, device="cpu")
        yield from teach(pupil.model)

    def stop_training(self, _: Any = None) -> None:
        """Read with the model from before the training again."""
        if self._teacher is not None:
            self.recognizer, self._teacher = self._teacher, None

    def learn(self, correction: tuple[np.ndarray, str]) -> str:
        """Keep a correction (frame, label) and return the label."""
        if self.memory is None or self.recognizer is None:
            raise ValueError("nothing can be learnt before a model is loaded")
        frame, label = correction
        self.memory.learn(frame, label, self.recognizer.checkpoint.arch)
        return label

    def unlearn(self, _: Any = None) -> str | None:
        """Take back the latest correction and return its label; None if there is none."""
        entry = self.memory.undo() if self.memory is not None else None
        return entry.label if entry else None

    def forget(self, identity: str) -> str:
        """Delete one correction."""
        if self.memory is not None:
            self.memory.forget(identity)
        return identity

    def forget_all(self, _: Any = None) -> int:
        """Delete all corrections and return how many there were."""
        return self.memory.forget_all() if self.memory is not None else 0


class Worker:
    """A thread that answers questions in order. Of those asked with `newest`, only the latest of a kind is answered.

    A session's method that is a generator gives an answer at each yield, and other questions are answered in between.
    """

    def __init__(self, session: Any, notify: Callable[[], None] = lambda: None) -> None:
        """`notify` is called from the thread whenever there is a result."""
        self._session, self._notify = session, notify
        self._questions: deque[tuple[str, Any, Any]] = deque()
        self._results: deque[Result] = deque()
        self._running: tuple[str, Any, Iterator[Any]] | None = None
        self._changed = threading.Condition()
        self._current = ""              # the kind of question being answered, or of the step being taken
        self._closed = self._paused = False
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._thread = threading.Thread(target=self._work, name="recognition", daemon=True)
        self._thread.start()

    def ask(self, kind: str, argument: Any = None, tag: Any = None, newest: bool = False) -> None:
        """Ask the session's method `kind`; the result carries `tag`."""
        with self._changed:
            if newest:
                self._questions = deque(each for each in self._questions if each[0] != kind)
            self._questions.append((kind, argument, tag))
            self._changed.notify()

    def cancel(self) -> None:
        """End a generator in progress after its current step."""
        with self._changed:
            self._running, self._paused = None, False

    def results(self) -> list[Result]:
        """Return the results since the last call."""
        found = []
        while self._results:
            found.append(self._results.popleft())
        return found

    @property
    def paused(self) -> bool:
        """Whether the generator in progress rests between two steps."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Let a generator in progress rest, or go on."""
        with self._changed:
            self._paused = paused
            self._changed.notify()

    def asked_for(self, kind: str) -> bool:
        """Whether a question of this kind waits, is being answered, or its result has not been fetched."""
        with self._changed:
            return (kind == self._current or any(question[0] == kind for question in self._questions)
                    or any(result.kind == kind for result in self._results))

    @property
    def busy(self) -> bool:
        """Whether a generator is in progress."""
        return self._running is not None

    def close(self, timeout: float = 2.0) -> None:
        """End the thread after the question it is answering."""
        with self._changed:
            self._closed, self._running = True, None
            self._questions.clear()
            self._changed.notify()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._questions or self._closed or (self._running and not self._paused))
                if self._closed:
                    return
                question = self._questions.popleft() if self._questions else None
                running = None if self._paused else self._running
                self._current = question[0] if question else running[0] if running else ""
            if question:
                self._answer(*question)
            elif running:
                self._step(running)
            with self._changed:
                self._current = ""

    def _answer(self, kind: str, argument: Any, tag: Any) -> None:
        try:
            value = getattr(self._session, kind)(argument)
        except Exception as error:      # whatever a file or a checkpoint does, the window lives and says so
            self._give(Result(kind, tag, error=one_line(error)))
            return
        if isinstance(value, Iterator):
            with self._changed:
                self._running = (kind, tag, value)
        else:
            self._give(Result(kind, tag, value))

    def _step(self, running: tuple[str, Any, Iterator[Any]]) -> None:
        kind, tag, steps = running
        result = None
        try:
            result = Result(kind, tag, next(steps))
        except StopIteration:
            pass
        except Exception as error:      # as in _answer
            result = Result(kind, tag, error=one_line(error))
        over = result is None or result.error is not None
        with self._changed:
            if self._running is not running:
                return                  # cancelled meanwhile
            if over:
                self._running = None
        if result:
            self._give(result)

    def _give(self, result: Result) -> None:
        self._results.append(result)
        if not self._closed:
            self._notify()


def find_pictures(path: str | os.PathLike[str]) -> list[Path]:
    """Return the picture files in a folder, recursively and sorted, or the file itself."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURE_ENDINGS and file.is_file())


def one_line(error: BaseException) -> str:
    """Return an error as one sentence."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the file'}: {error.strerror}".replace("\n", " ")
    if isinstance(error, (OSError, ValueError)) and str(error):
        return str(error).replace("\n", " ")
    return f"{type(error).__name__}: {error}".replace("\n", " ")


def _warm_up() -> np.ndarray:
    picture = np.full((56, 56), 255, np.uint8)
    picture[10:46, 26:31] = 0
    return picture
