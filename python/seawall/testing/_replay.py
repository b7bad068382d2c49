"""A policy that decides as was recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from seawall.clock import Clock
from seawall.errors import ConfigError, Rejected
from seawall.guard._policy import Face, Waiting, name_of
from seawall.guard.limits import Decision
from seawall.testing._recorder import Record

Given = Record | bool | Exception


class Replay(Waiting, Face):
    """Gives recorded decisions, one a call, to whatever asks: a decorated function, a pipeline, or `try_acquire`.

    Made by `replay`. Thread safety: yes; decisions go to callers in the order they ask.
    """

    __slots__ = ("__weakref__", "_decisions", "_given", "_lock", "_then")

    def __init__(self, decisions: list[Exception | None], name: str, then: str, clock: Clock | None) -> None:
        self._begin(name, clock)
        self._decisions = decisions
        self._then = then
        self._given = 0
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """How many recorded decisions have not been given yet."""
        return max(0, len(self._decisions) - self._given)

    def try_acquire(self, *_: Any, **__: Any) -> bool:
        """The next decision, as True or False."""
        return self._next() is None

    def check(self, *_: Any, **__: Any) -> Decision:
        """The next decision, as a Decision."""
        refusal = self._next()
        wait = getattr(refusal, "retry_after", None) or 0.0
        return Decision(refusal is None, 0, 0, wait, wait, self.name, None)

    def acquire(self, *_: Any, **__: Any) -> None:
        """The next decision: returns, or raises the refusal."""
        if (refusal := self._next()) is not None:
            raise refusal

    async def acquire_async(self, *_: Any, **__: Any) -> None:
        """`acquire` for a task."""
        self.acquire()

    _wait_in = acquire
    _wait_in_async = acquire_async

    def stats(self) -> dict[str, int]:
        """How many decisions were given, and how many are left."""
        return {"given": self._given, "left": self.left}

    def _next(self) -> Exception | None:
        with self._lock:
            self._given += 1
            if self._given <= len(self._decisions):
                return self._decisions[self._given - 1]
            if self._then == "repeat":
                return self._decisions[(self._given - 1) % len(self._decisions)]
        if self._then == "admit":
            return None
        raise LookupError(
            f"{self.name} has {len(self._decisions)} recorded decisions, number {self._given} was asked for; "
            "record more, or give then='admit' or 'repeat'"
        )

    def __repr__(self) -> str:
        return f"<Replay {self.name!r}: {self._given} given, {self.left} left>"


def replay(
    decisions: Iterable[Given],
    *,
    name: str | None = None,
    then: Literal["error", "admit", "repeat"] = "error",
    clock: Clock | None = None,
) -> Replay:
    """A stub of a policy that decides as was recorded, or as you say.

    Args:
        decisions: Records of a `Recorder` (its events are left out); or by hand: True admits, False refuses, an
            exception refuses with that.
        name: Its name; by default "replay".
        then: When all decisions were given: "error" (LookupError), "admit", or "repeat" from the first one.
        clock: Its clock.

    Raises:
        ConfigError: Something else is among the decisions, or there are none to repeat.

    Example:
        >>> import seawall as sw
        >>> policy = replay([True, sw.RateLimited("full", retry_after=2.0)])
        >>> greet = policy(lambda: "hello")
        >>> greet()
        'hello'
        >>> greet()
        Traceback (most recent call last):
        seawall.errors.RateLimited: full
    """
    named = name_of(name, "replay")
    if then not in ("error", "admit", "repeat"):
        raise ConfigError(f"then must be 'error', 'admit' or 'repeat', got {then!r}")
    refusals = list(_refusals(decisions, named))
    if then == "repeat" and not refusals:
        raise ConfigError("there is no decision to repeat")
    return Replay(refusals, named, then, clock)


def _refusals(decisions: Iterable[Given], name: str) -> Iterator[Exception | None]:
    for given in decisions:
        if isinstance(given, Record):
            if given.admitted is None:
                continue
            refusal = given.error if isinstance(given.error, Exception) else None
            retry_after = getattr(given.answer, "retry_after", None)
            yield None if given.admitted else refusal or _refused(name, retry_after)
        elif isinstance(given, bool):
            yield None if given else _refused(name, None)
        elif isinstance(given, Exception):
            yield given
        else:
            raise ConfigError(f"a decision is a Record, True, False or an exception, got {given!r}")


def _refused(name: str, retry_after: float | None) -> Rejected:
    return Rejected(f"{name} refuses, as recorded", retry_after=retry_after, policy=name)
