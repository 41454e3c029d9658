"""A picture becomes the same ink, whatever its file, polarity, paper and light."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import SEVEN
from PIL import Image

from benchmarks.pictures import number
from dataset import Digits
from ink.decode import MAX_SIDE, PictureError, open_picture
from ink.frame import PROPORTIONS
from ink.lines import count_parts
from ink.looks import find_looks, read_ink
from ink.measures import rim
from ink.raster import draw_strokes
from recognizer.road import Recognizer


def ink_of(source: object) -> np.ndarray:
    return next(iter(read_ink(source).looks)).ink  # type: ignore[arg-type]


def as_file(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.fixture
def drawn(seven: np.ndarray) -> np.ndarray:
    return 1 - seven.astype(np.float32) / 255


def test_mnist_keeps_its_grey_values(digits: Digits) -> None:
    for image in digits.images[:500, 0].numpy():
        assert np.array_equal(ink_of(image), image.astype(np.float32) / 255)


def test_dark_on_light_equals_light_on_dark(seven: np.ndarray) -> None:
    assert np.array_equal(ink_of(seven), ink_of(255 - seven))


CONTAINERS: dict[str, Callable[[Image.Image], bytes]] = {
    "grey": as_file,
    "colour": lambda image: as_file(image.convert("RGB")),
    "palette": lambda image: as_file(image.convert("P")),
    "black and white": lambda image: as_file(image.convert("1", dither=Image.Dither.NONE)),
    "16 bits": lambda image: as_file(Image.fromarray(np.asarray(image).astype(np.uint16) * 257)),
    "10 of 16 bits": lambda image: as_file(Image.fromarray(np.asarray(image).astype(np.uint16) * 4)),
    "32 bits": lambda image: as_file(Image.fromarray(np.asarray(image).astype(np.int32)), "TIFF"),
    "floats": lambda image: as_file(Image.fromarray(np.asarray(image).astype(np.float32)), "TIFF"),
    "cmyk": lambda image: as_file(image.convert("CMYK"), "TIFF"),
    "bmp": lambda image: as_file(image, "BMP"),
    "gif": lambda image: as_file(image, "GIF"),
    "webp": lambda image: as_file(image.convert("RGB"), "WEBP", lossless=True),
    "jpeg": lambda image: as_file(image, "JPEG", quality=90),
    "unreadable metadata": lambda image: as_file(image, exif=b"Exif\0\0junk"),
    "animation": lambda image: as_file(
        image, "GIF", save_all=True, append_images=[Image.new("L", image.size, 255)]
    ),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_the_same_ink(name: str, seven: np.ndarray, drawn: np.ndarray) -> None:
    ink = ink_of(CONTAINERS[name](Image.fromarray(seven)))
    assert ink.shape == drawn.shape
    assert np.abs(ink - drawn).mean() < 0.01
    assert ((ink > 0.5) == (drawn > 0.5)).mean() > 0.995


def test_a_pil_image_with_a_palette_of_transparent_colours_is_read(drawn: np.ndarray) -> None:
    clear = np.zeros((*drawn.shape, 4), np.uint8)
    clear[..., 3] = (drawn * 255).round()
    palette = Image.fromarray(clear).quantize()
    assert palette.mode == "P" and ((ink_of(palette) > 0.5) == (drawn > 0.5)).mean() > 0.99


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper_is_white_or_beneath_white_ink_black(drawn: np.ndarray, ink: int) -> None:
    clear = np.full((*drawn.shape, 4), ink, np.uint8)
    clear[..., 3] = (drawn * 255).round()
    assert np.abs(ink_of(as_file(Image.fromarray(clear))) - drawn).max() < 0.01


def test_a_turned_photo_is_turned_back(seven: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = as_file(Image.fromarray(seven).transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert np.array_equal(ink_of(stored), ink_of(seven))


@pytest.mark.parametrize("colour", [(230, 20, 20), (20, 160, 60), (0, 170, 220), (240, 160, 20)])
def test_coloured_ink_is_full_ink(drawn: np.ndarray, colour: tuple[int, int, int]) -> None:
    cover = drawn[..., None]
    picture = (255 * (1 - cover) + np.array(colour) * cover).round().astype(np.uint8)
    assert ((ink_of(picture) > 0.5) == (drawn > 0.5)).mean() > 0.99


def photo_of(drawn: np.ndarray, ruled: bool = False) -> np.ndarray:
    rng = np.random.default_rng(0)
    height, width = drawn.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = 0.7 - 0.15 * (x * x + y * y) + 0.15 * x
    paper = np.ones((height, width))
    if ruled:
        paper[np.arange(height) % 40 < 2] = 0.75
    picture = light * paper * (1 - 0.7 * drawn) + rng.normal(0, 0.01, drawn.shape)
    return (picture.clip(0, 1) * 255).astype(np.uint8)


def test_uneven_light_is_not_ink(drawn: np.ndarray) -> None:
    ink = ink_of(photo_of(drawn))
    assert ((ink > 0.5) == (drawn > 0.5)).mean() > 0.99


def test_pale_paper_within_a_white_border_is_not_ink(drawn: np.ndarray) -> None:
    ramp = np.add.outer(np.linspace(0, 10, len(drawn)), np.linspace(0, 10, drawn.shape[1]))
    noise = np.random.default_rng(0).normal(0, 2, drawn.shape)
    scan = ((225 + ramp) * (1 - 0.75 * drawn) + noise).clip(0, 255).astype(np.uint8)
    ink = ink_of(np.pad(scan, 3, constant_values=255))
    assert np.mean(ink > 0.02) < 0.15


def test_ruled_lines_are_not_ink(drawn: np.ndarray) -> None:
    ink = ink_of(photo_of(drawn, ruled=True))
    assert ((ink > 0.3) & (drawn < 0.1)).mean() < 0.005
    assert (ink[drawn > 0.9] > 0.5).mean() > 0.9


def test_thin_ones_as_high_as_the_picture_are_no_ruling(recognizer: Recognizer) -> None:
    row = np.zeros((160, 280))
    row[10:150, 130:270] = (255 - draw_strokes(SEVEN, 14, 140, 10)) / 255
    row[:, 20:30] = row[:, 70:80] = 1
    y, x = np.mgrid[0:1:160j, 0:1:280j]
    photo = (205 - 30 * x - 15 * y) * (1 - 0.7 * row) + np.random.default_rng(0).normal(0, 3, row.shape)
    assert recognizer.read(photo.clip(0, 255).astype(np.uint8)).text == "117"


@pytest.mark.parametrize("squared", [False, True])
def test_a_stroke_along_a_ruled_line_is_ink(squared: bool) -> None:
    four = np.zeros((280, 280), np.float32)
    four[60:162, 90:94] = four[158:162, 90:180] = four[110:220, 150:154] = 1  # its bar lies on a line
    picture = photo_of(four, ruled=True).astype(np.float32)
    if squared:
        picture[:, np.arange(280) % 40 < 2] *= 0.75
    ink = ink_of(picture.astype(np.uint8))
    assert (ink[158:162, 92:178] > 0.5).mean() > 0.9
    assert (ink[four == 0] > 0.3).mean() < 0.01


@pytest.mark.parametrize("grey", [60, 100, 136, 175])
def test_pale_ink_is_brought_to_full_contrast_and_no_further(grey: int, digits: Digits) -> None:
    for image in digits.images[:40, 0].numpy():
        ink = ink_of((255 - image.astype(np.uint16) * (255 - grey) // 255).astype(np.uint8))
        assert 0.99 <= ink.max() <= 1


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_blank_paper_has_no_ink(grey: int) -> None:
    assert not ink_of(np.full((50, 60), grey, np.uint8)).any()


def test_a_small_noisy_picture_may_be_a_frame_by_itself(digits: Digits) -> None:
    noisy = digits.images[0, 0].numpy().copy()
    noisy[np.random.default_rng(0).random((28, 28)) < 0.4] = 130
    assert any(look.frames is not None and look.frames.mean() > 0.2 for look in find_looks(noisy))


def test_no_look_takes_the_paper_around_a_digit_for_ink(digits: Digits) -> None:
    for image in digits.images[:50, 0].numpy():
        for picture in (image, 255 - image):
            looks = list(find_looks(picture))
            assert len(looks) > 1
            assert all((rim(look.ink) > 0.5).mean() < 0.5 for look in looks)


def test_a_scan_stretched_over_its_square_gets_a_digits_proportions_back(digits: Digits) -> None:
    checked = 0
    for image in digits.images[:60, 0].numpy():
        crop = image[np.ix_(image.any(1), image.any(0))]
        stretched = np.asarray(Image.fromarray(crop).resize((16, 16), Image.Resampling.BILINEAR))
        stretched = np.where(stretched > 128, 255, 0).astype(np.uint8)
        if np.mean(stretched > 0) > 0.5 or not all(
            edge.any() for edge in (*stretched[[0, -1]], *stretched.T[[0, -1]])
        ):
            continue  # bold ink may be taken for paper
        if (checked := checked + 1) > 10:
            break
        first = next(find_looks(stretched))
        assert first.frames is not None
        for frame, proportion in zip(first.frames, PROPORTIONS, strict=True):
            rows, columns = (np.flatnonzero((frame > 0.2).any(axis)) for axis in (1, 0))
            assert (np.ptp(columns) + 1) / (np.ptp(rows) + 1) == pytest.approx(proportion, abs=0.1)
        assert next(find_looks(np.pad(stretched, 1))).frames is None  # room around it: its shape is its own
    assert checked >= 10


def test_a_pil_image_is_left_as_it_is() -> None:
    content = as_file(Image.new("L", (4096, 3000), 255), "JPEG")
    with Image.open(io.BytesIO(content)) as image:
        first, second = open_picture(image), open_picture(image)
        assert image.size == (4096, 3000) and first[1] == second[1] == 4096 / MAX_SIDE


def test_a_phones_jpeg_with_a_second_picture_is_reduced_while_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ink.decode.MAX_PIXELS", 2_000_000)
    pictures = [Image.new("L", (2400, 2400), 255), Image.new("L", (60, 50), 255)]
    colours, scale = open_picture(as_file(pictures[0], "MPO", save_all=True, append_images=pictures[1:]))
    assert max(colours.shape) <= MAX_SIDE and scale == pytest.approx(2400 / colours.shape[1])


def test_an_array_that_is_too_long_is_refused() -> None:
    with pytest.raises(PictureError, match="too many pixels"):
        open_picture(np.full((1, 1_000_001), 255, np.uint8))


def test_a_huge_picture_is_reduced_while_decoding() -> None:
    colours, scale = open_picture(as_file(Image.new("L", (6000, 3000), 255), "JPEG"))
    assert max(colours.shape) <= MAX_SIDE
    assert scale == pytest.approx(6000 / colours.shape[1])


BROKEN: dict[str, bytes] = {
    "empty.png": b"",
    "text.png": b"this is no image",
    "truncated.png": as_file(Image.new("L", (200, 200), 9))[:60],
    "truncated.jpg": as_file(
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)), "JPEG"
    )[:700],
    "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_its_cure(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name])
    with pytest.raises(PictureError, match=name) as caught:
        read_ink(path)
    assert "save it" in str(caught.value) or "save the picture" in str(caught.value)


def test_what_says_nothing_of_the_file_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IsADirectoryError):
        read_ink(tmp_path)
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0")
    with pytest.raises(PictureError, match="none of the formats"):
        read_ink(tmp_path / "clip.mp4")
    (tmp_path / "seven.png").write_bytes(as_file(Image.new("L", (30, 30))))

    def too_many(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files", "seven.png")

    monkeypatch.setattr(Image, "open", too_many)
    with pytest.raises(OSError, match="Too many open files"):
        read_ink(tmp_path / "seven.png")


def test_an_image_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    Image.new("L", (3000, 3000)).save(path)
    monkeypatch.setattr("ink.decode.MAX_PIXELS", 1_000_000)
    with pytest.raises(PictureError, match="too many pixels"):
        read_ink(path)


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_ink(tmp_path / "absent.png")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 3), np.int64),
        np.zeros((2, 2, 2), np.uint8),
        np.full((4, 4), 2.0),
        np.full((4, 4), np.nan),
    ],
)
def test_an_array_of_another_kind_is_refused(array: np.ndarray) -> None:
    with pytest.raises(PictureError):
        list(read_ink(array).looks)


@pytest.mark.skipif(os.name == "nt", reason="Windows file names are Unicode")
def test_a_name_that_is_not_utf8_can_be_shown(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff\xfe.png")
    with open(path, "wb"):
        pass
    with pytest.raises(PictureError, match="is empty") as caught:
        read_ink(os.fsdecode(path))
    str(caught.value).encode("utf-8")


def test_the_ringing_of_a_strong_jpeg_links_no_digits(digits: Digits) -> None:
    rng, linked = np.random.default_rng(3), 0
    for start in range(0, 200, 5):
        picture = number(list(digits.images[start : start + 5, 0].numpy()), rng)
        seen, clean = ink_of(as_file(Image.fromarray(picture), "JPEG", quality=30)), ink_of(picture)
        linked += count_parts(seen)[0] < count_parts(clean)[0]
    assert linked <= 6


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (0, 5, 3)])
def test_a_picture_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(PictureError, match="no pixels"):
        read_ink(np.zeros(shape, np.uint8))
    with pytest.raises(PictureError, match="no pixels"):
        read_ink(Image.new("L", (shape[1], shape[0])))
