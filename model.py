"""The networks, and the registry that names them.

Each takes images (N, C, H, W) in [0, 1], ink bright, and returns logits (N, classes). Standardisation, and
for
`ColourNet` the enlargement to 64 x 64 x 3, happen inside, so no caller can forget them. `LineReader` reads a
line of
writing whole, beside one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ink import BLANK as BLANK
from ink import DIGITS as DIGITS
from ink import SYMBOLS
from scratch import LAYERS, ScratchNet

MNIST_MEAN, MNIST_STD = 0.1307, 0.3081  # of the 60,000 training images, scaled to [0, 1]
STRIP_MEAN, STRIP_STD = 0.12, 0.29  # of strips of composed lines, in [0, 1]
COLOUR_SIZE = 64  # pixels; side of what ColourNet looks at
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
    """The default: a 5x5 stem, then a residual block at 14x14 and one at 7x7.

    `growth`: channels of the second block, in widths; `pool`: the last layer is given 3x3 pooled cells, not
    7x7.
    """

    def __init__(self, width: int = 32, classes: int = 10, growth: int = 4, pool: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 5, padding=2, bias=False),
            nn.MaxPool2d(2),  # (N, w, 14, 14); a quarter of the work for what follows
            nn.BatchNorm2d(width),
            nn.ReLU(),
            ResidualBlock(width, 2 * width),
            nn.MaxPool2d(2),  # (N, 2w, 7, 7)
            ResidualBlock(2 * width, growth * width),
            *[nn.MaxPool2d(2)] * pool,
        )
        self.head = nn.Linear(growth * width * (3 if pool else 7) ** 2, classes)

    def forward(self, images: Tensor) -> Tensor:  # (N, 1, 28, 28)
        return self.head(self.body(standardise(images)).flatten(1))


class TinyNet(ResidualNet):
    """The default's idea in a sixteenth of its size: two narrow blocks, then 3x3 pooled cells."""

    def __init__(self, width: int = 12, classes: int = 10) -> None:
        super().__init__(width, classes, growth=2, pool=True)


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

    Conv 3->10 5x5, max-pool 2, ReLU, Conv 10->10 5x5, Dropout2d 0.5, max-pool 2, ReLU, linear 1,690 ->
    classes.
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


class LineReader(nn.Module):
    """Says what stands in a line: strips (N, 1, 32, W) in [0, 1], W a multiple of 4 -> (N, W / 2, symbols +
    1).

    Fully convolutional. What it returns are log-probabilities, the blank's last, to be trained with CTC
    (Graves et al., 2006). `far`: dilations (Yu and Koltun, 2016) of two convolutions that look further along the line,
    for what a mark may be depends on the others, as a ring among letters is an O. () for readers of before December 2026.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (16, 40, 80, 128),
        symbols: int = len(SYMBOLS),
        far: tuple[int, int] | tuple[()] = (4, 8),
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.classes = symbols + 1
        self.body = nn.Sequential(
            nn.Conv2d(1, first, 5, padding=2, bias=False),
            nn.MaxPool2d(2),  # (N, c, 16, W / 2)
            nn.BatchNorm2d(first),
            nn.ReLU(),
            ResidualBlock(first, second),
            nn.MaxPool2d(2),  # (N, c, 8, W / 4)
            ResidualBlock(second, third),
            nn.MaxPool2d((2, 1)),  # (N, c, 4, W / 4)
            ResidualBlock(third, fourth),
            nn.MaxPool2d((2, 1)),  # (N, c, 2, W / 4)
            nn.Conv2d(fourth, fourth, (2, 3), padding=(0, 1), bias=False),  # (N, c, 1, W / 4)
            nn.BatchNorm2d(fourth),
            nn.ReLU(),
        )
        self.along = nn.Sequential(
            nn.Conv2d(fourth, fourth, (1, 5), padding=(0, 2), bias=False),
            nn.BatchNorm2d(fourth),
            nn.ReLU(),
        )
        self.far = nn.Sequential()
        for (before, after), step in zip(((fourth, fourth // 2), (fourth // 2, fourth)), far):
            self.far.append(
                nn.Conv2d(before, after, (1, 5), padding=(0, 2 * step), dilation=(1, step), bias=False)
            )
            self.far.extend([nn.BatchNorm2d(after), nn.ReLU()])
        self.head = nn.Conv2d(fourth, 2 * self.classes, 1)  # two places a column of features: W / 2 in all

    def forward(self, strips: Tensor) -> Tensor:  # (N, 1, 32, W)
        features = self.body((strips - STRIP_MEAN) / STRIP_STD)
        features = features + self.along(features)
        if len(self.far):
            features = features + self.far(features)
        logits = self.head(features).squeeze(2)  # (N, 2 * classes, W / 4)
        return logits.unflatten(1, (2, self.classes)).permute(0, 3, 1, 2).flatten(1, 2).log_softmax(2)


def line_reader_of(weights: Mapping[str, Tensor]) -> LineReader:
    """Return a line reader that `weights` fit, as fresh: with or without what looks further."""
    return LineReader() if any(name.startswith("far.") for name in weights) else LineReader(far=())


def standardise(images: Tensor) -> Tensor:
    """Return images with MNIST's mean at 0 and its standard deviation at 1."""
    return (images - MNIST_MEAN) / MNIST_STD


# ---------------------------------------------------------------------------------- registry


@dataclass(frozen=True)
class Architecture:
    """A registered network: how to build it. training.recipe knows how it is trained.

    `size` and `channels` are those of a picture given as it is; from the road it takes frames, 28 x 28 in
    grey.
    """

    build: Callable[..., Any]
    config: dict[str, Any] = field(default_factory=dict)
    size: int = 28
    channels: int = 1


ARCHITECTURES: dict[str, Architecture] = {
    "residual": Architecture(ResidualNet, {"width": 32}),
    "tiny": Architecture(TinyNet, {"width": 12}),
    "simple": Architecture(SimpleNet),
    "wide": Architecture(WideNet),
    "colour": Architecture(ColourNet, size=COLOUR_SIZE, channels=3),
    "scratch": Architecture(ScratchNet, {"layers": list(LAYERS)}),
}


def build_model(arch: str = DEFAULT_ARCH, classes: int = 10, config: dict[str, Any] | None = None) -> Any:
    """Return a registered network with fresh weights; raises ValueError for an unknown name."""
    if arch not in ARCHITECTURES:
        raise ValueError(f"no network is called {arch!r}: choose from {', '.join(ARCHITECTURES)}")
    known = ARCHITECTURES[arch]
    return known.build(classes=classes, **(known.config if config is None else config))


def count_parameters(model: Any) -> int:
    """Return the number of trainable weights."""
    return sum(weight.numel() for weight in model.parameters())


def describe_layers(arch: str) -> str:
    """Return a table of a registered network's layers, output shapes and parameters (torchinfo)."""
    from torchinfo import summary

    known, model = ARCHITECTURES[arch], build_model(arch)
    if not isinstance(model, nn.Module):
        return str(model)
    shape = (1, known.channels, known.size, known.size)
    columns = ("output_size", "num_params", "mult_adds")
    return str(summary(model, shape, depth=4, verbose=0, col_names=columns))
