"""The recipe of a training: every option that decides the weights, with its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from model import ARCHITECTURES, DEFAULT_ARCH


def opt(default: Any, help: str) -> Any:
    """Return a dataclass field that knows its --help line."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """What decides the weights. A network's own recipe (model.ARCHITECTURES) stands between these and the flags."""

    arch: str = opt(DEFAULT_ARCH, "network to train: " + ", ".join(ARCHITECTURES))
    epochs: int = opt(10, "passes over the training images")
    batch_size: int = opt(256, "images a step")
    learning_rate: float = opt(0.006, "peak of the one-cycle schedule")
    weight_decay: float = opt(0.05, "decoupled weight decay")
    optimizer: str = opt("adamw", "adamw, adam or sgd; momentum for the network written by hand")
    label_smoothing: float = opt(0.05, "probability taken from the label and spread over all classes")
    average: float = opt(
        0.998, "decay a step of the running mean of the weights that is kept (0: the last weights)"
    )
    augment: str = opt(
        "full", "full, light (turned, shifted and bent only), or none: train on the pictures as they are"
    )
    calm: float = opt(0.2, "last share of the run, in [0, 1], in which full augmentation is gentler")
    teacher: str = opt("", "checkpoint whose answers are learnt beside the labels (distillation)")
    seed: int = opt(0, "fixes weights, order and augmentation")
