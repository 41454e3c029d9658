"""Reading by an .onnx file: the same readings as by its checkpoint, and no torch anywhere on the way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SEVEN, THREE

import predict
from base import exports
from base.card import make_card
from base.checkpoint import CheckpointError, load_checkpoint
from base.exports import largest_difference
from base.onnx_file import open_onnx
from corrections.memory import Memory
from examples.make_examples import written_wide
from ink.raster import draw_strokes
from recognizer.answer import Reading, as_json
from recognizer.road import Recognizer

SAME = 1e-4  # largest difference between two probabilities
BLOCKED = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, NoTorch())
"""


def without_torch(code: str, folder: Path) -> str:
    """Return what Python prints that cannot import torch."""
    known = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "SDL_VIDEODRIVER": "dummy"}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code],
        cwd=ROOT,
        env=known,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_same(one: Reading, other: Reading) -> None:
    """Fail where two readings differ in more than a probability's last digits."""
    first, second = (as_json("", reading, None) for reading in (one, other))
    assert first["text"] == second["text"] and first["status"] == second["status"]
    assert first["rejected"] == second["rejected"]
    for key, what in (("digits", "digit"), ("signs", "sign")):
        assert [(each[what], each["box"]) for each in first[key]] == [
            (each[what], each["box"]) for each in second[key]
        ]
        np.testing.assert_allclose(
            [each["confidence"] for each in first[key]],
            [each["confidence"] for each in second[key]],
            atol=SAME,
        )
    assert [each["text"] for each in first["alternatives"]] == [
        each["text"] for each in second["alternatives"]
    ]
    np.testing.assert_allclose(
        [each["probability"] for each in first["alternatives"]],
        [each["probability"] for each in second["alternatives"]],
        atol=SAME,
    )


@pytest.fixture(scope="module")
def by_onnx(onnx_model: Path) -> Recognizer:
    return Recognizer(onnx_model)


@pytest.fixture(scope="module")
def pictures() -> list[str | np.ndarray]:
    """The examples, numbers that our pen writes, and a digit written over another."""
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(list("0123456789"), count)) for count in (2, 4, 6, 9)]
    files = sorted(str(path) for path in (ROOT / "examples").glob("*.[pj]*g"))
    assert len(files) > 5
    return [
        *files,
        *(written_wide(text, 14, rng) for text in texts),
        *(draw_strokes(strokes, 16) for strokes in (SEVEN, THREE, [*SEVEN, *THREE])),
    ]


def test_an_onnx_reads_what_its_checkpoint_reads(
    recognizer: Recognizer, by_onnx: Recognizer, pictures: list[str | np.ndarray]
) -> None:
    read = 0
    for one, other in zip(recognizer.read_many(pictures), by_onnx.read_many(pictures)):
        assert isinstance(one, Reading) and isinstance(other, Reading)
        assert_same(one, other)
        read += one.status == "ok"
    assert read >= 10


def test_an_onnx_is_told_what_to_expect_and_learns(
    onnx_model: Path, seven: np.ndarray, three: np.ndarray, tmp_path: Path
) -> None:
    memory = Memory(tmp_path)
    both = [Recognizer(model, memory=memory) for model in (ROOT / "model.pth", onnx_model)]
    memory.learn(both[0].read(seven).groups[0].frame, "4")
    assert [each.read(seven).text for each in both] == ["4", "4"]
    for picture in (seven, three, np.roll(seven, 5, axis=1)):
        assert_same(*(each.read(picture) for each in both))
    number = written_wide("2718", 14, np.random.default_rng(1))
    for expect in ("####", 3):
        assert_same(*(each.read(number, expect) for each in both))


