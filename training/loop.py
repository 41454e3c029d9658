"""How a network is trained: the loop over one epoch and its parts.

AdamW on a one-cycle schedule, an exponential moving average of the weights, label smoothing, batches augmented on the
device. `training.run.Run` is everything a resumed training depends on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from base.checkpoint import load_checkpoint
from scratch import Momentum
from training.hands import Hands
from training.pictures.augment import CALM, FULL, NOT_A_DIGIT, augment, warp

Transform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Teacher = Callable[[Tensor], Tensor]


def wanted_probabilities(labels: Tensor, classes: int, smoothing: float = 0.0) -> Tensor:
    """Return what the network should say (N, classes): equal probabilities for pictures labelled NOT_A_DIGIT."""
    share = torch.where(labels != NOT_A_DIGIT, smoothing, 1.0)[:, None]
    # F.one_hot would read the labels on the host
    right = labels[:, None] == torch.arange(classes, device=labels.device)
    return right * (1 - share) + share / classes


def digit_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy between what the network says and what it should say."""
    return F.cross_entropy(logits, wanted_probabilities(labels, logits.shape[1], smoothing).to(logits.dtype))


def make_teacher(
    path: str, classes: tuple[str, ...], taken: dict[str, Any], device: torch.device, precision: str
) -> Teacher:
    """Return what gives a checkpoint's probabilities (N, classes) of images (Hinton et al., "Distilling", 2015).

    Raises FileNotFoundError, CheckpointError, or ValueError where its classes or the pictures `taken` are others.
    """
    checkpoint = load_checkpoint(path, device)
    if checkpoint.classes != classes:
        raise ValueError(f"the teacher {path} knows other classes ({', '.join(checkpoint.classes)})")
    if checkpoint.input != taken:
        raise ValueError(f"the teacher {path} takes other pictures ({checkpoint.input}, not {taken})")

    def teach(images: Tensor) -> Tensor:
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
        with autocast, torch.inference_mode():
            logits = checkpoint.model(images.contiguous(memory_format=torch.channels_last)).float()
            probs = (logits / checkpoint.temperature).softmax(1)
        return probs.clone()  # autograd refuses what inference mode made

    return teach


class Tracker:
    """The mean loss a batch and the share of answers that are right (pictures of no digit left out).

    Its sums stay on the training device, and no step waits for them.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._sums = torch.zeros(4, device=device)  # batches, their losses, right answers, labels

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take in a batch: its mean loss, logits (N, ..., classes) and labels (N, ...)."""
        right, known = (logits.argmax(-1) == labels).sum(), (labels != NOT_A_DIGIT).sum()
        self._sums += torch.stack([torch.ones_like(loss), loss, right, known])

    def compute(self) -> tuple[float, float]:
        """Return (mean loss a batch, accuracy in [0, 1]); zeros if there was no batch."""
        batches, loss, right, known = self._sums.tolist()
        return loss / max(batches, 1), right / max(known, 1)


def train(
    model: Any,
    loader: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str = "cpu",
    optimizer: Any = None,
    *,
    smoothing: float = 0.0,
    loss_of: Callable[[Tensor, Tensor], Tensor] | None = None,
    precision: str = "fp32",
    before_step: Callable[[], None] | None = None,
    after_step: Callable[[], None] | None = None,
    tracker: Tracker | None = None,
    teacher: Teacher | None = None,
) -> float:
    """Train `model` for one epoch of `loader`'s (images, labels); return the mean loss a batch.

    Without an optimizer: Adam at 0.001 (scratch.ScratchNet: its own at 0.02). `loss_of` takes the place of
    `digit_loss` with `smoothing`. `before_step` runs before each batch (schedule), `after_step` after it (averages,
    stopping); `tracker` is told of each batch; what a `teacher` says counts as much as the labels. No step waits
    for the device.
    """
    device = torch.device(device)
    loss_of = loss_of or partial(digit_loss, smoothing=smoothing)
    if optimizer is None:
        by_hand = not isinstance(model, torch.nn.Module)
        optimizer = Momentum(model, 0.02) if by_hand else torch.optim.Adam(model.parameters(), 0.001)
    model.train()
    tracker = tracker or Tracker(device)
    for images, labels in loader:
        if before_step is not None:
            before_step()
        images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
        if isinstance(model, torch.nn.Module):
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                logits = model(images.contiguous(memory_format=torch.channels_last))
            loss = loss_of(logits.float(), labels)
            if teacher is not None:
                loss = (loss + F.cross_entropy(logits.float(), teacher(images))) / 2
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
        else:  # a network written by hand finds its own gradients
            loss, logits = model.backward(
                images, wanted_probabilities(labels, len(model.biases[-1]), smoothing)
            )
        optimizer.step()
        tracker.update(loss.detach(), logits.detach(), labels)
        if after_step is not None:
            after_step()
    return tracker.compute()[0]


def set_rate(optimizer: Any, rate: float) -> None:
    """Set the learning rate of all of an optimizer's weights."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def one_cycle(done: float, rise: float = 0.2) -> float:
    """Return the learning rate's share of its peak when `done` in [0, 1] of the run is over.

    A linear rise over the first `rise` of it, then a cosine to zero (Smith and Topin, 2018).
    """
    if done < rise:
        return 0.04 + 0.96 * done / rise
    return 0.5 * (1 + math.cos(math.pi * min((done - rise) / (1 - rise), 1)))


class WeightAverage:
    """An exponential moving average of a network's weights and buffers, faster at first."""

    def __init__(self, model: Any, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.weights = {name: weight.detach().clone() for name, weight in model.state_dict().items()}

    def update(self, model: Any) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                self.weights[name].lerp_(weight.detach(), 1 - decay)
            else:
                self.weights[name].copy_(weight)


def make_transform(
    name: str,
    generator: Generator,
    digits: bool = True,
    calm: Callable[[], bool] = lambda: False,
    hands: Hands | None = None,
) -> Transform | None:
    """Return what turns a batch of uint8 frames into training images and labels; None for "none".

    Strokes, drawn digits and negatives that suit digits are left out where the classes are others. While `calm`
    says so, "full" is gentler. With `hands`, theirs are added to every batch.
    """
    if hands is not None and (name != "full" or not digits):
        raise ValueError(
            "other people's hands are learnt beside MNIST, fully augmented: leave --data, --as-is and --augment out"
        )
    if name == "full":
        without = {} if digits else {"style_share": 0.0, "drawn_share": 0.0, "negative_share": 0.0}
        full, gentler = replace(FULL, **without), replace(CALM, **without)

        def transform(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            strength = gentler if calm() else full
            made = augment(images, labels, strength, generator)
            return made if hands is None else hands.beside(made, strength, generator)

        return transform
    if name == "light":
        return lambda images, labels: (warp(images.float().div_(255), FULL, generator).clamp_(0, 1), labels)
    return None
