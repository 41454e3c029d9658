"""Pictures made from MNIST digits and from nothing, with known answers: what benchmarks/made.py and refusing.py measure on.

Everything here is this project's own implementation and is used for measuring only, never for training.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Rng = np.random.Generator


# ---------------------------------------------------------------------------------- one digit on a large canvas


def _enlarge(digit: np.ndarray, size: float) -> np.ndarray:
    """Return the ink of a (28, 28) uint8 digit, cropped and its longer side brought to `size` pixels, as float32 in [0, 1]."""
    ink = digit[np.ix_(digit.any(1), digit.any(0))]
    scale = size / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    return (
        np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC), np.float32) / 255
    )


def paste(digit: np.ndarray, rng: Rng) -> np.ndarray:
    """Return uint8 RGB: a (28, 28) uint8 digit, 20 to 600 px, any place, polarity and colour, soft shadow, grey paper."""
    mask = _enlarge(digit, int(np.exp(rng.uniform(np.log(20), np.log(600)))))
    height, width = mask.shape
    canvas_h, canvas_w = (int(rng.integers(side + side // 3 + 8, 1201)) for side in (height, width))
    top, left = int(rng.integers(2, canvas_h - height - 1)), int(rng.integers(2, canvas_w - width - 1))
    dark_on_light = rng.random() < 0.7
    paper = rng.uniform(170, 255) if dark_on_light else rng.uniform(0, 70)
    paper_colour = np.full(3, paper) + rng.uniform(-12, 12, 3)
    ink_colour = rng.uniform(0, 90, 3) if dark_on_light else rng.uniform(170, 255, 3)
    picture: np.ndarray = np.broadcast_to(paper_colour, (canvas_h, canvas_w, 3)).astype(np.float32)
    if rng.random() < 0.5:
        y, x = np.mgrid[0 : 1 : canvas_h * 1j, 0 : 1 : canvas_w * 1j]
        angle = rng.uniform(0, 2 * np.pi)
        shade = 1 - rng.uniform(0.1, 0.4) / (
            1 + np.exp(-8 * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)))
        )
        picture = picture * shade[..., None]
    cover = np.zeros((canvas_h, canvas_w, 1), np.float32)
    cover[top : top + height, left : left + width, 0] = mask
    picture = picture * (1 - cover) + ink_colour * cover
    return picture.clip(0, 255).round().astype(np.uint8)


# ---------------------------------------------------------------------------------- corruptions of a 28x28 digit


def _image(values: np.ndarray) -> np.ndarray:
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


def _affine(x: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    centre = np.array([13.5, 13.5])
    return ndimage.affine_transform(x, matrix, centre - matrix @ centre, order=1)


def _shot(x: np.ndarray, rng: Rng) -> np.ndarray:
    return rng.poisson(x * 6) / 6 + (rng.random(x.shape) < 0.03) * 0.5


def _impulse(x: np.ndarray, rng: Rng) -> np.ndarray:
    noise = rng.random(x.shape)
    return np.where(noise < 0.1, 0, np.where(noise > 0.9, 1, x))


def _glass(x: np.ndarray, rng: Rng) -> np.ndarray:
    y, z = np.mgrid[0:28, 0:28]
    moved = x[(y + rng.integers(-2, 3, x.shape)).clip(0, 27), (z + rng.integers(-2, 3, x.shape)).clip(0, 27)]
    return ndimage.gaussian_filter(moved, 0.8)


def _motion(x: np.ndarray, rng: Rng) -> np.ndarray:
    angle = rng.uniform(0, np.pi)
    return np.mean(
        [ndimage.shift(x, (t * np.sin(angle), t * np.cos(angle)), order=1) for t in np.linspace(-4, 4, 9)],
        axis=0,
    )


def _shear(x: np.ndarray, rng: Rng) -> np.ndarray:
    return _affine(x, np.array([[1, 0], [rng.choice([-1, 1]) * rng.uniform(0.3, 0.6), 1]]))


def _scale(x: np.ndarray, rng: Rng) -> np.ndarray:
    return _affine(x, np.eye(2) * rng.uniform(1.6, 2.2))


def _rotate(x: np.ndarray, rng: Rng) -> np.ndarray:
    a = rng.choice([-1, 1]) * np.deg2rad(rng.uniform(20, 35))
    return _affine(x, np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]))


def _brightness(x: np.ndarray, rng: Rng) -> np.ndarray:
    return x + rng.uniform(0.4, 0.7)


def _translate(x: np.ndarray, rng: Rng) -> np.ndarray:
    return ndimage.shift(x, rng.choice([-1, 1], 2) * rng.uniform(4, 7, 2), order=1)


def _stripe(x: np.ndarray, rng: Rng) -> np.ndarray:
    wide = int(rng.integers(6, 9))
    turned = x.copy()
    turned[:, :wide], turned[:, -wide:] = 1 - x[:, :wide], 1 - x[:, -wide:]
    return turned


def _fog(x: np.ndarray, rng: Rng) -> np.ndarray:
    haze = sum(ndimage.zoom(rng.random((n, n)), 28 / n, order=1) / k for k, n in enumerate((2, 4, 7, 14), 1))
    haze = (haze - haze.min()) / np.ptp(haze)
    amount = rng.uniform(0.8, 1.2)
    return (x + amount * haze) / (1 + amount)


def _spatter(x: np.ndarray, rng: Rng) -> np.ndarray:
    blots = ndimage.gaussian_filter(rng.random(x.shape), 1)
    return np.maximum(x, (blots > np.quantile(blots, 0.88)) * rng.uniform(0.5, 1))


def _dotted_line(x: np.ndarray, rng: Rng) -> np.ndarray:
    image = Image.fromarray(_image(x))
    ends = rng.integers(0, 28, 4)
    for t in np.linspace(0, 1, 12):
        cx, cy = ends[0] + t * (27 - 2 * ends[0]), ends[1] + t * (ends[3] - ends[1])
        ImageDraw.Draw(image).ellipse([cx - 0.6, cy - 0.6, cx + 0.6, cy + 0.6], fill=255)
    return np.asarray(image) / 255


def _zigzag(x: np.ndarray, rng: Rng) -> np.ndarray:
    image = Image.fromarray(_image(x))
    level, swing = rng.uniform(8, 20), rng.uniform(2, 5)
    points = [(i * 4, level + swing * (-1) ** i) for i in range(8)]
    ImageDraw.Draw(image).line(points, fill=255, width=1)
    return np.asarray(image) / 255


def _edges(x: np.ndarray, rng: Rng) -> np.ndarray:
    slope = ndimage.gaussian_gradient_magnitude(x, 0.7)
    return (slope > 0.22).astype(float)


CORRUPTIONS: dict[str, Callable[[np.ndarray, Rng], np.ndarray]] = {
    "shot noise": _shot,
    "impulse noise": _impulse,
    "glass blur": _glass,
    "motion blur": _motion,
    "shear": _shear,
    "scale": _scale,
    "rotate": _rotate,
    "brightness": _brightness,
    "translate": _translate,
    "stripe": _stripe,
    "fog": _fog,
    "spatter": _spatter,
    "dotted line": _dotted_line,
    "zigzag": _zigzag,
    "edges": _edges,
}


def corrupt(digit: np.ndarray, kind: str, rng: Rng) -> np.ndarray:
    """Return a uint8 (28, 28) digit with one of CORRUPTIONS."""
    return _image(CORRUPTIONS[kind](digit.astype(np.float64) / 255, rng))


# ---------------------------------------------------------------------------------- numbers


def number(digits: list[np.ndarray], rng: Rng, touching: bool = False, lines: int = 1) -> np.ndarray:
    """Return uint8 (H, W), dark on light: (28, 28) digits in a row, uneven baseline and size; `touching`: one pair meets."""
    rows = np.array_split(np.arange(len(digits)), lines)
    canvas = np.zeros((90 * lines + 60, 64 * max(map(len, rows)) + 120), np.float32)
    meets = int(rng.integers(1, len(digits))) if touching else -1
    for line, row in enumerate(rows):
        right = 40
        for n in row:
            ink = digits[n][np.ix_(digits[n].any(1), digits[n].any(0))]
            scale = rng.uniform(40, 56) / 20
            size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
            part = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC), np.float32) / 255
            top = int(40 + 90 * line + rng.uniform(-8, 8) + (52 - part.shape[0]) / 2)
            left = right + int(rng.integers(6, 18))
            if n == meets:
                while left > 1:
                    window = canvas[top : top + part.shape[0], left : left + part.shape[1]]
                    if ((window > 0.5) & (part > 0.5)).any():
                        break
                    left -= 1
            window = canvas[top : top + part.shape[0], left : left + part.shape[1]]
            np.maximum(window, part, out=window)
            right = left + part.shape[1]
    return 255 - _image(canvas)


def photograph(picture: np.ndarray, rng: Rng) -> np.ndarray:
    """Return a grey picture as a phone would take it: vignette, soft shadow, blur, noise, low contrast."""
    height, width = picture.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = rng.uniform(0.6, 0.85) * (
        1 - 0.25 * (x * x + y * y) / 2 + rng.uniform(-0.15, 0.15) * x + rng.uniform(-0.15, 0.15) * y
    )
    ink = (255 - picture) / 255 * rng.uniform(0.5, 0.85)
    return _image(ndimage.gaussian_filter(light * (1 - ink), 0.8) + rng.normal(0, 0.02, picture.shape))


# ---------------------------------------------------------------------------------- what a phone sees of one digit

PENS = ((40, 40, 45), (25, 40, 115), (130, 25, 25))
TALL, WIDE = 800, 600  # pixels


def _sheet(rng: Rng, tint: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    """Return float (TALL, WIDE, 3) in [0, 255]: paper in uneven light."""
    y, x = np.mgrid[-1 : 1 : TALL * 1j, -1 : 1 : WIDE * 1j]
    light = rng.uniform(165, 225) * (
        1 - 0.12 * (x * x + y * y) + rng.uniform(-0.15, 0.15) * x + rng.uniform(-0.15, 0.15) * y
    )
    return light[..., None] * (np.array(tint) + rng.uniform(-0.03, 0.03, 3))


def _write(
    sheet: np.ndarray,
    digit: np.ndarray,
    rng: Rng,
    size: float,
    colour: tuple[int, int, int] | None = None,
    stray: float = 50,
) -> np.ndarray:
    """Return `sheet` with a (28, 28) digit of `size` pixels within `stray` of its middle, in one of PENS or another `colour`."""
    cover = ((_enlarge(digit, size) - 0.35) / 0.3).clip(0, 1)[..., None]  # as crisp as a pen
    height, width = cover.shape[:2]
    top = int(TALL / 2 - height / 2 + rng.uniform(-stray, stray))
    left = int(WIDE / 2 - width / 2 + rng.uniform(-stray, stray))
    colour = PENS[int(rng.integers(len(PENS)))] if colour is None else colour
    result = sheet.copy()
    part = result[top : top + height, left : left + width]
    part[:] = part * (1 - cover) + np.array(colour) * cover
    return result


def _shoot(picture: np.ndarray, rng: Rng, noise: float = 3) -> np.ndarray:
    """Return uint8: `picture` a little out of focus and with a camera's noise."""
    soft = ndimage.gaussian_filter(picture, (0.8, 0.8, 0))
    return (soft + rng.normal(0, noise, picture.shape)).clip(0, 255).round().astype(np.uint8)


