"""The command reads what a user has, one line a picture, and says what is wrong."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import NOBODY, ROOT, child
from PIL import Image

import predict
from recognizer.answer import Digit, Reading

KEYS = ["path", "status", "text", "digits", "rejected", "error"]
EXAMPLES = {
    "blank.png": "",
    "eight-off-centre.png": "8",
    "five-thin-pen.png": "5",
    "four-photo.jpg": "4",
    "house.png": "",
    "nine-ruled-paper.jpg": "9",
    "number-2026.png": "2026",
    "phone-number-photo.jpg": "5550123",
    "seven-crossed.png": "7",
    "seven.png": "7",
    "six-tiny.png": "6",
    "star.png": "",
    "three-white-on-black.png": "3",
    "two-transparent.png": "2",
}


@pytest.fixture
def picture(seven: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "seven.png"
    Image.fromarray(seven).save(path)
    return path


def test_the_command_reads_every_example(run) -> None:  # type: ignore[no-untyped-def]
    result = run("predict.py", "examples/", "--json")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert {os.path.basename(o["path"]): o["text"] for o in objects} == EXAMPLES
    assert result.stderr == ""
    assert result.returncode == 0


def test_one_line_a_picture(run, picture: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("predict.py", picture, "examples/blank.png", "examples/star.png")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{picture}: 7 (") and lines[0].endswith("%)")
    assert lines[1:] == ["examples/blank.png: blank", "examples/star.png: not a digit"]
    assert (result.returncode, result.stderr) == (0, "")


def test_single_forces_one_digit(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["number-2026.png", "house.png", "blank.png", "seven.png", "nine-ruled-paper.jpg"]
    assert predict.main(["--single", "--json", *(str(ROOT / "examples" / name) for name in names)]) == 0
    number, house, blank, *digits = map(json.loads, capsys.readouterr().out.splitlines())
    assert number["text"] in "206" and len(number["digits"]) == 1 and number["rejected"] == []
    assert (house["status"], len(house["text"])) == ("ok", 1)
    assert house["digits"][0]["confidence"] < 0.5  # it is none, which is not hidden
    assert (blank["status"], blank["text"]) == ("blank", "")
    assert [digit["text"] for digit in digits] == ["7", "9"]


def test_a_picture_on_stdin(picture: Path) -> None:
    import subprocess
    import sys

    with picture.open("rb") as file:
        result = subprocess.run(
            [sys.executable, "predict.py", "-"],
            cwd=ROOT,
            stdin=file,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert result.stdout.startswith("-: 7 (")


def test_json_has_exactly_the_documented_keys(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main(["--json", str(picture), str(picture.parent / "absent.png")]) == 1
    read, failed = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(read) == list(failed) == KEYS
    assert (read["status"], read["text"], read["error"], read["rejected"]) == ("ok", "7", None, [])
    (digit,) = read["digits"]
    assert sorted(digit) == ["box", "confidence", "digit", "probs"]
    assert digit["digit"] == "7" and len(digit["probs"]) == 10 and len(digit["box"]) == 4
    assert (failed["status"], failed["text"], failed["digits"]) == ("error", "", [])
    assert "absent.png" in failed["error"]


def test_a_bad_file_among_good_ones_is_reported_and_the_rest_is_read(
    picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = picture.with_name("bad.png")
    bad.write_bytes(b"no image")
    assert predict.main([str(bad), str(picture)]) == 1
    out, err = capsys.readouterr()
    assert "seven.png: 7" in out and "bad.png" not in out
    assert err.startswith("predict.py: ") and "bad.png" in err and err.count("\n") == 1


def test_folders_are_read_with_all_below_them(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = picture.parent / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "notes.txt").write_text("not a picture")
    (deep / "again.png").write_bytes(picture.read_bytes())
    assert predict.main([str(picture.parent)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_folder_without_pictures_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main([str(tmp_path)]) == 1
    assert "holds no pictures" in capsys.readouterr().err


@pytest.mark.parametrize("content, cure", [(None, "train.py"), (b"junk", "not a model file")])
def test_a_model_that_is_missing_or_broken_is_one_line(
    content: bytes | None, cure: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = picture.with_name("model.pth")
    if content is not None:
        model.write_bytes(content)
    assert predict.main(["--model", str(model), str(picture)]) == 1
    err = capsys.readouterr().err
    assert cure in err and str(model) in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["--top", "0", "x.png"], ["--nonsense", "x.png"]])
def test_wrong_usage_exits_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        predict.main(words)
    assert caught.value.code == 2


def test_top_shows_what_was_refused() -> None:
    sure, none = (0.0,) * 7 + (0.9, 0.1, 0.0), (0.1,) * 10
    frame = np.zeros((28, 28), np.float32)
    groups = [Digit("7", 0.9, sure, (0, 0, 9, 9), frame), Digit("0", 0.1, none, (9, 0, 9, 9), frame, False)]
    assert (
        predict.describe(Reading("ok", "7?", tuple(groups)), tuple("0123456789"), 2)
        == "7 (90.0%), 8 (10.0%); ?"
    )


def test_top_ranks_the_classes(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main(["--top", "3", str(picture)]) == 0
    out = capsys.readouterr().out
    assert out.split(": ", 1)[1].startswith("7 (") and out.count("%") == 3


def test_the_plot_is_a_picture(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "plot.png"
    assert predict.main(["--plot", str(plot), str(picture), str(ROOT / "examples" / "number-2026.png")]) == 0
    with Image.open(plot) as drawn:
        assert min(drawn.size) > 300


@pytest.mark.skipif(os.name == "nt", reason="Windows file names are Unicode")
def test_a_name_that_is_not_utf8_is_read(picture: Path, run) -> None:  # type: ignore[no-untyped-def]
    odd = os.path.join(os.fsencode(picture.parent), b"\xff.png")
    with open(odd, "wb") as file:
        file.write(picture.read_bytes())
    result = run("predict.py", os.fsdecode(odd))
    assert (result.returncode, result.stderr) == (0, "")
    assert ".png: 7 (" in result.stdout


@pytest.mark.skipif(
    os.name == "nt" or os.getuid() == 0 and not os.path.exists("/proc/self/status"),
    reason="POSIX permissions",
)
def test_an_unreadable_file_is_one_line(picture: Path) -> None:
    picture.chmod(0)
    code = (
        f"try:\n    read_ink.read_ink({str(picture)!r})\nexcept PermissionError as e:\n    print(e.strerror)"
    )
    result = child("from ink import looks as read_ink", NOBODY, code, picture.parent)
    assert "ermission" in result.stdout, result.stderr


@pytest.mark.skipif(
    os.name == "nt" or os.getuid() == 0 and not os.path.exists("/proc/self/status"),
    reason="POSIX permissions",
)
def test_a_folder_that_cannot_be_looked_into_is_said(picture: Path) -> None:
    (picture.parent / "closed").mkdir(mode=0)
    code = f"for name, source in predict.find_pictures([{str(picture.parent)!r}]): print(name, source)"
    result = child("import predict", NOBODY, code, picture.parent)
    assert "closed [Errno 13] Permission denied" in result.stdout and picture.name in result.stdout, (
        result.stderr
    )


def test_float_ink_is_drawn_too_and_nothing_is_an_error(
    seven: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda axes, text, **style: titles.append(text))
    predict.plot_pictures([1 - seven / np.float32(255)], tmp_path / "seen.png")
    assert (tmp_path / "seen.png").stat().st_size > 1000
    assert titles[0].startswith("7 (")
    with pytest.raises(ValueError, match="no picture"):
        predict.plot_pictures([], tmp_path / "none.png")


def test_predict_user_input_returns_the_digit(recognizer, picture: Path) -> None:  # type: ignore[no-untyped-def]
    assert predict.predict_user_input(recognizer, picture) == 7
    assert predict.predict_user_input(recognizer, ROOT / "examples" / "blank.png") is None


def test_a_device_that_does_not_work_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    assert predict.main(["--device", absent, str(ROOT / "examples")]) == 1
    assert capsys.readouterr().err == (
        f"predict.py: the device '{absent}' does not work here (not available): leave --device out to use one that does\n"
    )


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="Windows has no such signal")
def test_a_reader_that_stops_early_gets_no_traceback() -> None:
    command = f"{shlex.quote(sys.executable)} predict.py examples examples examples | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.count("\n") == 1 and done.stderr == ""


def test_garbage_is_collected_again_once_all_is_imported() -> None:
    words = (
        "import gc, runpy, sys; seen = []; from base import command; command.run = lambda main: seen.append(gc.isenabled()); "
        "runpy.run_path('predict.py', run_name='__main__'); import predict; print(seen, gc.isenabled())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.stdout == "[True] True\n", ended.stderr


def test_a_name_with_dollar_signs_is_no_formula(picture: Path, tmp_path: Path) -> None:
    name = tmp_path / "cost_$5_$6.png"
    name.write_bytes(picture.read_bytes())
    assert predict.main([str(name), "--plot", str(tmp_path / "plot.png")]) == 0
    assert (tmp_path / "plot.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="no such names")
def test_a_name_that_a_terminal_would_act_on_is_escaped(
    tmp_path: Path, seven: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(seven).save(tmp_path / "a\nb\x1b[2J\u202f.png")
    assert predict.main([str(tmp_path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path}/a\\x0ab\\x1b[2J\u202f.png: 7 (")
