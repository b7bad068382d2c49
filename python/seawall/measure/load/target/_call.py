"""What an engine in Python needs of a target: how it is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load.result._outcomes import Answer


@dataclass(frozen=True, slots=True)
class Caller:
    """How the calls of one scenario are made in an event loop.

    Args:
        engine: What makes them, for people.
        call: Makes call `m` with the state of its place and its row; gives an Answer, or anything else for a success.
        bounded: Whether a call ends at the timeout by itself; otherwise the engine cancels it.
    """

    engine: str
    call: Callable[[int, Any, Any], Awaitable[Any]]
    bounded: bool = False


WRONG = Answer("wrong answer", error="the check of the scenario said no")


class Misused(ConfigError):
    """A callable that does nothing when called as it was given, which no number of calls will change."""


def checked(result: object, check: Callable[[Any], bool] | None) -> Answer | None:
    """What the result of a callable amounts to; None for a plain success."""
    if check is not None and not check(result):
        return WRONG
    return result if isinstance(result, Answer) else None
