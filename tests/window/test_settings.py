"""What the window remembers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ink.canvas import Canvas
from window.settings import Settings, bring_back_drawing, keep_drawing, load_settings, save_settings


def test_settings_come_back_and_damaged_ones_are_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    assert load_settings(path) == Settings()
    assert save_settings(Settings(800, 600, "dark", 24.0), path)
    assert load_settings(path) == Settings(800, 600, "dark", 24.0)
    assert save_settings(Settings(95, 99_999, "dark", 64.0), path)
    assert load_settings(path) == Settings(480, 16384, "dark", 48.0)  # in range again, and no more lost
    for content in (
        "",
        "{",
        "[]",
        '{"width": "x"}',
        json.dumps({"width": 1, "height": 1, "theme": "pink", "brush": 0}),
    ):
        path.write_text(content)
        assert load_settings(path) == Settings()
        assert content in {aside.read_text() for aside in path.parent.glob("*.damaged")} and not path.exists()


def test_a_damaged_drawing_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "drawing.json"
    path.write_text("{")
    assert "damaged" in bring_back_drawing(Canvas(), path)
    assert not path.exists() and path.with_suffix(".damaged").read_text() == "{"
    assert bring_back_drawing(Canvas(), path) == ""


def test_a_drawing_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    canvas = Canvas()
    canvas.begin(100, 100)
    canvas.end()
    with pytest.raises(OSError, match="[Nn]ot a"):
        keep_drawing(canvas, tmp_path / "file" / "drawing.json")


def test_settings_that_cannot_be_saved_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not save_settings(Settings(), tmp_path / "file" / "settings.json")


def test_settings_with_a_brush_that_is_no_number_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"width": 800, "height": 600, "theme": "dark", "brush": NaN}')
    assert load_settings(tmp_path / "s.json") == Settings()
