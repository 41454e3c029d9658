"""What befalls a line of writing: lines under it, a turned page, dirt, failing pens, and soft or coarse pictures."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from training.pictures.marks import Pen
from training.pictures.texts import Rng


def worn(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    """Return `ink` underlined, turned, specked, faded, soft or coarse, now and then."""
    unit = pen.unit
    if rng.random() < 0.06:
        ink = _underlined(ink, pen, rng)
    if rng.random() < 0.1:
        turn = math.degrees(rng.normal(0, 0.12))
        turned = Image.fromarray(ink).rotate(turn, Image.Resampling.BICUBIC, expand=True)
        ink = np.clip(np.asarray(turned), 0, 1)
    if rng.random() < 0.15:
        ink = _specked(ink, pen, rng)
    if rng.random() < 0.05:
        ink = _broken(ink, pen, rng)
    draw = rng.random()
    if draw < 0.15:
        ink = np.clip(ndimage.gaussian_filter(ink, rng.uniform(0.02, 0.06) * unit), 0, 1)
    elif draw < 0.25:
        cells = tuple(max(2, round(side / unit * 2)) for side in ink.shape)
        coarse = Image.fromarray(rng.uniform(0.3, 1, cells).astype(np.float32))
        ink = np.clip(ink * np.asarray(coarse.resize(ink.shape[::-1], Image.Resampling.BICUBIC)), 0, 1)
    elif draw < 0.33:
        ink = (ink > rng.uniform(0.3, 0.6)).astype(np.float32)
    elif draw < 0.39:
        ink = _smeared(ink, pen, rng)
    elif draw < 0.45:
        ink = _frayed(ink, pen, rng)
    return np.where(ink < 0.03, 0, ink)


def _smeared(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    """Return `ink` as a camera that moves sees it: blurred along one direction, then as dark as before."""
    long = max(3, round(rng.uniform(0.1, 0.4) * pen.unit) | 1)
    ways = Image.new("L", (long, long))
    turn = rng.uniform(0, math.pi)
    aside, down = (long / 2 * each for each in (math.cos(turn), math.sin(turn)))
    middle = (long - 1) / 2
    ImageDraw.Draw(ways).line((middle - aside, middle - down, middle + aside, middle + down), 255)
    weights = np.asarray(ways, np.float32)
    smeared = ndimage.convolve(np.pad(ink, long // 2), weights / weights.sum(), mode="constant")
    return np.clip(smeared * rng.uniform(1, 1.5), 0, 1)


def _frayed(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    """Return `ink` with frayed edges: each pixel taken from a little aside, and softened."""
    far = rng.uniform(0.02, 0.07) * pen.unit
    places = np.indices(ink.shape) + far * rng.standard_normal((2, *ink.shape))
    return np.clip(ndimage.gaussian_filter(ndimage.map_coordinates(ink, places, order=1), far / 2), 0, 1)


def _specked(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    """Return `ink` with dirt in and around it, finer than the pen."""
    around = round(rng.uniform(0, 0.6) * pen.unit)
    ink = np.pad(ink, around)
    for _ in range(int(rng.integers(1, 12))):
        tall, wide = (max(1, round(rng.uniform(0.2, 0.8) * 2 * pen.radius)) for _ in range(2))
        y, x = int(rng.integers(ink.shape[0])), int(rng.integers(ink.shape[1]))
        ink[y : y + tall, x : x + wide] = rng.uniform(0.4, 1)
    return ink


def littered(ink: np.ndarray, rng: Rng) -> np.ndarray:
    """Return the `ink` of one digit with dirt about it, as large as its strokes: blots, noise, a stray line, bars."""
    unit = max(ink.shape)
    ink = np.pad(ink, round(rng.uniform(0.05, 0.6) * unit))
    image = Image.new("L", ink.shape[::-1])
    draw, (high, wide) = ImageDraw.Draw(image), ink.shape
    thin = max(1, round(rng.uniform(0.02, 0.06) * unit))
    kind = rng.random()
    if kind < 0.4:  # blots
        largest = rng.uniform(0.04, 0.2)
        for _ in range(int(rng.integers(1, 40))):
            radius = rng.uniform(0.02, largest) * unit / 2
            x, y = rng.uniform(0, wide), rng.uniform(0, high)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius * rng.uniform(0.5, 1.5)), 255)
    elif kind < 0.55:  # noise
        cells = tuple(max(2, round(side / unit / rng.uniform(0.03, 0.08))) for side in ink.shape)
        specks = (rng.random(cells) < rng.uniform(0.01, 0.1)).astype(np.uint8) * 255
        image.paste(Image.fromarray(specks).resize(image.size, Image.Resampling.NEAREST))
    elif kind < 0.8:  # a zigzag or a straight line, whole or dotted, from side to side
        teeth = int(rng.integers(2, 10))
        level = np.linspace(rng.uniform(0, high), rng.uniform(0, high), teeth)
        level += rng.uniform(0, 0.2) * unit * (-1.0) ** np.arange(teeth)
        corners = np.stack([np.linspace(0, wide, teeth), level], 1)
        if rng.random() < 0.6:
            draw.line([tuple(corner) for corner in corners.tolist()], 255, thin)
        else:
            for t in np.arange(0, teeth - 1, rng.uniform(0.08, 0.3) * teeth * unit / wide):
                x, y = (float(np.interp(t, np.arange(teeth), side)) for side in corners.T)
                draw.ellipse((x - thin, y - thin, x + thin, y + thin), 255)
    else:  # bars over or under it
        for _ in range(int(rng.integers(1, 3))):
            y = rng.uniform(0, 0.1) * high if rng.random() < 0.5 else rng.uniform(0.9, 1) * high
            draw.rectangle((0, y, wide, y + rng.uniform(0.02, 0.1) * unit), 255)
    return np.maximum(ink, np.asarray(image, np.float32) / 255 * np.float32(rng.uniform(0.5, 1)))


def _broken(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    """Return `ink` with gaps straight through it, as a pen that fails leaves them."""
    gaps = Image.new("L", ink.shape[::-1], 1)
    draw = ImageDraw.Draw(gaps)
    for _ in range(max(1, round(rng.uniform(0.5, 2) * ink.shape[1] / pen.unit))):
        x, y = rng.uniform(0, ink.shape[1]), rng.uniform(0, ink.shape[0])
        along, down = rng.normal(0, pen.unit, 2)
        wide = max(1, round(rng.uniform(0.02, 0.07) * pen.unit))
        draw.line((x - along, y - down, x + along, y + down), 0, wide)
    return ink * np.asarray(gaps)


def _underlined(ink: np.ndarray, pen: Pen, rng: Rng) -> np.ndarray:
    under = round(pen.unit * rng.uniform(0.05, 0.35) + 2 * pen.radius) + 2
    image = Image.fromarray(np.pad(ink, ((0, under), (0, 0))))
    y = image.height - pen.radius - 1
    left, right = rng.uniform(-0.1, 0.15) * image.width, rng.uniform(0.85, 1.1) * image.width
    first, last = (y + rng.normal(0, 0.05) * pen.unit for _ in range(2))
    ImageDraw.Draw(image).line((left, first, right, last), 1.0, max(1, round(2 * pen.radius)))
    return np.array(image)
