"""Options of throttles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from seawall._core.throttle import WINDOW_BUCKETS
from seawall.clock import to_ns
from seawall.guard.throttle._criticality import Criticality
from seawall.patterns import Options, option

# How much of what K lets pass beyond the accepted calls a criticality has: none would have to guess when to ask again.
_SHARES = {
    Criticality.sheddable: 0.1,
    Criticality.sheddable_plus: 0.5,
    Criticality.critical: 1.0,
    Criticality.critical_plus: 2.0,
}
_LEAST_K, _MOST_K = 1.0, 100.0


def _is_k(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and _LEAST_K < value <= _MOST_K


def _check_k(value: Any) -> str | None:
    if _is_k(value):
        return None
    if isinstance(value, Mapping) and value and all(_names(key) and _is_k(one) for key, one in value.items()):
        return None
    return "above 1 to 100, or a mapping of criticalities to such numbers"


def _names(key: Any) -> bool:
    return isinstance(key, Criticality) or (isinstance(key, str) and key in Criticality.__members__)


def _check_criticality(value: Any) -> str | None:
    good = value is None or _names(value)
    return None if good else f"one of {', '.join(Criticality.__members__)}, or None for that of the caller"


def _check_predicate(value: Any) -> str | None:
    return None if value is None or callable(value) else "a predicate of a result or an exception, or None"


def _check_seed(value: Any) -> str | None:
    good = value is None or isinstance(value, (int, Random))
    return None if good and not isinstance(value, bool) else "a whole number, a random.Random or None"


class ThrottleOptions(Options):
    """What a `Throttle` is asked for."""

    k: Any = option(
        default=2.0, check=_check_k, help="calls made for each one accepted; of critical calls, or by class"
    )
    window: float | timedelta = option(
        default=120.0, unit="s", least=0.24, most=86_400, help="how far back answers count"
    )
    rejected_if: Callable[[Any], object] | None = option(
        default=None,
        check=_check_predicate,
        help="decides of a result or an exception whether the service refused the call for its load",
    )
    criticality: Any = option(default=None, check=_check_criticality, help="of all calls; by default the caller's")
    seed: int | Random | None = option(
        default=None, check=_check_seed, help="makes refusals repeatable; by default the system's chance"
    )

    def check(self) -> Iterable[str]:
        """What matters more may not be held back sooner."""
        ks = self.ks()
        if list(ks) != sorted(ks):
            told = ", ".join(f"{one.name} {k:g}" for one, k in zip(Criticality, ks, strict=True))
            yield f"k must not fall from sheddable to critical_plus, got {told}"

    def ks(self) -> tuple[float, ...]:
        """K of each criticality, from the lowest."""
        if not isinstance(self.k, Mapping):
            return tuple(1.0 + (self.k - 1.0) * _SHARES[one] for one in Criticality)
        given = {key.name if isinstance(key, Criticality) else key: float(k) for key, k in self.k.items()}
        critical = given.get("critical", 2.0)
        return tuple(given.get(one.name, 1.0 + (critical - 1.0) * _SHARES[one]) for one in Criticality)

    def fixed(self) -> int | None:
        """The criticality of all calls."""
        if self.criticality is None:
            return None
        return int(Criticality[self.criticality] if isinstance(self.criticality, str) else self.criticality)

    def bucket_ns(self) -> int:
        """Nanoseconds of one bucket of the window."""
        return -(-to_ns(self.window, "window") // WINDOW_BUCKETS)
