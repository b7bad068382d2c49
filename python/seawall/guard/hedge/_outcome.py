"""How the copies of a call ended, and what its caller is told when none was good."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST_TEXT = 100
_MOST_NOTES = 8


@dataclass(slots=True)
class Outcome:
    """How one copy ended.

    Args:
        copy: Which, from 1.
        result: What it returned.
        error: What it raised.
    """

    copy: int
    result: Any = None
    error: BaseException | None = None

    def is_good(self, good: Callable[[Any], object] | None) -> bool:
        """Whether it is an answer."""
        return self.error is None and (good is None or bool(good(self.result)))

    def end(self) -> Any:
        """Return or raise as the copy did."""
        if self.error is not None:
            raise self.error
        return self.result

    def text(self) -> str:
        """The outcome in a few words."""
        try:
            if self.error is None:
                said = f"result {reprlib.repr(self.result)}"
            else:
                said = f"{type(self.error).__name__}: {self.error}"
        except Exception:  # noqa: BLE001 -- a broken __str__ must not replace the call's own error
            said = f"{type(self.error or self.result).__name__} whose text cannot be shown"
        said = " ".join(said.split()).removesuffix(":")
        return said if len(said) <= _LONGEST_TEXT else f"{said[: _LONGEST_TEXT - 3]}..."


def spoken_for(name: str, failed: Sequence[Outcome]) -> Outcome:
    """The outcome that stands for a call of which no copy was good: the first copy's, with a note of the others."""
    ordered = sorted(failed, key=lambda outcome: outcome.copy)
    first = next((outcome for outcome in ordered if outcome.error is not None), ordered[0])
    first = ordered[0] if ordered[0].copy == 1 else first
    others = [f"copy {one.copy}: {one.text()}" for one in ordered if one is not first]
    if first.error is not None and others and len(getattr(first.error, "__notes__", ())) < _MOST_NOTES:
        first.error.add_note(f"{name}: copy {first.copy} of {len(ordered)}; {', '.join(others)}")
    return first
