"""Plain paper: one even colour, and the ink on it."""

from __future__ import annotations

from functools import reduce

import numpy as np
from PIL import Image
from scipy import ndimage

from ink.decode import LEAST_CONTRAST
from ink.measures import EIGHT, deviation, rim
from ink.paper import GRAIN

PLAIN_TOLERANCE = 6  # grey levels of 255; how far plain paper may stray from its commonest grey
PLAIN_SHARE = 0.45  # of the pixels (and of the border) that plain paper covers at least
NOISY_SHARE = 0.7  # the same where the paper's grey is not quite the same everywhere
SMALL_SIDE = 40  # pixels; a picture up to this side may be a frame by itself, noise and all
FAINT = 0.12  # of the contrast; fainter marks on a noisy or small picture are noise,
STRONG = 0.3  # and so are fainter ones than this that touch none of these
RINGING = 0.2  # of the ink's pixels; where more of the paper is not quite its grey, JPEG's ringing is about


def _plain_paper(colours: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """Return (ink, doubt about its polarity) of a picture on paper of one colour; ink is None if its paper is not plain."""
    counts = np.array(Image.fromarray(colours).histogram()).reshape(-1, 256)
    paper = counts.argmax(axis=1).tolist()  # the commonest value of each channel
    layers = [colours] if colours.ndim == 2 else [colours[..., channel] for channel in range(3)]
    # the channel with most contrast
    distance = reduce(
        np.maximum, [np.abs(layer.astype(np.int16) - grey) for layer, grey in zip(layers, paper)]
    )
    near = distance <= PLAIN_TOLERANCE
    border = rim(near)
    plain = np.count_nonzero(near)
    almost = plain - np.count_nonzero(distance == 0)  # pixels of paper that are not quite its grey
    noisy = almost > 0.1 * plain  # a scanner's noise, or JPEG's ringing all over
    share, border_share = plain / near.size, np.count_nonzero(border) / border.size
    if min(share, border_share) < (NOISY_SHARE if noisy else PLAIN_SHARE):
        return None, False
    contrast = int(distance.max())
    if contrast < LEAST_CONTRAST * 255:
        return np.zeros(distance.shape, np.float32), False
    if noisy and contrast < GRAIN * deviation(distance):
        return None, False  # no more than its grain
    ink = distance.astype(np.float32) / 255
    if noisy or almost > RINGING * (near.size - plain):
        ink[distance < max(FAINT * contrast, 2 * PLAIN_TOLERANCE)] = 0
        ink[~ndimage.binary_dilation(distance >= STRONG * contrast, EIGHT)] = 0  # ringing links neighbours
    # full contrast is left as it is, so that MNIST passes through unchanged
    return ink if contrast >= 200 else ink / np.float32(contrast / 255), max(share, border_share) < 0.7
