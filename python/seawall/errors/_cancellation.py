"""Errors that say a call was given up, not that it failed."""

from __future__ import annotations

_BUILTIN = (GeneratorExit, KeyboardInterrupt, SystemExit)
# Recognised by package and name: importing asyncio to ask would cost more than the question.
_BY_NAME = {
    ("asyncio", "CancelledError"),
    ("concurrent", "CancelledError"),
    ("trio", "Cancelled"),
    ("greenlet", "GreenletExit"),
}


def is_cancellation(error: object) -> bool:
    """Whether `error` means that somebody gave the call up: nobody's failure, to be passed on, never retried.

    True for CancelledError (asyncio, concurrent.futures), trio.Cancelled, GeneratorExit, KeyboardInterrupt, SystemExit,
    greenlet.GreenletExit, and for a group of nothing else.

    Example:
        >>> is_cancellation(KeyboardInterrupt()), is_cancellation(TimeoutError())
        (True, False)
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_cancellation(member) for member in error.exceptions)
    if isinstance(error, _BUILTIN):
        return True
    return any((kind.__module__.partition(".")[0], kind.__qualname__) in _BY_NAME for kind in type(error).__mro__)
