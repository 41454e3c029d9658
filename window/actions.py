"""All that the window can do: one table for the keys, the toolbar, the help card and README."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pygame

from window.paint.widgets import Button, Slider, Widget
from window.settings import LEAST_BRUSH, MOST_BRUSH

if TYPE_CHECKING:
    from window.app import App

BRUSH_STEP = 2.0  # canvas units
TYPED = "?[]0123456789"  # keys that are known by what they type, wherever a keyboard has them


@dataclass(frozen=True)
class Action:
    """Something to do. An action without a hint is listed nowhere, one without a button has a key alone."""

    hint: str = ""
    keys: tuple[str, ...] = ()  # as `key_name` names them
    do: Callable[[], None] | None = None  # None: a gesture, listed only
    button: str = ""  # what its button says
    enabled: Callable[[], bool] = lambda: True  # whether the button would do anything now
    active: Callable[[], bool] = lambda: False  # whether what it switches is on
    active_button: str = ""  # what its button says while that is on, if something else
    priority: int = 0  # buttons with the lowest leave a narrow toolbar first; without one they are under More
    apart: bool = False  # whether its button begins a group

    @property
    def listed_keys(self) -> str:
        return ", ".join(self.keys)


def make_actions(app: App) -> list[Action]:
    """Return everything that can be done, in the order in which it is listed."""
    drawing, on_show, lesson, exchange = app.drawing, app.on_show, app.lesson, app.exchange
    canvas, teaching = drawing.canvas, app.teaching

    def ink() -> bool:
        return bool(canvas.strokes)

    def number() -> bool:
        return bool(on_show.reading and on_show.reading.text)

    def brush(step: float) -> None:
        drawing.set_brush(app.settings.brush + step)

    def undoable() -> bool:
        return canvas.can_undo or drawing.by_hand.can_undo

    def redoable() -> bool:
        return canvas.can_redo or drawing.by_hand.can_redo

    def box() -> bool:
        return bool(on_show.groups) and not on_show.picture

    return [
        Action("draw (or a finger)", ("Left button",)),
        Action("erase", ("Right button",)),
        Action("pen or eraser", ("E",), drawing.toggle_eraser, "Erase", active=lambda: drawing.eraser, priority=12, apart=True),
        Action("brush size", ("[", "]", "wheel")),
        Action(keys=("[",), do=partial(brush, -BRUSH_STEP)),
        Action(keys=("]",), do=partial(brush, BRUSH_STEP)),
        Action("undo, without limit", ("Ctrl-Z",), app.undo, "Undo", undoable, priority=14, apart=True),
        Action("redo", ("Ctrl-Y",), app.redo, "Redo", redoable, priority=10),
        Action(keys=("Ctrl-Shift-Z",), do=app.redo),
        Action("clear (undo brings it back)", ("C",), app.clear, "Clear", ink, priority=15),
        Action("open a drawing, a picture", ("Ctrl-O",), exchange.choose_open, "Open", priority=9, apart=True),
        Action("save: a picture, or strokes", ("Ctrl-S",), exchange.choose_save, "Save", ink, priority=11),
        Action("copy the number", ("Ctrl-C",), exchange.copy, "Copy", number, priority=4),
        Action("paste a picture or a path", ("Ctrl-V",), exchange.paste, "Paste"),
        Action("picture, folder, .json, .pth", ("Drop",)),
        Action("heat map: what decided", ("H",), on_show.toggle_heat, "Why", active=lambda: on_show.heat, priority=8, apart=True),
        Action("maps of each layer, live", ("F",), on_show.toggle_layers, "Layers", active=lambda: on_show.layers_shown, priority=2),
        Action("mark another digit", ("Left", "Right")),
        Action(keys=("Left",), do=partial(on_show.select, -1)),
        Action(keys=("Right",), do=partial(on_show.select, 1)),
        Action("the marked digit is this", ("0 to 9",)),
        *(Action(keys=(digit,), do=partial(teaching.correct, digit)) for digit in "0123456789"),
        Action("join the box with the next", ("J",), teaching.join, "Join", box, priority=6, apart=True),
        Action("split the marked box in two", ("S",), teaching.cut, "Split", box, priority=5),
        Action("undo the last teaching", ("Backspace",), teaching.unlearn),
        Action("list of corrections", ("L",), app.show_corrections, "Learnt", priority=7, apart=True),
        Action("export as labelled pictures", ("X",), teaching.export, "Export"),
        Action("train a tiny network, stop", ("M",), app.train, "Train", active=lambda: lesson.on, priority=3, active_button="Stop"),
        Action("pause the training, or go on", ("Shift-M",), lesson.pause),
        Action("draw with the arrow keys", ("P",), app.toggle_pen, "Arrow pen", active=lambda: bool(drawing.pen)),
        Action("light or dark", ("T",), app.toggle_theme, "Theme", priority=1),
        Action("walk, press buttons", ("Tab", "Enter")),
        Action("all keys", ("F1", "?"), app.show_help, "Help", priority=13, apart=True),
        Action("close what is open", ("Esc",)),
        Action("quit; the drawing is kept", ("Ctrl-Q",), app.quit, "Quit"),
    ]  # fmt: skip


def by_key(actions: Sequence[Action]) -> dict[str, Callable[[], None]]:
    """Return what each key does, by its name."""
    return {key: action.do for action in actions if action.do for key in action.keys}


def listed(actions: Sequence[Action]) -> list[tuple[str, str]]:
    """Return (keys, what they do) of everything that is listed."""
    return [(action.listed_keys, action.hint) for action in actions if action.hint]


def keys_table(actions: Sequence[Action]) -> str:
    """Return README's table of the keys."""
    rows = [f"| {keys} | {hint} |" for keys, hint in listed(actions)]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


