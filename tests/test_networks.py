"""The registered networks: their sizes, their recipes, and that the one loop trains each of them."""

from __future__ import annotations

import pytest
import torch

from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint, save_checkpoint
from dataset import Batches, Digits
from model import ARCHITECTURES, DEFAULT_ARCH, LineReader, build_model, count_parameters
from recognizer.asking import evaluate
from train import main
from training.loop import train
from training.recipe import DEFAULT, NETWORKS, make_config


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("wide", 6_480_010),
        ("simple", 421_642),
        ("scratch", 235_146),
        ("colour", 20_180),
        ("residual", 351_082),
    ],
)
def test_a_network_has_the_parameters_it_is_known_for(name: str, parameters: int) -> None:
    assert count_parameters(build_model(name)) == parameters


def test_the_tiny_network_is_tiny() -> None:
    assert count_parameters(build_model("tiny")) <= 25_000


def test_all_that_reads_fits_four_megabytes() -> None:
    assert 4 * (count_parameters(build_model(DEFAULT_ARCH)) + count_parameters(LineReader())) <= 4_000_000


@pytest.mark.parametrize("far, sees", [((), False), ((4, 8), True)])
def test_what_a_mark_may_be_depends_on_those_further_along_the_line(far: tuple[int, ...], sees: bool) -> None:
    torch.manual_seed(0)
    reader = LineReader(far=far).eval()
    alone = torch.zeros(1, 1, 32, 256)
    alone[..., 8:24, 20] = 1
    beside = alone.clone()
    beside[..., 8:24, 120] = 1  # five digits away
    with torch.inference_mode():
        first = [reader(strip)[0, :20] for strip in (alone, beside)]
    assert torch.equal(*first) != sees


def test_the_small_model_that_ships_is_tiny_and_reads_digits(digits: Digits) -> None:
    small = load_checkpoint(MODEL_PATH.with_name("tiny.pth"))
    assert small.arch == "tiny" and count_parameters(small.model) <= 25_000
    assert evaluate(small.model, Batches(digits, 500)) >= 0.985


def test_the_summaries_state_the_true_number_of_parameters() -> None:
    assert list(NETWORKS) == list(ARCHITECTURES) and DEFAULT == DEFAULT_ARCH
    for name, known in NETWORKS.items():
        assert f"{count_parameters(build_model(name)):,} parameters" in known.summary


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_frame_gives_a_logit_for_each_class_and_its_batch_does_not_matter(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name, classes=5)
    model.eval()
    frames = torch.rand(3, 1, 28, 28)
    with torch.inference_mode():
        logits = model(frames)
        alone = model(frames[:1])
    assert logits.shape == (3, 5)
    torch.testing.assert_close(logits[:1], alone, rtol=1e-4, atol=1e-4)


def test_the_colour_network_sees_colours() -> None:
    torch.manual_seed(0)
    model = build_model("colour").eval()
    red, blue = torch.zeros(2, 1, 3, 64, 64).unbind(0)
    red[:, 0] = blue[:, 2] = 1
    with torch.inference_mode():
        assert not torch.allclose(model(red), model(blue))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_one_loop_teaches_each_network_a_handful_of_digits(name: str, digits: Digits) -> None:
    torch.manual_seed(0)
    model = build_model(name)
    few = Digits(digits.images[:20], digits.labels[:20], "a handful")
    loader = Batches(few, 10)
    before = evaluate(model, loader)
    losses = [train(model, loader) for _ in range(8)]
    assert losses[-1] < losses[0]
    assert evaluate(model, loader) > before or before == 1


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_checkpoint_rebuilds_each_network(name: str, tmp_path) -> None:
    model = build_model(name, classes=3)
    model.eval()
    save_checkpoint(
        tmp_path / "m.pth", Checkpoint(model, name, dict(ARCHITECTURES[name].config), ("a", "b", "c"))
    )
    again = load_checkpoint(tmp_path / "m.pth")
    frames = torch.rand(2, 1, 28, 28)
    with torch.inference_mode():
        assert torch.equal(again.model(frames), model(frames))
    assert again.classes == ("a", "b", "c")


def test_the_colour_recipe_is_its_own() -> None:
    config = make_config("colour", {})
    assert (config.optimizer, config.learning_rate, config.batch_size, config.epochs) == (
        "adam",
        0.01,
        50,
        30,
    )


def test_a_flag_overrules_the_recipe() -> None:
    assert make_config("colour", {"epochs": 2}).epochs == 2


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_summary_lists_layers_and_the_total(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--arch", name, "--summary"]) == 0
    printed = capsys.readouterr().out
    assert f"{count_parameters(build_model(name)):,}" in printed
    assert "MB" in printed


def test_a_script_of_ones_own_trains_and_measures_with_three_functions(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataset import get_data_loaders
    from test import evaluate as measured
    from train import train as one_epoch

    parts = {True: digits.part(torch.arange(300)), False: digits.part(torch.arange(300, 400))}
    monkeypatch.setattr("dataset.load_mnist", lambda train, data_dir=None: parts[train])
    training, testing = get_data_loaders(32)
    assert [len(labels) for _, labels in testing] == [32, 32, 32, 4]
    assert torch.equal(torch.cat([labels for _, labels in testing]), parts[False].labels)
    first, second = (torch.cat([labels for _, labels in training]) for _ in range(2))
    assert not torch.equal(first, parts[True].labels[: len(first)])  # shuffled,
    assert not torch.equal(first, second)  # and anew each epoch
    torch.manual_seed(0)
    model = build_model("tiny")
    losses = [one_epoch(model, training, "cpu") for _ in range(6)]
    assert losses[-1] < losses[0]
    assert measured(model, testing, "cpu") == evaluate(model, testing) > 0.5
