"""The benchmarks begin: each finds its modules, and signs and things are read and counted."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from benchmarks import hands
from benchmarks.pictures import _fonts
from recognizer.road import Recognizer

ALL_HELP = """
import contextlib, io, runpy, sys
for name in sys.argv[1:]:
    sys.argv, said, status = [name, "--help"], io.TextIOWrapper(io.BytesIO()), None
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    except SystemExit as end:
        status = end.code
    said.seek(0)
    assert status == 0 and said.read().startswith("usage: "), (name, status)
    print(name)
"""


def test_every_benchmark_tells_its_options() -> None:
    files = (ROOT / "benchmarks").glob("*.py")
    names = sorted(path.stem for path in files if "__main__" in path.read_text(encoding="utf-8"))
    told = subprocess.run(
        [sys.executable, "-c", ALL_HELP, *names], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == names and len(names) > 15


def test_a_fonts_signs_are_counted() -> None:
    command = [sys.executable, "-m", "benchmarks.glyphs", _fonts()[0], "--most", "10"]
    counted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert counted.returncode == 0, counted.stderr
    first, *_, letters = [line for line in counted.stdout.splitlines() if "read" in line or "letters" in line]
    assert first == "| digits read | 10 | 100.0% | 100.0% |"
    assert letters.startswith("| letters refused | 10 | ")


def test_most_of_what_people_draw_to_try_it_out_is_refused(recognizer: Recognizer) -> None:
    from benchmarks.things import thing

    rng = np.random.default_rng(0)
    assert sum(recognizer.read(thing(rng)).status == "not_a_digit" for _ in range(100)) >= 68


def test_a_small_set_of_digits_counts_for_little_in_the_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(hands, "save_figure", lambda figure, path, dpi: drawn.append(figure.axes[0].lines[0]))
    steps = np.arange(len(hands.MOVED))
    curves = [
        hands.Curve("many", False, 98, np.zeros_like(steps)),
        hands.Curve("few", False, 2, np.full_like(steps, 2)),
        hands.Curve("letters", True, 10, steps),
    ]
    hands.plot_refusals(curves, tmp_path / "curve.png")
    assert drawn[0].get_xdata() == pytest.approx(np.full(len(steps), 2.0))  # 2 of 100
    assert drawn[0].get_ydata() == pytest.approx(10.0 * steps)
