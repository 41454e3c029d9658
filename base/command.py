"""How the commands end: quietly in a pipe, in one line at Ctrl-C or an error."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


def run(main: Callable[[], int], filters: bool = True, told: type[Exception] | tuple[()] = ()) -> NoReturn:
    """Call a command's `main` and exit with what it returns; with 130 where Ctrl-C stopped it, with 1 after an error to be `told`.

    A closed pipe (`... | head`) ends it quietly; with `filters` at once, by the signal. Names that cannot be printed are escaped.
    """
    name = Path(sys.argv[0]).name
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as under pythonw, or closed by who called
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if filters and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        code = main()
        if sys.stdout is not None:
            sys.stdout.flush()
    except (
        KeyboardInterrupt
    ):  # caught out here: in a loop Python 3.14 lets some slip past the loop's own handler
        print(f"{name}: stopped", file=sys.stderr)
        code = 130
    except told as error:
        print(f"{name}: {one_line(error)}", file=sys.stderr)
        code = 1
    except OSError as error:  # of what is printed: a full disk, or a closed pipe where there is no SIGPIPE
        if not isinstance(error, BrokenPipeError):
            error.filename = error.filename or "standard output"
            print(f"{name}: {one_line(error)}", file=sys.stderr)
        if sys.stdout is not None:
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # what is left in the buffer goes nowhere
        code = 1
    sys.exit(code)


def number(kind: Callable[[str], float], least: float, most: float = math.inf) -> Callable[[str], float]:
    """Return what reads an option's value: an int or float, as `kind` makes it, from `least` to `most`."""
    wanted = f"from {least} to {most}" if most < math.inf else f"of at least {least}"

    def read(text: str) -> float:
        with contextlib.suppress(ValueError):
            if least <= (value := kind(text)) <= most:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is no {'whole ' if kind is int else ''}number {wanted}")

    return read


def printable(text: str) -> str:
    """Return `text` with what a terminal acts on (line ends, escape sequences) as backslash escapes."""
    return "".join(f"\\x{ord(c):02x}" if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text)


def one_line(error: BaseException) -> str:
    """Return an error as one line that names the file and what is wrong."""
    if isinstance(error, OSError) and error.strerror:
        name = printable(os.fsdecode(error.filename)) if error.filename else "the file"
        return f"{name}: {'no such file' if isinstance(error, FileNotFoundError) else error.strerror.lower()}"
    said = printable(" ".join(str(error).split()))
    return (
        said
        if isinstance(error, (OSError, ValueError, RuntimeError)) and said
        else f"{type(error).__name__}: {said}"
    )
