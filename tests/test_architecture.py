"""Imports run one way between the parts of the house, torchvision stays lazy, and nothing runs on import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

COMMANDS = {"train", "test", "predict", "app", "export"}
LIBRARIES = {"model", "scratch", "dataset"}
PACKAGES = {"ink", "recognizer", "corrections", "training", "measuring", "window", "base"}
MAY_IMPORT: dict[str, set[str]] = {  # a part, and the others that it may import
    "ink": set(),
    "dataset": set(),
    "scratch": set(),
    "model": {"scratch", "ink"},
    "base": {"model", "ink"},
    "corrections": {"base"},
    "recognizer": {"ink", "corrections", "base", "model"},
    "training": {"recognizer", "ink", "corrections", "base", "model", "dataset", "scratch"},
    "measuring": {"recognizer", "ink", "base", "dataset", "model"},
    "window": {"recognizer", "corrections", "ink", "base", "training"},
}
READING = {"ink", "corrections", "recognizer", "base", "window", "predict", "app"}  # what works without torch
WRITES_EXPORTS = "base.exports"  # the one module of these that begins with torch
WINDOW_TRAINS = {"training.lesson", "training.finetune"}  # all that the window may import of training


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = [
    *ROOT.glob("*.py"),
    *(path for name in sorted(PACKAGES) for path in sorted((ROOT / name).rglob("*.py"))),
]
MODULES = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in PATHS if path.stem != "noxfile"
}


def imports(module: str, typing: bool = False) -> set[str]:
    """Return the modules that `module` imports, ours by their full names; those for the type checker alone with `typing`."""
    nodes = list(ast.walk(MODULES[module]))
    checked = [
        node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    left_out = set() if typing else {id(child) for node in checked for child in ast.walk(node)}
    names = set()
    for node in nodes:
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (inner & set(MODULES)) or {node.module}
    return names


def part_of(name: str) -> str:
    return name.split(".")[0]


def ours(module: str, typing: bool = False) -> set[str]:
    return {
        name
        for name in imports(module, typing)
        if part_of(name) in PACKAGES | LIBRARIES | COMMANDS and name != "test"
    }


def test_the_root_holds_commands_and_networks_alone() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == COMMANDS | LIBRARIES | {"noxfile"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    part = part_of(module)
    if part in COMMANDS:
        assert not {name for name in ours(module) if part_of(name) in COMMANDS - {part}}
        return
    others = {name for name in ours(module, typing=True) if part_of(name) != part}
    assert {part_of(name) for name in others} <= MAY_IMPORT[part]
    if part == "window":
        assert {name for name in others if part_of(name) == "training"} <= WINDOW_TRAINS


def at_once(module: str) -> set[str]:
    """Return the parts, ours and others, that are imported when `module` is."""
    names: set[str] = set()
    for node in MODULES[module].body:
        if isinstance(node, ast.Import):
            names |= {part_of(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(part_of(node.module))
    return names


@pytest.mark.parametrize(
    "module", [name for name in MODULES if part_of(name) in READING and name != WRITES_EXPORTS]
)
def test_what_reads_begins_without_torch(module: str) -> None:
    assert not at_once(module) & {"torch", "model", "scratch", "dataset", "training", "measuring"}


def test_imports_have_no_circle() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module in MODULES and module not in done:
            for other in ours(module) - {module}:
                visit(other, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_packages_are_of_a_size_to_read() -> None:
    for folder in {path.parent for path in PATHS} - {ROOT}:
        modules = [path for path in folder.glob("*.py") if path.stem != "__init__"]
        assert 2 <= len(modules) <= 16, folder.name


@pytest.mark.parametrize(
    "module, absent",
    [
        ("predict", {"torchvision", "matplotlib", "pygame"}),
        ("app", {"torch"}),
        ("ink.looks", {"torch"}),
        ("ink.frame", {"torch"}),
        ("ink.canvas", {"torch"}),
        ("corrections.memory", {"torch"}),
        ("recognizer.many", {"torch", "model", "onnxruntime"}),
        ("train", {"torch", "numpy"}),
        ("training.rounds", {"torchvision", "matplotlib", "torchmetrics"}),
        ("test", {"torchvision", "matplotlib"}),
        ("recognizer", {"torch"}),
    ],
)
def test_importing_stays_light(module: str, absent: set[str]) -> None:
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}; print(*({absent!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0 and result.stdout == "\n", result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES)
def test_importing_prints_and_runs_nothing(module: str) -> None:
    for node in MODULES[module].body:
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant), f"{module} runs line {node.lineno} on import"


def test_checkpoints_are_read_with_weights_only() -> None:
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert any(
                    k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords
                ), module
