"""How something is, in the words of the draft: pass, warn, fail; and which probe wants to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """How a check, or the whole service, is."""

    PASS = "pass"
    """As it should be."""
    WARN = "warn"
    """Works, with something wrong."""
    FAIL = "fail"
    """Does not work."""


class Probe(Enum):
    """Who asks, and what follows from a no."""

    LIVE = "live"
    """Is a restart of the process needed?"""
    READY = "ready"
    """May it be sent requests?"""
    STARTUP = "startup"
    """Has it started? Until then the other two have no say."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a check found.

    Args:
        status: How it is.
        output: What is wrong, for people; secrets in it are taken out before anybody sees it.
        value: What was measured.
        unit: Its unit.
    """

    status: Status
    output: str = ""
    value: float | str | None = None
    unit: str = ""

    @classmethod
    def passed(cls, output: str = "", *, value: float | str | None = None, unit: str = "") -> Outcome:
        """As it should be."""
        return cls(Status.PASS, output, value, unit)

    @classmethod
    def warned(cls, output: str, *, value: float | str | None = None, unit: str = "") -> Outcome:
        """Works, with something wrong."""
        return cls(Status.WARN, output, value, unit)

    @classmethod
    def failed(cls, output: str, *, value: float | str | None = None, unit: str = "") -> Outcome:
        """Does not work."""
        return cls(Status.FAIL, output, value, unit)


_BADNESS = {Status.PASS: 0, Status.WARN: 1, Status.FAIL: 2}


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of some; PASS of none."""
    return max(statuses, key=_BADNESS.__getitem__, default=Status.PASS)
