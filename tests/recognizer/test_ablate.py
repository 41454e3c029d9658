"""Every rule of the ablation stands where its table says, and is put back after it was switched off."""

import numpy as np
import pytest

from benchmarks.ablate import RULES, replaced, same
from ink.piece import Piece


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_switched_off_and_put_back(name: str) -> None:
    holder, attribute = RULES[name].find()
    real = vars(holder)[attribute]
    with replaced({name: RULES[name].off}):
        assert vars(holder)[attribute] is not real
    assert vars(holder)[attribute] is real


def test_answers_of_a_rule_are_compared_by_what_they_hold() -> None:
    ink, piece = np.ones((3, 4)), Piece((0, 0, 4, 3), np.ones((3, 4)))
    assert same([ink, 1], [ink.copy(), 1]) and same((piece,), (piece,)) and same(None, None)
    assert not same(ink, ink * 2) and not same([1], [1, 2]) and not same(piece, None) and not same(0.5, None)
