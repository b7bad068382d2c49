"""Ask a service less while it refuses much."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random, SystemRandom
from typing import Any

from seawall._core.throttle import Throttling
from seawall.clock import Clock, SystemClock
from seawall.errors import Kind, Throttled, classify
from seawall.guard._policy import Face, name_of
from seawall.guard.throttle._criticality import Criticality, _current
from seawall.guard.throttle._events import ClassStats, Held, ThrottleStats
from seawall.guard.throttle._options import ThrottleOptions
from seawall.patterns import Signal

_REFUSALS = frozenset({Kind.rate_limited, Kind.unavailable})


class Throttle(Throttling, Face):
    """While a service refuses calls for its load, makes only about `k` calls for each one it accepts.

    Even a refusal costs a service something; a service that refuses nine calls of ten is kept busy by saying no. Each
    client then refuses by itself, with the chance max(0, (requests - k x accepts) / (requests + 1)) of the last two
    minutes, so that enough calls still get through to see when the service is well again.

    Guarantees: a service that accepts all is asked everything; with k = 2 nothing is held back until it refuses half.
    Each criticality is judged by its own calls, so that a service which refuses only the least ones is still asked the
    others. Cancelled calls, calls under way, and calls refused by a policy inside count neither way.

    Thread safety: yes; each process keeps its own window. Cost: about 0.3 us.

    Args:
        k: Calls made for each accepted one, above 1 to 100. A number is that of `critical` calls: `critical_plus` has
            twice its distance to 1, `sheddable_plus` half, `sheddable` a tenth. A mapping by criticality says others.
        window: How far back answers count, in seconds or as timedelta; it moves in 24 steps.
        rejected_if: Of a result or an exception: whether the service refused the call for its load. By default
            exceptions that classification calls rate_limited or unavailable: 429, 503, a refused connection.
        criticality: Of all calls through it; by default `Criticality.current()`.
        seed: A whole number or a random.Random, for refusals that a test can repeat.
        name: What errors, events and statistics call it.
        clock: What measures the window.
        shadow: Count in `let_through` what would not have been made; make it.
        enforce: The share of refusals that stand, 0 to 1.

    Raises:
        ConfigError: An option is out of range.

    Source: Site Reliability Engineering (Google, 2016), chapter 21, "Client-Side Throttling".

    Example:
        >>> from seawall.errors import RateLimited
        >>> throttle = Throttle(seed=1)
        >>> def busy():
        ...     raise RateLimited("too many")
        >>> for _ in range(100):
        ...     try:
        ...         throttle.call(busy)
        ...     except (RateLimited, Throttled):
        ...         pass
        >>> throttle.stats().passed + throttle.stats().refused, throttle.stats().passed < 15
        (100, True)
    """

    __slots__ = ("__weakref__", "_options", "_rejected_if", "held")

    def __init__(
        self,
        *,
        k: float | Mapping[Criticality | str, float] = 2.0,
        window: float | timedelta = 120.0,
        rejected_if: Callable[[Any], object] | None = None,
        criticality: Criticality | str | None = None,
        seed: int | Random | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        self._begin(name_of(name, "throttle"), clock, shadow, enforce)
        self.held: Signal[Held] = Signal("throttle.held", Held)
        self._take(ThrottleOptions(k=k, window=window, rejected_if=rejected_if, criticality=criticality, seed=seed))

    def stats(self) -> ThrottleStats:
        """What it has done so far."""
        classes = dict(zip(Criticality, map(ClassStats._make, self._figures()), strict=True))
        return ThrottleStats(
            self.name, self.passed, self.rejected, self.refused, classes, self.let_through, self.shadow
        )

    def reset(self) -> None:
        """Begin with an empty window."""
        self._forget()

    def _take(self, options: ThrottleOptions) -> None:
        self._options, self._rejected_if = options, options.rejected_if
        seed = options.seed
        rng = seed if isinstance(seed, Random) else SystemRandom() if seed is None else Random(seed)
        self._arrange(options.bucket_ns(), options.ks(), rng.random, options.fixed())

    def _follow(self, options: dict[str, Any]) -> Callable[[], None] | None:
        wanted, before = ThrottleOptions(**options), self._options
        self._take(wanted)
        return lambda: self._take(before)

    def _criticality(self) -> int:
        return _current.get()

    def _is_rejection(self, outcome: Any, raised: bool) -> bool:
        if self._rejected_if is not None:
            return bool(self._rejected_if(outcome))
        return raised and classify(outcome).kind in _REFUSALS

    def _refusal(self, criticality: int, chance: float, retry_after: float) -> Throttled:
        which = Criticality(criticality)
        if self.held:
            self.held.send(Held(self.name, which, chance, retry_after))
        return Throttled(
            f"{self.name} holds back {chance:.0%} of {which.name} calls, as the service refuses too many",
            retry_after=retry_after,
            policy=self.name,
            state=which.name,
        )

    def __repr__(self) -> str:
        chances = ", ".join(
            f"{one.name} {found[2]:.0%}" for one, found in zip(Criticality, self._figures(), strict=True)
        )
        return f"<Throttle {self.name!r}: holds back {chances}{' shadow' if self.shadow else ''}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.clock, SystemClock):
            raise TypeError(f"Throttle {self.name!r} cannot be pickled with {self.clock!r}")
        options = {**self._options.as_dict(), "name": self.name, "shadow": self.shadow, "enforce": self.enforce}
        return functools.partial(Throttle, **options), ()
