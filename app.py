"""Draw a number and watch it being read.

    python app.py
    python app.py --model my.pth --scale 2
    python app.py --strokes drawing.json --screenshot window.png

The window is up before torch is loaded; reading happens in a thread of its own (worker.py), so the pen never waits.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from base import command
from window.settings import LEAST_SIZE, MOST_SIDE, THEMES, load_settings, save_settings

if TYPE_CHECKING:
    import pygame

    from window.app import App

FRAMES_PER_SECOND = (
    120  # at most; a window that draws more often than the screen shows wastes the reading's time
)
ACTIVE_PAUSE, CALM_PAUSE = (
    0.002,
    0.015,
)  # seconds between looks at the events; the second is less than a frame at 60 Hz
CALM_AFTER = 1.0  # seconds without anything to see
LOADING_LIMIT = 120.0  # seconds; --screenshot waits no longer for the answer


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
    parser.add_argument(
        "--model", type=Path, default=default, help="checkpoint (default: the shipped model.pth)"
    )
    parser.add_argument(
        "--device", default="cpu", help="where the network runs: cpu, cuda, mps (default: %(default)s)"
    )
    parser.add_argument(
        "--trust", action="store_true", help="open a model that ends in .pt2, which may hold code"
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
        "--output",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder for drawings (default: the current one)",
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
        pygame.display.init()
        if "SDL_VIDEODRIVER" not in os.environ and pygame.display.get_driver() in ("offscreen", "dummy"):
            raise pygame.error("there is no display")  # and SDL would draw a window that nobody sees
        screen = _open_window(size)
    except pygame.error as error:
        print(
            f"app.py: no window can be opened ({error}): start it where there is a display, "
            "or use predict.py for files",
            file=sys.stderr,
        )
        return 1
    from window.app import App
    from window.session import Session
    from window.worker import Worker

    wake = threading.Event()
    pygame.font.init()
    with contextlib.suppress(pygame.error):  # SDL's dummy driver has none
        pygame.mouse.set_cursor(pygame.SYSTEM_CURSOR_CROSSHAIR)
    session = Session(args.device, args.corrections, args.trust)
    worker = Worker(session, wake.set)
    app = App(screen, session, worker, settings, args.scale, args.output)
    pygame.display.update(app.draw())
    worker.ask("load", args.model)
    try:
        drawn = not args.strokes or app.exchange.open_strokes(args.strokes)
        if args.screenshot and not drawn:
            print(f"app.py: {app.message}", file=sys.stderr)
            return 1
        if args.screenshot:
            return _screenshot(app, args.screenshot)
        run(app, wake)
        save_settings(settings)
    finally:
        worker.close(timeout=0.2)
        pygame.display.quit()
    return 0


def run(app: App, wake: threading.Event) -> None:
    """Handle events, answer and draw until the window is closed; sleep while nothing happens and `wake` is not set.

    pygame's own wait looks a thousand times a second, which costs 2 % of a core; this looks as often only while there is
    something to see.
    """
    import pygame

    clock, active = pygame.time.Clock(), time.monotonic()
    while app.running:
        events = pygame.event.get()
        for event in events:
            app.handle(event)
        app.tick()
        changed = app.draw()
        if changed:
            pygame.display.update(changed)
            clock.tick(FRAMES_PER_SECOND)
        if changed or events:
            active = time.monotonic()
        else:
            wake.wait(ACTIVE_PAUSE if time.monotonic() - active < CALM_AFTER else CALM_PAUSE)
            wake.clear()


def _open_window(size: tuple[int, int]) -> pygame.Surface:
    """Open the window, no larger than the screen, and return what it shows."""
    import pygame

    pygame.display.set_caption("Digits")
    desktop = pygame.display.get_desktop_sizes()
    if desktop and os.environ.get("SDL_VIDEODRIVER") != "dummy":
        size = min(size[0], desktop[0][0]), min(size[1], desktop[0][1])
    return pygame.display.set_mode(
        (max(size[0], LEAST_SIZE[0]), max(size[1], LEAST_SIZE[1])), pygame.RESIZABLE
    )


def _screenshot(app: App, path: Path) -> int:
    """Wait for the model's answer, save the window and return the exit status."""
    import pygame

    end = time.monotonic() + LOADING_LIMIT
    while (
        time.monotonic() < end and not app.trouble and not (app.model and (app.reading or app.canvas.empty))
    ):
        pygame.event.get()
        app.tick()
        time.sleep(0.01)
    app.message = ""
    app.show("all")
    app.draw()
    try:
        pygame.image.save(app.screen, path)
    except (OSError, pygame.error) as error:
        print(f"app.py: {path} cannot be written: {error}", file=sys.stderr)
        return 1
    if app.trouble:
        print(f"app.py: {app.trouble}", file=sys.stderr)
    return 1 if app.trouble else 0


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
