"""Feed damaged and hostile files to every reader, and hostile words to every command; print what happened.

    $ python -m benchmarks.fuzz --cases 20000 --seed 0

A case is one valid input with its bytes flipped, cut, repeated, spliced or its fields replaced, read in
process by the code that reads it for a user. It fails if anything is raised that the reader does not
document, if it takes more than 5 s of the processor or 60 s by the clock, if the input file or the shipped
model is changed, or if the process has ever held more than 2 GB. Each kind of input runs in a process of its
own, so that a crash of the interpreter is counted too. Any case can be made again from its number: `--kind
jpeg --first 1234 --cases 1`, but for the times in corrections and resume files.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from base import command  # noqa: E402
from benchmarks.hostile.damage import mutated  # noqa: E402
from benchmarks.hostile.kinds import CORPORA  # noqa: E402
from benchmarks.hostile.readers import Refused, make_reader  # noqa: E402
from benchmarks.hostile.words import commands  # noqa: E402
from benchmarks.record import ROOT, add_record, write_record  # noqa: E402

SLOW = 5.0  # seconds of processor time a case may take: those of a clock where nothing else runs
STUCK = 60.0  # seconds by the clock
LARGE = 2 << 30  # bytes the process may hold
SHARES = {
    "png": 2,
    "jpeg": 2,
    "gif": 1,
    "bmp": 1,
    "webp": 1,
    "tiff": 2,
    "drawn": 2,
    "idx": 2,
    "idx.gz": 1,
    "checkpoint": 2,
    "resume": 1,
    "tsv": 1,
    "npz": 1,
    "jsonl": 1,
    "jsonl.gz": 1,
    "strokes": 2,
    "correction": 2,
    "settings": 1,
    "onnx": 1,
    "commands": 1,
}


@dataclass
class Tally:
    """What became of the cases of one kind."""

    kind: str
    cases: int = 0
    accepted: int = 0
    refused: int = 0  # with a documented exception, or exit status 1 or 2
    slowest: float = 0.0  # seconds
    memory: int = 0  # bytes; the most the process has held
    failures: list[str] = field(default_factory=list)


class TooSlow(BaseException):
    """The case did not end in time."""


def fuzz(kind: str, cases: int, seed: int, folder: Path, first: int = 0, keep: Path | None = None) -> Tally:
    """Run the cases first .. first + cases - 1 of a kind in this process, with `folder` for their files."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    reader = make_reader(kind, folder)
    model = digest(ROOT / "model.pth")
    tally = Tally(kind)
    for number in range(first, first + cases):
        rng = random.Random(f"{seed} {kind} {number}")
        outcome, seconds = run_case(kind, reader, rng, number, folder)
        tally.cases += 1
        tally.accepted += outcome == "accepted"
        tally.refused += outcome == "refused"
        tally.slowest = max(tally.slowest, seconds)
        if outcome not in ("accepted", "refused"):
            tally.failures.append(f"{kind} {number}: {outcome}")
            if keep and (folder / "input").exists():
                (keep / f"{kind}-{number}").write_bytes((folder / "input").read_bytes())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if peak > LARGE >= tally.memory:
            tally.failures.append(f"{kind} {number}: {peak >> 20} MB held")
        tally.memory = peak
        if digest(ROOT / "model.pth") != model:
            tally.failures.append(f"{kind} {number}: model.pth was changed")
            break
    return tally


def run_case(
    kind: str, reader: Callable[[Any], None], rng: random.Random, number: int, folder: Path
) -> tuple[str, float]:
    """Return ("accepted", "refused" or what went wrong, seconds)."""
    case: Any = commands(rng, folder) if kind == "commands" else mutated(CORPORA[kind], rng, number)
    said = io.StringIO()
    started = time.process_time()
    for signum, timer, limit in (
        (signal.SIGPROF, signal.ITIMER_PROF, SLOW),
        (signal.SIGALRM, signal.ITIMER_REAL, STUCK),
    ):
        signal.signal(signum, _too_slow)
        signal.setitimer(timer, limit)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            reader(case)
        outcome = "accepted"
    except Refused:
        outcome = "refused"
    except TooSlow:
        outcome = f"took more than {SLOW:.0f} s"
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = f"{type(error).__name__}: {str(error)[:150]} ({Path(where.filename).name}:{where.lineno})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    if "Traceback" in said.getvalue():
        outcome = "a traceback was printed"
    if outcome not in ("accepted", "refused") and kind == "commands":
        outcome += f" for {case}"
    return outcome, time.process_time() - started


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _too_slow(*_: object) -> None:
    raise TooSlow


# ---------------------------------------------------------------------------------- all kinds, a process each


def main(argv: list[str] | None = None) -> int:
    """Run the cases and print the table; return 1 if any failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description="Feed hostile inputs to every reader."
    )
    parser.add_argument(
        "--cases", type=command.number(int, 1), default=20_000, help="in all (default: 20000), or of --kind"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=SHARES, help="this kind only, in this process, as one line of JSON")
    parser.add_argument(
        "--first", type=command.number(int, 0), default=0, help="number of the first case (default: 0)"
    )
    parser.add_argument("--keep", type=Path, help="folder for the inputs that failed")
    add_record(parser, model=False)
    arguments = parser.parse_args(argv)
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    if arguments.kind:
        faulthandler.enable()
        faulthandler.dump_traceback_later(600 + arguments.cases, exit=True)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(
                temporary, "a", "b"
            )  # "../.." is a word of the commands: it must not be a disk full of pictures
            folder.mkdir(parents=True)
            os.environ["XDG_DATA_HOME"] = str(
                Path(temporary, "home")
            )  # not the user's corrections and settings
            with contextlib.chdir(folder):
                tally = fuzz(
                    arguments.kind, arguments.cases, arguments.seed, folder, arguments.first, arguments.keep
                )
        print(json.dumps(tally.__dict__))
        return 1 if tally.failures else 0
    failures: list[str] = []
    rows = []
    print(
        "| input | cases | accepted | refused | failed | slowest, s | most memory, MB |\n|---|---|---|---|---|---|---|"
    )
    for kind, share in SHARES.items():
        count = max(1, round(arguments.cases * share / sum(SHARES.values())))
        words = ["--kind", kind, "--cases", str(count), "--seed", str(arguments.seed)]
        words += ["--keep", str(arguments.keep.resolve())] if arguments.keep else []
        call = [sys.executable, "-m", "benchmarks.fuzz", *words]
        result = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
        try:
            tally = Tally(**json.loads(result.stdout.splitlines()[-1]))
        except (IndexError, ValueError, TypeError):
            tally = Tally(
                kind, failures=[f"{kind}: the process ended with {result.returncode}: {result.stderr[-600:]}"]
            )
        failures += tally.failures
        rows.append({"what": kind, **{key: value for key, value in tally.__dict__.items() if key != "kind"}})
        print(
            f"| {kind} | {tally.cases:,} | {tally.accepted:,} | {tally.refused:,} | {len(tally.failures)} "
            f"| {tally.slowest:.2f} | {tally.memory >> 20:,} |",
            flush=True,
        )
    print(f"| all | {sum(row['cases'] for row in rows):,} | | | {len(failures)} | | |")
    print("\n".join(failures))
    if arguments.record:
        write_record("fuzz", rows, None, argv)
    return 1 if failures else 0


if __name__ == "__main__":
    command.run(main)
