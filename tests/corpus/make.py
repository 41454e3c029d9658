"""Make the inputs that once failed, or that fail elsewhere: `python tests/corpus/make.py` writes them beside this file.

Each has a line in truth.json: who reads it, and what must come of it ("refused" with words of the message, or what is
read). A new one that fails is added here, by what makes it or as bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))
REFUSED = "refused"
STROKE = {"brush": 16, "eraser": False, "points": [[20, 20], [60, 90]]}
SHEET = {"format": "digits-strokes-v1", "width": 280, "height": 280, "strokes": [STROKE]}


def packed(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.save(buffer, kind, **options)
    return buffer.getvalue()


def grey(values: Any, dtype: Any = np.uint8) -> Image.Image:
    return Image.fromarray(np.asarray(values, dtype))


def bar() -> np.ndarray:
    """Return a 1, dark on light, uint8 (40, 40)."""
    picture = np.full((40, 40), 255, np.uint8)
    picture[6:34, 18:22] = 0
    return picture


def pictures() -> dict[str, tuple[bytes, Any]]:
    """Return pictures and their status, None where it is the network's business: no reading may end in an error."""
    dots = np.full((60, 60), 255, np.uint8)
    dots[::6, ::6] = 0
    ring = np.full((64, 64), 255, np.uint8)
    ring[:2] = ring[-2:] = 0
    ring[:, :2] = ring[:, -2:] = 0
    turned = Image.Exif()
    turned[0x0112] = 6
    odd_exif = Image.Exif()
    odd_exif[0x0112] = 99
    alpha = np.zeros((40, 40, 4), np.uint8)
    alpha[..., 3] = 255 - bar()
    white = alpha.copy()
    white[..., :3] = 255
    png = packed(grey(bar()))
    nan = np.full((20, 20), np.nan, np.float32)
    nan[4:16, 9:11] = 1
    return {
        "one-pixel.png": (packed(grey([[0]])), "blank"),
        "all-black.png": (packed(grey(np.zeros((30, 30)))), "blank"),
        "all-white.png": (packed(grey(np.full((30, 30), 255))), "blank"),
        "one-row.png": (packed(grey([[255, 0, 255, 255]])), None),
        "one-column.png": (packed(grey([[255]] * 300)), "blank"),
        "dots-alone.png": (packed(grey(dots)), None),
        "covered-but-a-corner.png": (packed(grey(np.pad([[255]], ((0, 39), (0, 39))))), None),
        "frame-alone.png": (packed(grey(ring)), None),
        "flat-16-bit.png": (packed(grey(np.full((20, 20), 40_000), np.uint16)), "blank"),
        "ten-of-16-bits.png": (packed(grey(bar() * 4.0, np.uint16)), None),
        "float-nan.tif": (packed(Image.fromarray(nan), "TIFF"), None),
        "float-infinite.tif": (
            packed(Image.fromarray(np.where(np.isnan(nan), 0, np.inf).astype(np.float32)), "TIFF"),
            None,
        ),
        "float-negative.tif": (packed(Image.fromarray(np.full((9, 9), -1e30, np.float32)), "TIFF"), "blank"),
        "transparent-ink.png": (packed(Image.fromarray(alpha)), None),
        "white-ink-on-nothing.png": (packed(Image.fromarray(white)), None),
        "nothing-at-all.png": (packed(Image.new("RGBA", (20, 20))), "blank"),
        "turned-by-exif.jpg": (packed(grey(bar()), "JPEG", exif=turned.tobytes()), None),
        "odd-exif.jpg": (packed(grey(bar()), "JPEG", exif=odd_exif.tobytes()), None),
        "damaged-exif.jpg": (packed(grey(bar()), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), None),
        "cmyk.jpg": (packed(grey(bar()).convert("CMYK"), "JPEG"), None),
        "palette-transparent.gif": (packed(grey(bar()).convert("P"), "GIF", transparency=0), None),
        "truncated.png": (png[: len(png) // 2], [REFUSED, "save it again"]),
        "wrong-checksum.png": (png[:40] + b"\xff" + png[41:], [REFUSED, "save it"]),
        "empty.png": (b"", [REFUSED, "is empty"]),
        "no-pixels.ppm": (b"P5 0 0 255 ", [REFUSED, "save it"]),
        "text.png": (b"a text\n", [REFUSED, "none of the formats"]),
        "heic-without-content.png": (b"\0\0\0\x18ftypheic", [REFUSED, ""]),
        "header-alone.bmp": (b"BM" + bytes(20), [REFUSED, "save it"]),
        "endless-directory.tif": (
            b"II*\0\x08\0\0\0\x01\0\0\x01\x04\0\x01\0\0\0\x10\0\0\0\x08\0\0\0",
            [REFUSED, "save it"],
        ),
        "deflated-junk.png": (
            png[:33] + struct.pack(">I", 4) + b"IDAT" + b"junk" + struct.pack(">I", zlib.crc32(b"IDATjunk")),
            [REFUSED, "save it again"],
        ),
    }


def strokes() -> dict[str, tuple[bytes, Any]]:
    """Return stroke files and how many strokes they hold."""

    def sheet(**changes: Any) -> bytes:
        return json.dumps({**SHEET, **changes}).encode()

    def points(each: Any) -> bytes:
        return sheet(strokes=[{**STROKE, "points": each}])

    damaged = [REFUSED, "damaged"]
    return {
        "good.json": (sheet(), 1),
        "no-strokes.json": (sheet(strokes=[]), 0),
        "another-size.json": (sheet(width=2800, height=1400), 1),
        "empty.json": (b"", [REFUSED, "strokes"]),
        "null.json": (b"null", [REFUSED, "strokes"]),
        "number.json": (b"7", [REFUSED, "strokes"]),
        "not-utf-8.json": (b"\xff\xfe{", [REFUSED, "strokes"]),
        "nul.json": (
            b"\0" * 40,
            [REFUSED, "strokes"],
        ),  # what some disks leave of a file that was not flushed
        "cut-short.json": (sheet()[:60], [REFUSED, "strokes"]),
        "nested.json": (b"[" * 5_000, [REFUSED, "strokes"]),
        "narrow.json": (sheet(width=1e-308, height=1e-308), damaged),
        "negative.json": (sheet(width=-280), damaged),
        "width-nan.json": (sheet(width=float("nan")), damaged),
        "width-text.json": (sheet(width="280"), [REFUSED, ""]),
        "width-true.json": (sheet(width=True), [REFUSED, ""]),
        "huge-number.json": (points([[0, 0], ["@", 0]]).replace(b'"@"', b"9" * 400), damaged),
        "very-huge-number.json": (points([[0, 0], ["@", 0]]).replace(b'"@"', b"9" * 5_000), [REFUSED, ""]),
        "infinite-point.json": (points([[0, 0], [float("inf"), 0]]), damaged),
        "far-points.json": (points([[1e308, -1e308], [-1e308, 1e308]]), 1),
        "one-number.json": (points([[1], [2]]), damaged),
        "three-numbers.json": (points([[1, 2, 3]]), damaged),
        "texts.json": (points([["a", "b"]]), damaged),
        "no-points.json": (points([]), damaged),
        "brush-huge.json": (sheet(strokes=[{**STROKE, "brush": 1e308}]), 1),
        "brush-nan.json": (sheet(strokes=[{**STROKE, "brush": float("nan")}]), damaged),
        "strokes-an-object.json": (sheet(strokes={"a": 1}), damaged),
        "another-format.json": (sheet(format="another"), [REFUSED, ""]),
    }


def settings() -> dict[str, tuple[bytes, Any]]:
    """Return settings and the width that is read; the default is 1024."""
    good = {"width": 800, "height": 600, "theme": "dark", "brush": 16.0}

    def made(**changes: Any) -> bytes:
        return json.dumps({**good, **changes}).encode()

    return {
        "good.json": (made(), 800),
        "large.json": (made(width=10**9), 16384),
        "small.json": (made(width=-5), 480),
        "extra.json": (made(more=[1]), 800),
        "width-infinite.json": (made(width=float("inf")), 1024),
        "width-text.json": (made(width="x"), 1024),
        "width-list.json": (made(width=[1]), 1024),
        "brush-nan.json": (made(brush=float("nan")), 1024),
        "theme.json": (made(theme="pink"), 1024),
        "theme-list.json": (made(theme=["dark"]), 1024),
        "list.json": (b"[]", 1024),
        "empty.json": (b"", 1024),
        "nul.json": (b"\0" * 80, 1024),
        "nested.json": (b'{"a":' * 1_300, 1024),
    }


def corrections() -> dict[str, tuple[bytes, Any]]:
    """Return corrections and their labels; "set aside" for what is none."""
    frame = np.zeros((28, 28), np.float32)
    frame[4:24, 12:16] = 1
    words = {
        "format": "digits-correction-v1",
        "label": "1",
        "time": "2026-11-30T00:00:00+00:00",
        "model": "m",
    }

    def made(**changes: Any) -> bytes:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {
            "frame": frame,
            **{name: np.array(word) for name, word in words.items()},
            **changes,
        }
        np.savez_compressed(buffer, **{name: array for name, array in arrays.items() if array is not None})
        return buffer.getvalue()

    aside, good = "set aside", made()
    return {
        "good.npz": (good, "1"),
        "word.npz": (made(label=np.array("ä arrow/..")), "ä arrow/.."),
        "colours.npz": (made(frame=np.repeat(frame[..., None], 3, axis=2)), "1"),
        "empty.npz": (b"", aside),
        "nul.npz": (bytes(len(good)), aside),
        "cut-short.npz": (good[: len(good) // 2], aside),
        "one-bit.npz": (good[:120] + bytes([good[120] ^ 16]) + good[121:], aside),
        "frame-nan.npz": (made(frame=frame * np.float32("nan")), aside),
        "frame-bright.npz": (made(frame=frame * 2), aside),
        "frame-empty.npz": (made(frame=np.zeros((0, 28), np.float32)), aside),
        "frame-flat.npz": (made(frame=np.zeros(784, np.float32)), aside),
        "frame-complex.npz": (made(frame=frame.astype(np.complex64)), aside),
        "no-frame.npz": (made(frame=None), aside),
        "no-label.npz": (made(label=np.array("")), aside),
        "another-format.npz": (made(format=np.array("v9")), aside),
        "objects.npz": (made(label=np.array([{}], dtype=object)), aside),
    }


def tables() -> dict[str, tuple[bytes, Any]]:
    """Return test sets and how many samples they hold."""

    def arrays(**each: Any) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **each)
        return buffer.getvalue()

    pair = np.zeros((2, 28, 28), np.uint8)
    line = json.dumps({"strokes": [[[1, 2], [30, 40]]], "label": "7"}).encode()
    return {
        "good.npz": (arrays(x=pair, y=[1, 2]), 2),
        "floats.npz": (arrays(x=pair.astype(float), y=[1, 2]), [REFUSED, "floats.npz"]),
        "no-pixels.npz": (arrays(x=pair[:, :0, :0], y=[1, 2]), 2),
        "too-few-labels.npz": (arrays(x=pair, y=[1]), [REFUSED, "too-few-labels.npz"]),
        "labels-nan.npz": (arrays(x=pair, y=[float("nan")] * 2), [REFUSED, "labels-nan.npz"]),
        "no-zip.npz": (b"PK\x03\x04", [REFUSED, "no-zip.npz"]),
        "good.jsonl": (line + b"\n" + line, 2),
        "packed.jsonl.gz": (gzip.compress(line, mtime=0), 1),
        "cut-short.jsonl.gz": (gzip.compress(line, mtime=0)[:-9], [REFUSED, "cut-short.jsonl.gz"]),
        "nested.jsonl": (b"[" * 5_000, [REFUSED, "nested.jsonl"]),
        "null.jsonl": (b"null", [REFUSED, "null.jsonl"]),
        "not-utf-8.jsonl": (b"\xff\xfe", [REFUSED, "not-utf-8.jsonl"]),
        "far.jsonl": (b'{"strokes": [[[0, 0], [1e308, -1e308]]], "label": "7"}', None),
        "nan.jsonl": (b'{"strokes": [[[0, NaN]]], "label": "7"}', [REFUSED, "nan.jsonl"]),
        "huge-number.jsonl": (
            b'{"strokes": [[[' + b"9" * 5_000 + b', 1]]], "label": "7"}',
            [REFUSED, "huge-number.jsonl"],
        ),
        "no-columns.tsv": (b"a\tb\n", [REFUSED, "no-columns.tsv"]),
        "short-row.tsv": (b"path\tlabel\na.png\n", [REFUSED, "short-row.tsv"]),
        "nul.tsv": (b"\0" * 30, [REFUSED, "nul.tsv"]),
    }


def models() -> dict[str, tuple[bytes, Any]]:
    """Return files that are no models."""
    bad = [REFUSED, ""]
    return {
        "empty.pth": (b"", bad),
        "nul.pth": (bytes(200), bad),
        "text.pth": (b"weights", bad),
        "zip-alone.pth": (b"PK\x05\x06" + bytes(18), bad),
        "pickle-alone.pth": (b"\x80\x02}q\x00.", bad),
        "pickle-of-code.pth": (b"cos\nmkdir\n(S'canary'\ntR.", [REFUSED, "opening it could run code"]),
        "empty.onnx": (b"", bad),
        "text.onnx": (b"weights", bad),
        "module.pt2": (b"PK", [REFUSED, "other programs"]),
    }


def main() -> None:
    truth: dict[str, Any] = {}
    for reader in (pictures, strokes, settings, corrections, tables, models):
        for name, (content, wanted) in reader().items():
            path = HERE / reader.__name__ / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            truth[f"{reader.__name__}/{name}"] = wanted
    lines = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(wanted, ensure_ascii=False)}" for name, wanted in truth.items()
    )
    (HERE / "truth.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
