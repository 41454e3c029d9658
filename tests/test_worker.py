"""The recognition thread: in order, newest first where asked, never dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from base.checkpoint import MODEL_PATH, Checkpoint
from corrections.memory import Memory
from dataset import Digits
from recognizer.road import Recognizer
from training.finetune import Outcome
from window.session import Session, find_pictures
from window.worker import Result, Worker


class Slow:
    """A session whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.seen: list[Any] = []

    def read(self, argument: Any) -> Any:
        self.gate.wait(5)
        self.seen.append(argument)
        return argument

    def fail(self, argument: Any) -> None:
        raise argument

    def count(self, stop: int) -> Iterator[int]:
        for number in range(stop):
            self.gate.wait(5)
            yield number


def collect(worker: Worker, enough: Callable[[list[Result]], bool]) -> list[Result]:
    found: list[Result] = []
    end = time.monotonic() + 20
    while not enough(found):
        found += worker.results()
        assert time.monotonic() < end, found
        time.sleep(0.002)
    return found


@pytest.fixture
def slow() -> Iterator[tuple[Worker, Slow]]:
    session = Slow()
    worker = Worker(session)
    yield worker, session
    session.gate.set()
    worker.close()


def test_only_the_newest_of_waiting_pictures_is_read(slow: tuple[Worker, Slow]) -> None:
    worker, session = slow
    for number in range(100):
        worker.ask("read", number, newest=True)
        if number == 0:
            time.sleep(0.05)  # the first is being read while the others arrive
    session.gate.set()
    assert [result.value for result in collect(worker, lambda found: len(found) == 2)] == [0, 99]


def test_asking_does_not_wait_for_the_answer(slow: tuple[Worker, Slow]) -> None:
    worker, _ = slow
    start = time.perf_counter()
    for number in range(100):
        worker.ask("read", number, newest=True)
    assert time.perf_counter() - start < 0.1
    assert worker.results() == []


@pytest.mark.parametrize(
    "error", [OSError("no such thing"), ValueError("two\nlines"), RuntimeError("boom"), MemoryError()]
)
def test_an_error_is_told_in_one_line_and_the_thread_lives(
    slow: tuple[Worker, Slow], error: Exception
) -> None:
    worker, session = slow
    session.gate.set()
    worker.ask("fail", error, "tag")
    worker.ask("read", 1)
    failed, answered = collect(worker, lambda found: len(found) == 2)
    assert failed.tag == "tag" and failed.error and "\n" not in failed.error
    assert answered.value == 1


def test_other_questions_are_answered_between_the_steps_of_a_long_one(slow: tuple[Worker, Slow]) -> None:
    worker, session = slow
    session.gate.set()
    worker.ask("count", 10**9)
    collect(worker, lambda found: len(found) > 10)
    worker.ask("read", "now")
    collect(worker, lambda found: any(result.kind == "read" for result in found))
    assert worker.busy
    worker.cancel()
    assert not worker.busy
    time.sleep(0.05)
    worker.results()
    time.sleep(0.05)
    assert worker.results() == []


def test_a_step_that_was_cancelled_while_it_ran_gives_no_answer(slow: tuple[Worker, Slow]) -> None:
    worker, session = slow
    worker.ask("count", 10)
    time.sleep(0.05)
    worker.cancel()
    session.gate.set()
    worker.ask("read", "after")
    assert [
        result.kind for result in collect(worker, lambda found: any(each.kind == "read" for each in found))
    ] == ["read"]


def test_a_generator_cancelled_before_it_began_never_runs(slow: tuple[Worker, Slow]) -> None:
    worker, session = slow
    worker.ask("read", "first")  # keeps the worker busy
    worker.ask("count", 3)
    worker.cancel()
    worker.ask("read", "last")
    session.gate.set()
    found = collect(worker, lambda found: any(result.value == "last" for result in found))
    time.sleep(0.05)
    assert [result.value for result in found + worker.results()] == ["first", "last"] and not worker.busy


def test_a_paused_generator_rests_and_goes_on(slow: tuple[Worker, Slow]) -> None:
    worker, session = slow
    session.gate.set()
    worker.ask("count", 10**9)
    collect(worker, lambda found: len(found) > 3)
    worker.pause(True)
    time.sleep(0.05)
    worker.results()
    time.sleep(0.05)
    assert worker.results() == [] and worker.busy
    worker.pause(False)
    collect(worker, lambda found: len(found) > 3)


def test_the_window_is_woken_for_each_result() -> None:
    woken = threading.Event()
    session = Slow()
    session.gate.set()
    worker = Worker(session, woken.set)
    worker.ask("read", 1)
    assert woken.wait(5)
    worker.close()


def session_with(model: Path, folder: Path) -> Session:
    session = Session(corrections=folder)
    session.load(model)
    return session


def test_a_session_without_a_model_reads_nothing(seven: np.ndarray) -> None:
    assert Session().read(seven) is None


