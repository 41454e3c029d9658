"""A checkpoint rebuilds its own network and refuses a stranger."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from base.checkpoint import Checkpoint, CheckpointError, load_checkpoint, read_plain, save_checkpoint
from ink import SYMBOLS
from model import LineReader, build_model
from recognizer.asking import evaluate, predict_logits


def test_a_saved_checkpoint_comes_back_the_same(checkpoint: Path, tmp_path: Path) -> None:
    first = load_checkpoint(checkpoint)
    save_checkpoint(tmp_path / "copy.pth", first)
    again = load_checkpoint(tmp_path / "copy.pth")
    images = torch.rand(5, 1, 28, 28)
    assert torch.equal(first.model(images), again.model(images))
    assert (first.arch, first.config, first.classes, first.input) == (
        again.arch,
        again.config,
        again.classes,
        again.input,
    )
    assert not again.model.training


def test_the_shipped_model_is_small_and_knows_its_origin() -> None:
    shipped = load_checkpoint()
    assert sum(w.numel() for w in shipped.model.parameters()) <= 400_000
    for fact in (
        "data",
        "seed",
        "epochs",
        "validation_accuracy",
        "temperature",
        "threshold",
        "torch",
        "date",
        "command",
    ):
        assert fact in shipped.facts
    assert shipped.facts["seed"] == 0
    assert shipped.facts["data"] == "MNIST"


def test_a_bare_state_dict_of_a_known_network_loads(tmp_path: Path) -> None:
    model = build_model("simple")
    torch.save(model.state_dict(), tmp_path / "old.pth")
    assert load_checkpoint(tmp_path / "old.pth").arch == "simple"


class Bomb:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("exploded"),))


def broken(name: str, checkpoint: Path) -> bytes:
    content = torch.load(checkpoint, weights_only=True)
    path = checkpoint.with_name("made.pth")
    if name == "empty":
        return b""
    if name == "random bytes":
        return bytes(range(256)) * 8
    if name == "truncated":
        return checkpoint.read_bytes()[:-700]
    if name == "a pickle that runs code":
        return pickle.dumps(Bomb())
    if name == "code inside a checkpoint":
        torch.save({**content, "facts": Bomb()}, path)
    elif name == "another program's weights":
        torch.save({"layer.weight": torch.zeros(3)}, path)
    elif name == "a newer format":
        torch.save({**content, "format": "digits-v9"}, path)
    elif name == "an older format":
        torch.save({**content, "format": "digits-v0"}, path)
    elif name == "a line reader of other symbols":
        torch.save({**content, "lines": LineReader(symbols=len(SYMBOLS) + 4).state_dict()}, path)
    elif name == "weights of another shape":
        torch.save({**content, "config": {"width": 3}}, path)
    elif name == "fields missing":
        torch.save({"format": content["format"]}, path)
    elif name == "a whole model":
        torch.save(build_model("simple"), path)
    elif name == "a list":
        torch.save([1, 2, 3], path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "empty",
        "random bytes",
        "truncated",
        "a pickle that runs code",
        "code inside a checkpoint",
        "another program's weights",
        "a newer format",
        "an older format",
        "a line reader of other symbols",
        "weights of another shape",
        "fields missing",
        "a whole model",
        "a list",
    ],
)
def test_a_bad_checkpoint_is_named_and_never_runs_code(
    name: str, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pth"
    path.write_bytes(broken(name, checkpoint))
    with pytest.raises(
        CheckpointError, match=r"bad\.pth.*state_dict\(\)" if name == "a whole model" else r"bad\.pth"
    ):
        load_checkpoint(path)
    assert not Path("exploded").exists()


def test_no_memory_is_taken_for_a_network_that_the_weights_do_not_fit(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def noted(*description: Any) -> Any:
        model = build_model(*description)
        built.append(next(model.parameters()).device.type)
        return model

    torch.save({**read_plain(checkpoint), "config": {"width": 300}}, checkpoint)
    monkeypatch.setattr("model.build_model", noted)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_checkpoint(checkpoint)
    assert built == ["meta"]


def test_a_missing_model_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train.py"):
        read_plain(tmp_path / "absent.pth")


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_leaves_the_mode_alone(training: bool) -> None:
    model = build_model("residual", 10, {"width": 2}).train(training)
    batches = [(torch.rand(4, 1, 28, 28), torch.arange(4)), (torch.rand(2, 1, 28, 28), torch.arange(2))]
    accuracy = evaluate(model, batches)
    logits, labels = predict_logits(model, batches)
    assert model.training is training
    assert logits.shape == (6, 10)
    assert accuracy == pytest.approx(float((logits.argmax(1) == labels).float().mean()))


def test_standardisation_lives_in_the_network() -> None:
    model = build_model("residual", 10, {"width": 2}).eval()
    blank = torch.zeros(1, 1, 28, 28)
    assert not torch.allclose(model(blank), model(blank + 0.1307))


def test_an_unknown_network_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="residual"):
        build_model("transformer")


def test_weights_of_the_classifier_s_say_are_four_and_once_were_two() -> None:
    def weights(facts: dict) -> tuple[float, ...]:
        return Checkpoint(None, "tiny", {}, facts=facts).line_weights

    assert weights({"line_weights": [1.0, 0.1, 0.2, 0.3]}) == (1.0, 0.1, 0.2, 0.3)
    assert weights({"line_weights": [0.2, 0.7]}) == (0.2, 0.2, 0.7, 0.7)
    assert weights({}) == (0.5, 0.5, 0.5, 0.5)


def test_a_usual_form_is_worth_what_was_fitted_or_nothing() -> None:
    assert Checkpoint(None, "tiny", {}, facts={"line_form": 2.5}).line_form == 2.5
    assert Checkpoint(None, "tiny", {}).line_form == 0


def test_thresholds_of_lines_are_the_network_s_own_where_none_was_fitted() -> None:
    checkpoint = Checkpoint(None, "tiny", {}, facts={"threshold": 2.0})
    assert checkpoint.line_thresholds == (2.0, 2.0, 2.0)
    checkpoint.facts["line_thresholds"] = [1.0, 2.0, 3.0]
    assert checkpoint.line_thresholds == (1.0, 2.0, 3.0)
