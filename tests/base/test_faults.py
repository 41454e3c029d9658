"""A disk that is full, folders that cannot be written, no home: one clear line, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import NOBODY, ROOT, child

from base.checkpoint import MODEL_PATH
from corrections.memory import Memory

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX limits and permissions")

FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # bytes; longer files end in an error, as on a full disk
"""

# torch and matplotlib load modules and fonts late: where only root may enter, nobody gets none
SHUT = (
    os.name != "nt"
    and os.getuid() == 0
    and not all(
        place.stat().st_mode & 0o001 for end in (Path(sys.prefix), ROOT) for place in (end, *end.parents)
    )
)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_loses_neither_the_model_nor_the_lines(tmp_path: Path) -> None:
    shutil.copy(MODEL_PATH, tmp_path / "own.pth")
    before = files(tmp_path)
    done = child(
        "import torch; from base import checkpoint",
        FULL,
        """
try:
    checkpoint.save_checkpoint("own.pth", checkpoint.load_checkpoint("own.pth"))
except OSError as error:
    print(error.strerror)
""",
        tmp_path,
    )
    assert "too large" in done.stdout.lower(), done.stderr
    assert files(tmp_path) == before


def test_a_full_disk_loses_no_correction(tmp_path: Path) -> None:
    frame = np.zeros((28, 28), np.float32)
    frame[4:24, 12:16] = 1
    Memory(tmp_path).learn(frame, "1")
    before = files(tmp_path)
    done = child(
        "import numpy; from corrections import memory as learn",
        FULL,
        """
memory = learn.Memory(".")
try:
    memory.learn(numpy.eye(28, dtype=numpy.float32), "4")
except OSError as error:
    print(error.strerror, len(memory))
""",
        tmp_path,
    )
    assert done.stdout.lower().endswith("too large 1\n"), done.stderr
    assert files(tmp_path) == before and [entry.label for entry in Memory(tmp_path).entries()] == ["1"]


def test_a_training_that_cannot_write_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    code = 'sys.exit(train.main(["--arch", "tiny", "--epochs", "1", "--output", "locked/own.pth", "--device", "cpu"]))'
    done = child(
        "import torch, train, tqdm, measuring.plots, training.rounds",
        NOBODY,
        code,
        tmp_path,
        HOME=str(tmp_path),
    )
    assert done.returncode == 1 and not files(tmp_path)
    assert done.stderr.startswith("train.py: ") and "locked" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(SHUT, reason="the packages or this repository lie where only root may enter")
def test_a_user_without_home_or_rights_reads_and_draws(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "seven.png", tmp_path)
    shutil.copy(MODEL_PATH, tmp_path)
    tmp_path.chmod(0o555)
    before = files(tmp_path)
    code = """
words = ["--model", "model.pth"]
assert predict.main([*words, "seven.png"]) == 0
assert command.status(predict.main, [*words, "--plot", "plot.png", "seven.png"]) == 1
assert app.main([*words, "--screenshot", "window.png"]) == 1
mine = session.Session()
mine.load("model.pth")
try:
    mine.learn(mine.read("seven.png").groups[0].frame, "1")
except OSError as error:
    print(error.strerror, len(mine.memory))
"""
    done = child(
        "import torch, predict, app, pygame, matplotlib.pyplot; from base import command; "
        "import base.exports, measuring.plots, recognizer.many, recognizer.sources; "
        "from window import app as window, settings, session; from recognizer import road",
        NOBODY,
        code,
        tmp_path,
        HOME="/nonexistent/nobody",
        MPLBACKEND="agg",
    )
    assert done.stdout.startswith("seven.png: 7 ("), done.stderr
    assert done.stdout.splitlines()[-1].endswith(" 0"), done.stderr
    assert "plot.png" in done.stderr and "window.png" in done.stderr and "Traceback" not in done.stderr
    assert files(tmp_path) == before
