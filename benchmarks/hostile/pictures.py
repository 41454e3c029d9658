"""Pictures, small and huge, for fuzz.py."""

from __future__ import annotations

import io
import random
import struct
from typing import Any

import numpy as np

from benchmarks.hostile import damage


def pictures(kind: str) -> list[bytes]:
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


def drawn(rng: random.Random) -> bytes:
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


def huge_png() -> list[bytes]:
    """Return pictures that are small on disk and large when decoded: 178 million pixels is Pillow's own limit."""
    import zlib

    made = []
    side = int((1.7 * damage.PIXELS) ** 0.5)
    for colour, channels, depth, (width, height) in [
        (6, 4, 8, (side, side)),
        (2, 3, 8, (side, side)),
        (0, 1, 8, (side, side)),
        (0, 1, 16, (side, side)),
        (6, 4, 16, (side * 2 // 3, side * 2 // 3)),
        (0, 1, 8, (1, damage.PIXELS)),
        (0, 1, 1, (damage.PIXELS, 1)),
        (2, 3, 8, (60000, 60000)),
        (0, 1, 8, (2**31 - 1, 2**31 - 1)),
    ]:
        packer = zlib.compressobj(9)
        size = height * (1 + width * channels * depth // 8) if width * height <= 2 * damage.PIXELS else 1000
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
