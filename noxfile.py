"""Run the tests on the oldest and the newest supported Python and packages.

$ nox                   # needs nox and the Pythons; each environment takes some GB and minutes
"""

from __future__ import annotations

import re
from pathlib import Path

import nox

OLDEST, NEWEST = "3.11", "3.14"


def lower_bounds() -> list[str]:
    """Return every requirement at its lower bound."""
    text = "\n".join(
        Path(name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-dev.txt")
    )
    return [f"{name}=={version}" for name, version in re.findall(r"(?m)^([\w-]+)>=([\d.]+)", text)]


@nox.session(python=OLDEST)
def oldest(session: nox.Session) -> None:
    """The oldest Python with the oldest packages."""
    session.install(*lower_bounds())
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=NEWEST)
def newest(session: nox.Session) -> None:
    """The newest Python with the newest packages."""
    session.install("--upgrade", "-r", "requirements-dev.txt")
    session.run("python", "-m", "pytest", *session.posargs)
