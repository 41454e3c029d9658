"""Make README's pictures of the window in use, docs/app.gif and docs/views.png, from strokes of our own.

python examples/make_readme_picture.py

A number is written, one digit of it is read wrong and corrected, a tiny network is trained, then Layers and Why are shown.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples")]

import numpy as np  # noqa: E402
import pygame  # noqa: E402
import torch  # noqa: E402
from make_examples import row_of  # noqa: E402
from PIL import Image  # noqa: E402

from window.app import App  # noqa: E402
from window.session import Session  # noqa: E402
from window.settings import Settings  # noqa: E402
from window.worker import Worker  # noqa: E402

NUMBER, READ, RIGHT = ["-", "2", "1 like 7", ".", "4", "9"], "-27.49", "-21.49"
SIZE = (800, 600)  # pixels of the window
STEP = 14  # points drawn between two pictures
REPORTS = 60  # of the training that are watched
EVERY = 3  # reports between two pictures
COLOURS = 64  # of each picture; the window has few


class Film:
    """Pictures of a window, with the milliseconds that each is shown."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.pictures: list[Image.Image] = []
        self.times: list[int] = []

    def take(self, milliseconds: int) -> Image.Image:
        """Take a picture of the window and return it."""
        for _ in range(2):  # what the first drawing finds out, say how many rows fit, shows in the second
            self.app.show("all")
            self.app.draw()
        self.pictures.append(Image.fromarray(pygame.surfarray.array3d(self.app.screen).swapaxes(0, 1)))
        self.times.append(milliseconds)
        return self.pictures[-1]

    def save(self, path: Path) -> None:
        """Write an animated GIF that begins again at its end."""
        frames = [picture.quantize(COLOURS, dither=Image.Dither.NONE) for picture in self.pictures]
        frames[0].save(
            path, save_all=True, append_images=frames[1:], loop=0, optimize=True, duration=self.times
        )


def main() -> int:
    """Use the window, take pictures, write both files; return the exit status."""
    pygame.display.init()
    pygame.font.init()
    torch.manual_seed(5)  # the tiny network's first weights, and its batches
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker()
        app = App(pygame.display.set_mode(SIZE), Session(corrections=folder), worker, Settings(*SIZE))
        app.load(ROOT / "model.pth")
        settle(app)
        film = Film(app)
        film.take(300)
        write(film)
        expect(app, READ)
        views = [film.take(1300)]  # with other texts for the number
        correct(film)
        views.append(train(film))
        for key, shown in ((pygame.K_f, 2000), (pygame.K_h, 1800)):
            press(app, key)
            settle(app)
            app.say("")
            views.append(film.take(shown))
        worker.close()
    film.save(ROOT / "docs" / "app.gif")
    save_views(views, ROOT / "docs" / "views.png")
    size = (ROOT / "docs" / "app.gif").stat().st_size
    print(f"docs/app.gif: {len(film.pictures)} pictures, {sum(film.times) / 1000:.1f} s, {size // 1024} kB")
    return 0


def write(film: Film) -> None:
    """Write NUMBER on the canvas with the pointer, and take pictures meanwhile."""
    app = film.app
    strokes = row_of(NUMBER, np.random.default_rng(5))
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    rect = app.layout.canvas
    scale = min(0.82 * rect.width / (high - low)[0], 0.6 * rect.height / (high - low)[1])
    count = 0
    for stroke in strokes:
        place = (_evenly(np.array(stroke), 2.5) - (low + high) / 2) * scale + rect.center
        for index, position in enumerate(place.round().astype(int).tolist()):
            kind = pygame.MOUSEMOTION if index else pygame.MOUSEBUTTONDOWN
            app.handle(
                pygame.event.Event(kind, pos=position, rel=(0, 0), buttons=(1, 0, 0), button=1, touch=False)
            )
            count += 1
            if count % STEP == 0:
                settle(app)
                film.take(80)
        app.handle(pygame.event.Event(pygame.MOUSEBUTTONUP, pos=position, button=1, touch=False))
    app.handle(pygame.event.Event(pygame.MOUSEMOTION, pos=(1, 1), rel=(0, 0), buttons=(0, 0, 0), touch=False))
    settle(app)


def correct(film: Film) -> None:
    """Mark the digit that was read wrong and type the right one."""
    app = film.app
    (wrong,) = [index for index, (read, right) in enumerate(zip(READ, RIGHT)) if read != right]
    digits = [index for index, letter in enumerate(READ) if letter.isdigit()]
    while app.on_show.selected != digits.index(wrong):
        press(app, pygame.K_LEFT)
        settle(app)
        film.take(400)
    press(app, ord(RIGHT[wrong]), RIGHT[wrong])
    settle(app)
    expect(app, RIGHT)
    film.take(1700)
    app.say("")


def train(film: Film) -> Image.Image:
    """Train a tiny network while pictures are taken, and return the last of them."""
    app = film.app
    press(app, pygame.K_m)
    for reports in range(0, REPORTS, EVERY):
        settle(app, lambda: len(app.lesson.reports or ()) > reports)  # noqa: B023
        last = film.take(80)
    film.times[-1] = 1000
    press(app, pygame.K_m)
    settle(app)
    app.say("")
    return last


def press(app: App, key: int, typed: str = "") -> None:
    """Press a key."""
    app.handle(pygame.event.Event(pygame.KEYDOWN, key=key, mod=0, unicode=typed, scancode=0))


def expect(app: App, text: str) -> None:
    """Raise SystemExit unless the window says `text`: the film would tell what the model does not do."""
    if app.on_show.text != text:
        raise SystemExit(f"the window says {app.on_show.text}, not {text}: choose other strokes")


def save_views(pictures: list[Image.Image], path: Path) -> None:
    """Write four pictures as one, two by two."""
    width, height = SIZE
    sheet = Image.new("RGB", (2 * width + 8, 2 * height + 8), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % 2 * (width + 8), index // 2 * (height + 8)))
    sheet.quantize(4 * COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def settle(app: App, done: Callable[[], bool] = lambda: True) -> None:
    """Let the worker answer what was asked, and until `done`; a training goes on meanwhile."""
    app.tick()
    while (app.worker.asked_for() and not app.lesson.on) or not done():
        time.sleep(0.002)
        app.tick()


def _evenly(stroke: np.ndarray, step: float) -> np.ndarray:
    """Return points `step` apart on the stroke's line, the ends included."""
    along = np.concatenate([[0], np.linalg.norm(np.diff(stroke, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / step)))
    return np.stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)], axis=1)


if __name__ == "__main__":
    sys.exit(main())
