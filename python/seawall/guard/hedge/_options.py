"""Options of hedges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from seawall.clock import to_ns
from seawall.errors import ConfigError
from seawall.guard.hedge._quantile import Quantile
from seawall.guard.retry import RetryBudget
from seawall.patterns import Options, option

_LONGEST_NS = 3_600_000_000_000


def _check_after(value: Any) -> str | None:
    if isinstance(value, Quantile):
        return None
    try:
        good = 0 < to_ns(value, "after") <= _LONGEST_NS
    except (ConfigError, TypeError):
        good = False
    return None if good else "above 0 to 3600 s, or a Quantile such as Quantile(0.95)"


def _check_idempotent(value: Any) -> str | None:
    if value is True or (callable(value) and not isinstance(value, type)):
        return None
    return "True, or a function of the call's arguments that says whether the call may be made twice"


def _check_budget(value: Any) -> str | None:
    if value is None or isinstance(value, RetryBudget):
        return None
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1
    return None if good else "a share of the calls above 0 to 1, a RetryBudget, or None for no bound"


def _check_function(value: Any) -> str | None:
    return None if value is None or callable(value) else "a function of a result, or None"


class HedgeOptions(Options):
    """What a `Hedge` is asked for."""

    after: Any = option(check=_check_after, help="when a call that has not answered gets another copy")
    idempotent: Any = option(
        default=None, check=_check_idempotent, help="nothing else is hedged: a second copy may happen, too"
    )
    max_copies: int = option(default=2, least=2, most=10, help="copies of a call altogether, the first included")
    budget: Any = option(default=0.1, check=_check_budget, help="copies for each call, at most")
    good: Callable[[Any], object] | None = option(
        default=None, check=_check_function, help="which results are answers; the others are failures of their copy"
    )
    discard: Callable[[Any], object] | None = option(
        default=None, check=_check_function, help="is given each answer that came too late, to close it"
    )
    max_threads: int = option(default=32, least=2, most=10_000, help="plain calls that may run in threads at once")

    def check(self) -> Iterable[str]:
        """An option whose default can never work must be given."""
        problem = self.specs()["idempotent"].checked(self.idempotent)[1]
        if problem:
            yield problem

    def fixed_ns(self) -> int:
        """The fixed time in nanoseconds; -1 when it is learnt."""
        return -1 if isinstance(self.after, Quantile) else to_ns(self.after, "after")
