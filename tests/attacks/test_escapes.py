"""Files that try to reach another file: names that lead out of a folder, links, pipes, devices."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from base.checkpoint import CheckpointError, load_checkpoint
from base.storage import atomic_write, make_folder, remove, set_aside, write_new
from corrections.memory import Memory
from dataset import DataError
from ink.canvas import Canvas
from ink.decode import PictureError, class_files, pictures_below
from ink.looks import read_ink
from measuring.testsets import load_samples
from window.settings import Settings, bring_back_drawing, load_settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of POSIX")
NAMES = [
    "../canary",
    "../../canary",
    "/tmp/canary-of-the-digits-tests",
    "a/../../canary",
    "..\\canary",
    "C:\\canary",
]
OWN = "20200101T000000000000-000-abcdef.npz"  # a name that a correction's file may have


def with_members(content: bytes, names: list[str]) -> bytes:
    """Return a zip file with members of other names added."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as file:
        for name in names:
            file.writestr(name, b"out of the folder")
    return buffer.getvalue()


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_names_in_a_zip_file_lead_nowhere(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    model, table = tmp_path / "in" / "deep" / "model.pth", tmp_path / "in" / "deep" / "x.npz"
    model.write_bytes(with_members(checkpoint.read_bytes(), NAMES))
    np.savez(table, x=np.zeros((1, 28, 28), np.uint8), y=np.zeros(1, np.int64))
    table.write_bytes(with_members(table.read_bytes(), NAMES))
    folder = tmp_path / "in" / "corrections"
    Memory(folder).learn(np.full((28, 28), 0.5, np.float32), "5")
    correction = next(folder.iterdir())
    correction.write_bytes(with_members(correction.read_bytes(), NAMES))
    before = below(tmp_path)
    for read in (lambda: load_checkpoint(model), lambda: list(load_samples(table)), lambda: Memory(folder)):
        try:
            read()
        except (CheckpointError, DataError):
            pass
    assert below(tmp_path) == before and not Path(NAMES[2]).exists()


def test_a_link_among_the_corrections_is_moved_or_deleted_itself(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"no correction")
    folder = tmp_path / "corrections"
    folder.mkdir()
    (folder / OWN).symlink_to(outside)
    memory = Memory(folder)
    assert outside.read_bytes() == b"no correction" and not outside.is_symlink()
    assert [path.is_symlink() for path in memory.damaged] == [True] and not len(memory)
    kept = memory.learn(np.full((28, 28), 0.5, np.float32), "5")
    (folder / f"{kept.id}.npz").rename(outside)
    (folder / f"{kept.id}.npz").symlink_to(outside)
    memory = Memory(folder)
    memory.forget_all()
    assert outside.exists() and not list(folder.glob("*.npz"))


@pytest.mark.parametrize("what", ["pipe", "zeros", "folder", "loop", "large"])
def test_what_is_no_file_among_the_corrections_neither_hangs_nor_fills_the_memory(
    what: str, tmp_path: Path
) -> None:
    path = tmp_path / OWN
    match what:
        case "pipe":
            os.mkfifo(path)
        case "zeros":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case "large":
            with path.open("wb") as file:
                file.truncate(1 << 40)  # bytes, none of them on the disk
    memory = Memory(tmp_path)
    assert not len(memory) and len(memory.damaged) == 1
    memory.learn(np.full((28, 28), 0.5, np.float32), "5")
    assert len(Memory(tmp_path)) == 1


@pytest.mark.parametrize("what", ["pipe", "zeros"])
def test_what_is_no_file_in_the_users_folder_neither_hangs_nor_fills_the_memory(
    what: str, tmp_path: Path
) -> None:
    path = tmp_path / "drawing.json"
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    canvas = Canvas()
    assert "cannot be read" in bring_back_drawing(canvas, path) and canvas.empty and not path.exists()
    (tmp_path / "drawing.damaged").rename(path)
    assert load_settings(path) == Settings()


def test_links_in_folders_of_pictures_end_and_lead_to_nothing_readable(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "up.png").symlink_to("/etc/passwd")
    (folder / "self.png").symlink_to(folder / "self.png")
    assert len(pictures_below(folder)) == 2 and len(class_files(folder)) == 1
    with pytest.raises(PictureError) as caught:
        read_ink(folder / "up.png")
    assert "root:" not in str(caught.value)
    with pytest.raises(OSError):
        read_ink(folder / "self.png")


def test_a_table_of_pictures_reads_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("path\tlabel\n../../../../../../etc/passwd\t7\n")
    for sample in load_samples(tmp_path / "t.tsv"):
        with pytest.raises((PictureError, OSError)) as caught:
            read_ink(sample.source)
        assert "root:" not in str(caught.value)


def test_what_is_written_follows_a_link_only_where_the_user_named_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"a user's")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "drawing.json").symlink_to(outside)
    assert write_new(folder, "drawing", ".json", b"drawn").name == "drawing-2.json"
    assert set_aside(folder / "drawing.json", folder, ".damaged").is_symlink()
    remove(folder / "drawing.damaged")
    assert outside.read_bytes() == b"a user's"
    (folder / "named").symlink_to(outside)
    with atomic_write(folder / "named") as file:
        file.write(b"as told")
    assert outside.read_bytes() == b"as told" and (folder / "named").is_symlink()
    (folder / "dangling").symlink_to(folder / "nowhere")
    assert write_new(folder, "dangling", "", b"drawn").name == "dangling-2"
    with pytest.raises(OSError):
        make_folder(outside / "in a file")


def test_a_drawing_names_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = json.loads(Canvas().to_json()) | {
        "path": "../canary",
        "include": "/etc/passwd",
        "$ref": "file:///etc/passwd",
    }
    Canvas().load_json(json.dumps(content))
    torch.save({"format": "digits-v1", "weights": {}, "path": "../canary"}, "odd.pth")
    with pytest.raises(CheckpointError):
        load_checkpoint("odd.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["odd.pth"]
