"""What fuzz.py feeds: valid and nasty inputs of every kind, and the ways to damage them."""

from __future__ import annotations

import functools
import gzip
import importlib
import io
import json
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BOMB = 3 << 30  # bytes that a small file unpacks to
PIXELS = 10**8  # of a picture that is small on disk
NUMBERS = (
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff",
    b"\x7f\xff",
    b"\x80\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\0\0\0\x80",
    b"\0" * 4,
    b"\xff" * 8,
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    10**6,
    2**31,
    10**30,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "7",
    "a" * 5000,
    "\0",
    "../../x",
    "ä手",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    [1, 2],
    b"\xff",
)
WORDS = (
    b"nan",
    b"-1",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b"[[[[",
    b"\\u0000",
    b"\xff\xfe",
    b"\t",
    b"\n",
    b'"',
    b"9" * 400,
    b"..",
    b"//",
    b"\r",
    b"true",
    b"0x10",
)


@dataclass(frozen=True)
class Content:
    """The bytes of a file and its name's ending."""

    data: bytes
    suffix: str


@dataclass(frozen=True)
class Corpus:
    """Valid inputs of a kind, and nasty ones that are fed as they are first; without seeds `fields` makes all others."""

    suffix: str
    seeds: Callable[[], list[bytes]]
    nasty: Callable[[], list[bytes]] = list
    fields: Callable[[random.Random], bytes] | None = None  # a valid container with its fields replaced


def mutated(corpus: Corpus, rng: random.Random, number: int) -> Content:
    """Return the case `number` of a corpus."""
    seeds, nasty = _made(corpus)
    if number < len(nasty):
        return Content(nasty[number], corpus.suffix)
    if corpus.fields is not None and (not seeds or rng.random() < 0.4):
        return Content(corpus.fields(rng), corpus.suffix)
    data = bytearray(rng.choice(seeds))
    if corpus.suffix.endswith(".gz") and rng.random() < 0.7:  # damage what is inside
        return Content(_gzip(_damaged(bytearray(gzip.decompress(data)), rng, seeds)), corpus.suffix)
    return Content(_damaged(data, rng, seeds), corpus.suffix)


def _gzip(data: bytes, level: int = 1) -> bytes:
    return gzip.compress(data, level, mtime=0)  # the same bytes each time


@functools.cache
def _made(corpus: Corpus) -> tuple[list[bytes], list[bytes]]:
    return corpus.seeds(), corpus.nasty()


