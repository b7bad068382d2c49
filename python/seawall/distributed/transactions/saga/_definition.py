"""What a saga is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from seawall.clock import to_ns
from seawall.distributed.transactions._conducting import (
    Action,
    check_name,
    check_policies,
    check_unique,
    first_tries,
    guard_of,
    must_succeed,
)
from seawall.errors import ConfigError
from seawall.guard.retry import Retry

_FORWARD = first_tries("saga step")
_MUST = must_succeed("saga step that must succeed")


@dataclass(frozen=True)
class Step:
    """One action on one service, and how to undo it.

    Args:
        name: Unique in its saga; in keys and records, so it stays the same when the code moves.
        action: Plain or coroutine function of a `StepContext`; its result must be JSON, is recorded, and handed to
            later steps. It may be called again after it had its effect: let a `Barrier`, or a service that takes
            `context.key` as idempotency key, see to it that the effect happens once. `StepRefused` says that it has
            not happened and is not going to; after any other error it may have, and the step is compensated too.
        compensation: Undoes the action, also one that was begun and never heard of again; None when there is nothing
            to undo. It is retried, and must succeed.
        retry: Which errors of the action are tried again, and when. By default three attempts, for errors worth it;
            after the pivot ten attempts, for any error.
        compensation_retry: The same for the compensation; by default ten attempts, for any error.
        timeout: Seconds for each attempt: a coroutine is cancelled, a plain function finds a `Deadline` in force.
        pivot: The saga's point of no return: once it is done the saga goes only forward.

    Raises:
        ConfigError: Something that can never work.
    """

    name: str
    action: Action
    compensation: Action | None = None
    retry: Retry | None = None
    compensation_retry: Retry | None = None
    timeout: float | timedelta | None = None
    pivot: bool = False

    def __post_init__(self) -> None:
        name = self.name
        check_name(name, of_step=True)
        for what in ("action", "compensation"):
            call = getattr(self, what)
            if not callable(call) and not (what == "compensation" and call is None):
                raise ConfigError(f"{what} of step {name!r} must be a function of the step's context, got {call!r}")
        check_policies(self, f"step {name!r}", "retry", "compensation_retry")
        if self.pivot and self.compensation is not None:
            raise ConfigError(f"step {name!r} is the pivot and cannot be undone; leave its compensation out")
        object.__setattr__(self, "guard", guard_of(self.timeout, name))

    guard = None


@dataclass(frozen=True, init=False)
class Parallel:
    """Branches that run at the same time; the saga goes on when all are done.

    When a branch fails for good, no branch begins anything more, those under way end, and all is compensated.

    Args:
        branches: A `Step`, or several as a tuple or list: one after the other.
    """

    branches: tuple[tuple[Step, ...], ...]

    def __init__(self, *branches: Step | tuple[Step, ...] | list[Step]) -> None:
        made = tuple((branch,) if isinstance(branch, Step) else tuple(branch) for branch in branches)
        if len(made) < 2 or not all(made) or not all(isinstance(step, Step) for branch in made for step in branch):
            raise ConfigError(f"branches must be two or more, each a Step or a tuple of them, got {branches!r}")
        object.__setattr__(self, "branches", made)


class Saga:
    """Steps on several services that are all done, or all undone: named, so that another process can go on with it.

    Args:
        name: Unique among the sagas of an orchestrator; in the records.
        steps: `Step` or `Parallel`, in order.
        deadline: Seconds from its beginning, 0.001 to a year, after which no further step begins and all is
            compensated; it does not hold once the pivot has begun. None for none.

    Raises:
        ConfigError: Something that can never work.
    """

    def __init__(self, name: str, *steps: Step | Parallel, deadline: float | timedelta | None = None) -> None:
        check_name(name)
        self.name = name
        self.stages = tuple(_branches(name, step) for step in steps)
        self.deadline_us = None if deadline is None else to_ns(deadline, "deadline", least_ns=1_000_000) // 1_000
        self.steps = {step.name: step for step in self._all()}
        self._check()
        pivots = [step.name for step in self._all() if step.pivot]
        self.pivot = pivots[0] if pivots else None
        order = list(self.steps)
        self._after_pivot = frozenset(order[order.index(self.pivot) + 1 :] if self.pivot else ())

    def _all(self) -> Iterator[Step]:
        return (step for stage in self.stages for branch in stage for step in branch)

    def _check(self) -> None:
        steps = list(self._all())
        if not steps:
            raise ConfigError(f"saga {self.name!r} must have at least one step")
        check_unique([step.name for step in steps], f"saga {self.name!r}", "steps")
        pivots = [step.name for step in steps if step.pivot]
        if len(pivots) > 1:
            raise ConfigError(f"saga {self.name!r} must have at most one pivot, got {', '.join(pivots)}")
        for stage in self.stages:
            if len(stage) > 1 and (inside := [s.name for branch in stage for s in branch if s.pivot]):
                raise ConfigError(f"pivot {inside[0]!r} of saga {self.name!r} must not be inside a Parallel")

    def is_after_pivot(self, step: str) -> bool:
        """Whether there is no way back once this step is to run."""
        return step in self._after_pivot

    @property
    def shape(self) -> list[list[list[str]]]:
        """Names of the steps by stage and branch, as records keep them."""
        return [[[step.name for step in branch] for branch in stage] for stage in self.stages]

    def policy(self, step: str, operation: str) -> Retry:
        """The retry of an action or a compensation."""
        found = self.steps[step]
        if operation == "compensation":
            return found.compensation_retry or _MUST
        return found.retry or (_MUST if found.pivot or self.is_after_pivot(step) else _FORWARD)

    def __repr__(self) -> str:
        return f"<Saga {self.name!r}: {', '.join(self.steps)}>"


def _branches(saga: str, step: Any) -> tuple[tuple[Step, ...], ...]:
    if isinstance(step, Step):
        return ((step,),)
    if isinstance(step, Parallel):
        return step.branches
    raise ConfigError(f"steps of saga {saga!r} must be Step or Parallel, got {step!r}")
