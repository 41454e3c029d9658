"""The canvas: strokes without gaps, exact undo, the same ink however it is drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import ndimage

from base.checkpoint import FORMAT
from ink.canvas import HEIGHT, WIDTH, Canvas
from ink.raster import Raster, draw_strokes
from ink.stroke import BRUSH_RANGE, Stroke

ZIGZAG = [(20, 20), (200, 40), (30, 150), (220, 240), (221, 60)]


def draw(canvas: Canvas, points: list[tuple[float, float]], brush: float = 16, eraser: bool = False) -> None:
    canvas.begin(*points[0], brush=brush, eraser=eraser)
    for point in points[1:]:
        canvas.extend(*point)
    canvas.end()


def scribble(canvas: Canvas, count: int, seed: int) -> None:
    """Draw strokes anywhere, also beyond the edges; every third one erases."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        points = rng.uniform(-60, 60 + WIDTH, 2) + rng.normal(0, 25, (rng.integers(1, 12), 2)).cumsum(axis=0)
        draw(canvas, [tuple(point) for point in points.tolist()], rng.uniform(2, 40), eraser=index % 3 == 2)


def test_a_new_canvas_is_white_paper() -> None:
    canvas = Canvas()
    assert canvas.empty
    assert canvas.picture().shape == (HEIGHT, WIDTH) and canvas.picture().dtype == np.uint8
    assert (canvas.picture() == 255).all()


def test_a_fast_drag_leaves_no_gaps() -> None:
    canvas = Canvas()
    draw(canvas, ZIGZAG, brush=4)
    labels, count = ndimage.label(canvas.picture() < 128, np.ones((3, 3)))
    assert count == 1


@pytest.mark.parametrize("angle", np.linspace(0, 3, 7))
def test_a_line_is_as_wide_as_the_brush_in_every_direction(angle: float) -> None:
    canvas = Canvas()
    along = 100 * np.array([np.cos(angle), np.sin(angle)])
    draw(canvas, [tuple(140 - along), tuple(140 + along)], brush=12)
    area = (255 - canvas.picture().astype(float)).sum() / 255
    assert area == pytest.approx(12 * 200 + np.pi * 6**2, rel=0.01)


def test_a_click_leaves_a_round_dot() -> None:
    canvas = Canvas()
    draw(canvas, [(100, 150)], brush=20)
    ink = 255 - canvas.picture().astype(float)
    assert ink.sum() / 255 == pytest.approx(np.pi * 10**2, rel=0.02)
    rows, columns = np.nonzero(ink)
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == (pytest.approx(150), pytest.approx(100))


def test_edges_are_smooth() -> None:
    canvas = Canvas()
    draw(canvas, ZIGZAG)
    assert len(np.unique(canvas.picture())) > 100


def test_curves_are_rounder_than_their_points() -> None:
    angles = np.linspace(0, 2 * np.pi, 9)
    stroke = Stroke(8)
    for angle in angles:
        stroke.add(140 + 80 * np.cos(angle), 140 + 80 * np.sin(angle))
    corners = np.concatenate([stroke.lines(index) for index in range(1, 7)])
    radii = np.hypot(*(corners - 140).T)
    assert abs(radii - 80).max() < 2  # the chords of eight points stray by 6


def test_x_is_to_the_right_and_y_is_down() -> None:
    canvas = Canvas(560, 280)
    draw(canvas, [(400, 30)])
    assert canvas.picture()[30, 400] == 0


def test_strokes_beyond_the_edge_are_cut_off_not_bent() -> None:
    inside, outside = Canvas(), Canvas()
    draw(inside, [(-500, 140), (140, 140)])
    draw(outside, [(-20, 140), (140, 140)])
    assert (inside.picture() == outside.picture()).all()


@pytest.mark.parametrize("point", [(float("inf"), 5.0), (1e300, -1e300)])
def test_points_out_of_any_range_do_no_harm(point: tuple[float, float]) -> None:
    canvas = Canvas()
    draw(canvas, [(100, 100), point])
    assert canvas.picture().shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize("seed", range(3))
