"""Trainings here are of the network alone unless they ask for the line reader, which takes minutes."""

import pytest

from training.recipe import NETWORKS


@pytest.fixture(autouse=True)
def _no_line_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS["residual"].recipe, "lines_rounds", 0)
