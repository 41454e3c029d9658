"""What reads a case: the code that reads it for a user."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from base import command
from benchmarks.hostile.damage import Content
from benchmarks.hostile.models import resume_run
from benchmarks.record import ROOT


class Refused(Exception):
    """The reader said no as it documents."""


@contextlib.contextmanager
def refusing(*documented: type[Exception]) -> Iterator[None]:
    """Turn documented exceptions into Refused; their message must be one that a user can read."""
    try:
        yield
    except documented as error:
        if not str(error).strip():
            raise AssertionError("an error without a message") from error
        raise Refused from error


def make_reader(kind: str, folder: Path) -> Callable[[Any], None]:
    """Return what reads a case of a kind: a Content, or a command's (name, words)."""
    from base.checkpoint import CheckpointError, load_checkpoint
    from corrections.memory import Memory
    from dataset import DataError, read_idx
    from ink.canvas import Canvas
    from ink.decode import PictureError
    from measuring.testsets import load_samples
    from recognizer.road import Recognizer
    from training.folders import frame_of
    from window.settings import load_settings

    example = ROOT / "examples" / "seven.png"

    def written(content: Content) -> Path:
        path = folder / f"input{content.suffix}"
        path.write_bytes(content.data)
        (folder / "input").write_bytes(content.data)
        return path

    def unharmed(path: Path, content: Content) -> None:
        if path.read_bytes() != content.data:
            raise AssertionError("the input file was changed")
        path.unlink()

    def file_reader(
        read: Callable[[Path], object], *documented: type[Exception]
    ) -> Callable[[Content], None]:
        def reader(content: Content) -> None:
            path = written(content)
            try:
                with refusing(*documented):
                    read(path)
            finally:
                unharmed(path, content)

        return reader

    def read_model(path: Path) -> None:
        with refusing(OSError, CheckpointError):
            checkpoint = load_checkpoint(path)
        with refusing(OSError, CheckpointError, PictureError):
            Recognizer(checkpoint).read(example)

    def read_correction(content: Content) -> None:
        for old in (folder / "corrections").rglob("*.npz"):
            old.unlink()
        memory = Memory(folder / "corrections")
        kept = memory.learn(frame_of(example), "7")
        (memory.folder / "20200101T000000000000-000-abcdef.npz").write_bytes(content.data)
        again = Memory(memory.folder)
        if kept not in again.entries():
            raise AssertionError("a correction was lost")
        Recognizer(recognizer.checkpoint, memory=again).read(example)
        if again.damaged:
            if again.damaged[0].read_bytes() != content.data:
                raise AssertionError("the damaged file was changed")
            raise Refused

    def read_settings(content: Content) -> None:
        load_settings(written(content))

    if kind in ("png", "jpeg", "gif", "bmp", "webp", "tiff", "drawn", "correction"):
        recognizer = Recognizer()
    if kind == "correction":
        return read_correction
    if kind == "settings":
        return read_settings
    if kind == "strokes":
        return file_reader(lambda path: Canvas().load_json(path.read_bytes()), ValueError)
    if kind in ("idx", "idx.gz"):
        return file_reader(read_idx, OSError, DataError)
    if kind in ("checkpoint", "onnx"):
        return file_reader(read_model, OSError, CheckpointError)
    if kind == "resume":
        from training.resume import restore

        return file_reader(lambda path: restore(resume_run(), path), OSError, CheckpointError)
    if kind in ("tsv", "npz", "jsonl", "jsonl.gz"):
        return file_reader(lambda path: list(load_samples(path)), OSError, DataError)
    if kind == "commands":
        for module in (
            "torchmetrics.functional.classification",
            "onnx",
            "onnxscript",
            "matplotlib.pyplot",
            "pygame",
        ):
            importlib.import_module(
                module
            )  # seconds that are no case's; and an import that is interrupted spoils the next
        return lambda case: run_command(*case)
    return file_reader(recognizer.read, OSError, PictureError)


def run_command(name: str, words: list[str]) -> None:
    """Call a command's main; its status must be 0, 1 or 2."""
    status: object
    try:
        status = command.status(importlib.import_module(name).main, words)
    except SystemExit as end:
        status = end.code
    if status not in (0, 1, 2):
        raise AssertionError(f"exit status {status!r}")
    if status:
        raise Refused
