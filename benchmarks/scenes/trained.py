"""Trainings, exports and plots."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image

from benchmarks.disk import Disk
from benchmarks.scenes.kept import drawn
from benchmarks.scenes.scene import Scene, telling


@cache
def noise() -> Any:
    """Return 320 pictures of noise in the place of MNIST."""
    import torch

    from dataset import Digits

    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (320, 1, 28, 28), dtype=torch.uint8, generator=generator)
    return Digits(pictures, torch.arange(320) % 10, "noise")


@cache
def earlier_model() -> bytes:
    """Return the file of a small network of another run."""
    import torch

    from base.checkpoint import Checkpoint, save_checkpoint
    from model import build_model

    torch.manual_seed(0)
    with mock.patch("base.checkpoint.atomic_write") as write:
        save_checkpoint("", Checkpoint(build_model("scratch"), "scratch", {}))
        return bytes(write.return_value.__enter__.return_value.write.call_args.args[0])


class Training(Scene):
    """A network is trained where another run's lies, with a log."""

    resume = False

    def prepare(self, folder: Path) -> None:
        (folder / "model.pth").write_bytes(earlier_model())
        (folder / "log.jsonl").write_text('{"cut short')

    def run(self, folder: Path, disk: Disk, stop: bool = False) -> list[str]:
        from training.recipe import Job
        from training.reports import Reports
        from training.rounds import StopSignals, train_network

        errors: list[str] = []
        job = Job(
            {"arch": "tiny", "epochs": 2, "batch_size": 64, "augment": "none"},
            resume=self.resume,
            output=folder / "model.pth",
            device="cpu",
            precision="fp32",
        )
        reports = Reports(say=disk.say, note=disk.say, warn=errors.append, log=folder / "log.jsonl")
        with telling(errors), mock.patch("dataset.load_mnist", lambda *_, **__: noise()):
            with mock.patch.object(StopSignals, "received", lambda _: 15 if stop else None):
                if train_network(job, reports) == 0:
                    disk.say("done")
        return errors

    def check(self, folder: Path, said: list[str]) -> None:
        from base.checkpoint import load_checkpoint, read_plain

        model, resume = folder / "model.pth", folder / "model.resume.pth"
        facts = load_checkpoint(model).facts
        if resume.exists():
            assert read_plain(resume)["epoch"] <= 2
        epochs = [int(word.split()[1][:-1]) for word in said if word.startswith("epoch ")]
        written = facts.get("epochs") == 2
        if any("wrote" in word for word in said):
            assert written, "the model that was written is lost"
        elif epochs and not written:
            assert resume.exists() and read_plain(resume)["epoch"] >= epochs[-1], "an epoch is lost"
        earlier = [path for path in folder.rglob("*.pth") if path.read_bytes() == earlier_model()]
        assert earlier, "the earlier model is lost"
        for path in (folder / "backups").glob("model-*"):
            load_checkpoint(path)


class Resuming(Training):
    """A training that was stopped after one epoch goes on."""

    resume = True

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        self.resume = False
        super().run(folder, Disk(folder), stop=True)
        self.resume = True
        assert (folder / "model.resume.pth").exists()

    def check(self, folder: Path, said: list[str]) -> None:
        super().check(folder, ["epoch 0:", *said])


class Exporting(Scene):
    """A network is exported over an export of before."""

    def prepare(self, folder: Path) -> None:
        (folder / "model.pth").write_bytes(earlier_model())
        (folder / "model.torchscript").write_bytes(b"old digits-export-v1")

    def run(self, folder: Path, disk: Disk) -> list[str]:
        import export

        words = ["--model", str(folder / "model.pth"), "--format", "torchscript"]
        told = io.StringIO()
        with redirect_stdout(io.StringIO()), redirect_stderr(told):
            if export.main(words) == 0:
                disk.say("done")
        return told.getvalue().splitlines()

    def check(self, folder: Path, said: list[str]) -> None:
        import torch

        content = (folder / "model.torchscript").read_bytes()
        if content != b"old digits-export-v1":
            torch.jit.load(io.BytesIO(content))
        assert not said or content != b"old digits-export-v1", "the export is lost"


class Plotting(Scene):
    """A picture is read and drawn over a plot of before."""

    def prepare(self, folder: Path) -> None:
        image = Image.fromarray(drawn(150).picture())
        image.save(folder / "one.png")
        (folder / "plot.png").write_bytes(b"old handwritten-digits-plot-v1")

    def run(self, folder: Path, disk: Disk) -> list[str]:
        import predict

        errors: list[str] = []
        words = [str(folder / "one.png"), "--plot", str(folder / "plot.png")]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), telling(errors):
            if predict.main(words) == 0:
                disk.say("done")
        return errors

    def check(self, folder: Path, said: list[str]) -> None:
        content = (folder / "plot.png").read_bytes()
        if content != b"old handwritten-digits-plot-v1":
            Image.open(io.BytesIO(content)).load()
        assert not said or content != b"old handwritten-digits-plot-v1", "the plot is lost"