def _outline(rng: Rng, half_width: float, half_height: float, turn: float) -> np.ndarray:
    """Return float (TALL, WIDE, 1): 1 on a rectangle around the middle."""
    y, x = np.mgrid[0:TALL, 0:WIDE]
    across, down = x - WIDE / 2, y - TALL / 2
    inside = (np.abs(across * np.cos(turn) + down * np.sin(turn)) < half_width) & (
        np.abs(down * np.cos(turn) - across * np.sin(turn)) < half_height
    )
    return ndimage.gaussian_filter(inside.astype(float), 1)[..., None]


def _on_a_table(digit: np.ndarray, rng: Rng) -> np.ndarray:
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (TALL, WIDE)), (1, 25))
    table = (
        np.array([[107, 69, 38], [30, 30, 33], [158, 153, 148]][int(rng.integers(3))])
        * (1 + 0.12 * grain / grain.std())[..., None]
    )
    page = _outline(
        rng, WIDE * rng.uniform(0.3, 0.42), TALL * rng.uniform(0.3, 0.42), rng.uniform(-0.15, 0.15)
    )
    return _shoot(_write(_sheet(rng), digit, rng, rng.uniform(100, 220)) * page + table * (1 - page), rng)


def _on_a_note(digit: np.ndarray, rng: Rng) -> np.ndarray:
    side = rng.uniform(180, 240)
    note = _outline(rng, side, side, rng.uniform(-0.1, 0.1))
    shadow = ndimage.gaussian_filter(np.roll(note, (10, 8), (0, 1)), (8, 8, 0))
    yellow = _write(_sheet(rng, (1, 0.92, 0.35)), digit, rng, rng.uniform(120, 260), PENS[0])
    return _shoot(yellow * note + _sheet(rng) * (1 - 0.35 * shadow) * (1 - note), rng)


