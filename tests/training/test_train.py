"""Training: learns, resumes bit for bit, loses nobody's model."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import ROOT

import train
from base.checkpoint import MODEL_PATH, Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from dataset import Batches, DataError, Digits
from model import build_model
from recognizer.asking import evaluate
from training import calibrate
from training import loop as trainer
from training.data import load_data
from training.loop import WeightAverage, digit_loss, make_transform, one_cycle
from training.pictures.augment import CALM, FULL, NOT_A_DIGIT
from training.recipe import Job, TrainConfig
from training.reports import Reports
from training.resume import restore, save
from training.rounds import Rounds, StopSignals
from training.run import Run
from training.team import Interrupted

SMALL = TrainConfig(arch="tiny", epochs=2, batch_size=64)


def make_run(digits: Digits, stop_after: int | None = None, config: TrainConfig = SMALL) -> Run:
    steps = 0

    def stop() -> int | None:
        nonlocal steps
        steps += 1
        return signal.SIGINT if steps == stop_after else None

    return Run(
        config,
        digits.part(torch.arange(400)),
        digits.part(torch.arange(400, 500)),
        torch.device("cpu"),
        "fp32",
        stop,
    )


def save_stopped(digits: Digits, path: Path, stop_after: int) -> None:
    """Stop a run before its end, and write its resume file."""
    run = make_run(digits, stop_after)
    with pytest.raises(Interrupted):
        while run.epoch < 2:
            run.train_epoch()
    save(run, path)


def weights(run: Run) -> dict[str, torch.Tensor]:
    return {**run.model.state_dict(), **{f"mean.{k}": v for k, v in run.mean.weights.items()}}


def test_a_network_can_memorise_one_batch(digits: Digits) -> None:
    torch.manual_seed(0)
    model = build_model("residual", 10, {"width": 8})
    few = Batches(digits.part(torch.arange(32)), 32)
    for _ in range(40):
        trainer.train(model, few)
    assert evaluate(model, few) == 1


def test_dropout_does_not_notice_who_else_draws_weights(digits: Digits, tmp_path: Path) -> None:
    config = replace(SMALL, arch="colour", epochs=1, augment="none")
    reached = []
    for asked in (0, 3):
        torch.manual_seed(1)
        run = make_run(digits.part(torch.arange(500)), config=config)
        for _ in range(asked):
            run.validate()
            run.mean.steps += 1  # so that it is worked out again
            save_checkpoint(tmp_path / "m.pth", run.checkpoint({}))
            load_checkpoint(tmp_path / "m.pth")
        run.train_epoch()
        reached.append(run.model.state_dict())
    assert all(torch.equal(reached[0][name], reached[1][name]) for name in reached[0])


@pytest.mark.parametrize(
    "harm", ["mean lacks", "mean shape", "moments", "betas", "history", "batch", "epoch", "round"]
)
def test_a_resume_file_that_does_not_fit_is_refused(digits: Digits, tmp_path: Path, harm: str) -> None:
    save_stopped(digits, tmp_path / "r.pth", 10)
    content = torch.load(tmp_path / "r.pth", weights_only=True)
    name, weight = next((name, weight) for name, weight in content["mean"].items() if weight.ndim)
    state = content["optimizer"]["state"][0]
    harms = {
        "mean lacks": lambda: content["mean"].pop(name),
        "mean shape": lambda: content["mean"].update({name: weight[:1]}),
        "moments": lambda: state.update(exp_avg=state["exp_avg"][:1]),
        "betas": lambda: content["optimizer"]["param_groups"][0].pop("betas"),
        "history": lambda: content["history"][0].pop("loss"),
        "batch": lambda: content.update(batch=10**6),
        "epoch": lambda: content.update(epoch=10**6),
        "round": lambda: content.update(round=10**9),
    }
    restore(make_run(digits), tmp_path / "r.pth")  # as it was it fits
    harms[harm]()
    torch.save(content, tmp_path / "r.pth")
    with pytest.raises(CheckpointError, match="damaged"):
        restore(make_run(digits), tmp_path / "r.pth")


@pytest.mark.parametrize("other", [{"epochs": 1}, {"batch_size": 300}])
def test_a_resume_file_of_other_options_is_named_as_such(
    digits: Digits, tmp_path: Path, other: dict[str, int]
) -> None:
    save_stopped(digits, tmp_path / "r.pth", 10)
    with pytest.raises(CheckpointError, match="belongs to another run"):
        restore(make_run(digits, config=replace(SMALL, **other)), tmp_path / "r.pth")


def test_an_optimizer_of_an_older_torch_is_taken_up_and_another_networks_is_not(
    digits: Digits, tmp_path: Path
) -> None:
    save(make_run(digits), tmp_path / "r.pth")
    content = torch.load(tmp_path / "r.pth", weights_only=True)
    for group in content["optimizer"]["param_groups"]:
        del group["decoupled_weight_decay"]  # older ones did not have it
    torch.save(content, tmp_path / "r.pth")
    restore(make_run(digits), tmp_path / "r.pth")
    by_hand = replace(SMALL, arch="scratch", optimizer="momentum", augment="none")
    save(make_run(digits, config=by_hand), tmp_path / "s.pth")
    content = torch.load(tmp_path / "s.pth", weights_only=True)
    content["optimizer"]["velocities"][0] = content["optimizer"]["velocities"][0][:1]
    torch.save(content, tmp_path / "s.pth")
    with pytest.raises(CheckpointError, match="damaged"):
        restore(make_run(digits, config=by_hand), tmp_path / "s.pth")


def test_a_training_that_diverged_leaves_the_model(
    few: Digits, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = checkpoint.read_bytes()
    words = ["--arch", "simple", "--epochs", "1", "--learning-rate", "1e30", "--output", str(checkpoint)]
    assert train.main(words) == 1
    assert "diverged" in capsys.readouterr().err and checkpoint.read_bytes() == before


def test_a_new_round_begins_with_a_new_optimizer_and_the_threshold_with_all_views(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(digits)
    run.train_epoch()
    assert run.optimizer.state
    run.new_round()
    assert not run.optimizer.state and run.round == 1
    monkeypatch.setattr(calibrate, "look_again", lambda checkpoint, probs, *_: np.full_like(probs, 0.1))
    assert run.checkpoint({}).threshold == pytest.approx(0, abs=1e-6)


def test_a_folder_is_no_output(few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--output", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err


@pytest.mark.parametrize("stop_after", [1, 4, 9])
def test_a_resumed_run_equals_one_never_stopped(digits: Digits, tmp_path: Path, stop_after: int) -> None:
    whole = make_run(digits)
    for _ in range(2):
        whole.train_epoch()
    save_stopped(digits, tmp_path / "resume.pth", stop_after)
    resumed = make_run(digits)
    restore(resumed, tmp_path / "resume.pth")
    while resumed.epoch < 2:
        resumed.train_epoch()
    expected, reached = weights(whole), weights(resumed)
    assert all(torch.equal(expected[name], reached[name]) for name in expected)


def test_resuming_with_another_configuration_names_the_difference(digits: Digits, tmp_path: Path) -> None:
    save(make_run(digits), tmp_path / "resume.pth")
    other = make_run(digits, config=TrainConfig(arch="tiny", epochs=2, batch_size=64, seed=7))
    with pytest.raises(ValueError, match="seed was 0, is now 7"):
        restore(other, tmp_path / "resume.pth")


def test_the_end_of_a_run_is_gentler(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    before = trainer.augment
    monkeypatch.setattr("training.loop.augment", lambda *words: seen.append(words[2]) or before(*words))
    run = make_run(digits, config=replace(SMALL, epochs=5, calm=0.4))
    for _ in range(5):
        run.train_epoch()
    steps = len(run.train_set)
    assert seen == [FULL] * (3 * steps + 1) + [CALM] * (2 * steps - 1)


def test_the_seed_fixes_the_weights(digits: Digits) -> None:
    first, again = make_run(digits), make_run(digits)
    other = make_run(digits, config=TrainConfig(arch="tiny", epochs=2, batch_size=64, seed=1))
    for run in (first, again, other):
        run.train_epoch()
    name = next(iter(first.model.state_dict()))
    assert torch.equal(first.model.state_dict()[name], again.model.state_dict()[name])
    assert not torch.equal(first.model.state_dict()[name], other.model.state_dict()[name])


def test_pictures_of_no_digit_aim_at_equal_probabilities() -> None:
    logits = torch.tensor([[4.0, 0, 0], [0, 0, 0]])
    labels = torch.tensor([0, NOT_A_DIGIT])
    expected = (F.cross_entropy(logits[:1], labels[:1]) + torch.log(torch.tensor(3.0))) / 2
    assert float(digit_loss(logits, labels)) == pytest.approx(float(expected))
    assert float(digit_loss(logits[:1], labels[:1], 0.1)) == pytest.approx(
        float(F.cross_entropy(logits[:1], labels[:1], label_smoothing=0.1))
    )


def test_a_teacher_is_learnt_from(digits: Digits) -> None:
    images = digits.images[:64]
    wrong = Digits(
        images, torch.zeros(64, dtype=torch.long), "a test"
    )  # the labels say 0, the teacher what it reads
    config = TrainConfig(
        arch="simple",
        epochs=40,
        batch_size=64,
        learning_rate=0.003,
        label_smoothing=0,
        augment="none",
        average=0,
    )
    cpu = torch.device("cpu")
    agreement = {}
    for teacher in ("", str(MODEL_PATH)):
        run = Run(replace(config, teacher=teacher), wrong, wrong, cpu, "fp32")
        for _ in range(config.epochs):
            run.train_epoch()
        said = run.averaged()(images.float() / 255).softmax(1)
        agreement[teacher] = float(said.gather(1, digits.labels[:64, None]).detach().mean())
    assert agreement[""] < 0.2 and agreement[str(MODEL_PATH)] > 0.35


def test_a_teacher_of_other_classes_is_refused(digits: Digits) -> None:
    others = replace(digits, classes=tuple("abcdefghij"))
    with pytest.raises(ValueError, match="knows other classes"):
        Run(TrainConfig(teacher=str(MODEL_PATH)), others, others, torch.device("cpu"), "fp32")


def test_other_classes_get_no_digits_of_ours(digits: Digits) -> None:
    transform = make_transform("full", torch.Generator().manual_seed(0), digits=False)
    assert transform is not None
    labels = torch.full((200,), 3)
    assert torch.equal(transform(digits.images[:200], labels)[1], labels)


def test_the_schedule_rises_and_ends_at_zero() -> None:
    rates = [one_cycle(step / 100) for step in range(101)]
    assert max(rates) == pytest.approx(1) and rates[0] < 0.1 and rates[-1] == pytest.approx(0)
    assert rates[:20] == sorted(rates[:20]) and rates[21:] == sorted(rates[21:], reverse=True)


def test_the_mean_of_equal_weights_is_themselves() -> None:
    model = build_model("tiny")
    mean = WeightAverage(model, 0.9)
    mean.update(model)
    assert all(
        torch.allclose(mean.weights[name].float(), value.float())
        for name, value in model.state_dict().items()
    )


def test_training_writes_a_checkpoint_with_its_facts(
    few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, log, curves = tmp_path / "m.pth", tmp_path / "runs" / "x.jsonl", tmp_path / "curves.png"
    words = [
        "--arch",
        "tiny",
        "--epochs",
        "2",
        "--output",
        path,
        "--log",
        log,
        "--plot",
        curves,
        "--device",
        "cpu",
    ]
    assert train.main([str(word) for word in words]) == 0
    made = load_checkpoint(path)
    assert made.facts["data"] == "600 digits" and made.facts["epochs"] == 2
    assert made.facts["command"].startswith("python train.py --arch tiny")
    assert 0 < made.threshold < 1 and made.temperature > 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert curves.read_bytes().startswith(b"\x89PNG")
    out, err = capsys.readouterr()
    for fact in ("device cpu", "parameters", "600 digits", "validation accuracy", "wrote"):
        assert fact in out
    assert err.count("\n") == 2  # one plain line an epoch when stderr is no terminal
    assert not list(tmp_path.glob("*.resume.pth"))


def test_an_earlier_model_is_kept_in_backups(
    few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.pth"
    path.write_bytes(b"somebody's model")
    for _ in range(2):
        assert train.main(["--arch", "tiny", "--epochs", "1", "--output", str(path), "--device", "cpu"]) == 0
    backups = sorted((tmp_path / "backups").iterdir())
    assert len(backups) == 2
    assert b"somebody's model" in {backup.read_bytes() for backup in backups}
    assert "to bring it back" in capsys.readouterr().out


def test_without_mnist_it_says_so_and_trains_on_the_stand_in(
    monkeypatch: pytest.MonkeyPatch, digits: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(*_: object, **__: object) -> Digits:
        raise DataError("no MNIST: the download failed")

    stand_in = Digits(digits.images[:240], digits.labels[:240], "the stand-in")
    monkeypatch.setattr("dataset.load_mnist", absent)
    monkeypatch.setattr("dataset.load_stand_in", lambda: stand_in)
    lines: list[str] = []
    data = load_data(Job(), "tiny", Path(), Reports(warn=lines.append))
    assert data.training.source == "the stand-in" and len(data.training) + len(data.validation) == 240
    assert "no MNIST: the download failed" in lines[0] and "5,000 digits" in lines[1]
    assert train.main(["--no-fallback", "--device", "cpu"]) == 1
    assert capsys.readouterr().err.strip() == "train.py: no MNIST: the download failed"


@pytest.mark.parametrize(
    "words, message",
    [
        (["--arch", "nonsense"], "no network is called"),
        (["--epochs", "-1"], "must be at least 0"),
        (["--epochs", "0"], "name that"),
        (["--device", "cuda:99"], "does not work here"),
        (["--augment", "some"], "--augment is one of"),
        (["--optimizer", "lion"], "--optimizer is one of"),
        (["--lines-rounds", "-1"], "--lines-rounds must be"),
        (["--resume", "--output", "nowhere.pth"], "nothing to resume"),
        (["--average", "2"], "--average must lie in"),
        (["--calm", "7"], "--calm must lie in"),
        (["--label-smoothing", "-1"], "--label-smoothing must lie in"),
        (["--data", ".", "--data-dir", "."], "are for MNIST"),
        (["--data", ".", "--no-fallback"], "are for MNIST"),
        (["--seed", "99999999999999999999"], "--seed must lie in"),
        (["--output", "net.onnx"], "export.py"),
    ],
)
def test_a_wrong_option_is_one_line(
    words: list[str], message: str, few: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(words) == 1
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_the_summary_shows_the_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--arch", "residual", "--summary"]) == 0
    assert "351,082" in capsys.readouterr().out


SLOW_TRAINING = """
import sys, time
sys.path.insert(0, {root!r})
import torch
import train
import dataset
from training import calibrate
from training import loop as trainer
from dataset import Digits
digits = Digits(torch.randint(0, 256, (4000, 1, 28, 28), dtype=torch.uint8), torch.arange(4000) % 10, "noise")
dataset.load_mnist = lambda *a, **k: digits
before = trainer.digit_loss
def slowly(*a, **k):
    time.sleep(0.02)
    return before(*a, **k)
