"""Exports: they agree with the checkpoint, carry its classes, and are read like any model."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import export
from base import command, exports
from base.card import CARD, make_card, read_card
from base.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from base.onnx_file import open_onnx
from base.storage import EXPORT_MARK
from dataset import Digits
from model import ARCHITECTURES, build_model
from recognizer.road import Recognizer


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small.pth and its exports small.onnx and small.pt2; three classes."""
    folder = tmp_path_factory.mktemp("exports")
    torch.manual_seed(0)
    checkpoint = Checkpoint(
        build_model("tiny", 3).eval(),
        "tiny",
        {"width": 12},
        ("ja", "nein", "größer"),
        facts={"temperature": 1.5},
    )
    save_checkpoint(folder / "small.pth", checkpoint)
    assert export.main(["--model", str(folder / "small.pth"), "--format", "onnx", "--format", "pt2"]) == 0
    return folder


@pytest.mark.parametrize("arch", ["scratch", "colour", "simple"])
def test_onnx_agrees_with_the_network(arch: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    known = ARCHITECTURES[arch]
    taken = {"size": known.size, "channels": known.channels, "road": known.channels == 1}
    model = build_model(arch)
    model.eval()
    difference = exports.export(
        Checkpoint(model, arch, dict(known.config), input=taken), "onnx", tmp_path / "m.onnx"
    )
    assert difference <= exports.TOLERANCE
    images = torch.rand(7, known.channels, known.size, known.size)
    with torch.inference_mode():
        torch.testing.assert_close(
            open_onnx(tmp_path / "m.onnx")[0](images), model(images), rtol=0, atol=1e-4
        )


def test_without_onnx_the_cure_is_named(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert (
        export.main(
            ["--model", str(made / "small.pth"), "--format", "onnx", "--output", str(made / "none.onnx")]
        )
        == 1
    )
    assert (
        "pip install -r requirements-dev.txt" in capsys.readouterr().err and not (made / "none.onnx").exists()
    )


def test_the_command_prints_each_difference(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["--model", str(checkpoint), "--format", "torchscript", "--format", "onnx"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        str(checkpoint.with_suffix(s)) for s in (".torchscript", ".onnx")
    ]
    assert all("on 1,000 inputs" in line for line in lines)


def test_an_export_is_one_file_and_no_larger_than_it_must_be(made: Path) -> None:
    assert {path.name for path in made.iterdir()} == {"small.pth", "small.onnx", "small.pt2"}
    assert (made / "small.onnx").stat().st_size < 2 * (made / "small.pth").stat().st_size
    assert (made / "small.pt2").stat().st_size < 1_000_000  # the inputs of the check are not in it


def test_an_export_is_read_like_its_checkpoint(made: Path, digits: Digits) -> None:
    frames = (digits.images[:20, 0].float() / 255).numpy()
    here, there = Recognizer(made / "small.pth"), Recognizer(made / "small.onnx")
    assert there.classes == here.classes == ("ja", "nein", "größer")
    assert there.checkpoint.temperature == 1.5
    np.testing.assert_allclose(there.classify(frames), here.classify(frames), atol=1e-4)


def test_an_onnx_file_says_its_classes_and_preprocessing(made: Path) -> None:
    session = onnxruntime.InferenceSession(made / "small.onnx", providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map[CARD])
    assert card["classes"] == ["ja", "nein", "größer"]
    assert card["preprocessing"]["shape"] == ["batch", 1, 28, 28]
    assert "[0, 1]" in card["preprocessing"]["values"]


def test_a_pt2_is_not_opened(made: Path) -> None:
    with pytest.raises(CheckpointError, match="other programs"):
        load_checkpoint(made / "small.pt2")


@pytest.mark.parametrize("content", [b"", b"not a network", b"PK\x03\x04" + bytes(100)])
def test_a_damaged_export_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=path.name):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "field, value",
    [
        ("format", "other"),
        ("classes", []),
        ("input", {"size": 28}),
        ("facts", []),
        ("arch", 7),
    ],
)
def test_a_card_that_does_not_fit_is_refused(field: str, value: object) -> None:
    card = json.loads(make_card("tiny", ("a", "b"), {"size": 28, "channels": 1, "road": True}, {}))
    assert read_card(json.dumps(card), "m.onnx") == card
    with pytest.raises(ValueError, match=r"m\.onnx"):
        read_card(json.dumps({**card, field: value}), "m.onnx")


def test_one_logit_of_one_input_is_enough_to_differ() -> None:
    inputs = exports.check_inputs(1, 28)

    def odd(images: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(images), 10)
        logits[(images == inputs[700]).flatten(1).all(1), 3] = 1e-2
        return logits

    same = lambda images: torch.zeros(len(images), 10)  # noqa: E731
    assert exports.largest_difference(same, odd, inputs.split(300)) == pytest.approx(1e-2)


def test_a_failure_is_the_commands_status(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command.status(export.main, ["--model", str(tmp_path / "absent.pth")]) == 1

    def fail(failing: str) -> None:
        def draft(_: object, name: str, path: Path) -> float:
            if name == failing:
                raise exports.ExportError("it fails")
            path.write_bytes(EXPORT_MARK.encode())
            return 0.0

        monkeypatch.setattr(exports, "export", draft)

    fail("onnx")
    assert export.main(["--model", str(checkpoint)]) == 1
    fail("torchscript")
    assert export.main(["--model", str(checkpoint)]) == 0  # newer Pythons have no more
    assert export.main(["--model", str(checkpoint), "--format", "torchscript"]) == 1


def test_a_missing_export_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="export.py"):
        load_checkpoint(tmp_path / "m.onnx")


def test_an_onnx_file_of_another_program_is_refused(made: Path, tmp_path: Path) -> None:
    import onnx

    network = onnx.load(made / "small.onnx")
    del network.metadata_props[:]
    onnx.save(network, tmp_path / "other.onnx")
    with pytest.raises(CheckpointError, match="not made by export.py"):
        load_checkpoint(tmp_path / "other.onnx")


def test_an_export_that_differs_is_not_kept(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exports, "TOLERANCE", -1.0)
    assert export.main(["--model", str(checkpoint), "--format", "onnx"]) == 1
    assert "differs" in capsys.readouterr().err
    assert not checkpoint.with_suffix(".onnx").exists()


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_an_export_without_numbers_is_not_kept(
    broken: int, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(model: torch.nn.Module, *_: object, **__: object) -> object:
        count = iter(range(4))
        return lambda draft: lambda images: model(images) * (math.nan if next(count) == broken else 1)

    monkeypatch.setattr(exports, "_write_onnx", write)
    monkeypatch.setattr("recognizer.shipped.with_reader", lambda checkpoint: checkpoint)
    assert export.main(["--model", str(checkpoint), "--format", "onnx"]) == 1
    assert "differs from the checkpoint by nan" in capsys.readouterr().err
    assert not checkpoint.with_suffix(".onnx").exists()


def test_a_network_that_cannot_be_exported_is_one_line(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("TorchScript is gone\nfor good")

    monkeypatch.setattr(torch.jit, "trace", refuse)
    assert export.main(["--model", str(checkpoint), "--format", "torchscript"]) == 1
    assert (
        capsys.readouterr().err == "export.py: cannot write torchscript here: TorchScript is gone for good\n"
    )


def test_an_export_is_not_exported_again(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        export.main(["--model", str(made / "small.onnx"), "--output", str(made / "x"), "--format", "pt2"])
        == 1
    )
    assert "already" in capsys.readouterr().err


def test_without_onnxruntime_the_cure_is_named(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(CheckpointError, match="pip install onnxruntime"):
        load_checkpoint(made / "small.onnx")


def test_an_output_without_a_name_is_one_line(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.status(export.main, ["--model", str(checkpoint), "--output", "."]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_not_ours_is_not_overwritten(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = checkpoint.with_suffix(".onnx")
    output.write_bytes(b"somebody's network")
    words = ["--model", str(checkpoint), "--format", "onnx"]
    assert export.main(words) == 1 and output.read_bytes() == b"somebody's network"
    assert "--force" in (err := capsys.readouterr().err) and err.count("\n") == 1
    assert export.main([*words, "--force"]) == 0
    first = output.read_bytes()
    assert export.main(words) == 0 and first != b"somebody's network"  # ours may be made again


def test_a_model_is_never_its_own_export(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (made / "small.onnx").read_bytes()
    assert export.main(["--model", str(made / "small.onnx"), "--format", "onnx", "--force"]) == 1
    assert "one of the files to be read" in capsys.readouterr().err
    assert (made / "small.onnx").read_bytes() == before


def test_every_format_is_offered() -> None:
    assert export.FORMATS == exports.FORMATS
