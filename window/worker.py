"""Work beside the window: one thread that answers questions, so that the pen never waits.

    worker = Worker(notify=wake_the_window)
    worker.ask(session.read, picture, then=show_reading, newest=True)
    worker.deliver(failed=say)              # in the window's thread: calls show_reading(reading)

A question is a function and its arguments. This file knows neither torch nor a window.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from base.command import one_line

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Failed = Callable[[str], None]

SWITCH_INTERVAL = (
    0.001  # seconds that one thread's Python code may hold up another's (Python's default: 0.005)
)


def _ignore(answer: Any) -> None:
    pass


@dataclass(frozen=True)
class _Question:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    then: Callable[[Any], None]
    otherwise: Failed | None
    in_steps: bool = False  # the function is a generator function: an answer at each yield


class Worker:
    """A thread that answers questions in order; between two steps of a long one it answers the others."""

    def __init__(self, notify: Callable[[], None] = lambda: None) -> None:
        """`notify` is called from the thread whenever there is an answer."""
        self._notify = notify
        self._questions: deque[_Question] = deque()
        self._answers: deque[tuple[_Question, Any, str | None]] = deque()  # question, answer, error
        self._running: tuple[_Question, Iterator[Any]] | None = None
        self._changed = threading.Condition()
        self._current: _Question | None = None  # the one being answered, or whose step is being taken
        self._closed = self._paused = False
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._thread = threading.Thread(target=self._work, name="recognition", daemon=True)
        self._thread.start()

    def ask(
        self,
        question: Callable[[*Ts], T],
        *arguments: *Ts,
        then: Callable[[T], None] = _ignore,
        otherwise: Failed | None = None,
        newest: bool = False,
    ) -> None:
        """Have `question(*arguments)` answered; `deliver` hands the answer to `then`, or an error to `otherwise`.

        With `newest`, the same function's questions that still wait are dropped.
        """
        with self._changed:
            if newest:
                self._questions = deque(each for each in self._questions if each.function != question)
            self._put(_Question(question, arguments, then, otherwise))

    def follow(
        self,
        question: Callable[[*Ts], Iterator[T]],
        *arguments: *Ts,
        then: Callable[[T], None] = _ignore,
        otherwise: Failed | None = None,
    ) -> None:
        """Go through a generator function step by step; each thing it yields goes to `then`."""
        with self._changed:
            self._put(_Question(question, arguments, then, otherwise, in_steps=True))

    def deliver(self, failed: Failed = _ignore) -> None:
        """Hand over all answers since the last call; errors, one line each, that nobody asked for go to `failed`."""
        while self._answers:
            question, answer, error = self._answers.popleft()
            if error is None:
                question.then(answer)
            else:
                (question.otherwise or failed)(error)

    def cancel(self) -> None:
        """End what is followed after its current step, and begin none that waits."""
        with self._changed:
            self._running, self._paused = None, False
            self._questions = deque(each for each in self._questions if not each.in_steps)

    @property
    def paused(self) -> bool:
        """Whether what is followed rests between two steps."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Let what is followed rest, or go on."""
        with self._changed:
            self._paused = paused
            self._changed.notify()

    def asked_for(self, *functions: Callable[..., Any]) -> bool:
        """Return whether a question with one of these functions (with none: any) is not yet answered and delivered."""
        with self._changed:
            waiting = [*self._questions, *(answer[0] for answer in self._answers)]
            waiting += [self._current] if self._current else []
            return any(not functions or question.function in functions for question in waiting)

    @property
    def busy(self) -> bool:
        """Whether something is followed."""
        return self._running is not None

    def close(self, timeout: float = 2.0) -> None:
        """End the thread after the question it is answering."""
        with self._changed:
            self._closed, self._running = True, None
            self._questions.clear()
            self._changed.notify()
        self._thread.join(timeout)

    def _put(self, question: _Question) -> None:
        self._questions.append(question)
        self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._questions or self._closed or (self._running and not self._paused)
                )
                if self._closed:
                    return
                question = self._questions.popleft() if self._questions else None
                if question and question.in_steps:  # begun under the lock: it can be cancelled from now on
                    self._running, question = (question, question.function(*question.arguments)), None
                running = None if self._paused else self._running
                self._current = question or (running[0] if running else None)
            if question:
                self._answer(question)
            elif running:
                self._step(running)
            with self._changed:
                self._current = None

    def _answer(self, question: _Question) -> None:
        answer, error = None, None
        try:
            answer = question.function(*question.arguments)
        except Exception as problem:  # whatever a file or a checkpoint does, the window lives and says so
            error = one_line(problem)
        self._give(question, answer, error)

    def _step(self, running: tuple[_Question, Iterator[Any]]) -> None:
        question, steps = running
        answer, error, over = None, None, False
        try:
            answer = next(steps)
        except StopIteration:
            over = True
        except Exception as problem:  # as in _answer
            error = one_line(problem)
        with self._changed:
            if self._running is not running:
                return  # cancelled meanwhile
            if over or error is not None:
                self._running = None
        if not over:
            self._give(question, answer, error)

    def _give(self, question: _Question, answer: Any, error: str | None) -> None:
        with self._changed:
            self._answers.append((question, answer, error))
        if not self._closed:
            self._notify()