def test_drawing_step_by_step_equals_drawing_at_once(seed: int) -> None:
    canvas = Canvas()
    view = canvas.view(1.7)
    scribble(canvas, 12, seed)
    for raster, scale in ((Raster(WIDTH, HEIGHT), 1.0), (Raster(WIDTH, HEIGHT, 1.7), 1.7)):
        raster.redraw(canvas.strokes)
        assert (raster.ink == (255 - canvas.picture() if scale == 1 else view.ink)).all()


@pytest.mark.parametrize("step", [0.3, 1.0, 3.0])
def test_slow_strokes_are_the_same_step_by_step_and_at_once(step: float) -> None:
    canvas = Canvas()
    view = canvas.view(2.3)
    points = 140 + np.random.default_rng(0).normal(0, step, (60, 2)).cumsum(axis=0)
    canvas.begin(*points[0], brush=9)
    for point in points[1:]:
        canvas.extend(*point)
        raster = Raster(WIDTH, HEIGHT, 2.3)
        raster.extend(canvas.strokes[0])
        assert (raster.ink == view.ink).all()
    canvas.end()
    raster.redraw(canvas.strokes)
    assert (raster.ink == view.ink).all()


def test_the_ink_reaches_the_pointer_however_slow_it_is() -> None:
    canvas = Canvas()
    canvas.begin(100, 100, 6)
    for tenth in range(1, 58):
        canvas.extend(100 + tenth / 10, 100)
    assert canvas.strokes[0][len(canvas.strokes[0])] == (105.7, 100)


def test_whole_pixels_do_not_make_a_slow_line_bumpy() -> None:
    canvas = Canvas()
    canvas.begin(20, 20, 10)
    for x in range(20, 260):
        canvas.extend(x, round(20 + (x - 20) * 0.37))
    ink = 255 - canvas.picture()[:, 60:220].astype(float)
    middle = (ink * np.arange(280)[:, None]).sum(axis=0) / ink.sum(axis=0)
    assert abs(middle + 0.5 - (20 + (np.arange(60.5, 220.5) - 20) * 0.37)).max() < 0.5


def test_the_rectangle_told_holds_every_change() -> None:
    canvas = Canvas()
    view = canvas.view(2.0)
    rng = np.random.default_rng(0)
    canvas.begin(140, 140, 10)
    for x, y in rng.uniform(0, 280, (30, 2)):
        before = view.ink.copy()
        left, top, right, bottom = canvas.extend(x, y)
        changed = view.ink != before
        changed[top:bottom, left:right] = False
        assert not changed.any()


@pytest.mark.parametrize("seed", range(3))
def test_undo_and_redo_restore_the_exact_picture(seed: int) -> None:
    canvas = Canvas()
    view = canvas.view(1.3)
    states = [(canvas.picture(), view.ink.copy())]
    for step in range(12):
        count = len(canvas.strokes)
        canvas.clear() if step == 7 else scribble(canvas, 1, 100 * seed + step)
        if len(canvas.strokes) != count:  # some miss the canvas, and are no strokes
            states.append((canvas.picture(), view.ink.copy()))
    assert len(states) >= 9
    for picture, ink in states[-2::-1]:
        canvas.undo()
        assert (canvas.picture() == picture).all() and (view.ink == ink).all()
    assert not canvas.can_undo
    for picture, ink in states[1:]:
        canvas.redo()
        assert (canvas.picture() == picture).all() and (view.ink == ink).all()
    assert not canvas.can_redo


def test_a_stroke_beside_the_canvas_is_none() -> None:
    canvas = Canvas()
    draw(canvas, ZIGZAG)
    canvas.undo()
    draw(canvas, [(-40, 100), (-60, 120)])
    assert canvas.can_redo and not canvas.can_undo and not canvas.strokes
    draw(canvas, [(-40, 100), (20, 120)])
    assert not canvas.can_redo and len(canvas.strokes) == 1


