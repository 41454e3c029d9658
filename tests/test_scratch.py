"""The network written by hand: autograd and finite differences are its oracles."""

from __future__ import annotations

import ast
import signal
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import scratch
from base.checkpoint import load_checkpoint
from dataset import Batches, Digits, split_validation
from recognizer.asking import evaluate
from scratch import Momentum, ScratchNet, softmax
from train import main
from training.loop import train


@pytest.fixture
def net() -> ScratchNet:
    torch.manual_seed(0)
    return ScratchNet((49, 20, 15), 10).to(torch.float64)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.rand(16, 1, 7, 7, dtype=torch.float64), torch.rand(16, 10, dtype=torch.float64).softmax(1)


def test_slopes_are_those_of_autograd_to_a_millionth(
    net: ScratchNet, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    images, wanted = batch
    loss, _ = net.backward(images, wanted)
    x = (images.flatten(1) - scratch.PIXEL_MEAN) / scratch.PIXEL_STD
    parameters = [parameter.clone().requires_grad_() for parameter in net.parameters()]
    weights, biases = parameters[:3], parameters[3:]
    for weight, bias in zip(weights[:-1], biases[:-1]):
        x = torch.relu(x @ weight + bias)
    expected = F.cross_entropy(x @ weights[-1] + biases[-1], wanted)
    expected.backward()
    assert abs(float(loss - expected.detach())) <= 1e-12
    for slope, parameter in zip(net.gradients, parameters):
        assert float((slope - parameter.grad).norm() / parameter.grad.norm()) <= 1e-6


def test_slopes_are_the_finite_differences_of_the_loss(
    net: ScratchNet, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    images, wanted = batch
    net.backward(images, wanted)
    gradients = [slope.clone() for slope in net.gradients]
    step = 1e-6
    for parameter, slope in zip(net.parameters(), gradients):
        flat, flat_slope = parameter.view(-1), slope.reshape(-1)
        for place in (0, len(flat) // 2, len(flat) - 1, int(flat_slope.abs().argmax())):
            middle = float(flat[place])
            losses = []
            for value in (middle + step, middle - step):
                flat[place] = value
                losses.append(float(net.backward(images, wanted)[0]))
            flat[place] = middle
            assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(
                float(flat_slope[place]), rel=1e-5, abs=1e-8
            )


def test_softmax_survives_huge_logits() -> None:
    probs, logs = softmax(torch.tensor([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]]))
    assert torch.isfinite(probs).all() and torch.isfinite(logs).all()
    torch.testing.assert_close(probs.sum(1), torch.ones(2))


def test_momentum_steps_as_torch_does() -> None:
    torch.manual_seed(0)
    net = ScratchNet((6, 5), 3)
    twin = [parameter.clone().requires_grad_() for parameter in net.parameters()]
    groups = [{"params": twin[:2], "weight_decay": 0.0}, {"params": twin[2:], "weight_decay": 0.0}]
    theirs, ours = torch.optim.SGD(groups, 0.1, momentum=0.9), Momentum(net, 0.1)
    for _ in range(5):
        net.gradients = [torch.randn_like(parameter) for parameter in net.parameters()]
        for parameter, slope in zip(twin, net.gradients):
            parameter.grad = slope.clone()
        theirs.step()
        ours.step()
    for own, other in zip(net.parameters(), twin):
        torch.testing.assert_close(own, other.detach())


def test_decay_pulls_weights_but_not_biases() -> None:
    net = ScratchNet((6, 5), 3)
    net.biases[0] += 1
    before = [parameter.clone() for parameter in net.parameters()]
    Momentum(net, 0.1, decay=0.5).step()  # all gradients are 0
    assert torch.allclose(net.weights[0], before[0] * 0.95)
    assert torch.equal(net.biases[0], before[2])


def test_signals_begin_neither_vanishing_nor_huge() -> None:
    torch.manual_seed(0)
    net = ScratchNet((784, 256, 256, 256), 10)
    values = net.compute(torch.rand(200, 1, 28, 28), net.weights, net.biases)
    assert all(
        0.3 < float(after.square().mean() / before.square().mean()) < 3
        for before, after in zip(values, values[1:])
    )


def test_the_file_uses_no_ready_made_layers_and_no_autograd() -> None:
    source = Path(scratch.__file__).read_text(encoding="utf-8")
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    assert not names & {
        "nn",
        "functional",
        "autograd",
        "optim",
        "backward_",
        "grad",
        "requires_grad_",
        "cross_entropy",
    }
    imported = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert not imported & {"nn", "autograd", "optim"}


def test_a_state_of_other_names_or_shapes_is_refused(net: ScratchNet) -> None:
    with pytest.raises(KeyError):
        net.load_state_dict({"weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="shape"):
        net.load_state_dict({**net.state_dict(), "bias1": torch.zeros(3)})


def test_it_learns_digits_in_a_few_epochs(digits: Digits) -> None:
    torch.manual_seed(0)
    training, held_out = split_validation(digits, 500)
    net = ScratchNet()
    optimizer = Momentum(net, 0.05)
    batches = Batches(training, 64, seed=0)
    for batches.epoch in range(4):
        train(net, batches, optimizer=optimizer)
    assert evaluate(net, Batches(held_out, 500)) > 0.9


def test_train_py_trains_it_and_resumes_it_bit_for_bit(
    few: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str, *words: str) -> int:
        return main(
            [
                "--arch",
                "scratch",
                "--epochs",
                "2",
                "--device",
                "cpu",
                "--output",
                str(tmp_path / name),
                *words,
            ]
        )

    assert run("whole.pth") == 0
    calls = iter([None, None, None, None, None, signal.SIGTERM])  # four batches an epoch
    with monkeypatch.context() as patch:
        patch.setattr("train._StopSignals.received", lambda self: next(calls))
        assert run("parts.pth") == 128 + signal.SIGTERM
    assert run("parts.pth", "--resume") == 0
    whole, parts = (
        load_checkpoint(tmp_path / name).model.state_dict() for name in ("whole.pth", "parts.pth")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_another_optimizer_is_refused_with_the_cure(
    few: Digits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--arch", "scratch", "--optimizer", "adamw", "--output", str(tmp_path / "m.pth")]) == 1
    assert "--optimizer momentum" in capsys.readouterr().err
