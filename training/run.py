"""One training of a network: its configuration, its state, and the epochs that move it on."""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from base.checkpoint import Checkpoint, fill
from dataset import Batches, Digits
from model import ARCHITECTURES, DIGITS, build_model, count_parameters
from recognizer.asking import predict_logits
from scratch import Momentum
from training.calibrate import calibrate
from training.hands import Hands
from training.loop import Tracker, WeightAverage, make_teacher, make_transform, one_cycle, set_rate, train
from training.recipe import TrainConfig
from training.reports import SILENT, Reports
from training.team import ALONE, ASK_EVERY, Interrupted, Team

VALIDATION_BATCH = 1000  # pictures
RANK_SEED = 1_000_003  # between the seeds of two processes of a team


class Run:
    """The state of one training: everything that the resume file holds, and the epochs over it."""

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
        hands: Hands | None = None,
    ) -> None:
        """Begin with fresh weights, or those of `start`. Raises ValueError where the parts do not fit.

        Of a `team` every process makes a Run and calls its methods; the leader's are those that count.
        """
        own_seed = config.seed + RANK_SEED * team.rank
        torch.manual_seed(own_seed)  # for dropout; fresh weights are the leader's
        self.config, self.device, self.precision, self.stop, self.team = config, device, precision, stop, team
        self.run_id = uuid.uuid4().hex
        self.generator = Generator(device).manual_seed(own_seed)
        self.digits, self.validation_digits = train_set, validation_set
        self.classes = train_set.classes
        _, channels, size, _ = train_set.images.shape
        self.taken = {"size": size, "channels": channels, "road": train_set.road}
        self.data = f"{train_set.source}, {len(train_set)} pictures {_fingerprint(train_set)}"
        if hands is not None:
            self.data += f", hands {hands.fingerprint}"
        self.hands = hands
        self.train_set = self._batches(train_set)
        self.validation_set = Batches(validation_set, VALIDATION_BATCH, device)
        self.calibration_sets = [self.validation_set]
        if hands is not None and len(hands.held_out_digits):
            self.calibration_sets.append(Batches(hands.held_out_digits, VALIDATION_BATCH, device))
        self.model = build_model(config.arch, len(self.classes))
        if start is not None:
            _take_over(self.model, start, config.arch, self.classes)
        elif config.keep:
            raise ValueError("--keep is a share of the weights of --start: name that, too")
        self.start = (
            {name: weight.clone() for name, weight in self.model.state_dict().items()} if config.keep else {}
        )
        self.model.to(device)
        if isinstance(self.model, torch.nn.Module):
            self.model.to(memory_format=torch.channels_last)
        self.parallel = team.wrap(self.model, device)
        self.teacher, self.taught_by = self._find_teacher(config.teacher)
        self.optimizer = make_optimizer(self.model, config)
        self.mean = WeightAverage(self.model, config.average)
        self.epoch = self.batch = self.round = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.second: dict[str, Any] | None = None  # how far the second stage is: see training.lines
        self._validated: tuple[int, Tensor, Tensor] | None = None  # after how many steps, logits, labels

    def _batches(self, digits: Digits) -> Batches:
        """Return the batches of an epoch, augmented."""
        config, team = self.config, self.team
        if not digits.road and config.augment != "none":
            raise ValueError("pictures as they are cannot be augmented like ink on paper: --augment none")
        transform = make_transform(
            config.augment,
            self.generator,
            digits.classes == DIGITS,
            lambda: self.done > 1 - config.calm,
            self.hands and self.hands.to(self.device),
        )
        return Batches(
            digits,
            config.batch_size,
            self.device,
            seed=config.seed,
            transform=transform,
            rank=team.rank,
            size=team.size,
        )

    def _find_teacher(self, path: str) -> tuple[Callable[[Tensor], Tensor] | None, str]:
        """Return the teacher and the checksum of its file; (None, "") where the recipe names none."""
        if not path:
            return None, ""
        if not isinstance(self.model, torch.nn.Module):
            raise ValueError("the network written by hand learns from labels alone: leave --teacher out")
        teacher = make_teacher(path, self.classes, self.taken, self.device, self.precision)
        return teacher, f"{zlib.crc32(Path(path).read_bytes()):08x}"

    @property
    def done(self) -> float:
        """How much of the present round is over, in [0, 1]."""
        epochs = self.epoch - self.round * self.config.epochs + self.batch / len(self.train_set)
        return epochs / self.config.epochs

    @property
    def length(self) -> str:
        """How long the training was so far, in words."""
        words = f"{self.epoch} epoch{'s' * (self.epoch != 1)}"
        return words + f" and {self.batch:,} of {len(self.train_set):,} batches" * bool(self.batch)

    def train_epoch(self, reports: Reports = SILENT) -> dict[str, float]:
        """Train to the end of the current epoch and return its line of history; may raise Interrupted."""
        started, first = time.perf_counter(), self.batch
        self.train_set.epoch, self.train_set.start = self.epoch, self.batch
        steps, tracker = len(self.train_set), Tracker(self.device)

        def before_step() -> None:
            set_rate(self.optimizer, self.config.learning_rate * one_cycle(self.done))

        def after_step() -> None:
            self.mean.update(self.model)
            self.batch += 1
            if self.batch < steps:
                self.between_batches(self.batch)

        try:
            with reports.watch(self.train_set, f"epoch {self.epoch + 1}", steps, first) as batches:
                train(
                    self.parallel,
                    batches,
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

    def between_batches(self, count: int) -> None:
        """Raise Interrupted after the epoch's batch `count` if that is one at which the team asks."""
        if self.team.size == 1 or count % ASK_EVERY == 0:
            self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """Raise Interrupted if any process of the team was told to stop."""
        signum = self.team.greatest(self.stop() or 0)
        if signum:
            raise Interrupted(signum)

    def averaged(self) -> Any:
        """Return the network with the mean weights, and the share kept of those it started from, in eval mode."""
        weights = dict(self.mean.weights)
        for name, weight in self.start.items():
            if weight.is_floating_point():
                weights[name] = weights[name].lerp(weight.to(weights[name].device), self.config.keep)
        model = fill(lambda: build_model(self.config.arch, len(self.classes)), weights)
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
        checkpoint = Checkpoint(
            model,
            self.config.arch,
            dict(ARCHITECTURES[self.config.arch].config),
            self.classes,
            self.taken,
            facts={
                **facts,
                **({"hands": self.hands.sets} if self.hands else {}),
                "run": self.run_id,
                **asdict(self.config),
                "epochs": self.epoch,
                "seconds": round(self.seconds, 1),
                "validation_accuracy": float((logits.argmax(1) == labels).double().mean()),
                "validation_size": len(labels),
                "parameters": count_parameters(model),
                "precision": self.precision,
                "device": str(self.device),
                "processes": self.team.size,
            },
        )
        calibrate(checkpoint, self.calibration_sets, self.device)
        return checkpoint

    def new_round(self) -> None:
        """Begin another one-cycle round from the weights reached."""
        self.round += 1
        self.optimizer = make_optimizer(self.model, self.config)


def make_optimizer(model: Any, config: TrainConfig) -> Any:
    """Return the optimizer that the recipe names; raises ValueError if it is not for this network."""
    rate, decay = config.learning_rate, config.weight_decay
    if not isinstance(model, torch.nn.Module):
        if config.optimizer != "momentum":
            raise ValueError("the network written by hand brings its own optimizer: --optimizer momentum")
        return Momentum(model, rate, decay=decay)
    # vectors (biases, BatchNorm) are not decayed
    groups = [
        {"params": [w for w in model.parameters() if w.ndim > 1], "weight_decay": decay},
        {"params": [w for w in model.parameters() if w.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, rate)
    if config.optimizer == "adam":
        return torch.optim.Adam(groups, rate)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True)
    raise ValueError(f"no optimizer is called {config.optimizer!r}: choose adamw, adam or sgd")


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
    pictures = 0 if digits.mapped else zlib.crc32(digits.images.numpy().data)
    return f"{zlib.crc32(digits.labels.numpy().data, pictures):08x}"
