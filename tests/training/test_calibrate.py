"""Temperature and threshold, fitted on digits that a network was not trained on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from base.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dataset import Batches, Digits
from model import build_model
from recognizer.asking import certainty
from training import calibrate as command
from training.calibrate import calibrate, fit_temperature


def test_the_temperature_is_found() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 10, generator=generator) * 2
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)


class Reader(torch.nn.Module):
    """As sure of each picture as its brightest pixel says."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.nn.functional.pad(images.amax((1, 2, 3))[:, None] * 20, (0, 9))


def shaded(count: int, least: int) -> Digits:
    shades = torch.linspace(least, 255, count).round().to(torch.uint8)
    return Digits(
        shades[:, None, None, None].expand(-1, 1, 28, 28).contiguous(),
        torch.zeros(count, dtype=torch.int64),
        "shades",
    )


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_the_threshold_refuses_the_share_that_was_asked_for_of_all_sets(share: float) -> None:
    sets = [Batches(shaded(400, 0), 100), Batches(shaded(600, 100), 100)]
    checkpoint = Checkpoint(Reader().eval(), "shades", {}, input={"size": 28, "channels": 1, "road": False})
    calibrate(checkpoint, sets, "cpu", share=share)
    temperature, threshold = checkpoint.temperature, checkpoint.threshold
    images = torch.cat([each.images for each in sets]).float() / 255
    refused = certainty((Reader()(images) / temperature).softmax(1).numpy()) < threshold
    assert abs(refused.mean() - share) < 0.003 and refused[:400].sum() > refused[400:].sum()


def test_the_command_fits_anew_and_keeps_the_model_as_it_was(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.pth"
    save_checkpoint(
        path, Checkpoint(build_model("tiny"), "tiny", {"width": 12}, facts={"threshold": 9.0, "seed": 5})
    )
    monkeypatch.setattr(command, "load_mnist", lambda train, data_dir: digits)
    assert command.main([str(path), "--share", "0.02"]) == 0
    fitted = load_checkpoint(path)
    assert fitted.threshold < 9 and fitted.facts["refused_share"] == 0.02 and fitted.facts["seed"] == 5
    (backup,) = (tmp_path / "backups").iterdir()
    assert load_checkpoint(backup).threshold == 9 and str(backup.name) in capsys.readouterr().out
    assert np.isfinite(fitted.temperature)
