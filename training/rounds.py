"""A whole training: what it is asked for, its rounds and stages, and the files that it leaves.

A round is one cycle of the learning rate over the recipe's epochs. The network written by a round then gets its second
stage (training.lines), if it has one; one that begins with the weights of a network with a line reader keeps that
reader, or goes on with it where it is told how many rounds. No epochs at all leave the network as it was. Whatever stops
the training, the resume file goes on from there.
"""

from __future__ import annotations

import math
import platform
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from base.checkpoint import (
    LINE_FACTS,
    MODEL_PATH,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    read_plain,
    save_checkpoint,
)
from base.devices import choose_device, choose_precision
from base.locks import alone
from base.storage import back_up, make_folder, remove, try_out
from model import count_parameters
from training.data import load_data
from training.lines import has_second_stage, second_stage
from training.recipe import DEFAULT, Job, make_config
from training.reports import SILENT, Reports
from training.resume import restore, save
from training.run import Run
from training.team import Interrupted, Team, join, own_device


def train_network(job: Job, reports: Reports = SILENT) -> int:
    """Train as `job` says and write the model; return 0, or 128 and a signal's number if that stopped it.

    Raises OSError or ValueError, each naming the cure, where something is missing or does not fit.
    """
    start = None
    if job.corrections is not None or job.start is not None:
        start = load_checkpoint(job.start or MODEL_PATH)
    with join() as team:
        return train_in_team(job, start, team, reports if team.leads else SILENT)


def train_in_team(job: Job, start: Checkpoint | None, team: Team, reports: Reports) -> int:
    """Do what `train_network` says, in this process of a team."""
    arch = job.recipe.get("arch") or (start.arch if start else DEFAULT)
    device = choose_device(own_device(job.device))
    precision = job.precision or choose_precision(device)
    output = job.output or default_output(arch)
    make_folder(output.parent)
    try_out(output)
    with ExitStack() as until_the_end:
        with team.leader_first():  # it may have to download
            if team.leads:
                until_the_end.enter_context(alone(output))
            reports.try_out()
            data = load_data(job, arch, output.parent, reports)
        kept = {"lines_rounds": 0} if start is not None and start.lines is not None else {}
        config = make_config(arch, job.recipe, {**data.suits, **kept})
        if not config.epochs and (start is None or job.forever):
            raise ValueError(
                "--epochs 0 keeps the network of --start as it is: name that, and leave --forever out"
            )
        stop = until_the_end.enter_context(StopSignals(reports))
        run = Run(
            config, data.training, data.validation, device, precision, stop.received, start, team, data.hands
        )
        rounds = Rounds(run, output, _facts(run, job.command, start), reports, start)
        if job.resume:
            restore(run, rounds.resume)
        elif team.leads:
            rounds.protect(rounds.resume, move=True)
        reports.say(_what_begins(run))
        try:
            rounds.train(job.forever)
        except Interrupted as interruption:
            rounds.stop()
            return 128 + interruption.signum
    return 0


def default_output(arch: str) -> Path:
    """Return where a network of this kind goes: the shipped model's place is for the default network alone."""
    return MODEL_PATH if arch == DEFAULT else MODEL_PATH.with_name(f"{arch}.pth")


