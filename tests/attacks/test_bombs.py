"""Small files that unpack, nest or count to more than a machine holds: refused, without the memory being taken."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from base.card import read_card
from base.checkpoint import CheckpointError, load_checkpoint
from corrections.memory import Memory
from dataset import DataError, read_idx
from ink.canvas import Canvas
from ink.decode import PictureError, open_picture
from measuring.testsets import load_samples
from window.settings import Settings, load_settings

MEGABYTE = 1 << 20
MOST = 64 * MEGABYTE  # that Python may take for a file of some kilobytes
DEEP = ["[" * 200_000, '{"a":' * 200_000, '{"strokes":' + "[" * 200_000, "[" * 900 + "]" * 900]


@pytest.fixture(autouse=True)
def _little_memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail where a test took more memory than MOST."""
    if "says" in request.node.name:  # room is set aside as the file claims, and never filled
        yield
        return
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST, f"{peak / MEGABYTE:.0f} MB"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *chunks: bytes, colour: int = 0) -> bytes:
    """Return a PNG that says it is so large and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


def gif(width: int, height: int, frames: int = 1) -> bytes:
    """Return a GIF with a screen of this size and so many frames of one pixel."""
    frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
    return (
        b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"
    )


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def tiff(width: int, height: int) -> bytes:
    tags = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, 100),
    ]
    body = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags
    )
    return b"II*\0" + struct.pack("<I", 8) + body + bytes(4)


LARGE: dict[str, bytes] = {
    "png": png(60_000, 60_000),
    "png-limits": png(2**31 - 1, 2**31 - 1),
    "png-wide": png(2_000_000, 1),
    "png-rgba": png(30_000, 30_000, colour=6),
    "gif-screen": gif(65_535, 65_535),
    "bmp": bmp(50_000, 50_000),
    "bmp-negative": bmp(50_000, -50_000),
    "tiff": tiff(60_000, 60_000),
    "ppm": b"P6 60000 60000 255 ",
    "ppm-number": b"P6 " + b"9" * 5000 + b" 1 255 ",
    "png-text": png(8, 8, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 * MEGABYTE), 9))),
    "png-profile": png(8, 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200 * MEGABYTE), 9))),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_small_file_of_a_huge_picture_is_refused(name: str) -> None:
    with pytest.raises(PictureError):
        open_picture(LARGE[name])


def test_of_a_gif_with_very_many_frames_one_is_decoded() -> None:
    colours, _ = open_picture(gif(1, 1, frames=100_000))
    assert colours.shape[:2] == (1, 1)


def test_frames_that_say_they_are_larger_than_the_screen_are_refused_or_cut() -> None:
    content = gif(8, 8).replace(b",\0\0\0\0\x01\0\x01\0", b",\0\0\0\0\xff\xff\xff\xff")
    try:
        assert max(open_picture(content)[0].shape) <= 1024
    except PictureError:
        pass


def test_a_picture_within_the_limits_is_reduced_while_it_is_read() -> None:
    buffer = io.BytesIO()
    Image.new("1", (9000, 9000)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < 20_000 and open_picture(buffer.getvalue())[0].shape == (1024, 1024)


# ---------------------------------------------------------------------------------- text


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
def test_deep_json_is_refused_everywhere(text: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError):
        Canvas().load_json(text)
    with pytest.raises(DataError):
        list(load_samples(path))
    with pytest.raises(ValueError):
        read_card(text, path)
    assert load_settings(path) == Settings() and not path.exists()


@pytest.mark.parametrize("digits", [5_000, 2_000_000])
def test_a_number_of_very_many_digits_is_refused(digits: int, tmp_path: Path) -> None:
    number = "9" * digits
    content = json.loads(Canvas().to_json())
    text = json.dumps(content | {"width": "@"}).replace('"@"', number)
    with pytest.raises(ValueError):
        Canvas().load_json(text)
    (tmp_path / "s.json").write_text(f'{{"width": {number}, "height": 700, "theme": "light", "brush": 16}}')
    assert load_settings(tmp_path / "s.json") == Settings()


# ---------------------------------------------------------------------------------- archives


def zipped(names: list[str], size: int) -> bytes:
    """Return a zip file whose members unpack to `size` zeros each."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name in names:
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(size // MEGABYTE):
                    member.write(bytes(MEGABYTE))
    return buffer.getvalue()


def overlapping(count: int) -> bytes:
    """Return a zip file that names one member `count` times (as D. Fifield's bomb does)."""
    content = zipped(["x.npy"], 16 * MEGABYTE)
    end = content.rindex(b"PK\x05\x06")
    start = content.rindex(b"PK\x01\x02", 0, end)
    entry = content[start:end]
    tail = bytearray(content[end : end + 22])
    struct.pack_into("<HHI", tail, 8, count, count, len(entry) * count)
    return content[:start] + entry * count + bytes(tail)


@pytest.mark.parametrize(
    "make", [lambda: zipped(["archive/data.pkl"], 256 * MEGABYTE), lambda: overlapping(500)]
)
def test_a_model_that_unpacks_is_refused_before_it_does(make: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "bomb.pth").write_bytes(make())
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "bomb.pth")


@pytest.mark.parametrize(
    "make",
    [lambda: zipped(["frame.npy", "label.npy", "format.npy"], 128 * MEGABYTE), lambda: overlapping(500)],
)
def test_a_correction_that_unpacks_is_set_aside(make: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "20200101T000000000000-000-abcdef.npz").write_bytes(make())
    assert len(Memory(tmp_path).damaged) == 1


def huge_array() -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)}
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in ("x.npy", "y.npy", "frame.npy"):
            file.writestr(name, buffer.getvalue())
    return packed.getvalue()


def test_an_array_that_says_it_is_huge_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(huge_array())
    with pytest.raises(DataError):
        list(load_samples(tmp_path / "x.npz"))


def test_a_correction_of_a_huge_array_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "20200101T000000000000-000-abcdef.npz").write_bytes(huge_array())
    assert len(Memory(tmp_path).damaged) == 1


def test_a_packed_table_that_unpacks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataset.MOST_BYTES", MEGABYTE)
    monkeypatch.setattr("measuring.testsets.MOST_LINE", MEGABYTE)
    bomb = gzip.compress(bytes(4 * MEGABYTE), 9) * 32  # members one after the other
    for name, read in (("x.gz", read_idx), ("x.jsonl.gz", lambda path: list(load_samples(path)))):
        (tmp_path / name).write_bytes(bomb)
        with pytest.raises(DataError):
            read(tmp_path / name)


def test_an_idx_file_that_says_it_is_huge_is_refused(tmp_path: Path) -> None:
    for dims in ((2**31, 2**31, 2**31), (10**9, 28, 28), (0xFFFFFFFF,) * 3):
        (tmp_path / "x").write_bytes(b"\0\0\x08\x03" + struct.pack(">III", *dims) + bytes(100))
        with pytest.raises(DataError):
            read_idx(tmp_path / "x")