def _squared(digit: np.ndarray, rng: Rng) -> np.ndarray:
    step, sheet = rng.uniform(28, 70), _sheet(rng)
    for places in np.mgrid[0:TALL, 0:WIDE]:
        distance = np.abs((places + rng.uniform(0, step)) % step - step / 2)
        sheet *= 1 - (1.5 - distance).clip(0, 1)[..., None] * np.array([0.4, 0.25, 0.1])
    return _shoot(_write(sheet, digit, rng, rng.uniform(2, 5) * step), rng)


def _at_night(digit: np.ndarray, rng: Rng) -> np.ndarray:
    return _shoot(
        _write(_sheet(rng), digit, rng, rng.uniform(120, 350), (50, 50, 50)) * rng.uniform(0.3, 0.6), rng, 12
    )


def _in_a_shadow(digit: np.ndarray, rng: Rng) -> np.ndarray:
    y, x = np.mgrid[0:TALL, 0:WIDE]
    turn = rng.uniform(0, 2 * np.pi)
    side = ((x - WIDE / 2) * np.cos(turn) + (y - TALL / 2) * np.sin(turn)) / rng.uniform(2, 15)
    shade = 1 - rng.uniform(0.3, 0.6) / (1 + np.exp(-side.clip(-50, 50)))
    return _shoot(_write(_sheet(rng), digit, rng, rng.uniform(120, 350)) * shade[..., None], rng)


