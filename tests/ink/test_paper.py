"""A page is told from the table around it, and dark ink from light, whatever the light."""

from collections.abc import Callable

import numpy as np
import pytest
from conftest import SEVEN, THREE
from PIL import Image
from scipy import ndimage

from ink.looks import read_ink
from ink.measures import otsu
from ink.page import isolate_page
from ink.paper import shaded_ink
from ink.raster import draw_strokes
from ink.ruling import without_ruling
from recognizer.road import Recognizer

TALL, WIDE = 700, 600


def placed(drawn: np.ndarray, table: np.ndarray, light: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """Return uint8 (TALL, WIDE, 3): `drawn` (280, 280), a page on a `table` of that size in [0, 255], somewhat noisy."""
    page = np.full((TALL, WIDE), np.nan)
    page[200:480, 150:430] = drawn
    page = ndimage.rotate(page, turn, reshape=False, order=0, cval=np.nan)[..., None]
    y, x = np.mgrid[0 : 1 : TALL * 1j, 0 : 1 : WIDE * 1j]
    picture = np.where(np.isnan(page), table, page * light) * (0.95 - 0.2 * x - 0.1 * y)[..., None]
    picture = ndimage.gaussian_filter(picture, (1, 1, 0)) + np.random.default_rng(0).normal(
        0, 2, picture.shape
    )
    return picture.clip(0, 255).round().astype(np.uint8)


def wood() -> np.ndarray:
    grain = ndimage.gaussian_filter(np.random.default_rng(1).normal(0, 1, (TALL, WIDE)), (1, 25))
    return np.array([107, 69, 38]) * (1 + 0.12 * grain / grain.std())[..., None]


def wall() -> np.ndarray:
    return np.full((TALL, WIDE, 3), 160.0)


TABLES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "wood": lambda drawn: placed(drawn, wood(), 0.9),
    "askew": lambda drawn: placed(drawn, wood(), 0.9, turn=8),
    "darker page": lambda drawn: placed(drawn, wall(), 0.35),
    "light on dark": lambda drawn: placed(255 - drawn, wall(), 0.9),
    "screen": lambda drawn: np.pad(drawn, ((100, 300), (60, 200)), constant_values=120),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_page_is_read_and_the_table_is_not(name: str, seven: np.ndarray, recognizer: Recognizer) -> None:
    picture = TABLES[name](seven)
    page = isolate_page(picture)
    assert page is not None and page.shape == picture.shape
    border = np.concatenate([page[0], page[-1], page[:, 0], page[:, -1]]).astype(int)
    paper = np.percentile(page, 5 if name == "light on dark" else 90, axis=(0, 1)).astype(int)
    assert np.abs(border - paper).max() < 70  # the table has taken the paper's colour, but for the light
    reading = recognizer.read(picture)
    assert reading.text == "7", name
    left, top, width, height = reading.digits[0].box
    assert (
        40 < left and left + width < picture.shape[1] - 100 and width < 280
    )  # where it stands in the whole picture


def test_a_page_hardly_lighter_than_the_screen_is_seen(seven: np.ndarray) -> None:
    page = isolate_page(np.pad(seven, ((100, 300), (60, 200)), constant_values=228))
    assert page is not None and page[0].min() == page[:, -1].min() == 255


def sheet(strokes: list, light: np.ndarray, ruling: float = 0.0, pencil: float = 0.8) -> np.ndarray:
    """Return uint8 (TALL, WIDE): `strokes` on paper in `light` (TALL, WIDE), over lines of depth `ruling`."""
    ink = np.pad(255 - draw_strokes(strokes, 6), ((210, 210), (160, 160))) / 255
    lines = np.where(np.arange(700) % 52 < 3, ruling, 0.0)[:, None]
    y, x = np.mgrid[0:1:700j, 0:1:600j]
    picture = ndimage.gaussian_filter(
        235 * (0.95 - 0.2 * x - 0.1 * y) * light * (1 - pencil * ink) * (1 - lines), 1.2
    )
    return (
        (picture + np.random.default_rng(0).normal(0, 2, picture.shape)).clip(0, 255).round().astype(np.uint8)
    )


def shaded(loss: float, *shadows: tuple[slice, slice], soft: float = 5.0, turn: float = 0.0) -> np.ndarray:
    """Return light (TALL, WIDE) of which each of `shadows` takes `loss`."""
    shade = np.zeros((TALL, WIDE))
    for shadow in shadows:
        shade[shadow] = loss
    return 1 - ndimage.gaussian_filter(ndimage.rotate(shade, turn, reshape=False, order=1), soft)


BOTH = [*SEVEN, *([[x + 80, y] for x, y in stroke] for stroke in THREE)]


@pytest.mark.parametrize("strokes, label", [(SEVEN, "7"), (THREE, "3"), (BOTH, "73")])
@pytest.mark.parametrize("loss", [0.3, 0.45])
def test_a_phones_shadow_is_neither_ink_nor_page(
    strokes: list, label: str, loss: float, recognizer: Recognizer
) -> None:
    across = shaded(loss, (slice(300, 700), slice(180, 420)))
    beside = shaded(loss, (slice(330, 700), slice(300, 500)), turn=8)
    assert [recognizer.read(sheet(strokes, light)).text for light in (across, beside)] == [label, label]


def test_shadows_of_fingers_are_no_ink(recognizer: Recognizer) -> None:
    fingers = shaded(
        0.3, *((slice(200, 700), slice(left, left + 50)) for left in (150, 240, 330, 420)), turn=-30
    )
    assert recognizer.read(sheet(BOTH, fingers)).text == "73"


@pytest.mark.parametrize("radius", [25, 40, 60])
def test_a_photos_dark_edge_is_no_ink_beside_a_stroke(radius: int) -> None:
    y, x = np.mgrid[0:400, 0:500]
    edge = 0.4 * np.exp(-(((x - 499) / radius) ** 2) - ((y - 200) / (1.5 * radius)) ** 2)
    stroke = (abs(y - 200) < 80) & (np.abs(x[..., None] - [100, 180, 260, 340, 470]) < 4).any(axis=2)
    noise = np.random.default_rng(0).normal(0, 2, x.shape)
    photo = (200 * (1 - edge) * (1 - 0.6 * stroke) + noise).clip(0, 255).astype(np.uint8)
    ink, _ = shaded_ink(photo, dark_ink=True)
    assert (ink[stroke] > 0.5).all() and not ink[~ndimage.binary_dilation(stroke, iterations=3)].any()


@pytest.mark.parametrize("strokes, label", [(SEVEN, "7"), (BOTH, "73")])
def test_ruled_lines_darker_than_the_pencil_are_no_ink(
    strokes: list, label: str, recognizer: Recognizer
) -> None:
    assert recognizer.read(sheet(strokes, np.ones((TALL, WIDE)), ruling=0.65, pencil=0.35)).text == label


def test_rules_under_bold_digits_are_as_thick_as_they_are(recognizer: Recognizer) -> None:
    page = np.ones((200, 420))
    page[np.arange(200) % 45 < 3] = 0.5
    bold = [[[x + 80 * n, y] for x, y in SEVEN[0]] for n in range(4)]
    page = np.minimum(
        page, np.asarray(Image.fromarray(draw_strokes(bold, 26, 420, 20)).crop((0, 110, 420, 310))) / 255
    )
    photo = ndimage.gaussian_filter(page * 190, 0.8) + np.random.default_rng(0).normal(0, 4, page.shape)
    assert recognizer.read(photo.clip(0, 255).astype(np.uint8)).text == "7777"


def test_a_rule_at_the_picture_s_edge_is_none_though_the_other_edge_is_dark() -> None:
    depth = np.zeros((240, 300), np.float32)
    depth[:3], depth[180:] = 0.5, 0.5
    assert not without_ruling(depth)[:3].any()


def soft_light() -> np.ndarray:
    lamp = np.zeros((TALL, WIDE))
    lamp[150:550, 120:480] = 180
    return (60 + ndimage.gaussian_filter(lamp, 60)).astype(np.uint8)


def test_neither_light_nor_ink_nor_shade_is_a_page(seven: np.ndarray) -> None:
    half = np.full((TALL, WIDE), 200, np.uint8)
    half[:, :200] = 90
    disc = np.full((TALL, WIDE), 240, np.uint8)
    y, x = np.mgrid[0:TALL, 0:WIDE]
    disc[(y - 350) ** 2 + (x - 300) ** 2 < 150**2] = 30
    for picture in (
        soft_light(),
        seven,
        half,
        255 - half,
        disc,
        np.full((TALL, WIDE), 77, np.uint8),
        np.zeros((1, 900), np.uint8),
    ):
        assert isolate_page(picture) is None


@pytest.mark.parametrize("fullness", [2.5, 3.0, 4.0])
def test_a_bold_0_and_a_bold_1_on_shaded_paper_are_no_pages(fullness: float) -> None:
    y, x = np.mgrid[0:400, 0:400] - 200.0
    oval = (np.abs(x / 120) ** fullness + np.abs(y / 140) ** fullness) ** (1 / fullness)
    light = 220 - 66 / (1 + np.exp(-(x + y) / 60))
    for ink in ((oval < 1) & (oval > 0.45), (abs(x) < 30) & (abs(y) < 150)):
        picture = ndimage.gaussian_filter(light * (1 - 0.85 * ink), 1).round().astype(np.uint8)
        assert isolate_page(picture) is None and isolate_page(255 - picture) is None


@pytest.mark.parametrize("size, top, left", [(100, 100, 100), (60, 400, 300)])
def test_paper_within_a_loop_is_no_light_ink(size: int, top: int, left: int) -> None:
    y, x = np.mgrid[0 : 1 : TALL * 1j, 0 : 1 : WIDE * 1j]
    ink = np.zeros((TALL, WIDE))
    ring = np.hypot(*(np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j] / [[[0.9]], [[0.6]]]))
    ink[top : top + size, left : left + size] = abs(ring - 0.85) < 0.15
    shade = 1 - 0.35 / (1 + np.exp(-8 * (0.54 * (x - 0.5) + 0.84 * (y - 0.5))))
    picture = (225 * shade * (1 - 0.85 * ink)).round().astype(np.uint8)
    for taken, dark in ((picture, True), (255 - picture, False)):
        assert shaded_ink(taken, dark)[1] > 10 * shaded_ink(taken, not dark)[1]


