"""How commands end: with what main returns, at Ctrl-C, in a pipe that closes, with names that cannot be printed."""

import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

RUN = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = '/some/where/test.py'; import command\n"


def run(main: str, **options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", f"{RUN}def main():\n    {main}\ncommand.run(main)"]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, env={**os.environ, **options})


def test_the_exit_status_is_what_main_returns() -> None:
    assert [run(f"return {code}").returncode for code in (0, 1, 2)] == [0, 1, 2]


def test_ctrl_c_is_one_line_and_130() -> None:
    ended = run("raise KeyboardInterrupt")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "test.py: stopped\n")


def test_a_name_that_cannot_be_printed_is_printed_escaped() -> None:
    ended = run("print(chr(0x445), chr(0xdce9)); return 0", PYTHONIOENCODING="latin-1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "\\u0445 \\udce9\n", "")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_pipe_that_closes_ends_it_quietly() -> None:
    words = [sys.executable, "-c", f"{RUN}def main():\n    while True: print('a line', flush=True)\ncommand.run(main)"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None and process.stdout.readline() == "a line\n"
    process.stdout.close()
    assert process.wait(60) == -signal.SIGPIPE and process.stderr.read() == ""
    process.stderr.close()
