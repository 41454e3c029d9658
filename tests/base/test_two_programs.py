"""Two programs at the same files at once: nothing is lost, nothing half written is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SEVEN

from base.locks import alone, in_turn
from base.storage import append_line, atomic_write, write_new
from benchmarks.scenes.kept import drawn
from benchmarks.scenes.trained import noise
from corrections.memory import Memory
from ink.canvas import Canvas
from training.recipe import Job
from training.reports import Reports
from training.rounds import train_network
from window.session import Session
from window.settings import Settings, bring_back_drawing, keep_drawing, load_settings, save_settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks are POSIX's")


def programs(code: str, count: int, folder: Path) -> list[str]:
    """Run `code` in several processes that begin at the same time, and return what each printed."""
    head = f"import sys; sys.path.insert(0, {str(ROOT)!r}); number = int(sys.argv[1])\n"
    wait = "print('ready', flush=True); sys.stdin.readline()\n"
    imports, _, body = code.partition("---\n")
    started = [
        subprocess.Popen(
            [sys.executable, "-c", head + imports + wait + body, str(number)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    for each in started:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = [each.communicate(timeout=120)[0] for each in started]
    assert all(each.returncode == 0 for each in started)
    return said


def test_two_programs_correct_at_once_and_a_third_reads_whole_ones(tmp_path: Path) -> None:
    """Two learn and take back, one reads again and again: each correction that was said is there, none is damaged."""
    said = programs(
        """
import numpy as np
from corrections.memory import Memory
---
memory = Memory("kept")
for step in range(40):
    if number == 2:
        memory.reload()
        assert not memory.damaged
        continue
    entry = memory.learn(np.full((28, 28), (step + 1) / 50, np.float32), str(number))
    if step % 4 == 3:
        memory.forget(entry.id)
    else:
        print(entry.id)
""",
        3,
        tmp_path,
    )
    memory = Memory(tmp_path / "kept")
    assert {entry.id for entry in memory.entries()} == set("".join(said).split()) and len(memory) == 60
    assert not memory.damaged and {path.suffix for path in memory.folder.iterdir()} == {".npz"}


def test_two_programs_never_save_under_one_name(tmp_path: Path) -> None:
    said = programs(
        """
from base.storage import append_line, write_new
from pathlib import Path
---
for step in range(40):
    content = f"{number} {step}".encode() * 100
    path = write_new("drawings", "drawing", ".json", content)
    assert path.read_bytes() == content
    append_line(Path("log"), f"{number} {step} " + "x" * 500)
    print(path)
""",
        2,
        tmp_path,
    )
    names = "".join(said).split()
    assert len(set(names)) == 80 == len(list((tmp_path / "drawings").iterdir()))
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 80 and {len(line.split()[2]) for line in lines} == {500}


def test_a_reader_sees_whole_settings_while_another_window_saves(tmp_path: Path) -> None:
    said = programs(
        """
from pathlib import Path
from window.settings import Settings, load_settings, save_settings
path = Path("settings.json")
save_settings(Settings(700, 600), path)
---
for step in range(100):
    if number:
        print(load_settings(path).width)
    else:
        assert save_settings(Settings(701 + step, 600), path)
""",
        2,
        tmp_path,
    )
    assert {int(width) for width in said[1].split()} <= set(range(700, 801))  # never the default, 1024
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


# ---------------------------------------------------------------------------------- windows


def test_the_window_that_closes_last_does_not_delete_the_other_ones_drawing(tmp_path: Path) -> None:
    path = tmp_path / "drawing.json"
    one, two, three = Canvas(560, 280), Canvas(560, 280), Canvas(560, 280)
    for canvas in (one, two, three):
        bring_back_drawing(canvas, path)
    one.replace(drawn(50).strokes)
    keep_drawing(one, path)
    two.replace(drawn(90).strokes)
    keep_drawing(two, path)
    keep_drawing(three, path)  # with nothing on its canvas
    assert path.read_text() == drawn(90).to_json()
    assert (tmp_path / "drawing-2.json").read_text() == drawn(50).to_json()
    said = bring_back_drawing(three, path)
    assert three.to_json() == drawn(90).to_json() and str(tmp_path / "drawing-2.json") in said


def test_a_window_that_changed_nothing_leaves_what_another_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "drawing.json"
    keep_drawing(drawn(50), path)
    one, two = Canvas(560, 280), Canvas(560, 280)
    for canvas in (one, two):
        bring_back_drawing(canvas, path)
    one.replace(drawn(90).strokes)
    keep_drawing(one, path)
    keep_drawing(two, path)
    assert [each.read_text() for each in tmp_path.iterdir()] == [drawn(90).to_json()]
    one.clear()
    keep_drawing(one, path)
    assert not path.exists()


def test_windows_that_close_at_once_keep_every_drawing(tmp_path: Path) -> None:
    programs(
        """
