"""Something else in place of a failure: a value, what a function answers, the last good result, or a chain of those."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Any

from seawall._core.fallback import USED, Attempt, Recovering
from seawall.clock import Clock
from seawall.errors import ConfigError
from seawall.guard._policy import Face, name_of
from seawall.guard.fallback._events import FallbackStats, FellBack
from seawall.guard.fallback._options import FallbackOptions, On, StaleOptions, test_of
from seawall.guard.fallback._stale import Known, Stale
from seawall.guard.fallback._steps import Function, Value, as_stream, for_plain
from seawall.patterns import Signal

Step = Value | Function | Stale


def fallback_used() -> FellBack | None:
    """How the last call through a Fallback that ended here was answered; None when it needed none.

    Here is the context: the thread, or the task. For a generator it is known from the first item on.
    """
    found: FellBack | None = USED.get()
    return found


class Fallback(Recovering, Face):
    """When a call fails, the first of `steps` that works answers in its place.

    Guarantees: Cancellation is never answered. When all steps fail, the call's own error is raised, with a note for
    each failure of a step. A generator is answered for only before its first item; the items of the answer follow.

    Thread safety: yes. Cost: nothing but the guarding itself on success (`stale`: one entry of a table, about 1 us).

    Args:
        steps: Each a value; a function, which is given the error if it takes an argument, and may be a coroutine
            function where the call is; or another Fallback, of which the steps are taken. A list or dict is one
            value, the same object each time: whoever changes it changes it for all; use `factory=list`.
        factory: Called without arguments for a new value, after all other steps.
        on: Which errors are answered: exception types, `Kind`s of classification, a collection of those, or a
            predicate. By default what classification calls recoverable: transient, unavailable, timeout, rate_limited,
            and refusals by other policies; never bugs.
        name: What errors, events and statistics call it.
        clock: What measures the age of results.
        shadow: Decide and count, answer nothing.
        enforce: The share of failures that are answered, 0 to 1.

    Example:
        >>> @Fallback("nobody")
        ... def user() -> str:
        ...     raise ConnectionError
        >>> user(), fallback_used().source
        ('nobody', 'value')
    """

    __slots__ = ("__weakref__", "_concern", "_stale", "_steps", "fell_back")

    def __init__(
        self,
        *steps: Any,
        factory: Callable[[], Any] | None = None,
        on: On | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        FallbackOptions(on=on, factory=factory)
        if factory is not None and not callable(factory):
            raise ConfigError(f"factory must be a function without arguments, got {factory!r}")
        self._steps = tuple(step for given in steps for step in _steps_of(given))
        if factory is not None:
            self._steps += (Function(factory, "factory"),)
        if not self._steps:
            raise ConfigError("a Fallback needs something to answer: a value, a function, or factory=")
        self._concern = test_of(on)
        self._stale = tuple(step for step in self._steps if isinstance(step, Stale))
        self._begin(name_of(name, "fallback"), clock, shadow, enforce)
        self._remembers(bool(self._stale))
        self.fell_back: Signal[FellBack] = Signal("fallback.fell_back", FellBack)

    @classmethod
    def stale(
        cls,
        *,
        ttl: float | timedelta,
        max_entries: int = 1024,
        key: Callable[..., Hashable] | None = None,
        on: On | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> Fallback:
        """Answer with the last good result of the same function for the same arguments.

        Not for generators. Arguments that cannot be a key (a list, a dict) are not remembered: see `stats().unkeyed`.

        Args:
            ttl: Age beyond which a result is of no use, in seconds or as timedelta.
            max_entries: Results kept; the least recently used goes.
            key: Called with the call's arguments; what it answers tells results apart. By default the arguments, `self`
                of a method included.
            on: As for `Fallback`, like the rest.
            name: See there.
            clock: See there.
            shadow: See there.
            enforce: See there.
        """
        if key is not None and not callable(key):
            raise ConfigError(f"key must be a function of the call's arguments, got {key!r}")
        kept = Stale(StaleOptions(ttl=ttl, max_entries=max_entries, key=key))
        return cls(kept, on=on, name=name, clock=clock, shadow=shadow, enforce=enforce)

    def stats(self) -> FallbackStats:
        """What it has done so far."""
        return FallbackStats(
            self.name,
            self.passed,
            self.answered,
            self.exhausted,
            sum(map(len, self._stale)),
            sum(step.unkeyed for step in self._stale),
            self.let_through,
            self.shadow,
        )

    def _concerns(self, error: BaseException) -> bool:
        try:
            return bool(self._concern(error))
        except Exception as worse:  # noqa: BLE001 - the call's own error must get through
            error.add_note(f"{self.name}: the predicate on= failed: {worse!r}")
            return False

    def _answer(self, attempt: Attempt, known: tuple[Any, Known] | None) -> tuple[bool, Any] | None:
        """(whether it is a function to call, answer) of the next step; None when there is no more."""
        for at in range(attempt.step, len(self._steps)):
            step = self._steps[at]
            attempt._answered(at, None)
            if isinstance(step, Function):
                return True, _callable(step.bound(attempt.error), attempt)
            if isinstance(step, Value):
                return _valued(step.value, attempt)
            found = None if known is None else step.recall(known[0], known[1], self.clock)
            if found is not None:
                attempt._answered(at, found[0])
                return False, found[1]
        return None

    def _event(self, attempt: Attempt) -> FellBack:
        return FellBack(self.name, self._steps[attempt.step].source, attempt.step, attempt.error, attempt.age)

    def _exhausted(self, attempt: Attempt) -> BaseException:
        for failure in attempt.failures:
            attempt.error.add_note(f"{self.name}: the fallback failed, too: {failure!r}")
        return attempt.error

    def _mark(self, attempt: Attempt) -> None:
        USED.set(self._event(attempt))

    def _used(self, attempt: Attempt) -> None:
        if not attempt.is_stream:
            self._mark(attempt)
        if self.fell_back:
            self.fell_back.send(self._event(attempt))

    def _remember(self, fn: Any, known: Known, value: Any) -> None:
        for step in self._stale:
            step.remember(fn, known, value, self.clock)

    def __repr__(self) -> str:
        steps = ", ".join(step.source for step in self._steps)
        shadow = " shadow" if self.shadow else ""
        return f"<Fallback {self.name!r}: {steps}; fell back {self.answered} times{shadow}>"


def _steps_of(given: Any) -> tuple[Step, ...]:
    if isinstance(given, Fallback):
        steps: tuple[Step, ...] = given._steps
        return steps
    if isinstance(given, Stale):
        return (given,)
    return (Function(given) if callable(given) else Value(given),)


def _callable(make: Callable[[], Any], attempt: Attempt) -> Callable[[], Any]:
    if attempt.is_stream:
        return as_stream(make, attempt.is_async)
    return make if attempt.is_async else for_plain(make)


def _valued(value: Any, attempt: Attempt) -> tuple[bool, Any]:
    return (True, as_stream(lambda: value, attempt.is_async)) if attempt.is_stream else (False, value)