def test_predict_reads_where_torch_cannot_be_imported(
    onnx_model: Path, seven: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "corrections"
    Memory(folder).learn(Recognizer().read(seven).groups[0].frame, "4")
    words = ["--json", "--corrections-in", str(folder), "examples/seven.png", "examples/number-2026.png"]
    code = f"""
import predict
for processes in ("1", "2"):
    assert predict.main([*{words!r}, "--model", {str(onnx_model)!r}, "--processes", processes]) == 0
assert not {{"torch", "model", "scratch", "dataset"}} & set(sys.modules)
"""
    here = predict.main(words) == 0 and capsys.readouterr().out
    lines = without_torch(code, tmp_path).splitlines()
    assert len(lines) == 4 and lines[:2] == lines[2:]
    for one, other in zip(lines, str(here).splitlines()):
        known, said = json.loads(one), json.loads(other)
        assert known["text"] == said["text"] and known["rejected"] == said["rejected"]
        for first, second in zip(known["digits"], said["digits"], strict=True):
            assert first["box"] == second["box"]
            np.testing.assert_allclose(first["probs"], second["probs"], atol=SAME)


def test_the_window_opens_and_says_what_needs_torch(onnx_model: Path, tmp_path: Path) -> None:
    code = f"""
import app
from window.session import Session
assert app.main(["--screenshot", {str(tmp_path / "shot.png")!r}, "--model", {str(onnx_model)!r}]) == 0
session = Session(corrections={str(tmp_path / "own")!r})
session.load({str(onnx_model)!r})
seven = session.read("examples/seven.png")
session.learn(seven.groups[0].frame, "1")
print(seven.text, session.read("examples/seven.png").text, session.unlearn(), session.features(seven.groups[0].frame))
for question in (
    lambda: session.saliency(seven.groups),
    lambda: next(session.train()),
    session.practise,
    lambda: session.load("model.pth"),
):
    try:
        question()
    except ValueError as error:
        print(error)
"""
    said = without_torch(code, tmp_path).splitlines()
    assert said[0] == "7 1 1 []" and (tmp_path / "shot.png").exists()
    cure = "needs torch: pip install -r requirements.txt"
    assert said[1:4] == [f"{what} {cure}" for what in ("the heat map", "a training", "practising")]
    assert said[4].startswith(f"model.pth {cure}") and ".onnx" in said[4] and len(said) == 5


def test_an_onnx_keeps_both_networks_and_nothing_of_this_machine(onnx_model: Path) -> None:
    import onnx

    network = onnx.load(onnx_model)
    assert [each.name for each in network.graph.input] == ["images", "strips"]
    assert [each.name for each in network.graph.output] == ["logits", "logs"]
    assert (network.opset_import[0].version, network.ir_version) == (exports.OPSET, exports.IR_VERSION)
    assert not [each for each in network.graph.node if each.metadata_props or each.doc_string]
    assert str(ROOT).encode() not in onnx_model.read_bytes()
    model, lines, _ = open_onnx(onnx_model)
    assert lines is not None
    for count, width in ((1, 4), (3, 64), (2, 1000)):
        assert lines.answer(np.zeros((count, 1, 32, width))).shape == (count, width // 2, 24)
    assert model.answer(np.zeros((5, 1, 28, 28))).shape == (5, 10)


def test_a_line_reader_of_other_symbols_is_refused(onnx_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("base.checkpoint.BLANK", 7)
    with pytest.raises(CheckpointError, match="does not fit its own description"):
        load_checkpoint(onnx_model)


def test_what_reading_needs_is_what_training_needs() -> None:
    def bounds(name: str) -> set[str]:
        return set(re.findall(r"(?m)^[\w-]+>=[\d.]+", (ROOT / name).read_text(encoding="utf-8")))

    reading = bounds("requirements-read.txt")
    assert len(reading) == 5 and reading <= bounds("requirements.txt") | bounds("requirements-dev.txt")


@pytest.mark.skipif(not (ROOT / "model.onnx").exists(), reason="no model.onnx is shipped")
def test_the_shipped_onnx_is_that_of_the_shipped_checkpoint() -> None:
    checkpoint, (model, lines, card) = load_checkpoint(), open_onnx(ROOT / "model.onnx")
    cure = "make it anew with `python export.py --format onnx`"
    known = make_card(
        checkpoint.arch, checkpoint.classes, checkpoint.input, checkpoint.facts, checkpoint.lines is not None
    )
    assert json.loads(card) == json.loads(known), cure
    batches = exports.check_inputs(1, 28)[::20].split(10)
    assert largest_difference(checkpoint.model, model, batches) <= exports.TOLERANCE, cure
    if checkpoint.lines is not None:
        assert lines is not None
        assert largest_difference(checkpoint.lines, lines, exports.check_strips()) <= exports.TOLERANCE, cure
