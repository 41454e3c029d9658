"""How a reading is put into words."""

from __future__ import annotations

import pytest

from recognizer.answer import as_percent


@pytest.mark.parametrize(
    "confidence, words",
    [
        (0.0, "0.0%"),
        (0.7, "70.0%"),
        (0.69999, "69.9%"),
        (0.9496, "94.9%"),
        (0.95, "95.0%"),
        (0.9999, "99.9%"),
        (1.0, "99.9%"),
    ],
)
def test_a_percentage_is_rounded_down_and_never_claims_certainty(confidence: float, words: str) -> None:
    assert as_percent(confidence) == words
