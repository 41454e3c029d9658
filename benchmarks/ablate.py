"""What each rule of the reading road is worth: it is switched off, and every picture on which it acted is read again.

    $ python -m benchmarks.ablate                                   # all rules, on pictures that this repository makes
    $ python -m benchmarks.ablate --data FOLDER --rule "pen width"  # one rule, on public sets of handwriting as well

FOLDER holds any of SETS, in the layouts of measuring/testsets.py. A rule has acted on a picture where it answered something
else than its switched-off form does. A row says on how many pictures it acted, how many readings are right with it and wrong
without it (lost), and how many are wrong with it and right without it (won).
"""

from __future__ import annotations

import argparse
import importlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from base import command
from benchmarks import pictures, things
from dataset import load_mnist, split_validation
from ink.frame import make_frame
from ink.measures import PAPER_SIDE
from measuring.testsets import Sample, load_samples
from recognizer.judge import walk
from recognizer.road import Recognizer

SETS = {  # files of a data folder, and the brushes in pixels with which strokes are drawn
    "pictures.tsv": (16,),
    "optdigits.npz": (16,),
    "semeion.npz": (16,),
    "pen_strokes.jsonl.gz": (6, 16, 32),
    "unipen_strings.jsonl.gz": (10,),
}


@dataclass(frozen=True)
class Rule:
    """A rule of the road.

    `place`: the module and name under which it is called; `off`: given what stands there, returns what stands there without it;
    `kind`: "answers" where its answers are compared, "yields" where it has acted once it yields more than its other form,
    "asks" where it yields questions to the network and its last answer counts, "calls" where it has acted once it is called.
    """

    place: str
    off: Callable[[Callable[..., Any]], Callable[..., Any]]
    kind: str = "answers"

    def find(self) -> tuple[Any, str]:
        """Return the module or class that holds the rule, and its name there."""
        module, *inner = self.place.split(":")
        holder = importlib.import_module(module)
        for name in inner[:-1]:
            holder = getattr(holder, name)
        return holder, inner[-1]


def always(answer: Any) -> Callable[..., Any]:
    """Return the form of a rule that gives one answer whatever it is asked."""
    return lambda real: lambda *_, **__: answer


def take(place: int, asks: bool = False) -> Callable[..., Any]:
    """Return the form of a rule that answers with what it is given at `place`; `asks`: as a generator."""

    def steps(*given: Any) -> Generator[Any, Any, Any]:
        yield from ()
        return given[place]

    return lambda real: steps if asks else lambda *given, **_: given[place]