def _in_a_phones_shadow(digit: np.ndarray, rng: Rng) -> np.ndarray:
    shade = np.zeros((TALL, WIDE))
    left = int(WIDE / 2 + rng.uniform(-160, -40))
    shade[int(TALL / 2 + rng.uniform(-60, 60)) :, left : left + int(rng.uniform(180, 260))] = rng.uniform(
        0.25, 0.5
    )
    soft = ndimage.gaussian_filter(shade, 5)[..., None]  # its edges cross the digit
    return _shoot(_write(_sheet(rng), digit, rng, rng.uniform(100, 200), (60, 60, 70)) * (1 - soft), rng)


def _in_a_box(digit: np.ndarray, rng: Rng) -> np.ndarray:
    image = Image.fromarray(_sheet(rng).clip(0, 255).astype(np.uint8))
    half = rng.uniform(120, 180)
    box = (WIDE / 2 - half, TALL / 2 - half, WIDE / 2 + half, TALL / 2 + half)
    draw = ImageDraw.Draw(image)
    (draw.rectangle if rng.random() < 0.5 else draw.ellipse)(
        box, outline=(60, 60, 60), width=int(rng.integers(2, 8))
    )
    return _shoot(_write(np.asarray(image, np.float64), digit, rng, rng.uniform(80, 120), stray=20), rng)


def _on_a_screen(digit: np.ndarray, rng: Rng) -> np.ndarray:
    canvas = np.full((TALL, WIDE, 3), 255 * (rng.random() < 0.6), np.float64)
    drawn = _write(
        canvas, digit, rng, rng.uniform(80, 150), (0, 0, 0) if canvas[0, 0, 0] else (255, 255, 255)
    )
    page = np.rint(_outline(rng, 140, 140, 0))
    return (drawn * page + rng.uniform(40, 220) * (1 - page)).round().astype(np.uint8)


SCENES: dict[str, Callable[[np.ndarray, Rng], np.ndarray]] = {
    "page on a table": _on_a_table,
    "note on a wall": _on_a_note,
    "squared paper": _squared,
    "at night": _at_night,
    "shadow across": _in_a_shadow,
    "a phone's shadow": _in_a_phones_shadow,
    "in a box or ring": _in_a_box,
    "screenshot": _on_a_screen,
}


# ---------------------------------------------------------------------------------- no digits


