"""A bound on calls in flight that finds itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, cast

from seawall._core.adaptive import Adaptive, Permit
from seawall.clock import Clock
from seawall.errors import BulkheadFull, Kind, Rejected, classify
from seawall.guard._entered import remember, take_back
from seawall.guard._in_line import InLine
from seawall.guard._policy import Face, name_of
from seawall.guard.adaptive._events import AdaptiveStats, LimitChanged
from seawall.guard.adaptive._options import AIMD, AdaptiveOptions, Gradient, Vegas, words_of
from seawall.guard.bulkhead import BulkheadRefused
from seawall.patterns import Signal

_OVERLOAD = frozenset({Kind.timeout, Kind.rate_limited, Kind.unavailable})


class AdaptiveLimit(Adaptive, InLine, Face):
    """At most so many calls in flight as the callee serves without making them wait for each other.

    A window of calls is compared with the baseline: what calls take with little in flight. The limit shrinks when they
    take much longer, and grows while they do not and at least half of it is used. From time to time, and when latency
    is far above the baseline, the limit goes down step by step as long as latency follows: that measures the baseline,
    and costs the callee its queue and one or two windows with a quarter to a half fewer calls.

    Guarantees: A call counts for the limit under which it began. Cancelled calls, calls that inner guards refused and
    calls that failed by other errors than timeouts and overload teach nothing. No window takes more than half of the
    limit or adds more than the limit. A callee that has become slower for good is believed within `probe_every` (or 40
    windows). Waiting is first come first served, as in a Bulkhead.

    Thread safety: yes. Cost: about 50 ns a call; a microsecond a window.

    Args:
        algorithm: Gradient(), Vegas() or AIMD().
        initial: Calls in flight at the beginning, `min_limit` to `max_limit`.
        min_limit: The limit never goes below this, 1 to 2**20.
        max_limit: Nor above this.
        max_queue: Calls that may wait; 0 refuses at once.
        max_wait: Longest wait, in seconds or as timedelta; None waits as long as the caller's Deadline lets.
        window: How long calls are gathered before a decision, at least; two baselines when they are longer. Seconds.
        min_samples: Nothing is decided on fewer calls, 10 to 1,000,000.
        percentile: Of a window's latencies, what is compared with the baseline, 1 to 99.
        probe_every: How often the baseline is measured anew while the limit is in use, in seconds or as timedelta.
        dropped_ratio: A larger share of dropped calls in a window shrinks, 0 to 0.99.
        dropped_if: Whether a result or an exception is a dropped call; None: timeouts and signs of overload (429, 503,
            RESOURCE_EXHAUSTED) are.
        name: What errors, events and statistics call it.
        clock: What measures latency and waiting.
        shadow: Decide and count, refuse nobody; calls above the limit are then not seen in flight.
        enforce: The share of refusals that stand, 0 to 1.

    Example:
        >>> limit = AdaptiveLimit(initial=2, name="search")
        >>> with limit.enter(), limit.enter():
        ...     limit.try_enter() is None
        True
    """

    __slots__ = ("__weakref__", "_options", "limit_changed", "refused")

    _options: AdaptiveOptions

    def __init__(
        self,
        algorithm: Gradient | Vegas | AIMD = Gradient(),  # noqa: B008 - frozen
        *,
        initial: int = 20,
        min_limit: int = 1,
        max_limit: int = 1000,
        max_queue: int = 0,
        max_wait: float | timedelta | None = None,
        window: float | timedelta = 0.1,
        min_samples: int = 50,
        percentile: float = 50.0,
        probe_every: float | timedelta = 10.0,
        dropped_ratio: float = 0.01,
        dropped_if: Callable[[Any], bool] | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        self._options = options = AdaptiveOptions(
            algorithm=algorithm,
            initial=initial,
            min_limit=min_limit,
            max_limit=max_limit,
            max_queue=max_queue,
            max_wait=max_wait,
            window=window,
            min_samples=min_samples,
            percentile=percentile,
            probe_every=probe_every,
            dropped_ratio=dropped_ratio,
            dropped_if=dropped_if,
        )
        self._begin(name_of(name, "adaptive_limit"), clock, shadow, enforce)
        self.refused: Signal[BulkheadRefused] = Signal("adaptive_limit.refused", BulkheadRefused)
        self.limit_changed: Signal[LimitChanged] = Signal("adaptive_limit.limit_changed", LimitChanged)
        self._open(words_of(options), options.max_queue, dropped_if is not None)

    @property
    def limit(self) -> int:
        """How many calls may be in flight now."""
        return cast(int, self._counts()[0])

    def try_enter(self) -> Permit | None:
        """A permit to call now, or None; never waits, and never overtakes those who do."""
        return self._permit() if self._admit_now() or self._count_refusal() else None

    def enter(self) -> Permit:
        """A permit to call, waiting in line where that is allowed.

        Answer it with `success()`, `dropped()` or `ignore()`, or use it in `with`.

        Raises:
            BulkheadFull: The line is full, or the wait is over.
        """
        self._enter()
        return self._permit()

    async def enter_async(self) -> Permit:
        """`enter` for a task; cancelling it gives its place in line away."""
        await self._enter_async()
        return self._permit()

    def reconfigure(self, **changes: Any) -> None:
        """New options; the limit goes on from where it is, within the new bounds.

        Raises:
            ConfigError: An option that can never work; nothing was changed.
        """
        self._adopt(self._options.replace(**changes))

    def _adopt(self, options: AdaptiveOptions) -> None:
        self._options = options
        self._reshape(words_of(options), options.max_queue, options.dropped_if is not None)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None]:
        before = self._options
        self._adopt(AdaptiveOptions(**options))
        return lambda: self._adopt(before)

    def stats(self) -> AdaptiveStats:
        """What it has done so far."""
        limit, queue, in_flight, queued, admitted, refused = self._counts()
        phase, _, baseline, latency, *counts = self._learned()
        return AdaptiveStats(
            self.name, limit, queue, in_flight, queued, admitted, refused, self.let_through, self.shadow,
            phase, baseline or None, latency or None, *counts,
        )  # fmt: skip

    def _longest_wait(self) -> float | None:
        return cast(float | None, self._options.max_wait)

    def _refusal(self, state: str) -> BulkheadFull:
        limit, _, in_flight, queued, _, _ = self._counts()
        if self.refused:
            self.refused.send(BulkheadRefused(self.name, state, in_flight, queued))
        latency = self._learned()[3]
        # One place comes free in latency / limit.
        retry_after = latency * (queued + 1) / limit if latency else None
        return BulkheadFull(
            f"{self.name} is full: {self._why_full(state)}", retry_after=retry_after, policy=self.name, state=state
        )

    def _judge(self, value: Any, raised: bool) -> bool:
        """Whether a result or an exception is a dropped call."""
        dropped_if = self._options.dropped_if
        if dropped_if is not None:
            try:
                return bool(dropped_if(value))
            except Exception as fault:
                if raised and fault is not value:
                    fault.__context__ = fault.__context__ or value
                fault.add_note(f"dropped_if of AdaptiveLimit {self.name!r} raised this")
                raise
        return raised and not isinstance(value, Rejected) and classify(value).kind in _OVERLOAD

    def _changed(self, before: float, after: float, why: str) -> None:
        if self.limit_changed:
            self.limit_changed.send(LimitChanged(self.name, before, after, why))

    def __enter__(self) -> Permit:
        permit = self.enter()
        remember(self, permit)
        return permit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        take_back(self, "adaptive limit", "limit").__exit__(kind, error, trace)

    async def __aenter__(self) -> Permit:
        permit = await self.enter_async()
        remember(self, permit)
        return permit

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        limit, queue, in_flight, queued, _, _ = self._counts()
        shadow = " shadow" if self.shadow else ""
        state = f"{in_flight} of {limit} in flight, {queued} of {queue} queued, {self._learned()[0]}"
        return f"<AdaptiveLimit {self.name!r}: {state}{shadow}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"AdaptiveLimit {self.name!r} cannot be pickled: a copy in another process would be a second one; "
            "make it where the calls are made"
        )
