"""The second stage of a training: the network learns to read two digits that touch, where no cut parts them.

A small head (model.PairHead) on what the network's first block makes of a picture: one frame in, the left and the
right digit out. The network itself stays as it is, bit for bit. Pairs are put together from the training digits,
each bent on its own, until their ink meets; single digits, three digits and pictures of no digit are trained towards
equal probabilities (outlier exposure; Hendrycks et al., 2019), so that the head says when it sees no pair.

`second_stage` is all that the rest of a training knows of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from base.checkpoint import Checkpoint, predict_pairs
from dataset import Batches, Digits
from model import DIGITS, build_pairs
from training.loop import one_cycle, set_rate, train
from training.pictures.augment import NOT_A_DIGIT
from training.pictures.pairs import make_batch, make_pairs
from training.recipe import TrainConfig
from training.reports import SILENT, Reports
from training.team import Interrupted

BATCH_SIZE = 250  # pictures
RATE = 3e-3  # peak of the one-cycle schedule
WEIGHT_DECAY = 0.02
SMOOTHING = 0.02  # probability taken from the label and spread over all classes
NO_PAIR_WEIGHT = 0.5  # of the loss of pictures that show no pair
MEASURED = 500  # pairs at a time


def has_second_stage(config: TrainConfig, digits: Digits) -> bool:
    """Return whether a training on `digits` goes on with pairs of them."""
    return config.pairs_epochs > 0 and digits.classes == DIGITS and digits.road and len(digits) >= BATCH_SIZE


def second_stage(
    checkpoint: Checkpoint,
    digits: Digits,
    validation: Digits,
    config: TrainConfig,
    *,
    device: torch.device,
    state: dict[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], None] = lambda state: None,
    ask: Callable[[int], None] = lambda batch: None,
    reports: Reports = SILENT,
) -> None:
    """Give `checkpoint` a reader of pairs, trained on pairs made of `digits`, measured on pairs made of `validation`.

    `state` is what `keep` was last given, to go on from there bit for bit. `keep` is called after each epoch, and
    before Interrupted is let through, which `ask` may raise between batches. Raises ValueError for a `state` that
    does not fit.
    """
    stage = _Stage(checkpoint, digits, config, device)
    if state is not None:
        stage.restore(state)
    while stage.epoch < config.pairs_epochs:
        try:
            stage.train_epoch(ask, reports)
        except Interrupted:
            keep(stage.state())
            raise
        keep(stage.state())
        ask(0)
    checkpoint.pairs = stage.head.eval()
    right = measure_pairs(checkpoint, validation, device)
    checkpoint.facts["pairs"] = {
        "epochs": config.pairs_epochs,
        "seed": config.seed,
        "validation_accuracy": right,
    }
    reports.say(
        f"touching pairs made of validation digits: both read right in {right:.2%} of {len(validation):,}"
    )


class _Stage:
    """The head in training, and what its next batch depends on."""

    def __init__(
        self, checkpoint: Checkpoint, digits: Digits, config: TrainConfig, device: torch.device
    ) -> None:
        self.model, self.config, self.device = checkpoint.model, config, device
        with torch.random.fork_rng(devices=[]):  # the classifier's next round must not notice
            torch.manual_seed(config.seed)
            self.head = build_pairs(checkpoint.model, len(DIGITS)).to(device)
        self.generator = Generator(device).manual_seed(config.seed)
        self.batches = Batches(digits, BATCH_SIZE, device, seed=config.seed, transform=self._make)
        self.optimizer = torch.optim.AdamW(self.head.parameters(), RATE, weight_decay=WEIGHT_DECAY)
        self.epoch = self.batch = 0

    def _make(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network's first block makes of a batch of pairs and others (N, C, H, W), and truth (N, 2)."""
        pictures, truth = make_batch(images, labels, self.generator)
        with torch.no_grad():
            return self.model.first_features(pictures), truth

    def train_epoch(self, ask: Callable[[int], None], reports: Reports) -> None:
        steps = len(self.batches)
        self.batches.epoch, self.batches.start = self.epoch, self.batch

        def before_step() -> None:
            done = (self.epoch + self.batch / steps) / self.config.pairs_epochs
            set_rate(self.optimizer, RATE * one_cycle(done))

        def after_step() -> None:
            self.batch += 1
            if self.batch < steps:
                ask(self.batch)

        name = f"pairs, epoch {self.epoch + 1} of {self.config.pairs_epochs}"
        with reports.watch(self.batches, name, steps, self.batch) as batches:
            train(
                self.head,
                batches,
                self.device,
                self.optimizer,
                loss_of=pair_loss,
                before_step=before_step,
                after_step=after_step,
            )
        self.epoch, self.batch = self.epoch + 1, 0

    def state(self) -> dict[str, Any]:
        """Return what `restore` takes: plain types and tensors."""
        return {
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "epoch": self.epoch,
            "batch": self.batch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned; raises ValueError if that is damaged."""
        try:
            self.head.load_state_dict(state["head"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.generator.set_state(state["generator"])
            self.epoch, self.batch = int(state["epoch"]), int(state["batch"])
        except (LookupError, TypeError, RuntimeError, AttributeError) as error:
            raise ValueError("the resume file is damaged: start afresh without --resume") from error


def measure_pairs(checkpoint: Checkpoint, digits: Digits, device: torch.device) -> float:
    """Return the share in [0, 1] of touching pairs made of `digits`, as many, whose two digits are both right."""
    generator, right = Generator(device).manual_seed(0), 0
    for images, labels in zip(digits.images.split(MEASURED), digits.labels.split(MEASURED)):
        pictures, truth = make_pairs(images.to(device).float() / 255, labels.to(device), generator)
        right += int((predict_pairs(checkpoint, pictures).argmax(2) == truth).all(1).sum())
    return right / len(digits)


def pair_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the cross-entropy of logits (N, 2, classes): with the two digits, or equal probabilities where none are."""
    logits, truth = logits.flatten(0, 1), truth.flatten()
    none = (truth == NOT_A_DIGIT).float()
    doubt = (-logits.log_softmax(1).mean(1) * none).sum() / none.sum().clamp(min=1)
    certain = F.cross_entropy(logits, truth, ignore_index=NOT_A_DIGIT, label_smoothing=SMOOTHING)
    return certain + NO_PAIR_WEIGHT * doubt
