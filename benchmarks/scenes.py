"""What a user does that writes files, in small: each with what must be there afterwards, whatever fails in between.

A scene prepares a folder, runs in it on a `Disk`, telling it what the user is told, and is checked against that.
"""

from __future__ import annotations

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from base.command import one_line
from base.locks import LOCK
from base.storage import PARTIAL, atomic_write
from benchmarks.disk import Disk

ROOT = Path(__file__).resolve().parent.parent


class Scene(ABC):
    """Something that a user does."""

    def prepare(self, folder: Path) -> None:  # noqa: B027
        """Lay out what is there before, in an empty folder."""

    @abstractmethod
    def run(self, folder: Path, disk: Disk) -> list[str]:
        """Do it, and return the messages of what failed."""

    @abstractmethod
    def check(self, folder: Path, said: list[str]) -> None:
        """Raise AssertionError, or what a reader raises, unless all that was `said` to the user holds."""


@contextmanager
def telling(errors: list[str]) -> Iterator[None]:
    """Note an error that a command would tell, as it would."""
    try:
        yield
    except (OSError, ValueError) as error:
        errors.append(one_line(error))


def litter(folder: Path) -> list[Path]:
    """Return the temporary files below a folder."""
    return [path for path in folder.rglob(".*") if path.name.endswith((PARTIAL, LOCK))]


# ---------------------------------------------------------------------------------- corrections


class Corrections(Scene):
    """Corrections are given, taken back, forgotten one by one and all; a damaged one lies there."""

    def prepare(self, folder: Path) -> None:
        from corrections.memory import Memory

        kept = Memory(folder / "new" / "corrections").learn(np.full((28, 28), 0.5, np.float32), "5")
        (folder / "before").write_text(kept.id)
        damaged = folder / "new" / "corrections" / "20200101T000000000000-000-abcdef.npz"
        damaged.write_bytes(b"damaged")

    def run(self, folder: Path, disk: Disk) -> list[str]:
        from corrections.memory import Memory

        errors: list[str] = []
        self.memory = memory = Memory(folder / "new" / "corrections")
        noise = np.random.default_rng(0)

        def learn(label: str) -> None:
            with telling(errors):
                disk.say("+" + memory.learn(noise.random((28, 28), np.float32), label).id)

        def take(which: Callable[[], Any], ids: list[str]) -> None:
            for each in ids:
                disk.say("?" + each)
            with telling(errors):
                which()
                for each in ids:
                    disk.say("-" + each)

        learn("1")
        learn("2")
        take(memory.undo, [entry.id for entry in memory.entries()[-1:]])
        learn("3")
        if memory.entries():
            first = memory.entries()[0].id
            take(lambda: memory.forget(first), [first])
        other = Memory(folder / "another" / "place")
        with telling(errors):
            disk.say("*" + other.learn(noise.random((28, 28), np.float32), "4").id)
        return errors

    def check(self, folder: Path, said: list[str]) -> None:
        from corrections.memory import Memory

        kept = {(folder / "before").read_text()}
        for word in said:
            if word[0] == "+":
                kept.add(word[1:])
            elif word[0] == "?":
                kept.discard(word[1:])
        gone = {word[1:] for word in said if word[0] == "-"}
        memory = Memory(folder / "new" / "corrections")
        there = {entry.id for entry in memory.entries()}
        assert kept <= there, f"corrections lost: {kept - there}"
        assert not gone & there, f"corrections that came back: {gone & there}"
        damaged = [path.read_bytes() for path in memory.folder.rglob("2020*")]
        assert damaged and set(damaged) == {b"damaged"}, "a damaged file was not kept"
        others = {entry.id for entry in Memory(folder / "another" / "place").entries()}
        assert {word[1:] for word in said if word[0] == "*"} <= others, "the first correction is lost"


class ForgetAll(Scene):
    """All corrections are forgotten."""

    def prepare(self, folder: Path) -> None:
        from corrections.memory import Memory

        memory = Memory(folder)
        for label in "123":
            memory.learn(np.full((28, 28), int(label) / 9, np.float32), label)

    def run(self, folder: Path, disk: Disk) -> list[str]:
        from corrections.memory import Memory

        errors: list[str] = []
        with telling(errors):
            Memory(folder).forget_all()
            disk.say("forgotten")
        return errors

    def check(self, folder: Path, said: list[str]) -> None:
        from corrections.memory import Memory

        memory = Memory(folder)
        assert not memory.damaged and not (said and len(memory)), "forgotten corrections came back"


# ---------------------------------------------------------------------------------- the window


def drawn(length: int) -> Any:
    """Return a canvas with a stroke of its own."""
    from window.sheet import Sheet

    canvas = Sheet()
    canvas.begin(100, 40)
    canvas.extend(100, 40 + length)
    canvas.end()
    return canvas


