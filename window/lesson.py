"""The live training in the window: a tiny network learns while one draws, and reads meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from window.session import Session
from window.worker import Worker

if TYPE_CHECKING:
    from training.lesson import Progress
    from window.onshow import OnShow


class Lesson:
    """A training that is watched, paused and stopped; no file is written."""

    def __init__(
        self,
        session: Session,
        worker: Worker,
        on_show: OnShow,
        show: Callable[..., None],
        say: Callable[[str], None],
    ) -> None:
        """`show` is called with the parts of the window to draw again, `say` with a message."""
        self._session, self._worker, self._on_show = session, worker, on_show
        self._show, self._say = show, say
        self.reports: list[Progress] | None = None  # report by report; None while nothing is trained

    @property
    def on(self) -> bool:
        return self.reports is not None

    def toggle(self, model: str) -> None:
        """Start to train a tiny network, or end that; `model` is what reads before and afterwards."""
        if self.on:
            self.stop(model)
        elif not model:
            self._say("Wait until the network is loaded")
        else:
            self._worker.cancel()
            self.reports = []
            failed = partial(self._failed, model)
            self._worker.follow(self._session.train, then=partial(self._came, self.reports), otherwise=failed)
            self._say(
                "A tiny network learns and reads meanwhile: M stops it, Shift-M pauses. No file is written"
            )
        self._show("all")

    def pause(self) -> None:
        """Let a training rest, or go on."""
        if self.reports and self.reports[-1].over:
            self._say("The lesson is over, and the tiny network reads; M ends that")
        elif self.on:
            self._worker.pause(not self._worker.paused)
        self._show("all")

    def stop(self, model: str) -> None:
        """End the training and read with `model` again."""
        if self.on:
            self._worker.cancel()
            self.reports = None
            self._worker.ask(self._session.stop_training)
            self._on_show.read_again()
            self._say(f"Training stopped: {model} reads again")

    def _came(self, reports: list[Progress], report: Progress) -> None:
        if reports is self.reports:
            reports.append(report)
            self._show("panels", "status")
            self._on_show.read_again(everything=False)

    def _failed(self, model: str, error: str) -> None:
        self.stop(model)
        self._say(error)
