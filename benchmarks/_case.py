"""What is measured: a case names it, its probe is the statement that is timed and the proof that it works."""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

OURS = "seawall"


class WrongAnswer(Exception):
    """A case does not do what it is timed for."""


@dataclass(frozen=True)
class Probe:
    """One statement and how to know that it does its work.

    Args:
        statement: A Python expression; with `await` in front it is timed inside a coroutine.
        names: What the statement uses.
        holds: Whether a value of the expression is right.
        counted: What the object under test itself says it has done; None where it keeps no count.
        step: By how much `counted` grows with each execution.
        per: Values or keys that one execution handles; costs are told for one of them.
        over: The name `x` in the statement runs over these, round and round.
        reset: Called before each batch, untimed, for state that would grow without bound.
        bare: The same work without what is measured: timed just before, as often, and taken off.
    """

    statement: str
    names: Mapping[str, object]
    holds: Callable[[object], bool]
    counted: Callable[[], int] | None = None
    step: int = 1
    per: int = 1
    over: Iterable[object] | None = None
    reset: Callable[[], object] | None = None
    bare: str = "pass"

    @property
    def is_async(self) -> bool:
        """Whether the statement awaits."""
        return self.statement.startswith("await ")

    def answer(self, run: Callable[[Awaitable[object]], object]) -> object:
        """The value of one execution, with the first of `over`."""
        names = dict(self.names)
        if self.over is not None:
            names["x"] = next(iter(self.over))
        value = eval(self.statement.removeprefix("await "), names)
        return run(value) if inspect.isawaitable(value) else value


Measure = Literal["x", "ns", "us", "ms more", "M/s"]


@dataclass(frozen=True)
class Target:
    """What a case should cost at most (at least, for M/s): in units of the reference case, or absolute."""

    bound: float
    measure: Measure = "x"

    def value(self, seconds: float, reference: float) -> float:
        """A median, and the median of the reference, in the unit of the target."""
        values = {
            "x": seconds / reference,
            "ns": seconds * 1e9,
            "us": seconds * 1e6,
            "ms more": (seconds - reference) * 1e3,
            "M/s": 1e-6 / seconds if seconds > 0 else math.inf,
        }
        return values[self.measure]

    def holds(self, value: float) -> bool:
        """Whether `value` reaches the target."""
        return value >= self.bound if self.measure == "M/s" else value <= self.bound

    def tell(self, value: float) -> str:
        """A value in words."""
        return f"{value:.2f} x" if self.measure == "x" else f"{value:.3g} {self.measure}"

    def __str__(self) -> str:
        return f"{'at least' if self.measure == 'M/s' else 'at most'} {self.bound:g} {self.measure}"


How = Literal["loop", "threads", "process"]


@dataclass(frozen=True)
class Case:
    """A named measurement.

    Args:
        group: Cases of one group do the same job.
        library: Who does it; OURS for seawall.
        call: How it does it.
        make: Builds the probe; an async function where it needs a running event loop.
        target: What it should cost.
        of: The case that ratios are taken to; None is `time.monotonic()`.
        how: Timed in a loop of this thread, by threads that share the object, or as a whole process.
        workers: How many threads.
        longer: Batches so many times as long as usual, for work that should find the caches as it left them.
    """

    group: str
    library: str
    call: str
    make: Callable[[], Probe | Awaitable[Probe]]
    target: Target | None = None
    of: str | None = None
    how: How = "loop"
    workers: int = 1
    longer: int = 1

    @property
    def name(self) -> str:
        """Unique within an area."""
        return f"{self.group}: {self.library} {self.call}"

    @property
    def is_ours(self) -> bool:
        """A case of seawall."""
        return self.library == OURS


@dataclass(frozen=True)
class Missing:
    """A library that could not be imported, and why."""

    library: str
    why: str


def exhaust(admit: Callable[[], object], limit: int) -> None:
    """Shows that exactly `limit` calls are admitted and the next is not."""
    answers = [bool(admit()) for _ in range(limit + 1)]
    if answers != [True] * limit + [False]:
        raise WrongAnswer(f"a limit of {limit} answered {answers}")


def is_true(value: object) -> bool:
    """Admitted."""
    return bool(value)


def is_false(value: object) -> bool:
    """Refused."""
    return not value


def is_none(value: object) -> bool:
    """A call that tells nothing."""
    return value is None


def near(expected: float, relative: float) -> Callable[[object], bool]:
    """Whether a number is as close to `expected` as was promised."""
    return lambda value: isinstance(value, float | int) and math.isclose(value, expected, rel_tol=relative)
