"""Everything has its place at every size."""

from __future__ import annotations

import numpy as np
import pytest
from driving import SEVEN, Start, drag, read, shown

from window.paint.layout import arrange
from window.paint.theme import PALETTES


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((480, 360), 1),
        ((480, 360), 2),
        ((1024, 768), 1),
        ((1024, 768), 2),
        ((700, 1000), 1),
        ((500, 1300), 1),
        ((1600, 400), 1),
        ((3840, 2160), 2),
    ],
)
def test_everything_has_its_place_at_every_size(
    start: Start, size: tuple[int, int], scale: float, theme: str
) -> None:
    app = start(size, scale, theme)
    layout = app.layout
    parts = [layout.toolbar, layout.canvas, layout.answer, layout.bars, layout.frames, layout.status]
    for index, part in enumerate(parts):
        assert app.screen.get_rect().contains(part) and part.width > 20 and part.height > 10
        assert part.collidelist(parts[index + 1 :]) == -1
    assert layout.canvas.width * layout.canvas.height > 0.28 * size[0] * size[1]
    assert app.drawing.canvas.width >= 560 and app.drawing.canvas.height >= 280
    widgets = [widget.rect for widget in app.shown_widgets]
    assert all(layout.toolbar.contains(rect) for rect in widgets) and len(widgets) >= 8
    assert all(rect.collidelist(widgets[index + 1 :]) == -1 for index, rect in enumerate(widgets))
    drag(app, SEVEN)
    assert read(app).text == "7"
    assert len(np.unique(shown(app)[::3, ::3].reshape(-1, 3)[::5], axis=0)) > 20


def test_a_narrow_window_keeps_the_brush_and_the_help(start: Start) -> None:
    app = start((480, 360), model=None)
    assert hasattr(app.shown_widgets[0], "high")
    assert {"Undo", "Clear", "Save", "Help", "More"} <= {
        getattr(widget, "label", "") for widget in app.shown_widgets
    }


def test_a_larger_scale_makes_larger_units() -> None:
    assert arrange(1024, 768, 2).unit > arrange(1024, 768, 1).unit


@pytest.mark.parametrize("scale", [0.5, 1, 2, 4])
def test_the_layout_never_turns_inside_out(scale: float) -> None:
    for width in range(320, 4000, 97):
        for height in (240, 500, 1111, 2160):
            layout = arrange(width, height, scale)
            assert layout.canvas.width > 0 and layout.answer.width > 0 and layout.frames.width > 0
