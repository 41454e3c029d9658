"""What a training tells while it goes on: lines, progress bars, a log and a plot. The command says where they go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from base import command
from base.storage import append_line, make_folder, try_out
from training.recipe import TrainConfig

EVERY = 30.0  # seconds between two lines of progress where no bar can be drawn


def nothing(*_: object) -> None:
    """Take what is told and do nothing with it."""


@dataclass(frozen=True)
class Reports:
    """Where a training reports; by default nowhere."""

    say: Callable[[str], None] = nothing  # a result
    note: Callable[[str], None] = nothing  # how far it is
    warn: Callable[[str], None] = nothing  # what was skipped, or went wrong
    bar: Callable[..., Any] | None = None  # tqdm, where a terminal can show it
    log: Path | None = None  # a JSON line an epoch is added to it
    plot: Path | None = None
    draw: Callable[[list[dict[str, float]], Path], None] = nothing  # the history into the file `plot`

    def try_out(self) -> None:
        """Raise OSError or ValueError if the log or the plot cannot be written: better now than after an epoch."""
        for path in (self.log, self.plot):
            if path:
                make_folder(path.parent)
        if self.log and not self.log.is_fifo():  # which would wait for its reader
            append_line(self.log, "")
        if self.plot:
            try_out(self.plot)
            from matplotlib.backends.backend_agg import FigureCanvasAgg

            known = FigureCanvasAgg.get_supported_filetypes()
            if (suffix := self.plot.suffix.lstrip(".").lower()) and suffix not in known:
                raise ValueError(
                    f"--plot {self.plot}: no such kind of picture; choose from {', '.join(sorted(known))}"
                )

    def epoch(self, run_id: str, config: TrainConfig, history: list[dict[str, float]]) -> None:
        """Report what the latest epoch of `history` came to."""
        line = history[-1]
        if self.bar is None:
            self.note(
                f"epoch {line['epoch']}: loss {line['loss']:.4f}, validation {line['validation_accuracy']:.2%}, "
                f"{line['seconds']:.0f} s, {line['images_per_second']:,.0f} images/s"
            )
        try:
            if self.log:
                facts = {"run": run_id, "arch": config.arch, "seed": config.seed}
                append_line(self.log, json.dumps({**facts, **line}))
            if self.plot:
                self.draw(history, self.plot)
        except OSError as error:
            self.warn(f"{command.one_line(error)}: going on without")

    @contextmanager
    def watch(self, things: Iterable[Any], name: str, total: int, done: int = 0) -> Iterator[Iterable[Any]]:
        """Give `things` back, and show how far they are while they are taken; `done` of `total` came before."""
        if self.bar is None:
            yield self._noting(things, name, total, done)
            return
        with self.bar(things, desc=name, total=total, initial=done) as shown:
            yield shown

    def _noting(self, things: Iterable[Any], name: str, total: int, done: int) -> Iterator[Any]:
        latest = time.monotonic()
        for number, thing in enumerate(things, done + 1):
            yield thing
            if (now := time.monotonic()) - latest >= EVERY:
                self.note(f"{name}: {number:,} of {total:,}")
                latest = now


SILENT = Reports()
