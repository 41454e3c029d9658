"""What the window's thread works with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from base.checkpoint import MODEL_PATH, Checkpoint
from corrections.memory import Memory
from dataset import Digits
from recognizer.road import Recognizer
from training.finetune import Outcome
from window.app import App
from window.session import Session, find_pictures


def test_folders_that_cannot_be_read_are_said(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all" / "closed").mkdir(parents=True)
    listed = os.scandir

    def scan(path: str) -> Any:  # as root, who may read everything, would see it otherwise
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scan)
    (reading,) = app.session.read_files([tmp_path / "all"])
    assert reading.path == tmp_path / "all" / "closed" and reading.error


def test_a_model_that_may_hold_code_is_not_opened_untrusted(tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ValueError, match="other programs"):
        Session(corrections=tmp_path).load(tmp_path / "m.pt2")


def session_with(model: Path, folder: Path) -> Session:
    session = Session(corrections=folder)
    session.load(model)
    return session


def test_a_session_without_a_model_reads_nothing(seven: np.ndarray) -> None:
    assert Session().read(seven) is None


def test_a_session_learns_and_takes_back(checkpoint: Path, tmp_path: Path, seven: np.ndarray) -> None:
    session = session_with(checkpoint, tmp_path / "corrections")
    before = session.read(seven)
    assert before is not None
    wrong = "3" if before.groups[0].digit != "3" else "8"
    assert session.learn(before.groups[0].frame, wrong).label == wrong
    after = session.read(seven)
    assert after is not None and after.groups[0].digit == wrong
    assert session.unlearn() == wrong and session.unlearn() is None
    again = session.read(seven)
    assert again is not None and again.groups[0].probs == before.groups[0].probs


def test_another_model_practises_by_itself(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    class Tuner:
        tuned = True

        def __init__(self, checkpoint: Checkpoint) -> None:
            self.checkpoint, self.left = checkpoint, 2
            made.append(self)

        def tune(self, _: object) -> Outcome:
            return Outcome(True, 1, 1, 1.0, 1.0, 9)

        def undo(self) -> bool:
            self.left -= 1
            return self.left >= 0

    monkeypatch.setattr("training.finetune.make_tuner", Tuner)
    session = Session(corrections=tmp_path / "corrections")
    for _ in range(2):
        session.load(checkpoint)
        assert not session.practised
        session.practise()
        assert session.practised
    assert len(made) == 2
    session.practise(undo=True)
    assert made[0].left == 2 and made[1].left == -1  # all that was practised, and of this model alone


def test_a_session_practises_and_unlearns_it(tmp_path: Path, digits: Digits) -> None:
    session = Session(corrections=tmp_path)
    session.load(MODEL_PATH)
    recognizer = session.recognizer
    assert recognizer is not None
    before = {name: weight.clone() for name, weight in recognizer.checkpoint.model.state_dict().items()}

    def unchanged() -> bool:
        return all(
            torch.equal(weight, before[name])
            for name, weight in recognizer.checkpoint.model.state_dict().items()
        )

    frames = digits.images[2000:3000, 0].numpy() / np.float32(255)
    probs = recognizer.ask(frames)
    unsure = int((np.sort(probs)[:, -1] - np.sort(probs)[:, -2]).argmin())
    with pytest.raises(ValueError, match="no correction"):
        session.practise()
    session.learn(frames[unsure], str(probs[unsure].argsort()[-2]))
    recognizer.classify(frames[:200])
    assert session.practise().startswith("Practised: the model itself now knows 1 of 1") and session.practised
    assert (
        not unchanged()
        and recognizer.ask(frames[unsure : unsure + 1]).argmax() == probs[unsure].argsort()[-2]
    )
    fresh = Recognizer(recognizer.checkpoint, memory=Memory(tmp_path))  # has not asked the network before
    assert np.array_equal(session.recognizer.classify(frames[:200]), fresh.classify(frames[:200]))
    assert "before it practised" in session.practise(undo=True) and not session.practised and unchanged()


def test_a_broken_model_leaves_the_one_before_in_use(
    checkpoint: Path, tmp_path: Path, seven: np.ndarray
) -> None:
    session = session_with(checkpoint, tmp_path)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no model")
    with pytest.raises(ValueError):
        session.load(broken)
    assert session.read(seven) is not None


def test_a_folder_is_read_file_by_file_and_a_bad_file_is_told(
    checkpoint: Path, tmp_path: Path, seven: np.ndarray
) -> None:
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    Image.fromarray(seven).save(folder / "deep" / "seven.png")
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not asked")
    readings = list(session_with(checkpoint, tmp_path / "corrections").read_files([folder]))
    assert [reading.path.name for reading in readings] == ["bad.png", "seven.png"]
    assert readings[0].error and readings[1].error is None
    assert [(reading.done, reading.total) for reading in readings] == [(1, 2), (2, 2)]
    with pytest.raises(ValueError, match="no pictures"):
        (tmp_path / "empty").mkdir()
        list(Session().read_files([tmp_path / "empty"]))


def test_find_pictures_takes_a_file_as_it_is(tmp_path: Path) -> None:
    assert find_pictures(tmp_path / "any.name") == [tmp_path / "any.name"]


def test_the_heat_lies_on_the_ink_and_names_the_winner(recognizer: Any, seven: np.ndarray) -> None:
    session = Session()
    session.recognizer = recognizer
    reading = recognizer.read(seven)
    (heat,) = session.saliency(reading.groups)
    assert heat.shape == (28, 28) and heat.max() == 1 and heat.min() >= 0
    inked = reading.groups[0].frame > 0
    assert heat[inked].mean() > 5 * heat[~inked].mean()


def test_features_show_each_layer_in_order(recognizer: Any, seven: np.ndarray) -> None:
    session = Session()
    session.recognizer = recognizer
    layers = session.features(recognizer.read(seven).groups[0].frame)
    assert [maps.shape[1] for maps in layers] == sorted((maps.shape[1] for maps in layers), reverse=True)
    assert all(0 <= maps.min() and maps.max() <= 1 for maps in layers) and layers[0].shape[1:] == (28, 28)
