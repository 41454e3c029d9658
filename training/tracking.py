"""Loss and accuracy over an epoch, kept by torchmetrics on the training device without waiting for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from training.pictures.augment import NOT_A_DIGIT


class Tracker:
    """The mean loss a batch and the share of answers that are right (pictures of no digit left out)."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        from torchmetrics import MeanMetric, SumMetric  # a second to import

        alone: dict[str, Any] = {
            "nan_strategy": "disable",
            "sync_on_compute": False,
        }  # of several processes one may compute
        self._loss = MeanMetric(**alone).to(device)
        self._right, self._digits = (
            SumMetric(**alone).to(device),
            SumMetric(**alone).to(device),
        )  # MeanMetric so drops its weights
        if torch.device(device).type == "cpu":
            for metric in (self._loss, self._right, self._digits):
                metric.set_dtype(torch.float64)

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take in a batch: its mean loss, logits (N, classes) and labels (N,)."""
        self._loss.update(loss)
        self._right.update((logits.argmax(1) == labels).sum())
        self._digits.update((labels != NOT_A_DIGIT).sum())

    def compute(self) -> tuple[float, float]:
        """Return (mean loss a batch, accuracy in [0, 1]); zeros if there was no batch."""
        if not self._loss.update_called:
            return 0.0, 0.0
        return float(self._loss.compute()), float(self._right.compute()) / max(
            float(self._digits.compute()), 1.0
        )
