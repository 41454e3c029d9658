"""Arrays, tables, strokes, corrections and settings for fuzz.py."""

from __future__ import annotations

import functools
import io
import json
import random
import struct
import tempfile
import zipfile
from typing import Any

import numpy as np

from benchmarks.hostile import damage
from benchmarks.hostile.damage import gzipped


def idx() -> list[bytes]:
    pixels = bytes(range(256)) * 7
    return [
        b"\0\0\x08\x03" + struct.pack(">III", 2, 28, 28) + pixels[: 2 * 784],
        b"\0\0\x08\x01" + struct.pack(">I", 20) + bytes(20),
        b"\0\0\x08\x02" + struct.pack(">II", 4, 5) + bytes(20),
    ]


def nasty_idx() -> list[bytes]:
    return [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\xff" + b"\xff" * 1020,
        b"\0\0\x08\x04" + b"\xff" * 16,
        b"\0\0\x08\x03" + struct.pack(">III", 0, 28, 28),
        b"\0\0\x08\x02" + struct.pack(">II", 2**31, 2**31),
        b"\0\0\x0d\x01" + struct.pack(">I", 4) + bytes(16),
    ]


def gz_bomb() -> bytes:
    """Return some MB that unpack to some GB."""
    return gzipped(bytes(1 << 24), 9) * (damage.BOMB >> 24)


def tsv() -> list[bytes]:
    return [
        b"path\tlabel\tpen\n7/a.png\t7\tred\n3/b.png\t3\tblue\n",
        b"label\tpath\r\n7\tx.png\r\n",
        "path\tlabel\nä.png\t手\n".encode(),
    ]


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def nasty_npz() -> list[bytes]:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": (10**7, 2800, 2800)}
    )
    lying = io.BytesIO()
    with zipfile.ZipFile(lying, "w") as file:
        file.writestr("x.npy", buffer.getvalue())
        file.writestr("y.npy", buffer.getvalue())
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("x.npy", "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (damage.BOMB >> 20, 1024, 1024)}
        )
        for _ in range(damage.BOMB >> 20):
            member.write(bytes(1 << 20))
    return [
        lying.getvalue(),
        bomb.getvalue(),
        npz(x=np.zeros((2, 28, 28)), y=np.zeros(2)),
        npz(x=np.zeros((0, 28, 28), np.uint8), y=[]),
        npz(x=np.zeros((2, 0, 0), np.uint8), y=[1, 2]),
        npz(x=np.zeros((1, 2, 2), np.uint8), y=np.array([float("nan")])),
        npz(x=np.zeros((1, 2, 2), np.uint8), y=np.array("7")),
        npz(x=np.zeros((1, 2, 2), np.uint8), y=np.zeros((1, 3))),
    ]


def jsonl() -> dict[str, Any]:
    return {"strokes": [[[1, 2], [30, 40, 5], [60, 2]], [[5, 5]]], "label": "7", "writer": "a"}


def nasty_jsonl() -> list[bytes]:
    strokes: list[Any] = [
        [[[0, 0], [1e308, -1e308]]],
        [[[0, 0], [float("nan"), 1]]],
        [[[0, 0], [float("inf"), 1]]],
        [[[10**400, 1]]],
        [[[1]]],
        [[["a", "b"]]],
        [],
        [[]],
        None,
        7,
        "strokes",
        [[[i % 7, i % 11] for i in range(200_000)]],
        [[[1, 2]]] * 50_000,
    ]
    return [json.dumps({"strokes": each, "label": "7"}).encode() for each in strokes] + [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"{}" * 3,
    ]


def strokes() -> dict[str, Any]:
    from ink.canvas import Canvas

    canvas = Canvas(560, 280)
    canvas.begin(20, 20)
    for step in range(12):
        canvas.extend(20 + 9 * step, 20 + 15 * step)
    canvas.end()
    return json.loads(canvas.to_json())


def nasty_strokes() -> list[bytes]:
    good = strokes()
    stroke = good["strokes"][0]
    odd: list[Any] = [
        {"width": 1e-300},
        {"width": 1e300, "height": 1e300},
        {"width": 0},
        {"width": float("nan")},
        {"strokes": [stroke] * 3000},
        {"strokes": [{**stroke, "points": [[1e308, -1e308], [-1e308, 1e308]]}]},
        {"strokes": [{**stroke, "brush": 1e308}]},
        {"strokes": [{**stroke, "points": [[i % 560, i * 7 % 280] for i in range(100_000)]}]},
        {"strokes": {"a": 1}},
        {"strokes": [{**stroke, "points": [[10**400, 0]]}]},
        {"strokes": [{**stroke, "points": [[0, 0], [1e9, 1e9]] * 50}]},
    ]
    return [json.dumps({**good, **each}).encode() for each in odd] + [b"[" * 100_000, b"", b"\xff"]


@functools.cache
def correction() -> bytes:
    from corrections.memory import Memory

    with tempfile.TemporaryDirectory() as folder:
        memory = Memory(folder)
        memory.learn(np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28), "7", "residual")
        return next(memory.folder.glob("*.npz")).read_bytes()


def correction_fields(rng: random.Random) -> bytes:
    words: dict[str, Any] = {"format": "digits-correction-v1", "label": "7", "time": "2026", "model": "m"}
    frame: Any = rng.choice(
        [
            np.zeros((28, 28), np.float32),
            np.ones((64, 64, 3), np.float32),
            np.zeros((28, 28, 4)),
            np.full((28, 28), np.nan),
            np.zeros((1, 1)),
            np.zeros((28, 28), complex),
            np.zeros((28, 28), "M8[s]"),
            np.array("x"),
            np.zeros((28, 28), bool),
            np.zeros((1, 100_000), np.float32),
            np.zeros((28, 28), "U3"),
            np.zeros((0, 3)),
            np.zeros(3, [("a", "f4")]),
        ]
    )
    parts: dict[str, Any] = {"frame": frame, **words}
    if rng.random() < 0.5:
        key = rng.choice(list(parts))
        parts[key] = np.array(rng.choice([b"\xff", "\ud800", "", 7, [1, 2], True, 1e308]))
    return npz(**parts)


def settings() -> dict[str, Any]:
    return {"width": 1024, "height": 768, "theme": "light", "brush": 16.0}