def test_dark_ink_is_found_in_a_dark_photo(seven: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    night = (90 * (0.25 + 0.75 * seven / 255) + rng.normal(0, 8, seven.shape)).clip(0, 255).astype(np.uint8)
    assert shaded_ink(night, True)[1] > 2 * shaded_ink(night, False)[1]
    assert shaded_ink(255 - night, False)[1] > 2 * shaded_ink(255 - night, True)[1]
    ink = next(iter(read_ink(night).looks)).ink
    assert ((ink > 0.5) == (seven < 128)).mean() > 0.98


@pytest.mark.parametrize("outline", ["box", "ring"])
def test_a_digit_in_a_box_or_ring_is_read(outline: str, three: np.ndarray, recognizer: Recognizer) -> None:
    y, x = np.mgrid[0:500, 0:500] - 250
    distance = np.hypot(x, y) if outline == "ring" else np.maximum(abs(x), abs(y))
    picture = np.pad(three, 110, constant_values=255)
    picture[abs(distance - 160) < 3] = 0
    reading = recognizer.read(picture)
    assert reading.text == "3" and len(reading.groups) == 1


def test_a_0_with_a_loose_slash_is_no_1_in_a_ring(recognizer: Recognizer) -> None:
    y, x = np.mgrid[0:280, 0:280] - 140
    oval = np.hypot(x / 60, y / 100)
    picture = np.where((abs(oval - 1) < 0.1) | ((abs(x + y / 3) < 5) & (abs(y) < 40)), 0, 255).astype(
        np.uint8
    )
    assert recognizer.read(picture).text == "0"


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_ink_is_told_from_noise_however_much_of_the_picture_it_covers(share: float) -> None:
    rng = np.random.default_rng(0)
    ink = np.zeros((80, 260), bool)
    for left in range(8, 250, 25):  # strokes narrower than the window that looks for paper beside them
        ink[4:76, left : left + round(25 * share)] = True
    photo = np.where(ink, 70, np.linspace(180, 150, 260)) + rng.normal(0, 4, ink.shape)
    found = shaded_ink(photo.clip(0, 255).astype(np.uint8), True)[0] > 0.5
    assert (found == ink).mean() > 0.97


def test_grain_is_not_taken_for_ink() -> None:
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, (140, 140)), 0.7)
    assert (
        shaded_ink((180 + 12 * grain / grain.std()).clip(0, 255).astype(np.uint8), True)[0] > 0
    ).mean() < 0.02


