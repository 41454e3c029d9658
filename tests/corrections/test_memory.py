"""Corrections: right at once, nothing else forgotten, undone exactly, and not lost by a crash."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT
from PIL import Image
from scipy import ndimage

import predict
from base.checkpoint import Checkpoint, load_checkpoint
from benchmarks.pictures import corrupt
from corrections.memory import RECALLED, Memory
from dataset import Digits
from ink.looks import read_ink
from ink.raster import draw_strokes
from model import build_model
from recognizer.answer import Reading
from recognizer.road import Recognizer
from training.pictures.augment import Augmentation, warp


def test_a_correction_is_right_at_once(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    said = recognizer.classify(frames[:10]).argmax(1)
    for frame, answer in zip(frames[:10], said):
        other = str((answer + 1) % 10)
        memory.learn(frame, other)
        probs = recognizer.classify(frame[None])[0]
        assert recognizer.classes[probs.argmax()] == other
        assert probs.sum() == pytest.approx(1, abs=1e-5)
    assert np.array_equal(
        recognizer.classify(frames[:10]).argmax(1), (said + 1) % 10
    )  # each still says its own


def test_a_corrected_bold_drawing_is_accepted(memory: Memory) -> None:
    bold = np.full((60, 60), 255, np.uint8)
    bold[10:50, 12:48] = 0
    bold[26:34, 24:36] = 255
    recognizer = Recognizer(memory=memory)
    before = recognizer.read(bold)
    assert before.status == "not_a_digit"
    for label in ("8", "3"):
        memory.learn(before.groups[0].frame, label)
        assert recognizer.read(bold).text == label


def correct_and_undo(memory: Memory, recognizer: Recognizer, picture: np.ndarray, before: Reading) -> None:
    """Say that what was read `before` is another digit, and take it back: both are heard at once."""
    other = str((int(before.text) + 1) % 10)
    memory.learn(before.groups[0].frame, other)
    assert recognizer.read(picture).text == other
    memory.undo()
    assert recognizer.read(picture) == before


def test_a_corrected_scan_that_fills_its_square_is_right_at_once_and_undone(
    memory: Memory, digits: Digits
) -> None:
    recognizer, corrected = Recognizer(memory=memory), 0
    for image in digits.images[:100, 0].numpy():
        crop = Image.fromarray(image[np.ix_(image.any(1), image.any(0))])
        scan = np.asarray(crop.resize((16, 16), Image.Resampling.BILINEAR)) // 128 * 255
        frames, before = next(iter(read_ink(scan).looks)).frames, recognizer.read(scan)
        if (
            frames is None
            or before.status != "ok"
            or not np.array_equal(before.groups[0].frame, frames[len(frames) // 2])
        ):
            continue
        correct_and_undo(memory, recognizer, scan, before)
        corrected += 1
    assert corrected >= 10


def test_a_corrected_small_picture_amid_dirt_is_right_at_once_and_undone(
    memory: Memory, digits: Digits
) -> None:
    recognizer, rng, corrected = Recognizer(memory=memory), np.random.default_rng(0), set()
    for image in digits.images[:100, 0].numpy():
        picture = corrupt(image, "spatter", rng)
        before = recognizer.read(picture)
        if len(before.groups) != 1 or before.status != "ok":
            continue
        correct_and_undo(memory, recognizer, picture, before)
        corrected.add(np.array_equal(before.groups[0].frame, picture.astype(np.float32) / 255))
    assert corrected == {True, False}  # seen whole, and cropped


def test_near_twins_of_a_corrected_frame_are_right_too(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    right = 0
    for number, frame in enumerate(frames[:100]):
        other = (int(recognizer.ask(frame[None]).argmax()) + 3) % 10
        memory.learn(frame, str(other))
        gentle = Augmentation(rotation=0.04, shear=0.03, scale=0.03, shift=0.5, bend=0.2)
        twin = warp(torch.from_numpy(frame)[None, None], gentle, torch.Generator().manual_seed(number))[
            0, 0
        ].clamp(0, 1)
        right += int(recognizer.classify(twin[None].numpy()).argmax()) == other
        memory.forget_all()
    assert right >= 60


def test_other_digits_are_read_as_before(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    before = recognizer.ask(frames).argmax(1)
    for frame, answer in zip(frames[:50], before):
        memory.learn(frame, str((answer + 1) % 10))
    changed = recognizer.classify(frames[50:]).argmax(1) != before[50:]
    assert changed.mean() <= 0.02, changed.mean()  # though all fifty corrections are lies


def test_confirming_an_answer_changes_no_other(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    before = recognizer.ask(frames[:200]).argmax(1)
    for frame, answer in zip(frames[:50], before):
        memory.learn(frame, str(answer))
    assert (recognizer.classify(frames[:200]).argmax(1) == before).all()


def test_a_refused_digit_is_accepted_once_corrected(memory: Memory) -> None:
    recognizer = Recognizer(memory=memory)
    scribble = draw_strokes(
        [[[20, 20], [80, 80], [20, 75], [80, 25], [50, 10], [50, 90], [10, 50], [90, 50], [25, 35]]], 14
    )
    before = recognizer.read(scribble)
    assert before.status == "not_a_digit" and len(before.groups) == 1
    memory.learn(before.groups[0].frame, "4")
    after = recognizer.read(scribble)
    assert after.text == "4" and after.confidence == pytest.approx(RECALLED, abs=1e-3)


def test_the_latest_of_contradicting_corrections_counts(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    for label in ("3", "5", "8", "2"):
        memory.learn(frames[0], label)
        assert recognizer.classify(frames[:1]).argmax() == int(label)


def test_only_the_latest_correction_of_a_drawing_counts_until_it_is_taken_back(
    memory: Memory, frames: np.ndarray, tmp_path: Path
) -> None:
    other = memory.learn(frames[1], "4")
    said = [memory.learn(frames[0], label) for label in ("3", "5", "8")]
    assert len(memory) == 4  # nothing that was said is lost
    assert memory.standing() == [other, said[-1]]
    alone = Memory(tmp_path / "alone")
    alone.learn(frames[1], "4")
    alone.learn(frames[0], "8")
    turned = ndimage.rotate(frames[:1], 8, (2, 1), reshape=False, order=1).clip(0, 1)  # like it, and not it
    answers = [Recognizer(memory=each).classify(turned) for each in (None, memory, alone)]
    assert np.array_equal(*answers[1:]) and not np.array_equal(*answers[:2])
    memory.undo()
    assert memory.standing() == [other, said[-2]]


def test_undo_restores_the_exact_state(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    memory.learn(frames[0], "1")
    before, files = recognizer.classify(frames[:50]), sorted(memory.folder.iterdir())
    contents = [file.read_bytes() for file in files]
    entry = memory.learn(frames[1], "9")
    assert memory.undo() == entry
    assert sorted(memory.folder.iterdir()) == files and [file.read_bytes() for file in files] == contents
    assert np.array_equal(recognizer.classify(frames[:50]), before)
    memory.undo()
    assert memory.undo() is None
    assert np.array_equal(recognizer.classify(frames[:50]), recognizer.ask(frames[:50]))


def test_corrections_survive_a_restart_in_order(memory: Memory, frames: np.ndarray) -> None:
    for number in range(5):
        memory.learn(frames[number], str(number), "residual")
    again = Memory(memory.folder)
    assert again.entries() == memory.entries()
    assert [entry.label for entry in again.entries()] == list("01234")
    assert np.array_equal(again.entries()[2].frame, frames[2])
    again.forget(again.entries()[0].id)
    memory.reload()
    assert [entry.label for entry in memory.entries()] == list("1234")


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b[: len(b) // 2],
        lambda b: b"\0" * len(b),
        lambda b: b[:200] + b"!!!!" + b[204:],
    ],
)
def test_a_damaged_correction_is_set_aside_and_the_rest_is_used(
    memory: Memory, frames: np.ndarray, damage
) -> None:
    for number in range(3):
        memory.learn(frames[number], str(number))
    broken = memory.folder / f"{memory.entries()[1].id}.npz"
    content = damage(broken.read_bytes())
    broken.write_bytes(content)
    again = Memory(memory.folder)
    assert [entry.label for entry in again.entries()] == ["0", "2"]
    assert [path.read_bytes() for path in again.damaged] == [content]
    assert not broken.exists()


def test_a_correction_larger_than_memory_is_set_aside(memory: Memory, frames: np.ndarray) -> None:
    memory.learn(frames[0], "1")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(memory.folder / "20260101T000000000000-000-abcdef.npz", "w") as file:
        file.writestr("ink.frame.npy", header.getvalue())
        for name in ("format", "label", "time", "model"):
            word = io.BytesIO()
            np.save(word, np.array("digits-correction-v1"))
            file.writestr(f"{name}.npy", word.getvalue())
    again = Memory(memory.folder)
    assert [entry.label for entry in again.entries()] == ["1"] and again.damaged[0].parent.name == "damaged"


def test_the_latest_correction_is_undone_though_an_earlier_one_of_its_instant_is_gone(
    memory: Memory, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = memory.learn(frames[0], "0")
    latest = f"30000101T000000000000-000-{'f' * 6}"  # the clock was set back since
    (memory.folder / f"{first.id}.npz").rename(memory.folder / f"{latest}.npz")
    memory.reload()
    tokens = iter(["eeeeee", "dddddd", "cccccc"])
    drawn = SimpleNamespace(token_hex=lambda count: next(tokens))
    monkeypatch.setattr("corrections.memory.secrets", drawn)
    second = memory.learn(frames[1], "1")
    memory.learn(frames[2], "2")
    memory.forget(second.id)
    memory.learn(frames[3], "3")
    assert [memory.undo().label for _ in range(3)] == ["3", "2", "0"]  # type: ignore[union-attr]


def test_a_correction_that_holds_code_is_not_run(memory: Memory) -> None:
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(memory.folder / "trapped"),))

    memory.folder.mkdir()
    np.savez(
        memory.folder / "x.npz",
        frame=np.array([Trap()], dtype=object),
        label="1",
        time="",
        model="",
        format="",
    )
    again = Memory(memory.folder)
    assert len(again) == 0 and len(again.damaged) == 1
    assert not (memory.folder / "trapped").exists()


@pytest.mark.parametrize(
    "frame", [np.zeros(5), np.full((28, 28), np.nan), np.full((28, 28), 2.0), np.zeros((0, 0))]
)
def test_a_frame_that_is_none_is_refused(memory: Memory, frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="frame"):
        memory.learn(frame, "1")
    assert not memory.folder.exists()


def test_a_correction_needs_a_label(memory: Memory, frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="label"):
        memory.learn(frames[0], "")
    assert not memory.folder.exists()


def test_corrections_of_other_pictures_do_not_stop_a_reading(memory: Memory, frames: np.ndarray) -> None:
    recognizer = Recognizer(memory=memory)
    memory.learn(np.ones((64, 64, 3), np.float32), "4")
    assert recognizer.classify(frames[:1]).argmax() == recognizer.ask(frames[:1]).argmax()


def test_a_correction_that_cannot_be_deleted_is_not_forgotten(
    memory: Memory, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = memory.learn(frames[0], "1")

    def held(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("base.storage.os.unlink", held)
    with pytest.raises(PermissionError):
        memory.undo()
    assert memory.entries() == [kept]


def test_a_label_the_network_does_not_know_is_kept_but_changes_nothing(
    memory: Memory, frames: np.ndarray
) -> None:
    recognizer = Recognizer(memory=memory)
    unsure = int(recognizer.ask(frames).max(axis=1).argmin())  # one that is looked at from all sides
    picture = np.pad(frames[unsure], 20)
    before = recognizer.read(picture)
    memory.learn(before.groups[0].frame, "arrow")
    assert recognizer.read(picture).groups == before.groups and len(memory) == 1


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
def test_killed_at_any_instant_no_correction_is_lost(tmp_path: Path) -> None:
    program = (
        "import sys, numpy; sys.path.insert(0, sys.argv[1]); from corrections.memory import Memory; m = Memory(sys.argv[2])\n"
        "while True:\n    print(m.learn(numpy.random.rand(28, 28), '7').id, flush=True)"
    )
    said: list[str] = []
    for number in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(ROOT), str(tmp_path / "kept")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        said.append(process.stdout.readline())
        time.sleep(0.02 + 0.013 * number)
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().splitlines()
        process.stdout.close()
        process.wait()
    memory = Memory(tmp_path / "kept")
    told = {line.strip() for line in said if len(line.strip()) == len(said[0].strip())}
    assert len(told) > 3
    assert told <= {entry.id for entry in memory.entries()}
    assert memory.damaged == []


def test_a_full_disk_is_an_error_and_nothing_is_half_kept(
    memory: Memory, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    memory.learn(frames[0], "1")
    monkeypatch.setattr("base.storage.os.fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        memory.learn(frames[1], "2")
    assert len(memory) == 1 and len(list(memory.folder.iterdir())) == 1


@pytest.mark.parametrize("arch", ["scratch", "tiny"])
def test_any_network_learns_from_a_correction(memory: Memory, frames: np.ndarray, arch: str) -> None:
    torch.manual_seed(0)
    recognizer = Recognizer(Checkpoint(build_model(arch).eval(), arch, {}), memory=memory)
    wrong = (int(recognizer.ask(frames[:1]).argmax()) + 5) % 10
    memory.learn(frames[0], str(wrong))
    assert recognizer.classify(frames[:1]).argmax() == wrong


def test_a_file_that_cannot_be_read_now_stays_and_is_taken_in_later(
    memory: Memory, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.learn(frames[0], "0")
    with monkeypatch.context() as patch:
        patch.setattr(
            Path,
            "read_bytes",
            lambda path: (_ for _ in ()).throw(OSError(5, "Input/output error", str(path))),
        )
        poor = Memory(memory.folder)
    assert len(poor) == 0 and len(poor.damaged) == 1 and poor.damaged[0].parent == memory.folder
    assert len(Memory(memory.folder)) == 1


def test_forgetting_all_forgets_what_another_window_learnt(memory: Memory, frames: np.ndarray) -> None:
    Memory(memory.folder).learn(frames[0], "0")
    assert memory.forget_all() == 1 and not list(memory.folder.glob("*.npz"))


def test_a_correction_counts_however_sure_the_network_was(memory: Memory, frames: np.ndarray) -> None:
    class Stubborn:
        classes = "0123456789"

        def ask(self, frames: np.ndarray) -> np.ndarray:
            return np.tile(np.eye(10)[3] * (1 - 1e-11) + 1e-12, (len(frames), 1))

    memory.learn(frames[0], "8")
    probs = memory.consult(frames[:1], Stubborn().ask(frames[:1]), Stubborn())
    assert probs[0].argmax() == 8 and probs[0, 8] == pytest.approx(RECALLED, abs=0.01)


@pytest.mark.parametrize("road", [True, False])
def test_a_corrected_picture_is_never_refused(memory: Memory, frames: np.ndarray, road: bool) -> None:
    checkpoint = load_checkpoint()
    checkpoint.facts |= {"threshold": 20.0, "line_thresholds": [40.0] * 3}
    checkpoint.input = {"size": 28, "channels": 1, "road": road}
    recognizer = Recognizer(checkpoint, memory=memory)
    picture = (frames[0] * 255).astype(np.uint8)
    (group,) = recognizer.read(picture).groups
    assert not group.accepted
    memory.learn(group.frame, "8")
    assert recognizer.read(picture).text == "8"


def test_a_file_that_is_none_of_ours_stays_where_it_is(
    memory: Memory, frames: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.learn(frames[0], "0")
    precious = memory.folder / "precious.npz"
    np.savez(precious, x=np.arange(3))
    again = Memory(memory.folder)
    again.reload()
    assert len(again) == 1 and again.damaged == [precious] and precious.exists()
    assert predict.main([str(ROOT / "examples" / "seven.png"), "--corrections-in", str(memory.folder)]) == 0
    assert "precious.npz is no correction" in capsys.readouterr().err


class TwoClasses:
    """A network that names what is bright at the top: as sure of "1" for much as it is of "0" for little."""

    classes = ("0", "1")

    def ask(self, frames: np.ndarray) -> np.ndarray:
        bright = np.where(frames[:, 4, 14] > 0.5, 0.9, 0.1)
        return np.stack([1 - bright, bright], axis=1)


def test_where_the_network_says_the_opposite_a_correction_is_not_heard(memory: Memory) -> None:
    corrected, network = np.zeros((28, 28), np.float32), TwoClasses()
    corrected[6:24, 12:16] = 1
    memory.learn(corrected, "1")
    alike, opposite = corrected.copy(), corrected.copy()
    alike[24:27, 12:16] = opposite[3:6, 12:16] = 1
    probs = network.ask(np.stack([alike, opposite]))
    heard = memory.consult(np.stack([alike, opposite]), probs, network)
    assert heard[0, 1] > probs[0, 1] and (heard[1] == probs[1]).all()
