"""README's commands are real: each parses with its own command's parser, and its Python runs."""

import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"python (\w+)\.py([^`\n#|&\\]*)", README)))
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def test_the_first_two_blocks_are_one_line_each_and_make_their_own_environment() -> None:
    first, second = (text.strip() for _, text in BLOCKS[:2])
    assert "\n" not in first + second
    assert (
        first
        == "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python predict.py examples/"
    )
    assert (
        second
        == "python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt && .venv/bin/python -m pytest"
    )


@pytest.mark.parametrize("name, words", COMMANDS)
def test_every_command_parses(name: str, words: str) -> None:
    parser = importlib.import_module(name).build_parser()
    if "--help" not in words:
        parser.parse_args(shlex.split(words))


def test_the_python_example_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").mkdir()
    for name in ("model.pth", "examples/seven.png"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    (code,) = [text for language, text in BLOCKS if language == "python"]
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "7\n"
    with Image.open("seen.png") as picture:
        assert min(picture.size) > 200


def test_every_file_named_exists() -> None:
    made = (ROOT / ".gitignore").read_text(encoding="utf-8").split()  # by the program itself
    for name in set(re.findall(r"`([\w/]+(?:\.py|/))`", README)) - set(made):
        assert (ROOT / name).exists(), name
    for page in (ROOT / "docs").glob("*.md"):
        for name in re.findall(r"python (\w+\.py)", page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{page.name}: {name}"
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / name).exists(), name
    assert (ROOT / "RESULTS.md").exists()


def test_every_check_of_ci_runs_on_every_system() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    steps = re.findall(r"^\.ci-venv/bin/(.+)$", script, re.MULTILINE)
    assert len(steps) >= 5
    for step in steps:
        assert f"- run: {step.replace(' --quiet', '').replace(' --no-compile', '')}\n" in workflow, step
    for word in ("ubuntu", "macos", "windows", '"3.11"', '"3.14"'):
        assert word in workflow
