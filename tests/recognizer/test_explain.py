"""Why a network answered as it did."""

from __future__ import annotations

import numpy as np
import torch

from recognizer.explain import feature_maps, saliency
from recognizer.road import Recognizer


def test_the_heat_is_that_of_the_class_asked_for() -> None:
    def halves(images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images[..., :14].sum((1, 2, 3)), images[..., 14:].sum((1, 2, 3))], 1)

    ones = np.ones((28, 28), np.float32)
    left, right = saliency(halves, ones, 0), saliency(halves, ones, 1)
    assert (
        left[:, :10].min() > 0.9 > 0.1 > left[:, 18:].max()
        and right[:, 18:].min() > 0.9 > 0.1 > right[:, :10].max()
    )


def test_looking_at_the_layers_leaves_no_hooks(recognizer: Recognizer, seven: np.ndarray) -> None:
    feature_maps(recognizer.checkpoint.model, recognizer.read(seven).groups[0].frame)
    assert not any(module._forward_hooks for module in recognizer.checkpoint.model.modules())