@pytest.mark.parametrize("seed", [476, 606, 612, 1440, 2018, 2310])  # each was read as a digit
def test_grain_is_never_a_digit(seed: int, recognizer: Recognizer) -> None:
    rng = np.random.default_rng(seed)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (140, 140)), rng.uniform(0.5, 3))
    assert (
        recognizer.read(
            (180 + rng.uniform(4, 24) * grain / grain.std()).clip(0, 255).round().astype(np.uint8)
        ).status
        != "ok"
    )


def test_a_digit_on_grain_is_read(seven: np.ndarray, recognizer: Recognizer) -> None:
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 1, seven.shape), 1.5)
    for depth in (60, 90):
        picture = 180 - depth * (1 - seven / 255.0) + depth / 6 * grain / grain.std()
        assert recognizer.read(picture.clip(0, 255).round().astype(np.uint8)).text == "7", depth


@pytest.mark.parametrize("slant", [0.0, 0.03])
def test_rules_of_one_pixel_are_no_ink(slant: float) -> None:
    y, x = np.mgrid[0:TALL, 0:WIDE]
    depth = np.where((y + slant * x) % 48 < 1, 0.3, 0.0)
    depth[300:420, 200:230] = 0.6
    bare = without_ruling(depth)
    assert (bare[300:420, 200:230] > 0).mean() > 0.95
    bare[300:420, 200:230] = 0
    assert (bare > 0).sum() < 0.02 * (depth > 0).sum()


