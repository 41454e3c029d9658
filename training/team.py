"""One training in several processes, as torchrun starts them: who is who, and what they tell each other.

    torchrun --nproc-per-node=4 train.py

Each process takes its share of every batch and DistributedDataParallel averages their gradients, so that the
steps are those of one process with the whole batch. gloo on CPUs, NCCL between GPUs.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

PATIENCE = timedelta(days=1)  # a large folder is decoded in; torchrun itself ends those whose fellow has died
ASK_EVERY = 10  # batches between two questions whether anybody was told to stop


class Interrupted(Exception):
    """A signal asked the training to stop: save it, then resume."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


@dataclass(frozen=True)
class Team:
    """The processes of a training; alone, everything here costs nothing."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process validates, writes and speaks for all."""
        return self.rank == 0

    def wrap(self, model: Any, device: torch.device) -> Any:
        """Return `model` so that its backward pass averages the gradients. Raises ValueError if it has none."""
        if self.size == 1:
            return model
        if not isinstance(model, nn.Module):
            raise ValueError("the network written by hand trains in one process: leave torchrun out")
        return DistributedDataParallel(model, device_ids=[device.index] if device.type == "cuda" else None)

    def gather(self, value: Any) -> list[Any]:
        """Return everybody's value, by rank."""
        values = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        return values

    def share(self, value: Any) -> Any:
        """Return the leader's value."""
        values = [value]
        if self.size > 1:
            dist.broadcast_object_list(values)
        return values[0]

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """Let the leader do something, then the others; an OSError or ValueError of the leader's is raised by all."""
        if not self.leads:
            if (error := self.share(None)) is not None:
                raise error
            yield
            return
        try:
            yield
        except (OSError, ValueError) as error:
            self.share(error)
            raise
        self.share(None)

    def greatest(self, value: int) -> int:
        """Return the greatest of everybody's values. Waits for all processes, but not for their GPUs."""
        if self.size == 1:
            return value
        values = torch.tensor(value)
        dist.all_reduce(values, dist.ReduceOp.MAX)
        return int(values)


ALONE = Team()


@contextmanager
def join() -> Iterator[Team]:
    """Join the processes that torchrun started; without torchrun, be alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    team = Team(dist.get_rank(), dist.get_world_size())
    try:
        yield team
    finally:
        dist.destroy_process_group()


def own_device(wanted: str | None) -> str | None:
    """Return the GPU that torchrun leaves to this process where any is `wanted` (None, "cuda"), else what is."""
    local = os.environ.get("LOCAL_RANK")
    return f"cuda:{local}" if wanted in (None, "cuda") and local and torch.cuda.is_available() else wanted
