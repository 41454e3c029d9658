"""Whole lines: numbers with their signs, every mark told, and only what was expected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from dataset import Digits
from ink.canvas import Canvas
from ink.measures import EIGHT, pen_width
from ink.piece import Piece
from ink.rows import LEAST_SPECK, SPECK
from recognizer.answer import Digit, Reading, as_json, describe
from recognizer.asking import certainty
from recognizer.expect import Expect, ExpectError
from recognizer.judge import Company, Guess
from recognizer.lines import _is_number
from recognizer.road import Recognizer

HAND = {  # strokes of a digit or sign: x from 0, y down, the writing line at 100, the top of digits at 0
    "0": [[(30, 2), (8, 20), (3, 60), (18, 95), (42, 96), (58, 62), (52, 18), (30, 2)]],
    "1": [[(6, 0), (9, 50), (6, 100)]],
    "2": [[(4, 22), (22, 2), (46, 8), (50, 30), (28, 62), (2, 98), (58, 97)]],
    "3": [[(4, 14), (24, 1), (46, 12), (42, 34), (22, 46), (48, 58), (50, 84), (26, 100), (2, 88)]],
    "4": [[(28, 2), (4, 62), (58, 64)], [(42, 34), (40, 100)]],
    "5": [[(52, 3), (12, 4), (8, 42), (36, 40), (52, 62), (44, 92), (18, 100), (2, 88)]],
    "7": [[(3, 6), (54, 4), (34, 52), (22, 100)]],
    "9": [[(50, 22), (28, 2), (6, 20), (12, 44), (36, 44), (50, 20), (48, 60), (40, 100)]],
    ".": [[(3, 97), (5, 99)]],
    ",": [[(8, 90), (2, 118)]],
    "-": [[(2, 54), (42, 52)]],
    "+": [[(2, 54), (48, 54)], [(25, 30), (25, 79)]],
    "=": [[(2, 42), (44, 42)], [(2, 66), (44, 66)]],
    "/": [[(64, -4), (2, 104)]],
}
SCRIBBLE = [[(0, 0), (90, 100), (8, 92), (95, 8), (22, 60), (60, 4), (62, 104), (2, 40), (98, 52)]]


def write(
    canvas: Canvas,
    text: str,
    left: float,
    top: float,
    size: float = 1.0,
    brush: float = 8,
    climb: float = 0.0,
) -> None:
    """Write `text` on a canvas by HAND, "#" as a scribble; `climb`: pixels up a pixel along."""
    x = left
    for each in text:
        strokes = SCRIBBLE if each == "#" else HAND[each]
        for stroke in strokes:
            points = [(x + size * px, top + size * py - climb * (x + size * px - left)) for px, py in stroke]
            canvas.begin(*points[0], brush)
            for point in points[1:]:
                canvas.extend(*point)
            canvas.end()
        x += size * (max(px for stroke in strokes for px, _ in stroke) + 24)


def written(text: str, brush: float = 8, climb: float = 0.0) -> np.ndarray:
    """Return a picture of `text`, uint8, dark on white."""
    canvas = Canvas(1000, 500)
    write(canvas, text, 40, 330 if climb else 180, brush=brush, climb=climb)
    return canvas.picture()


@pytest.mark.parametrize("text", ["-3.14", "3,7", "3+4=7", "12/03/2024", "140", "25", "1000", "100", "1"])
def test_a_number_is_read_with_its_signs(lines_model: Recognizer, text: str) -> None:
    reading = lines_model.read(written(text))
    assert (reading.status, reading.text) == ("ok", text)
    assert [sign.sign for sign in reading.signs] == [each for each in text if not each.isdigit()]
    assert "".join(digit.digit for digit in reading.digits) == "".join(filter(str.isdigit, text))
    assert reading.plain().text == reading.digits_only == "".join(filter(str.isdigit, text))
    if len(text) > 1:
        assert reading.confidence == reading.alternatives[0][1]
        assert reading.alternatives[0][0] == text
    assert sum(p for _, p in reading.alternatives) <= 1 + 1e-6


def test_a_climbing_number_is_one_line(lines_model: Recognizer) -> None:
    assert lines_model.read(written("2537907", climb=0.4)).text == "2537907"


def test_a_column_that_starts_at_the_edge_is_read(lines_model: Recognizer) -> None:
    canvas = Canvas(560, 560)
    for row, number in enumerate(("31", "25", "47")):
        write(canvas, number, 200, 2 + 150 * row)
    assert lines_model.read(canvas.picture()).text == "31\n25\n47"


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_page_on_its_side_is_read_and_its_boxes_lie_where_its_ink_is(
    lines_model: Recognizer, quarters: int
) -> None:
    upright = written("2537907", brush=10)
    picture = np.rot90(upright, quarters).copy()
    reading = lines_model.read(picture)
    assert (reading.text, reading.turned) == ("2537907", 90 * quarters)
    assert marks_left_out(reading, picture) == [] and lines_model.read(upright).turned == 0
    assert "on its side" in describe(reading, lines_model.classes)


def marks_left_out(reading: Reading, picture: np.ndarray) -> list[tuple[int, int]]:
    """Return the sizes of the marks on `picture` that no box of the reading holds, specks excepted."""
    ink = (255 - picture).astype(np.float32) / 255
    labels, _ = ndimage.label(ink > 0, EIGHT)
    covered = np.zeros(ink.shape, bool)
    for box in [*(group.box for group in reading.groups), *(sign.box for sign in reading.signs)]:
        left, top, width, height = box
        covered[max(top - 1, 0) : top + height + 1, max(left - 1, 0) : left + width + 1] = True
    least = max(LEAST_SPECK, SPECK * pen_width(ink))
    sizes = []
    for n, place in enumerate(ndimage.find_objects(labels), 1):
        size = (place[1].stop - place[1].start, place[0].stop - place[0].start)
        if max(size) >= least and not covered[labels == n].all():
            sizes.append(size)
    return sizes


@pytest.mark.parametrize("seed", range(12))
def test_no_ink_is_lost(lines_model: Recognizer, seed: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = Canvas(700, 420)
    for row in range(int(rng.integers(1, 4))):
        text = "".join(rng.choice([*HAND, "#"], int(rng.integers(1, 7))))
        left, top = float(rng.uniform(-20, 250)), row * 140 + float(rng.uniform(-25, 25))
        write(canvas, text, left, top, float(rng.uniform(0.5, 1.1)), float(rng.uniform(3, 14)))
    picture = canvas.picture()
    reading = lines_model.read(picture)
    assert marks_left_out(reading, picture) == []


def test_no_ink_of_real_digits_at_the_edge_is_lost(lines_model: Recognizer, digits: Digits) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        picture = np.full((200, 320), 255, np.uint8)
        for n in rng.integers(0, len(digits), 5):
            side = int(rng.integers(1, 4))
            image = np.kron(digits.images[n, 0].numpy(), np.ones((side, side), np.uint8))
            rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
            image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            top = int(rng.choice([0, int(rng.integers(0, 200 - image.shape[0])), 200 - image.shape[0]]))
            left = int(rng.integers(0, 320 - image.shape[1]))
            window = picture[top : top + image.shape[0], left : left + image.shape[1]]
            np.minimum(window, 255 - image, out=window)
        assert marks_left_out(lines_model.read(picture), picture) == [], seed


@pytest.mark.parametrize("text", ["140", "25", "3,7", "9"])
@pytest.mark.parametrize("place", [(700, 190), (420, 20), (760, 380)])
def test_a_mark_far_away_changes_no_digit(
    lines_model: Recognizer, text: str, place: tuple[float, float]
) -> None:
    canvas = Canvas(1000, 520)
    write(canvas, text, 40, 190)
    before = lines_model.read(canvas.picture())
    write(canvas, "#", *place, brush=12)
    after = lines_model.read(canvas.picture())
    found = {(digit.digit, digit.box) for digit in after.digits}
    assert {(digit.digit, digit.box) for digit in before.digits} <= found
    assert before.text == text and after.status == "ok" and after.rejected


@pytest.mark.parametrize(
    "text, expect, said",
    [
        ("25", 2, "25"),
        ("25", "3", ""),
        ("12/03/2024", "##/##/####", "12/03/2024"),
        ("12/03/2024", "##-##-####", ""),
        ("140", ["14", "140", "740"], "140"),
        ("140", ["150", "190", "25"], ""),
        ("9", 1, "9"),
        ("9", ["1", "5"], ""),
    ],
)
def test_only_what_is_expected_is_read(lines_model: Recognizer, text: str, expect: Expect, said: str) -> None:
    reading = lines_model.read(written(text), expect)
    assert (reading.text, reading.status) == (said, "ok" if said else "not_a_digit")
    assert marks_left_out(reading, written(text)) == []


def test_what_is_expected_decides_between_likely_texts(lines_model: Recognizer) -> None:
    free = lines_model.read(written("3+4=7"))
    second = free.alternatives[1][0]
    reading = lines_model.read(written("3+4=7"), [second])
    assert reading.text in (second, "")  # "" where it is too unlikely to have been written


def test_what_is_expected_from_the_start_holds_for_many(lines_model: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("25\n140\n")
    reader = Recognizer(lines_model.checkpoint, expect=path)
    readings = reader.read_many([written("25"), written("140"), written("3+4=7")])
    assert [reading.text for reading in readings if isinstance(reading, Reading)] == ["25", "140", ""]
    with pytest.raises(ExpectError):
        Recognizer(lines_model.checkpoint, expect="seven")


@pytest.mark.parametrize(
    "certain, belief, company, accepted",
    [
        (2.0, 0.5, Company.ALONE, True),
        (2.0, 0.01, Company.ALONE, False),  # the line reader says that it is none
        (0.5, 0.99, Company.ALONE, True),
        (0.5, 0.99, Company.DIGITS, True),
        (0.5, 0.5, Company.DIGITS, True),
        (0.0, 0.5, Company.DIGITS, False),
        (0.5, 0.99, Company.OTHERS, True),
        (0.5, 0.5, Company.OTHERS, False),
    ],
)
def test_classifier_and_line_reader_are_added_in_doubt(
    recognizer: Recognizer, certain: float, belief: float, company: Company, accepted: bool
) -> None:
    shares = np.linspace(0, 1, 2001)[1:-1]
    sure = [np.append(share, np.full(9, (1 - share) / 9)) for share in shares if share >= 0.1]
    probs = min(sure, key=lambda each: abs(float(certainty(each)) - certain))
    ink = np.zeros((20, 18), np.float32)
    ink[[0, -1]] = ink[:, [0, -1]] = 1
    facts = {**recognizer.checkpoint.facts, "line_thresholds": [1.0, 0.25, 3.0]}
    judge = replace(recognizer.judge, checkpoint=replace(recognizer.checkpoint, facts=facts))
    guess = Guess(Piece((0, 0, 18, 20), ink), np.zeros((28, 28), np.float32), probs)
    assert judge.accepts_with(guess, belief, company) == accepted
    assert judge.accepts_with(replace(guess, corrected=True), 0.0, company)


@pytest.mark.parametrize(
    "told, number",
    [
        ("25", True),
        ("2?5", True),
        ("2?", True),
        ("?2?", False),
        ("??", False),
        ("", False),
        ("1?", False),
        ("11", True),
    ],
)
def test_a_line_of_which_most_is_no_digit_is_no_number(told: str, number: bool) -> None:
    frame, probs = np.zeros((28, 28), np.float32), (0.1,) * 10
    groups = [Digit(each, 0.9, probs, (0, 0, 9, 9), frame, each != "?") for each in told]
    assert _is_number(groups) == number
    assert not groups or _is_number([*groups, replace(groups[0], corrected=True)])


def test_signs_are_told_in_words_and_as_json(lines_model: Recognizer) -> None:
    reading = lines_model.read(written("-3.14"))
    assert describe(reading, lines_model.classes).startswith("-3.14 (")
    ranked = describe(reading, lines_model.classes, 2).split("; ")
    assert [each[0] for each in ranked] == list("-3.14")
    told = as_json("a.png", reading, None)
    assert (told["text"], [sign["sign"] for sign in told["signs"]]) == ("-3.14", ["-", "."])
    assert told["alternatives"][0]["text"] == "-3.14"
