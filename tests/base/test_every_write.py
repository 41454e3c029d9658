"""Every call to the disk fails once, and the power fails after every one: nothing that was said to be kept is lost.

`python -m benchmarks.faults` is the long form, which does so for trainings, exports and plots at every call.
"""

from __future__ import annotations

import ast
import errno
from pathlib import Path

import pytest
from conftest import ROOT

from base import storage
from benchmarks.disk import Disk, Step, after_power_loss
from benchmarks.faults import ERRORS, fail_once, power_losses, steps_of

SHORT = ["corrections", "forget all", "saved drawing", "last drawing", "settings"]
WRITES = {  # what a module other than base.storage may call of these, and why
    "base.locks": {"os.open", "os.unlink"},  # a file without content, to be locked
    "base.exports": {
        "tempfile.TemporaryDirectory",
        "torch.export.save",
        "torch.jit.save",
        "onnx.save",
    },  # drafts
    "base.checkpoint": {"torch.save"},  # into memory
    "corrections.store": {"np.savez_compressed"},  # into memory
    "training.convert": {"np.savez_compressed"},  # into an atomic_write
    "training.folders": {
        "tempfile.TemporaryFile",
        "os.truncate",
        "os.posix_fallocate",
    },  # a file without a name, gone with its program
    "measuring.plots": {"figure.savefig"},  # into an atomic_write
    "window.loop": {"pygame.image.save"},  # into an atomic_write
    "window.exchange": {  # into memory, or an atomic_write
        "pygame.image.save",
        "Image.fromarray(crop(canvas.ink)[0]).save",
    },
    "corrections.labelled": {
        "Image.fromarray(np.round(frame * 255).astype(np.uint8)).save"
    },  # into an atomic_write
    "training.rounds": {"save"},  # of training.resume, by base.checkpoint
    "ink.canvas": {"self.replace"},  # strokes
    "window.sheet": {"self.replace"},  # strokes
    "base.command": {"os.open"},  # /dev/null
    "dataset": {"packed.replace", "plain.replace"},  # imports nothing of ours; moves a damaged download aside
}
OF_PATHS = {
    "mkdir",
    "unlink",
    "rename",
    "rmdir",
    "touch",
    "write_text",
    "write_bytes",
    "symlink_to",
    "hardlink_to",
}
SAVES = {"save", "savefig", "savez", "savez_compressed", "imsave", "tofile", "truncate", "posix_fallocate"}


def written_by(path: Path) -> set[str]:
    """Return the calls in a module that write, move or delete files."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        owner, _, method = name.rpartition(".")
        words = {
            word.value
            for word in [*node.args, *(key.value for key in node.keywords)]
            if isinstance(word, ast.Constant)
        }
        opened = method in ("open", "fdopen") and words & {"w", "wb", "a", "ab", "x", "xb", "w+b", "wt"}
        moved = method in ("replace", "rename") and len(node.args) == 1 and not node.keywords
        of_os = owner == "os" and method in (
            "open",
            "replace",
            "rename",
            "remove",
            "makedirs",
            "link",
            "symlink",
        )
        made = owner in ("shutil", "tempfile") and method not in ("gettempdir", "get_terminal_size", "which")
        if method in OF_PATHS | SAVES or opened or moved or of_os or made:
            found.add(name)
    return found


def test_all_files_are_written_by_one_module() -> None:
    parts = ["base", "corrections", "ink", "measuring", "recognizer", "training", "window"]
    paths = [path for part in parts for path in sorted((ROOT / part).rglob("*.py"))] + [*ROOT.glob("*.py")]
    for path in paths:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        calls = written_by(path)
        if module != "base.storage":
            assert calls <= WRITES.get(module, set()), module


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("error", ERRORS)
def test_any_call_fails_once_and_nothing_is_lost(name: str, error: int, tmp_path: Path) -> None:
    for number in range(steps_of(name)):
        assert fail_once(name, number, error, False, tmp_path / f"{number}")
    assert not fail_once(name, 10_000, error, False, tmp_path / "none")


@pytest.mark.parametrize("name", SHORT)
def test_the_disk_stays_full_and_nothing_is_lost(name: str, tmp_path: Path) -> None:
    for number in range(steps_of(name)):
        assert fail_once(name, number, errno.ENOSPC, True, tmp_path / f"{number}")


@pytest.mark.parametrize("name", ["training", "resuming"])
def test_a_training_loses_no_model_and_no_epoch_when_a_call_fails(name: str, tmp_path: Path) -> None:
    for number in range(3, steps_of(name), 20):
        assert fail_once(name, number, ERRORS[number % 3], number % 2 == 0, tmp_path / f"{number}")


@pytest.mark.parametrize("name", SHORT)
def test_after_a_power_loss_at_any_instant_all_that_was_said_holds(name: str, tmp_path: Path) -> None:
    assert power_losses(name, tmp_path / "whole") >= 5


@pytest.mark.parametrize("name", ["corrections", "saved drawing", "last drawing", "settings"])
@pytest.mark.parametrize("left_out", ["fsync file", "fsync folder"])
def test_without_a_flush_a_power_loss_is_seen_to_lose_something(
    name: str, left_out: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="state"):
        power_losses(name, tmp_path, deaf=(left_out,))


def test_a_new_folder_is_flushed_into_the_one_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(storage, "os", disk := Disk(tmp_path / "disk"))
    storage.make_folder(tmp_path / "disk" / "a" / "b")
    storage.write_new(tmp_path / "disk" / "a" / "b", "file", ".txt", b"content")
    disk.say("kept")
    for state, said in after_power_loss({}, disk.steps):
        assert not said or state["a/b/file.txt"] == b"content"


def test_the_states_after_a_power_loss_are_those_that_posix_allows() -> None:
    steps = [Step("create", "a"), Step("write", "a", data=b"1234")]
    states = [state for state, _ in after_power_loss({}, steps)]
    assert sorted((state.get("a", b"-") for state in states), key=repr) == [
        b"",
        b"-",
        b"12",
        b"1234",
        bytes(4),
    ]
    flushed = [*steps, Step("fsync file", "a"), Step("replace", "a", "b")]
    last = [state for state, _ in after_power_loss({"b": b"old"}, [*flushed, Step("say", "now")])][-4:]
    assert {"b": b"old"} in last and {"b": b"1234"} in last and {"a": b"1234", "b": b"old"} in last
    done = [*flushed, Step("fsync folder", "."), Step("say", "now")]
    assert [state for state, said in after_power_loss({"b": b"old"}, done) if said] == [{"b": b"1234"}]