@functools.cache
def _fonts() -> list[str]:
    """Return matplotlib's own fonts with letters; its "Display" fonts hold a few signs only."""
    import matplotlib

    files = (Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("*.ttf")
    families = ("DejaVuSans", "DejaVuSerif", "STIXGeneral")
    return sorted(
        str(path) for path in files if path.stem.startswith(families) and "Display" not in path.stem
    )


# without those that can be read as a digit: B b D g I i J j l O o Q q S s T Z z and the like
LETTERS = "ACEFGHKLMNPRUVWXYadefhkmnprtuvwxy"


def letter(rng: Rng) -> np.ndarray:
    """Return uint8 (H, W), dark on light: a letter that resembles no digit, in one of matplotlib's fonts."""
    return printed(LETTERS, rng)[0]


def printed(characters: str, rng: Rng) -> tuple[np.ndarray, str]:
    """Return one of `characters` in one of matplotlib's fonts, uint8 (140, 140), dark on light; and which."""
    image = Image.new("L", (140, 140), 255)
    font = ImageFont.truetype(str(rng.choice(_fonts())), int(rng.integers(50, 100)))
    character = str(rng.choice(list(characters)))
    ImageDraw.Draw(image).text((70, 70), character, fill=0, font=font, anchor="mm")
    return np.asarray(image), character


def scribble(rng: Rng) -> np.ndarray:
    """Return uint8 (140, 140), dark on light: a pen wandering about."""
    image = Image.new("L", (140, 140), 255)
    steps = rng.normal(0, 28, (int(rng.integers(8, 25)), 2))
    points = [tuple(p) for p in (np.cumsum(steps, axis=0) % 100 * 1.0 + 20)]
    ImageDraw.Draw(image).line(points, fill=0, width=int(rng.integers(3, 10)), joint="curve")
    return np.asarray(image)


def shape(rng: Rng) -> np.ndarray:
    """Return uint8 (140, 140), dark on light: the outline of a square, triangle, hexagon or star, a cross, or a filled disc."""
    image = Image.new("L", (140, 140), 255)
    draw, width, kind = ImageDraw.Draw(image), int(rng.integers(3, 9)), int(rng.integers(0, 6))
    corners = {0: 4, 1: 3, 3: 6}.get(kind, 0)
    radius, turn = rng.uniform(30, 55), rng.uniform(0, 0.5)
    if kind in (0, 1, 3):
        points = [
            (
                70 + radius * np.cos(turn + 2 * np.pi * k / corners),
                70 + radius * np.sin(turn + 2 * np.pi * k / corners),
            )
            for k in range(corners + 1)
        ]
        draw.line(points, fill=0, width=width, joint="curve")
    elif kind == 2:
        points = [
            (70 + radius * np.sin(4 * np.pi * k / 5), 70 - radius * np.cos(4 * np.pi * k / 5))
            for k in range(6)
        ]
        draw.line(points, fill=0, width=width, joint="curve")
    elif kind == 4:
        draw.line([(30, 30), (110, 110)], fill=0, width=width)
        draw.line([(110, 30), (30, 110)], fill=0, width=width)
    else:
        draw.ellipse([70 - radius, 70 - radius * rng.uniform(0.5, 1), 70 + radius, 70 + radius], fill=0)
    return np.asarray(image)


def blob(rng: Rng) -> np.ndarray:
    """Return uint8 (28, 28), ink bright: a filled, textured, roughly symmetric shape, like a piece of clothing."""
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    half = np.interp(y[:, 0], np.linspace(-1, 1, 6), rng.uniform(0.25, 0.95, 6))
    tall = np.abs(y) < rng.uniform(0.6, 0.95)
    texture = ndimage.gaussian_filter(rng.random((28, 28)), rng.uniform(0.5, 2))
    texture = (texture - texture.min()) / np.ptp(texture)
    return _image(((np.abs(x) < half[:, None]) & tall) * rng.uniform(0.4, 0.9) * (0.6 + 0.4 * texture))


def texture(rng: Rng) -> np.ndarray:
    """Return uint8 (140, 140): paper grain, or stripes, or a weave."""
    noise = ndimage.gaussian_filter(rng.normal(0, 1, (140, 140)), rng.uniform(0.5, 3))
    y, x = np.mgrid[0:140, 0:140]
    if rng.random() < 0.5:
        noise = noise / noise.std() + 2 * np.sin((x * rng.random() + y * rng.random()) * rng.uniform(0.2, 1))
    return _image(rng.uniform(0.5, 0.85) + rng.uniform(0.01, 0.1) * noise / noise.std())


def blank(rng: Rng) -> np.ndarray:
    """Return uint8 (140, 140): one grey, or almost, or with a single dot."""
    picture = np.full((140, 140), rng.uniform(0, 255))
    if rng.random() < 0.3:
        picture += rng.normal(0, 2, picture.shape)
    if rng.random() < 0.5:
        cy, cx, radius = *rng.uniform(30, 110, 2), rng.uniform(1, 9)
        y, x = np.mgrid[0:140, 0:140]
        picture[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = rng.uniform(0, 255)
    return picture.clip(0, 255).astype(np.uint8)


NEGATIVES: dict[str, Callable[[Rng], np.ndarray]] = {
    "letters": letter,
    "scribbles": scribble,
    "shapes": shape,
    "blobs": blob,
    "textures": texture,
    "blank or dot": blank,
}
