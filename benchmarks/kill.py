"""Kill -9 a training and a correcting program at random instants, and look at what they leave.

    $ python -m benchmarks.kill --count 200 --seed 0

After each kill during training every model and resume file there is must load, the epoch of the resume file must not have gone
back, and the next training goes on from it. After each kill during corrections every correction that the program had said it
kept must be there, and no file damaged. Programs start once and fork, so that an instant costs no start of torch.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from base import command
from benchmarks.record import add_record, write_record

WORDS = 5  # that a program may say before it is killed


def killed(program: Callable[[Callable[[str], None]], None], rng: random.Random, errors: Path) -> list[str]:
    """Run `program` in a fork and return the words it got out before it was killed.

    It is killed at a random instant after one of its first words, no later than it would have said about the next but one.
    """
    read_end, write_end = os.pipe()

    def say(word: str) -> None:
        os.write(write_end, f"{word}\n".encode())

    child = os.fork()
    if child == 0:
        os.close(read_end)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        status = 1
        try:
            program(say)
            status = 0
        finally:
            os._exit(status)
    os.close(write_end)
    said, heard, last = b"", [0.0], time.monotonic()
    for _ in range(rng.randint(1, WORDS)):
        if not select.select([read_end], [], [], 300)[0] or not (part := os.read(read_end, 4096)):
            break
        said += part
        heard.append(time.monotonic() - last)
        last = time.monotonic()
    time.sleep(rng.uniform(0, 1.5) * min(heard[-1], 2.0))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as file:
        said += file.read()
    return said.decode().split("\n")[:-1]  # a word cut short was not said


def kill_training(count: int, rng: random.Random, folder: Path) -> dict[str, int]:
    """Kill `count` trainings and return what was found."""
    import torch

    import dataset
    import train
    from base.checkpoint import load_checkpoint, read_plain
    from dataset import Digits
    from training import run as training

    torch.set_num_threads(1)  # a fork has one
    generator = torch.Generator().manual_seed(0)
    digits = Digits(
        torch.randint(0, 256, (320, 1, 28, 28), dtype=torch.uint8, generator=generator),
        torch.arange(320) % 10,
        "noise",
    )
    dataset.load_mnist = lambda *_, **__: digits
    output, resume = folder / "model.pth", folder / "model.resume.pth"
    words = [
        "--arch",
        "tiny",
        "--epochs",
        "1",
        "--batch-size",
        "32",
        "--augment",
        "none",
        "--device",
        "cpu",
        "--precision",
        "fp32",
    ]
    words += ["--forever", "--output", str(output)]
    torch.optim.AdamW([torch.zeros(1)], 0.1)  # imports what a fork would import
    found = {"kills": 0, "models": 0, "resumes": 0, "within a write": 0}
    latest = (0, 0)

    def program(say: Callable[[str], None]) -> None:
        before = training.Run.train_epoch

        def telling(self: training.Run, *reports: Any) -> dict[str, float]:
            say(str(self.epoch))
            return before(self, *reports)

        training.Run.train_epoch = telling  # type: ignore[method-assign, assignment]
        train.main([*words, "--resume"] if resume.exists() else words)

    while found["kills"] < count:
        said = killed(program, rng, folder / "errors")
        if not said:
            raise RuntimeError(
                f"the training did not begin after {found}: {(folder / 'errors').read_text()[-2000:]}"
            )
        found["kills"] += 1
        if output.exists():
            load_checkpoint(output)
            found["models"] += 1
        if resume.exists():
            content = read_plain(resume)
            place = content["epoch"], content["batch"]
            if place < latest or content["epoch"] < int(said[-1]):
                raise AssertionError(f"the resume file went back from {latest} to {place}")
            latest = place
            found["resumes"] += 1
        litter = list(folder.glob(".*.partial"))
        found["within a write"] += bool(litter)
        for path in litter:
            path.unlink()
    return found


def kill_corrections(count: int, rng: random.Random, folder: Path) -> dict[str, int]:
    """Kill `count` programs that give corrections and take some back; return what was found."""
    import numpy as np

    from corrections.memory import Memory

    found = {"kills": 0, "kept": 0, "taken back": 0, "within a write": 0}
    there: set[str] = set()

    def program(say: Callable[[str], None]) -> None:
        memory = Memory(folder)
        noise = np.random.default_rng(os.getpid())
        say("begun")
        while True:
            say("+" + memory.learn(noise.random((28, 28), np.float32), "7").id)
            if noise.random() < 0.3:
                say("?")  # from now on the latest may be gone
                entry = memory.undo()
                say(f"-{entry.id if entry else ''}")

    while found["kills"] < count:
        said = killed(program, rng, folder / "errors")
        found["kills"] += 1
        for word in said:
            if word.startswith("+"):
                there.add(word[1:])
                found["kept"] += 1
            elif word.startswith("-"):
                there.discard(word[1:])
                found["taken back"] += 1
        memory = Memory(folder)
        now = {entry.id for entry in memory.entries()}
        lost = there - now
        if lost and (said[-1:] != ["?"] or lost != {max(there)}):
            raise AssertionError(f"corrections lost: {sorted(lost)}")
        if memory.damaged:
            raise AssertionError(f"damaged: {memory.damaged}")
        there = now
        litter = list(folder.glob(".*.partial"))
        found["within a write"] += bool(litter)
        if len(now) > 500:
            memory.forget_all()
            there = set()
        for path in litter:
            path.unlink()
    return found


def main(argv: list[str] | None = None) -> int:
    """Kill, look, print; return 0, or fail where something was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kill",
        description="Kill programs at random instants and look at their files.",
    )
    parser.add_argument(
        "--count", type=command.number(int, 1), default=200, help="kills of each kind (default: 200)"
    )
    parser.add_argument("--seed", type=int, default=0)
    add_record(parser, model=False)
    arguments = parser.parse_args(argv)
    rows = []
    for name, run in (("corrections", kill_corrections), ("training", kill_training)):
        with tempfile.TemporaryDirectory() as folder:
            found = run(arguments.count, random.Random(arguments.seed), Path(folder))
        print(
            f"{name}: "
            + ", ".join(f"{value:,} {key}" for key, value in found.items())
            + "; nothing lost, all files load",
            flush=True,
        )
        rows.append({"what": f"killed during {name}", **found})
    if arguments.record:
        write_record("kill", rows, None, argv)
    return 0


if __name__ == "__main__":
    command.run(main)
