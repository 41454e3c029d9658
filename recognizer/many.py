"""Many pictures at once: chunks of them read in processes of their own, answers in order, memory bounded."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice

from base.devices import use_one_thread, uses_cuda
from ink.decode import Source
from recognizer.answer import Reading
from recognizer.road import Recognizer

CHUNK = 64  # pictures that a process reads together
WORTH_IT = 200  # pictures; for fewer, starting processes costs more than it saves
AHEAD = 3  # chunks a process may be ahead of what has been taken

Picture = tuple[str, Source | Exception]  # its name, and where it is or what is wrong with it
Answer = tuple[str, Source | Exception, Reading | Exception]


def read_pictures(
    pictures: Iterator[Picture],
    recognizer: Recognizer,
    make: Callable[[], Recognizer],
    processes: int | None = None,
) -> Iterator[Answer]:
    """Yield (name, source, reading or what was wrong) for each of `pictures`, in their order.

    `recognizer` reads where few pictures or one process make do; else each of `processes` (None: one a core) calls
    `make`, which must be picklable. Raises RuntimeError if a process is killed.
    """
    first = list(islice(pictures, WORTH_IT))
    pictures = chain(first, pictures)
    if processes is None:
        processes = count_cores() if len(first) == WORTH_IT and recognizer.device == "cpu" else 1
    if processes > 1:
        return _read_in_processes(pictures, make, processes)
    return _read_in_this(pictures, recognizer, 1 if len(first) < WORTH_IT else CHUNK)


def count_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read_in_this(pictures: Iterator[Picture], recognizer: Recognizer, size: int) -> Iterator[Answer]:
    for chunk in _chunks(pictures, size):
        readings = _read(recognizer, [source for _, source in chunk])
        yield from ((name, source, reading) for (name, source), reading in zip(chunk, readings))


def _read_in_processes(
    pictures: Iterator[Picture], make: Callable[[], Recognizer], processes: int
) -> Iterator[Answer]:
    # a forked process has torch loaded already; it computes on one thread, so no thread of the parent is missed
    fork = sys.platform == "linux" and not uses_cuda()  # CUDA does not outlive a fork
    context = multiprocessing.get_context("fork" if fork else "spawn")
    executor = ProcessPoolExecutor(processes, context, _begin, (make,))
    chunks = _chunks(pictures, CHUNK)
    waiting: deque[tuple[list[Picture], Future[list[Reading | Exception]]]] = deque()

    def submit(count: int) -> None:
        waiting.extend(
            (chunk, executor.submit(_read_here, [source for _, source in chunk]))
            for chunk in islice(chunks, count)
        )

    try:
        with warnings.catch_warnings(), _no_interrupt():  # the first of them starts all processes
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forking beside threads
            submit(AHEAD * processes)
        while waiting:
            chunk, future = waiting.popleft()
            readings = future.result()
            submit(1)
            yield from ((name, source, reading) for (name, source), reading in zip(chunk, readings))
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a process that was reading has been killed (memory?): try --processes 1"
        ) from error
    finally:
        # where all is read it is waited for: else, in Python 3.11, the program's end may find its pipe closed
        executor.shutdown(wait=not waiting, cancel_futures=True)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Block Ctrl-C, here and in processes started meanwhile: before `_begin` it would kill them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _chunks(pictures: Iterator[Picture], size: int) -> Iterator[list[Picture]]:
    while chunk := list(islice(pictures, size)):
        yield chunk


def _read(recognizer: Recognizer, sources: list[Source | Exception]) -> list[Reading | Exception]:
    """Return a reading or what was wrong for each."""
    readings = iter(recognizer.read_many([source for source in sources if not isinstance(source, Exception)]))
    return [source if isinstance(source, Exception) else next(readings) for source in sources]


# ---------------------------------------------------------------------------------- in a process of the pool

_recognizer: Recognizer | None = None  # of this process


def _begin(make: Callable[[], Recognizer]) -> None:
    global _recognizer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then stops the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_one_thread()  # before a forked process computes: its parent's threads are not there
    _recognizer = make()
    use_one_thread()  # in a process of its own torch has only now been loaded


def _read_here(sources: list[Source | Exception]) -> list[Reading | Exception]:
    assert _recognizer is not None
    return _read(_recognizer, sources)


def _end_with_parent() -> None:
    """End this process when the one that began it has ended, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
