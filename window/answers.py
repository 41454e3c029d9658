"""What becomes of the worker's answers: each kind changes the window's state in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pygame

from window.cards import FilesCard

if TYPE_CHECKING:
    from window.state import State
    from window.worker import Result


def take(app: State, result: Result) -> None:
    """Let one answer change the state."""
    if result.error is not None:
        _fail(app, result)
    elif result.kind in TAKERS:
        TAKERS[result.kind](app, result)


def _fail(app: State, result: Result) -> None:
    error = result.error or ""
    if result.kind == "load" and not app.model:
        app.trouble = error
        app.show("all")
        if not app.canvas.strokes:
            return  # the canvas says it
    elif result.kind == "train":
        app.stop_training()
    elif result.kind == "saliency":
        app.heat = False
        app.show("all")
    elif result.kind == "read":
        app.set_reading(None)
    app.say(error)


def _load(app: State, result: Result) -> None:
    if app.model or app.trouble:
        app.say(f"Reading with {result.value} now")
    app.model, app.trouble = result.value, ""
    damaged = app.session.memory.damaged if app.session.memory is not None else []
    if damaged:
        app.say(
            f"{len(damaged)} correction{'s' if len(damaged) > 1 else ''} cannot be read, and kept in {damaged[0].parent}"
        )
    app.worker.ask("classes")
    app.read_again()


def _classes(app: State, result: Result) -> None:
    app.classes = result.value or app.classes
    app.show("panels")


def _read(app: State, result: Result) -> None:
    where, source = result.tag
    late = where == "canvas" and (app.shown or app.canvas.empty)
    if not late and (where == "canvas" or source == app.source):
        if where == "picture" and app.shown:
            app.shown = app.shown[0], 1.0  # what was read is the picture on screen, no larger file
        app.set_reading(result.value)


def _open(app: State, result: Result) -> None:
    if result.value is None:
        app.say("There is no picture and no path on the clipboard")
        return
    colours, scale, reading = result.value
    rgb = np.repeat(colours[..., None], 3, axis=2) if colours.ndim == 2 else colours
    app.shown = pygame.surfarray.make_surface(rgb.swapaxes(0, 1)), scale
    app.source += 1
    app.set_reading(reading)
    app.say(f"{result.tag or 'The clipboard'}: click, or Esc, to go back to the canvas")
    app.show("all")


def _read_files(app: State, result: Result) -> None:
    if isinstance(app.card, FilesCard) and app.card is result.tag and app.card.add(result.value):
        app.show("all")


def _train(app: State, result: Result) -> None:
    if app.training is not None and app.training is result.tag:
        app.training.append(result.value)
        app.show("panels", "status")
        app.read_again(everything=False)


def _saliency(app: State, result: Result) -> None:
    if result.tag is app.reading:
        app.heats = result.value
        app.show("canvas", "panels")


def _features(app: State, result: Result) -> None:
    app.layers = result.value
    if app.layers_shown:
        app.show("panels")


def _learn(app: State, result: Result) -> None:
    app.say(f"Learnt: this is {result.value}. Backspace takes it back")
    app.read_again()


def _unlearn(app: State, result: Result) -> None:
    app.say(f"Taken back: this is {result.value}" if result.value else "There is no correction to take back")
    app.read_again()


def _reload(app: State, result: Result) -> None:
    if result.value:
        app.read_again()


def _forget_all(app: State, result: Result) -> None:
    app.say(f"Forgotten: {result.value} correction{'' if result.value == 1 else 's'}")
    app.read_again()


def _practise(app: State, result: Result) -> None:
    app.say(result.value)
    app.read_again()


TAKERS: dict[str, Callable[[State, Result], None]] = {
    "load": _load,
    "classes": _classes,
    "read": _read,
    "open": _open,
    "paste": _open,
    "read_files": _read_files,
    "train": _train,
    "saliency": _saliency,
    "features": _features,
    "learn": _learn,
    "unlearn": _unlearn,
    "forget_all": _forget_all,
    "practise": _practise,
    "reload": _reload,
}
