"""Augmented batches: in range, reproducible, still digits; negatives are marked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Generator

from dataset import Digits
from recognizer.asking import certainty
from recognizer.road import Recognizer
from training.pictures import augment, negatives
from training.pictures import pens as drawing
from training.pictures.augment import NOT_A_DIGIT, Augmentation, add_style_strokes
from training.pictures.pens import area_means, pen_width


def batch(digits: Digits, count: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    return digits.images[:count], digits.labels[:count]


STILL = Augmentation(
    rotation=0,
    shear=0,
    scale=0,
    shift=0,
    bend=0,
    width=0,
    style_share=0,
    coarse_share=0,
    stretch_share=0,
    drawn_share=0,
    clutter_share=0,
    negative_share=0,
)


def test_pictures_stay_in_range_and_shares_are_kept(digits: Digits) -> None:
    images, labels = batch(digits)
    made, said = augment.augment(images, labels, Augmentation(), Generator().manual_seed(0))
    assert made.shape == (200, 1, 28, 28) and made.dtype == torch.float32
    assert 0 <= float(made.min()) and float(made.max()) <= 1
    odd = said == NOT_A_DIGIT
    assert int(odd.sum()) == int(200 * Augmentation().negative_share)
    assert (
        float((made[~odd].amax((1, 2, 3)) > 0.05).float().mean()) > 0.98
    )  # thinning leaves nothing of a few


def test_labels_stay_with_their_pictures(digits: Digits) -> None:
    images, labels = batch(digits)
    made, said = augment.augment(
        images, labels, replace(STILL, negative_share=0.15), Generator().manual_seed(0)
    )
    kept = said != NOT_A_DIGIT
    nearest = torch.cdist(made[kept].flatten(1), images.flatten(1) / 255).argmin(1)
    assert (labels[nearest] == said[kept]).float().mean() > 0.95
    assert not torch.equal(said[:170], labels[:170])  # negatives are among the digits, not behind them


def test_our_own_digits_are_read_as_what_they_are_meant_to_be() -> None:
    ours, labels = augment.draw_digits(400, Generator().manual_seed(0))
    probs = Recognizer().ask(ours[:, 0].numpy())
    for digit in range(10):
        own = labels.numpy() == digit
        assert (probs.argmax(1) == digit)[own].mean() > 0.8, digit


def test_our_own_signs_look_less_like_digits() -> None:
    generator = Generator().manual_seed(0)
    ours, _ = augment.draw_digits(400, generator)
    signs = negatives._signs(ours, torch.zeros(400), generator)
    network = Recognizer()
    assert np.median(certainty(network.ask(signs[:, 0].numpy()))) < np.quantile(
        certainty(network.ask(ours[:, 0].numpy())), 0.1
    )


def test_the_generator_alone_decides(digits: Digits) -> None:
    images, labels = batch(digits)
    torch.manual_seed(1)
    first = augment.augment(images, labels, Augmentation(), Generator().manual_seed(5))[0]
    torch.manual_seed(2)
    again = augment.augment(images, labels, Augmentation(), Generator().manual_seed(5))[0]
    other = augment.augment(images, labels, Augmentation(), Generator().manual_seed(6))[0]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_no_strength_changes_hardly_anything(digits: Digits) -> None:
    images, _ = batch(digits)
    ink = images.float() / 255
    moved = augment.warp(ink, STILL, Generator().manual_seed(0))
    assert float((moved - ink).abs().mean()) < 0.05  # the centre of mass moves by less than half a pixel


@pytest.mark.parametrize("digit", [1, 4, 7, 9])
def test_styles_change_their_own_digits_only(digits: Digits, digit: int) -> None:
    ink = digits.images.float() / 255
    styled = add_style_strokes(ink, digits.labels, 1.0, Generator().manual_seed(0))
    changed = (styled - ink).abs().amax((1, 2, 3)) > 0.1
    own = digits.labels == digit
    assert 0.1 < float(changed[own].float().mean()) < 0.6
    assert not changed[~torch.isin(digits.labels, torch.tensor([1, 4, 7, 9]))].any()


def test_added_strokes_have_the_digits_own_pen(digits: Digits) -> None:
    ones = digits.images[digits.labels == 1][:200].float() / 255
    styled = add_style_strokes(ones, torch.ones(len(ones), dtype=torch.long), 1.0, Generator().manual_seed(0))
    assert float((pen_width(styled) - pen_width(ones)).abs().mean()) < 0.5


def test_pen_width_is_in_pixels() -> None:
    bars = torch.zeros(3, 1, 28, 28)
    for n, width in enumerate((1, 3, 5)):
        bars[n, 0, 2:26, 10 : 10 + width] = 1
    assert pen_width(bars).tolist() == pytest.approx([1, 3, 5], rel=0.35)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 20, 31, 40, 64])
@pytest.mark.parametrize("negative_share", [0, 0.18])
def test_batches_of_any_size_can_be_augmented(digits: Digits, count: int, negative_share: float) -> None:
    strength = Augmentation(negative_share=negative_share)
    made, said = augment.augment(*batch(digits, count), strength, Generator().manual_seed(count))
    assert made.shape == (count, 1, 28, 28) and said.shape == (count,)
    assert made.isfinite().all()


@pytest.mark.parametrize("side", [10, 13, 19, 28])
def test_the_means_for_apple_gpus_are_those_of_the_others(side: int) -> None:
    pictures = torch.rand(3, 1, 28, 31)
    torch.testing.assert_close(area_means(pictures, side), F.interpolate(pictures, size=side, mode="area"))


@pytest.mark.parametrize("count", [9, 56, 81])  # 56 pictures in parts of ceil(56 / 9) are eight parts
def test_every_maker_gets_its_part_of_a_batch(count: int) -> None:
    seen: list[list[float]] = []

    def maker(part: torch.Tensor, numbers: torch.Tensor, generator: Generator) -> torch.Tensor:
        assert torch.equal(part, numbers)
        seen.append(part.tolist())
        return part

    numbers = torch.arange(float(count))
    assert torch.equal(drawing.share_out([maker] * 9, Generator(), numbers, numbers), numbers)
    assert len(seen) == 9 and all(count // 9 <= len(part) <= count // 9 + 1 for part in seen)