class SavedDrawing(Scene):
    """A drawing is saved beside an earlier one, as strokes and as a picture."""

    def prepare(self, folder: Path) -> None:
        (folder / "drawing.json").write_text(drawn(100).to_json())

    def run(self, folder: Path, disk: Disk) -> list[str]:
        from window.exchange import Exchange

        messages: list[str] = []
        app = SimpleNamespace(drawing=SimpleNamespace(canvas=drawn(50)), folder=folder, say=messages.append)
        app.settings, app.close_card = SimpleNamespace(folder=""), lambda: None
        for name in ("drawing-2.json", "drawing-2.png"):
            Exchange(app).save(folder / name)  # type: ignore[arg-type]
            if messages[-1].startswith("Saved "):
                disk.say(Path(messages.pop().removeprefix("Saved ")).name)
        return messages

    def check(self, folder: Path, said: list[str]) -> None:
        assert (folder / "drawing.json").read_text() == drawn(100).to_json(), "the earlier drawing is damaged"
        for path in folder.glob("drawing-*.json"):
            assert path.read_text() == drawn(50).to_json(), f"{path.name} is a part"
        from window.sheet import crop

        for path in folder.glob("*.png"):
            with Image.open(path) as image:
                assert (np.asarray(image) == crop(drawn(50).ink)[0]).all()
        for name in said:
            assert (folder / name).exists(), f"{name} was saved and is not there"


class LastDrawing(Scene):
    """The drawing is kept at the end, brought back, changed by two windows, cleared; a damaged one is kept aside."""

    def prepare(self, folder: Path) -> None:
        (folder / "drawing.json").write_bytes(b"damaged")

    def run(self, folder: Path, disk: Disk) -> list[str]:
        from ink.canvas import Canvas
        from window.settings import bring_back_drawing, keep_drawing

        errors: list[str] = []
        path = folder / "drawing.json"

        def keep(canvas: Canvas) -> None:
            with telling(errors):
                keep_drawing(canvas, path)
                disk.say(canvas.to_json())

        first, second = Canvas(560, 280), Canvas(560, 280)
        bring_back_drawing(first, path)
        first.replace(drawn(100).strokes)
        keep(first)
        bring_back_drawing(second, path)
        first.replace(drawn(150).strokes)
        keep(first)
        second.replace(drawn(200).strokes)
        disk.say("")
        keep(second)
        return errors

    def check(self, folder: Path, said: list[str]) -> None:
        from ink.canvas import Canvas

        found = [path.read_text() for path in folder.iterdir() if not path.name.startswith(".")]
        for content in found:
            assert content == "damaged" or Canvas(560, 280).load_json(content)
        assert "damaged" in found, "what could not be read was not kept"
        kept = [word for word in said if word]
        assert not kept or (kept[-1] in found) or len(kept) == 1, "a drawing is lost"
        if len(kept) == 1:
            assert {kept[0], drawn(150).to_json()} & set(found), "a drawing is lost"
        if len(kept) == 3:
            assert kept[1] in found, "another window's drawing is lost"


class SettingsKept(Scene):
    """The settings are kept, after damaged ones."""

    def prepare(self, folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "settings.json").write_text("damaged")

    def run(self, folder: Path, disk: Disk) -> list[str]:
        from window.settings import Settings, load_settings, save_settings

        path = folder / "data" / "settings.json"
        load_settings(path)
        for width in (800, 900):
            if save_settings(Settings(width, 600, "dark"), path):
                disk.say(str(width))
        return []

    def check(self, folder: Path, said: list[str]) -> None:
        from window.settings import load_settings

        kept = [path.read_text() for path in (folder / "data").iterdir() if not path.name.startswith(".")]
        path = folder / "data" / "settings.json"
        assert all(content == "damaged" or json.loads(content) for content in kept)
        width = load_settings(path).width
        assert width in {"": (1024, 800, 900), "800": (800, 900), "900": (900,)}[said[-1] if said else ""]


# ---------------------------------------------------------------------------------- training and commands


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


SCENES: dict[str, type[Scene]] = {
    "corrections": Corrections,
    "forget all": ForgetAll,
    "saved drawing": SavedDrawing,
    "last drawing": LastDrawing,
    "settings": SettingsKept,
    "training": Training,
    "resuming": Resuming,
    "export": Exporting,
    "plot": Plotting,
}


def write_again(folder: Path) -> None:
    """Write each file below a folder again, as it is: what a crash left of the time before is swept up."""
    for path in [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]:
        content = path.read_bytes()
        with atomic_write(path) as file:
            file.write(content)