def _damaged(data: bytearray, rng: random.Random, seeds: list[bytes]) -> bytes:
    """Return `data` after one to eight random damages, most of them near its head, where formats keep their numbers."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4, 8))):
        if not data:
            break
        place = rng.randrange(min(len(data), 128) if rng.random() < 0.5 else len(data))
        way = rng.randrange(9)
        if way == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[place] = rng.randrange(256)
        elif way == 2:
            value = rng.choice(NUMBERS)
            data[place : place + len(value)] = value
        elif way == 3:
            del data[place:]
        elif way == 4:
            del data[place : place + rng.randrange(1, 64)]
        elif way == 5:
            data[place:place] = rng.randbytes(rng.randrange(1, 32))
        elif way == 6:
            data[place:place] = data[place : place + rng.randrange(1, 256)] * rng.randrange(1, 4)
        elif way == 7:
            value = rng.choice(WORDS)
            data[place : place + rng.randrange(2) * len(value)] = value
        else:
            other = rng.choice(seeds)
            data[place:] = other[rng.randrange(len(other)) :] if other else b""
    return bytes(data)


def _replaced(value: Any, rng: random.Random) -> Any:
    """Return a nested value with one to three of its parts replaced by odd ones."""
    for _ in range(rng.randrange(1, 4)):
        value = _replace_one(value, rng)
    return value


def _replace_one(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _replace_one(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        index = rng.randrange(len(value))
        return [*value[:index], _replace_one(value[index], rng), *value[index + 1 :]]
    return rng.choice(VALUES)


# ---------------------------------------------------------------------------------- pictures


def _pictures(kind: str) -> list[bytes]:
    from PIL import Image

    from ink.raster import draw_strokes

    grey = Image.fromarray(draw_strokes([[[18, 14], [74, 10], [50, 52], [38, 94]]], 16)).resize((64, 64))
    modes = {
        "png": ["L", "RGB", "RGBA", "LA", "P", "1", "I;16"],
        "jpeg": ["L", "RGB", "CMYK"],
        "gif": ["L", "P", "RGBA"],
        "bmp": ["1", "L", "P", "RGB"],
        "webp": ["RGB", "RGBA"],
        "tiff": ["1", "L", "RGB", "RGBA", "I;16", "F", "CMYK"],
    }[kind]
    made = []
    for mode in modes:
        image = Image.fromarray(np.asarray(grey, np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
        ways: list[dict[str, Any]] = [{}]
        if kind == "tiff":
            ways += [{"compression": name} for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits")]
        if kind == "jpeg":
            ways += [{"progressive": True}, {"exif": _exif()}]
        if kind == "png" and mode == "RGB":
            ways += [{"exif": _exif()}, {"save_all": True, "append_images": [image, image]}]
        if kind in ("gif", "webp"):
            ways += [{"save_all": True, "append_images": [image.rotate(90), image]}]
        for options in ways:
            buffer = io.BytesIO()
            image.save(buffer, kind, **options)
            made.append(buffer.getvalue())
    return made


def _drawn(rng: random.Random) -> bytes:
    """Return a sound picture of any size: discs, boxes, lines and arcs on flat paper, a ramp or noise, in few or many colours."""
    from PIL import Image, ImageDraw

    width, height = (
        rng.choice([rng.randint(1, 40), rng.randint(41, 320), rng.randint(321, 900)]) for _ in range(2)
    )

    def colour() -> tuple[int, ...]:
        return tuple(rng.choice([0, 255, rng.randint(0, 255)]) for _ in range(3))

    image = Image.new("RGB", (width, height), colour())
    if rng.random() < 0.3:
        ramp = np.linspace(colour(), colour(), width)[None] + np.random.default_rng(
            rng.randrange(1 << 32)
        ).normal(0, 9, (height, 1, 1))
        image = Image.fromarray(np.broadcast_to(ramp, (height, width, 3)).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.randint(0, 7)):
        left, right = sorted(rng.randint(-width // 4, width + width // 4) for _ in range(2))
        top, bottom = sorted(rng.randint(-height // 4, height + height // 4) for _ in range(2))
        box, thick = (left, top, right, bottom), rng.randint(1, 20)
        match rng.randrange(5):
            case 0:
                pen.ellipse(box, fill=colour())
            case 1:
                pen.rectangle(box, fill=colour())
            case 2:
                pen.ellipse(box, outline=colour(), width=thick)
            case 3:
                pen.line(box, fill=colour(), width=thick)
            case _:
                pen.arc(box, rng.randint(0, 360), rng.randint(0, 360), fill=colour(), width=thick)
    image = image.convert(rng.choice(["RGB", "L", "1", "P", "RGBA"]))
    if image.mode == "RGBA":
        image.putalpha(Image.new("L", image.size, rng.randint(0, 255)))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _exif() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    return exif.tobytes()


def _huge_png() -> list[bytes]:
    """Return pictures that are small on disk and large when decoded: 178 million pixels is Pillow's own limit."""
    import zlib

    made = []
    side = int((1.7 * PIXELS) ** 0.5)
    for colour, channels, depth, (width, height) in [
        (6, 4, 8, (side, side)),
        (2, 3, 8, (side, side)),
        (0, 1, 8, (side, side)),
        (0, 1, 16, (side, side)),
        (6, 4, 16, (side * 2 // 3, side * 2 // 3)),
        (0, 1, 8, (1, PIXELS)),
        (0, 1, 1, (PIXELS, 1)),
        (2, 3, 8, (60000, 60000)),
        (0, 1, 8, (2**31 - 1, 2**31 - 1)),
    ]:
        packer = zlib.compressobj(9)
        size = height * (1 + width * channels * depth // 8) if width * height <= 2 * PIXELS else 1000
        body = (
            b"".join(packer.compress(bytes(min(1 << 20, size - done))) for done in range(0, size, 1 << 20))
            + packer.flush()
        )
        chunks = [
            (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
            (b"IDAT", body),
            (b"IEND", b""),
        ]
        made.append(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part))
                for name, part in chunks
            )
        )
    return made


# ---------------------------------------------------------------------------------- models


@functools.cache
def _checkpoint() -> dict[str, Any]:
    import torch

    from base.checkpoint import Checkpoint, save_checkpoint
    from model import LineReader, build_model

    torch.manual_seed(0)
    facts = {"temperature": 1.5, "threshold": 0.3, "validation_accuracy": 0.9}
    model = build_model("residual", 10, {"width": 2}).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pth"
        save_checkpoint(
            path, Checkpoint(model, "residual", {"width": 2}, facts=facts, lines=LineReader().eval())
        )
        return torch.load(path, weights_only=True)


def _saved(content: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def _checkpoint_fields(rng: random.Random) -> bytes:
    return _saved(_odd_tensors(_replaced(_checkpoint(), rng), rng))


def _odd_tensors(content: Any, rng: random.Random) -> Any:
    import torch

    parts = [
        key
        for key in ("weights", "lines")
        if isinstance(content, dict) and isinstance(content.get(key), dict) and content[key]
    ]
    if parts and rng.random() < 0.4:
        part = rng.choice(parts)
        name = rng.choice(list(content[part]))
        odd = rng.choice(
            [
                torch.zeros(0),
                torch.tensor(float("nan")),
                torch.zeros(3, 3),
                torch.zeros(2, dtype=torch.int8),
                torch.zeros(1).expand(10**6),
                torch.zeros(2, dtype=torch.complex64),
                torch.zeros(4, 4).to_sparse(),
            ]
        )
        value = content[part][name]
        if isinstance(value, torch.Tensor) and rng.random() < 0.5:
            odd = rng.choice(
                [value.double(), value.half(), value * float("nan"), value * 1e38, value.to(torch.int64)]
            )
        return {**content, part: {**content[part], name: odd}}
    return content


def _checkpoint_nasty() -> list[bytes]:
    good = _checkpoint()
    odd: list[dict[str, Any]] = [
        {"config": {"width": width}} for width in (0, -1, 10**4, 10**9, 2.5, "2", None)
    ]
    odd += [
        {"arch": "scratch", "config": {"layers": layers}}
        for layers in ([784, 10**5, 10**5], [784, 10**9], [], [784], None)
    ]
    odd += [
        {"input": taken}
        for taken in (
            {"size": 10**6, "channels": 3, "road": False},
            {"size": 0, "channels": 1, "road": False},
            {"size": 28, "channels": 1},
            {"size": 28, "channels": 7, "road": False},
        )
    ]
    odd += [{"classes": names} for names in ([], ["a"], ["a"] * 11, 5, ["7"] * 10, [None] * 10)]
    said: list[Any] = [
        {"temperature": 0},
        {"temperature": float("nan")},
        {"temperature": "x"},
        {"threshold": None},
        {"temperature": -1},
        {"threshold": float("nan")},
        [],
    ]
    odd += [{"facts": facts} for facts in said]
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        with zipfile.ZipFile(io.BytesIO(_saved(good))) as whole:
            for entry in whole.infolist():
                if not entry.filename.endswith("data/0"):
                    file.writestr(entry.filename, whole.read(entry))
            name = next(entry.filename for entry in whole.infolist() if entry.filename.endswith("data/0"))
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(BOMB >> 20):
                    member.write(bytes(1 << 20))
    return [_saved({**good, **each}) for each in odd] + [bomb.getvalue()]


def resume_run() -> Any:
    """Return a run that a resume file may be restored into."""
    import torch

    from dataset import Digits
    from training.recipe import TrainConfig
    from training.run import Run

    images = (
        torch.arange(64 * 784, dtype=torch.int64).mul(97).remainder(256).to(torch.uint8).view(64, 1, 28, 28)
    )
    digits = Digits(images, torch.arange(64) % 10, "noise")
    return Run(
        TrainConfig(arch="tiny", epochs=1, batch_size=32, augment="none"),
        digits,
        digits,
        torch.device("cpu"),
        "fp32",
    )


@functools.cache
def _resume_good() -> dict[str, Any]:
    import torch

    from training.resume import save

    run = resume_run()
    run.train_epoch()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.resume.pth"
        save(run, path)
        return torch.load(path, weights_only=True)


@functools.cache
def _export(kind: str) -> bytes:
    import export

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pth"
        path.write_bytes(_saved(_checkpoint()))
        if export.main(["--model", str(path), "--format", kind]):
            raise RuntimeError(f"no {kind} export was made")
        return path.with_suffix(f".{kind}").read_bytes()


# ---------------------------------------------------------------------------------- tables, arrays, strokes


def _idx() -> list[bytes]:
    pixels = bytes(range(256)) * 7
    return [
        b"\0\0\x08\x03" + struct.pack(">III", 2, 28, 28) + pixels[: 2 * 784],
        b"\0\0\x08\x01" + struct.pack(">I", 20) + bytes(20),
        b"\0\0\x08\x02" + struct.pack(">II", 4, 5) + bytes(20),
    ]


def _idx_nasty() -> list[bytes]:
    return [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\xff" + b"\xff" * 1020,
        b"\0\0\x08\x04" + b"\xff" * 16,
        b"\0\0\x08\x03" + struct.pack(">III", 0, 28, 28),
        b"\0\0\x08\x02" + struct.pack(">II", 2**31, 2**31),
        b"\0\0\x0d\x01" + struct.pack(">I", 4) + bytes(16),
    ]


def _gz_bomb() -> bytes:
    """Return some MB that unpack to some GB."""
    return _gzip(bytes(1 << 24), 9) * (BOMB >> 24)


def _tsv() -> list[bytes]:
    return [
        b"path\tlabel\tpen\n7/a.png\t7\tred\n3/b.png\t3\tblue\n",
        b"label\tpath\r\n7\tx.png\r\n",
        "path\tlabel\nä.png\t手\n".encode(),
    ]


def _npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _npz_nasty() -> list[bytes]:
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
            member, {"descr": "|u1", "fortran_order": False, "shape": (BOMB >> 20, 1024, 1024)}
        )
        for _ in range(BOMB >> 20):
            member.write(bytes(1 << 20))
    return [
        lying.getvalue(),
        bomb.getvalue(),
        _npz(x=np.zeros((2, 28, 28)), y=np.zeros(2)),
        _npz(x=np.zeros((0, 28, 28), np.uint8), y=[]),
        _npz(x=np.zeros((2, 0, 0), np.uint8), y=[1, 2]),
        _npz(x=np.zeros((1, 2, 2), np.uint8), y=np.array([float("nan")])),
        _npz(x=np.zeros((1, 2, 2), np.uint8), y=np.array("7")),
        _npz(x=np.zeros((1, 2, 2), np.uint8), y=np.zeros((1, 3))),
    ]


def _jsonl() -> dict[str, Any]:
    return {"strokes": [[[1, 2], [30, 40, 5], [60, 2]], [[5, 5]]], "label": "7", "writer": "a"}


def _jsonl_nasty() -> list[bytes]:
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


def _strokes() -> dict[str, Any]:
    from ink.canvas import Canvas

    canvas = Canvas(560, 280)
    canvas.begin(20, 20)
    for step in range(12):
        canvas.extend(20 + 9 * step, 20 + 15 * step)
    canvas.end()
    return json.loads(canvas.to_json())


def _strokes_nasty() -> list[bytes]:
    good = _strokes()
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
        {"strokes": [{**stroke, "points": [[0, 0], [1e9, 1e9]] * 500}]},
    ]
    return [json.dumps({**good, **each}).encode() for each in odd] + [b"[" * 100_000, b"", b"\xff"]


