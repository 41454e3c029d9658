"""Recognition beside the window: one thread that answers questions, so that the pen never waits.

    worker = Worker(Session(), notify=wake_the_window)
    worker.ask("read", picture, newest=True)
    for result in worker.results(): ...

What it is asked are the methods of a `session.Session`, or of anything else: this file knows neither torch nor a window.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import isgeneratorfunction
from typing import Any

from base.command import one_line

SWITCH_INTERVAL = (
    0.001  # seconds; how long the worker's Python code may hold up the window's (Python's default is 0.005)
)


@dataclass(frozen=True)
class Result:
    """What became of a question: its kind and tag, and an answer or an error of one line."""

    kind: str
    tag: Any
    value: Any = None
    error: str | None = None


class Worker:
    """A thread that answers questions in order. Of those asked with `newest`, only the latest of a kind is answered.

    A session's method that is a generator gives an answer at each yield, and other questions are answered in between.
    """

    def __init__(self, session: Any, notify: Callable[[], None] = lambda: None) -> None:
        """`notify` is called from the thread whenever there is a result."""
        self._session, self._notify = session, notify
        self._questions: deque[tuple[str, Any, Any]] = deque()
        self._results: deque[Result] = deque()
        self._running: tuple[str, Any, Iterator[Any]] | None = None
        self._changed = threading.Condition()
        self._current = ""  # the kind of question being answered, or of the step being taken
        self._closed = self._paused = False
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._thread = threading.Thread(target=self._work, name="recognition", daemon=True)
        self._thread.start()

    def ask(self, kind: str, argument: Any = None, tag: Any = None, newest: bool = False) -> None:
        """Ask the session's method `kind`; the result carries `tag`."""
        with self._changed:
            if newest:
                self._questions = deque(each for each in self._questions if each[0] != kind)
            self._questions.append((kind, argument, tag))
            self._changed.notify()

    def cancel(self) -> None:
        """End a generator in progress after its current step, and begin none that was asked for before."""
        with self._changed:
            self._running, self._paused = None, False
            self._questions = deque(
                question for question in self._questions if not self._goes_on(question[0])
            )

    def results(self) -> list[Result]:
        """Return the results since the last call."""
        found = []
        while self._results:
            found.append(self._results.popleft())
        return found

    @property
    def paused(self) -> bool:
        """Whether the generator in progress rests between two steps."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Let a generator in progress rest, or go on."""
        with self._changed:
            self._paused = paused
            self._changed.notify()

    def asked_for(self, kind: str) -> bool:
        """Whether a question of this kind waits, is being answered, or its result has not been fetched."""
        with self._changed:
            return (
                kind == self._current
                or any(question[0] == kind for question in self._questions)
                or any(result.kind == kind for result in self._results)
            )

    @property
    def busy(self) -> bool:
        """Whether a generator is in progress."""
        return self._running is not None

    def close(self, timeout: float = 2.0) -> None:
        """End the thread after the question it is answering."""
        with self._changed:
            self._closed, self._running = True, None
            self._questions.clear()
            self._changed.notify()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._questions or self._closed or (self._running and not self._paused)
                )
                if self._closed:
                    return
                question = self._questions.popleft() if self._questions else None
                if question and self._goes_on(
                    question[0]
                ):  # begun under the lock: it can be cancelled from now on
                    kind, argument, tag = question
                    self._running, question = (kind, tag, getattr(self._session, kind)(argument)), None
                running = None if self._paused else self._running
                self._current = question[0] if question else running[0] if running else ""
            if question:
                self._answer(*question)
            elif running:
                self._step(running)
            with self._changed:
                self._current = ""

    def _goes_on(self, kind: str) -> bool:
        """Say whether questions of this kind are answered by a generator, step by step."""
        return isgeneratorfunction(getattr(self._session, kind, None))

    def _answer(self, kind: str, argument: Any, tag: Any) -> None:
        try:
            value = getattr(self._session, kind)(argument)
        except Exception as error:  # whatever a file or a checkpoint does, the window lives and says so
            self._give(Result(kind, tag, error=one_line(error)))
            return
        self._give(Result(kind, tag, value))

    def _step(self, running: tuple[str, Any, Iterator[Any]]) -> None:
        kind, tag, steps = running
        result = None
        try:
            result = Result(kind, tag, next(steps))
        except StopIteration:
            pass
        except Exception as error:  # as in _answer
            result = Result(kind, tag, error=one_line(error))
        over = result is None or result.error is not None
        with self._changed:
            if self._running is not running:
                return  # cancelled meanwhile
            if over:
                self._running = None
        if result:
            self._give(result)

    def _give(self, result: Result) -> None:
        with self._changed:
            self._results.append(result)
        if not self._closed:
            self._notify()
