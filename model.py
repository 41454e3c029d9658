"""The networks, and the registry that names them.

Each takes images (N, C, H, W) in [0, 1], ink bright, and returns logits (N, classes). Standardisation, and for
`ColourNet` the enlargement to 64 x 64 x 3, happen inside, so no caller can forget them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scratch import LAYERS, ScratchNet

MNIST_MEAN, MNIST_STD = 0.1307, 0.3081  # of the 60,000 training images, scaled to [0, 1]
COLOUR_SIZE = 64  # pixels; side of what ColourNet looks at

DIGITS = tuple("0123456789")
DEFAULT_ARCH = "residual"


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm, added to a 1x1 projection (He et al., 2016)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.skip = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.skip(x))


class ResidualNet(nn.Module):
    """The default: a 5x5 stem, then a residual block at 14x14 and one at 7x7."""

    def __init__(self, width: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2, bias=False),
            nn.MaxPool2d(2),  # (N, w, 14, 14); a quarter of the work for what follows
            nn.BatchNorm2d(width),
            nn.ReLU(),
            ResidualBlock(width, 2 * width),
            nn.MaxPool2d(2),  # (N, 2w, 7, 7)
            ResidualBlock(2 * width, 4 * width),  # (N, 4w, 7, 7)
        )
        self.head = nn.Linear(4 * width * 7 * 7, classes)

    def forward(self, images: Tensor) -> Tensor:  # (N, 1, 28, 28)
        return self.head(self.body(standardise(images)).flatten(1))

    def first_features(self, images: Tensor) -> Tensor:
        """Return what the first residual block makes of `images`: (N, 2w, 14, 14), for `PairHead`."""
        return self.body[:5](standardise(images))


class PairHead(nn.Module):
    """Reads two digits that touch, framed as one: from `ResidualNet.first_features` to logits (N, 2, classes)."""

    ROWS = (
        0,
        3,
        7,
        10,
    )  # the first of each four that are pooled, as AdaptiveMaxPool2d has them, which went wrong on Apple GPUs

    def __init__(self, channels: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d((1, 2)),  # (N, 32, 14, 7): finer along the line, where the two lie
        )
        self.head = nn.Linear(32 * 4 * 7, 2 * classes)

    def forward(self, features: Tensor) -> Tensor:  # (N, channels, 14, 14)
        body = self.body(features)
        pooled = torch.cat([body[:, :, row : row + 4].amax(2, keepdim=True) for row in self.ROWS], 2)
        return self.head(pooled.flatten(1)).unflatten(1, (2, -1))


class TinyNet(nn.Module):
    """The default's idea in a sixteenth of its size: two narrow blocks, then 3x3 pooled cells."""

    def __init__(self, width: int = 12, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2, bias=False),
            nn.MaxPool2d(2),  # (N, w, 14, 14); a quarter of the work for what follows
            nn.BatchNorm2d(width),
            nn.ReLU(),
            ResidualBlock(width, 2 * width),
            nn.MaxPool2d(2),  # (N, 2w, 7, 7)
            ResidualBlock(2 * width, 2 * width),
            nn.MaxPool2d(2),  # (N, 2w, 3, 3)
        )
        self.head = nn.Linear(2 * width * 3 * 3, classes)

    def forward(self, images: Tensor) -> Tensor:  # (N, 1, 28, 28)
        return self.head(self.body(standardise(images)).flatten(1))


class WideNet(nn.Module):
    """The big BatchNorm network of the Pygame repos: three convolutions at full size, no pooling."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),  # (N, 64, 28, 28)
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(64 * 28 * 28, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, classes)
        )

    def forward(self, images: Tensor) -> Tensor:  # (N, 1, 28, 28)
        return self.head(self.body(standardise(images)))


class SimpleNet(nn.Module):
    """The two-convolution network of most tutorials."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (N, 32, 14, 14)
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (N, 64, 7, 7)
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, classes)
        )

    def forward(self, images: Tensor) -> Tensor:  # (N, 1, 28, 28)
        return self.head(self.body(standardise(images)))


