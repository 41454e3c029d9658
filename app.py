"""Draw a number and watch it being read.

    python app.py
    python app.py --model my.pth --scale 2
    python app.py --strokes drawing.json --screenshot window.png

The window is up before the network is loaded; reading happens in a thread of its own (worker.py), so the pen never waits.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from base import command
from window.settings import LEAST_SIZE, MOST_SIDE, THEMES, keep_drawing, load_settings, save_settings


def build_parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Draw digits and see them read.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  python app.py\n  python app.py --model my.pth --scale 2 --size 1600x1200\n"
        "  python app.py --strokes drawing.json --screenshot window.png\n\nF1 in the window shows all keys.",
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
        type=command.number(float, 0.5, 4),
        default=1.0,
        help="size of text and buttons, 0.5 to 4 (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=window_size,
        metavar="WxH",
        help="window size in pixels (default: that of the last time)",
    )
    parser.add_argument("--theme", choices=THEMES, help="colours (default: those of the last time)")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="folder for drawings (default: the current one)"
    )
    parser.add_argument(
        "--strokes",
        type=Path,
        metavar="FILE",
        help="begin with the strokes of a .json file that S or J saved",
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
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    # a window's OpenGL driver may bring an LLVM of its own, beside which triton's crashes; torch does without triton
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
    os.environ.setdefault(
        "SDL_MOUSE_FOCUS_CLICKTHROUGH", "1"
    )  # the click that brings the window to the front draws, too
    if args.screenshot:
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    import pygame

    from window.layout import open_window

    settings = load_settings()
    if args.theme:
        settings.theme = args.theme
    if args.size:
        settings.width, settings.height = args.size
    size = (
        args.size or (round(1024 * args.scale), round(768 * args.scale))
        if args.size or args.scale != 1
        else (settings.width, settings.height)
    )
    try:
        screen = open_window(size)
    except pygame.error as error:
        print(
            f"app.py: no window can be opened ({error}): start it where there is a display, "
            "or use predict.py for files",
            file=sys.stderr,
        )
        return 1
    from window.app import App
    from window.controls import run
    from window.exchange import screenshot
    from window.session import Session
    from window.worker import Worker

    wake = threading.Event()
    pygame.font.init()
    worker = Worker(wake.set)
    app = App(screen, Session(args.device, args.corrections), worker, settings, args.scale, args.output)
    pygame.display.update(app.draw())
    app.load(args.model)
    try:
        if args.strokes and not app.exchange.open_strokes(args.strokes) and args.screenshot:
            print(f"app.py: {app.message}", file=sys.stderr)
            return 1
        if args.screenshot:
            return screenshot(app, args.screenshot)
        if not args.strokes:
            app.bring_back()
        try:
            run(app, wake)
        finally:  # also where Ctrl-C ended it
            save_settings(settings)
            keep_drawing(app.drawing.canvas)
    finally:
        worker.close(timeout=0.2)
        pygame.display.quit()
    return 0


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
