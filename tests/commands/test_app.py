"""The command: options, start, screenshots."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pygame
import pytest
from conftest import ROOT
from PIL import Image

import app as command
from ink.canvas import Canvas
from window.settings import drawing_path, keep_drawing

SEVEN = [(150, 60), (260, 55), (200, 220)]  # canvas units


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
@pytest.mark.parametrize("display", [{"SDL_VIDEODRIVER": "x11", "DISPLAY": ":987"}, {}])
def test_no_display_is_one_clear_line(display: dict[str, str], tmp_path: Path) -> None:
    environment = {"PATH": "", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), **display}
    done = subprocess.run(
        [sys.executable, ROOT / "app.py"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("app.py: no window can be opened") and done.stderr.count("\n") == 1


def test_the_window_is_up_before_torch_is_imported(tmp_path: Path) -> None:
    code = """
import app
import sys
from window import app as window
import pygame
def draw(app, original=window.App.draw):
    print("torch" in sys.modules, "torchvision" in sys.modules, pygame.display.get_surface() is not None)
    app.running = False
    return original(app)
window.App.draw = draw
sys.exit(app.main(["--size", "640x480"]))
"""
    environment = {
        "SDL_VIDEODRIVER": "dummy",
        "PATH": "",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[0] == "False False True", done.stderr
    assert done.returncode == 0 and done.stderr == ""


def test_training_beside_a_window_leaves_triton_out(tmp_path: Path) -> None:
    code = """
import sys, app
assert app.main(["--screenshot", "shot.png", "--size", "640x480"]) == 0
import torch
torch.optim.SGD([torch.zeros(1)], 0.1)          # imports torch._dynamo, and that triton, which beside Mesa's LLVM crashes
print("torch._dynamo" in sys.modules, sys.modules.get("triton"))
"""
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1:] == ["True None"], done.stderr


def test_a_screenshot_of_strokes_shows_their_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    canvas = Canvas(560, 280)
    canvas.begin(*SEVEN[0])
    for point in SEVEN[1:]:
        canvas.extend(*point)
    canvas.end()
    (tmp_path / "seven.json").write_text(canvas.to_json())
    words = [
        tmp_path / "seven.json",
        "--screenshot",
        tmp_path / "shot.png",
        "--size",
        "640x480",
        "--theme",
        "dark",
    ]
    assert command.main([str(word) for word in words]) == 0
    pygame.display.init()
    with Image.open(tmp_path / "shot.png") as picture:
        assert picture.size == (640, 480)
    assert not (tmp_path / "handwritten-digits" / "settings.json").exists()


def test_a_screenshot_of_a_picture_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Image.new("RGB", (400, 200), (200, 220, 90)).save(tmp_path / "green.png")
    shot = tmp_path / "shot.png"
    assert command.main([str(tmp_path / "green.png"), "--screenshot", str(shot), "--size", "640x480"]) == 0
    pygame.display.init()
    with Image.open(shot) as picture:
        assert picture.convert("RGB").getpixel((320, 180)) == (200, 220, 90)


@pytest.mark.parametrize("name", ["green.png", "other.json"])
def test_opening_a_file_does_not_lose_the_drawing_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    canvas = Canvas(560, 280)
    canvas.begin(*SEVEN[0])
    canvas.extend(*SEVEN[1])
    canvas.end()
    keep_drawing(canvas)
    before = drawing_path().read_bytes()
    Image.new("RGB", (400, 200), (200, 220, 90)).save(tmp_path / "green.png")
    (tmp_path / "other.json").write_text(canvas.to_json().replace("150", "160"))
    monkeypatch.setattr("window.loop.run", lambda app, wake: None)
    assert command.main([str(tmp_path / name), "--size", "640x480"]) == 0
    pygame.display.init()
    assert drawing_path().read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ["--size", "big"],
        ["--size", "1x1"],
        ["--size", "479x360"],
        ["--scale", "9"],
        ["--scale", "x"],
        ["--theme", "pink"],
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(words)
    assert stopped.value.code == 2
    capsys.readouterr()


def test_strokes_that_are_not_there_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        str(tmp_path / "absent.json"),
        "--screenshot",
        str(tmp_path / "shot.png"),
        "--size",
        "640x480",
    ]
    assert command.main(words) == 1
    assert "absent.json: no such file" in capsys.readouterr().err and not (tmp_path / "shot.png").exists()
