"""Training in two processes: the steps of one, an exact resume, and one writer."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo  # seconds, which DistributedDataParallel would spend in every process
from conftest import ROOT

from base.checkpoint import load_checkpoint
from dataset import Batches, Digits
from training import team as distributed
from training.recipe import Job, TrainConfig
from training.reports import SILENT
from training.resume import restore, save
from training.rounds import train_in_team
from training.run import Run
from training.team import Interrupted

CONFIG = TrainConfig(arch="tiny", epochs=2, batch_size=64, augment="light")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def in_processes(work: Callable[..., Any], *arguments: Any, size: int = 2) -> list[Any]:
    """Return what `work(team, *arguments)` returns in each process of a team."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def begin(rank: int) -> None:
        os.environ |= {
            "RANK": str(rank),
            "WORLD_SIZE": str(size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        with distributed.join() as team:
            answers.put((rank, work(team, *arguments)))

    processes = [context.Process(target=begin, args=(rank,), daemon=True) for rank in range(size)]
    for process in processes:
        process.start()
    said = sorted((answers.get(timeout=60) for _ in processes), key=lambda one: one[0])
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    return [answer for _, answer in said]


def make_run(
    team: distributed.Team, digits: Digits, config: TrainConfig = CONFIG, stop_after: int | None = None
) -> Run:
    stopped = iter(range(1, 10_000))
    return Run(
        config,
        digits.part(torch.arange(1024)),
        digits.part(torch.arange(1024, 1224)),
        torch.device("cpu"),
        "fp32",
        lambda: 15 if next(stopped) == stop_after and not team.leads else None,
        team=team,
    )


def numbers(run: Run) -> dict[str, list]:
    return {name: weight.tolist() for name, weight in {**run.model.state_dict(), **run.mean.weights}.items()}


def test_the_shares_of_a_batch_are_the_batch(digits: Digits) -> None:
    few = digits.part(torch.arange(200))
    whole = [labels for _, labels in Batches(few, 32, seed=3)]
    shares = [[labels for _, labels in Batches(few, 32, seed=3, rank=rank, size=2)] for rank in range(2)]
    assert [torch.cat(parts).tolist() for parts in zip(*shares)] == [labels.tolist() for labels in whole]


def test_a_batch_that_cannot_be_shared_is_refused(digits: Digits) -> None:
    with pytest.raises(ValueError, match="--batch-size"):
        Batches(digits, 33, seed=0, size=2)


def _first_gradient(team: distributed.Team, digits: Digits) -> list:
    torch.set_num_threads(1)
    run = make_run(
        team, digits, TrainConfig(arch="simple", epochs=1, batch_size=64, augment="none", optimizer="sgd")
    )
    run.train_set.epoch = 0
    images, labels = next(iter(run.train_set))
    torch.nn.functional.cross_entropy(run.parallel(images), labels).backward()
    return [weight.grad.flatten()[:50].tolist() for weight in run.model.parameters()]


def test_the_mean_of_two_gradients_is_that_of_the_whole_batch(digits: Digits) -> None:
    alone = _first_gradient(distributed.ALONE, digits)
    for gradients in in_processes(_first_gradient, digits):
        for one, other in zip(gradients, alone):
            torch.testing.assert_close(torch.tensor(one), torch.tensor(other), rtol=1e-4, atol=1e-6)


def _whole_and_resumed(team: distributed.Team, digits: Digits, path: Path) -> tuple[dict, dict, int]:
    torch.set_num_threads(1)
    whole = make_run(team, digits)
    for _ in range(2):
        whole.train_epoch()
    stopped = make_run(team, digits, stop_after=2)  # the second time that only the follower is asked
    try:
        while stopped.epoch < 2:
            stopped.train_epoch()
    except Interrupted:
        save(stopped, path)
    steps = stopped.epoch * len(stopped.train_set) + stopped.batch
    resumed = make_run(team, digits)
    restore(resumed, path)
    while resumed.epoch < 2:
        resumed.train_epoch()
    return numbers(whole), numbers(resumed), steps


def test_a_resumed_run_equals_one_never_stopped(digits: Digits, tmp_path: Path) -> None:
    (whole, resumed, steps), (_, _, others) = in_processes(
        _whole_and_resumed, digits, tmp_path / "resume.pth"
    )
    assert 0 < steps == others < 2 * 16  # one process was told to stop, both did, at the same batch
    assert whole == resumed


def test_resuming_with_another_number_of_processes_is_refused(digits: Digits, tmp_path: Path) -> None:
    save(make_run(distributed.ALONE, digits), tmp_path / "resume.pth")
    for said in in_processes(_refusal, digits, tmp_path / "resume.pth"):
        assert "number of processes was 1, is now 2" in said


def _refusal(team: distributed.Team, digits: Digits, path: Path) -> str:
    try:
        restore(make_run(team, digits), path)
    except ValueError as error:
        return str(error)
    return ""


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import torch, train, dataset
from dataset import Digits
digits = Digits(torch.randint(0, 256, (1200, 1, 28, 28), dtype=torch.uint8), torch.arange(1200) % 10, "noise")
dataset.load_mnist = lambda *a, **k: digits
from base import command
command.run(train.main, filters=False)
"""


def test_torchrun_trains_and_one_process_writes(tmp_path: Path) -> None:
    script, model, log = tmp_path / "script.py", tmp_path / "model.pth", tmp_path / "log.jsonl"
    script.write_text(SCRIPT.format(root=str(ROOT)))
    words = [
        "--arch",
        "tiny",
        "--epochs",
        "2",
        "--batch-size",
        "32",
        "--device",
        "cpu",
        "--output",
        model,
        "--log",
        log,
    ]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--local-addr",
        "localhost",
        "--nproc-per-node",
        "2",
        "--",
        script,
        *words,
    ]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("wrote") == 1 and "2 processes" in result.stdout
    assert result.stderr.count("images/s") == 2
    assert load_checkpoint(model).facts["processes"] == 2
    assert [json.loads(line)["epoch"] for line in log.read_text().splitlines()] == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "model.pth", "script.py"]


def test_every_process_drops_other_units(digits: Digits) -> None:
    def work(team: distributed.Team) -> list[float]:
        make_run(team, digits)
        return torch.rand(3).tolist()

    one, other = in_processes(work)
    assert one != other


def _fails_first(team: distributed.Team) -> str:
    try:
        with team.leader_first():
            if team.leads:
                raise FileNotFoundError(2, "No such file or directory", "pictures")
    except OSError as error:
        return str(error.filename)
    return "went on"


def test_all_stop_where_the_leader_cannot_go_on() -> None:
    assert in_processes(_fails_first) == ["pictures", "pictures"]


def test_the_leader_alone_needs_the_resume_file(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = digits.part(torch.arange(600))
    monkeypatch.setattr("dataset.load_mnist", lambda *arguments, **options: few)

    def work(team: distributed.Team) -> int:
        output = tmp_path / str(team.rank) / "m.pth"
        job = Job({"arch": "tiny", "epochs": 1}, device="cpu", output=output)
        with monkeypatch.context() as patch:
            patch.setattr("training.rounds.StopSignals.received", lambda self: 15)
            assert train_in_team(job, None, team, SILENT) == 128 + 15
        return train_in_team(replace(job, resume=True), None, team, SILENT)

    assert in_processes(work) == [0, 0]
    assert (tmp_path / "0" / "m.pth").exists() and not (tmp_path / "1" / "m.pth").exists()
