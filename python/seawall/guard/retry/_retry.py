"""Further attempts at a call that failed."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from random import Random, SystemRandom
from typing import Any, Literal, Self

from seawall._core import retry as _core
from seawall.clock import Clock, Deadline
from seawall.errors import RetryBudgetExhausted, classify, is_cancellation, retry_after_of
from seawall.guard._policy import Face, name_of
from seawall.guard.retry._backoff import Backoff, Exponential
from seawall.guard.retry._budget import RetryBudget
from seawall.guard.retry._events import GaveUp, Recovered, Retrying
from seawall.guard.retry._failures import Attempt, Failures
from seawall.guard.retry._jitter import Jitter
from seawall.guard.retry._machine import Rules, Situation, next_wait
from seawall.guard.retry._options import RetryOptions, What
from seawall.guard.retry._stats import RetryStats
from seawall.patterns import Signal

_Answer = tuple[int, Failures | None]


class Retry(_core.Retry, Face):
    """Makes a call again that failed with an error worth it, after a wait that grows and varies.

    Guarantees: at most `attempts` attempts, none begun after `max_time` or the Deadline in context; a wait that these
    cannot cover is not begun. Cancellation is never retried. The last error is raised as it is, with a note about the
    attempts. Inside another retry on the way of the same call it makes one attempt, so that layers do not multiply.
    A generator is retried only until its first item. What a call remembers is its own: one object serves any number of
    threads, tasks, loops and calls at once.

    Units: seconds. Cost: a first attempt that succeeds, about one clock reading.

    Args:
        attempts: Attempts altogether, the first included, 1 to 1000.
        on: Errors to retry: an exception class, a tuple of them, or a predicate of the exception. By default those
            that `seawall.errors.classify` finds worth it: timeouts, lost connections, overload, refusals by a limit;
            never bugs, bad input or missing rights.
        on_result: Results to retry, by a predicate. When the attempts are used up, the last result is returned.
        backoff: Waits between attempts: `Exponential()`, `Linear()`, `Fibonacci()`, `Constant()`, `Decorrelated()` of
            this package, any object like them, or a number of seconds.
        jitter: "full" (from nothing to the wait), "equal" (from half of it), "decorrelated", "none", or an object with
            `spread(wait, rng)`.
        max_time: No attempt begins later than this after the first one began.
        max_retry_after: Gives up when the callee asks for a longer wait than this (Retry-After and its like; shorter
            ones are waited for).
        budget: What pays for retries; may be shared by many policies.
        nested: Inside another retry: "stand_back" (one attempt) or "allow" (retry nevertheless).
        seed: Makes the waits repeatable.
        name: For messages and statistics.
        clock: Where time comes from.
        shadow: Count retries, but make none.
        enforce: The share of retries that are made, 0 to 1.

    Raises:
        ConfigError: An option that can never work.

    Example:
        >>> from seawall.clock import ManualClock
        >>> answers = iter([TimeoutError("slow"), ConnectionError("gone"), "fine"])
        >>> retry = Retry(3, clock=ManualClock(autojump=True), seed=1)
        >>> @retry
        ... def ask():
        ...     answer = next(answers)
        ...     if isinstance(answer, Exception):
        ...         raise answer
        ...     return answer
        >>> ask()
        'fine'
        >>> retry.stats().recovered
        1
    """

    __slots__ = ("__weakref__", "_options", "_rng", "_rules", "gave_up", "recovered", "retrying")

    retrying: Signal[Retrying]
    """An attempt failed, and another one follows."""
    gave_up: Signal[GaveUp]
    """The last attempt failed, too, or no other could be made."""
    recovered: Signal[Recovered]
    """A call succeeded after retries."""

    def __init__(
        self,
        attempts: int = 3,
        *,
        on: What = None,
        on_result: Callable[[Any], object] | None = None,
        backoff: Backoff | float | timedelta = Exponential(),  # noqa: B008 -- frozen
        jitter: Literal["full", "equal", "decorrelated", "none"] | Jitter = "full",
        max_time: float | timedelta | None = None,
        max_retry_after: float | timedelta = 300.0,
        budget: RetryBudget | None = None,
        nested: Literal["stand_back", "allow"] = "stand_back",
        seed: int | Random | None = None,
        name: str | None = None,
        clock: Clock | None = None,
        shadow: bool = False,
        enforce: float = 1.0,
    ) -> None:
        options = RetryOptions(
            attempts=attempts, on=on, on_result=on_result, backoff=backoff, jitter=jitter, max_time=max_time,
            max_retry_after=max_retry_after, budget=budget, nested=nested, seed=seed,
        )  # fmt: skip
        self._setup(options, name_of(name, "retry"), clock, shadow, enforce)

    def _setup(self, options: RetryOptions, name: str, clock: Clock | None, shadow: bool, enforce: float) -> None:
        self._begin(name, clock, shadow, enforce)
        self._take(options)
        self.retrying = Signal("retry.retrying", Retrying)
        self.gave_up = Signal("retry.gave_up", GaveUp)
        self.recovered = Signal("retry.recovered", Recovered)

    def _take(self, options: RetryOptions) -> None:
        self._options = options
        backoff, jitter = options.waits()
        self._rules = Rules(options.attempts, backoff, jitter, options.max_time, options.max_retry_after)  # type: ignore[arg-type]
        seed = options.seed
        # Unseeded: not a generator of our own, whose state forked workers would share, and wait alike.
        self._rng = seed if isinstance(seed, Random) else SystemRandom() if seed is None else Random(seed)
        visible = options.attempts > 1 and not self.shadow
        self._arrange(options.nested == "stand_back", visible, options.on_result is not None, options.budget)

    def _follow(self, options: dict[str, Any]) -> Callable[[], None]:
        before = self._options
        kept, undo_budget = _followed(before.budget, options.get("budget"))
        self._take(RetryOptions(**{**options, "budget": kept}))

        def undo() -> None:
            undo_budget()
            self._take(before)

        return undo

    def _after(  # noqa: PLR0917 -- called by compiled code
        self,
        failures: Failures | None,
        number: int,
        began_ns: int,
        outcome: Any,
        raised: bool,
        is_stream: bool,
        yielded: bool,
    ) -> _Answer:
        attempt = Attempt(number, self.clock.now_ns() - began_ns, outcome, raised)
        if self._is_failure(outcome, raised, is_stream):
            return self._retry(failures or Failures(), attempt, yielded)
        if failures is None:
            return _core.ACCEPTED, None
        if raised:
            return self._give_up(failures, attempt, "this error is not retried")
        if self.recovered:
            self.recovered.send(Recovered(self.name, number, attempt.elapsed / 1e9))
        return _core.RECOVERED, None

    def _is_failure(self, outcome: Any, raised: bool, is_stream: bool) -> bool:
        if not raised:
            asked = self._options.on_result
            return asked is not None and not is_stream and bool(asked(outcome))
        if is_cancellation(outcome):  # concurrent.futures.CancelledError is an Exception
            return False
        on = self._options.on
        if on is None:
            return classify(outcome).is_retryable
        return isinstance(outcome, on) if isinstance(on, (type, tuple)) else bool(on(outcome))

    def _retry(self, failures: Failures, attempt: Attempt, yielded: bool) -> _Answer:
        if yielded:
            return self._give_up(failures, attempt, "the caller has seen items already")
        asked = retry_after_of(attempt.outcome, most=math.inf)
        situation = Situation(attempt.number, failures.wait, attempt.elapsed, asked, _time_left())
        wait = next_wait(self._rules, situation, self._rng)
        if isinstance(wait, str):
            return self._give_up(failures, attempt, wait)
        if self._is_lenient():
            return (self._give_up(failures, attempt, "not enforced")) if failures.count else (_core.ACCEPTED, None)
        budget = self._options.budget
        if budget is not None and not budget.withdraw():
            refusal = RetryBudgetExhausted(f"{budget.name} has no retry left", policy=budget.name)
            return self._give_up(failures, attempt, str(refusal), refusal)
        if self.retrying:
            self.retrying.send(Retrying(self.name, attempt.number, wait / 1e9, attempt.error, attempt.result))
        return wait, failures.plus(attempt.text(), wait)

    def decide(self, error: Exception, *, attempt: int = 1, elapsed: float = 0.0, previous: float = 0.0) -> float | str:
        """What this policy says about an attempt that it did not make itself: where attempts outlive the process.

        A retry that is granted is taken from the budget; nothing is counted, and the Deadline in context is not asked.

        Args:
            error: What the attempt raised.
            attempt: Attempts made so far, this one included.
            elapsed: Seconds since the first began.
            previous: The wait before this attempt, in seconds.

        Returns:
            Seconds to wait before the next attempt, or in words why there is none.
        """
        if not self._is_failure(error, True, False):
            return "this error is not retried"
        asked = retry_after_of(error, most=math.inf)
        situation = Situation(attempt, round(previous * 1e9), round(elapsed * 1e9), asked, None)
        wait = next_wait(self._rules, situation, self._rng)
        if isinstance(wait, str):
            return wait or f"all {self._rules.attempts} attempts are used up"
        budget = self._options.budget
        if budget is not None and not budget.withdraw():
            return f"{budget.name} has no retry left"
        return wait / 1e9

    def _give_up(
        self, failures: Failures, attempt: Attempt, reason: str, refusal: RetryBudgetExhausted | None = None
    ) -> _Answer:
        attempt.annotate(f"{self.name} gave up after {attempt.spent()}{reason and ': '}{reason}{failures.before()}")
        if self.gave_up:
            seconds = attempt.elapsed / 1e9
            self.gave_up.send(GaveUp(self.name, attempt.number, seconds, attempt.error, reason, refusal))
        return _core.GAVE_UP if refusal is None else _core.OVER_BUDGET, None

    def stats(self) -> RetryStats:
        """What this retry has done so far, in this process."""
        calls, retries, recovered, gave_up, over_budget, stood_back = self._counts()
        return RetryStats(
            self.name, calls, calls + retries, retries, recovered, gave_up, over_budget, stood_back,
            self.shadow, self.let_through,
        )  # fmt: skip

    def __repr__(self) -> str:
        calls, retries, *_ = self._counts()
        rules, shadow = self._rules, " shadow" if self.shadow else ""
        done = f"{calls} calls, {retries} retries"
        return f"<Retry {self.name!r}: {rules.attempts} attempts, {rules.backoff!r}, {rules.jitter!r}; {done}{shadow}>"

    def __reduce__(self) -> tuple[Any, ...]:
        lenience = self.shadow, self.enforce
        return _again, (type(self), self._options.as_dict(), self.name, self.clock, lenience)

    @classmethod
    def _from_pickle(cls, options: dict[str, Any], name: str, clock: Clock, lenience: tuple[bool, float]) -> Self:
        self = cls.__new__(cls)
        self._setup(RetryOptions(**options), name, clock, *lenience)
        return self


def _followed(budget: RetryBudget | None, wanted: RetryBudget | None) -> tuple[RetryBudget | None, Callable[[], None]]:
    """The budget after `wanted` was asked for, and what undoes it: a private one of the same name keeps its balance."""
    if budget is None or wanted is None or budget.segment or wanted.segment or budget.name != wanted.name:
        return wanted, lambda: None
    before = budget._config()
    budget._reshape(wanted._config())
    return budget, lambda: budget._reshape(before)


def _again(kind: type[Retry], *state: Any) -> Retry:
    return kind._from_pickle(*state)


def _time_left() -> float | None:
    deadline = Deadline.current()
    return None if deadline is None else deadline.remaining()
