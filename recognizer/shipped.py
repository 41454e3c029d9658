"""The shipped model's line reader, for checkpoints of digits that have none of their own."""

from __future__ import annotations

import functools
from dataclasses import replace

from base.checkpoint import LINE_FACTS, MODEL_PATH, Checkpoint, load_checkpoint
from ink import DIGITS


def with_reader(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint for digits with a line reader: its own or, where it has none, the shipped model's if there is one."""
    if checkpoint.lines is not None or checkpoint.classes != DIGITS or not checkpoint.input["road"]:
        return checkpoint
    shipped = _shipped()
    if shipped is None or shipped.lines is None:
        return checkpoint
    fitted = {name: shipped.facts[name] for name in LINE_FACTS if name in shipped.facts}
    return replace(checkpoint, lines=shipped.lines, facts={**fitted, **checkpoint.facts})


@functools.cache
def _shipped() -> Checkpoint | None:
    try:
        return load_checkpoint(MODEL_PATH)
    except (OSError, ValueError):
        return None
