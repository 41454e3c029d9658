"""From ink to a reading: `from recognizer import Recognizer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recognizer.answer import Digit as Digit
    from recognizer.answer import Reading as Reading
    from recognizer.road import Recognizer as Recognizer


def __getattr__(name: str) -> Any:
    """Import the recognizer, and torch with it, when it is asked for: a window opens before."""
    if name in ("Digit", "Reading", "Recognizer"):
        from recognizer import road

        return getattr(road, name)
    raise AttributeError(f"module 'recognizer' has no attribute {name!r}")
