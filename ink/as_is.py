"""A picture as it is: no search for ink, only scaled to the size that a network takes.

For networks trained with `train.py --data FOLDER --as-is`, whose pictures are more than ink on paper.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ink.decode import Source, open_picture


def see_as_is(source: Source, size: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return (uint8 (size, size) or (size, size, 3), (width, height) of the upright picture). Raises what `open_picture` raises."""
    colours, scale = open_picture(source)
    image = Image.fromarray(colours).convert("RGB" if channels == 3 else "L")
    upright = (round(image.width * scale), round(image.height * scale))
    resized = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(resized), upright
