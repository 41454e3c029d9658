"""What holds of any drawing, correction, checkpoint and settings: written and read again, they are the same.

And a picture that is changed in a way that changes nothing it says is read the same; the rates on other people's
pictures are those of `python -m benchmarks.invariance`.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import SEVEN, THREE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from base.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from base.command import printable
from benchmarks.invariance import CHANGES
from corrections.memory import Memory
from corrections.store import Correction, _from_bytes, _to_bytes
from ink.canvas import Canvas
from ink.raster import draw_strokes
from ink.stroke import Stroke
from model import build_model
from recognizer.answer import as_json
from recognizer.road import Recognizer
from window.settings import (
    LEAST_BRUSH,
    LEAST_SIZE,
    MOST_BRUSH,
    MOST_SIDE,
    THEMES,
    Settings,
    bring_back_drawing,
    keep_drawing,
    load_settings,
    save_settings,
)

few = settings(max_examples=40, deadline=None, derandomize=True)
fewer = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
places = st.floats(-50, 600, allow_nan=False, width=32)
points = st.lists(st.tuples(places, places), min_size=1, max_size=12)
pens = st.tuples(points, st.floats(LEAST_BRUSH, MOST_BRUSH, width=32), st.booleans())
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda word: "\0" not in word
)


@contextlib.contextmanager
def folder() -> Any:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def draw(strokes: list[tuple[list[tuple[float, float]], float, bool]]) -> Canvas:
    canvas = Canvas(560, 280)
    for way, brush, eraser in strokes:
        canvas.begin(*way[0], brush, eraser)
        for point in way[1:]:
            canvas.extend(*point)
        canvas.end()
    return canvas


def plain(strokes: list[Stroke]) -> list[Any]:
    return [(stroke.brush, stroke.eraser, [tuple(point) for point in stroke.points]) for stroke in strokes]


@few
@given(st.lists(pens, max_size=5))
def test_strokes_are_the_same_when_they_are_read_again(strokes: list[Any]) -> None:
    canvas, again = draw(strokes), Canvas(560, 280)
    again.load_json(canvas.to_json())
    assert plain(again.strokes) == plain(canvas.strokes)
    assert np.array_equal(again.picture(), canvas.picture()) and again.to_json() == canvas.to_json()


@few
@given(st.lists(pens, max_size=4), st.integers(0, 6))
def test_what_is_undone_and_done_again_is_the_same_drawing(strokes: list[Any], steps: int) -> None:
    canvas = draw(strokes)
    before = canvas.picture().copy()
    for change in (canvas.undo, canvas.redo):
        for _ in range(steps):
            change()
    assert np.array_equal(canvas.picture(), before)
    canvas.clear()
    canvas.undo()
    assert np.array_equal(canvas.picture(), before)


@fewer
@given(st.lists(pens, max_size=3))
def test_the_last_drawing_comes_back(strokes: list[Any]) -> None:
    canvas, again = draw(strokes), Canvas(560, 280)
    with folder() as place:
        keep_drawing(canvas, place / "drawing.json")
        bring_back_drawing(again, place / "drawing.json")
        assert plain(again.strokes) == ([] if canvas.empty else plain(canvas.strokes))


@few
@given(
    arrays(np.float32, st.sampled_from([(28, 28), (5, 9), (8, 8, 3)]), elements=st.floats(0, 1, width=32)),
    words,
    words,
)
def test_a_correction_is_the_same_when_it_is_read_again(frame: np.ndarray, label: str, model: str) -> None:
    entry = Correction("20260101T000000000000-000-abcdef", frame, label, "2026-11-30T00:00:00+00:00", model)
    again = _from_bytes(entry.id, _to_bytes(entry))
    assert again == entry and np.array_equal(again.frame, frame) and again.frame.dtype == np.float32


@fewer
@given(st.lists(st.sampled_from(["learn", "undo", "forget", "again"]), max_size=10))
def test_a_memory_is_what_its_files_say_whatever_is_done(steps: list[str]) -> None:
    with folder() as place:
        memory, kept = Memory(place), list[str]()
        for number, step in enumerate(steps):
            if step == "learn":
                kept.append(memory.learn(np.full((28, 28), number / 10, np.float32), str(number)).id)
            elif step == "undo":
                entry = memory.undo()
                assert (entry.id if entry else None) == (kept.pop() if kept else None)
            elif step == "forget" and kept:
                memory.forget(kept.pop(0))
            else:
                memory = Memory(place)
        assert [entry.id for entry in memory.entries()] == kept
        assert sorted(path.stem for path in place.iterdir()) == kept


@few
@given(
    st.integers(-10, 10**6),
    st.integers(-10, 10**6),
    st.sampled_from(THEMES),
    st.floats(-1e6, 1e6, allow_nan=False),
)
def test_settings_come_back_within_their_range(width: int, height: int, theme: str, brush: float) -> None:
    with folder() as place:
        path = place / "settings.json"
        assert save_settings(Settings(width, height, theme, brush), path)
        found = load_settings(path)
        assert (found.theme, found.width, found.height, found.brush) == (
            theme,
            min(max(width, LEAST_SIZE[0]), MOST_SIDE),
            min(max(height, LEAST_SIZE[1]), MOST_SIDE),
            min(max(brush, LEAST_BRUSH), MOST_BRUSH),
        )
        assert save_settings(found, path) and load_settings(path) == found


facts = st.dictionaries(
    words,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@fewer
@given(facts, st.floats(0.1, 10), st.floats(-5, 5), st.integers(1, 3))
def test_a_checkpoint_is_the_same_when_it_is_read_again(
    more: dict[str, Any], temperature: float, threshold: float, width: int
) -> None:
    said = {**more, "temperature": temperature, "threshold": threshold}
    model = build_model("residual", 10, {"width": width}).eval()
    with folder() as place:
        save_checkpoint(place / "m.pth", Checkpoint(model, "residual", {"width": width}, facts=said))
        first = (place / "m.pth").read_bytes()
        found = load_checkpoint(place / "m.pth")
        save_checkpoint(place / "m.pth", found)
        assert (place / "m.pth").read_bytes() == first
    assert found.facts == said and (found.temperature, found.threshold) == (temperature, threshold)
    assert all(
        torch.equal(one, other)
        for one, other in zip(model.state_dict().values(), found.model.state_dict().values())
    )


@few
@given(st.text(max_size=60))
def test_what_is_printed_is_one_line_and_moves_no_terminal(text: str) -> None:
    shown = printable(text)
    assert all(ord(letter) >= 32 and not 127 <= ord(letter) < 160 for letter in shown)
    assert printable(shown) == shown


@fewer
@given(st.lists(pens, max_size=3))
def test_json_is_one_line_that_says_what_the_reading_says(recognizer: Recognizer, strokes: list[Any]) -> None:
    reading = recognizer.read(draw(strokes).picture())
    line = json.dumps(as_json("a\nb", reading, None), allow_nan=False)
    found = json.loads(line)
    assert "\n" not in line and found["text"] == reading.text and found["status"] == reading.status
    assert len(found["digits"]) + len(found["rejected"]) == len(reading.groups)


# ---------------------------------------------------------------------------------- changes that change nothing


def drawings() -> dict[str, np.ndarray]:
    """Return pictures made here, dark on light, uint8 (280, W)."""
    seven, three = draw_strokes(SEVEN, 16), draw_strokes(THREE, 16)
    return {
        "seven": seven,
        "three": three,
        "number": np.concatenate([three, seven, three], axis=1),
        "blank": np.full((90, 120), 255, np.uint8),
    }


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", drawings())
def test_a_change_that_says_nothing_new_is_read_the_same(
    recognizer: Recognizer, change: str, name: str
) -> None:
    picture = drawings()[name]
    before, after = recognizer.read(picture), recognizer.read(CHANGES[change](picture))
    assert (after.status, after.text) == (before.status, before.text)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16"])
def test_the_mode_of_a_picture_says_nothing(recognizer: Recognizer, mode: str) -> None:
    image = Image.fromarray(drawings()["number"])
    made = Image.fromarray(np.asarray(image, np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    buffer = io.BytesIO()
    made.save(buffer, "PNG")
    assert recognizer.read(buffer.getvalue()).text == recognizer.read(image).text