@pytest.mark.parametrize("x, y", [(-60, 100), (WIDTH + 60, 100), (100, -60), (100, HEIGHT + 60)])
def test_a_stroke_beside_any_edge_is_none(x: float, y: float) -> None:
    canvas = Canvas()
    draw(canvas, [(x, y), (x + 3, y)])
    assert not canvas.strokes and not canvas.can_undo


def test_a_brush_keeps_to_its_range() -> None:
    canvas = Canvas()
    canvas.begin(100, 100, 1e9)
    assert canvas.strokes[0].brush == BRUSH_RANGE[1]
    content = json.loads(canvas.to_json())
    content["strokes"][0]["brush"] = 1e300
    canvas.load_json(json.dumps(content))
    assert canvas.strokes[0].brush == BRUSH_RANGE[1]


def test_a_new_stroke_ends_redo() -> None:
    canvas = Canvas()
    draw(canvas, ZIGZAG)
    canvas.undo()
    draw(canvas, ZIGZAG[:2])
    assert not canvas.can_redo


def test_a_clear_and_opened_strokes_end_redo() -> None:
    canvas, other = Canvas(), Canvas()
    for each in (canvas, other):
        for _ in range(2):
            draw(each, ZIGZAG)
        each.undo()
    canvas.clear()
    other.load_json(Canvas().to_json())
    assert not canvas.can_redo and not other.can_redo


@pytest.mark.parametrize("change", ["redo", "clear"])
def test_redo_or_clear_in_the_middle_of_a_stroke_ends_it(change: str) -> None:
    canvas = Canvas()
    draw(canvas, [(20, 20), (60, 60)])
    if change == "redo":
        canvas.undo()
    canvas.begin(100, 100)
    assert canvas.can_undo
    canvas.extend(150, 150)
    getattr(canvas, change)()
    assert canvas.current is None and not canvas.can_redo and canvas.can_undo
    canvas.extend(200, 20)
    assert len(canvas.strokes) == (change == "redo")


def test_nothing_to_undo_is_no_error() -> None:
    canvas = Canvas()
    assert canvas.undo() == canvas.redo() == (0, 0, 0, 0)
    canvas.clear()
    assert not canvas.can_undo


def test_undo_in_the_middle_of_a_stroke_takes_it_back() -> None:
    canvas = Canvas()
    canvas.begin(100, 100)
    canvas.extend(150, 150)
    canvas.undo()
    assert canvas.empty and canvas.current is None


def test_the_eraser_really_erases_and_undo_brings_the_ink_back() -> None:
    canvas = Canvas()
    draw(canvas, [(20, 140), (260, 140)], brush=10)
    before = canvas.picture()
    draw(canvas, [(140, 20), (140, 260)], brush=30, eraser=True)
    assert (canvas.picture()[:, 130:150] == 255).all()
    assert ndimage.label(canvas.picture() < 128)[1] == 2
    draw(canvas, [(140, 20), (140, 260)], brush=4)
    assert canvas.picture()[140, 140] == 0  # ink over what was erased stays
    canvas.undo()
    canvas.undo()
    assert (canvas.picture() == before).all()


def test_a_canvas_whose_ink_is_all_erased_is_empty() -> None:
    canvas = Canvas()
    draw(canvas, [(100, 100), (110, 100)], 10)
    draw(canvas, [(90, 100), (120, 100)], 40, eraser=True)
    assert canvas.empty and canvas.strokes


def test_a_view_made_late_shows_the_stroke_in_progress() -> None:
    early, late = Canvas(), Canvas()
    view = early.view(1.5)
    for canvas in (early, late):
        canvas.begin(*ZIGZAG[0])
        for point in ZIGZAG[1:3]:
            canvas.extend(*point)
    later = late.view(1.5)
    assert (later.ink == view.ink).all()
    early.extend(*ZIGZAG[3])
    late.extend(*ZIGZAG[3])
    assert (later.ink == view.ink).all()


