"""The training loop never waits for its device: nothing in it reads a tensor's value, or makes a tensor of unknown size."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dataset import Digits
from training.pictures.augment import NOT_A_DIGIT
from training.recipe import TrainConfig
from training.run import Run
from training.tracking import Tracker

aten = torch.ops.aten
WAITS = {
    aten._local_scalar_dense.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten.is_nonzero.default,
    aten.equal.default,
    aten._unique2.default,
}


class Waits(TorchDispatchMode):
    """Notes where a value is asked for.

    An optimizer's count of steps is on the host wherever its weights are, and so is what drawing.random_integer draws.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        by_mask = func is aten.index.Tensor and any(i is not None and i.dtype == torch.bool for i in args[1])
        if func in WAITS or by_mask:
            stack = traceback.extract_stack()[:-1]
            if not any(
                "torch/optim" in frame.filename.replace("\\", "/") or frame.name == "random_integer"
                for frame in stack
            ):
                self.found.append(f"{func}: {' <- '.join(f'{f.name} {f.lineno}' for f in stack[:-6:-1])}")
        return func(*args, **(kwargs or {}))


def make_run(digits: Digits, device: str) -> Run:
    config = TrainConfig(arch="tiny", epochs=1, batch_size=64, augment="full")
    return Run(
        config,
        digits.part(torch.arange(256)),
        digits.part(torch.arange(256, 300)),
        torch.device(device),
        "fp32",
    )


def test_no_step_asks_for_a_value(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(digits, "cpu")
    monkeypatch.setattr(run, "validate", lambda: (0.0, 0.0))  # an epoch's end may wait
    monkeypatch.setattr("training.loop.Tracker.compute", lambda self: (0.0, 0.0))
    with Waits() as waits:
        run.train_epoch(progress=False)
    assert not waits.found


def test_an_epochs_loss_and_accuracy_leave_out_what_is_no_digit() -> None:
    tracker = Tracker()
    assert tracker.compute() == (0.0, 0.0)
    logits = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    tracker.update(torch.tensor(1.0), logits, torch.tensor([1, 0, 1, NOT_A_DIGIT]))
    tracker.update(torch.tensor(4.0), logits[:3], torch.tensor([NOT_A_DIGIT, 0, 0]))
    assert tracker.compute() == pytest.approx((2.5, 4 / 5))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_no_step_waits_for_the_gpu(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(digits, "cuda")
    monkeypatch.setattr(run, "validate", lambda: (0.0, 0.0))
    monkeypatch.setattr("training.loop.Tracker.compute", lambda self: (0.0, 0.0))
    run.train_epoch(progress=False)  # the first time, libraries are loaded
    run.epoch = 0
    torch.cuda.set_sync_debug_mode("error")
    try:
        run.train_epoch(progress=False)
    finally:
        torch.cuda.set_sync_debug_mode("default")
