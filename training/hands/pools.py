"""Other people's hands, to train on beside MNIST: their digits, and what is no digit at all.

Strokes are drawn anew for each batch; pictures go through the road once. Sets are drawn from by the square root of their
size, so that a large one does not drown a small one. In sets of LEAST_WRITERS or more, one writer in VALIDATION_PART is
held out: for the threshold and the temperature.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from dataset import DataError, Digits
from training.hands.glyphs import Glyphs
from training.hands.sets import Item, checksum_of, find_sets, read_set
from training.pictures.augment import NOT_A_DIGIT, Augmentation, augment
from training.pictures.redraw import Drawings, draw_again, trace_drawings

LEAST_WRITERS, VALIDATION_PART = 10, 12
VALIDATION_COPIES = 8  # drawings of each that is held out: as many digits as MNIST has for validation
DIGIT_POINTS, OTHER_POINTS = 96, 192  # of a path: less than 0.85 px apart along 98 % of both kinds
DIGIT_SHARE, OTHER_SHARE = 0.25, 0.375  # pictures of hands beside each picture of MNIST's


@dataclass(frozen=True)
class Pool:
    """Items of one kind that are drawn from together: paths or frames (uint8 (N, 1, 28, 28)), labels (N,), chances (N,)."""

    paths: Drawings | None
    frames: Tensor | None
    labels: Tensor
    chances: Tensor

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return `count` frames uint8 (count, 1, 28, 28), drawn with replacement, and their labels."""
        index = torch.multinomial(self.chances, count, replacement=True, generator=generator)
        return self.at(index, generator), self.labels[index]

    def at(self, index: Tensor, generator: Generator) -> Tensor:
        if self.paths is None:
            assert self.frames is not None
            return self.frames[index]
        return (draw_again(self.paths.part(index), generator) * 255).round().to(torch.uint8)

    def tensors(self) -> list[Tensor]:
        """Return all that it keeps in memory."""
        paths = [] if self.paths is None else [self.paths.points, self.paths.first, self.paths.last]
        return [*paths, *([] if self.frames is None else [self.frames]), self.labels, self.chances]

    def to(self, device: torch.device) -> Pool:
        return Pool(
            self.paths and self.paths.to(device),
            self.frames if self.frames is None else self.frames.to(device),
            self.labels.to(device),
            self.chances.to(device),
        )


