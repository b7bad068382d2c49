"""The circuit breaker people hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from seawall._core import breaker as _core
from seawall._core.breaker import Permit
from seawall._core.descriptors import own_methods
from seawall.clock import Clock, to_ns
from seawall.errors import CircuitOpen, classify, is_cancellation, retry_after_of
from seawall.guard._entered import remember, take_back
from seawall.guard._policy import Face, conflict_of, name_of
from seawall.guard.breaker._events import BreakerStats, CallRefused, StateChanged
from seawall.guard.breaker._options import BreakerOptions, OpeningTimes
from seawall.guard.breaker._words import Words, differences, overlay, words_of
from seawall.memory import Segment
from seawall.patterns import Signal

_IN_DOUBT = 30.0
"""Seconds to stay open when the backoff that should say so fails."""


@own_methods
class CircuitBreaker(_core.Breaker, Face):
    """Stops calling what fails, tries again carefully, and lets traffic come back by degrees.

    States: closed, open, half_open (`probes` calls decide), recovering (a growing share of calls passes); by hand
    forced_open, disabled (all pass, nothing counted) and metrics_only (all pass, everything counted).

    Guarantees: a call that began before a change of state changes nothing when it ends after it; exactly `probes` calls
    pass while half open; cancelled calls and refusals of other guards are nobody's failure; a shared breaker opens and
    closes for all workers at once and survives the killing of any.
    Thread safety: yes, lock-free; threads, tasks, event loops and, when shared, processes. No lock is ever held
    during a call.
    Cost: about 60 ns around a call, two readings of the clock included; refusing about 40 ns as a value.

    Args:
        name: For messages, statistics and the slot in a shared segment.
        clock: Where time comes from.
        shared: A segment, or its name: all workers that name it share one breaker.
        shadow: Decide and count, but refuse nobody.
        enforce: The share of refusals that stand, 0 to 1.
        on_conflict: When the slot exists with another configuration: "error", "adopt" it, or "replace" it for all.
        options: As in BreakerOptions: failure_ratio, min_calls, window, slow_after, slow_ratio, consecutive, combine,
            open_for, open_jitter, longest_open, probes, lost_after, recovery, failure_if, ignore, seed.

    Raises:
        ConfigError: An option that can never work, or a conflicting configuration.
        SegmentError: The segment cannot be used.

    Source: Nygard, Release It! (2007); the recovering state after Envoy's slow start.

    Example:
        >>> from seawall.clock import ManualClock
        >>> breaker = CircuitBreaker("payments", consecutive=2, open_for=30, clock=ManualClock())
        >>> for _ in range(2):
        ...     breaker.enter().failure()
        >>> breaker.state, breaker.try_enter().retry_after
        ('open', 30.0)
    """

    def __init__(
        self,
        name: str = "circuit_breaker",
        *,
        clock: Clock | None = None,
        shared: Segment | str | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
        on_conflict: str = "error",
        **options: Any,
    ) -> None:
        conflict = conflict_of(on_conflict)
        self._tell(
            Signal("circuit_breaker.state_changed", StateChanged), Signal("circuit_breaker.call_refused", CallRefused)
        )
        self._begin(name_of(name, "circuit_breaker"), clock, shadow, enforce)
        self._last_open_ns = 0
        self._adopt(BreakerOptions.from_dict(options))
        # Without a seed from the system: workers forked from one parent must not open for the same times.
        seed = self._options.seed
        self._rng = random.SystemRandom() if seed is None else random.Random(seed)
        self._open(words_of(self._options), Segment.of(shared), conflict)

    def _adopt(self, options: BreakerOptions) -> None:
        self._options = options
        in_doubt = to_ns(_IN_DOUBT if isinstance(options.open_for, OpeningTimes) else options.open_for, "open_for")
        self._behave(options.failure_if is not None, min(in_doubt, to_ns(options.longest_open, "longest_open")))

    @property
    def options(self) -> BreakerOptions:
        """The options in force, those included that another process has changed for all."""
        return overlay(self._options, self._config())

    def enter(self) -> Permit:
        """A permit to call: answer it with `success()`, `failure(error)` or `ignore()`, or use it in `with`.

        Raises:
            CircuitOpen: The breaker refuses; `retry_after` says until when.
        """
        answer = self.try_enter()
        if isinstance(answer, Permit):
            return answer
        raise answer.exception()

    def force_open(self) -> bool:
        """Refuse every call until told otherwise; whether that changed the state."""
        return self._force("forced_open")

    def force_close(self) -> bool:
        """Close now, with an empty window; whether that changed the state."""
        return self._force("closed")

    def disable(self) -> bool:
        """Let every call pass and count nothing; whether that changed the state."""
        return self._force("disabled")

    def metrics_only(self) -> bool:
        """Let every call pass and go on counting; whether that changed the state."""
        return self._force("metrics_only")

    def reconfigure(self, **changes: Any) -> None:
        """Change options, for all who share the breaker; the state goes on, and the window unless its size changes.

        Options that are no words of the kernel (open_for, open_jitter, longest_open, failure_if, ignore) change for
        this object only.

        Raises:
            ConfigError: An option that can never work; nothing has changed then.
        """
        while True:
            found = self._config()
            options = overlay(self._options, found).replace(**changes)
            if self._reshape(found, words_of(options)):  # nobody else has changed anything meanwhile
                self._adopt(options)
                return

    def _follow(self, options: dict[str, Any]) -> Callable[[], None]:
        before = self.options.as_dict()
        self.reconfigure(**{**BreakerOptions().as_dict(), **options})
        return lambda: self.reconfigure(**before)

    def stats(self) -> BreakerStats:
        """What this breaker has done so far."""
        calls, failures, slow, consecutive = self._window()
        state, trips, share, left = self._outlook()
        ratio = failures / calls if calls else 0.0
        segment = self.segment
        return BreakerStats(
            self.name, state, calls, failures, slow, consecutive, ratio, share, trips, left, *self._statistics(),
            self.let_through, segment.path if segment else None,
        )  # fmt: skip

    def __enter__(self) -> Permit:
        permit = self.enter()
        remember(self, permit)
        return permit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        permit: Permit = take_back(self, "circuit breaker", "breaker")
        permit.success() if error is None else permit.error(error)

    async def __aenter__(self) -> Permit:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _judge(self, value: Any, raised: bool) -> bool | None:
        """Whether a result or an exception is a failure; None when it says nothing about the callee."""
        options = self._options
        if raised and (isinstance(value, options.ignore) or is_cancellation(value)):
            return None
        if options.failure_if is not None:
            try:
                return bool(options.failure_if(value))
            except Exception as fault:
                self._blame(fault, "failure_if", value if raised else None)
                raise
        if not raised:
            return False
        return True if classify(value).counts_as_failure else None

    def _open_ns(self, trips: int, error: BaseException | None) -> int:
        """How long to stay open, the `trips`-th time in a row."""
        options = self._options
        longest = to_ns(options.longest_open, "longest_open")
        if isinstance(options.open_for, OpeningTimes):
            try:
                ns = int(options.open_for.wait(trips, self._last_open_ns if trips > 1 else 0, self._rng))
            except Exception as fault:
                self._blame(fault, "open_for", error)
                raise
        else:
            ns = to_ns(options.open_for, "open_for")
        ns += int(ns * options.open_jitter * self._rng.random())
        told = retry_after_of(error) if error is not None else None
        if told is not None:
            ns = max(ns, int(min(told, longest / 1e9) * 1e9))
        return min(max(ns, 0), longest)

    def _blame(self, fault: Exception, option: str, error: BaseException | None) -> None:
        """Say whose fault it is, and keep the callee's own error behind it."""
        if fault is not error:
            fault.__context__ = fault.__context__ or error
        fault.add_note(f"{option} of circuit breaker {self.name!r} raised this")

    def _opened_for(self, ns: int) -> None:
        self._last_open_ns = ns

    def _refuse(self, wait_ns: int | None, state: str) -> CircuitOpen:
        """A refusal, told of."""
        if self.call_refused:
            self._call_refused(wait_ns, state)
        return self._refusal(wait_ns, state)

    def _call_refused(self, wait_ns: int | None, state: str) -> None:
        self.call_refused.send(CallRefused(self.name, state, _seconds(wait_ns)))

    def _refusal(self, wait_ns: int | None, state: str) -> CircuitOpen:
        retry_after = _seconds(wait_ns)
        when = "" if retry_after is None else f"; retry in {retry_after:.6g} s"
        return CircuitOpen(
            f"circuit breaker {self.name} is {state.replace('_', ' ')}{when}",
            retry_after=retry_after,
            policy=self.name,
            state=state,
        )

    def _state_changed(self, before: str, after: str, trips: int) -> None:
        if self.state_changed:
            self.state_changed.send(StateChanged(self.name, before, after, trips))

    def _differences(self, found: Words) -> str:
        return differences(overlay(self._options, found), self._options)

    def __repr__(self) -> str:
        where = f" shared in {self.segment.path}" if self.segment else ""
        calls, failures, _, _ = self._window()
        return f"<CircuitBreaker {self.name!r}: {self.state}, {failures} of {calls} calls failed{where}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.segment is None:
            raise TypeError(
                f"CircuitBreaker {self.name!r} cannot be pickled: a copy in another process would be a second breaker; "
                "give it shared='...' so that both use one"
            )
        state = (self.name, self.clock, self.segment, self.shadow, self.enforce, self.options)
        return type(self)._from_pickle, (state,)

    @classmethod
    def _from_pickle(cls, state: tuple[Any, ...]) -> Self:
        name, clock, segment, shadow, enforce, options = state
        return cls(
            name, clock=clock, shared=segment, shadow=shadow, enforce=enforce, on_conflict="adopt", **options.as_dict()
        )


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else max(ns, 0) / 1e9
