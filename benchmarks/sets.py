"""Other people's test sets, and reading many pictures in several processes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from ink.decode import Source
from measuring.testsets import Sample, load_samples
from recognizer.answer import Reading
from recognizer.many import read_pictures
from recognizer.road import Recognizer

SUFFIXES = (".tsv", ".npz", ".jsonl", ".jsonl.gz")
SIGNS = frozenset("0123456789.,-+/:= ()%")  # of which numbers, dates and times are made


def find_sets(paths: list[Path], leave_out: Iterable[str] = ()) -> dict[str, Path]:
    """Return the test sets among `paths` and in their folders, by name, without those named in `leave_out`."""
    files = [
        file
        for path in paths
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.name.endswith(SUFFIXES)
    ]
    if not files:
        raise ValueError(f"no test set at {', '.join(map(str, paths))}: give .tsv, .npz or .jsonl.gz files")
    named = {file.name.split(".")[0]: file for file in files}
    unknown = set(leave_out) - set(named)
    if unknown:
        raise ValueError(f"no test set is called {', '.join(sorted(unknown))}: there are {', '.join(named)}")
    return {name: file for name, file in named.items() if name not in set(leave_out)}


def kind_of(label: str) -> str:
    """Return what a label says is in the picture: "digit", "number", "number with signs", "no digit"; else "mixed"."""
    if label.isascii() and label.isdecimal():
        return "digit" if len(label) == 1 else "number"
    if not set(label) & set("0123456789"):
        return "no digit"
    return "number with signs" if set(label) <= SIGNS else "mixed"


def samples_of(path: Path, brush: float, most: int | None) -> dict[str, list[Sample]]:
    """Return the samples of a test set by their kind, of each kind at most `most`, evenly spread."""
    kinds: dict[str, list[Sample]] = {}
    for sample in load_samples(path, brush):
        kinds.setdefault(kind_of(sample.label), []).append(sample)
    return {kind: spread(samples, most) for kind, samples in sorted(kinds.items())}


def spread(samples: list[Sample], most: int | None) -> list[Sample]:
    """Return at most `most` of `samples`, evenly spread."""
    if most is None or len(samples) <= most:
        return samples
    return [samples[place * len(samples) // most] for place in range(most)]


def read_all(model: Path, sources: Iterable[Source]) -> Iterator[Reading]:
    """Yield the reading of each of `sources` in their order, by a process a core where there are many.

    Raises what was wrong with one that cannot be read.
    """
    pictures = ((str(number), source) for number, source in enumerate(sources))
    for _, _, reading in read_pictures(pictures, opened(model), partial(Recognizer, model)):
        if isinstance(reading, Exception):
            raise reading
        yield reading


@functools.cache
def opened(model: Path) -> Recognizer:
    """Return the recognizer of a checkpoint, loaded once."""
    return Recognizer(model)


def is_right(sample: Sample, reading: Reading) -> bool:
    """Return whether `reading` says the sample's label, blanks and line ends left out; or refuses what is no digit."""
    if kind_of(sample.label) == "no digit":
        return reading.status != "ok"
    return "".join(reading.text.split()) == "".join(sample.label.split())
