"""How the window feels, in numbers: `python -m benchmarks.app [--size 1024x768] [--strokes 100000]` prints a table.

Pointer events come at 125 Hz, as from a mouse, while every stroke is read; the display is SDL's dummy driver unless
SDL_VIDEODRIVER is set. Run it with nothing else running.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from app import window_size  # noqa: E402
from base import command  # noqa: E402

RATE = 125  # pointer events a second
FRAME = 1000 / 60  # milliseconds


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--size",
        type=window_size,
        default="1024x768",
        metavar="WxH",
        help="window size (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=command.number(float, 1), default=10, help="of drawing (default: %(default)s)"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=("start", "loading", "drawing", "idle", "memory"),
        help="only these rows",
    )
    parser.add_argument(
        "--strokes",
        type=command.number(int, 1),
        default=100_000,
        help="scripted strokes for the memory row (default: %(default)s)",
    )
    args = parser.parse_args()
    size = args.size
    parts: dict[str, Callable[[], list[tuple[str, str, str]]]] = {
        "start": lambda: [
            ("from our first line of code to the window", f"{first_window(size):.0f} ms", "500 ms")
        ],
        "loading": lambda: while_loading(size),
        "drawing": lambda: drawing(size, args.seconds),
        "idle": lambda: [idle(size)],
        "memory": lambda: memory(size, args.strokes),
    }
    print(f"| {size[0]}x{size[1]}, {os.cpu_count()} cores | measured | target |\n|---|---|---|")
    for name, part in parts.items():
        for row in part() if not args.only or name in args.only else []:
            print("| " + " | ".join(row) + " |", flush=True)
    return 0


def first_window(size: tuple[int, int]) -> float:
    """Return the median of five starts in milliseconds, each in a process of its own."""
    code = f"""
import time
start = time.perf_counter()
import app
from window import app as window
def first(self, draw=window.App.draw):
    changed = draw(self)
    print((time.perf_counter() - start) * 1000)
    self.running = False
    return changed
window.App.draw = first
app.main(["--size", "{size[0]}x{size[1]}"])
"""
    times = []
    for _ in range(5):
        times.append(float(_run(code).split()[0]))
    return sorted(times)[2]


def while_loading(size: tuple[int, int]) -> list[tuple[str, str, str]]:
    """Return the worst frame while torch is imported, and whether every point arrived; in a process that has no torch yet."""
    import pygame

    assert "torch" not in sys.modules
    app, wake = _window(size)
    app.load(ROOT / "model.pth")
    start, sent, worst, last = time.perf_counter(), 0, 0.0, time.perf_counter()
    app.handle(_event(pygame.MOUSEBUTTONDOWN, _spiral(app, 0), button=1))
    while not app.model:
        due = int((time.perf_counter() - start) * RATE)
        for index in range(sent + 1, due + 1):
            app.handle(_event(pygame.MOUSEMOTION, _spiral(app, index), buttons=(1, 0, 0)))
        sent = max(sent, due)
        _frame(app)
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
        time.sleep(0.001)
    app.handle(_event(pygame.MOUSEBUTTONUP, _spiral(app, sent), button=1))
    reads = time.perf_counter() - start
    kept = len(app.drawing.canvas.strokes[0])
    app.worker.close()
    return [
        ("until the network reads", f"{reads * 1000:.0f} ms", ""),
        ("worst frame while torch is loaded", f"{worst * 1000:.0f} ms", "300 ms"),
        ("points drawn meanwhile, and kept", f"{sent + 1:,}, {kept:,}", "all"),
    ]


def drawing(size: tuple[int, int], seconds: float) -> list[tuple[str, str, str]]:
    """Return frame times while drawing with reading on, and the time from the newest pointer event to its answer on screen."""
    import numpy as np
    import pygame

    app, wake = _window(size)
    app.load(ROOT / "model.pth")
    while not app.model:
        app.tick()
        time.sleep(0.01)
    frames, delays, index = [], [], 0
    end = time.perf_counter() + seconds
    waiting: tuple[float, int] | None = None  # since when, for the answer to which drawing
    while time.perf_counter() < end:
        step = index % 100
        began = time.perf_counter()
        kind = (
            pygame.MOUSEBUTTONDOWN
            if step == 0
            else pygame.MOUSEBUTTONUP
            if step == 99
            else pygame.MOUSEMOTION
        )
        extra = {"buttons": (1, 0, 0)} if kind == pygame.MOUSEMOTION else {"button": 1}
        app.handle(_event(kind, _spiral(app, index), **extra))
        if step == 99 and index % 500 == 499:
            app.clear()
        _frame(app)
        if waiting is None and kind == pygame.MOUSEMOTION:
            waiting = began, app.on_show.asked
        frames.append(time.perf_counter() - began)
        while time.perf_counter() < began + 1 / RATE:
            if wake.wait(max(0.0, began + 1 / RATE - time.perf_counter())):
                wake.clear()
                again = time.perf_counter()
                _frame(app)
                frames.append(time.perf_counter() - again)
                if waiting is not None and app.on_show.answered >= waiting[1]:
                    delays.append(time.perf_counter() - waiting[0])
                    waiting = None
        index += 1
    app.worker.close()
    p50, p99, worst = (float(np.percentile(frames, share) * 1000) for share in (50, 99, 100))
    within = float((np.array(frames) * 1000 <= FRAME).mean())
    a50, a99 = (float(np.percentile(delays, share) * 1000) for share in (50, 99))
    times = f"{p50:.1f} / {p99:.1f} / {worst:.1f} ms"
    return [
        (f"frame while drawing and reading, p50 / p99 / worst of {len(frames):,}", times, ""),
        ("frames within 16.7 ms", f"{within:.2%}", "99 %"),
        (
            f"pointer event to its answer on screen, p50 / p99 of {len(delays):,}",
            f"{a50:.0f} / {a99:.0f} ms",
            "",
        ),
    ]


def idle(size: tuple[int, int]) -> tuple[str, str, str]:
    """Return the share of a core used with nothing to do, over ten seconds, in a process of its own."""
    code = f"""