def test_json_brings_the_same_ink_back() -> None:
    canvas, other = Canvas(), Canvas()
    scribble(canvas, 8, 1)
    draw(other, ZIGZAG)
    other.load_json(canvas.to_json())
    assert (other.picture() == canvas.picture()).all()
    assert other.can_undo


def test_json_of_another_size_is_scaled_to_fit() -> None:
    canvas, double = Canvas(), Canvas(560, 560)
    draw(canvas, ZIGZAG)
    double.load_json(canvas.to_json())
    assert double.strokes[0].brush == 2 * canvas.strokes[0].brush
    small = double.picture().reshape(280, 2, 280, 2).mean(axis=(1, 3))
    assert abs(small - canvas.picture()).mean() < 1


GOOD = {"brush": 8, "eraser": False, "points": [[1, 2]]}


def test_json_of_another_shape_fits() -> None:
    square, wide = Canvas(280, 280), Canvas(560, 280)
    draw(square, [(10, 10), (270, 270)])
    wide.load_json(square.to_json())
    assert max(y for _, y in wide.strokes[0].points) == 270


@pytest.mark.parametrize("size", [{"width": -280}, {"width": 1e-308, "height": 1e-308}])
def test_json_of_a_canvas_without_a_size_is_refused(size: dict[str, float]) -> None:
    canvas = Canvas()
    draw(canvas, ZIGZAG)
    content = {**json.loads(canvas.to_json()), **size}
    with pytest.raises(ValueError, match="damaged"):
        canvas.load_json(json.dumps(content))
    assert len(canvas.strokes) == 1 and not canvas.empty


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "5",
        "null",
        '"text"',
        b"\xff\xfe",
        "[" * 100_000,
        json.dumps({"format": "other", "strokes": []}),
        *(
            json.dumps({"format": FORMAT, "width": 280, "height": 280, "strokes": strokes})
            for strokes in (
                5,
                None,
                [5],
                [{}],
                [{**GOOD, "brush": "wide"}],
                [{**GOOD, "brush": float("nan")}],
                [{**GOOD, "eraser": 1}],
                [{**GOOD, "points": []}],
                [{**GOOD, "points": [[1]]}],
                [{**GOOD, "points": [[1, float("inf")]]}],
                [{**GOOD, "points": 3}],
                [{**GOOD, "points": [[True, 1]]}],
                [GOOD, {**GOOD, "points": ["ab"]}],
            )
        ),
        json.dumps({"format": FORMAT, "width": 0, "height": 280, "strokes": [GOOD]}),
        json.dumps({"format": FORMAT, "strokes": [GOOD]}),
    ],
)
def test_damaged_json_is_refused_and_changes_nothing(content: str | bytes) -> None:
    canvas = Canvas()
    draw(canvas, ZIGZAG)
    before = canvas.picture()
    with pytest.raises(ValueError, match="drop a .json file"):
        canvas.load_json(content)
    assert (canvas.picture() == before).all() and len(canvas.strokes) == 1


@pytest.mark.parametrize("brush", [6, 16, 32])
def test_pen_strokes_of_any_unit_are_drawn_to_fit(brush: float) -> None:
    strokes = [[[0, 0], [5, 0], [2, 8]], [[1, 4], [4, 4]]]
    picture = draw_strokes(strokes, brush)
    larger = draw_strokes([[[7000 + 900 * x, 900 * y - 50] for x, y in stroke] for stroke in strokes], brush)
    assert (picture == larger).all() and picture.shape == (280, 280)
    rows = np.flatnonzero((picture < 128).any(axis=1))
    assert rows[0] == pytest.approx(40 - brush / 2, abs=1.5) and rows[-1] == pytest.approx(
        239 + brush / 2, abs=1.5
    )


def test_a_single_pen_point_is_a_dot_and_none_is_an_error() -> None:
    assert (draw_strokes([[[3, 3]]]) < 128).sum() == pytest.approx(np.pi * 8**2, rel=0.05)
    with pytest.raises(ValueError, match="0 points"):
        draw_strokes([])
