"""Picture every state of the window at every size, scale and theme, to be looked at: `python -m benchmarks.screens FOLDER`.

Writes FOLDER/SIZE-SCALE-THEME-STATE.png. Strokes are our own (examples/make_examples.py); nothing is trained for good.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
ROOT = Path(__file__).resolve().parent.parent

import numpy as np  # noqa: E402
import pygame  # noqa: E402

from examples.make_examples import row_of  # noqa: E402
from window.app import App  # noqa: E402
from window.session import Session  # noqa: E402
from window.settings import Settings  # noqa: E402
from window.worker import Worker  # noqa: E402

SIZES = [
    ((1000, 600), 1.0),
    ((1600, 400), 1.0),
    ((500, 1300), 1.0),
    ((480, 360), 1.0),
    ((480, 360), 2.0),
    ((1024, 768), 1.0),
    ((1024, 768), 2.0),
    ((3840, 2160), 1.0),
    ((3840, 2160), 2.0),
]
SECONDS = 60  # that any state may take to settle


def write(app: App, number: str) -> None:
    """Write `number` on the canvas."""
    strokes = row_of(number, np.random.default_rng(5))
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.array([560, 280])  # canvas units that every window shows
    scale = min(0.82 * size[0] / (high - low)[0], 0.6 * size[1] / (high - low)[1])
    for stroke in strokes:
        (x, y), *rest = ((np.array(stroke) - (low + high) / 2) * scale + size / 2).tolist()
        app.drawing.drawn(app.drawing.canvas.begin(x, y, app.settings.brush))
        for x, y in rest:
            app.drawing.drawn(app.drawing.canvas.extend(x, y))
        app.drawing.canvas.end()


def settle(app: App, done: Callable[[], bool] = lambda: True) -> None:
    """Let the worker answer everything that was asked, and until `done`."""
    end = time.monotonic() + SECONDS
    app.tick()
    while time.monotonic() < end and (app.worker.asked_for() and not app.lesson.on or not done()):
        time.sleep(0.002)
        app.tick()
    if time.monotonic() >= end:
        raise SystemExit(f"screens.py: a state did not settle in {SECONDS} s")


def training(app: App) -> None:
    write(app, "27")
    app.train()
    settle(app, lambda: len(app.lesson.reports or ()) >= 60)
    app.worker.pause(True)


def teach(app: App) -> None:
    write(app, "2749")
    settle(app)
    for label in "27":
        app.teaching.correct(label)
        settle(app)
    app.show_corrections()


def scribble(app: App) -> None:
    places = np.random.default_rng(1).uniform((60, 30), (500, 250), (14, 2)).tolist()
    (x, y), *rest = places
    app.drawing.drawn(app.drawing.canvas.begin(x, y, 6))
    for x, y in rest:
        app.drawing.drawn(app.drawing.canvas.extend(x, y))
    app.drawing.canvas.end()


def why(app: App) -> None:
    write(app, "385")
    app.on_show.toggle_heat()


def files(app: App) -> None:
    app.exchange.open([str(ROOT / "examples")])
    settle(app, lambda: bool(app.card and app.card.rows() > 12))


def layers(app: App) -> None:
    write(app, "27")
    app.on_show.toggle_layers()


def signs(app: App) -> None:
    """Write 3.14 with a minus before it, and a mark that is no digit."""
    write(app, "314")
    for stroke in (
        [(40, 150), (75, 150)],
        [(205, 236), (206, 238)],
        [(505, 40), (548, 40), (505, 90), (548, 90), (526, 20), (526, 110)],
    ):
        (x, y), *rest = stroke
        app.drawing.drawn(app.drawing.canvas.begin(x, y, 10))
        for x, y in rest:
            app.drawing.drawn(app.drawing.canvas.extend(x, y))
        app.drawing.canvas.end()


def split(app: App) -> None:
    write(app, "2749")
    settle(app)
    app.on_show.mark(1)
    app.teaching.cut()


def chosen(app: App) -> None:
    """A number with other texts, one of which is taken."""
    write(app, "2749")
    settle(app)
    offered(app)
    settle(app)
    app.teaching.choose("2744")


def offered(app: App) -> None:
    from dataclasses import replace

    if app.on_show.reading is None:
        write(app, "2749")
        settle(app)
    assert app.on_show.reading
    texts = (("2749", 0.81), ("2744", 0.1), ("-2749", 0.05), ("27.49", 0.02))
    app.on_show.set(replace(app.on_show.reading, alternatives=texts))


def opening(app: App) -> None:
    app.folder = ROOT / "examples"
    app.exchange.choose_open()


def saving(app: App) -> None:
    write(app, "2749")
    app.folder = ROOT / "examples"
    app.exchange.choose_save()


def many(app: App) -> None:
    assert app.session.memory is not None
    for number in range(30):
        app.session.memory.learn(np.full((28, 28), number / 30, np.float32), str(number % 10))
    app.show_corrections()
    app.card.press_button(1)  # type: ignore[union-attr]


def hint(app: App) -> None:
    app.pointer = app.shown_widgets[5].rect.center


def keyboard(app: App) -> None:
    app.toggle_pen()
    app.focus = 2


STATES: dict[str, Callable[[App], None]] = {
    "empty": lambda app: None,
    "number": lambda app: write(app, "2749"),
    "digit": lambda app: write(app, "7"),
    "why": why,
    "refused": scribble,
    "picture": lambda app: app.exchange.open([str(ROOT / "examples" / "phone-number-photo.jpg")]),
    "files": files,
    "layers": layers,
    "learnt": teach,
    "signs": signs,
    "split": split,
    "offered": offered,
    "chosen": chosen,
    "opening": opening,
    "saving": saving,
    "many": many,
    "hint": hint,
    "more": lambda app: app.show_more(),
    "help": lambda app: app.show_help(),
    "training": training,
    "keyboard": keyboard,
    "no model": lambda app: None,
}


def main() -> int:
    """Write the pictures; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--state", action="append", choices=list(STATES), help="only this one (may be repeated)"
    )
    parser.add_argument("--theme", action="append", choices=("light", "dark"), help="only this one")
    parser.add_argument(
        "--size", action="append", choices=sorted({_name(size) for size, _ in SIZES}), help="only this one"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    pygame.display.init()
    pygame.font.init()
    for name in arguments.state or STATES:
        for size, scale in SIZES:
            if arguments.size and _name(size) not in arguments.size:
                continue
            for theme in arguments.theme or ("light", "dark"):
                picture(name, size, scale, theme, arguments.folder)
    return 0


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def picture(name: str, size: tuple[int, int], scale: float, theme: str, folder: Path) -> None:
    """Bring a fresh window into the state `name` and save what it shows."""
    with tempfile.TemporaryDirectory() as corrections:
        session = Session(corrections=corrections)
        app = App(pygame.display.set_mode(size), session, Worker(), Settings(*size, theme=theme), scale)
        app.load(ROOT / ("none.pth" if name == "no model" else "model.pth"))
        settle(app, lambda: bool(app.model or app.trouble))
        STATES[name](app)
        settle(app)
        app.show("all")
        app.draw()
        app.show("all")  # what the first drawing found out, say how many rows fit, shows in the second
        app.draw()
        pygame.image.save(
            app.screen, folder / f"{_name(size)}-{scale:g}-{theme}-{name.replace(' ', '-')}.png"
        )
        app.worker.close()


if __name__ == "__main__":
    sys.exit(main())
