"""The recognition thread: in order, newest first where asked, never dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from window.worker import Worker


class Slow:
    """Answers wait until they are let go; what comes is collected."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.worker = Worker()
        self.found: list[object] = []

    def read(self, argument: object) -> object:
        self.gate.wait(5)
        return argument

    def fail(self, error: Exception) -> None:
        raise error

    def count(self, stop: int) -> Iterator[int]:
        for number in range(stop):
            self.gate.wait(5)
            yield number

    def collect(self, enough: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not enough():
            self.worker.deliver(self.found.append)
            assert time.monotonic() < end, self.found
            time.sleep(0.002)

    def rests(self) -> bool:
        """Return whether no answer comes for a while."""
        time.sleep(0.05)
        self.worker.deliver(self.found.append)
        count = len(self.found)
        time.sleep(0.05)
        self.worker.deliver(self.found.append)
        return len(self.found) == count


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.gate.set()
    slow.worker.close()


def test_only_the_newest_of_waiting_pictures_is_read(slow: Slow) -> None:
    for number in range(100):
        slow.worker.ask(slow.read, number, then=slow.found.append, newest=True)
        if number == 0:
            time.sleep(0.05)  # the first is being read while the others arrive
    slow.gate.set()
    slow.collect(lambda: len(slow.found) == 2)
    assert slow.found == [0, 99]


def test_newest_drops_the_same_functions_questions_alone(slow: Slow) -> None:
    slow.worker.ask(slow.read, 1)
    time.sleep(0.05)
    slow.worker.ask(str, 2, then=slow.found.append)
    slow.worker.ask(slow.read, 3, then=slow.found.append)
    slow.worker.ask(slow.read, 4, then=slow.found.append, newest=True)
    slow.gate.set()
    slow.collect(lambda: not slow.worker.asked_for())
    assert slow.found == ["2", 4]


def test_asking_does_not_wait_for_the_answer(slow: Slow) -> None:
    start = time.perf_counter()
    for number in range(100):
        slow.worker.ask(slow.read, number, then=slow.found.append, newest=True)
    assert time.perf_counter() - start < 0.5
    slow.worker.deliver()
    assert slow.found == [] and slow.worker.asked_for(slow.read) and not slow.worker.asked_for(slow.fail)


@pytest.mark.parametrize(
    "error", [OSError("no such thing"), ValueError("two\nlines"), RuntimeError("boom"), MemoryError()]
)
def test_an_error_is_one_line_and_the_thread_lives(slow: Slow, error: Exception) -> None:
    slow.gate.set()
    mine: list[str] = []
    slow.worker.ask(slow.fail, error, otherwise=mine.append)
    slow.worker.ask(slow.fail, error)  # nobody asked for it: it goes to `failed`
    slow.worker.ask(slow.read, 1, then=slow.found.append)
    slow.collect(lambda: len(slow.found) == 2)
    assert slow.found == [mine[0], 1] and len(mine) == 1 and "\n" not in mine[0] and mine[0]


def test_a_step_that_fails_ends_what_is_followed(slow: Slow) -> None:
    def steps() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    slow.worker.follow(steps, then=slow.found.append)
    slow.collect(lambda: len(slow.found) == 2)
    assert slow.found == [1, "broken"] and not slow.worker.busy


def test_other_questions_are_answered_between_the_steps_of_a_long_one(slow: Slow) -> None:
    slow.gate.set()
    slow.worker.follow(slow.count, 10**9, then=slow.found.append)
    slow.collect(lambda: len(slow.found) > 10)
    slow.worker.ask(slow.read, "now", then=slow.found.append)
    slow.collect(lambda: "now" in slow.found)
    assert slow.worker.busy
    slow.worker.cancel()
    assert not slow.worker.busy and slow.rests()


def test_a_step_that_was_cancelled_while_it_ran_gives_no_answer(slow: Slow) -> None:
    slow.worker.follow(slow.count, 10, then=slow.found.append)
    time.sleep(0.05)
    slow.worker.cancel()
    slow.gate.set()
    slow.worker.ask(slow.read, "after", then=slow.found.append)
    slow.collect(lambda: "after" in slow.found)
    assert slow.found == ["after"]


def test_what_is_cancelled_before_it_began_never_runs(slow: Slow) -> None:
    slow.worker.ask(slow.read, "first", then=slow.found.append)  # keeps the worker busy
    slow.worker.follow(slow.count, 3, then=slow.found.append)
    slow.worker.cancel()
    slow.worker.ask(slow.read, "last", then=slow.found.append)
    slow.gate.set()
    slow.collect(lambda: "last" in slow.found)
    assert slow.rests() and slow.found == ["first", "last"] and not slow.worker.busy


def test_what_is_paused_rests_and_goes_on(slow: Slow) -> None:
    slow.gate.set()
    slow.worker.follow(slow.count, 10**9, then=slow.found.append)
    slow.collect(lambda: len(slow.found) > 3)
    slow.worker.pause(True)
    assert slow.rests() and slow.worker.busy and slow.worker.paused
    count = len(slow.found)
    slow.worker.pause(False)
    slow.collect(lambda: len(slow.found) > count)


def test_what_is_cancelled_while_it_is_paused_rests_no_more(slow: Slow) -> None:
    slow.gate.set()
    slow.worker.follow(slow.count, 10**9)
    slow.worker.pause(True)
    slow.worker.cancel()
    slow.worker.follow(slow.count, 3, then=slow.found.append)
    slow.collect(lambda: 2 in slow.found)


def test_the_window_is_woken_for_each_answer() -> None:
    woken = threading.Event()
    worker = Worker(woken.set)
    worker.ask(int, "1")
    assert woken.wait(5)
    worker.close()
