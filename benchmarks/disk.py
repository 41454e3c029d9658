"""A disk under base.storage that notes every step, lets one fail, and tells what a power loss may leave of them.

POSIX promises of what was written only what was flushed: a file's bytes by fsync of the file, its name by fsync of its
folder. All else may be there or not, bytes also by half or as zeros, in any order.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

MODULES = ("base.storage.os", "base.locks.os")  # what a Disk takes the place of
PIECE = 1 << 15  # bytes; of more, a system may write less than it is given, and this one does
MOST_PENDING = 6  # changes of names not flushed, up to which all choices of them are tried
Files = dict[str, bytes | None]  # what lies below a folder: relative paths -> contents, None for a folder


@dataclass(frozen=True)
class Step:
    """One call, or a word of the program about what it has done (`kind` "say", `path` the word)."""

    kind: str
    path: str  # relative to the disk's root
    other: str = ""  # the new name
    data: bytes = b""


@dataclass
class Disk:
    """Stands in for the module `os`: calls go through to it, and those below `root` are noted.

    The call number `fails` (from 0) raises OSError with `error`, and those after it too if `stays`. Kinds of calls in
    `deaf` ("fsync file", "fsync folder") say that they are done and are not noted: a program that left them out.
    """

    root: Path
    fails: int = -1
    error: int = 0
    stays: bool = False
    deaf: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    calls: int = 0
    failed: str = ""  # the kind of the call that failed first
    said: list[str] = field(default_factory=list)
    _open: dict[int, str] = field(default_factory=dict)  # descriptor -> path

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def say(self, word: str) -> None:
        """Note what the program has told its user."""
        self.said.append(word)
        self.steps.append(Step("say", word))

    @contextmanager
    def in_place(self) -> Iterator[Disk]:
        """Let base.storage and base.locks work with this disk."""
        with mock.patch(MODULES[0], self), mock.patch(MODULES[1], self):
            yield self

    def _call(self, kind: str, path: Any, do: Callable[[], Any], other: Any = "", data: bytes = b"") -> Any:
        number, self.calls = self.calls, self.calls + 1
        if number == self.fails or (self.stays and 0 <= self.fails < number):
            self.failed = self.failed or kind
            raise OSError(self.error, os.strerror(self.error), *([str(path)] if kind != "write" else []))
        done = do()
        name, new = (
            os.path.relpath(each, os.path.realpath(self.root)) if each else "" for each in (path, other)
        )
        if not name.startswith("..") and kind not in self.deaf:
            self.steps.append(Step(kind, name, new, data))
        return done

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        path = os.path.realpath(os.fspath(path))
        new = bool(flags & os.O_CREAT) and not os.path.exists(path)
        kind = "create" if new else "open"
        descriptor = self._call(kind, path, lambda: os.open(path, flags, mode))
        self._open[descriptor] = path
        return descriptor

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        os.close(descriptor)

    def write(self, descriptor: int, content: Any) -> int:
        data = bytes(content[: max(len(content) // 2, PIECE)])
        return self._call("write", self._open[descriptor], lambda: os.write(descriptor, data), data=data)

    def fsync(self, descriptor: int) -> None:
        path = self._open[descriptor]
        kind = "fsync folder" if os.path.isdir(path) else "fsync file"
        self._call(kind, path, lambda: None)  # the tests' own disk need not wait

    def replace(self, source: Any, target: Any) -> None:
        source, target = os.path.abspath(source), os.path.abspath(target)
        self._call("replace", source, lambda: os.replace(source, target), target)

    def link(self, source: Any, target: Any, follow_symlinks: bool = True) -> None:
        source, target = os.path.abspath(source), os.path.abspath(target)
        self._call("link", source, lambda: os.link(source, target, follow_symlinks=follow_symlinks), target)

    def unlink(self, path: Any) -> None:
        self._call("unlink", os.path.abspath(path), lambda: os.unlink(path))

    def mkdir(self, path: Any) -> None:
        self._call("mkdir", os.path.abspath(path), lambda: os.mkdir(path))

    def rmdir(self, path: Any) -> None:
        self._call("unlink", os.path.abspath(path), lambda: os.rmdir(path))

    def chmod(self, path: Any, mode: int) -> None:
        self._call("chmod", os.path.abspath(path), lambda: os.chmod(path, mode))


def files_below(folder: Path) -> Files:
    """Return what lies below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def lay_out(files: Files, folder: Path) -> None:
    """Write files and folders below a new folder."""
    folder.mkdir()
    for name, content in sorted(files.items()):
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)