@dataclass(frozen=True)
class Hands:
    """What `load_hands` found: pools of digits and of what is none, frames held out, and each set in a line for `facts`.

    `glyphs` is what lines of writing are composed of.
    """

    digits: tuple[Pool, ...]
    others: tuple[Pool, ...]
    validation: tuple[
        Tensor, Tensor
    ]  # of the writers held out: uint8 (N, 1, 28, 28) and labels (N,), drawn once
    sets: list[dict[str, Any]]
    glyphs: Glyphs

    @property
    def fingerprint(self) -> str:
        return " ".join(f"{each['name']} {each['checksum']}" for each in self.sets)

    def summary(self) -> str:
        """Return a line about what is here and what it takes."""
        digits, others = (sum(each[kind] for each in self.sets) for kind in ("digits", "others"))
        tensors = [tensor for pool in (*self.digits, *self.others) for tensor in pool.tensors()] + list(
            self.validation
        )
        size = sum(tensor.nbytes for tensor in tensors) / 1e6
        return f"hands: {digits:,} digits and {others:,} of no digit in {len(self.sets)} sets, {size:.0f} MB"

    @property
    def held_out_digits(self) -> Digits:
        images, labels = (part[self.validation[1] != NOT_A_DIGIT] for part in self.validation)
        return Digits(images, labels, "the digits of hands held out")

    def to(self, device: torch.device) -> Hands:
        digits, others = (tuple(pool.to(device) for pool in pools) for pools in (self.digits, self.others))
        return replace(self, digits=digits, others=others)

    def beside(
        self, made: tuple[Tensor, Tensor], strength: Augmentation, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """Return `made`, MNIST's images and labels, with those of hands behind them."""
        images, labels = self.batch(len(made[1]), strength, generator)
        return torch.cat([made[0], images]), torch.cat([made[1], labels])

    def batch(self, beside: int, strength: Augmentation, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return augmented images float32 (N, 1, 28, 28) and labels (N,), to be learnt beside so many of MNIST's."""
        drawn = []
        for pools, share in ((self.digits, DIGIT_SHARE), (self.others, OTHER_SHARE)):
            total = sum(float(pool.chances.sum()) for pool in pools)
            drawn += [
                pool.draw(round(beside * share * float(pool.chances.sum()) / total), generator)
                for pool in pools
            ]
        images, labels = (torch.cat(parts) for parts in zip(*drawn))
        order = torch.randperm(
            len(labels), generator=generator, device=labels.device
        )  # augmentation takes slices
        return augment(
            images[order], labels[order], replace(strength, drawn_share=0, negative_share=0), generator
        )


def load_hands(
    paths: Iterable[str | os.PathLike[str]], progress: Callable[[Iterable[Any]], Iterable[Any]] = iter
) -> Hands:
    """Return what the files and folders `paths` hold; raises DataError naming what is wrong, and OSError."""
    files = [file for path in paths for file in find_sets(Path(path))]
    sets, kept, held_out, glyphs = [], [], [], Glyphs()
    for file in progress(files):
        items = list(read_set(file))
        parts = _split(items)
        glyphs.add(file.name, *parts)
        teach, validate = ([item for item in part if item.teaches] for part in parts)
        kept.append(teach)
        held_out += validate
        digits = sum(item.digit != NOT_A_DIGIT for item in teach)
        sets.append(
            {
                "name": file.name,
                "digits": digits,
                "others": len(teach) - digits,
                "validation": len(validate),
                "left_out": len(items) - len(teach) - len(validate),
                "checksum": checksum_of(file),
            }
        )
    pools = [tuple(_pools(kept, digits)) for digits in (True, False)]
    if not all(pools):
        raise DataError(
            f"{', '.join(map(str, files)) or 'these hands'}: digits and what is no digit are needed: name more files"
        )
    return Hands(pools[0], pools[1], _validation(held_out), sets, glyphs)


def _split(items: list[Item]) -> tuple[list[Item], list[Item]]:
    """Return (what teaches, what is held out): all of one writer on one side, the same whatever else is there."""
    if len({item.writer for item in items}) < LEAST_WRITERS:
        return items, []
    out = {
        writer
        for writer in {item.writer for item in items}
        if zlib.crc32(writer.encode()) % VALIDATION_PART == 0
    }
    return [item for item in items if item.writer not in out], [item for item in items if item.writer in out]


def _pools(sets: list[list[Item]], digits: bool) -> Iterator[Pool]:
    """Yield a pool of paths and one of frames, of the digits of all sets or of what is none."""
    chosen = [[item for item in items if (item.digit != NOT_A_DIGIT) == digits] for items in sets]
    chances = [[max(len(items), 1) ** -0.5] * len(items) for items in chosen]
    both = [(item, chance) for pair in zip(chosen, chances) for item, chance in zip(*pair)]
    for drawn in (True, False):
        part = [(item, chance) for item, chance in both if (item.strokes is not None) == drawn]
        if part:
            yield _pool(
                [item for item, _ in part],
                [chance for _, chance in part],
                DIGIT_POINTS if digits else OTHER_POINTS,
            )


def _pool(items: list[Item], chances: list[float], points: int) -> Pool:
    paths = frames = None
    if items[0].strokes is not None:
        paths = trace_drawings([item.strokes for item in items if item.strokes is not None], points)
    else:
        frames = torch.from_numpy(np.stack([item.frame for item in items if item.frame is not None]))[:, None]
    return Pool(paths, frames, torch.tensor([item.digit for item in items]), torch.tensor(chances))


def _validation(items: list[Item]) -> tuple[Tensor, Tensor]:
    """Return frames uint8 (N, 1, 28, 28) and labels (N,) of what is held out, each VALIDATION_COPIES times, always alike."""
    generator, images, labels = (
        Generator().manual_seed(0),
        [torch.zeros(0, 1, 28, 28, dtype=torch.uint8)],
        [torch.zeros(0, dtype=torch.int64)],
    )
    for digits in (True, False):
        for pool in _pools([items], digits):
            order = torch.cat(
                [torch.randperm(len(pool.labels), generator=generator) for _ in range(VALIDATION_COPIES)]
            )
            images.append(pool.at(order, generator))
            labels.append(pool.labels[order])
    return torch.cat(images), torch.cat(labels)
