"""Make README's picture of the window in use: docs/app.gif (and docs/app.png, its last frame) from strokes of our own.

python examples/make_readme_picture.py
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples")]

import numpy as np  # noqa: E402
import pygame  # noqa: E402
from make_examples import row_of  # noqa: E402
from PIL import Image  # noqa: E402

from window.app import App  # noqa: E402
from window.session import Session  # noqa: E402
from window.settings import Settings  # noqa: E402
from window.worker import Worker  # noqa: E402

NUMBER = "-27.49"
SIZE = (800, 600)  # pixels of the window
STEP = 12  # points drawn between two pictures
COLOURS = 64  # of the GIF; the window has few


def main() -> int:
    """Draw, take pictures, write both files; return the exit status."""
    pygame.display.init()
    pygame.font.init()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(corrections=folder)
        worker = Worker()
        app = App(pygame.display.set_mode(SIZE), session, worker, Settings(*SIZE))
        app.load(ROOT / "model.pth")
        _settle(app)
        pictures = _write(app)
        app.on_show.toggle_heat()
        _settle(app)
        pictures.append(_picture(app))
        worker.close()
    docs = ROOT / "docs"
    docs.mkdir(exist_ok=True)
    pictures[-2].save(docs / "app.png", optimize=True)
    few = pictures[-2].quantize(COLOURS, dither=Image.Dither.NONE)
    frames = [picture.quantize(palette=few, dither=Image.Dither.NONE) for picture in pictures]
    frames[-1] = pictures[-1].quantize(COLOURS, dither=Image.Dither.NONE)
    frames[0].save(
        docs / "app.gif",
        save_all=True,
        append_images=frames[1:],
        loop=0,
        optimize=True,
        duration=[80] * (len(frames) - 2) + [2500, 2500],
    )
    print(f"docs/app.gif: {len(frames)} pictures, {(docs / 'app.gif').stat().st_size // 1024} kB")
    return 0


def _write(app: App) -> list[Image.Image]:
    """Write NUMBER on the canvas with the pointer and return pictures of the window meanwhile."""
    strokes = row_of(NUMBER, np.random.default_rng(5))
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    rect = app.layout.canvas
    scale = min(0.82 * rect.width / (high - low)[0], 0.6 * rect.height / (high - low)[1])
    pictures, count = [_picture(app)], 0
    for stroke in strokes:
        place = (_evenly(np.array(stroke), 2.5) - (low + high) / 2) * scale + rect.center
        for index, position in enumerate(place.round().astype(int).tolist()):
            kind = pygame.MOUSEMOTION if index else pygame.MOUSEBUTTONDOWN
            app.handle(
                pygame.event.Event(kind, pos=position, rel=(0, 0), buttons=(1, 0, 0), button=1, touch=False)
            )
            count += 1
            if count % STEP == 0:
                _settle(app)
                pictures.append(_picture(app))
        app.handle(pygame.event.Event(pygame.MOUSEBUTTONUP, pos=position, button=1, touch=False))
    app.handle(pygame.event.Event(pygame.MOUSEMOTION, pos=(1, 1), rel=(0, 0), buttons=(0, 0, 0), touch=False))
    _settle(app)
    return [*pictures, _picture(app)]


def _evenly(stroke: np.ndarray, step: float) -> np.ndarray:
    """Return points `step` apart on the stroke's line, the ends included."""
    along = np.concatenate([[0], np.linalg.norm(np.diff(stroke, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / step)))
    return np.stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)], axis=1)


def _settle(app: App) -> None:
    """Let the worker answer everything that was asked."""
    app.tick()
    while app.worker.asked_for():
        time.sleep(0.002)
        app.tick()
    app.message = ""


def _picture(app: App) -> Image.Image:
    app.show("all")
    app.draw()
    return Image.fromarray(pygame.surfarray.array3d(app.screen).swapaxes(0, 1))


if __name__ == "__main__":
    sys.exit(main())
