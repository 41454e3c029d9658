"""Ink of one line -> strip: what the line reader sees of it, one height for all writing.

The line is levelled by moving its columns up or down, scaled until its writing is DIGIT_HEIGHT pixels high
and all of it fits, and its pen brought into PEN_RANGE. Columns are moved and left out, never mixed, so each
column of a strip has one place in the ink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.measures import EIGHT, find_box, pen_width
from ink.rows import usual_height

STRIP_HEIGHT = 32  # pixels
DIGIT_HEIGHT = 20  # pixels; of writing of usual height in a strip, as in a frame
MOST_HEIGHT = 30  # pixels; of all ink in a strip
MARGIN = 6  # pixels; paper before and behind the line
PEN_RANGE = (
    1.5,
    5.0,
)  # strip pixels; thinner pens are thickened, and a line of nothing but bolder marks is made smaller
WIDEST_GAP = 1.5  # heights of writing; of wider empty space only so much is kept
WORK_AREA = 40_000  # pixels; larger ink is reduced to this before it is measured
INK = 0.4  # of full ink; what is called ink when a yes or no is needed
WIDTH_STEP = 16  # pixels; strips are as wide as a multiple of it: each width costs a network's library some preparation


@dataclass(frozen=True)
class Strip:
    """A line of writing as the line reader sees it."""

    pixels: np.ndarray  # float32 (32, W) in [0, 1], ink bright
    columns: np.ndarray  # float32 (W,): the place in the ink of each column's middle, in its pixels


def make_strip(ink: np.ndarray) -> Strip:
    """Return the strip of the one line of writing in `ink` (H, W) in [0, 1], ink bright. Raises ValueError if
    there is none."""
    box = find_box(ink > 0)
    if box is None:
        raise ValueError("there is no ink to read")
    left, top, right, bottom = box
    crop = np.ascontiguousarray(ink[top:bottom, left:right], np.float32)
    scale = min(1.0, math.sqrt(WORK_AREA / crop.size))
    if scale < 1:
        crop = _resize(crop, *(max(1, round(side * scale)) for side in crop.shape))
    crop = np.minimum(crop / _full_ink(crop), 1)
    places = left + (np.arange(crop.shape[1]) + 0.5) * (right - left) / crop.shape[1]
    height = writing_height(crop)
    crop = _level(crop, height)
    kept = _kept_columns(crop, WIDEST_GAP * height)
    crop, places = crop[:, kept], places[kept]
    return _place(crop, places, height)


def writing_height(ink: np.ndarray) -> float:
    """Return how high the writing in `ink` (H, W) is, in its pixels: the usual height of its parts.

    At least so much that the pen is no wider than PEN_RANGE allows, which gives a lone dot or dash its size.
    """
    marks, _ = ndimage.label(ink >= INK, EIGHT)
    heights = np.array(
        [place[0].stop - place[0].start for place in ndimage.find_objects(marks)] or [ink.shape[0]]
    )
    return max(usual_height(heights), pen_width(ink) * DIGIT_HEIGHT / PEN_RANGE[1])


def _level(crop: np.ndarray, height: float) -> np.ndarray:
    """Return `crop` with its columns moved up or down until the line runs level: by the median slope between
    parts as wide as high."""
    count = int(crop.shape[1] / height)
    if count < 4:
        return crop
    rows = np.arange(crop.shape[0])
    parts = [part for part in np.array_split(crop, count, axis=1)]
    mass = np.array([part.sum() for part in parts])
    middles = np.array([rows @ part.sum(axis=1) / max(total, 1e-6) for part, total in zip(parts, mass)])
    inked = np.flatnonzero(mass > mass.max() / 4)
    if len(inked) < 3:
        return crop
    first, second = np.triu_indices(len(inked), 1)
    slopes = (middles[inked[second]] - middles[inked[first]]) / (inked[second] - inked[first])
    slope = float(np.median(slopes)) * count / crop.shape[1]  # pixels down a pixel along
    moved = np.rint(slope * np.arange(crop.shape[1])).astype(int)
    moved -= moved.min()
    reach = int(moved.max())
    if reach == 0:
        return crop
    padded = np.pad(crop, ((reach, reach), (0, 0)))
    source = np.arange(crop.shape[0] + reach)[:, None] + moved[None, :]
    levelled = np.take_along_axis(padded, source, axis=0)
    inked_rows = np.flatnonzero(levelled.any(axis=1))
    return levelled[inked_rows[0] : inked_rows[-1] + 1]


def _kept_columns(crop: np.ndarray, widest: float) -> np.ndarray:
    """Return the columns of `crop` (H, W) to keep: of empty space `widest` pixels at most, half of it at either end."""
    inked = np.flatnonzero(crop.max(axis=0) >= INK / 2)
    if len(inked) == 0:
        return np.arange(crop.shape[1])
    columns = np.arange(crop.shape[1])
    place = np.searchsorted(inked, columns).clip(0, len(inked) - 1)
    nearest = np.minimum(np.abs(columns - inked[place]), np.abs(columns - inked[np.maximum(place - 1, 0)]))
    return np.flatnonzero(nearest <= widest / 2)


def _place(crop: np.ndarray, places: np.ndarray, height: float) -> Strip:
    """Return the strip of a level `crop` with writing of `height` pixels, whose columns lie at `places` in the ink."""
    scale = min(DIGIT_HEIGHT / height, MOST_HEIGHT / crop.shape[0])
    crop, places = _thicken(crop, places, PEN_RANGE[0] / scale)
    rows, columns = (max(1, round(side * scale)) for side in crop.shape)
    small = _resize(crop, min(rows, STRIP_HEIGHT), columns)
    width = math.ceil((small.shape[1] + 2 * MARGIN) / WIDTH_STEP) * WIDTH_STEP
    pixels = np.zeros((STRIP_HEIGHT, width), np.float32)
    first = _first_row(small)
    pixels[first : first + small.shape[0], MARGIN : MARGIN + small.shape[1]] = small
    wanted = (np.arange(width) - MARGIN + 0.5) / small.shape[1] * len(places) - 0.5
    return Strip(pixels, np.interp(wanted, np.arange(len(places)), places).astype(np.float32))


def _first_row(small: np.ndarray) -> int:
    """Return the row of a strip where `small` begins: its centre of mass in the middle, as far as it fits."""
    mass = small.sum(axis=1)
    centre = float(mass @ np.arange(len(mass)) / max(float(mass.sum()), 1e-6)) + 0.5
    return min(max(round(STRIP_HEIGHT / 2 - centre), 0), STRIP_HEIGHT - small.shape[0])


def _thicken(crop: np.ndarray, places: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return `crop` with a pen of at least `least` pixels, and the places of its columns."""
    width = pen_width(crop)
    if width >= least:
        return crop, places
    grow = (least - width) / 2
    margin = math.ceil(grow)
    distance = ndimage.distance_transform_edt(np.pad(crop < INK, margin, constant_values=True))
    thick = np.maximum(np.clip(grow + 1 - distance, 0, 1).astype(np.float32), np.pad(crop, margin))
    return thick, np.pad(places, margin, mode="reflect", reflect_type="odd") if len(
        places
    ) > margin else np.pad(places, margin, "edge")


def _full_ink(ink: np.ndarray) -> float:
    """Return how bright full ink is: the 90th percentile of the pixels brighter than a quarter of the brightest."""
    inked = ink[ink > ink.max() / 4]
    place = round(0.9 * (len(inked) - 1))
    return max(float(np.partition(inked, place)[place]), 1e-6)


def _resize(ink: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return `ink` in another size: by area when shrinking, bicubic when enlarging."""
    if ink.shape == (height, width):
        return ink
    method = Image.Resampling.BOX if height <= ink.shape[0] else Image.Resampling.BICUBIC
    return np.clip(
        np.asarray(Image.fromarray(np.ascontiguousarray(ink, np.float32)).resize((width, height), method)),
        0,
        1,
    )
