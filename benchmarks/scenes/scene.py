"""What a scene is.

A scene prepares a folder, runs in it on a `Disk`, telling it what the user is told, and is checked against that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from base.command import one_line
from base.locks import LOCK
from base.storage import PARTIAL
from benchmarks.disk import Disk


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