@functools.cache
def _correction() -> bytes:
    from corrections.memory import Memory

    with tempfile.TemporaryDirectory() as folder:
        memory = Memory(folder)
        memory.learn(np.linspace(0, 1, 784, dtype=np.float32).reshape(28, 28), "7", "residual")
        return next(memory.folder.glob("*.npz")).read_bytes()


def _correction_fields(rng: random.Random) -> bytes:
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
    return _npz(**parts)


def _settings() -> dict[str, Any]:
    return {"width": 1024, "height": 768, "theme": "light", "brush": 16.0}


def _json_fields(good: Callable[[], Any]) -> Callable[[random.Random], bytes]:
    def make(rng: random.Random) -> bytes:
        return json.dumps(_replaced(good(), rng), default=repr).encode()

    return make


def _packed(make: Callable[[], list[bytes]]) -> Callable[[], list[bytes]]:
    return lambda: [_gzip(each) for each in make()]


def _one(good: Callable[[], Any]) -> Callable[[], list[bytes]]:
    return lambda: [json.dumps(good()).encode(), json.dumps(good(), indent=1).encode()]


CORPORA = {
    **{
        kind: Corpus(f".{kind}", functools.partial(_pictures, kind), _huge_png if kind == "png" else list)
        for kind in ("png", "jpeg", "gif", "bmp", "webp", "tiff")
    },
    "drawn": Corpus(".png", list, fields=_drawn),
    "idx": Corpus("", _idx, _idx_nasty),
    "idx.gz": Corpus(".gz", _packed(_idx), lambda: [_gz_bomb(), *_packed(_idx_nasty)()]),
    "checkpoint": Corpus(".pth", lambda: [_saved(_checkpoint())], _checkpoint_nasty, _checkpoint_fields),
    "resume": Corpus(
        ".resume.pth",
        lambda: [_saved(_resume_good())],
        fields=lambda rng: _saved(_replaced(_resume_good(), rng)),
    ),
    "tsv": Corpus(
        ".tsv",
        _tsv,
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
            _npz(x=np.zeros((3, 28, 28), np.uint8), y=np.array([1, 2, 11])),
            _npz(x=np.zeros((1, 9, 9), np.uint8), y=np.array(["7"])),
        ],
        _npz_nasty,
    ),
    "jsonl": Corpus(".jsonl", _one(_jsonl), _jsonl_nasty, _json_fields(_jsonl)),
    "jsonl.gz": Corpus(".jsonl.gz", _packed(_one(_jsonl)), lambda: [_gz_bomb(), *_packed(_jsonl_nasty)()]),
    "strokes": Corpus(".json", _one(_strokes), _strokes_nasty, _json_fields(_strokes)),
    "correction": Corpus(".npz", lambda: [_correction()], _npz_nasty, _correction_fields),
    "settings": Corpus(".json", _one(_settings), lambda: [b"[" * 100_000], _json_fields(_settings)),
    "onnx": Corpus(".onnx", lambda: [_export("onnx")]),
}


# ---------------------------------------------------------------------------------- commands

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
    picture = _pictures("png")[0]
    for label in ("a", "b"):
        (folder / "signs" / label).mkdir(parents=True)
        for number in range(4):
            (folder / "signs" / label / f"{number}.png").write_bytes(picture)
    files = {
        "good.png": picture,
        "bad.png": b"\x89PNG",
        "none.png": b"",
        "good.pth": _saved(_checkpoint()),
        "bad.pth": b"junk",
        "good.tsv": b"path\tlabel\ngood.png\t7\n",
        "bad.tsv": b"\0",
        "bad.npz": b"PK",
        "bad.jsonl.gz": b"\x1f\x8b",
        "bad.onnx": b"x",
        "good.json": json.dumps(_strokes()).encode(),
        "good.jsonl": json.dumps(_jsonl()).encode(),
        "bad.pt2": b"PK",
        "ä ö 手.png": picture,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in [*files, "empty", "absent.png", "signs"]]
