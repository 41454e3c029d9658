"""What a network is asked: the views of a frame are those of torch's grid_sample, without torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from recognizer.asking import VIEWS, look_around


def test_looking_around_keeps_the_picture_and_its_ink() -> None:
    images = np.zeros((3, 1, 28, 28), np.float32)
    images[:, :, 8:20, 9:19] = np.array([0.2, 0.6, 1.0])[:, None, None, None]
    seen = look_around(images)
    assert seen.shape == (3, len(VIEWS), 1, 28, 28) and seen.dtype == np.float32
    np.testing.assert_allclose(seen[:, 0], images, atol=1e-5)
    ink = seen.sum((2, 3, 4)) / images.sum((1, 2, 3))[:, None]
    assert 0.8 < ink.min() and ink.max() < 1.2
    different = np.abs(seen[2, :, None] - seen[2, None]).sum((2, 3, 4)) > 5
    assert (different | np.eye(len(VIEWS), dtype=bool)).all()


@pytest.mark.parametrize("shape", [(4, 1, 28, 28), (4, 28, 28), (2, 3, 17, 40), (0, 1, 28, 28)])
def test_the_views_are_those_of_grid_sample(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).random(shape, np.float32)
    seen = look_around(images)
    assert seen.shape == (shape[0], len(VIEWS), *shape[1:])
    if not shape[0]:
        return
    flat = torch.from_numpy(images).reshape(shape[0], -1, *shape[-2:])
    for view, (turn, size, right, down, shear) in enumerate(VIEWS):
        cos, sin = math.cos(turn) / size, math.sin(turn) / size
        matrix = torch.tensor([[cos, sin + shear, right], [-sin, cos, down]]).expand(shape[0], 2, 3)
        grid = F.affine_grid(matrix, list(flat.shape), align_corners=False)
        wanted = F.grid_sample(flat, grid, align_corners=False).numpy()
        np.testing.assert_allclose(seen[:, view].reshape(wanted.shape), wanted, atol=5e-6)
