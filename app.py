"""Draw a number and watch it being read.

    python app.py
    python app.py --model my.pth --scale 2
    python app.py drawing.json --screenshot window.png

The window is up before the network is loaded; reading happens in a thread of its own (worker.py), so the pen never waits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from base import command
from window.settings import LEAST_SIZE, MOST_SIDE, SCALES, THEMES
from window.start import Wishes, run_window


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Draw digits and see them read.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python app.py\n  python app.py --model my.pth --scale 2 --size 1600x1200\n"
        "  python app.py photo.jpg\n  python app.py drawing.json --screenshot window.png\n\nF1 in the window shows all keys.",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a drawing (.json), a picture or a folder to open"
    )
    default = Path(__file__).parent / "model.pth"
    parser.add_argument("--model", type=Path, default=default, help=".pth or .onnx (default: model.pth)")
    parser.add_argument(
        "--device", default="cpu", help="where the network runs: cpu or cuda (default: %(default)s)"
    )
    parser.add_argument(
        "--corrections", type=Path, metavar="DIR", help="folder of corrections (default: in the user's data)"
    )
    parser.add_argument(
        "--scale",
        type=command.number(float, *SCALES),
        help="size of text and buttons, 0.5 to 4 (default: that of the last time, or the system's)",
    )
    parser.add_argument(
        "--size",
        type=window_size,
        metavar="WxH",
        help="window size in pixels (default: that of the last time)",
    )
    parser.add_argument("--theme", choices=THEMES, help="colours (default: those of the last time)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder to open from and save in (default: that of the last time, or your pictures)",
    )
    parser.add_argument(
        "--screenshot",
        type=Path,
        metavar="PNG",
        help="save a picture of the window once it has read, and quit",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the window until it is closed; return the exit status."""
    args = build_parser().parse_args(argv)
    wishes = Wishes(
        args.model,
        args.device,
        args.corrections,
        args.scale,
        args.size,
        args.theme,
        args.output,
        args.file,
        args.screenshot,
    )
    return run_window(wishes)


def window_size(text: str) -> tuple[int, int]:
    """Return the pixels (width, height) of an option's value, WIDTHxHEIGHT; raises argparse.ArgumentTypeError."""
    try:
        width, height = (int(side) for side in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write it like 1024x768") from None
    if width < LEAST_SIZE[0] or height < LEAST_SIZE[1] or max(width, height) > MOST_SIDE:
        raise argparse.ArgumentTypeError(
            f"must be from {LEAST_SIZE[0]}x{LEAST_SIZE[1]} to {MOST_SIDE}x{MOST_SIDE}"
        )
    return width, height


if __name__ == "__main__":
    command.run(main, filters=False)
