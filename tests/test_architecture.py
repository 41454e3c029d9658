"""Imports run one way, torchvision stays lazy, and nothing runs on import."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT

COMMANDS = {"train", "test", "predict", "app", "export", "pairs"}
STANDALONE = {"canvas": {"numpy"}, "frame": {"numpy", "PIL", "scipy"}, "piece": {"numpy", "scipy", "frame"},
              "cuts": {"numpy", "scipy", "frame", "piece"},
              "segment": {"numpy", "scipy", "frame", "piece"},
              "paper": {"numpy", "PIL", "scipy", "frame"}, "page": {"numpy", "PIL", "scipy", "frame", "paper"},
              "decode": {"numpy", "PIL"}, "read_ink": {"numpy", "PIL", "scipy", "decode", "frame", "page", "paper"},
              "scratch": {"torch"}, "storage": set()}
MODULES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.glob("*.py")}


def imports(module: str) -> set[str]:
    """Return what a module imports when it runs: not what it names for the type checker alone."""
    names, nodes = set(), list(ast.walk(MODULES[module]))
    typing = [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    left_out = {id(child) for node in typing for child in ast.walk(node)}
    for node in nodes:
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def ours(module: str) -> set[str]:
    return imports(module) & set(MODULES)


def test_no_module_imports_a_command() -> None:
    offenders = {module: ours(module) & COMMANDS for module in MODULES if ours(module) & COMMANDS}
    assert not offenders


@pytest.mark.parametrize("module", STANDALONE)
def test_the_road_and_the_canvas_stand_alone(module: str) -> None:
    allowed = STANDALONE[module] | set(sys.stdlib_module_names) - {"test"}
    assert imports(module) <= allowed


def test_imports_have_no_cycle() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for other in ours(module):
                visit(other, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize("module, absent", [
    ("predict", {"torchvision", "matplotlib", "pygame"}), ("app", {"torch"}), ("read_ink", {"torch"}), ("frame", {"torch"}),
    ("canvas", {"torch"}), ("learn", {"torch"}), ("train", {"torchvision", "matplotlib"}), ("test", {"torchvision", "matplotlib"}),
])
def test_importing_stays_light(module: str, absent: set[str]) -> None:
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}; print(*({absent!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0 and result.stdout == "\n", result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES)
def test_importing_prints_and_runs_nothing(module: str) -> None:
    for node in MODULES[module].body:
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant), f"{module}.py runs line {node.lineno} on import"


def test_checkpoints_are_read_with_weights_only() -> None:
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords), module