def test_plain_paper_s_own_noise_is_no_ink(recognizer: Recognizer) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:140, 0:140]
        noise = ndimage.gaussian_filter(rng.normal(0, 1, (140, 140)), rng.uniform(0.5, 2))
        weave = noise / noise.std() + 2 * np.sin((x * rng.random() + y * rng.random()) * rng.uniform(0.4, 1))
        assert recognizer.read((185 + 5 * weave / weave.std()).round().astype(np.uint8)).status != "ok", seed


def test_values_that_hardly_differ_have_a_threshold() -> None:
    values = np.full(100, 0.5, np.float32)
    values[7:] = np.nextafter(np.float32(0.5), np.float32(1))
    assert otsu(values) == 0.5
    assert 0.5 < otsu(np.repeat([0.5, 0.7], 50)) < 0.7


def test_a_row_of_boxes_is_not_ruled() -> None:
    def seen(left: int, right: int) -> float:
        picture = np.full((240, 400), 235.0)
        for level in (80, 160):
            picture[level : level + 4, left:right] = 90
        for x in range(left, right, 60):
            picture[80:160, x : x + 4] = 90
        noisy = picture + np.random.default_rng(0).normal(0, 2, picture.shape)
        return float(shaded_ink(noisy.round().astype(np.uint8), True)[0][81:83, 60:340].mean())

    assert seen(24, 376) > 0.5  # boxes that end before the picture does stay whole
    assert seen(0, 400) < 0.1  # lines from side to side are taken out