# ---------------------------------------------------------------------------------- power loss


@dataclass
class _Node:
    """A file's bytes, or a folder (`flushed` None)."""

    flushed: bytes | None = b""
    written: bytes = b""

    def versions(self) -> set[bytes | None]:
        """Return what a power loss may leave of it."""
        if self.flushed is None or self.written == self.flushed:
            return {self.flushed}
        kept, new = self.flushed, self.written[len(self.flushed) :]
        return {kept, kept + new[: len(new) // 2], kept + bytes(len(new)), self.written}


Change = tuple[
    tuple[tuple[str, "_Node | None"], ...], set[str]
]  # names and what they name, the folders they lie in


def after_power_loss(before: Files, steps: list[Step]) -> Iterator[tuple[Files, list[str]]]:
    """Yield every state that a power loss may leave at any instant, with what the program had said by then.

    `before`: what lay there, flushed. No state comes twice with the same words.
    """
    names = {
        name: _Node(content, content or b"") if content is not None else _Node(None)
        for name, content in before.items()
    }
    flushed, said = dict(names), list[str]()
    pending: list[Change] = []
    seen: set[tuple[frozenset[tuple[str, bytes | None]], int]] = set()
    for step in [Step("say", ""), *steps]:
        if step.kind == "say":
            said = [*said, step.path] if step.path else said
        elif (change := _change(step, names)) is not None:
            pending.append(change)
        elif step.kind == "write":
            names[step.path].written += step.data
        elif step.kind == "fsync file":
            names[step.path].flushed = names[step.path].written
        elif step.kind == "fsync folder":
            for entries, folders in pending:
                if step.path in folders:
                    _apply(flushed, entries)
            pending = [change for change in pending if step.path not in change[1]]
        for state in _states(flushed, pending):
            mark = frozenset(state.items()), len(said)
            if mark not in seen:
                seen.add(mark)
                yield state, said


def _change(step: Step, names: dict[str, _Node]) -> Change | None:
    """Bring a step's change of names to `names` and return it; None if it changes none."""
    entries: tuple[tuple[str, _Node | None], ...]
    if step.kind in ("create", "mkdir"):
        entries = ((step.path, _Node() if step.kind == "create" else _Node(None)),)
    elif step.kind == "unlink":
        entries = ((step.path, None),)
    elif step.kind == "replace":
        entries = ((step.path, None), (step.other, names[step.path]))
    elif step.kind == "link":
        entries = ((step.other, names[step.path]),)
    else:
        return None
    _apply(names, entries)
    return entries, {os.path.dirname(name) or "." for name, _ in entries}


def _apply(names: dict[str, _Node], entries: tuple[tuple[str, _Node | None], ...]) -> None:
    for name, node in entries:
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _states(flushed: dict[str, _Node], pending: list[Change]) -> Iterator[Files]:
    """Yield what may be there: each choice of the changes of names that are pending, each version of the files."""
    count = len(pending)
    choices: list[tuple[int, ...]]
    if count <= MOST_PENDING:
        choices = [
            chosen for size in range(count + 1) for chosen in itertools.combinations(range(count), size)
        ]
    else:  # those up to an instant, and all but one
        choices = [tuple(range(end)) for end in range(count + 1)]
        choices += [tuple(each for each in range(count) if each != left) for left in range(count)]
    for chosen in choices:
        names = dict(flushed)
        for number in chosen:
            _apply(names, pending[number][0])
        there = {name: node for name, node in names.items() if _is_reached(name, names)}
        nodes = list({id(node): node for node in there.values()}.values())
        for versions in itertools.product(*(sorted(node.versions(), key=repr) for node in nodes)):
            content = {id(node): version for node, version in zip(nodes, versions)}
            yield {name: content[id(node)] for name, node in there.items()}


def _is_reached(name: str, names: dict[str, _Node]) -> bool:
    """Return whether the folders above a name are there."""
    above = os.path.dirname(name)
    return not above or (above in names and names[above].flushed is None and _is_reached(above, names))
