"""Change one thing in a module and see whether a test notices: mutation testing of what must be right.

    $ pip install cosmic-ray
    $ python -m benchmarks.mutants base/storage.py --count 60

A sample of the changes that Cosmic Ray knows (a sign, a comparison, a number, a word left out) is made, one at a time,
and the module's tests (TESTS) run against each. A change that no test sees is printed: it shows a test that is
missing, or a line that does not matter. Files stay as they are: each change lives in a fork that has it in memory.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from base import command
from benchmarks.record import add_record, write_record

ROOT = Path(__file__).resolve().parent.parent
TESTS = {  # a module, and the words for pytest that run its tests
    "base/storage.py": [
        "tests/base/test_storage.py",
        "tests/base/test_every_write.py",
        "tests/base/test_two_programs.py",
        "-k",
        "not training and not corrections and not window and not at_once",
    ],
    "base/checkpoint.py": [
        "tests/base/test_checkpoint.py",
        "tests/attacks",
        "-k",
        "not pt2_is_refused",
    ],
    "ink/frame.py": ["tests/ink/test_frame.py"],
    "corrections/memory.py": [
        "tests/corrections/test_memory.py",
        "-k",
        "not killed and not label_the_network",
    ],
}
PRELOADED = (
    "torch",
    "torch._dynamo",
    "numpy",
    "scipy.ndimage",
    "PIL.Image",
    "pytest",
    "onnx",
    "onnxruntime",
    "pygame",
)
PATIENCE = 600  # seconds for one change's tests; one that takes longer is seen


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a module another source."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self.name, self.path, self.source = name, path, source

    def find_spec(self, name: str, *_: Any) -> Any:
        return (
            importlib.util.spec_from_file_location(name, self.path, loader=self)
            if name == self.name
            else None
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, str(self.path), "exec"), module.__dict__)


def changes(source: str) -> list[str]:
    """Return the sources that differ from `source` by one change which the program could notice."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    found, meaning = dict[str, str](), essence(source)
    for name in operator_names():
        with contextlib.suppress(TypeError):  # operators that want to be told more
            operator = get_operator(name)()
            number = 0
            while (changed := mutate_code(source, operator, number)) is not None:
                number += 1
                with contextlib.suppress(SyntaxError):
                    if (told := essence(changed)) != meaning:
                        found.setdefault(told, changed)
    return list(found.values())


def essence(source: str) -> str:
    """Return a module's syntax without what is never run: annotations."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for part in ("annotation", "returns"):
            if getattr(node, part, None) is not None:
                setattr(node, part, ast.Constant(None))
    return ast.dump(tree)


def is_seen(path: str, source: str, words: list[str]) -> bool:
    """Return whether the tests fail where the module at `path` has another source."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(PATIENCE)
            silent = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silent, stream)
            for name in [name for name in sys.modules if (ROOT / name.partition(".")[0]).is_dir()]:
                del sys.modules[name]  # what took values from the module as it was
            sys.meta_path.insert(0, Changed(path.removesuffix(".py").replace("/", "."), ROOT / path, source))
            import pytest

            status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *words]))
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def told(before: str, after: str) -> str:
    """Return the lines of a module that a change touches, as a difference."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def main(argv: list[str] | None = None) -> int:
    """Change, test, print the survivors and the score; return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutants",
        description="Change one thing in a module and see whether a test notices.",
    )
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help=f"from: {', '.join(TESTS)} (default: all)"
    )
    parser.add_argument(
        "--count", type=command.number(int, 1), default=60, help="changes of each module (default: 60)"
    )
    parser.add_argument("--seed", type=int, default=0)
    add_record(parser, model=False)
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.modules) - set(TESTS):
        raise ValueError(f"no tests are named for {', '.join(unknown)}: choose from {', '.join(TESTS)}")
    os.chdir(ROOT)
    for name in PRELOADED:
        importlib.import_module(name)
    rows = []
    for path in arguments.modules or TESTS:
        source = (ROOT / path).read_text(encoding="utf-8")
        if is_seen(path, source, TESTS[path]):
            raise RuntimeError(f"the tests of {path} fail as it is: {' '.join(TESTS[path])}")
        known = changes(source)
        chosen = random.Random(arguments.seed).sample(known, min(arguments.count, len(known)))
        left = []
        for number, changed in enumerate(chosen, 1):
            if not is_seen(path, changed, TESTS[path]):
                left.append(changed)
                print(f"{path}: not seen, {number} of {len(chosen)}\n{told(source, changed)}", flush=True)
        print(
            f"{path}: {len(chosen) - len(left)} of {len(chosen)} changes seen, of {len(known):,} known",
            flush=True,
        )
        rows.append({"what": path, "n": len(chosen), "seen": len(chosen) - len(left), "known": len(known)})
    if arguments.record:
        write_record("mutants", rows, None, argv)
    return 0


if __name__ == "__main__":
    command.run(main)
