"""How the commands end: quietly in a pipe, in one line at Ctrl-C or an error."""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import logging
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from base.storage import NO_FOLDER

OLDEST_PYTHON = (3, 11)
CURES = {  # of what a disk or a system says
    errno.ENOSPC: "make room on that disk, or write elsewhere",
    errno.EDQUOT: "make room in your quota, or write elsewhere",
    errno.EFBIG: "write where larger files are taken",
    errno.EIO: "the disk or the way to it fails, use another",
    errno.EROFS: "write elsewhere",
    errno.EACCES: "change its permissions, or use another",
    errno.EPERM: "change its permissions, or use another",
}


def run(main: Callable[[], int], filters: bool = True) -> NoReturn:
    """Call a command's `main` as `status` does, and exit with what that returns.

    A closed pipe (`... | head`) ends the program quietly; with `filters` at once, by the signal. Names that
    cannot be printed are escaped.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as under pythonw, or closed by the caller
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if sys.version_info < OLDEST_PYTHON:  # noqa: UP036
        wanted = ".".join(map(str, OLDEST_PYTHON))
        print(f"{_name(main)}: needs Python {wanted} or later; {sys.executable} is older", file=sys.stderr)
        sys.exit(1)
    if filters and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    code = status(main)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # what is left in the buffer goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if "TORCHELASTIC_RUN_ID" in os.environ:  # set by torchrun, whose libraries' threads may abort an exit
        logging.shutdown()
        os._exit(code)
    sys.exit(code)


def status(main: Callable[..., int], *argv: list[str]) -> int:
    """Return the exit status of a command: what `main` returns, 130 where Ctrl-C stopped it, 1 after an error.

    An OSError, ValueError or RuntimeError is told in one line on stderr, and so is a package that is not
    installed. Any other is a fault of the program and keeps its traceback, as all do under `python -X dev`.
    """
    try:
        code = main(*argv)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:  # Python 3.14 lets some slip past a loop's own handler
        print(f"{_name(main)}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # where there is no SIGPIPE
        return 1
    except ModuleNotFoundError as error:
        if not error.name or _is_ours(error.name):
            raise
        print(f"{_name(main)}: {_how_to_install(error.name)}", file=sys.stderr)
        return 1
    except (OSError, ValueError, RuntimeError) as error:
        if sys.flags.dev_mode:
            raise
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = "standard output"  # a full disk under what is printed
        print(f"{_name(main)}: {one_line(error)}", file=sys.stderr)
        return 1


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Put garbage collection off while packages are imported: it takes a sixth of torch's import."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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
        missing = isinstance(error, FileNotFoundError) and error.strerror != NO_FOLDER
        cure = f": {CURES[error.errno]}" if error.errno in CURES else ""
        return f"{name}: {'no such file' if missing else error.strerror.lower()}{cure}"
    said = printable(" ".join(str(error).split()))
    known = isinstance(error, (OSError, ValueError, RuntimeError, ImportError)) and said
    return said if known else f"{type(error).__name__}: {said}"


def _name(main: Callable[..., int]) -> str:
    """Return the file name of the program that `main` belongs to."""
    module = main.__module__
    return Path(sys.argv[0]).name if module == "__main__" else f"{module.rpartition('.')[2]}.py"


def _is_ours(module: str) -> bool:
    root = Path(__file__).parent.parent / module.partition(".")[0]
    return root.is_dir() or root.with_suffix(".py").is_file()


def _how_to_install(module: str) -> str:
    package = module.partition(".")[0]
    activate = ".venv\\Scripts\\activate" if os.name == "nt" else "source .venv/bin/activate"
    return (
        f"{package} is not installed for {sys.executable}: activate the virtual environment ({activate}), "
        "or run `pip install -r requirements.txt`"
    )
