"""Malicious files run no code and reach no other file. Each test holds a canary that a fault would touch."""

from __future__ import annotations

import io
import os
import pickle
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT

import train
from base.card import CARD, make_card
from base.checkpoint import CheckpointError, load_checkpoint
from corrections.memory import Memory
from dataset import DataError, Digits
from ink.canvas import Canvas
from ink.decode import PictureError
from ink.looks import read_ink
from measuring.testsets import load_samples
from training.resume import FORMAT

FRAME = np.arange(784, dtype=np.float32)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


# ---------------------------------------------------------------------------------- ONNX: values in other files


def onnx_model(location: str, place: str, classes: tuple[str, ...] = ("0", "1")) -> bytes:
    """Return a network with our card that takes 784 values from the file `location`; "" keeps them inside."""
    onnx = pytest.importorskip("onnx")
    from onnx import helper

    values = onnx.TensorProto(
        name="w", data_type=1, dims=[784], raw_data=b"" if location else FRAME.tobytes()
    )
    if location:
        values.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "3136")):
            values.external_data.add(key=key, value=value)
    images = helper.make_tensor_value_info("images", 1, ["n", 1, 28, 28])
    logits = helper.make_tensor_value_info("logits", 1, ["n", 784])
    flat, add = (
        helper.make_node("Flatten", ["images"], ["x"]),
        helper.make_node("Add", ["x", "w"], ["logits"]),
    )
    if place == "initializer":
        graph = helper.make_graph([flat, add], "g", [images], [logits], [values])
    else:
        graph = helper.make_graph(
            [helper.make_node("Constant", [], ["w"], value=values), flat, add], "g", [images], [logits]
        )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    network.metadata_props.add(
        key=CARD, value=make_card("tiny", classes, {"size": 28, "channels": 1, "road": True}, {})
    )
    return network.SerializeToString()


@pytest.mark.parametrize("place", ["initializer", "constant"])
@pytest.mark.parametrize("location", ["canary.bin", "../here/canary.bin", "{absolute}"])
def test_an_onnx_file_reads_no_other_file(
    location: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    canary = tmp_path / "here" / "canary.bin"
    canary.write_bytes(FRAME.tobytes())
    content = onnx_model(location.format(absolute=canary), place)
    if location == "canary.bin":  # onnxruntime alone would read it: the trap works
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        assert np.array_equal(
            session.run(None, {"images": np.zeros((1, 1, 28, 28), np.float32)})[0][0], FRAME
        )
    (tmp_path / "trap.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match="other files"):
        load_checkpoint(tmp_path / "trap.onnx")


@pytest.mark.parametrize(
    "padded", [b"\n\x88\x00location", b"\x8a\x00\x08location", b"\n\x88\x80\x80\x00location"]
)
def test_padding_a_length_hides_no_file_name(padded: bytes, tmp_path: Path) -> None:
    (tmp_path / "trap.onnx").write_bytes(
        onnx_model("canary.bin", "initializer").replace(b"\n\x08location", padded)
    )
    with pytest.raises(CheckpointError, match="other files"):
        load_checkpoint(tmp_path / "trap.onnx")


def test_a_class_may_be_called_location(tmp_path: Path) -> None:
    (tmp_path / "good.onnx").write_bytes(onnx_model("", "initializer", ("location", *map(str, range(783)))))
    assert load_checkpoint(tmp_path / "good.onnx").classes[0] == "location"


# ---------------------------------------------------------------------------------- pickles


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".onnx", ".pt2", ""])
@pytest.mark.parametrize("packed", [True, False])
def test_a_model_file_runs_no_code_whatever_its_name(suffix: str, packed: bool, tmp_path: Path) -> None:
    canary, path = tmp_path / "canary", tmp_path / f"model{suffix}"
    if packed:
        torch.save({"format": "digits-v1", "weights": Bomb(canary)}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(canary)))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    assert not canary.exists()


def test_a_resume_file_runs_no_code(tmp_path: Path, few: Digits, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"format": FORMAT, "optimizer": Bomb(tmp_path / "canary")}, tmp_path / "model.resume.pth")
    assert train.main(["--arch", "tiny", "--output", str(tmp_path / "model.pth"), "--resume"]) == 1
    assert "opening it could run code" in capsys.readouterr().err and not (tmp_path / "canary").exists()


def npz(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def test_an_npz_test_set_runs_no_code(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    np.savez(tmp_path / "objects.npz", x=np.array([Bomb(canary)], dtype=object), y=np.array([0]))
    (tmp_path / "pickle.npz").write_bytes(npz(x=pickle.dumps(Bomb(canary)), y=pickle.dumps(Bomb(canary))))
    for name in ("objects.npz", "pickle.npz"):
        with pytest.raises(DataError):
            list(load_samples(tmp_path / name))
    assert not canary.exists()


def test_a_correction_runs_no_code_and_its_name_leads_nowhere(tmp_path: Path) -> None:
    kept = Memory(tmp_path / "kept")
    kept.learn(np.full((28, 28), 0.5, np.float32), "../../canary")
    (tmp_path / "kept" / "pickle.npz").write_bytes(npz(frame=pickle.dumps(Bomb(tmp_path / "canary"))))
    again = Memory(tmp_path / "kept")
    assert [entry.label for entry in again.entries()] == ["../../canary"] and len(again.damaged) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


@pytest.mark.parametrize(
    "text",
    ['{"__class__": "os.system"}', "__import__('os').mkdir('canary')", "[" * 100_000, '{"a":' * 100_000],
)
def test_a_stroke_file_is_only_data(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strokes.jsonl").write_text(text)
    with pytest.raises(ValueError, match="strokes"):
        Canvas().load_json(text)
    with pytest.raises(DataError):
        list(load_samples(tmp_path / "strokes.jsonl"))
    assert not (tmp_path / "canary").exists()


# ---------------------------------------------------------------------------------- pictures


@pytest.mark.skipif(os.name != "posix", reason="puts a script in the place of Ghostscript")
@pytest.mark.parametrize("name", ["picture.eps", "picture.png"])
def test_a_postscript_picture_starts_no_program(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import EpsImagePlugin

    ghostscript = tmp_path / "bin" / "gs"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\ntouch '{tmp_path}/canary'\n")
    ghostscript.chmod(ghostscript.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(ghostscript.parent), prepend=os.pathsep)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    (tmp_path / name).write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n%%EOF\n"
    )
    with pytest.raises(PictureError):
        read_ink(tmp_path / name)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("words", [["predict.py", "examples/seven.png", "--model"], ["test.py", "--model"]])
def test_pt2_is_refused_by_every_command(words: list[str], tmp_path: Path, run) -> None:  # type: ignore[no-untyped-def]
    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as file:
        file.writestr("model/data/sample_inputs/model.pt", pickle.dumps(Bomb(tmp_path / "canary")))
    result = run(*words, tmp_path / "model.pt2", cwd=ROOT)
    assert result.returncode == 1 and "other programs" in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "canary").exists()
