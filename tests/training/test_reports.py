"""What a training says: through what it was given, never by itself."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT

from base.checkpoint import MODEL_PATH
from training import reports
from training.recipe import NETWORKS, make_job
from training.reports import Reports
from training.rounds import default_output


@pytest.mark.parametrize(
    "path",
    [ROOT / "dataset.py", ROOT / "model.py", *sorted((ROOT / "training").glob("*.py"))],
    ids=lambda p: p.stem,
)
def test_the_library_prints_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    commands = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    told = {
        id(child) for main in commands for child in ast.walk(main)
    }  # `python -m training.convert` may print
    for node in ast.walk(tree):
        if id(node) in told:
            continue
        assert not (isinstance(node, ast.Name) and node.id in ("print", "tqdm")), f"line {node.lineno}"
        assert not (isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"))


def test_without_a_bar_a_line_comes_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 20))  # seconds
    monkeypatch.setattr(reports, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    lines: list[str] = []
    with Reports(note=lines.append).watch("abcdef", "epoch 3", 9, done=3) as letters:
        assert "".join(letters) == "abcdef"
    assert lines == ["epoch 3: 5 of 9", "epoch 3: 7 of 9", "epoch 3: 9 of 9"]


def test_a_bar_takes_the_place_of_the_lines() -> None:
    class Bar(list):
        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    options: list[dict] = []

    def bar(things: str, **given: object) -> Bar:
        options.append(given)
        return Bar(things)

    with Reports(bar=bar).watch("abc", "epoch 1", 3) as letters:
        assert list(letters) == ["a", "b", "c"]
    assert options == [{"desc": "epoch 1", "total": 3, "initial": 0}]


@pytest.mark.parametrize("arch", NETWORKS)
def test_another_network_does_not_take_the_place_of_the_shipped_one(arch: str) -> None:
    assert (default_output(arch) == MODEL_PATH) == (arch == "residual")
    assert default_output(arch).parent == MODEL_PATH.parent


def test_a_job_holds_what_was_asked_for(tmp_path: Path) -> None:
    from train import build_parser

    words = [
        "--arch",
        "tiny",
        "--epochs",
        "3",
        "--no-fallback",
        "--corrections",
        "--output",
        str(tmp_path / "x.pth"),
    ]
    job = make_job(vars(build_parser().parse_args(words)), "a command")
    assert job.recipe == {"arch": "tiny", "epochs": 3} and job.output == tmp_path / "x.pth"
    assert not job.fallback and not job.resume and job.command == "a command"
    assert job.corrections is not None and job.corrections.name == "corrections"
