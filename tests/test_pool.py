"""Many pictures read in several processes: the same answers in the same order, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

import predict
from base.checkpoint import MODEL_PATH
from dataset import Digits
from recognizer import many as pool
from recognizer.answer import Reading
from recognizer.road import Recognizer


@pytest.fixture
def folder(digits: Digits, tmp_path: Path) -> Path:
    """240 pictures of digits, one of them damaged."""
    (tmp_path / "pictures").mkdir()
    for number, image in enumerate(digits.images[:240, 0].numpy()):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{number:03}.png")
    (tmp_path / "pictures" / "100.png").write_bytes(b"no picture")
    return tmp_path / "pictures"


def test_processes_print_what_one_prints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for processes in ("1", "2"):
        assert predict.main(["--processes", processes, str(folder)]) == 1
        printed.append(capsys.readouterr())
    assert printed[0] == printed[1]
    assert printed[0].out.count("\n") == 239 and printed[0].err.count("\n") == 1


def test_pictures_are_taken_as_they_are_needed(recognizer: Recognizer, digits: Digits) -> None:
    taken = 0

    def endless() -> Iterator[pool.Picture]:
        nonlocal taken
        while True:
            taken += 1
            yield str(taken), digits.images[taken % 100, 0].numpy()

    make = partial(predict.open_recognizer, MODEL_PATH, "cpu", None, False, False)
    answers = pool.read_pictures(endless(), recognizer, make, 2)
    names = [next(answers)[0] for _ in range(300)]
    assert names == [str(number) for number in range(1, 301)]
    assert taken < 300 + pool.WORTH_IT + pool.CHUNK * (2 * pool.AHEAD + 2)
    answers.close()  # type: ignore[attr-defined]


def test_a_killed_process_is_one_line_and_not_a_hang(recognizer: Recognizer, digits: Digits) -> None:
    answers = pool.read_pictures(iter([("", np.zeros((9, 9), np.uint8))] * 500), recognizer, _die, 2)
    with pytest.raises(RuntimeError, match="--processes 1"):
        next(answers)


def _die() -> Recognizer:
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_stops_every_process(folder: Path) -> None:
    words = [sys.executable, str(ROOT / "predict.py"), "--processes", "2", *[str(folder)] * 40]
    heeds = partial(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # where the tests run in the background they were told not to
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heeds,
    )
    assert process.stdout is not None and ".png" in process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    started = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert (
        process.returncode == 130 and "Traceback" not in err and err.rstrip().endswith("predict.py: stopped")
    )
    assert out.count("\n") < 240 * 40 - 10 and time.monotonic() - started < 20
    with pytest.raises(ProcessLookupError):  # nobody is left of its group
        os.killpg(process.pid, 0)


def test_a_reading_that_was_refused_comes_back_as_what_it_was(recognizer: Recognizer, tmp_path: Path) -> None:
    pictures: list[pool.Picture] = [
        ("absent", str(tmp_path / "absent.png")),
        ("blank", np.full((40, 40), 255, np.uint8)),
    ]
    make = partial(predict.open_recognizer, MODEL_PATH, "cpu", None, False, False)
    absent, blank = (answer for _, _, answer in pool.read_pictures(iter(pictures), recognizer, make, 2))
    assert isinstance(absent, FileNotFoundError) and absent.filename == str(tmp_path / "absent.png")
    assert isinstance(blank, Reading) and blank.status == "blank"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_waits_until_the_processes_have_begun() -> None:
    reached = False
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), pool._no_interrupt():
            signal.raise_signal(signal.SIGINT)
            reached = True
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux's list of children")
def test_no_process_outlives_the_program(folder: Path) -> None:
    words = [sys.executable, str(ROOT / "predict.py"), "--processes", "2", *[str(folder)] * 40]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None and ".png" in process.stdout.readline()
    children = [
        Path("/proc", word)
        for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ]
    assert len(children) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    for _ in range(100):
        if not any(alive(child) for child in children):
            break
        time.sleep(0.1)
    else:
        for child in children:
            os.kill(int(child.name), signal.SIGKILL)
        pytest.fail("its processes live on")


def alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
