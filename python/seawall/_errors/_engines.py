"""How an engine fails: what happened to the call, and what to do about it."""

from __future__ import annotations

from seawall._errors._hierarchy import _PUBLIC, EngineError


class Unavailable(EngineError):
    """The engine was not reached, or did not answer a question in time; nothing was changed by this call."""

    __module__ = _PUBLIC


class UnknownOutcome(EngineError):
    """A change was sent and its answer lost: it may have been made or not. It was not sent again.

    Read the state before you decide; a compare-and-set, a claim or an inbox makes the second try harmless.
    """

    __module__ = _PUBLIC


class Conflict(EngineError):
    """Something was not as the caller expected, and so nothing was changed.

    Args:
        message: What happened, for people.
        expected: The revision or position that was expected; 0 for "nothing there".
        actual: The one that was found; None when the engine does not tell.
    """

    __module__ = _PUBLIC

    def __init__(self, message: str, *, expected: int | None = None, actual: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class Compacted(EngineError):
    """The history that was asked for is no longer kept.

    Args:
        message: What happened, for people.
        oldest: The oldest revision from which changes can be followed; None when the engine does not tell.
    """

    __module__ = _PUBLIC

    def __init__(self, message: str, *, oldest: int | None = None) -> None:
        super().__init__(message)
        self.oldest = oldest


class LeaseLost(EngineError):
    """A lease or claim has expired, was given back, or belongs to somebody else by now: stop what it protected."""

    __module__ = _PUBLIC


class LockLost(LeaseLost):
    """A lock, permit or leadership is no longer the holder's, or a newer token was seen: stop what it protected.

    Args:
        message: What happened, for people.
        name: Of the lock.
        token: The fencing token that is void; None for a lock without one.
    """

    __module__ = _PUBLIC

    def __init__(self, message: str, *, name: str, token: int | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.token = token


class WrongVersion(EngineError):
    """The engine, or the data in it, has a version that this seawall does not work with."""

    __module__ = _PUBLIC


class ReadOnly(EngineError):
    """The engine takes no changes: a replica, a file without write permission, a server in recovery."""

    __module__ = _PUBLIC


class Full(EngineError):
    """There is no more room: disk, memory, a quota of the server, or a bound of the port."""

    __module__ = _PUBLIC


class AuthFailed(EngineError):
    """The engine did not accept who we say we are, or does not let us do this."""

    __module__ = _PUBLIC


class Damaged(EngineError):
    """What the engine keeps cannot be read: it is torn, or not what seawall wrote."""

    __module__ = _PUBLIC
