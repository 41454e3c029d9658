"""A user's own pictures: classes by folder, bad files skipped, a fixed split, and what train.py makes of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from PIL import Image, ImageDraw

import predict
from base.checkpoint import load_checkpoint
from corrections.store import Correction
from dataset import Batches, DataError, Digits
from recognizer.road import Recognizer
from train import main
from training.folders import add_corrections, load_folder, split


def test_each_correction_is_added_with_its_own_label() -> None:
    pictures = [np.full((28, 28), value, np.float32) for value in (0.2, 0.4)]
    training = Digits(
        torch.zeros(300, 1, 28, 28, dtype=torch.uint8), torch.zeros(300, dtype=torch.long), "blank"
    )
    added = add_corrections(
        training,
        [Correction(str(n), picture, label, "") for n, (picture, label) in enumerate(zip(pictures, "37"))],
    )
    own = {(int(image[0, 0, 0]), int(label)) for image, label in zip(added.images[300:], added.labels[300:])}
    assert own == {(51, 3), (102, 7)} and len(added) > 302  # several copies of each


def _draw(kind: str, number: int) -> Image.Image:
    """A red or blue sign of about 80 px on a page of 160 x 120."""
    rng = np.random.default_rng(number)
    left, top = (int(value) for value in rng.integers(15, 40, 2))
    image = Image.new("RGB", (160, 120), "white")
    pen = ImageDraw.Draw(image)
    colour = ("darkred", "darkblue")[number % 2]
    box = [left, top, left + 70, top + 70]
    if kind == "bar":
        pen.line([left, top + 35, left + 70, top + 35 + number % 5], colour, 7)
    elif kind == "ring":
        pen.ellipse(box, outline=colour, width=7)
    else:
        pen.line([left, top, left + 70, top + 70], colour, 7)
        pen.line([left, top + 70, left + 70, top], colour, 7)
    return image


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 20 pictures, and three files that cannot be used."""
    folder = tmp_path_factory.mktemp("signs")
    for kind in ("bar", "ring", "x mark"):
        (folder / kind / "deeper").mkdir(parents=True)
        for number in range(20):
            _draw(kind, number).save(folder / kind / ("deeper" if number % 2 else "") / f"{number}.png")
    (folder / "bar" / "notes.txt").write_text("no picture")
    (folder / "ring" / "broken.png").write_bytes((folder / "ring" / "0.png").read_bytes()[:100])
    Image.new("RGB", (50, 50), "white").save(folder / "x mark" / "blank.png")
    return folder


def test_sub_folders_are_the_classes_and_bad_files_are_listed(signs: Path) -> None:
    found = load_folder(signs)
    assert found.training.classes == ("bar", "ring", "x mark")
    assert sorted(path.name for path, _ in found.skipped) == ["blank.png", "broken.png", "notes.txt"]
    assert len(found.training) + len(found.validation) == 60
    assert set(found.validation.labels.tolist()) == {0, 1, 2}


def test_numbered_folders_are_in_the_order_of_their_values(tmp_path: Path) -> None:
    for name in ("10", "9", "2", "word"):
        (tmp_path / name).mkdir()
        for number in range(2):
            _draw("ring", number).save(tmp_path / name / f"{number}.png")
    assert load_folder(tmp_path).training.classes == ("2", "9", "10", "word")


def test_through_the_road_a_picture_is_the_frame_that_a_reading_has(signs: Path) -> None:
    images = load_folder(signs).training.images
    ink = next(iter(predict.Recognizer().read(signs / "bar" / "2.png").groups)).frame
    assert any(np.abs(image[0].numpy() / 255 - ink).max() < 0.005 for image in images)
    assert images.shape[1:] == (1, 28, 28)


def test_as_is_a_picture_keeps_its_colours(signs: Path) -> None:
    images = load_folder(signs, size=64, channels=3, as_is=True).training.images
    assert images.shape[1:] == (3, 64, 64)
    assert images.amax() == 255
    assert any(image[0].float().mean() > image[2].float().mean() + 5 for image in images)  # red ones


def test_the_split_is_fixed_and_no_picture_is_on_both_sides(signs: Path) -> None:
    one, two = load_folder(signs), load_folder(signs)
    assert torch.equal(one.training.images, two.training.images)
    assert torch.equal(one.validation.labels, two.validation.labels)
    files = split(signs, "ring")
    assert len({path for path, _ in files}) == len(files) == 21
    assert sum(held_out for _, held_out in files) == 4