class ColourNet(nn.Module):
    """The network of the custom-picture repos: 64 x 64 pixels in three colours.

    Conv 3->10 5x5, max-pool 2, ReLU, Conv 10->10 5x5, Dropout2d 0.5, max-pool 2, ReLU, linear 1,690 -> classes.
    Pictures of another size or in grey are enlarged and repeated over the colours first.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 10, 5),  # (N, 10, 60, 60)
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 10, 5),  # (N, 10, 26, 26)
            nn.Dropout2d(),
            nn.MaxPool2d(2),
            nn.ReLU(),  # (N, 10, 13, 13)
        )
        self.head = nn.Linear(10 * 13 * 13, classes)

    def forward(self, images: Tensor) -> Tensor:  # (N, 1 or 3, H, W)
        if images.shape[2:] != (COLOUR_SIZE, COLOUR_SIZE):
            images = F.interpolate(
                images, size=(COLOUR_SIZE, COLOUR_SIZE), mode="bilinear", align_corners=False
            )
        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        return self.head(self.body(images - 0.5).flatten(1))


def standardise(images: Tensor) -> Tensor:
    """Return images with MNIST's mean at 0 and its standard deviation at 1."""
    return (images - MNIST_MEAN) / MNIST_STD


# ---------------------------------------------------------------------------------- registry


@dataclass(frozen=True)
class Architecture:
    """A registered network: how to build it, and the recipe that train.py uses unless told otherwise.

    `size` and `channels` are those of a picture given as it is; from the road it takes frames, 28 x 28 in grey.
    """

    build: Callable[..., Any]
    summary: str
    config: dict[str, Any] = field(default_factory=dict)
    size: int = 28
    channels: int = 1
    recipe: dict[str, Any] = field(default_factory=dict)


# the recipe of most tutorials: Adam at 0.001, the pictures as they are, the last weights kept
_PLAIN = {
    "optimizer": "adam",
    "learning_rate": 0.001,
    "epochs": 10,
    "batch_size": 64,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "average": 0.0,
    "augment": "none",
}

ARCHITECTURES: dict[str, Architecture] = {
    "residual": Architecture(
        ResidualNet, "the default: two residual blocks, 351,082 parameters", {"width": 32}
    ),
    "tiny": Architecture(TinyNet, "the default made narrow: 21,694 parameters", {"width": 12}),
    "simple": Architecture(
        SimpleNet, "two convolutions, two linear layers: 421,642 parameters", recipe=_PLAIN
    ),
    "wide": Architecture(
        WideNet,
        "three full-size convolutions with BatchNorm: 6,480,010 parameters",
        recipe={**_PLAIN, "epochs": 5},
    ),
    "colour": Architecture(
        ColourNet,
        "64 x 64 pixels in colour: 20,180 parameters",
        size=64,
        channels=3,
        recipe={**_PLAIN, "epochs": 30, "batch_size": 50, "learning_rate": 0.01},
    ),
    "scratch": Architecture(
        ScratchNet,
        "three linear layers written by hand, no autograd: 235,146 parameters",
        {"layers": list(LAYERS)},
        recipe={
            "optimizer": "momentum",
            "learning_rate": 0.1,
            "epochs": 16,
            "batch_size": 128,
            "weight_decay": 0.0,
            "augment": "light",
        },
    ),
}


def build_model(arch: str = DEFAULT_ARCH, classes: int = 10, config: dict[str, Any] | None = None) -> Any:
    """Return a registered network with fresh weights; raises ValueError for an unknown name."""
    if arch not in ARCHITECTURES:
        raise ValueError(f"no network is called {arch!r}: choose from {', '.join(ARCHITECTURES)}")
    known = ARCHITECTURES[arch]
    return known.build(classes=classes, **(known.config if config is None else config))


def build_pairs(model: Any, classes: int = 10) -> PairHead:
    """Return a fresh reader of touching pairs for `model`; raises ValueError if that is no `ResidualNet`."""
    if not isinstance(model, ResidualNet):
        raise ValueError("only the residual network has a reader of touching pairs")
    return PairHead(model.head.in_features // (2 * 7 * 7), classes)


def count_parameters(model: Any) -> int:
    """Return the number of trainable weights."""
    return sum(weight.numel() for weight in model.parameters())


# ---------------------------------------------------------------------------------- evaluation
