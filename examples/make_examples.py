"""Draw the pictures in this folder: strokes of our own, as a canvas, a scanner and a camera would give them.

python examples/make_examples.py
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ink.raster import draw_strokes

FOLDER = Path(__file__).resolve().parent

# x to the right, y down, any unit
STROKES: dict[str, list[list[list[float]]]] = {
    "0": [[[52, 8], [30, 16], [18, 44], [22, 76], [42, 92], [64, 84], [76, 54], [70, 22], [52, 8]]],
    "1": [[[30, 32], [52, 8], [50, 92]]],
    "2": [[[20, 28], [34, 10], [58, 10], [70, 28], [58, 52], [18, 90], [76, 86]]],
    "3": [[[22, 16], [48, 8], [66, 22], [58, 40], [40, 46], [64, 54], [70, 76], [50, 92], [20, 82]]],
    "4": [[[46, 6], [16, 60], [78, 58]], [[60, 34], [56, 96]]],
    "5": [[[70, 10], [30, 10], [26, 44], [50, 40], [70, 56], [62, 82], [40, 92], [18, 82]]],
    "6": [[[64, 8], [36, 30], [22, 62], [34, 90], [60, 86], [66, 64], [48, 54], [26, 66]]],
    "7": [[[18, 14], [74, 10], [50, 52], [38, 94]]],
    "8": [
        [
            [62, 20],
            [42, 8],
            [26, 24],
            [42, 46],
            [64, 66],
            [56, 90],
            [32, 88],
            [28, 66],
            [50, 46],
            [66, 26],
            [58, 14],
        ]
    ],
    "9": [[[66, 26], [46, 10], [26, 26], [34, 48], [60, 42], [68, 22], [64, 60], [54, 94]]],
    "-": [[[4, 54], [50, 52]]],
    ".": [[[4, 90], [7, 93]]],
    "1 like 7": [[[14, 30], [60, 10], [42, 94]]],  # its flag lies flat
    "star": [[[50, 4], [22, 94], [96, 36], [4, 36], [78, 94], [50, 4]]],
    "house": [
        [[16, 94], [16, 46], [50, 8], [84, 46], [84, 94], [16, 94]],
        [[42, 94], [42, 66], [58, 66], [58, 94]],
    ],
}
CROSSED_SEVEN: list[list[list[float]]] = [*STROKES["7"], [[32, 56], [66, 50]]]


def rounded(strokes: list[list[list[float]]]) -> list[list[list[float]]]:
    """Return the strokes with their corners cut three times (Chaikin, 1974); ends stay where they are."""
    result = []
    for stroke in strokes:
        points = np.array(stroke, float)
        for _ in range(3):
            cut = np.stack(
                [0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]], 1
            )
            points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
        result.append(points.tolist())
    return result


STROKES |= {digit: rounded(STROKES[digit]) for digit in "02356890"}


def row_of(text: Sequence[str], rng: np.random.Generator) -> list[list[list[float]]]:
    """Return the strokes of a number, keys of STROKES, written on an uneven line."""
    strokes, left = [], 0.0
    for character in text:
        size, rise = rng.uniform(0.85, 1.1), rng.uniform(-6, 6)
        strokes += [[[left + x * size, rise + y * size] for x, y in stroke] for stroke in STROKES[character]]
        left += {"-": 62, ".": 26}.get(character, 92) * size
    return strokes


def written(strokes: list[list[list[float]]], brush: float = 16, size: int = 280) -> np.ndarray:
    """Return float ink (size, size) in [0, 1] of strokes drawn on a canvas."""
    return 1 - draw_strokes(strokes, brush, size).astype(np.float64) / 255


def photographed(
    ink: np.ndarray, rng: np.random.Generator, colour: tuple[int, int, int], ruled: bool
) -> np.ndarray:
    """Return uint8 (H, W, 3): ink on paper under uneven light, a little out of focus, with a sensor's noise."""
    height, width = ink.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = 0.78 - 0.16 * (x * x + y * y) / 2 + 0.12 * x - 0.1 * y
    paper = np.ones((height, width, 3)) * np.array([0.97, 0.96, 0.92])
    if ruled:
        tilted = np.arange(height)[:, None] + 0.015 * np.arange(width)
        paper[tilted % 44 < 1.6] = (0.66, 0.76, 0.9)
    cover = ndimage.gaussian_filter(ink, 0.9)[..., None]
    picture = paper * (1 - cover) + np.array(colour) / 255 * cover
    picture = picture * light[..., None] + rng.normal(0, 0.012, (height, width, 1))
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def main() -> int:
    """Write the pictures."""
    rng = np.random.default_rng(2026)
    black = {name: Image.fromarray(draw_strokes(strokes, 16)) for name, strokes in STROKES.items()}
    black["7"].save(FOLDER / "seven.png")
    Image.fromarray(255 - draw_strokes(STROKES["3"], 22)).save(FOLDER / "three-white-on-black.png")
    Image.fromarray(draw_strokes(STROKES["5"], 5)).save(FOLDER / "five-thin-pen.png")
    Image.fromarray(draw_strokes(CROSSED_SEVEN, 14)).save(FOLDER / "seven-crossed.png")
    black["6"].resize((24, 24), Image.Resampling.BOX).save(FOLDER / "six-tiny.png")
    large = Image.new("L", (1600, 1200), 235)
    large.paste(
        Image.fromarray(np.minimum(draw_strokes(STROKES["8"], 16), 235)).resize((210, 210)), (1330, 60)
    )
    large.save(FOLDER / "eight-off-centre.png")
    ink = written(STROKES["2"], 18)
    clear = np.zeros((280, 280, 4), np.uint8)
    clear[..., 2], clear[..., 3] = 160, (ink * 255).round()
    Image.fromarray(clear).save(FOLDER / "two-transparent.png")
    Image.fromarray(photographed(written(STROKES["4"], 9, 420), rng, (40, 44, 60), False)).save(
        FOLDER / "four-photo.jpg", quality=85
    )
    nine = photographed(written(STROKES["9"], 10, 420), rng, (30, 50, 130), True)
    turned = Image.fromarray(nine).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned: a viewer turns it a quarter to the right
    turned.save(FOLDER / "nine-ruled-paper.jpg", quality=85, exif=exif)
    Image.fromarray(written_wide("2026", 14, rng)).save(FOLDER / "number-2026.png")
    phone = 1 - written_wide("5550123", 9, rng).astype(np.float64) / 255
    Image.fromarray(photographed(phone, rng, (35, 35, 45), False)).save(
        FOLDER / "phone-number-photo.jpg", quality=85
    )
    black["star"].save(FOLDER / "star.png")
    black["house"].save(FOLDER / "house.png")
    Image.new("L", (280, 280), 255).save(FOLDER / "blank.png")
    Image.fromarray(written_wide("-3.14", 12, rng)).save(FOLDER / "minus-3.14.png")
    return 0


def written_wide(text: str, brush: float, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (H, W), dark on light: a number, cropped from a square canvas to a strip."""
    picture = draw_strokes(row_of(text, rng), brush, 90 * len(text) + 60)
    rows = np.flatnonzero((picture < 255).any(axis=1))
    return picture[max(rows[0] - 40, 0) : rows[-1] + 40]


if __name__ == "__main__":
    sys.exit(main())