import threading, time, app
def later():
    time.sleep(8)
    before = time.process_time()
    time.sleep(10)
    print((time.process_time() - before) * 10, flush=True)
    import os
    os._exit(0)
threading.Thread(target=later, daemon=True).start()
app.main(["--size", "{size[0]}x{size[1]}"])
"""
    return "idle, share of a core", f"{float(_run(code)):.1f} %", "2 %"


def memory(size: tuple[int, int], count: int) -> list[tuple[str, str, str]]:
    """Return what `count` strokes cost, drawn by events and read as they come, and what is left of it when they are gone."""
    import gc

    import pygame

    app, wake = _window(size)
    app.load(ROOT / "model.pth")
    while not app.model:
        app.tick()
        time.sleep(0.01)

    def draw(strokes: int) -> int:
        points = 0
        for stroke in range(strokes):
            app.handle(_event(pygame.MOUSEBUTTONDOWN, _spiral(app, stroke), button=1))
            for step in range(1, 8):
                app.handle(_event(pygame.MOUSEMOTION, _spiral(app, stroke + 2 * step), buttons=(1, 0, 0)))
            app.handle(_event(pygame.MOUSEBUTTONUP, _spiral(app, stroke + 16), button=1))
            points += len(app.drawing.canvas.strokes[-1])
            if stroke % 5 == 4:
                app.clear()
            if stroke % 50 == 0:
                _frame(app)
        return points

    def kept() -> dict[int, Any]:
        steps = [done if isinstance(done, list) else [done] for done in app.drawing.canvas._done]
        return {id(stroke): stroke for step in steps for stroke in step}

    draw(1000)
    warm = kept()
    gc.collect()
    before = _resident()
    points = draw(count)
    gc.collect()
    grown = _resident() - before
    app.worker.close()
    new = [stroke for name, stroke in kept().items() if name not in warm]
    own = sum(map(_size, new))
    return [
        (
            f"memory over {count:,} strokes ({points:,} points, all kept for undo)",
            f"{grown / 1e6:+.1f} MB",
            "",
        ),
        (f"of which the {len(new):,} strokes themselves", f"{own / 1e6:.1f} MB", ""),
        ("beyond the strokes", f"{(grown - own) / 1e6:+.1f} MB", "flat"),
    ]


# ---------------------------------------------------------------------------------- helpers


def _window(size: tuple[int, int]) -> tuple[Any, threading.Event]:
    import pygame

    from window.app import App
    from window.session import Session
    from window.settings import Settings
    from window.worker import Worker

    pygame.display.init()
    pygame.font.init()
    wake = threading.Event()
    session = Session(corrections=ROOT / "no-such-folder")
    app = App(pygame.display.set_mode(size), session, Worker(wake.set), Settings(*size))
    _frame(app)
    return app, wake


def _frame(app: Any) -> None:
    import pygame

    pygame.event.get()
    app.tick()
    changed = app.draw()
    if changed:
        pygame.display.update(changed)


def _event(kind: int, position: tuple[int, int], **values: object) -> Any:
    import pygame

    return pygame.event.Event(kind, {"pos": position, "rel": (0, 0), "touch": False, **values})


def _spiral(app: Any, index: int) -> tuple[int, int]:
    """Return where the pointer is: loops as wide as a digit that wander over the canvas."""
    rect = app.layout.canvas
    x = (index // 100 * 0.19 % 0.8 + 0.1) * rect.width + 0.08 * rect.width * math.cos(index / 9)
    return round(rect.left + x), round(rect.centery + 0.35 * rect.height * math.sin(index / 9))


def _run(code: str) -> str:
    """Return what `code` prints in a process of its own, which keeps its settings apart from the user's."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": home}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            env=environment,
        )
    done.check_returncode()
    return done.stdout


def _size(stroke: Any) -> int:
    """Return the bytes of a stroke and of what belongs to it alone."""
    parts = [stroke, stroke.brush, stroke._flat, stroke._box, stroke._longest, *stroke._box]
    return sum(map(sys.getsizeof, parts)) + 32  # its places in the lists


def _resident() -> int:
    """Return the memory this process holds, in bytes (Linux; elsewhere the most it ever held)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
