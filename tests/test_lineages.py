"""README's table "If you come from ...": every command in it is run, on a few pictures and for a few steps."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

import train
from base.checkpoint import load_checkpoint
from dataset import Digits

TABLE = (ROOT / "README.md").read_text(encoding="utf-8").split("## If you come from ...")[1].split("\n## ")[0]
COMMANDS = re.findall(r"`python (\w+)\.py ([^`]+)`", TABLE)
ARCHITECTURES = ("wide", "scratch", "simple", "colour")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Digits) -> Path:
    """A folder with what the commands name: the model, the examples, a user's pictures; 24 digits in the place of MNIST."""
    few = Digits(digits.images[:24], digits.labels[:24], "24 digits")
    monkeypatch.setattr("train.load_mnist", lambda *args, **options: few)
    monkeypatch.setattr("train.LEAST_STEPS", 4)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "model.pth").write_bytes((ROOT / "model.pth").read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    for name, colour in (("apple", "red"), ("leaf", "green")):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (50, 40 + number), colour).save(tmp_path / "pictures" / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(name: str, *words: str) -> int:
    return importlib.import_module(name).main(list(words))


def test_the_table_names_each_lineage() -> None:
    assert len(COMMANDS) >= 8
    assert {words.split()[1] for name, words in COMMANDS if words.startswith("--arch")} == set(ARCHITECTURES)


TRAININGS = [
    words for name, words in COMMANDS if name == "train" and "--arch" in words and "--summary" not in words
]


@pytest.mark.parametrize("words", TRAININGS)
def test_a_training_command_writes_a_model_that_reads(
    place: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = place / "own.pth"
    assert (
        call("train", *shlex.split(words), "--epochs", "1", "--output", str(output), "--device", "cpu") == 0
    )
    checkpoint = load_checkpoint(output)
    assert checkpoint.arch == shlex.split(words)[1]
    capsys.readouterr()
    assert call("predict", "--model", str(output), "examples/seven.png") == 0
    assert capsys.readouterr().out.startswith("examples/seven.png: ")
    if "--data" in words:
        assert checkpoint.classes == ("apple", "leaf") and not checkpoint.input["road"]


@pytest.mark.parametrize("words", [words for name, words in COMMANDS if name == "predict"])
def test_a_reading_command_reads(place: Path, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("predict", *shlex.split(words)) == 0
    assert re.match(r"examples/seven\.png: 7 \(\d+\.\d%\)", capsys.readouterr().out)


@pytest.mark.parametrize("words", [words for name, words in COMMANDS if name == "app"])
def test_the_app_takes_the_model(place: Path, words: str) -> None:
    assert call("app", *shlex.split(words), "--screenshot", "window.png", "--size", "640x480") == 0
    with Image.open(place / "window.png") as picture:
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 20


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_training_without_end_is_stopped_and_goes_on(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forever, resume = (
        next(words for _, words in COMMANDS if flag in words) for flag in ("--forever", "--resume")
    )
    rounds = []
    new_round = train.Run.new_round

    def counted(run: train.Run) -> None:
        rounds.append(run.epoch)
        if len(rounds) >= 2:
            signal.raise_signal(signal.SIGINT)
        new_round(run)

    monkeypatch.setattr("train.Run.new_round", counted)
    small = ["--arch", "tiny", "--epochs", "1", "--output", str(place / "own.pth"), "--device", "cpu"]
    assert call("train", *shlex.split(forever), *small) == 128 + signal.SIGINT
    assert "--resume" in capsys.readouterr().err and rounds == [1, 2]
    assert call("train", *shlex.split(resume), *small) == 128 + signal.SIGINT and rounds == [1, 2, 3]
    assert load_checkpoint(place / "own.pth").arch == "tiny"


def test_one_function_returns_the_digit(place: Path) -> None:
    (expression,) = re.findall(r"`(predict\.predict_user_input\([^`]+\))`", TABLE)
    assert eval(expression, {"predict": importlib.import_module("predict")}) == 7  # README's own text
