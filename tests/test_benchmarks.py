"""The benchmarks begin: each finds its modules, and signs and things are read and counted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from benchmarks.pictures import _fonts
from measuring.testsets import load_samples
from recognizer.road import Recognizer


@pytest.mark.parametrize(
    "name",
    sorted(
        path.name
        for path in (ROOT / "benchmarks").glob("*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    ),
)
def test_a_benchmark_tells_its_options(name: str) -> None:
    told = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / name), "--help"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0 and told.stdout.startswith("usage: "), told.stderr


def test_a_fonts_signs_are_counted() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "glyphs.py"), _fonts()[0], "--most", "10"]
    counted = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert counted.returncode == 0, counted.stderr
    first, *_, letters = [line for line in counted.stdout.splitlines() if "read" in line or "letters" in line]
    assert first == "| digits read | 10 | 100.0% | 100.0% |"
    assert letters.startswith("| letters refused | 10 | ")


def test_most_of_what_people_draw_to_try_it_out_is_refused(recognizer: Recognizer) -> None:
    from benchmarks.things import thing

    rng = np.random.default_rng(0)
    assert sum(recognizer.read(thing(rng)).status == "not_a_digit" for _ in range(100)) >= 68


@pytest.mark.parametrize("side", [16, 32])
def test_public_scans_become_a_test_set(side: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bits, labels = rng.integers(0, 2, (12, side, side)), rng.integers(0, 10, 12)
    text = "" if side == 16 else "comments = 1\nentwidth = 32\n\n"
    for rows, label in zip(bits, labels):
        if side == 16:
            flags = np.eye(10, dtype=int)[label]
            text += " ".join([*(f"{bit:.4f}" for bit in rows.ravel()), *map(str, flags)]) + " \n"
        else:
            text += "\n".join("".join(map(str, row)) for row in rows) + f"\n {label}\n"
    source, output = tmp_path / "public", tmp_path / "scans.npz"
    source.write_text(text, encoding="ascii")
    command = [sys.executable, str(ROOT / "benchmarks" / "uci.py"), str(source)]
    told = subprocess.run([*command, str(source), str(output)], capture_output=True, text=True, timeout=120)
    assert (told.returncode, told.stdout) == (0, f"{output}: 24 digits of {side} x {side} pixels\n"), (
        told.stderr
    )
    samples = list(load_samples(output))
    assert [sample.label for sample in samples] == [str(label) for label in labels] * 2
    assert all(np.array_equal(sample.source, 255 * rows) for sample, rows in zip(samples, [*bits, *bits]))
    source.write_bytes(b"\x1f\x9d\x90packed")
    told = subprocess.run(
        [*command, str(tmp_path / "other.npz")], capture_output=True, text=True, timeout=120
    )
    assert (
        told.returncode == 1
        and told.stderr.endswith("unpack it first if it ends in .Z\n")
        and "Traceback" not in told.stderr
    )
    assert not (tmp_path / "other.npz").exists()
