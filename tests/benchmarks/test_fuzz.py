"""A short part of benchmarks.fuzz and benchmarks.kill: nothing hostile makes a traceback, hangs or does harm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from PIL import Image

from base.checkpoint import CheckpointError, load_checkpoint
from benchmarks import fuzz
from benchmarks.hostile import damage, tables
from corrections.memory import Memory
from dataset import DataError, read_idx
from ink.canvas import Canvas
from ink.decode import PictureError
from ink.looks import read_ink
from ink.raster import draw_strokes
from measuring.testsets import load_samples
from window.settings import Settings, load_settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs alarms and forks")
CASES = {
    "png": 8,
    "jpeg": 12,
    "gif": 8,
    "bmp": 8,
    "webp": 8,
    "tiff": 12,
    "drawn": 30,
    "idx": 30,
    "idx.gz": 20,
    "checkpoint": 15,
    "tsv": 12,
    "npz": 8,
    "jsonl": 20,
    "jsonl.gz": 20,
    "strokes": 30,
    "correction": 8,
    "settings": 15,
    "onnx": 6,
    "resume": 10,
}


@pytest.fixture
def alarms() -> Iterator[None]:
    """Leave the signals as they were."""
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGALRM, signal.SIGPROF)}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.mark.parametrize("kind", CASES)
def test_hostile_input_is_read_or_refused(
    kind: str, tmp_path: Path, alarms: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(damage, "BOMB", 16 << 20)
    monkeypatch.setattr(damage, "PIXELS", 10**6)
    damage.seeds_of.cache_clear()
    with warnings.catch_warnings():
        tally = fuzz.fuzz(kind, CASES[kind], seed=1, folder=tmp_path)
    assert [failure for failure in tally.failures if "MB held" not in failure] == []
    assert tally.accepted + tally.refused == CASES[kind]


# ---------------------------------------------------------------------------------- found cases


def test_a_checkpoint_that_unpacks_to_more_than_itself_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(checkpoint) as whole,
        zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in whole.infolist():
            packed.writestr(entry.filename, whole.read(entry))
        packed.writestr("archive/data/zeros", bytes(1 << 20))
    with pytest.raises(CheckpointError, match="more than its own size"):
        load_checkpoint(tmp_path / "packed.pth")


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"width": 30_000}},
        {"arch": "scratch", "config": {"layers": [784, 60_000, 60_000]}},  # 4 and 14 GB of weights
        {"facts": {"temperature": "x"}},
        {"facts": {"temperature": 0}},
        {"facts": {"threshold": None}},
        {"classes": ["a"]},
        {"input": {"size": 0, "channels": 1, "road": False}},
        {"input": {"size": 28, "channels": 1}},
        {"input": {"size": 10**6, "channels": 3, "road": False}},
        {"input": {"size": 28, "channels": 7, "road": False}},
    ],
)
def test_a_checkpoint_whose_parts_do_not_fit_is_refused(
    change: dict, checkpoint: Path, tmp_path: Path
) -> None:
    torch.save({**torch.load(checkpoint, weights_only=True), **change}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match=r"odd\.pth"):
        load_checkpoint(tmp_path / "odd.pth")


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset.MOST_BYTES", 1 << 20)
    monkeypatch.setattr("measuring.testsets.MOST_LINE", 1 << 20)
    monkeypatch.setattr(damage, "BOMB", 32 << 20)
    for name, read in (("images.gz", read_idx), ("strokes.jsonl.gz", lambda path: list(load_samples(path)))):
        (tmp_path / name).write_bytes(tables.gz_bomb())
        with pytest.raises(DataError, match=name):
            read(tmp_path / name)


def test_an_npz_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("measuring.testsets.MOST_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((2000, 28, 28), np.uint8), y=np.zeros(2000))
    with pytest.raises(DataError, match="unpacks"):
        list(load_samples(tmp_path / "bomb.npz"))


def test_a_correction_bomb_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(tmp_path)
    memory.learn(np.full((28, 28), 0.5, np.float32), "7")
    monkeypatch.setattr("corrections.store.MOST_BYTES", 1 << 10)
    assert len(Memory(tmp_path).damaged) == 1


def test_more_points_than_anybody_draws_are_refused() -> None:
    many = [[[i % 280, i % 97] for i in range(30_000)]]
    with pytest.raises(ValueError, match="at most"):
        draw_strokes(many)
    content = (
        Canvas()
        .to_json()
        .replace(
            '"strokes": []', '"strokes": [{"brush": 16, "eraser": false, "points": ' + str(many[0]) + "}]"
        )
    )
    with pytest.raises(ValueError, match="30,000 points, more than 20,000"):
        Canvas().load_json(content)


@pytest.mark.parametrize("strokes", [[[[0, float("nan")]]], [[[0, float("inf")], [1, 1]]], [[[1], [2]]]])
def test_a_point_is_two_finite_numbers(strokes: list) -> None:
    with pytest.raises(ValueError):
        draw_strokes(strokes)


@pytest.mark.parametrize(
    "mode, size",
    [
        ("L", (3000, 2500)),
        ("RGBA", (4200, 60)),
        ("P", (5000, 4200)),
        ("I;16", (4200, 4200)),
        ("1", (60, 4200)),
    ],
)
def test_a_huge_picture_is_made_smaller_before_it_is_turned_to_ink(
    mode: str, size: tuple[int, int], tmp_path: Path
) -> None:
    Image.new(mode, size).save(tmp_path / "huge.png")
    picture = read_ink(tmp_path / "huge.png")
    assert max(next(iter(picture.looks)).ink.shape) <= 1024 and picture.scale == pytest.approx(
        max(size) / 1024, rel=0.01
    )


@pytest.mark.parametrize("size", [(1, 2_000_000), (11_000, 10_000)])
def test_a_picture_too_large_for_memory_is_refused(size: tuple[int, int], tmp_path: Path) -> None:
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)
    (tmp_path / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\r"
        + header
        + struct.pack(">I", zlib.crc32(header))
        + b"\0\0\0\0IDAT5\xaf\x06\x1e"
    )
    with pytest.raises(PictureError, match="too many pixels"):
        read_ink(tmp_path / "huge.png")


def test_killed_at_any_instant_everything_loads(run) -> None:  # type: ignore[no-untyped-def]
    result = run("-m", "benchmarks.kill", "--count", "2", cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("nothing lost, all files load") == 2


LATE = """
import random, sys, tempfile
from pathlib import Path
from benchmarks import kill
from corrections.memory import Memory

learn, late = Memory.learn, {}

def learn_late(memory, *words):
    entry = learn(memory, *words)
    for path, content in late.items():
        if path.stem in memory._entries:
            path.write_bytes(content)
    path = memory._path(entry.id)
    late.clear()
    late[path] = path.read_bytes()
    path.unlink()
    return entry

Memory.learn = learn_late
kill.kill_corrections(20, random.Random(0), Path(tempfile.mkdtemp(dir=sys.argv[1])))
"""


def test_a_correction_that_is_kept_only_with_the_next_one_is_noticed(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", LATE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert "AssertionError: corrections lost" in result.stderr


def test_settings_of_an_infinite_size_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"width": Infinity, "height": 768, "theme": "light", "brush": 16.0}')
    assert load_settings(path) == Settings() and not path.exists()