trainer.digit_loss = slowly
sys.exit(train.main(["--arch", "tiny", "--epochs", "5", "--batch-size", "32", "--augment", "none", "--device", "cpu",
                     "--output", {output!r}]))
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_how_to_go_on(signum: int, tmp_path: Path) -> None:
    output = tmp_path / "model.pth"
    script = SLOW_TRAINING.format(root=str(ROOT), output=str(output))
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "tiny" in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(signum)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signum
    assert "--resume" in err and "Traceback" not in err
    assert (tmp_path / "model.resume.pth").exists()
    assert not output.exists()  # no epoch was finished: nothing to compare with


def test_a_stop_at_an_epochs_end_keeps_its_line(digits: Digits) -> None:
    steps = len(make_run(digits).train_set)
    run = make_run(digits, stop_after=steps)  # asked after every batch but the last, then between the epochs
    run.train_epoch()
    with pytest.raises(Interrupted):
        run.raise_if_stopped()
    assert run.epoch == 1 and run.batch == 0 and run.history[0]["loss"] > 0


def test_an_export_is_no_start(few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = str(MODEL_PATH.with_suffix(".onnx"))
    assert train.main(["--start", start, "--device", "cpu", "--output", str(tmp_path / "m.pth")]) == 1
    assert "name a fitting --start" in capsys.readouterr().err


def test_a_teacher_of_other_pictures_is_refused(digits: Digits) -> None:
    with pytest.raises(ValueError, match="takes other pictures"):
        Run(
            TrainConfig(teacher=str(MODEL_PATH), augment="none"),
            replace(digits, road=False),
            digits,
            torch.device("cpu"),
            "fp32",
        )


def test_a_round_after_the_first_keeps_what_is_better(
    few: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--arch", "tiny", "--epochs", "1", "--device", "cpu", "--output", str(tmp_path / "m.pth")]
    rounds: list[int] = []
    before = Run.new_round
    monkeypatch.setattr(Run, "new_round", lambda run: rounds.append(1) or before(run))
    monkeypatch.setattr(StopSignals, "received", lambda _: signal.SIGINT if rounds else None)
    assert train.main([*words, "--forever"]) == 130  # stopped as soon as the second round has begun
    best = load_checkpoint(tmp_path / "m.pth").facts["validation_accuracy"]
    monkeypatch.setattr(StopSignals, "received", lambda _: None)
    monkeypatch.setattr(Run, "validate", lambda run: (best / 2, 9.0))
    kept = (tmp_path / "m.pth").read_bytes()
    assert train.main([*words, "--resume"]) == 0
    assert "stays as it is" in capsys.readouterr().out and (tmp_path / "m.pth").read_bytes() == kept


def test_a_model_of_other_classes_is_no_match_for_a_better_round(few: Digits, tmp_path: Path) -> None:
    path = tmp_path / "m.pth"
    save_checkpoint(
        path,
        Checkpoint(
            build_model("tiny", 2), "tiny", {"width": 12}, ("a", "b"), facts={"validation_accuracy": 1.0}
        ),
    )
    run = make_run(few)
    run.train_epoch()
    assert Rounds(run, path, {}).is_better(complete=True)


@pytest.mark.parametrize("option, name", [("--plot", "curves.xyz"), ("--plot", "."), ("--log", ".")])
def test_a_record_that_cannot_be_written_is_said_before_the_training(
    option: str, name: str, few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--arch",
        "tiny",
        "--epochs",
        "2",
        "--device",
        "cpu",
        "--output",
        str(tmp_path / "m.pth"),
        option,
        str(tmp_path / name),
    ]
    assert train.main(words) == 1
    assert "epoch 1" not in (err := capsys.readouterr().err) and err.count("\n") == 1


def test_records_are_tried_as_they_will_be_written(tmp_path: Path) -> None:
    Reports(plot=tmp_path / "new" / "CURVES.PNG", log=tmp_path / "deep" / "log.jsonl").try_out()
    assert (tmp_path / "deep" / "log.jsonl").read_text() == "" and not list((tmp_path / "new").iterdir())


def test_a_record_that_fails_later_ends_no_training(
    few: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "curves.png")

    monkeypatch.setattr("measuring.plots.save_figure", full)
    plot = tmp_path / "new" / "curves.png"
    words = [
        "--arch",
        "tiny",
        "--epochs",
        "2",
        "--device",
        "cpu",
        "--output",
        str(tmp_path / "m.pth"),
        "--plot",
        str(plot),
    ]
    assert train.main(words) == 0 and load_checkpoint(tmp_path / "m.pth").facts["epochs"] == 2
    assert "curves.png: no space left on device" in capsys.readouterr().err


def test_a_model_of_other_pictures_is_no_match_for_a_better_round(few: Digits, tmp_path: Path) -> None:
    path, run = tmp_path / "m.pth", make_run(few)
    run.train_epoch()
    for known, kept in (("MNIST", False), ("mine", True)):
        save_checkpoint(
            path,
            Checkpoint(
                build_model("tiny"), "tiny", {"width": 12}, facts={"validation_accuracy": 1.0, "data": known}
            ),
        )
        assert Rounds(run, path, {"data": "mine"}).is_better(complete=True) != kept


@pytest.mark.parametrize("other", ["pictures", "teacher"])
def test_a_resume_file_of_other_pictures_or_another_teacher_is_refused(
    other: str, digits: Digits, tmp_path: Path
) -> None:
    teacher = tmp_path / "teacher.pth"
    torch.manual_seed(0)
    save_checkpoint(teacher, Checkpoint(build_model("tiny"), "tiny", {"width": 12}))
    config = replace(SMALL, teacher=str(teacher))
    save(make_run(digits, config=config), tmp_path / "r.pth")
    restore(make_run(digits, config=config), tmp_path / "r.pth")
    if other == "pictures":
        digits = replace(digits, images=255 - digits.images)
    else:
        torch.manual_seed(1)
        save_checkpoint(teacher, Checkpoint(build_model("tiny"), "tiny", {"width": 12}))
    with pytest.raises(
        CheckpointError, match="data was" if other == "pictures" else "teacher's checksum was"
    ):
        restore(make_run(digits, config=config), tmp_path / "r.pth")


def test_a_share_of_the_starting_weights_is_kept(digits: Digits) -> None:
    """What is written lies between where the training began and where it came to; the training itself does not notice."""
    start = Checkpoint(build_model("tiny"), "tiny", {"width": 12})
    parts = [digits.part(torch.arange(200)), digits.part(torch.arange(200, 300))]

    def trained(keep: float) -> Run:
        run = Run(replace(SMALL, epochs=1, keep=keep), *parts, torch.device("cpu"), "fp32", start=start)
        run.train_epoch()
        return run

    none, half = trained(0.0), trained(0.25)
    began, reached, kept = (
        start.model.state_dict(),
        none.averaged().state_dict(),
        half.averaged().state_dict(),
    )
    for name, weight in reached.items():
        if weight.is_floating_point():
            assert torch.allclose(kept[name], 0.75 * weight + 0.25 * began[name], atol=1e-6), name
    with pytest.raises(ValueError, match="--start"):
        Run(replace(SMALL, keep=0.5), *parts, torch.device("cpu"), "fp32")