def test_a_session_learns_and_takes_back(checkpoint: Path, tmp_path: Path, seven: np.ndarray) -> None:
    session = session_with(checkpoint, tmp_path / "corrections")
    before = session.read(seven)
    assert before is not None
    wrong = "3" if before.groups[0].digit != "3" else "8"
    assert session.learn((before.groups[0].frame, wrong)) == wrong
    after = session.read(seven)
    assert after is not None and after.groups[0].digit == wrong
    assert session.unlearn() == wrong and session.unlearn() is None
    again = session.read(seven)
    assert again is not None and again.groups[0].probs == before.groups[0].probs


def test_a_cancelled_pause_rests_no_more() -> None:
    session = Slow()
    session.gate.set()
    worker = Worker(session)
    worker.ask("count", 10**9)
    worker.pause(True)
    worker.cancel()
    worker.results()
    worker.ask("count", 3)
    end = time.monotonic() + 5
    while not any(result.value == 2 for result in worker.results()):
        assert time.monotonic() < end
    worker.close()


def test_another_model_practises_by_itself(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    class Tuner:
        tuned = True

        def __init__(self, checkpoint: Checkpoint) -> None:
            self.checkpoint, self.left = checkpoint, 2
            made.append(self)

        def tune(self, _: object) -> Outcome:
            return Outcome(True, 1, 1, 1.0, 1.0, 9)

        def undo(self) -> bool:
            self.left -= 1
            return self.left >= 0

    monkeypatch.setattr("training.finetune.make_tuner", Tuner)
    session = Session(corrections=tmp_path / "corrections")
    for _ in range(2):
        session.load(checkpoint)
        assert not session.practised
        session.practise()
        assert session.practised
    assert len(made) == 2
    session.practise(undo=True)
    assert made[0].left == 2 and made[1].left == -1  # all that was practised, and of this model alone


def test_a_session_practises_and_unlearns_it(tmp_path: Path, digits: Digits) -> None:
    session = Session(corrections=tmp_path)
    session.load(MODEL_PATH)
    recognizer = session.recognizer
    assert recognizer is not None
    before = {name: weight.clone() for name, weight in recognizer.checkpoint.model.state_dict().items()}

    def unchanged() -> bool:
        return all(
            torch.equal(weight, before[name])
            for name, weight in recognizer.checkpoint.model.state_dict().items()
        )

    frames = digits.images[2000:3000, 0].numpy() / np.float32(255)
    probs = recognizer.ask(frames)
    unsure = int((np.sort(probs)[:, -1] - np.sort(probs)[:, -2]).argmin())
    with pytest.raises(ValueError, match="no correction"):
        session.practise()
    session.learn((frames[unsure], str(probs[unsure].argsort()[-2])))
    recognizer.classify(frames[:200])
    assert session.practise().startswith("Practised: the model itself now knows 1 of 1") and session.practised
    assert (
        not unchanged()
        and recognizer.ask(frames[unsure : unsure + 1]).argmax() == probs[unsure].argsort()[-2]
    )
    fresh = Recognizer(recognizer.checkpoint, memory=Memory(tmp_path))  # has not asked the network before
    assert np.array_equal(session.recognizer.classify(frames[:200]), fresh.classify(frames[:200]))
    assert "before it practised" in session.practise(undo=True) and not session.practised and unchanged()


def test_a_broken_model_leaves_the_one_before_in_use(
    checkpoint: Path, tmp_path: Path, seven: np.ndarray
) -> None:
    session = session_with(checkpoint, tmp_path)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no model")
    with pytest.raises(ValueError):
        session.load(broken)
    assert session.read(seven) is not None


def test_a_folder_is_read_file_by_file_and_a_bad_file_is_told(
    checkpoint: Path, tmp_path: Path, seven: np.ndarray
) -> None:
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    Image.fromarray(seven).save(folder / "deep" / "seven.png")
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not asked")
    readings = list(session_with(checkpoint, tmp_path / "corrections").read_files([folder]))
    assert [reading.path.name for reading in readings] == ["bad.png", "seven.png"]
    assert readings[0].error and readings[1].error is None
    assert [(reading.done, reading.total) for reading in readings] == [(1, 2), (2, 2)]
    with pytest.raises(ValueError, match="no pictures"):
        (tmp_path / "empty").mkdir()
        list(Session().read_files([tmp_path / "empty"]))


def test_find_pictures_takes_a_file_as_it_is(tmp_path: Path) -> None:
    assert find_pictures(tmp_path / "any.name") == [tmp_path / "any.name"]


def test_the_heat_lies_on_the_ink_and_names_the_winner(recognizer: Any, seven: np.ndarray) -> None:
    session = Session()
    session.recognizer = recognizer
    reading = recognizer.read(seven)
    (heat,) = session.saliency(reading.groups)
    assert heat.shape == (28, 28) and heat.max() == 1 and heat.min() >= 0
    inked = reading.groups[0].frame > 0
    assert heat[inked].mean() > 5 * heat[~inked].mean()


def test_features_show_each_layer_in_order(recognizer: Any, seven: np.ndarray) -> None:
    session = Session()
    session.recognizer = recognizer
    layers = session.features(recognizer.read(seven).groups[0].frame)
    assert [maps.shape[1] for maps in layers] == sorted((maps.shape[1] for maps in layers), reverse=True)
    assert all(0 <= maps.min() and maps.max() <= 1 for maps in layers) and layers[0].shape[1:] == (28, 28)