@dataclass
class Rounds:
    """A run, and the files that it leaves: the model at `output`, the resume file beside it."""

    run: Run
    output: Path
    facts: dict[str, Any]  # of the model, those that are known beforehand
    reports: Reports = SILENT
    start: Checkpoint | None = None  # whose weights it began with

    @property
    def resume(self) -> Path:
        """Return where the resume file lies."""
        return self.output.with_name(self.output.stem + ".resume.pth")

    def train(self, forever: bool) -> None:
        """Train to the end of the round, or round after round; may raise Interrupted."""
        run = self.run
        while True:
            while run.epoch < (run.round + 1) * run.config.epochs:
                run.train_epoch(self.reports)
                save(run, self.resume)
                if run.team.leads:
                    self.reports.epoch(run.run_id, run.config, run.history)
                run.raise_if_stopped()
            if not (forever or run.round) or self.is_better(complete=True):
                self.finish()
            if not forever:
                if run.team.leads:
                    remove(self.resume)
                return
            run.new_round()

    def finish(self) -> None:
        """Bring the network through its second stage and write it; may raise Interrupted."""
        run = self.run
        checkpoint = self.checkpoint()
        if has_second_stage(run.config, run.digits):

            def keep(state: dict[str, Any]) -> None:
                run.second = state
                save(run, self.resume)

            second_stage(
                checkpoint,
                run.digits,
                run.validation_digits,
                run.config,
                device=run.device,
                precision=run.precision,
                state=run.second,
                keep=keep,
                ask=run.between_batches,
                reports=self.reports,
                hands=run.hands,
                begin=self.start.lines if self.start is not None else None,
            )
        self.write(checkpoint)  # run.second stays: the next round's network gets the same reader

    def stop(self) -> None:
        """Save where the training is, and the network so far if it is better than what is there."""
        save(self.run, self.resume)
        if self.run.epoch and self.is_better(complete=not has_second_stage(self.run.config, self.run.digits)):
            self.write(self.checkpoint())
        second = self.run.second
        lines = "" if second is None else f" and {second['round']} rounds of lines"
        self.reports.warn(
            f"stopped after {self.run.length}{lines}, and saved. To go on: the same command with --resume"
        )

    def checkpoint(self) -> Checkpoint:
        """Return the network so far. Raises ValueError if its answers are no numbers."""
        checkpoint = self.run.checkpoint(self.facts)
        if not math.isfinite(checkpoint.threshold):
            raise ValueError(
                f"the training diverged, its answers are no numbers: {self.output} stays as it is. "
                "Try a smaller --learning-rate"
            )
        if not has_second_stage(self.run.config, self.run.digits) and self.start is not None:
            checkpoint.lines = self.start.lines
            kept = ("lines", *LINE_FACTS)
            checkpoint.facts |= {name: self.start.facts[name] for name in kept if name in self.start.facts}
        return checkpoint

    def is_better(self, complete: bool) -> bool:
        """Return whether the network is better, on validation data of the same kind, than what lies at `output`.

        One whose second stage is still to come is not `complete`, and no better than one that is.
        """
        run, better = self.run, True
        if run.team.leads:
            accuracy = run.validate()[0]
            with suppress(OSError, CheckpointError):
                found = load_checkpoint(self.output)
                if (found.classes, found.facts.get("data")) == (run.classes, self.facts.get("data")):
                    whole = found.lines is not None or not has_second_stage(run.config, run.digits)
                    best = float(found.facts.get("validation_accuracy", 0))
                    better = complete >= whole and (accuracy, complete) > (best, whole)
                    if not better:
                        self.reports.say(
                            f"validation accuracy {accuracy:.2%}{' in the first stage' * (not complete)} is not "
                            f"better than the {best:.2%} of {self.output}, which stays as it is"
                        )
        return bool(run.team.share(better))

    def write(self, checkpoint: Checkpoint) -> None:
        """Write the model, after a copy of what another run left in its place."""
        if not self.run.team.leads:
            return
        self.protect(self.output)
        save_checkpoint(self.output, checkpoint)
        facts = checkpoint.facts
        self.reports.say(
            f"validation accuracy {facts['validation_accuracy']:.2%} (n = {facts['validation_size']:,}) "
            f"after {self.run.length}, {self.run.seconds:.0f} s: wrote {self.output}"
        )

    def protect(self, path: Path, move: bool = False) -> None:
        """Copy (or move) to backups/ what another run left at `path`, and say so."""
        if not path.exists():
            return
        with suppress(CheckpointError, AttributeError):
            content = read_plain(path)
            if content.get("run", content.get("facts", {}).get("run")) == self.run.run_id:
                return
        backup = back_up(path)
        if move:
            remove(path)
        self.reports.say(
            f"{path.name} of an earlier run is kept as {backup} (to bring it back, copy it over {path})"
        )


def _facts(run: Run, command: str, start: Checkpoint | None) -> dict[str, Any]:
    """Return the facts of a model that are known before it is trained."""
    return {
        "data": run.digits.source,
        "training_size": len(run.digits),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "start": start.facts.get("command", "") if start is not None else "",
    }


def _what_begins(run: Run) -> str:
    """Return the line that a training begins with."""
    several = f"{run.team.size} processes, " if run.team.size > 1 else ""
    place = f" ({run.digits.place})" if run.digits.place else ""
    return (
        f"{several}device {run.device} ({run.precision}), network {run.config.arch}, "
        f"{count_parameters(run.model):,} parameters, {len(run.digits):,} images from {run.digits.source}{place}, "
        f"{len(run.validation_digits):,} for validation"
    )


class StopSignals:
    """Notes the first SIGINT or SIGTERM; a second one stops at once."""

    def __init__(self, reports: Reports = SILENT) -> None:
        self._reports = reports

    def __enter__(self) -> StopSignals:
        self._signum: int | None = None
        self._before = {
            signum: signal.signal(signum, self._note) for signum in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def received(self) -> int | None:
        """Return the signal's number, None if there was none."""
        return self._signum

    def _note(self, signum: int, _: object) -> None:
        if self._signum is not None:
            raise SystemExit(128 + signum)
        self._signum = signum
        self._reports.warn("finishing the batch and saving; once more to stop at once")
