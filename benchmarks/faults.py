"""Let every step of every write fail once, and cut the power after every one, and look at what is left.

    $ python -m benchmarks.faults

Each scene (benchmarks/scenes) is run again and again; the n-th call to the disk fails, for every n, with a full disk, an
input/output error and a refusal, once or from then on. Then the calls are recorded, and every state that a power loss may
leave of them is laid out: what was not flushed is there, or not, or in part. Each time all that the user had been told
must hold, every file be the old one or the new one, each message be one line that names a file and the cure, and no
temporary file stay.
"""

from __future__ import annotations

import argparse
import errno
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from base import command
from base.storage import STALE, delete_stale
from benchmarks.disk import Disk, after_power_loss, files_below, lay_out
from benchmarks.record import add_record, write_record
from benchmarks.scenes import kept, trained
from benchmarks.scenes.scene import Scene, litter

SCENES: dict[str, type[Scene]] = {
    "corrections": kept.Corrections,
    "forget all": kept.ForgetAll,
    "saved drawing": kept.SavedDrawing,
    "last drawing": kept.LastDrawing,
    "settings": kept.SettingsKept,
    "training": trained.Training,
    "resuming": trained.Resuming,
    "export": trained.Exporting,
    "plot": trained.Plotting,
}
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


def steps_of(name: str) -> int:
    """Return how many calls to the disk a scene makes."""
    with tempfile.TemporaryDirectory() as folder:
        return play(SCENES[name](), Path(folder) / "disk", Disk(Path(folder) / "disk")).calls


def play(scene: Scene, folder: Path, disk: Disk) -> Disk:
    """Run a scene in a new folder and check all that has to hold then."""
    folder.mkdir()
    scene.prepare(folder)
    with disk.in_place():
        messages = scene.run(folder, disk)
    for message in messages:
        assert "\n" not in message and ".partial" not in message, message
        assert any(cure in message for cure in command.CURES.values()), f"no cure: {message}"
        assert str(folder) in message, f"no file: {message}"
    if disk.fails < 0:
        assert not messages, messages
    if not disk.stays:
        left = [path for path in litter(folder) if disk.failed != "unlink" or path.suffix != ".lock"]
        assert not left, f"left behind: {left}"
    scene.check(folder, disk.said)
    return disk


def fail_once(name: str, number: int, error: int, stays: bool, folder: Path) -> str:
    """Let one call fail and return its kind, "" if there are not so many. Raises AssertionError where something is lost."""
    disk = Disk(folder, number, error, stays)
    try:
        return play(SCENES[name](), folder, disk).failed
    except Exception as fault:
        what = f"{name}: call {number} ({disk.failed}), {os.strerror(error)}{', and all after it' * stays}"
        raise AssertionError(f"{what}: {type(fault).__name__}: {fault}") from fault


def power_losses(name: str, folder: Path, deaf: tuple[str, ...] = ()) -> int:
    """Look at every state that a power loss leaves of a scene, and return how many there are."""
    scene = SCENES[name]()
    (folder / "disk").mkdir(parents=True)
    scene.prepare(folder / "disk")
    before = files_below(folder / "disk")
    disk = Disk(folder / "disk", deaf=deaf)
    with disk.in_place():
        scene.run(folder / "disk", disk)
    count = 0
    for state, said in after_power_loss(before, disk.steps):
        place = folder / f"state{count}"
        lay_out(state, place)
        try:
            scene.check(place, said)
            sweep(place)
        except Exception as fault:
            raise AssertionError(
                f"{name}: state {count}, {sorted(state)} after {said[-1:]}: {type(fault).__name__}: {fault}"
            ) from fault
        count += 1
    return count


def sweep(folder: Path) -> None:
    """Let a day pass; no temporary file must stay."""
    past = time.time() - 2 * STALE
    for path in litter(folder):
        os.utime(path, (past, past))
    for place in {path.parent for path in litter(folder)}:
        delete_stale(place)
    left = [path for path in litter(folder) if path.suffix != ".lock"]  # the next training's
    assert not left, f"left for ever: {left}"


def rows_of(name: str, every: int) -> Iterator[dict[str, object]]:
    """Yield the rows of one scene: failures by the kind of call, states after a power loss."""
    kinds: Counter[str] = Counter()
    for error in ERRORS:
        for stays in (False, True):
            for number in range(0, steps_of(name), every):
                with tempfile.TemporaryDirectory() as folder:
                    kinds[fail_once(name, number, error, stays, Path(folder) / "disk")] += 1
    yield {"what": f"{name}: calls that failed", "n": kinds.total(), "kinds": dict(sorted(kinds.items()))}
    with tempfile.TemporaryDirectory() as folder:
        yield {"what": f"{name}: states after a power loss", "n": power_losses(name, Path(folder))}


def main(argv: list[str] | None = None) -> int:
    """Fail, cut, look, print; return 0, or raise AssertionError where something is lost."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults",
        description="Let every step of every write fail, and cut the power after it.",
    )
    parser.add_argument("--scene", action="append", choices=list(SCENES), help="only these (default: all)")
    parser.add_argument(
        "--every", type=command.number(int, 1), default=1, help="let only each so many-th call fail"
    )
    add_record(parser, model=False)
    arguments = parser.parse_args(argv)
    import torch

    torch.set_num_threads(1)
    rows = []
    for name in arguments.scene or SCENES:
        for row in rows_of(name, arguments.every):
            told = "".join(f", {count} {kind}" for kind, count in dict(row.get("kinds", {})).items())  # type: ignore[call-overload]
            print(f"{row['what']}: {row['n']:,}{told}", flush=True)
            rows.append(row)
    total = {
        end: sum(int(str(row["n"])) for row in rows if str(row["what"]).endswith(end))
        for end in ("failed", "loss")
    }
    print(f"{total['failed']:,} failures, {total['loss']:,} states: nothing lost, every file old or new")
    if arguments.record:
        write_record("faults", rows, None, argv)
    return 0


if __name__ == "__main__":
    command.run(main)
