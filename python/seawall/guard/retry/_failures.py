"""What a call remembers of the attempts that failed, and what it says about them in the end."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any

_SHOWN = 3
_LONGEST_TEXT = 100
_MOST_NOTES = 8


@dataclass(frozen=True, slots=True)
class Failures:
    """The failed attempts of one call that was tried again.

    Texts, not errors: an error holds its traceback, and that every local variable of the callee.

    Args:
        count: How many.
        last: Texts of the last three.
        wait: The wait after the last one, in nanoseconds.
    """

    count: int = 0
    last: tuple[str, ...] = ()
    wait: int = 0

    def plus(self, text: str, wait: int) -> Failures:
        """With one more."""
        return Failures(self.count + 1, (*self.last, text)[-_SHOWN:], wait)

    def before(self) -> str:
        """The failures before the last, for a note; empty when there were none."""
        if not self.count:
            return ""
        more = self.count - len(self.last)
        return "; before: " + ", ".join(self.last) + (f" and {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that has ended.

    Args:
        number: Which, from 1.
        elapsed: Nanoseconds since the first began.
        outcome: What it raised or returned.
        raised: Which of the two.
    """

    number: int
    elapsed: int
    outcome: Any
    raised: bool

    @property
    def error(self) -> Exception | None:
        """What it raised."""
        return self.outcome if self.raised else None

    @property
    def result(self) -> Any:
        """What it returned."""
        return None if self.raised else self.outcome

    def spent(self) -> str:
        """How many attempts in what time, in words."""
        return f"{self.number} attempt{'s' if self.number != 1 else ''} in {round(self.elapsed / 1e9, 3):g} s"

    def text(self) -> str:
        """The outcome in a few words."""
        try:
            said = (
                f"{type(self.outcome).__name__}: {self.outcome}"
                if self.raised
                else f"result {reprlib.repr(self.outcome)}"
            )
        except Exception:  # noqa: BLE001 -- a broken __str__ must not cost the call its attempts
            said = f"{type(self.outcome).__name__} whose text cannot be shown"
        said = " ".join(said.split()).removesuffix(":")
        return said if len(said) <= _LONGEST_TEXT else f"{said[: _LONGEST_TEXT - 3]}..."

    def annotate(self, note: str) -> None:
        """Add a note to the error; one that is raised again and again collects only a few."""
        if self.raised and len(getattr(self.outcome, "__notes__", ())) < _MOST_NOTES:
            self.outcome.add_note(note)