def test_the_split_does_not_depend_on_the_order_in_which_a_disk_lists_files(
    signs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = split(signs, "ring")
    listed = list((signs / "ring").rglob("*"))
    monkeypatch.setattr(Path, "rglob", lambda self, pattern: reversed(listed))
    assert split(signs, "ring") == here


def test_a_picture_keeps_its_side_when_others_are_added(signs: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number in range(100):
        (tmp_path / "a" / f"{number}.png").touch()
    before = {path.name: held_out for path, held_out in split(tmp_path, "a")}
    for number in range(100, 120):
        (tmp_path / "a" / f"{number}.png").touch()
    after = {path.name: held_out for path, held_out in split(tmp_path, "a")}
    assert sum(before[name] != after[name] for name in before) <= 6


def test_hidden_files_and_those_in_hidden_folders_are_no_pictures(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/.2.png", "a/.thumbnails/3.png", "a/deeper/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(path.name for path, _ in split(tmp_path, "a")) == ["1.png", "4.png"]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="asks for the room beforehand")
def test_a_disk_too_full_to_stream_from_is_named(
    signs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=f"No space left.*{tmp_path.name}"):
        load_folder(signs, in_memory=1000, cache_dir=tmp_path)


def test_more_than_memory_holds_is_streamed_from_disk(signs: Path, tmp_path: Path) -> None:
    here, there = load_folder(signs), load_folder(signs, in_memory=1000, cache_dir=tmp_path)
    assert there.training.pages and not here.training.pages
    assert torch.equal(here.training.images, there.training.images)
    streamed = [images for images, _ in Batches(there.training, 7, seed=3)]
    kept = [images for images, _ in Batches(here.training, 7, seed=3)]
    assert all(torch.equal(one, other) for one, other in zip(streamed, kept))
    assert list(tmp_path.iterdir()) == []  # the file has no name


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the kernel's own figure")
def test_memory_does_not_grow_with_what_is_streamed(tmp_path: Path) -> None:
    for kind in ("ring", "bar"):
        (tmp_path / kind).mkdir()
        _draw(kind, 1).resize((16, 16)).save(tmp_path / kind / "0.png")
        for number in range(1, 400):
            os.link(tmp_path / kind / "0.png", tmp_path / kind / f"{number}.png")

    def resident() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024

    before, most = resident(), 0
    found = load_folder(tmp_path, size=256, channels=3, as_is=True, in_memory=1 << 20)
    for _ in Batches(found.training, 8, seed=0):
        most = max(most, resident())
    assert found.training.images.nbytes > 100e6
    assert most - before < 0.4 * found.training.images.nbytes


@pytest.mark.skipif(
    not os.path.exists("/proc/self/status") or platform.libc_ver()[0] != "glibc", reason="glibc on Linux"
)
def test_freed_memory_goes_back_to_the_system_once_pictures_are_streamed(tmp_path: Path) -> None:
    script = """if True:
        import sys; from pathlib import Path; import numpy as np; from training import folders
        def resident():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
        folders._room_for(1000, (1, 28, 28), 1, sys.argv[1])
        np.ones(30 << 17)  # 30 MB, freed at once: from now on glibc by itself would keep blocks up to this size
        before, blocks = resident(), [np.ones(1 << 17) for _ in range(200)]
        del blocks[:-1]
        print(resident() - before)
    """
    command = [sys.executable, "-c", script, tmp_path]
    kept = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert float(kept.stdout) < 20  # MB; 200 otherwise


@pytest.mark.parametrize("names", [[], ["one"]])
def test_fewer_than_two_classes_are_an_error_with_the_cure(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="sub-folders"):
        load_folder(tmp_path)


def test_a_class_without_a_readable_picture_is_named(signs: Path, tmp_path: Path) -> None:
    for name in ("full", "empty"):
        (tmp_path / name).mkdir()
    for number in range(3):
        _draw("ring", number).save(tmp_path / "full" / f"{number}.png")
    with pytest.raises(DataError, match="empty"):
        load_folder(tmp_path)


@pytest.mark.parametrize("arch, as_is", [("scratch", False), ("colour", True)])
def test_train_py_learns_the_signs_and_predict_says_their_names(
    signs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arch: str, as_is: bool
) -> None:
    model = tmp_path / "signs.pth"
    words = ["--data", str(signs), "--arch", arch, "--output", str(model), "--device", "cpu"]
    assert main([*words, "--epochs", "40", *(["--as-is"] if as_is else [])]) == 0
    assert "broken.png" in capsys.readouterr().err
    checkpoint = load_checkpoint(model)
    assert checkpoint.classes == ("bar", "ring", "x mark")
    assert checkpoint.input == {"size": 64 if as_is else 28, "channels": 3 if as_is else 1, "road": not as_is}
    recognizer = Recognizer(checkpoint)
    files = [path for path in signs.rglob("*.png") if path.stem.isdecimal()]
    right = sum(recognizer.read(path).text == path.relative_to(signs).parts[0] for path in files)
    assert right >= 0.8 * len(files)
    empty = np.full((64, 64), 255, np.uint8)
    assert Recognizer(checkpoint, single=True).read(empty).status == ("ok" if as_is else "blank")
    path = next(path for path in files if recognizer.read(path).text == "ring")
    assert predict.main([str(path), "--model", str(model)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: ring (")


def test_resuming_with_other_pictures_is_refused(signs: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    words = ["--data", str(signs), "--arch", "scratch", "--epochs", "2", "--output", str(tmp_path / "m.pth")]
    with monkeypatch.context() as patch:
        patch.setattr("train._StopSignals.received", lambda self: 15)
        assert main(words) == 128 + 15
    (tmp_path / "other").mkdir()
    for kind in ("bar", "ring"):
        (tmp_path / "other" / kind).mkdir()
        for number in range(5):
            _draw(kind, number).save(tmp_path / "other" / kind / f"{number}.png")
    words[1] = str(tmp_path / "other")
    assert main([*words, "--resume"]) == 1
    assert "data was" in capsys.readouterr().err


def test_as_is_with_augmentation_is_refused(
    signs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(signs), "--as-is", "--augment", "full", "--output", str(tmp_path / "m.pth")]
    assert main(words) == 1
    assert "--augment none" in capsys.readouterr().err


def test_as_is_without_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--as-is", "--output", str(tmp_path / "m.pth")]) == 1
    assert "--data" in capsys.readouterr().err
