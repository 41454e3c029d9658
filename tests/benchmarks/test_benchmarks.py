"""The benchmarks begin: each finds its modules, and signs and things are read and counted."""

import subprocess
import sys

import numpy as np
from conftest import ROOT

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
