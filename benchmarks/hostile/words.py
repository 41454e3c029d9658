"""Command lines, most of them wrong."""

from __future__ import annotations

import functools
import importlib
import json
import random
from pathlib import Path
from typing import Any

from benchmarks.hostile.models import good_checkpoint, saved
from benchmarks.hostile.pictures import pictures
from benchmarks.hostile.tables import jsonl, strokes

FORMATS = ("onnx", "pt2", "torchscript")  # one at a time: each takes seconds
COMMANDS = ("predict", "test", "train", "export", "app")
SENSIBLE = {
    "--device": ["cpu"],
    "--size": ["640x480"],
    "--by": ["pen"],
    "--arch": ["tiny", "scratch"],
    "--optimizer": ["adamw", "sgd"],
    "--augment": ["none", "light", "full"],
}
ODD_WORDS = [
    "",
    "-",
    "--",
    "0",
    "-1",
    "1",
    "2",
    "1e308",
    "nan",
    "inf",
    "99999999999999999999",
    "0x10",
    "abc",
    "ä 手",
    "a\0b",
    "\udcff",
    "cpu",
    "cuda",
    "cuda:99",
    "meta",
    "mkldnn",
    "tiny",
    "scratch",
    "residual",
    "colour",
    "adam",
    "sgd",
    "momentum",
    "none",
    "light",
    "onnx",
    "pt2",
    "fp32",
    "bf16",
    "light",
    "100x100",
    "x",
    "a" * 300,
    "../..",
    "/dev/null",
    "/proc/self/mem",
    "%s%n",
    "$(x)",
    "*",
]


def commands(rng: random.Random, folder: Path) -> tuple[str, list[str]]:
    """Return a command and words for it, many of them odd. Files of every kind lie in `folder`; what it writes goes there too."""
    names, out = _lay_out(folder), folder / "out"
    name = rng.choice(COMMANDS)
    words = [
        word
        for _ in range(rng.randrange(0, 5))
        for word in _option(rng.choice(_options(name)), names, str(out), rng)
    ]
    if rng.random() < 0.2:
        words.insert(rng.randrange(len(words) + 1), rng.choice([*names, *ODD_WORDS, "--nonsense"]))
    last = {
        "predict": [rng.choice(names) for _ in range(rng.randrange(0, 3))],
        "test": ["--data", rng.choice(names)],
        "train": [
            "--output",
            str(out / "model.pth"),
            "--epochs",
            "1",
            "--batch-size",
            "32",
            "--arch",
            "tiny",
            "--data",
            str(folder / "signs"),
        ],
        "export": [
            "--model",
            rng.choice(names),
            "--output",
            str(out / "network"),
            "--format",
            rng.choice(FORMATS),
        ],
        "app": ["--corrections", str(out / "corrections"), "--screenshot", str(out / "window.png")],
    }[name]
    return name, [
        word for word in words + last if word not in ("-", "--forever")
    ]  # which wait for stdin, and for ever


@functools.cache
def _options(name: str) -> list[Any]:
    """Return the options of a command's parser."""
    return [
        action for action in importlib.import_module(name).build_parser()._actions if action.option_strings
    ]


def _option(action: Any, names: list[str], out: str, rng: random.Random) -> list[str]:
    """Return an option as words, most of them such as it takes."""
    flag = action.option_strings[-1]
    if action.nargs == 0:
        return [flag]
    if rng.random() < 0.2:
        return [flag, rng.choice(ODD_WORDS)]
    if action.choices:
        return [flag, rng.choice(list(action.choices))]
    if flag in ("--plot", "--log", "--output", "--screenshot"):
        return [flag, f"{out}/made{rng.choice(['', '.png', '.json'])}"]
    if flag in SENSIBLE:
        return [flag, rng.choice(SENSIBLE[flag])]
    return [flag, rng.choice(names if action.type is Path else ["0", "1", "2", "0.5"])]


@functools.cache
def _lay_out(folder: Path) -> list[str]:
    """Write good and bad files of every kind to `folder` and return their names."""
    (folder / "empty").mkdir()
    (folder / "out").mkdir()
    picture = pictures("png")[0]
    for label in ("a", "b"):
        (folder / "signs" / label).mkdir(parents=True)
        for number in range(4):
            (folder / "signs" / label / f"{number}.png").write_bytes(picture)
    files = {
        "good.png": picture,
        "bad.png": b"\x89PNG",
        "none.png": b"",
        "good.pth": saved(good_checkpoint()),
        "bad.pth": b"junk",
        "good.tsv": b"path\tlabel\ngood.png\t7\n",
        "bad.tsv": b"\0",
        "bad.npz": b"PK",
        "bad.jsonl.gz": b"\x1f\x8b",
        "bad.onnx": b"x",
        "good.json": json.dumps(strokes()).encode(),
        "good.jsonl": json.dumps(jsonl()).encode(),
        "bad.pt2": b"PK",
        "ä ö 手.png": picture,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in [*files, "empty", "absent.png", "signs"]]
