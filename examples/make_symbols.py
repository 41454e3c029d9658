"""Draw a data set of five symbols, to try a network on pictures of one's own: a sub-folder a class, no two drawings alike.

python examples/make_symbols.py symbols --count 60
python examples/make_symbols.py symbols-test --count 40 --seed 1
python train.py --data symbols --output symbols.pth
python test.py --data symbols-test --model symbols.pth
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from base import command  # noqa: E402
from ink.raster import draw_strokes

CIRCLE = [(50 + 44 * np.cos(turn), 50 + 44 * np.sin(turn)) for turn in np.linspace(0.3, 6.5, 20)]
SYMBOLS: dict[str, list[list[tuple[float, float]]]] = {
    "arrow": [[(5, 50), (95, 50)], [(62, 22), (95, 50), (62, 78)]],
    "face": [CIRCLE, [(34, 36), (34, 42)], [(66, 36), (66, 42)], [(30, 64), (42, 74), (58, 74), (70, 64)]],
    "house": [
        [(12, 95), (12, 42), (50, 8), (88, 42), (88, 95), (12, 95)],
        [(42, 95), (42, 66), (60, 66), (60, 95)],
    ],
    "star": [[(50, 4), (22, 94), (96, 36), (4, 36), (78, 94), (50, 4)]],
    "tick": [[(10, 55), (38, 88), (92, 10)]],
}


def draw(name: str, generator: np.random.Generator) -> np.ndarray:
    """Return uint8 (280, 280), dark on white: a symbol by a hand that never draws it twice alike."""
    turn, shear = generator.normal(0, 0.12, 2)
    stretch = generator.uniform(0.75, 1.25)
    matrix = np.array([[np.cos(turn), -np.sin(turn) + shear], [np.sin(turn), np.cos(turn) * stretch]])
    strokes = [
        (np.array(stroke) + generator.normal(0, 2.5, (len(stroke), 2))) @ matrix.T for stroke in SYMBOLS[name]
    ]
    return draw_strokes(
        [stroke.tolist() for stroke in strokes], generator.uniform(6, 24), margin=generator.uniform(30, 90)
    )


def main(argv: list[str] | None = None) -> int:
    """Write the folders; return the exit status."""
    parser = argparse.ArgumentParser(prog="make_symbols.py", description="Draw a data set of five symbols.")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--count", type=command.number(int, 1), default=60, help="drawings of each (default: 60)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the hand (default: 0)")
    arguments = parser.parse_args(argv)
    generator = np.random.default_rng(arguments.seed)
    for name in SYMBOLS:
        (arguments.folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(arguments.count):
            Image.fromarray(draw(name, generator)).save(arguments.folder / name / f"{number:03d}.png")
    print(f"{arguments.folder}: {len(SYMBOLS)} classes, {arguments.count} drawings of each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