from pathlib import Path
from benchmarks.scenes.kept import drawn
from window.settings import keep_drawing
---
keep_drawing(drawn(50 + 10 * number), Path("drawing.json"))
""",
        3,
        tmp_path,
    )
    assert {path.read_text() for path in tmp_path.iterdir()} == {
        drawn(50 + 10 * n).to_json() for n in range(3)
    }


def test_a_drawing_that_cannot_be_read_now_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "drawing.json"
    keep_drawing(drawn(50), path)

    def fails(_: Path) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fails)
        assert "input/output error" in bring_back_drawing(Canvas(), path)
    keep_drawing(drawn(90), path)
    assert {each.read_text() for each in tmp_path.iterdir()} == {drawn(50).to_json(), drawn(90).to_json()}


def test_a_window_and_predict_use_one_store_of_corrections(tmp_path: Path) -> None:
    """predict.py reads with the corrections while a window makes and takes back others."""
    from ink.raster import draw_strokes
    from predict import open_recognizer

    folder = tmp_path / "corrections"
    session = Session(corrections=folder)
    session.load(ROOT / "model.pth")
    picture = draw_strokes(SEVEN, 16)
    reading = session.read(picture)
    assert reading is not None
    session.learn(reading.groups[0].frame, "1")
    done = threading.Event()

    def correct() -> None:
        noise_of = np.random.default_rng(0)
        while not done.is_set():
            session.learn(noise_of.random((28, 28), np.float32), "5")
            session.unlearn()

    window = threading.Thread(target=correct)
    window.start()
    try:
        said = {open_recognizer(ROOT / "model.pth", corrections=folder).read(picture).text for _ in range(5)}
    finally:
        done.set()
        window.join()
    assert said == {"1"} and not Memory(folder).damaged and len(Memory(folder)) == 1


# ---------------------------------------------------------------------------------- trainings


def test_a_second_training_on_one_output_is_told_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset.load_mnist", lambda *_, **__: noise())
    job = Job({"arch": "tiny", "epochs": 2, "batch_size": 64}, output=tmp_path / "m.pth", device="cpu")
    told: list[str] = []

    def second(_: str) -> None:
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(BlockingIOError, match="another program is writing .*m.pth: wait for it, or name"):
            train_network(job)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        told.append("once an epoch")

    assert train_network(job, Reports(note=second)) == 0
    assert told == ["once an epoch"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["m.pth"]
    assert train_network(job) == 0  # the lock has gone with the first


def test_trainings_on_outputs_side_by_side_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with alone(tmp_path / "a.pth"), alone(tmp_path / "b.pth"):
        assert len(list(tmp_path.iterdir())) == 2
        with pytest.raises(BlockingIOError), alone(tmp_path / "a.pth"):
            pass
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_killed_program_holds_nobody_up(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from base.locks import alone
with alone(Path("m.pth")):
    print("locked", flush=True)
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "locked\n" and (tmp_path / ".m.pth.lock").exists()
    with alone(tmp_path / "m.pth"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_is_no_way_to_another_file(tmp_path: Path) -> None:
    (tmp_path / ".m.pth.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), alone(tmp_path / "m.pth"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_turns_are_taken(tmp_path: Path) -> None:
    said = programs(
        """
import time
from pathlib import Path
from base.locks import in_turn
---
for _ in range(5):
    with in_turn(Path(".")):
        with open("turns", "a") as file:
            file.write("begin\\n")
            file.flush()
            time.sleep(0.01)
            file.write("end\\n")
""",
        2,
        tmp_path,
    )
    assert said == ["", ""] and (tmp_path / "turns").read_text().split() == ["begin", "end"] * 10
    with in_turn(tmp_path / "nowhere"):  # no folder, no lock
        pass


def test_a_log_whose_last_line_was_cut_short_goes_on_in_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_text('{"epoch": 1}\n{"epo')
    append_line(tmp_path / "log", "")
    append_line(tmp_path / "log", json.dumps({"epoch": 2}))
    assert (tmp_path / "log").read_text().splitlines() == ['{"epoch": 1}', '{"epo', '{"epoch": 2}']


def test_what_a_crash_left_goes_after_a_day_and_what_another_program_writes_now_stays(tmp_path: Path) -> None:
    old, new, other = (
        tmp_path / f".{name}.partial" for name in ("m.pth.01234567", "m.pth.89abcdef", "x.01234567")
    )
    for path in (old, new, other):
        path.write_bytes(b"part")
    for path in (old, other):
        os.utime(path, (1, 1))
    with atomic_write(tmp_path / "m.pth") as file:
        file.write(b"whole")
    assert not old.exists() and new.exists() and other.exists()
    os.utime(new, (1, 1))
    (tmp_path / "kept.partial").write_bytes(b"a user's")
    Memory(tmp_path)  # a folder of corrections is ours as a whole
    write_new(tmp_path, "m", ".pth", b"another")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.partial", "m-2.pth", "m.pth"]


def test_two_windows_save_their_settings_and_one_of_them_counts(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for width in (800, 900):
        assert save_settings(Settings(width, 600), path)
    assert load_settings(path).width == 900
