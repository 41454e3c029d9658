"""How commands end: with what main returns, at Ctrl-C, in a pipe that closes, with names that cannot be printed."""

import argparse
import gc
import io
import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

from base import command

RUN = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = '/some/where/test.py'; from base import command\n"


def run(main: str, **options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", f"{RUN}def main():\n    {main}\ncommand.run(main)"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, env={**os.environ, **options})


def test_the_exit_status_is_what_main_returns() -> None:
    assert [run(f"return {code}").returncode for code in (0, 1, 2)] == [0, 1, 2]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_under_torchrun_nothing_that_is_left_aborts_the_exit() -> None:
    abort = "import atexit; atexit.register(os.abort); print('said'); return 3"
    ended = run(f"import os; {abort}", TORCHELASTIC_RUN_ID="none")
    assert (ended.returncode, ended.stdout) == (3, "said\n")
    assert run(f"import os; {abort}").returncode == -signal.SIGABRT


def test_ctrl_c_is_one_line_and_130() -> None:
    ended = run("raise KeyboardInterrupt")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "test.py: stopped\n")


def test_an_error_that_a_user_can_mend_is_one_line_and_any_other_keeps_its_trace() -> None:
    for error in ("ValueError", "RuntimeError", "OSError"):
        ended = run(f"raise {error}('no\\nMNIST')")
        assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "test.py: no MNIST\n")
    ended = run("raise KeyError('x')")
    assert ended.returncode == 1 and "Traceback" in ended.stderr
    ended = run("raise ValueError('x')", PYTHONDEVMODE="1")
    assert ended.returncode == 1 and "Traceback" in ended.stderr


def test_a_missing_package_names_the_cure_and_a_missing_module_of_ours_is_a_fault() -> None:
    ended = run("import nowhere.at_all")
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1
    assert f"nowhere is not installed for {sys.executable}" in ended.stderr
    assert "Traceback" in run("import base.nothing").stderr


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "OLDEST_PYTHON", (99, 0))
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", told := io.TextIOWrapper(io.BytesIO(), write_through=True))
    with pytest.raises(SystemExit) as ended:
        command.run(lambda: 0)
    said = told.buffer.getvalue()  # type: ignore[attr-defined]
    assert ended.value.code == 1 and b"needs Python 99.0 or later" in said


def test_garbage_is_collected_again_once_all_is_imported() -> None:
    with command.importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_status_names_the_command_whose_main_it_calls(capsys: pytest.CaptureFixture[str]) -> None:
    import predict

    assert command.status(predict.main, ["--model", "absent.pth", "x.png"]) == 1
    assert capsys.readouterr().err.startswith("predict.py: no model at absent.pth")


def test_a_name_that_cannot_be_printed_is_printed_escaped() -> None:
    ended = run("print(chr(0x445), chr(0xdce9)); return 0", PYTHONIOENCODING="latin-1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "\\u0445 \\udce9\n", "")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_pipe_that_closes_ends_it_quietly() -> None:
    words = [
        sys.executable,
        "-c",
        f"{RUN}def main():\n    while True: print('a line', flush=True)\ncommand.run(main)",
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert (
        process.stdout is not None and process.stderr is not None and process.stdout.readline() == "a line\n"
    )
    process.stdout.close()
    assert process.wait(60) == -signal.SIGPIPE and process.stderr.read() == ""
    process.stderr.close()


def test_without_sigpipe_a_closed_pipe_ends_it_quietly_too() -> None:
    code = (
        f"{RUN}import signal\ndel signal.SIGPIPE\n"
        "def main():\n    while True: print('a line', flush=True)\ncommand.run(main)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert (
        process.stdout is not None and process.stderr is not None and process.stdout.readline() == "a line\n"
    )
    process.stdout.close()
    assert process.wait(60) == 1 and process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's disk that is always full")
def test_a_full_disk_under_the_output_is_one_line() -> None:
    for flush in (True, False):
        code = f"{RUN}def main():\n    print('a line', flush={flush})\n    return 0\ncommand.run(main)"
        with open("/dev/full", "w") as full:
            ended = subprocess.run(
                [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
            )
        assert (ended.returncode, ended.stderr) == (
            1,
            f"test.py: standard output: no space left on device: {command.CURES[28]}\n",
        )


def test_without_standard_streams_it_runs() -> None:
    for main, status in (("lambda: 3", 3), ("lambda: (_ for _ in ()).throw(BrokenPipeError)", 1)):
        code = f"{RUN}sys.stdout = sys.stderr = None\ncommand.run({main})"
        assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == status


def test_errors_are_one_line_that_names_the_file() -> None:
    assert (
        command.one_line(FileNotFoundError(2, "No such file or directory", "x.png")) == "x.png: no such file"
    )
    assert command.one_line(PermissionError(13, "Permission denied", b"x.png")).startswith(
        "x.png: permission denied: ch"
    )
    assert command.one_line(ValueError("a line\nand another")) == "a line and another"
    assert command.one_line(KeyError("x")) == "KeyError: 'x'"
    assert command.one_line(FileNotFoundError(2, "No such file", "a\nb")) == "a\\x0ab: no such file"
    assert command.one_line(ValueError("\x1b[2Jgone")) == "\\x1b[2Jgone"


@pytest.mark.parametrize(
    "text, message", [("0", "of at least 1"), ("two", "no whole number"), ("1.5", "no whole number")]
)
def test_a_number_out_of_range_is_named(text: str, message: str) -> None:
    assert command.number(int, 1)("3") == 3
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        command.number(int, 1)(text)
    with pytest.raises(argparse.ArgumentTypeError, match="'nan' is no number from 0.5 to 4"):
        command.number(float, 0.5, 4)("nan")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("name", ["train.py", "app.py"])
def test_ctrl_c_while_a_program_starts_is_one_line(name: str) -> None:
    code = f"""
import runpy, sys, argparse
sys.path.insert(0, {str(ROOT)!r})
def stopped(*_):
    raise KeyboardInterrupt
argparse.ArgumentParser.parse_args = stopped
sys.argv = [{name!r}]
runpy.run_path({str(ROOT / name)!r}, run_name="__main__")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (130, f"{name}: stopped\n")
