"""Training before your eyes: the tiny network learns from MNIST step by step, in memory only; no file is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from base.checkpoint import Checkpoint
from dataset import DataError, Digits, load_mnist, load_stand_in
from model import ARCHITECTURES, build_model

ARCH = "tiny"
BATCH = 64  # digits a step
STEPS = 4000  # at most; about four passes over MNIST
PEAK_RATE = 4e-3  # of the one-cycle schedule
REPORT = 5  # steps between two reports
MEMORY = 0.95  # share of the running averages that a step leaves as it was


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
    """Train `model` in place and report every REPORT steps, each time with the model ready to read. Raises DataError."""
    digits = digits or _find_digits()
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    loss_average, accuracy_average, weight = 0.0, 0.0, 0.0
    for step in range(1, steps + 1):
        model.train()
        picked = torch.randint(len(digits.labels), (BATCH,))
        images, labels = digits.images[picked].float() / 255, digits.labels[picked]
        logits = model(images)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        model.eval()
        right = float((logits.argmax(1) == labels).float().mean())
        loss_average = MEMORY * loss_average + (1 - MEMORY) * loss.item()
        accuracy_average = MEMORY * accuracy_average + (1 - MEMORY) * right
        weight = MEMORY * weight + (1 - MEMORY)  # makes the first averages those of the steps so far
        if step % REPORT == 0 or step == steps:
            yield Progress(step, loss_average / weight, accuracy_average / weight, steps)


def _find_digits() -> Digits:
    """Return MNIST's training pictures where they are on disk, else the stand-in."""
    try:
        return load_mnist(True, download=False)
    except DataError:
        return load_stand_in()
