"""The lesson: a tiny network that really learns."""

from __future__ import annotations

from typing import Any

from training.lesson import new_network, teach


def test_the_tiny_network_learns_to_read(digits: Any) -> None:
    pupil = new_network(seed=0)
    reports = list(teach(pupil.model, digits, steps=150))
    assert reports[0].accuracy < 0.5 < 0.85 < reports[-1].accuracy
    assert [report.step for report in reports] == list(range(5, 151, 5))
    assert not pupil.model.training


def test_a_pupil_of_the_same_seed_is_the_same() -> None:
    first, second = new_network(seed=3).model.state_dict(), new_network(seed=3).model.state_dict()
    assert all((first[name] == second[name]).all() for name in first)
