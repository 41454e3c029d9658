"""The kinds of input, each with its corpus."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.hostile.damage import Corpus, gzipped, replaced
from benchmarks.hostile.models import (
    checkpoint_fields,
    exported,
    good_checkpoint,
    good_resume,
    nasty_checkpoints,
    saved,
)
from benchmarks.hostile.pictures import drawn, huge_png, pictures
from benchmarks.hostile.tables import (
    correction,
    correction_fields,
    gz_bomb,
    idx,
    jsonl,
    nasty_idx,
    nasty_jsonl,
    nasty_npz,
    nasty_strokes,
    npz,
    settings,
    strokes,
    tsv,
)


def _json_fields(good: Callable[[], Any]) -> Callable[[random.Random], bytes]:
    def make(rng: random.Random) -> bytes:
        return json.dumps(replaced(good(), rng), default=repr).encode()

    return make


def _packed(make: Callable[[], list[bytes]]) -> Callable[[], list[bytes]]:
    return lambda: [gzipped(each) for each in make()]


def _one(good: Callable[[], Any]) -> Callable[[], list[bytes]]:
    return lambda: [json.dumps(good()).encode(), json.dumps(good(), indent=1).encode()]


CORPORA = {
    **{
        kind: Corpus(f".{kind}", functools.partial(pictures, kind), huge_png if kind == "png" else list)
        for kind in ("png", "jpeg", "gif", "bmp", "webp", "tiff")
    },
    "drawn": Corpus(".png", list, fields=drawn),
    "idx": Corpus("", idx, nasty_idx),
    "idx.gz": Corpus(".gz", _packed(idx), lambda: [gz_bomb(), *_packed(nasty_idx)()]),
    "checkpoint": Corpus(".pth", lambda: [saved(good_checkpoint())], nasty_checkpoints, checkpoint_fields),
    "resume": Corpus(
        ".resume.pth",
        lambda: [saved(good_resume())],
        fields=lambda rng: saved(replaced(good_resume(), rng)),
    ),
    "tsv": Corpus(
        ".tsv",
        tsv,
        lambda: [
            b"path\tlabel\n" + b"x" * (1 << 22) + b"\t7\n",
            b"path\tlabel\na.png\n",
            b"\0",
            b'path\tlabel\n"a',
        ],
    ),
    "npz": Corpus(
        ".npz",
        lambda: [
            npz(x=np.zeros((3, 28, 28), np.uint8), y=np.array([1, 2, 11])),
            npz(x=np.zeros((1, 9, 9), np.uint8), y=np.array(["7"])),
        ],
        nasty_npz,
    ),
    "jsonl": Corpus(".jsonl", _one(jsonl), nasty_jsonl, _json_fields(jsonl)),
    "jsonl.gz": Corpus(".jsonl.gz", _packed(_one(jsonl)), lambda: [gz_bomb(), *_packed(nasty_jsonl)()]),
    "strokes": Corpus(".json", _one(strokes), nasty_strokes, _json_fields(strokes)),
    "correction": Corpus(".npz", lambda: [correction()], nasty_npz, correction_fields),
    "settings": Corpus(".json", _one(settings), lambda: [b"[" * 100_000], _json_fields(settings)),
    "onnx": Corpus(".onnx", lambda: [exported("onnx")]),
}