def make_toolbar(app: App) -> tuple[list[Widget], Button]:
    """Return the toolbar's widgets, from left to right, and the button behind them for all that has no room there."""
    slider = Slider(
        "Brush size: drag, turn the wheel, or [ and ]",
        LEAST_BRUSH,
        MOST_BRUSH,
        BRUSH_STEP,
        lambda: app.settings.brush,
        app.drawing.set_brush,
    )
    buttons = [_button(action) for action in app.actions if action.button and action.priority]
    return [slider, *buttons], Button(
        "More", "What has no room here: each with its key", app.show_more, priority=99
    )


def more_buttons(actions: Sequence[Action], shown: Sequence[Widget]) -> list[Button]:
    """Return a button for each action that has none among those `shown`."""
    labels = {widget.label for widget in shown if isinstance(widget, Button)}
    return [_button(action) for action in actions if action.button and action.button not in labels]


def _button(action: Action) -> Button:
    assert action.do is not None
    hint = f"{action.hint[0].upper()}{action.hint[1:]} ({action.listed_keys})"
    return Button(
        action.button,
        hint,
        action.do,
        action.active,
        action.enabled,
        action.priority,
        action.apart,
        action.active_button,
    )


def key_name(event: pygame.event.Event) -> str:
    """Return a key press as the table names it: "C", "Ctrl-Shift-Z", "F1", "Left", "?"."""
    control = (
        event.mod & (pygame.KMOD_CTRL | pygame.KMOD_META) and not event.mod & pygame.KMOD_RALT
    )  # AltGr is both
    typed = getattr(event, "unicode", "")
    if typed and typed in TYPED and not control:
        return typed
    name = pygame.key.name(latin_key(event)).title()
    return f"{'Ctrl-' if control else ''}{'Shift-' if event.mod & pygame.KMOD_SHIFT else ''}{name}"


def latin_key(event: pygame.event.Event) -> int:
    """Return an event's key; on a Cyrillic, Greek, ... keyboard, for a letter's place, the Latin letter there."""
    place = getattr(event, "scancode", 0)
    foreign = 127 < event.key < 1 << 30 and pygame.KSCAN_A <= place <= pygame.KSCAN_Z
    return pygame.K_a + place - pygame.KSCAN_A if foreign else event.key