def every_depth(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return the form of a sample of paper's depths (H, W) that ink is not left out of."""

    def sample(depth: np.ndarray) -> np.ndarray:
        step = max(1, max(depth.shape) // PAPER_SIDE)
        return depth[::step, ::step].ravel()

    return sample


RULES = {
    # a picture -> ink
    "page on a table": Rule("ink.looks:isolate_page", always(None)),
    "page that is a shadow": Rule("ink.looks:is_dimmed", always(False)),
    "small picture seen whole": Rule("ink.looks:_whole_frames", always(()), "yields"),
    "small drawing in dots": Rule("ink.looks:_is_dotted", always(False)),
    "scan that fills its square": Rule("ink.looks:unstretch", lambda real: lambda ink: make_frame(ink)[None]),
    "ruling on shaded paper": Rule("ink.paper:without_ruling", take(0)),
    "ink's side by standing out": Rule("ink.paper:_stands_out", always(1.0)),
    "main marks": Rule("ink.paper:_main_marks", lambda real: lambda labels, count, depth: depth[labels > 0]),
    "paper without its ink": Rule("ink.paper:_without_ink", every_depth),
    # ink -> lines of writing
    "box around writing": Rule(
        "recognizer.road:find_layouts", lambda real: lambda ink: islice(real(ink), 1), "yields"
    ),
    "dirt beside writing": Rule(
        "ink.lines:_clear_of_edges", lambda real: lambda boxes, *_: np.ones(len(boxes), bool)
    ),
    "lines that climb": Rule("ink.rows:_join_climbing", take(0)),
    "commas and brackets": Rule("ink.rows:_join_marks", take(0)),
    "level line": Rule("ink.strip:_level", take(0)),
    # lines -> texts
    "classifier beside line reader": Rule("recognizer.reader:support", always(np.zeros(4))),
    "usual forms of numbers": Rule("recognizer.reader:is_usual", always(False)),
    # lines -> digits
    "pen width": Rule("ink.frame:fit_pen", take(0)),
    "bold as a silhouette": Rule("recognizer.judge:is_bold", always(False)),
    "face in a 0": Rule("recognizer.judge:is_filled_in", always(False)),
    "seen from all sides": Rule("recognizer.judge:Judge:look_again", take(1, asks=True), "asks"),
    # digits -> reading
    "digit among dirt": Rule("recognizer.road:Recognizer:_among_dirt", take(2, asks=True), "asks"),
    "page on its side": Rule("recognizer.road:Recognizer:_read_turned", take(2, asks=True), "asks"),
    "bar in a ring": Rule("recognizer.road:_is_ringed", always(False)),
}


def same(one: Any, other: Any) -> bool:
    """Return whether two answers of a rule are equal."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other or not hasattr(one, "__dataclass_fields__") and bool(one == other)


def watch(rule: Rule, act: Callable[[], object], real: Callable[..., Any]) -> Callable[..., Any]:
    """Return `real` as it is, but that it calls `act` whenever it does something else than with `rule` switched off."""
    off = rule.off(real)

    def answers(*given: Any, **options: Any) -> Any:
        answer = real(*given, **options)
        if rule.kind == "calls" or not same(answer, off(*given, **options)):
            act()
        return answer

    def yields(*given: Any, **options: Any) -> Iterator[Any]:
        least = sum(1 for _ in off(*given, **options))
        for number, answer in enumerate(real(*given, **options)):
            if number >= least:
                act()
            yield answer

    def asks(*given: Any) -> Generator[Any, Any, Any]:
        answer = yield from real(*given)
        if not same(answer, walk(off(*given), np.asarray)):
            act()
        return answer

    return {"yields": yields, "asks": asks}.get(rule.kind, answers)


@contextmanager
def replaced(changes: Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]]) -> Iterator[None]:
    """Replace what the rules of these names call by what each change makes of it, for a while."""
    undo = []
    for name, change in changes.items():
        holder, attribute = RULES[name].find()
        real = vars(holder)[attribute]
        undo.append((holder, attribute, real))
        setattr(holder, attribute, change(real))
    try:
        yield
    finally:
        for holder, attribute, real in reversed(undo):
            setattr(holder, attribute, real)


def is_right(sample: Sample, text: str) -> bool:
    """Return whether a reading's text is the sample's label, lines joined; of what is no number, whether it is empty."""
    return text.replace("\n", "") == (sample.label if sample.is_digit else "")


def find_acted(
    recognizer: Recognizer, samples: list[Sample], names: list[str]
) -> tuple[list[str], dict[str, list[int]]]:
    """Return what each sample reads as, and for each rule the places of the samples on which it acted."""
    acted: dict[str, list[int]] = {name: [] for name in names}
    texts: list[str] = []

    def act(name: str) -> None:
        if acted[name][-1:] != [len(texts)]:
            acted[name].append(len(texts))

    changes = {name: partial(watch, RULES[name], partial(act, name)) for name in names}
    with replaced(changes):
        for sample in samples:
            texts.append(recognizer.read(sample.source).text)
    return texts, acted


def own_samples(count: int) -> Iterator[tuple[str, Sample]]:
    """Yield (kind, sample) of `count` pictures a kind that this repository makes, of MNIST's validation digits and of nothing."""
    digits, scenes = split_validation(load_mnist(True))[1], dict[str, Any](pictures.SCENES)
    rng = np.random.default_rng(0)

    def draw() -> tuple[np.ndarray, str]:
        place = int(rng.integers(len(digits)))
        return digits.images[place, 0].numpy(), str(int(digits.labels[place]))

    singles: dict[str, Callable[..., np.ndarray]] = {
        "as they are": lambda digit: digit,
        "pasted": lambda digit: pictures.paste(digit, rng),
        **{kind: partial(pictures.corrupt, kind=kind, rng=rng) for kind in pictures.CORRUPTIONS},
        **{kind: partial(scene, rng=rng) for kind, scene in scenes.items()},
    }
    for kind, make in singles.items():
        for _ in range(count):
            digit, label = draw()
            yield kind, Sample(kind, make(digit), label)
    for kind, options in {"apart": {}, "touching": {"touching": True}, "two lines": {"lines": 2}}.items():
        for _ in range(count):
            chosen = [draw() for _ in range(int(rng.integers(4, 10)))]
            picture = pictures.number([digit for digit, _ in chosen], rng, **options)  # type: ignore[arg-type]
            yield f"number, {kind}", Sample(kind, picture, "".join(label for _, label in chosen))
    for kind, maker in {**pictures.NEGATIVES, "things": things.thing}.items():
        for _ in range(count):
            yield kind, Sample(kind, maker(rng), "none")


def public_samples(folder: Path, every: int) -> Iterator[tuple[str, Sample]]:
    """Yield (set, sample) of every so manieth sample of the SETS in `folder`; of numbers, those without signs."""
    for name, brushes in SETS.items():
        for brush in brushes if (folder / name).exists() else ():
            kind = name.split(".")[0] + (f", brush {brush}" if len(brushes) > 1 else "")
            for sample in islice(load_samples(folder / name, brush), 0, None, every):
                if sample.is_digit or name == "pictures.tsv":
                    yield kind, sample


def switch_off(
    recognizer: Recognizer, names: list[str], samples: list[Sample], texts: list[str], places: list[int]
) -> tuple[list[int], list[int]]:
    """Return the places of the samples that are lost and won without the rules `names`, read again at `places`."""
    with replaced({name: RULES[name].off for name in names}):
        again = {place: recognizer.read(samples[place].source).text for place in places}
    before = {place: is_right(samples[place], texts[place]) for place in places}
    after = {place: is_right(samples[place], text) for place, text in again.items()}
    lost = [place for place in places if before[place] and not after[place]]
    return lost, [place for place in places if after[place] and not before[place]]


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="ablate.py", description=__doc__, formatter_class=how)
    parser.add_argument("--rule", choices=RULES, action="append", help="a rule (default: all, one by one)")
    parser.add_argument("--together", action="store_true", help="switch the rules off together as well")
    parser.add_argument("--data", type=Path, help="folder of public sets")
    whole, more = command.number(int, 1), command.number(int, 0)
    parser.add_argument("--every", type=whole, default=1, help="read every so manieth of them (default: 1)")
    parser.add_argument("--count", type=more, default=25, help="own pictures of a kind (default: 25)")
    parser.add_argument("--names", action="store_true", help="name the kinds of what is lost and won")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Print the table; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    recognizer, names = Recognizer(), arguments.rule or list(RULES)
    found = list(own_samples(arguments.count)) if arguments.count else []
    found += public_samples(arguments.data, arguments.every) if arguments.data else []
    samples = [sample for _, sample in found]
    texts, acted = find_acted(recognizer, samples, names)
    right = sum(map(is_right, samples, texts))
    print(f"{right:,} of {len(samples):,} pictures are read right")
    print("| rule | acted on | lost | won |\n|---|---:|---:|---:|", flush=True)
    for switched in [[name] for name in names] + ([names] if arguments.together else []):
        places = sorted({place for name in switched for place in acted[name]})
        lost, won = switch_off(recognizer, switched, samples, texts, places)
        title = switched[0] if len(switched) == 1 else "together"
        print(f"| {title} | {len(places):,} | {len(lost)} | {len(won)} |", flush=True)
        for word, changed in (("lost", lost), ("won", won)) if arguments.names else ():
            for kind, number in Counter(found[place][0] for place in changed).items():
                print(f"    {word}: {number} {kind}", flush=True)
    return 0


if __name__ == "__main__":
    command.run(main, filters=False)
