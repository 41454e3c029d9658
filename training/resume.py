"""The resume file: all that the next batch of a training depends on, so that it goes on bit for bit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from base.checkpoint import CheckpointError, read_plain, shapes_of, write_plain
from training.run import Run

FORMAT = "digits-resume-v3"
MOST_THREADS = 1024  # that a resume file may ask for
COUNTS = ("epoch", "batch", "round", "mean_steps")
LINE = {  # of the history
    "epoch",
    "loss",
    "training_accuracy",
    "validation_loss",
    "validation_accuracy",
    "seconds",
    "images_per_second",
}


def save(run: Run, path: Path) -> None:
    """Write the resume file; of a team all call this, and the leader writes."""
    content = {
        "format": FORMAT,
        "run": run.run_id,
        "config": asdict(run.config),
        "data": run.data,
        "precision": run.precision,
        "threads": torch.get_num_threads(),
        "device": run.device.type,
        "weights": run.model.state_dict(),
        "mean": run.mean.weights,
        "mean_steps": run.mean.steps,
        "optimizer": run.optimizer.state_dict(),
        "epoch": run.epoch,
        "batch": run.batch,
        "round": run.round,
        "taught_by": run.taught_by,
        "rng": run.team.gather(_random_state(run)),
        "seconds": run.seconds,
        "history": run.history,
        "second": run.second,
    }
    if run.team.leads:
        write_plain(path, content)


def restore(run: Run, path: Path) -> None:
    """Take up the state of a resume file, which the leader has.

    Raises FileNotFoundError, or CheckpointError naming what differs or is wrong.
    """
    content = None
    with run.team.leader_first():
        if run.team.leads:
            if not path.exists():
                raise FileNotFoundError(f"nothing to resume: there is no {path}. Start without --resume")
            content = read_plain(path)
    content = run.team.share(content)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a resume file of this program: start afresh without --resume")
    try:
        _check(content)
        if differing := _differences(run, content):
            raise CheckpointError(
                f"{path} belongs to another run: {'; '.join(differing)}. "
                "Use the same options, or start afresh without --resume"
            )
        _take_up(run, content)
    except CheckpointError:
        raise
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{path} is damaged: start afresh without --resume") from error


def _check(content: dict[str, Any]) -> None:
    """Raise some error, ValueError among them, for values that no run has."""
    if not all(type(content[name]) is int and content[name] >= 0 for name in COUNTS):
        raise ValueError("no such counts")
    if not 0 < content["threads"] <= MOST_THREADS:
        raise ValueError("no such number of threads")
    if not all(line.keys() >= LINE and isinstance(line["epoch"], int) for line in content["history"]):
        raise ValueError("no such history")
    if not content["seconds"] >= 0 or not isinstance(content["run"], str):
        raise ValueError("no such run")
    if not isinstance(content.get("second"), dict | None):  # files from before the second stage have none
        raise ValueError("no such second stage")


def _differences(run: Run, content: dict[str, Any]) -> list[str]:
    """Return a line for each option, or part of the data, that was another."""
    here = {
        **asdict(run.config),
        "data": run.data,
        "device": run.device.type,
        "precision": run.precision,
        "number of processes": run.team.size,
        "the teacher's checksum": run.taught_by,
    }
    there = {
        "lines_rounds": 0,  # which older files do not name
        **content["config"],
        "data": content.get("data"),
        "device": content["device"],
        "precision": content["precision"],
        "number of processes": len(content["rng"]),
        "the teacher's checksum": content["taught_by"],
    }
    return [
        f"{name} was {there.get(name)!r}, is now {value!r}"
        for name, value in here.items()
        if there.get(name) != value
    ]


def _take_up(run: Run, content: dict[str, Any]) -> None:
    """Make `run` what `content` says; raises some error, ValueError among them, for what does not fit."""
    begun = content["epoch"] - content["round"] * run.config.epochs
    if not 0 <= begun <= run.config.epochs or content["batch"] >= len(run.train_set):
        raise ValueError("no such counts in this run")
    torch.set_num_threads(content["threads"])
    run.run_id = content["run"]
    run.model.load_state_dict(content["weights"])
    if shapes_of(content["mean"]) != shapes_of(run.mean.weights):
        raise ValueError("means of other weights")
    run.mean.weights = {name: weight.to(run.device) for name, weight in content["mean"].items()}
    run.mean.steps = content["mean_steps"]
    load_optimizer(run.optimizer, content["optimizer"])
    run.epoch, run.batch, run.round = content["epoch"], content["batch"], content["round"]
    own = content["rng"][run.team.rank]
    run.generator.set_state(own["generator"])
    torch.set_rng_state(own["torch"])
    if own["cuda"] is not None:
        torch.cuda.set_rng_state(own["cuda"], run.device)
    run.seconds, run.history = content["seconds"], content["history"]
    run.second = content.get("second")


def load_optimizer(optimizer: Any, content: dict[str, Any]) -> None:
    """Take up an optimizer's state; raises some error, ValueError among them, for another optimizer's."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        optimizer.load_state_dict(content)
        return
    wanted = [set(group) for group in optimizer.param_groups]
    optimizer.load_state_dict(content)  # which adds what an older torch did not know
    if not all(set(group) >= keys for group, keys in zip(optimizer.param_groups, wanted, strict=True)):
        raise ValueError("another optimizer")
    for weight, state in optimizer.state.items():
        moments = [value for value in state.values() if isinstance(value, Tensor) and value.ndim]
        if any(moment.shape != weight.shape for moment in moments):
            raise ValueError("moments of other weights")


def _random_state(run: Run) -> dict[str, Tensor | None]:
    return {
        "generator": run.generator.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(run.device) if run.device.type == "cuda" else None,
    }
