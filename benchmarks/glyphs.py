"""Digits, letters and other signs in the fonts of a machine: how many are read, and refused.

    $ python benchmarks/glyphs.py /usr/share/fonts --every 2        # half of the fonts, or --every 2 --from 1 the other half

Fonts that look handwritten hold what many hands make of digits, and of signs that are none: letters that resemble no
digit, Greek, Cyrillic, kana, kanji, little pictures. Each sign is shown as drawn with a pen of the font's own (100 pixels to the
em, dark on light) and as a small scan (28 x 28, light on dark, as letter data sets have them). RESULTS.md names the
packages whose fonts were used. For measuring only, never for training.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

sys.path[:0] = [
    str(Path(__file__).resolve().parent.parent),
    str(Path(__file__).resolve().parent),
]  # ours goes before benchmarks/canvas.py

from pictures import LETTERS  # noqa: E402

from base import command  # noqa: E402
from recognizer.road import Recognizer  # noqa: E402

EM, MARGIN, SMALL, FITTED = 100, 40, 28, 22  # pixels
DIGITS = "0123456789"
# without those that can be read as a digit
SIGNS = {
    "letters": LETTERS,
    "Greek": "ΓΔΛΞΠΣΦΨΩαγδεηθκλμνξπρτφχψω",
    "Cyrillic": "ДЖИЙЛПУФЦШЩЪЫЭЮЯджийклмнпфцшщыюя",
    "kana": "あいえおかがきぎくぐけげこごさざしじすずせぜそただちぢでとなぬねのはばぱひびぴふぶぷほぼぽまみむめもやゆよれわを"
    "アイウエオカガキギグゲゴサザシジスズセゼタダチヂデナニヌネバパビピブプペホボポマムメヤルロヲ",
    "kanji": "人木水火山川犬車馬学家花鳥魚雨雪春夏秋冬",
    "pictures": "".join(
        map(
            chr,
            (
                *range(0x1F300, 0x1F51F),
                *range(0x1F5A4, 0x1F640),
                *range(0x1F680, 0x1F6C5),
                *range(0x2600, 0x2700),
            ),
        )
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Print a line a kind; return the exit status."""
    arguments = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    recognizer = Recognizer(arguments.model) if arguments.model else Recognizer()
    try:
        fonts = find_fonts(arguments.fonts)[arguments.first :: arguments.every]
    except (OSError, ValueError) as error:
        print(f"glyphs.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    if not fonts:
        print("glyphs.py: no .ttf or .otf font there", file=sys.stderr)
        return 1
    print(f"{len(fonts)} fonts\n| | n | large | 28 x 28 |\n|---|---:|---:|---:|")
    for kind, signs in {"digits read": DIGITS, **SIGNS}.items():
        good = [
            [
                (said.text == sign) if signs == DIGITS else said.status != "ok"
                for said in map(recognizer.read, (large, small(large)))
            ]
            for sign, large in draw_signs(fonts, signs, arguments.most)
        ]
        if good:
            shares = " | ".join(f"{share:.1%}" for share in np.mean(good, axis=0))
            print(
                f"| {kind if signs == DIGITS else kind + ' refused'} | {len(good):,} | {shares} |", flush=True
            )
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fonts", type=Path, nargs="+", help="font files, and folders of them")
    parser.add_argument(
        "--every",
        type=command.number(int, 1),
        default=1,
        help="take every so manieth font, by name (default: 1)",
    )
    parser.add_argument(
        "--from",
        type=command.number(int, 0),
        default=0,
        dest="first",
        help="beginning with this one (default: 0)",
    )
    parser.add_argument(
        "--most", type=command.number(int, 1), default=1000, help="signs of a kind, at most (default: 1000)"
    )
    parser.add_argument("--model", type=Path, help="checkpoint (default: the shipped model.pth)")
    return parser


def find_fonts(places: list[Path]) -> list[Path]:
    """Return the fonts among `places` and in their folders, by name; of a family's styles the shortest name's alone."""
    files = [file for place in places for file in (place.rglob("*") if place.is_dir() else [place])]
    fonts = sorted(
        (file for file in files if file.suffix.lower() in (".ttf", ".otf")),
        key=lambda file: (len(file.name), file.name),
    )
    families: dict[str, Path] = {}
    for font in fonts:
        try:
            families.setdefault(FT2Font(str(font)).family_name, font)
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{font} is no font: {error}") from error
    return sorted(families.values(), key=lambda file: file.name)


def draw_signs(fonts: list[Path], signs: str, most: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (sign, uint8 (H, W) dark on light) for what `fonts` have of `signs`; a fixed choice of `most` where there are more."""
    pairs = [(font, sign) for font in fonts for sign in held_signs(font, signs)]
    pairs = sorted(pairs, key=lambda pair: zlib.crc32(f"{pair[0].name} {pair[1]}".encode()))[:most]
    for path, sign in pairs:
        font = ImageFont.truetype(str(path), EM)
        left, top, right, bottom = (round(side) for side in font.getbbox(sign))
        image = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN), 255)
        ImageDraw.Draw(image).text((MARGIN - left, MARGIN - top), sign, fill=0, font=font)
        if (pixels := np.asarray(image)).min() < 128:
            yield sign, pixels


def held_signs(font: Path, signs: str) -> list[str]:
    """Return those of `signs` that a font has a glyph for."""
    face = FT2Font(str(font))
    return [sign for sign in signs if face.get_char_index(ord(sign))]


def small(large: np.ndarray) -> np.ndarray:
    """Return uint8 (28, 28), light on dark: the sign of a `large` picture, its longer side 22 pixels."""
    ink = 255 - large
    ink = ink[np.ix_((ink > 60).any(1), (ink > 60).any(0))]
    height, width = (max(1, round(side * FITTED / max(ink.shape))) for side in ink.shape)
    frame = Image.new("L", (SMALL, SMALL))
    frame.paste(
        Image.fromarray(ink).resize((width, height), Image.Resampling.BOX),
        ((SMALL - width) // 2, (SMALL - height) // 2),
    )
    return np.asarray(frame)


if __name__ == "__main__":
    sys.exit(main())
