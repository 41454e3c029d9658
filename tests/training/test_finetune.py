"""Fine-tuning on corrections, and training anew with them: what is learnt, what it may cost, and how it is undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from base.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from corrections.memory import Memory
from corrections.store import Correction
from dataset import Digits
from model import build_model
from recognizer.road import Recognizer
from train import main as train_main
from training import finetune
from training.finetune import MOST_LOST, FineTuner


@pytest.fixture(params=["residual", "scratch"])
def tuner(request: pytest.FixtureRequest, digits: Digits, tmp_path: Path) -> FineTuner:
    """The shipped network, or a hand-written one that has seen a few digits, with replay and guard."""
    if request.param == "residual":
        checkpoint = load_checkpoint()
    else:
        from dataset import Batches
        from training.loop import train

        torch.manual_seed(0)
        model = build_model("scratch")
        for _ in range(3):
            train(model, Batches(Digits(digits.images[:2000], digits.labels[:2000], ""), 64))
        checkpoint = Checkpoint(model.eval(), "scratch", {})
    images = digits.images.float() / 255
    return FineTuner(checkpoint, images[:400], images[500:1500], digits.labels[500:1500])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_fine_tuning_works_on_a_gpu(digits: Digits) -> None:
    images = digits.images[:600].float() / 255
    tuner = FineTuner(load_checkpoint(device="cuda"), images[:400], images[400:], digits.labels[400:600])
    assert tuner.tune([Correction("1", images[0, 0].numpy(), str(int(digits.labels[0])), "")]).accepted


def _corrections(tuner: FineTuner, frames: np.ndarray, count: int, shift: int) -> list[Correction]:
    with torch.inference_mode():
        said = tuner.checkpoint.model(torch.from_numpy(frames[:, None])).argmax(1)
    return [Correction(str(n), frames[n], str((int(said[n]) + shift) % 10), "") for n in range(count)]


def test_fine_tuning_learns_a_correction_and_undo_restores_every_bit(
    tuner: FineTuner, digits: Digits
) -> None:
    before = {name: weight.clone() for name, weight in tuner.checkpoint.model.state_dict().items()}
    frames = (digits.images[1500:4000, 0].float() / 255).numpy()  # in neither replay nor guard
    probs = tuner_probs(tuner, frames)
    for unsure in (np.sort(probs)[:, -1] - np.sort(probs)[:, -2]).argsort()[:10]:
        label = str(probs[unsure].argsort()[-2])
        outcome = tuner.tune([Correction("1", frames[unsure], label, "")])
        if outcome.accepted:  # some cost the guard's digits too much
            break
    assert outcome.accepted and outcome.learnt == 1
    assert outcome.before - outcome.after <= MOST_LOST + 1e-9
    assert tuner_probs(tuner, frames[unsure : unsure + 1]).argmax() == int(label)
    after = tuner.checkpoint.model.state_dict()
    assert sum(not torch.equal(before[name], after[name]) for name in before) <= 2  # the last layer alone
    assert tuner.undo() and not tuner.undo()
    assert all(
        torch.equal(before[name], weight) for name, weight in tuner.checkpoint.model.state_dict().items()
    )


def test_several_corrections_are_learnt_each_with_its_own_label(
    tuner: FineTuner, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "MOST_LOST", 1.0)  # what others pay is another test's
    monkeypatch.setattr(FineTuner, "_fair", lambda *_: True)
    images = digits.images[2000:4000, 0].float().numpy() / 255
    with torch.inference_mode():
        likeliest = tuner.checkpoint.model(torch.from_numpy(images)[:, None]).topk(2)
    unsure = (likeliest.values[:, 0] - likeliest.values[:, 1]).argsort().tolist()
    second = likeliest.indices[:, 1].tolist()
    chosen = [unsure[0], next(place for place in unsure if second[place] != second[unsure[0]])]
    weight, bias = (part.detach().clone() for part in tuner._parameters)
    outcome = tuner.tune(
        [Correction(str(n), images[place], str(second[place]), "") for n, place in enumerate(chosen)]
    )
    assert outcome.accepted and outcome.learnt == 2
    features, (one, other) = (
        tuner._features(torch.from_numpy(images[chosen])[:, None]),
        (second[place] for place in chosen),
    )
    with torch.inference_mode():
        rise = torch.nn.functional.linear(features, *tuner._parameters) - torch.nn.functional.linear(
            features, weight, bias
        )
        assert rise[0, one] > rise[0, other] and rise[1, other] > rise[1, one]
        before, after = (
            torch.nn.functional.linear(tuner._replay, *layer).argmax(1)
            for layer in ((weight, bias), tuner._parameters)
        )
    assert (before == after).float().mean() > 0.94  # what it held before


def test_a_tuning_that_learns_too_few_is_refused(
    tuner: FineTuner, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "LEARNT", 1.0)
    images, label = digits.images[2000:2001, 0].float().numpy() / 255, int(digits.labels[2000])
    contradicting = [
        Correction(str(n), images[0], str(name), "") for n, name in enumerate(((label + 1) % 10, label))
    ]
    assert not tuner.tune(contradicting).accepted and not tuner.tuned


def test_only_a_network_of_digits_practises() -> None:
    other = Checkpoint(build_model("tiny", 2).eval(), "tiny", {}, ("a", "b"))
    with pytest.raises(ValueError, match="ten digits"):
        finetune.make_tuner(other)


def test_corrections_of_other_pictures_are_left_out_of_a_tuning(tuner: FineTuner, frames: np.ndarray) -> None:
    (own,) = _corrections(tuner, frames[400:], 1, 0)
    sign = Correction("2", np.zeros((64, 64, 3), np.float32), "3", "")
    assert tuner.tune([own, sign]).corrections == 1
    with pytest.raises(ValueError, match="no correction"):
        tuner.tune([sign])


def test_fine_tuning_that_would_cost_accuracy_is_refused_and_changes_no_bit(
    tuner: FineTuner, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.finetune.RATE", 0.1)
    monkeypatch.setattr("training.finetune.PARTS_OF_THE_WAY", (1.0,))
    before = {name: weight.clone() for name, weight in tuner.checkpoint.model.state_dict().items()}
    outcome = tuner.tune(_corrections(tuner, frames, 40, 1))
    assert not outcome.accepted
    assert all(
        torch.equal(before[name], weight) for name, weight in tuner.checkpoint.model.state_dict().items()
    )


def test_what_earlier_tunings_cost_counts_too(
    tuner: FineTuner, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    # already learnt, so that a step costs nothing more
    right = [
        correction for correction in _corrections(tuner, frames[400:], 20, 0) if correction.label != "7"
    ][:1]
    weight, bias = (parameter.clone() for parameter in tuner._parameters)
    worse = bias.clone()
    worse[7] -= 100  # as if earlier tunings had unlearnt the sevens
    tuner._set(weight, worse)
    monkeypatch.setattr("training.finetune.STEPS", 1)
    outcome = tuner.tune(right)
    assert not outcome.accepted and outcome.before > outcome.after + MOST_LOST
    tuner._set(weight, bias)
    assert tuner.tune(right).accepted


def test_a_class_that_would_pay_for_the_others_is_a_reason_to_refuse(tuner: FineTuner) -> None:
    held = tuner._untouched.clone()
    assert tuner._fair(held)
    sevens = torch.nonzero((tuner._labels == 7) & held)[:, 0]
    held[sevens[:1]] = False
    assert tuner._fair(held)
    held[sevens[:3]] = False
    assert not tuner._fair(held)


@pytest.mark.parametrize(
    "guard, value", [("MOST_LOST", -1.0), ("RATE", 0.0), ("_fair", lambda tuner, held: False)]
)
def test_every_guard_of_a_tuning_is_asked(
    tuner: FineTuner, frames: np.ndarray, monkeypatch: pytest.MonkeyPatch, guard: str, value: Any
) -> None:
    monkeypatch.setattr("training.finetune.LEARNT", 0.0)  # so that only the latest correction must be learnt
    right, wrong = _corrections(tuner, frames[400:], 1, 0), _corrections(tuner, frames[400:], 1, 1)
    asked = wrong if guard == "RATE" else right
    assert guard == "RATE" or tuner.tune(asked).accepted
    monkeypatch.setattr(FineTuner if guard == "_fair" else finetune, guard, value)
    assert not tuner.tune(asked).accepted


def tuner_probs(tuner: FineTuner, frames: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return tuner.checkpoint.model(torch.from_numpy(frames[:, None])).softmax(1).numpy()


# ---------------------------------------------------------------------------------- retraining


def test_train_py_retrains_a_model_with_the_corrections(
    few: Digits, memory: Memory, tmp_path: Path, frames: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    earlier = "python train.py --arch scratch"
    start = Checkpoint(
        build_model("scratch").eval(), "scratch", {"layers": [784, 256, 128]}, facts={"command": earlier}
    )
    save_checkpoint(tmp_path / "start.pth", start)
    odd = np.zeros((28, 28), np.float32)
    odd[6:22, 12:16] = odd[12:16, 6:22] = 1
    memory.learn(odd, "4")
    words = ["--corrections", str(memory.folder), "--start", str(tmp_path / "start.pth"), "--epochs", "20"]
    assert (
        train_main(
            [*words, "--learning-rate", "0.1", "--average", "0", "--output", str(tmp_path / "new.pth")]
        )
        == 0
    )
    assert "1 corrections" in capsys.readouterr().out
    new = load_checkpoint(tmp_path / "new.pth")
    assert (
        new.arch == "scratch"
        and new.facts["data"] == "600 digits and 1 corrections"
        and new.facts["start"] == earlier
    )
    assert Recognizer(new).ask(odd[None]).argmax() == 4
    assert torch.equal(load_checkpoint(tmp_path / "start.pth").model.weights[0], start.model.weights[0])


def test_retraining_without_corrections_says_what_to_do(
    few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_main(["--corrections", str(tmp_path / "none"), "--output", str(tmp_path / "m.pth")]) == 1
    assert "app.py" in capsys.readouterr().err
