"""Checkpoints, resume files and exports for fuzz.py."""

from __future__ import annotations

import functools
import io
import random
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.hostile import damage
from benchmarks.hostile.damage import replaced


@functools.cache
def good_checkpoint() -> dict[str, Any]:
    import torch

    from base.checkpoint import Checkpoint, save_checkpoint
    from model import LineReader, build_model

    torch.manual_seed(0)
    facts = {"temperature": 1.5, "threshold": 0.3, "validation_accuracy": 0.9}
    model = build_model("residual", 10, {"width": 2}).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pth"
        save_checkpoint(
            path, Checkpoint(model, "residual", {"width": 2}, facts=facts, lines=LineReader().eval())
        )
        return torch.load(path, weights_only=True)


def saved(content: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def checkpoint_fields(rng: random.Random) -> bytes:
    return saved(_odd_tensors(replaced(good_checkpoint(), rng), rng))


def _odd_tensors(content: Any, rng: random.Random) -> Any:
    import torch

    parts = [
        key
        for key in ("weights", "lines")
        if isinstance(content, dict) and isinstance(content.get(key), dict) and content[key]
    ]
    if parts and rng.random() < 0.4:
        part = rng.choice(parts)
        name = rng.choice(list(content[part]))
        odd = rng.choice(
            [
                torch.zeros(0),
                torch.tensor(float("nan")),
                torch.zeros(3, 3),
                torch.zeros(2, dtype=torch.int8),
                torch.zeros(1).expand(10**6),
                torch.zeros(2, dtype=torch.complex64),
                torch.zeros(4, 4).to_sparse(),
            ]
        )
        value = content[part][name]
        if isinstance(value, torch.Tensor) and rng.random() < 0.5:
            odd = rng.choice(
                [value.double(), value.half(), value * float("nan"), value * 1e38, value.to(torch.int64)]
            )
        return {**content, part: {**content[part], name: odd}}
    return content


def nasty_checkpoints() -> list[bytes]:
    good = good_checkpoint()
    odd: list[dict[str, Any]] = [
        {"config": {"width": width}} for width in (0, -1, 10**4, 10**9, 2.5, "2", None)
    ]
    odd += [
        {"arch": "scratch", "config": {"layers": layers}}
        for layers in ([784, 10**5, 10**5], [784, 10**9], [], [784], None)
    ]
    odd += [
        {"input": taken}
        for taken in (
            {"size": 10**6, "channels": 3, "road": False},
            {"size": 0, "channels": 1, "road": False},
            {"size": 28, "channels": 1},
            {"size": 28, "channels": 7, "road": False},
        )
    ]
    odd += [{"classes": names} for names in ([], ["a"], ["a"] * 11, 5, ["7"] * 10, [None] * 10)]
    said: list[Any] = [
        {"temperature": 0},
        {"temperature": float("nan")},
        {"temperature": "x"},
        {"threshold": None},
        {"temperature": -1},
        {"threshold": float("nan")},
        [],
    ]
    odd += [{"facts": facts} for facts in said]
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        with zipfile.ZipFile(io.BytesIO(saved(good))) as whole:
            for entry in whole.infolist():
                if not entry.filename.endswith("data/0"):
                    file.writestr(entry.filename, whole.read(entry))
            name = next(entry.filename for entry in whole.infolist() if entry.filename.endswith("data/0"))
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(damage.BOMB >> 20):
                    member.write(bytes(1 << 20))
    return [saved({**good, **each}) for each in odd] + [bomb.getvalue()]


def resume_run() -> Any:
    """Return a run that a resume file may be restored into."""
    import torch

    from dataset import Digits
    from training.recipe import TrainConfig
    from training.run import Run

    images = (
        torch.arange(64 * 784, dtype=torch.int64).mul(97).remainder(256).to(torch.uint8).view(64, 1, 28, 28)
    )
    digits = Digits(images, torch.arange(64) % 10, "noise")
    return Run(
        TrainConfig(arch="tiny", epochs=1, batch_size=32, augment="none"),
        digits,
        digits,
        torch.device("cpu"),
        "fp32",
    )


@functools.cache
def good_resume() -> dict[str, Any]:
    import torch

    from training.resume import save

    run = resume_run()
    run.train_epoch()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.resume.pth"
        save(run, path)
        return torch.load(path, weights_only=True)


@functools.cache
def exported(kind: str) -> bytes:
    import export

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.pth"
        path.write_bytes(saved(good_checkpoint()))
        if export.main(["--model", str(path), "--format", kind]):
            raise RuntimeError(f"no {kind} export was made")
        return path.with_suffix(f".{kind}").read_bytes()
