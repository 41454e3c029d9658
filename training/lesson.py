"""Training before your eyes: the tiny network learns from MNIST step by step, in memory only; no file is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from base.checkpoint import Checkpoint
from dataset import Digits, load_digits
from model import ARCHITECTURES, build_model
from training.loop import Tracker, one_cycle, set_rate, train

ARCH = "tiny"
BATCH = 64  # digits a step
STEPS = 4000  # at most; about four passes over MNIST
PEAK_RATE = 4e-3  # of the one-cycle schedule
REPORT = 5  # steps between two reports
MEMORY = 0.77  # share of the running averages that a report leaves as it was


@dataclass(frozen=True)
class Progress:
    """How far the lesson is: loss and accuracy are running averages over the batches trained on."""

    step: int
    loss: float
    accuracy: float
    steps: int  # of the whole lesson

    @property
    def over(self) -> bool:
        return self.step == self.steps


def new_network(seed: int | None = None) -> Checkpoint:
    """Return an untrained tiny network."""
    if seed is not None:
        torch.manual_seed(seed)
    model = build_model(ARCH)
    model.eval()
    return Checkpoint(model, ARCH, dict(ARCHITECTURES[ARCH].config))


def teach(model: Any, digits: Digits | None = None, steps: int = STEPS) -> Iterator[Progress]:
    """Train `model` in place and report every REPORT steps, with the model ready to read. Raises DataError."""
    digits = digits or load_digits(download=False)
    optimizer = torch.optim.AdamW(model.parameters())
    batches = _draw(digits)
    loss_average = accuracy_average = weight = 0.0
    done = 0

    def before_step() -> None:
        nonlocal done
        set_rate(optimizer, PEAK_RATE * one_cycle(done / steps))
        done += 1

    while done < steps:
        tracker = Tracker()
        few = islice(batches, min(REPORT, steps - done))
        train(model, few, optimizer=optimizer, before_step=before_step, tracker=tracker)
        model.eval()
        loss, accuracy = tracker.compute()
        loss_average = MEMORY * loss_average + (1 - MEMORY) * loss
        accuracy_average = MEMORY * accuracy_average + (1 - MEMORY) * accuracy
        weight = MEMORY * weight + (1 - MEMORY)  # makes the first averages those of the reports so far
        yield Progress(done, loss_average / weight, accuracy_average / weight, steps)


def _draw(digits: Digits) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches drawn at random, without end."""
    while True:
        picked = torch.randint(len(digits.labels), (BATCH,))
        yield digits.images[picked].float() / 255, digits.labels[picked]
