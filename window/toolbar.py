"""The toolbar: every button with its words, its key, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from window.controls import BRUSH_STEP
from window.settings import LEAST_BRUSH, MOST_BRUSH
from window.widgets import Button, Slider, Widget

if TYPE_CHECKING:
    from window.exchange import Exchange
    from window.state import State


def make_toolbar(app: State, exchange: Exchange) -> list[Widget]:
    """Return the widgets of the toolbar, from left to right."""

    def has_ink() -> bool:
        return bool(app.canvas.strokes)

    def has_number() -> bool:
        return bool(app.reading and app.reading.text)

    return [
        Slider(
            "Brush size: drag, turn the wheel, or [ and ]",
            LEAST_BRUSH,
            MOST_BRUSH,
            BRUSH_STEP,
            lambda: app.settings.brush,
            app.set_brush,
        ),
        Button(
            "Erase",
            "Pen or eraser (E); the right button always erases",
            app.toggle_eraser,
            active=lambda: app.eraser,
            priority=8,
            apart=True,
        ),
        Button(
            "Undo",
            "Take the last stroke or clear back (Ctrl-Z)",
            app.undo,
            enabled=lambda: app.canvas.can_undo,
            priority=9,
            apart=True,
        ),
        Button(
            "Redo",
            "Do again what was undone (Ctrl-Y)",
            app.redo,
            enabled=lambda: app.canvas.can_redo,
            priority=6,
        ),
        Button(
            "Clear",
            "An empty canvas; undo brings the drawing back (C)",
            app.clear,
            enabled=has_ink,
            priority=10,
        ),
        Button(
            "Save",
            "Save the drawing as a PNG file (S), or its strokes as JSON (J)",
            exchange.save_picture,
            enabled=has_ink,
            priority=7,
            apart=True,
        ),
        Button("Copy", "Copy the number (Ctrl-C)", exchange.copy, enabled=has_number, priority=3),
        Button(
            "Why",
            "Heat map: the strokes that decided (H)",
            app.toggle_heat,
            active=lambda: app.heat,
            priority=5,
            apart=True,
        ),
        Button(
            "Layers",
            "What each layer of the network makes of the marked digit, live (F)",
            app.toggle_layers,
            active=lambda: app.layers_shown,
        ),
        Button("Learnt", "The list of your corrections (L)", app.show_corrections, priority=4),
        Button(
            "Train",
            "A tiny network learns before your eyes while you draw against it (M; Shift-M stops)",
            app.train,
            active=lambda: app.training is not None,
            priority=1,
        ),
        Button("Theme", "Light or dark (T)", app.toggle_theme, priority=2, apart=True),
        Button("Help", "All keys (F1)", app.show_help, priority=11),
    ]
