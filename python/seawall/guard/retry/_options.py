"""Options of retries and of their budget: defaults, units, ranges, checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from random import Random
from typing import Any, Literal

from seawall.clock import to_ns
from seawall.guard.retry._backoff import Backoff, Constant, Decorrelated, Exponential
from seawall.guard.retry._budget import RetryBudget
from seawall.guard.retry._jitter import EqualJitter, FullJitter, Jitter, NoJitter
from seawall.patterns import Options, option

What = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], object] | None
JITTERS: dict[str, Jitter] = {"full": FullJitter(), "equal": EqualJitter(), "none": NoJitter()}
_LONGEST = 86_400.0 * 365


def _check_on(on: Any) -> str | None:
    kinds = on if isinstance(on, tuple) else (on,)
    if not kinds or (isinstance(on, tuple) and not all(isinstance(kind, type) for kind in on)):
        return "an exception class, a tuple of them, a predicate of the exception, or None"
    for kind in kinds:
        if isinstance(kind, type) and not issubclass(kind, Exception):
            return "made of subclasses of Exception, as cancellations are never retried"
    return None if on is None or callable(on) or isinstance(on, tuple) else _check_on(())


def _check_predicate(value: Any) -> str | None:
    return None if value is None or callable(value) else "a predicate of the result or None"


def _check_backoff(value: Any) -> str | None:
    if _is_number(value):
        return None
    good = isinstance(value, Backoff) and not isinstance(value, type)
    return None if good else "a backoff of seawall.guard.retry, such as Exponential(0.1), or seconds"


def _check_jitter(value: Any) -> str | None:
    good = value == "decorrelated" or (isinstance(value, str) and value in JITTERS)
    good = good or (isinstance(value, Jitter) and not isinstance(value, (str, type)))
    return None if good else "'full', 'equal', 'decorrelated', 'none', or an object with a method spread(wait, rng)"


def _check_budget(value: Any) -> str | None:
    return None if value is None or isinstance(value, RetryBudget) else "a RetryBudget or None"


def _check_seed(value: Any) -> str | None:
    good = value is None or isinstance(value, (int, Random))
    return None if good and not isinstance(value, bool) else "a whole number, a random.Random or None"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, timedelta)) and not isinstance(value, bool)


class RetryOptions(Options):
    """What a `Retry` is asked for."""

    attempts: int = option(default=3, least=1, most=1000, help="attempts altogether, the first included")
    on: What = option(
        default=None, check=_check_on, help="errors to retry: classes, or a predicate; by default those worth it"
    )
    on_result: Callable[[Any], object] | None = option(
        default=None, check=_check_predicate, help="results to retry, by a predicate"
    )
    backoff: Any = option(
        default_factory=Exponential, check=_check_backoff, help="waits between attempts; a number is a constant wait"
    )
    jitter: Any = option(default="full", check=_check_jitter, help="chance in the waits")
    max_time: float | timedelta | None = option(
        default=None, unit="s", above=0, most=_LONGEST, help="no attempt begins later after the first one"
    )
    max_retry_after: float | timedelta = option(
        default=300.0, unit="s", least=0, most=_LONGEST, help="gives up when the callee asks for a longer wait"
    )
    budget: RetryBudget | None = option(default=None, check=_check_budget, help="what pays for retries")
    nested: Literal["stand_back", "allow"] = option(
        default="stand_back", help="inside another retry: make one attempt, or retry nevertheless"
    )
    seed: int | Random | None = option(
        default=None, check=_check_seed, help="makes the waits repeatable; by default the system's chance"
    )

    def check(self) -> Iterable[str]:
        """Durations and pairs of options."""
        if _is_number(self.backoff):
            to_ns(self.backoff, "backoff", least_ns=0)
        if self.jitter == "decorrelated" and not (hasattr(self.backoff, "start") and hasattr(self.backoff, "cap")):
            yield (
                f"jitter 'decorrelated' needs a backoff with start and cap, such as Exponential, got {self.backoff!r}"
            )

    def waits(self) -> tuple[Backoff, Jitter]:
        """The backoff and the jitter that these options mean."""
        backoff: Backoff = Constant(self.backoff) if _is_number(self.backoff) else self.backoff
        if isinstance(backoff, Decorrelated):
            return backoff, JITTERS["none"]
        if self.jitter == "decorrelated":
            return Decorrelated(self.backoff.start, self.backoff.cap), JITTERS["none"]
        return backoff, JITTERS[self.jitter] if isinstance(self.jitter, str) else self.jitter
