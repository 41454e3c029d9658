"""Every input that once failed is read, or refused in one line, as truth.json says (make.py makes them)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from base.checkpoint import load_checkpoint
from base.command import one_line
from corrections.memory import Memory
from ink.canvas import Canvas
from measuring.testsets import load_samples
from recognizer.road import Recognizer
from window.settings import Settings, load_settings

HERE = Path(__file__).parent
TRUTH: dict[str, Any] = json.loads((HERE / "truth.json").read_text(encoding="utf-8"))
LARGEST = 8_192  # bytes of a file kept here


def read(path: Path, recognizer: Recognizer) -> Any:
    """Return what comes of a file, as truth.json says it."""
    match path.parent.name:
        case "pictures":
            return recognizer.read(path).status
        case "strokes":
            canvas = Canvas()
            canvas.load_json(path.read_bytes())
            canvas.picture()
            return len(canvas.strokes)
        case "settings":
            found = load_settings(path)
            assert path.exists() == (found != Settings())
            return found.width
        case "corrections":
            own = path.rename(path.parent / "20200101T000000000000-000-abcdef.npz")
            memory = Memory(path.parent)
            assert own.exists() == bool(memory.entries()) and len(memory.damaged) == 1 - len(memory)
            return memory.entries()[0].label if len(memory) else "set aside"
        case "tables":
            return len(list(load_samples(path)))
        case _:
            return load_checkpoint(path)


@pytest.mark.parametrize("name", TRUTH)
def test_what_once_failed_does_so_no_more(
    name: str, recognizer: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    wanted = TRUTH[name]
    path = tmp_path / name
    path.parent.mkdir()
    shutil.copy(HERE / name, path)
    monkeypatch.chdir(path.parent)
    if isinstance(wanted, list):
        with pytest.raises((ValueError, OSError)) as caught:
            read(path, recognizer)
        said = one_line(caught.value)
        assert wanted[1] in said and "\n" not in said and len(said) < 1000
        assert path.read_bytes() == (HERE / name).read_bytes()
    else:
        found = read(path, recognizer)
        assert wanted in (None, found)
    assert not (path.parent / "canary").exists()


def test_every_file_has_its_truth_and_is_small() -> None:
    files = [
        path for path in HERE.rglob("*") if path.parent.parent == HERE and path.parent.name != "__pycache__"
    ]
    assert {path.relative_to(HERE).as_posix() for path in files} == set(TRUTH)
    assert all(path.stat().st_size <= LARGEST for path in files)
