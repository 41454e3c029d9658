"""Fine-tuning on corrections with a guard: the last layer only, in memory only, refused when it costs accuracy.

The body of the network is frozen in eval mode (so BatchNorm stays as it is), which makes its output on a picture
a fixed vector, and the last layer a softmax regression on it: corrections, each with small distortions, are
pulled to their labels, while a class-balanced replay of training digits is held to what the network said
before (Li and Hoiem, "Learning without Forgetting", 2016). The outcome is kept only if the corrections are
learnt and accuracy on held-out digits lies no more than MOST_LOST below the untouched network's, however many
tunings came before, and no class has lost more than MOST_LOST_OF_A_CLASS of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from base.checkpoint import Checkpoint
from corrections.store import Correction
from dataset import DataError, load_mnist, load_stand_in, split_validation
from ink.frame import FRAME_SIZE
from model import DIGITS
from training.pictures.augment import Augmentation, warp

MOST_LOST = 0.001  # of held-out accuracy
MOST_LOST_OF_A_CLASS = 0.005  # of a class's held-out digits, or one of them if that is more
LEARNT = 0.5  # share of the corrections that must be right afterwards, the latest among them
COPIES = 16  # distorted copies of each correction
STEPS = 120
REPLAY, HELD_OUT = 2_000, 2_000  # digits of make_tuner
RATE = 3e-4
SMOOTHING = 0.05
PARTS_OF_THE_WAY = (1.0, 0.8, 0.6, 0.4, 0.25, 0.15)  # tried in turn until both conditions hold
GENTLE = Augmentation(rotation=0.1, shear=0.1, scale=0.06, shift=1.0, bend=0.5)


@dataclass(frozen=True)
class Outcome:
    """What a fine-tuning did; accuracies in [0, 1] on the held-out digits."""

    accepted: bool
    learnt: int  # corrections that are right afterwards
    corrections: int
    before: float  # of the untouched network
    after: float
    held_out: int  # digits


class FineTuner:
    """The last layer of a checkpoint's network, its replay and its guard. The checkpoint's file is never touched."""

    def __init__(self, checkpoint: Checkpoint, replay: Tensor, held_out: Tensor, labels: Tensor) -> None:
        """Note what the network makes of `replay` and `held_out`, float (N, 1, 28, 28); `labels` (N,) of the latter.

        Raises ValueError if the network has no last linear layer that can be reached.
        """
        self.checkpoint = checkpoint
        self._parameters, self._features = find_last_layer(checkpoint.model)
        weight, bias = self._parameters
        self._replay = self._features(replay.to(weight.device))
        self._held_out, self._labels = self._features(held_out.to(weight.device)), labels.to(weight.device)
        self._said = F.linear(self._replay, weight, bias).detach().softmax(1)
        self._untouched = self._right(weight, bias)
        self._states: list[tuple[Tensor, Tensor]] = []

    def tune(self, corrections: Sequence[Correction]) -> Outcome:
        """Move the last layer towards the frames among `corrections` (oldest first), or leave it bit for bit as it was."""
        classes = self.checkpoint.classes
        corrections = [
            c for c in corrections if c.label in classes and c.frame.shape == (FRAME_SIZE, FRAME_SIZE)
        ]
        if not corrections:
            raise ValueError("there is no correction whose label this network knows")
        device = self._labels.device
        labels = torch.tensor([classes.index(correction.label) for correction in corrections], device=device)
        images = torch.from_numpy(np.stack([correction.frame for correction in corrections]))[:, None]
        generator = Generator().manual_seed(0)
        own = self._features(images.to(device))
        copies = self._features(
            warp(images.repeat_interleave(COPIES, 0), GENTLE, generator).clamp(0, 1).to(device)
        )
        targets = labels.repeat_interleave(COPIES)
        weight, bias = (parameter.detach().clone().requires_grad_() for parameter in self._parameters)
        optimizer = torch.optim.Adam([weight, bias], RATE)
        for _ in range(STEPS):
            some = torch.randint(len(copies), (64,), generator=generator)
            rest = torch.randint(len(self._replay), (256,), generator=generator)
            loss = F.cross_entropy(
                F.linear(copies[some], weight, bias), targets[some], label_smoothing=SMOOTHING
            )
            loss = loss + 4 * F.cross_entropy(F.linear(self._replay[rest], weight, bias), self._said[rest])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        before = float(self._untouched.float().mean())
        most_lost = round(MOST_LOST * len(self._labels))
        for share in PARTS_OF_THE_WAY:
            moved = [
                old.detach().lerp(new.detach(), share) for old, new in zip(self._parameters, (weight, bias))
            ]
            right = F.linear(own, *moved).argmax(1) == labels
            held = self._right(*moved)
            after, learnt = float(held.float().mean()), int(right.sum())
            lost = int(self._untouched.sum() - held.sum())
            accepted = (
                bool(right[-1]) and learnt >= LEARNT * len(right) and lost <= most_lost and self._fair(held)
            )
            if accepted:
                self._states.append(
                    (self._parameters[0].detach().clone(), self._parameters[1].detach().clone())
                )
                self._set(*moved)
                break
        return Outcome(accepted, learnt, len(right), before, after, len(held))

    @property
    def tuned(self) -> bool:
        """Whether there is a tuning to undo."""
        return bool(self._states)

    def undo(self) -> bool:
        """Restore the last layer bit for bit as it was before the latest accepted tuning; False if there was none."""
        if not self._states:
            return False
        self._set(*self._states.pop())
        return True

    def _set(self, weight: Tensor, bias: Tensor) -> None:
        with torch.no_grad():
            self._parameters[0].copy_(weight)
            self._parameters[1].copy_(bias)

    def _right(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Return bool (N,): which held-out digits are right with these parameters of the last layer."""
        return F.linear(self._held_out, weight, bias).argmax(1) == self._labels

    def _fair(self, held: Tensor) -> bool:
        """Whether no class pays for the others."""
        classes = len(self.checkpoint.classes)
        counts = torch.bincount(self._labels, minlength=classes)
        lost = torch.bincount(self._labels, self._untouched.float() - held.float(), classes)
        return bool((lost <= (MOST_LOST_OF_A_CLASS * counts).clamp(min=1)).all())


