"""Ink is framed as MNIST frames it."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from dataset import Digits
from ink.frame import (
    CENTRE,
    DIGIT_BOX,
    FRAME_SIZE,
    PEN_RANGE,
    PROPORTIONS,
    WIDEST_BAR,
    WORK_SIDE,
    _ink_level,
    _place,
    crop_to_ink,
    fit_frame,
    fit_pen,
    make_frame,
    unstretch,
)
from ink.measures import is_bold, pen_width


def centre_of_mass(frame: np.ndarray) -> np.ndarray:
    return np.array(ndimage.center_of_mass(frame))


def test_mnist_digits_pass_through_unchanged(digits: Digits) -> None:
    images = digits.images[:2000, 0].numpy().astype(np.float32) / 255
    same = sum(np.array_equal(make_frame(image), image) for image in images)
    assert same >= 0.99 * len(images)


@pytest.mark.parametrize(
    "height, width", [(3, 3), (20, 9), (9, 20), (280, 100), (1000, 40), (5, 700), (28, 28)]
)
def test_any_rectangle_fits_the_box_and_is_centred(height: int, width: int) -> None:
    frame = make_frame(np.pad(np.ones((height, width), np.float32), 7))
    rows, columns = np.flatnonzero(frame.any(axis=1)), np.flatnonzero(frame.any(axis=0))
    assert frame.shape == (FRAME_SIZE, FRAME_SIZE)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == DIGIT_BOX
    assert np.abs(centre_of_mass(frame) - CENTRE).max() <= 0.51


@pytest.mark.parametrize("shift", [(0, 0), (13, -40), (-25, 31)])
def test_moving_the_digit_changes_nothing(seven: np.ndarray, shift: tuple[int, int]) -> None:
    ink = 1 - np.pad(seven, 60, constant_values=255).astype(np.float32) / 255
    assert np.array_equal(make_frame(np.roll(ink, shift, (0, 1))), make_frame(ink))


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_size_hardly_changes_the_frame(seven: np.ndarray, factor: int) -> None:
    ink = 1 - seven.astype(np.float32) / 255
    large = np.kron(ink, np.ones((factor, factor), np.float32))
    assert np.abs(make_frame(large) - make_frame(ink)).mean() < 0.01


@pytest.mark.parametrize("brush", [2, 90])
def test_a_pen_too_thin_or_too_thick_is_brought_into_range(brush: int) -> None:
    ink = np.zeros((300, 300), np.float32)
    ink[20:280, 150 - brush // 2 : 150 + brush - brush // 2] = 1
    ink[20 : 20 + brush, 60:240] = 1
    before = pen_width(ink[20:280, 60:240]) * DIGIT_BOX / 260
    after = pen_width(make_frame(ink))
    low, high = PEN_RANGE
    assert not low <= before <= high
    assert 0.8 * low <= after <= 1.15 * high


@pytest.mark.parametrize("factor", [1, 12])
def test_strokes_are_measured_in_a_reduced_picture(factor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def noted(crop: np.ndarray) -> np.ndarray:
        measured.append(max(crop.shape))
        return fit_pen(crop)

    monkeypatch.setattr("ink.frame.fit_pen", noted)
    make_frame(np.ones((50 * factor, 8 * factor), np.float32))
    assert measured == [min(50 * factor, WORK_SIDE)]


def test_aspect_is_kept() -> None:
    frame = make_frame(np.ones((200, 30), np.float32))
    assert np.ptp(np.flatnonzero(frame.any(axis=0))) + 1 == 3


def test_a_bar_is_made_a_1_of_usual_width_and_other_bold_ink_is_left_alone() -> None:
    ring = np.ones((50, 45), np.float32)
    ring[10:-10, 10:-10] = 0
    bar = np.ones((50, 14), np.float32)
    assert (
        WIDEST_BAR < 20 * pen_width(ring) / 50 < PEN_RANGE[1]
        and WIDEST_BAR < 20 * pen_width(bar) / 50 < PEN_RANGE[1]
    )
    assert fit_pen(ring) is ring
    assert 20 * pen_width(fit_pen(bar)) / 50 == pytest.approx(WIDEST_BAR, rel=0.12)


def test_few_digits_are_as_bold_as_a_silhouette(digits: Digits) -> None:
    images = digits.images[:2000, 0].numpy().astype(np.float32) / 255
    assert sum(is_bold(crop_to_ink(image)) for image in images) < 0.015 * len(images)
    shirt = np.ones((20, 18), np.float32)
    shirt[8:, :4] = shirt[8:, -4:] = 0
    assert is_bold(shirt) and not is_bold(shirt[:, 5:13])


def test_no_ink_is_an_error() -> None:
    with pytest.raises(ValueError, match="no ink"):
        make_frame(np.zeros((30, 30), np.float32))


def test_a_faint_thin_line_survives_shrinking() -> None:
    image = Image.new("L", (900, 900))
    for x in range(300, 302):
        for y in range(100, 800):
            image.putpixel((x, y), 255)
    assert make_frame(np.asarray(image, np.float32) / 255).max() > 0.8


@pytest.mark.parametrize(
    "shape, place", [((14, 56), (10, 17, 0, 28)), ((56, 14), (0, 28, 10, 17)), ((7, 7), (0, 28, 0, 28))]
)
def test_a_whole_picture_fits_the_frame_and_is_not_moved(
    shape: tuple[int, int], place: tuple[int, int, int, int]
) -> None:
    top, bottom, left, right = place
    frame = fit_frame(np.ones(shape, np.float32))
    assert frame.shape == (FRAME_SIZE, FRAME_SIZE) and (frame[top:bottom, left:right] == 1).all()
    assert frame.sum() == (bottom - top) * (right - left)


def test_a_picture_of_a_frames_size_is_the_frame(frames: np.ndarray) -> None:
    assert np.array_equal(fit_frame(frames[0]), frames[0])


@pytest.mark.parametrize("side", [20, 28, 70])
def test_a_stretched_scan_is_seen_in_each_proportion(side: int) -> None:
    ring = np.ones((side, side), np.float32)
    ring[side // 5 : -(side // 5), side // 5 : -(side // 5)] = 0
    seen = unstretch(ring)
    assert seen.shape == (len(PROPORTIONS), FRAME_SIZE, FRAME_SIZE)
    for frame, proportion in zip(seen, PROPORTIONS):
        height, width = (np.ptp(np.flatnonzero((frame > 0.5).any(axis=axis))) + 1 for axis in (1, 0))
        assert height == DIGIT_BOX and abs(width - DIGIT_BOX * proportion) <= 1
        assert frame[14, 14] == 0  # the hole is still there


@pytest.mark.parametrize("last, place", [(0, FRAME_SIZE - DIGIT_BOX), (-1, 0)])
def test_ink_heavy_at_one_end_stays_inside_the_frame(last: int, place: int) -> None:
    digit = np.full((DIGIT_BOX, DIGIT_BOX), 0.001, np.float32)
    digit[last] = digit[:, last] = 1
    frame = _place(digit)
    assert np.array_equal(frame[place : place + DIGIT_BOX, place : place + DIGIT_BOX], digit)
    assert frame.sum() == pytest.approx(digit.sum())


def test_full_ink_is_what_nine_in_ten_of_the_strokes_pixels_do_not_exceed() -> None:
    strokes = np.linspace(0.3, 1, 101, dtype=np.float32)
    faint = np.full(500, 0.25, np.float32)  # a quarter of the brightest is no stroke
    assert _ink_level(np.concatenate([strokes, faint])) == pytest.approx(0.93)
