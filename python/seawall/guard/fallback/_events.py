"""What a fallback says happened, and what it has done so far."""

from __future__ import annotations

from typing import NamedTuple


class FellBack(NamedTuple):
    """A call failed and something else was answered.

    Units: `age` in seconds.

    Attributes:
        name: The fallback.
        source: What was answered: "value", "factory", "stale", or the name of the function.
        step: Its place in the chain, from 0.
        error: Why the call failed.
        age: How old the remembered result is; None when it is not a remembered one.
    """

    name: str
    source: str
    step: int
    error: BaseException
    age: float | None = None


class FallbackStats(NamedTuple):
    """A snapshot of one fallback.

    Attributes:
        name: The fallback.
        passed: Calls that needed none.
        fell_back: Calls that were answered by it.
        exhausted: Calls for which the whole chain failed; their own error was raised.
        remembered: Results kept for `Fallback.stale`.
        unkeyed: Results not kept, because the arguments cannot be a key.
        let_through: Errors that were let pass by `shadow` or `enforce`.
        shadow: Whether all are.
    """

    name: str
    passed: int
    fell_back: int
    exhausted: int
    remembered: int
    unkeyed: int
    let_through: int
    shadow: bool
