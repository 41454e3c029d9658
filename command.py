"""How the commands end: quietly in a pipe, in one line at Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


def run(main: Callable[[], int]) -> NoReturn:
    """Call a command's `main` and exit with what it returns; with 130 where Ctrl-C stopped it.

    `predict.py ... | head` ends as other filters do, and a name that cannot be printed is printed escaped.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        code = main()
    except KeyboardInterrupt:  # caught out here: in a loop Python 3.14 lets some slip past the loop's own handler
        print(f"{Path(sys.argv[0]).name}: stopped", file=sys.stderr)
        code = 130
    sys.exit(code)
