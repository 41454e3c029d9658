"""The command reads what a user has, one line a picture, and says what is wrong."""

import io
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
from base import command
from base.storage import is_ours
from dataset import Batches, Digits
from ink.decode import FORMATS, PictureError
from recognizer.answer import Digit, Reading, describe
from recognizer.road import Recognizer
from recognizer.sources import find_pictures

KEYS = ["path", "status", "text", "digits", "rejected", "signs", "alternatives", "turned", "error"]
EXAMPLES = {
    "blank.png": "",
    "minus-3.14.png": "-3.14",
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
    assert command.status(predict.main, ["--model", str(model), str(picture)]) == 1
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
    assert describe(Reading("ok", "7?", tuple(groups)), tuple("0123456789"), 2) == "7 (90.0%), 8 (10.0%); ?"


def test_top_ranks_the_classes(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main(["--top", "3", str(picture)]) == 0
    out = capsys.readouterr().out
    assert out.split(": ", 1)[1].startswith("7 (") and out.count("%") == 3


def test_the_plot_is_a_picture(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "plot.png"
    assert predict.main(["--plot", str(plot), str(picture), str(ROOT / "examples" / "number-2026.png")]) == 0
    with Image.open(plot) as drawn:
        assert min(drawn.size) > 250


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
    code = f"for name, source in find_pictures([{str(picture.parent)!r}]): print(name, source)"
    result = child("from recognizer.sources import find_pictures", NOBODY, code, picture.parent)
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
    absent = "cuda" if not torch.cuda.is_available() else "cuda:99"
    assert command.status(predict.main, ["--device", absent, str(ROOT / "examples")]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"predict.py: the device '{absent}' does not work here (")
    assert told.endswith("): leave --device out to use one that does\n") and told.count("\n") == 1


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="Windows has no such signal")
def test_a_reader_that_stops_early_gets_no_traceback() -> None:
    line = f"{shlex.quote(sys.executable)} predict.py examples examples examples | head -n 1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.count("\n") == 1 and done.stderr == ""


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


# ---------------------------------------------------------------------------------- no file is overwritten


def test_a_plot_never_takes_the_place_of_a_picture(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, before = tmp_path / "other.png", picture.read_bytes()
    other.write_bytes(before)
    for words in ([picture, "--plot", picture], ["--plot", picture, other]):
        assert command.status(predict.main, list(map(str, words))) == 1
        assert "name another file" in capsys.readouterr().err and picture.read_bytes() == before
    assert command.status(predict.main, ["--force", "--plot", str(picture), str(picture)]) == 1
    assert picture.read_bytes() == before  # what is read stays, whatever is forced
    assert predict.main(["--force", "--plot", str(picture), str(other)]) == 0
    assert picture.read_bytes() != before and f"wrote {picture}" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_a_plot_of_ours_is_drawn_again_and_never_read(
    kind: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / f"seen.{kind}"
    for _ in range(2):
        assert predict.main(["--plot", str(plot), str(tmp_path)]) == 0
        assert capsys.readouterr().out.count("\n") == 1 and is_ours(plot)


def test_a_plot_for_a_missing_folder_is_told_before_anything_is_read(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.status(predict.main, ["--plot", str(tmp_path / "absent" / "seen.png"), str(picture)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err == f"predict.py: {tmp_path / 'absent'}: no such folder\n"


# ---------------------------------------------------------------------------------- what can be named


def test_patterns_that_the_shell_left_are_expanded_in_natural_order(picture: Path, tmp_path: Path) -> None:
    for name in ("p10.png", "p9.png", "p100.png", "q1.png"):
        (tmp_path / name).write_bytes(picture.read_bytes())
    found = [os.path.basename(name) for name, _ in find_pictures([str(tmp_path / "p*.png")])]
    assert found == ["p9.png", "p10.png", "p100.png"]
    assert [os.path.basename(name) for name, _ in find_pictures([str(tmp_path)])] == [
        *found,
        "q1.png",
        "seven.png",
    ]
    ((_, problem),) = find_pictures([str(tmp_path / "z*.png")])
    assert "no file matches" in str(problem)
    (tmp_path / "odd[1].png").write_bytes(picture.read_bytes())  # a name that looks like a pattern
    assert [source for _, source in find_pictures([str(tmp_path / "odd[1].png")])] == [
        str(tmp_path / "odd[1].png")
    ]


def test_an_address_and_an_empty_stdin_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, problem),) = find_pictures(["https://example.org/seven.png"])
    assert "is an address" in str(problem)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    ((_, problem),) = find_pictures(["-"])
    assert "stdin was empty" in str(problem)


def test_an_iphones_picture_is_read(recognizer: Recognizer, seven: np.ndarray, tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "seven.heic"
    pillow_heif.from_pillow(Image.fromarray(seven).convert("RGB")).save(path)
    assert recognizer.read(path).text == "7"


def test_without_its_package_an_iphones_picture_names_the_cure(
    recognizer: Recognizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ink.decode._formats", lambda: FORMATS)
    (tmp_path / "seven.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(PictureError, match="pip install pillow-heif"):
        recognizer.read(tmp_path / "seven.heic")


def test_the_pages_of_a_pdf_are_read(seven: np.ndarray, three: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    pages = [Image.fromarray(page) for page in (seven, three)]
    pages[0].save(tmp_path / "two.pdf", save_all=True, append_images=pages[1:])
    found = list(find_pictures([str(tmp_path / "two.pdf")]))
    assert [name for name, _ in found] == [f"{tmp_path / 'two.pdf'}, page {number}" for number in (1, 2)]
    assert [Recognizer().read(page).text for _, page in found] == ["7", "3"]
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 and no more")
    ((_, problem),) = find_pictures([str(tmp_path / "bad.pdf")])
    assert "damaged" in str(problem)


def test_without_its_package_a_pdf_names_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    Image.new("L", (80, 80), 255).save(tmp_path / "blank.pdf")
    assert predict.main([str(tmp_path / "blank.pdf")]) == 1
    assert "pip install pypdfium2" in (err := capsys.readouterr().err) and err.count("\n") == 1


def test_corrections_are_two_options_and_eat_no_picture(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    assert predict.main(["--corrections", str(picture)]) == 0
    (tmp_path / "mine").mkdir()
    assert predict.main(["--corrections-in", str(tmp_path / "mine"), str(picture)]) == 0
    assert command.status(predict.main, ["--corrections-in", str(tmp_path / "none"), str(picture)]) == 1
    assert "no folder of corrections" in capsys.readouterr().err


def test_a_wrong_type_says_what_is_accepted_and_a_tensor_is_a_picture(
    recognizer: Recognizer, digits: Digits
) -> None:
    for wrong in ([[0] * 28] * 28, None, 7):
        with pytest.raises(TypeError, match=r"a path, bytes, .* or a tensor"):
            recognizer.read(wrong)  # type: ignore[arg-type]
    images, labels = next(iter(Batches(digits, 20)))
    for tensors in (images, images[:, 0], digits.images[:20]):  # (1, 28, 28), (28, 28), uint8
        assert sum(recognizer.read(tensor).text == str(int(y)) for tensor, y in zip(tensors, labels)) >= 19


def test_objects_say_what_they_are(recognizer: Recognizer, digits: Digits) -> None:
    assert repr(recognizer) == "<Recognizer: residual, 10 classes, on cpu>"
    assert repr(Batches(digits, 100)).startswith("<Batches: ")


# ---------------------------------------------------------------------------------- starting


@pytest.mark.parametrize("name", ["predict.py", "test.py", "export.py"])
@pytest.mark.parametrize("word, code", [("--help", 0), ("--nonsense", 2)])
def test_help_and_usage_errors_import_nothing_heavy(name: str, word: str, code: int) -> None:
    lines = f"""
import runpy, sys
sys.argv = [{name!r}, {word!r}]
try:
    runpy.run_path({str(ROOT / name)!r}, run_name="__main__")
except SystemExit as end:
    print(end.code, *({{"torch", "numpy", "PIL", "scipy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == str(code), done.stdout + done.stderr


@pytest.mark.parametrize("name", ["predict.py", "test.py", "export.py"])
def test_a_forgotten_environment_is_one_line_that_names_the_cure(name: str, tmp_path: Path) -> None:
    words = [sys.executable, "-S", str(ROOT / name), *(["x.png"] if name == "predict.py" else [])]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "is not installed for" in done.stderr and "pip install -r requirements.txt" in done.stderr


@pytest.mark.parametrize(
    "suffix, reader", [(".pt2", "torch.export.load"), (".torchscript", "torch.jit.load")]
)
def test_an_export_for_other_programs_is_told_apart(
    suffix: str, reader: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"model{suffix}").write_bytes(b"PK\x03\x04")
    assert command.status(predict.main, ["--model", str(tmp_path / f"model{suffix}"), str(picture)]) == 1
    err = capsys.readouterr().err
    assert reader in err and ".onnx" in err and err.count("\n") == 1