def make_tuner(checkpoint: Checkpoint) -> FineTuner:
    """Return a tuner whose replay and guard are MNIST's training digits, or the stand-in's where MNIST is not on disk.

    Raises ValueError for a network that does not read digits from the road, or that cannot be fine-tuned.
    """
    if checkpoint.classes != DIGITS or not checkpoint.input["road"]:
        raise ValueError("only a network that reads the ten digits can practise here")
    try:
        training, held_out = split_validation(load_mnist(True, download=False))
    except DataError:
        training, held_out = split_validation(load_stand_in(), HELD_OUT)
    images = training.images[:REPLAY].float() / 255, held_out.images[:HELD_OUT].float() / 255
    return FineTuner(checkpoint, *images, held_out.labels[:HELD_OUT])


def find_last_layer(model: Any) -> tuple[tuple[Tensor, Tensor], Callable[[Tensor], Tensor]]:
    """Return ((weight (classes, D), bias (classes,)) of the last linear layer, what feeds it: images -> (N, D)).

    Writing into the two tensors changes the network. Raises ValueError for a network without one.
    """
    if not isinstance(model, nn.Module):
        if not hasattr(model, "last_layer"):
            raise ValueError("only a network of this program can be fine-tuned, not an exported one")
        return model.last_layer(), model.features
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise ValueError("this network has no linear layer to fine-tune")

    def features(images: Tensor) -> Tensor:
        seen: list[Tensor] = []
        handle = layers[-1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
        was_training = model.training
        model.eval()
        try:
            with torch.no_grad():
                for part in images.split(500):
                    model(part)
        finally:
            handle.remove()
            model.train(was_training)
        return torch.cat(seen)

    return (layers[-1].weight, layers[-1].bias), features
