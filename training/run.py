"""One training: its configuration, its state, and the file from which it resumes bit for bit."""

from __future__ import annotations

import signal
import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from tqdm import tqdm

from base.checkpoint import Checkpoint, CheckpointError, fill, read_plain, shapes_of, write_plain
from dataset import Batches, Digits
from model import ARCHITECTURES, DIGITS, build_model, count_parameters
from recognizer.asking import UNSURE, certainty, look_around, predict_logits
from scratch import Momentum
from training.loop import WeightAverage, fit_temperature, make_teacher, make_transform, one_cycle, train
from training.recipe import TrainConfig
from training.team import ALONE, ASK_EVERY, Team
from training.tracking import Tracker

RESUME_FORMAT = "digits-resume-v3"
MOST_THREADS = 1024  # that a resume file may ask for
LINE = (
    "epoch",
    "loss",
    "training_accuracy",
    "validation_loss",
    "validation_accuracy",
    "seconds",
    "images_per_second",
)  # of the history
REFUSED_SHARE = 0.001  # of validation digits that the threshold may call "not a digit"


class Interrupted(Exception):
    """A signal asked the run to stop: save it, then resume."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Run:
    """The state of one training: everything that the resume file holds, and the loop over it."""

    def __init__(
        self,
        config: TrainConfig,
        train_set: Digits,
        validation_set: Digits,
        device: torch.device,
        precision: str,
        stop: Callable[[], int | None] = lambda: None,
        start: Checkpoint | None = None,
        team: Team = ALONE,
    ) -> None:
        """Begin with fresh weights, or those of `start`. Raises ValueError where the parts do not fit.

        Of a `team` every process makes a Run and calls its methods; the leader's are those that count.
        """
        own_seed = config.seed + 1_000_003 * team.rank
        torch.manual_seed(own_seed)  # for dropout; fresh weights are the leader's
        self.config, self.device, self.precision, self.stop, self.team = config, device, precision, stop, team
        self.run_id = uuid.uuid4().hex
        self.generator = Generator(device).manual_seed(own_seed)
        self.classes, self.road = train_set.classes, train_set.road
        self.taken = {
            "size": train_set.images.shape[3],
            "channels": train_set.images.shape[1],
            "road": self.road,
        }
        if not self.road and config.augment != "none":
            raise ValueError("pictures as they are cannot be augmented like ink on paper: --augment none")
        transform = make_transform(
            config.augment, self.generator, self.classes == DIGITS, lambda: self.done > 1 - config.calm
        )
        self.data = f"{train_set.source}, {len(train_set)} pictures {_fingerprint(train_set)}"
        self.train_set = Batches(
            train_set,
            config.batch_size,
            device,
            seed=config.seed,
            transform=transform,
            rank=team.rank,
            size=team.size,
        )
        self.validation_set = Batches(validation_set, 1000, device)
        self.model = build_model(config.arch, len(self.classes))
        if start is not None:
            _take_over(self.model, start, config.arch, self.classes)
        self.model.to(device)
        if isinstance(self.model, torch.nn.Module):
            self.model.to(memory_format=torch.channels_last)
        self.parallel = team.wrap(self.model, device)
        if config.teacher and not isinstance(self.model, torch.nn.Module):
            raise ValueError("the network written by hand learns from labels alone: leave --teacher out")
        self.teacher = (
            make_teacher(config.teacher, self.classes, self.taken, device, precision)
            if config.teacher
            else None
        )
        self.taught_by = f"{zlib.crc32(Path(config.teacher).read_bytes()):08x}" if config.teacher else ""
        self.optimizer = self._new_optimizer()
        self.mean = WeightAverage(self.model, config.average)
        self.epoch = self.batch = self.round = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self._validated: tuple[int, Tensor, Tensor] | None = (
            None  # steps taken, logits and labels of the validation split
        )

    @property
    def done(self) -> float:
        """How much of the present round is over, in [0, 1]."""
        return (
            self.epoch - self.round * self.config.epochs + self.batch / len(self.train_set)
        ) / self.config.epochs

    def train_epoch(self, progress: bool) -> dict[str, float]:
        """Train to the end of the current epoch and return its line of history; may raise Interrupted."""
        started, first = time.perf_counter(), self.batch
        self.train_set.epoch, self.train_set.start = self.epoch, self.batch
        steps = len(self.train_set)
        bar = tqdm(
            self.train_set,
            initial=self.batch,
            total=steps,
            desc=f"epoch {self.epoch + 1}",
            unit="batch",
            disable=not progress,
            leave=True,
            dynamic_ncols=True,
        )

        def before_step() -> None:
            for group in self.optimizer.param_groups:
                group["lr"] = self.config.learning_rate * one_cycle(self.done)

        def after_step() -> None:
            self.mean.update(self.model)
            self.batch += 1
            if self.batch < steps and (self.team.size == 1 or self.batch % ASK_EVERY == 0):
                self.raise_if_stopped()

        tracker = Tracker(self.device)
        try:
            train(
                self.parallel,
                bar,
                self.device,
                self.optimizer,
                smoothing=self.config.label_smoothing,
                precision=self.precision,
                before_step=before_step,
                after_step=after_step,
                tracker=tracker,
                teacher=self.teacher,
            )
        finally:
            bar.close()
            seconds = time.perf_counter() - started
            self.seconds += seconds
        self.epoch, self.batch = self.epoch + 1, 0
        if not self.team.leads:
            return {}
        loss, training_accuracy = tracker.compute()
        accuracy, validation_loss = self.validate()
        line = {
            "epoch": self.epoch,
            "loss": loss,
            "training_accuracy": training_accuracy,
            "validation_loss": validation_loss,
            "validation_accuracy": accuracy,
            "seconds": self.seconds,
            "images_per_second": (steps - first) * self.train_set.batch_size / seconds,
        }
        self.history.append(line)
        return line

    def raise_if_stopped(self) -> None:
        """Raise Interrupted if any process of the team was told to stop; between batches, and by the caller between epochs."""
        signum = self.team.greatest(self.stop() or 0)
        if signum:
            raise Interrupted(signum)

    def averaged(self) -> Any:
        """Return the network with the mean weights, in eval mode."""
        model = fill(lambda: build_model(self.config.arch, len(self.classes)), self.mean.weights)
        model.to(self.device)
        return model

    def validate(self) -> tuple[float, float]:
        """Return (accuracy, cross-entropy) of the mean weights on the validation split."""
        logits, labels = self._predict_validation(self.averaged())
        return float((logits.argmax(1) == labels).double().mean()), float(F.cross_entropy(logits, labels))

    def _predict_validation(self, model: Any) -> tuple[Tensor, Tensor]:
        """Return (logits, labels) of the validation split, worked out once a step."""
        if self._validated is None or self._validated[0] != self.mean.steps:
            self._validated = self.mean.steps, *predict_logits(model, self.validation_set, self.device)
        return self._validated[1:]

    def checkpoint(self, facts: dict[str, Any]) -> Checkpoint:
        """Return the mean network with its temperature and threshold, fitted on the validation split."""
        model = self.averaged()
        logits, labels = self._predict_validation(model)
        temperature = fit_temperature(logits, labels)
        probs = (logits / temperature).softmax(1)
        if self.road:
            probs = self._look_again(model, probs, temperature)
        known = ARCHITECTURES[self.config.arch]
        return Checkpoint(
            model,
            self.config.arch,
            dict(known.config),
            self.classes,
            self.taken,
            facts={
                **facts,
                "run": self.run_id,
                **asdict(self.config),
                "epochs": self.epoch,
                "seconds": round(self.seconds, 1),
                "validation_accuracy": float((logits.argmax(1) == labels).double().mean()),
                "validation_size": len(labels),
                "temperature": temperature,
                "threshold": float(np.quantile(certainty(probs.numpy()), REFUSED_SHARE)),
                "parameters": count_parameters(model),
                "precision": self.precision,
                "device": str(self.device),
                "processes": self.team.size,
            },
        )

    def _look_again(self, model: Any, probs: Tensor, temperature: float) -> Tensor:
        """Return `probs` (N, classes) of the validation split; of the unsure ones the mean over all views."""
        probs = probs.clone()
        for unsure in torch.nonzero(probs.amax(1) < UNSURE)[:, 0].split(100):
            images = self.validation_set.images[unsure.to(self.validation_set.images.device)]
            views = look_around(images.to(self.device).float() / 255)
            with torch.inference_mode():
                logits = model(views.flatten(0, 1)).float().cpu().view(*views.shape[:2], probs.shape[1])
            probs[unsure] = (logits / temperature).softmax(2).mean(1)
        return probs

    def save(self, path: Path) -> None:
        """Write the resume file: all that the next batch depends on, and nothing outside it."""
        content = {
            "format": RESUME_FORMAT,
            "run": self.run_id,
            "config": asdict(self.config),
            "data": self.data,
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "device": self.device.type,
            "weights": self.model.state_dict(),
            "mean": self.mean.weights,
            "mean_steps": self.mean.steps,
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "batch": self.batch,
            "round": self.round,
            "taught_by": self.taught_by,
            "rng": self.team.gather(self._random_state()),
            "seconds": self.seconds,
            "history": self.history,
        }
        if self.team.leads:
            write_plain(path, content)

    def restore(self, path: Path) -> None:
        """Take up the state of a resume file, which the leader has.

        Raises FileNotFoundError, or CheckpointError naming what differs or is wrong.
        """
        content = None
        with self.team.leader_first():
            if self.team.leads:
                if not path.exists():
                    raise FileNotFoundError(f"nothing to resume: there is no {path}. Start without --resume")
                content = read_plain(path)
        content = self.team.share(content)
        if not isinstance(content, dict) or content.get("format") != RESUME_FORMAT:
            raise CheckpointError(
                f"{path} is not a resume file of this program: start afresh without --resume"
            )
        try:
            self._restore(content, path)
        except CheckpointError:
            raise
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
            raise CheckpointError(f"{path} is damaged: start afresh without --resume") from error

    def _restore(self, content: dict[str, Any], path: Path) -> None:
        """Take up what a resume file holds; raises CheckpointError naming what differs, or some other error for bad content."""
        counts = [content[name] for name in ("epoch", "batch", "round", "mean_steps")]
        if (
            not all(type(count) is int and count >= 0 for count in counts)
            or not 0 < content["threads"] <= MOST_THREADS
        ):
            raise ValueError("no such counts")
        if (
            not all(
                line.keys() >= set(LINE) and isinstance(line["epoch"], int) for line in content["history"]
            )
            or not content["seconds"] >= 0
        ):
            raise ValueError("no such history")
        if not isinstance(content["run"], str):
            raise ValueError("no such run")
        here = {
            **asdict(self.config),
            "data": self.data,
            "device": self.device.type,
            "precision": self.precision,
            "number of processes": self.team.size,
            "the teacher's checksum": self.taught_by,
        }
        there = {
            **content["config"],
            "data": content.get("data"),
            "device": content["device"],
            "precision": content["precision"],
            "number of processes": len(content["rng"]),
            "the teacher's checksum": content["taught_by"],
        }
        differing = [
            f"{name} was {there.get(name)!r}, is now {value!r}"
            for name, value in here.items()
            if there.get(name) != value
        ]
        if differing:
            raise CheckpointError(
                f"{path} belongs to another run: {'; '.join(differing)}. "
                "Use the same options, or start afresh without --resume"
            )
        begun = content["epoch"] - content["round"] * self.config.epochs
        if not 0 <= begun <= self.config.epochs or content["batch"] >= len(self.train_set):
            raise ValueError("no such counts in this run")
        torch.set_num_threads(content["threads"])
        self.run_id = content["run"]
        self.model.load_state_dict(content["weights"])
        if shapes_of(content["mean"]) != shapes_of(self.mean.weights):
            raise ValueError("means of other weights")
        self.mean.weights = {name: weight.to(self.device) for name, weight in content["mean"].items()}
        self.mean.steps = content["mean_steps"]
        self._load_optimizer(content["optimizer"])
        self.epoch, self.batch, self.round = content["epoch"], content["batch"], content["round"]
        own = content["rng"][self.team.rank]
        self.generator.set_state(own["generator"])
        torch.set_rng_state(own["torch"])
        if own["cuda"] is not None:
            torch.cuda.set_rng_state(own["cuda"], self.device)
        if own["mps"] is not None:
            torch.mps.set_rng_state(own["mps"])
        self.seconds, self.history = content["seconds"], content["history"]

    def _load_optimizer(self, content: dict[str, Any]) -> None:
        """Take up the optimizer's state; raises some error, ValueError among them, for another optimizer's."""
        if not isinstance(self.optimizer, torch.optim.Optimizer):
            self.optimizer.load_state_dict(content)
            return
        wanted = [set(group) for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(content)  # which adds what an older torch did not know
        if any(
            not set(group) >= keys for group, keys in zip(self.optimizer.param_groups, wanted, strict=True)
        ):
            raise ValueError("another optimizer")
        for weight, state in self.optimizer.state.items():
            if any(
                isinstance(value, Tensor) and value.ndim and value.shape != weight.shape
                for value in state.values()
            ):
                raise ValueError("moments of other weights")

    def _random_state(self) -> dict[str, Tensor | None]:
        return {
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
            "mps": torch.mps.get_rng_state() if self.device.type == "mps" else None,
        }

    def new_round(self) -> None:
        """Begin another one-cycle round from the weights reached."""
        self.round += 1
        self.optimizer = self._new_optimizer()

    def _new_optimizer(self) -> Any:
        rate, decay = self.config.learning_rate, self.config.weight_decay
        if not isinstance(self.model, torch.nn.Module):
            if self.config.optimizer != "momentum":
                raise ValueError("the network written by hand brings its own optimizer: --optimizer momentum")
            return Momentum(self.model, rate, decay=decay)
        # vectors (biases, BatchNorm) are not decayed
        groups = [
            {"params": [w for w in self.model.parameters() if w.ndim > 1], "weight_decay": decay},
            {"params": [w for w in self.model.parameters() if w.ndim <= 1], "weight_decay": 0.0},
        ]
        if self.config.optimizer == "adamw":
            return torch.optim.AdamW(groups, rate)
        if self.config.optimizer == "adam":
            return torch.optim.Adam(groups, rate)
        if self.config.optimizer == "sgd":
            return torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True)
        raise ValueError(f"no optimizer is called {self.config.optimizer!r}: choose adamw, adam or sgd")


def _take_over(model: Any, start: Checkpoint, arch: str, classes: tuple[str, ...]) -> None:
    """Give `model` the weights of `start`; raises ValueError naming what does not fit."""
    for what, own, other in (("network", arch, start.arch), ("classes", classes, start.classes)):
        if own != other:
            raise ValueError(
                f"the model to start from has other {what} ({other!r}, not {own!r}): name a fitting --start"
            )
    try:
        model.load_state_dict(start.model.state_dict())
    except (RuntimeError, KeyError, ValueError, AttributeError) as error:
        raise ValueError(
            "the model to start from is an export or has weights of another shape: name a fitting --start"
        ) from error


def _fingerprint(digits: Digits) -> str:
    """Return a checksum of the labels in their order, and of the pictures unless they are on disk."""
    pictures = zlib.crc32(digits.images.numpy().data) if digits.pages is None else 0
    return f"{zlib.crc32(digits.labels.numpy().data, pictures):08x}"
