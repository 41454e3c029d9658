"""Read a great many pictures with Ray Data, on this machine or a cluster, each exactly once.

    pip install -r requirements-ray.txt
    python examples/ray_read.py pictures/ answers/ --workers 8
    python examples/ray_read.py pictures/ answers/            # again after any failure: only what is missing is read

The pictures are cut into parts by their sorted names, so that a part has the same name and content whoever reads it and
however often. A worker writes it beside its place and moves it there (atomic on one file system): a part is there as a
whole or not at all, and a part that is there is not read again. Ray starts a killed worker's part anew.
Each part is JSON lines as `predict.py --json` prints them. docs/a-thousand-machines.md plans a large run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from base import (
    command,  # noqa: E402
    storage,  # noqa: E402
)
from base.checkpoint import load_checkpoint
from ink.decode import pictures_below  # noqa: E402

PART = 500  # pictures
PLAN = "plan.json"


class Reader:
    """What each worker keeps: a recognizer. Called with parts, it writes their answers."""

    def __init__(self, model: str, folder: str, answers: str) -> None:
        sys.path.insert(0, str(ROOT))  # a worker on another machine has the program at the same place
        import torch

        from recognizer.road import Recognizer

        torch.set_num_threads(1)
        self.recognizer, self.folder, self.answers = Recognizer(model), folder, Path(answers)

    def __call__(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Read each part that is not there yet; return {"count": pictures, "failed": of them that could not be read}."""
        done = [self.read(str(part), json.loads(names)) for part, names in zip(parts["part"], parts["names"])]
        return {"count": [count for count, _ in done], "failed": [failed for _, failed in done]}

    def read(self, part: str, names: list[str]) -> tuple[int, int]:
        """Write one part; return how many pictures it has, and how many of them could not be read."""
        from base.storage import atomic_write
        from recognizer.answer import as_json

        place = self.answers / part
        if place.exists():
            return 0, 0
        unread = 0
        paths = [os.path.join(self.folder, name) for name in names]
        with atomic_write(place) as file:
            for start in range(0, len(paths), 64):
                chunk = slice(start, start + 64)
                for name, answer in zip(names[chunk], self.recognizer.read_many(paths[chunk])):
                    if isinstance(answer, Exception):
                        unread += 1
                        line = as_json(name, None, command.one_line(answer))
                    else:
                        line = as_json(name, answer, None)
                    file.write((json.dumps(line) + "\n").encode())
        return len(names), unread


def main(argv: list[str] | None = None) -> int:
    """Read what is missing and print how fast; return the exit status: 1 if a picture could not be read."""
    arguments = build_parser().parse_args(argv)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray tells its makers of every run
    try:
        import ray
        import ray.data
    except ImportError:
        print("ray_read.py: Ray is not installed: pip install -r requirements-ray.txt", file=sys.stderr)
        return 1
    try:
        load_checkpoint(arguments.model)  # says here what each worker would
        parts = plan(arguments.pictures, arguments.answers, arguments.model)
    except (OSError, ValueError) as error:
        print(f"ray_read.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    missing = [part for part in parts if not (arguments.answers / part["part"]).exists()]
    print(
        f"{sum(part['count'] for part in parts):,} pictures in {len(parts):,} parts, {len(missing):,} of them to read",
        flush=True,
    )
    if not missing:
        return 0
    ray.init(
        address=arguments.address,
        num_cpus=None if arguments.address else arguments.workers,
        log_to_driver=False,
        logging_level="warning",
        include_dashboard=False,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    started = time.perf_counter()
    rows = [{"part": part["part"], "names": json.dumps(part["names"])} for part in missing]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        Reader,
        fn_constructor_args=(
            str(arguments.model.resolve()),
            str(arguments.pictures.resolve()),
            str(arguments.answers.resolve()),
        ),
        batch_size=1,
        num_cpus=1,
        concurrency=arguments.workers,
        max_restarts=-1,  # of a worker that was killed
        max_task_retries=-1,  # of its part
    )
    read = failed = 0
    for row in done.iter_rows():
        read, failed = read + row["count"], failed + row["failed"]
    seconds = time.perf_counter() - started
    print(
        f"{read:,} pictures in {seconds:.1f} s by {arguments.workers} workers: {read / seconds:,.0f} pictures/s",
        flush=True,
    )
    ray.shutdown()
    if failed:
        print(f"ray_read.py: {failed:,} of them could not be read: the answers say why", file=sys.stderr)
    return int(failed > 0)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="ray_read.py", description="Read the pictures in a folder with Ray Data."
    )
    parser.add_argument("pictures", type=Path, help="folder, with all below it")
    parser.add_argument("answers", type=Path, help="folder for the parts: JSON lines")
    parser.add_argument(
        "--workers",
        type=command.number(int, 1),
        default=os.cpu_count(),
        help="processes, one core each (default: the cores here)",
    )
    parser.add_argument("--address", help="of a Ray cluster, e.g. auto (default: a local one)")
    parser.add_argument(
        "--model", type=Path, default=ROOT / "model.pth", help="checkpoint (default: model.pth)"
    )
    return parser


def plan(pictures: Path, answers: Path, model: Path) -> list[dict[str, Any]]:
    """Return the parts: {"part": file name, "names": pictures, "count"}, the same for the same pictures.

    The answers' folder remembers for which pictures and which model it is; raises ValueError if they have changed.
    """
    names = sorted(os.path.relpath(name, pictures) for name in pictures_below(pictures))
    if not names:
        raise ValueError(f"{pictures} holds no pictures: name a folder with PNG or JPEG files")
    answers.mkdir(parents=True, exist_ok=True)
    content = {
        "pictures": len(names),
        "names": hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest(),
        "model": hashlib.sha256(model.read_bytes()).hexdigest(),
    }
    try:
        planned = json.loads((answers / PLAN).read_bytes()) if (answers / PLAN).exists() else content
    except ValueError:
        raise ValueError(f"{answers / PLAN} is damaged: name an empty folder") from None
    if planned != content:
        raise ValueError(
            f"{answers} holds answers for other pictures, or by another model: name an empty folder"
        )
    with storage.atomic_write(answers / PLAN) as file:
        file.write(json.dumps(content).encode())
    chunks = [names[start : start + PART] for start in range(0, len(names), PART)]
    return [
        {"part": f"part-{number:06}-of-{len(chunks):06}.jsonl", "names": chunk, "count": len(chunk)}
        for number, chunk in enumerate(chunks)
    ]


if __name__ == "__main__":
    command.run(main, filters=False)
