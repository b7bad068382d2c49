"""Options of a retry budget: defaults, units, ranges, checks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction

from seawall._core.budget import MOST_RESERVE
from seawall.clock import to_ns
from seawall.patterns import Options, option

_BUCKETS = 10
_ONE = 1 << 32
_LONGEST = 86_400.0 * 365


class BudgetOptions(Options):
    """What a `RetryBudget` is asked for."""

    ratio: float = option(default=0.2, least=0, most=1, help="retries that each first attempt pays for")
    min_per_second: float = option(
        default=10.0, unit="per second", least=0, most=1e6, help="retries that are allowed besides, without any call"
    )
    window: float | timedelta = option(
        default=10.0, unit="s", least=0.01, most=_LONGEST, help="how long a first attempt pays"
    )

    def check(self) -> Iterable[str]:
        """What the kernel can count in one window."""
        if self.config()[2] > MOST_RESERVE * _ONE:
            yield (
                f"min_per_second x window must be at most {MOST_RESERVE}, "
                f"got {self.min_per_second:g} x {float(self.window):g}"  # type: ignore[arg-type]
            )

    def config(self) -> tuple[int, int, int]:
        """Bucket in nanoseconds; ratio and reserve in units of 2^-32, rounded up: ten payments of 0.1 are one."""
        window = to_ns(self.window, "window")
        bucket = -(-window // _BUCKETS)
        reserve = Fraction(repr(self.min_per_second)) * bucket * _BUCKETS / 1_000_000_000
        return bucket, math.ceil(Fraction(repr(self.ratio)) * _ONE), math.ceil(reserve * _ONE)
