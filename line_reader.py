"""The line reader's network: a strip of one line of writing -> what stands in each of its columns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SYMBOLS = (
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    ".",
    ",",
    "-",
    "+",
    "/",
    ":",
    "=",
    "(",
    ")",
    "%",
    "x",
    "÷",
    "?",
)
BLANK = len(SYMBOLS)  # the class of columns where no symbol is said
STRIP_HEIGHT = 32  # pixels
INK_MEAN, INK_STD = 0.12, 0.29  # of strips in [0, 1]


class LineBlock(nn.Module):
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


class LineReader(nn.Module):
    """Fully convolutional: strips (N, 1, 32, W) in [0, 1], W a multiple of 4 -> log-probabilities (N, W / 2, symbols + 1)."""

    def __init__(
        self, widths: tuple[int, int, int, int] = (16, 40, 80, 128), symbols: int = len(SYMBOLS)
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.classes = symbols + 1
        self.body = nn.Sequential(
            nn.Conv2d(1, first, 5, padding=2, bias=False),
            nn.MaxPool2d(2),  # (N, c, 16, W / 2)
            nn.BatchNorm2d(first),
            nn.ReLU(),
            LineBlock(first, second),
            nn.MaxPool2d(2),  # (N, c, 8, W / 4)
            LineBlock(second, third),
            nn.MaxPool2d((2, 1)),  # (N, c, 4, W / 4)
            LineBlock(third, fourth),
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
        self.head = nn.Conv2d(
            fourth, 2 * self.classes, 1
        )  # two places for each column of features: W / 2 in all

    def forward(self, strips: Tensor) -> Tensor:  # (N, 1, 32, W)
        features = self.body((strips - INK_MEAN) / INK_STD)
        features = features + self.along(features)
        logits = self.head(features).squeeze(2)  # (N, 2 * classes, W / 4)
        return logits.unflatten(1, (2, self.classes)).permute(0, 3, 1, 2).flatten(1, 2).log_softmax(2)
