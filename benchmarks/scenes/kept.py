"""Corrections, drawings and settings, in corrections/ and the window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.disk import Disk
from benchmarks.scenes.scene import Scene, telling


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
