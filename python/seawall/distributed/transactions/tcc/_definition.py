"""What a TCC is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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
from seawall.distributed.transactions.tcc._state import TRY
from seawall.errors import ConfigError
from seawall.guard.retry import Retry

_TRY = first_tries("try of a branch")
_MUST = must_succeed("branch that must succeed")


@dataclass(frozen=True)
class Branch:
    """What one service reserves, and how the reservation is made good or given up.

    All three are plain or coroutine functions of a `BranchContext`, may be called again after they had their effect,
    and pass `context.barrier` in the transaction of their effect; a service elsewhere passes `context.key` as
    idempotency key, or the barrier's headers.

    Args:
        name: Unique in its TCC; in keys and records, so it stays the same when the code moves.
        try_: Checks and reserves; its result must be JSON, is recorded, and told to all that follows. `StepRefused`
            says that nothing was reserved and nothing is going to be; after any other error it may have been.
        confirm: Makes the reservation good. It must succeed: what could fail was for the try to find out.
        cancel: Gives the reservation up, also one that was begun and never heard of again. It must succeed.
        retry: Which errors of the try are tried again, and when. By default three attempts, for errors worth it.
        confirm_retry: The same for the confirm; by default ten attempts, for any error.
        cancel_retry: The same for the cancel; by default ten attempts, for any error.
        timeout: Seconds for each attempt: a coroutine is cancelled, a plain function finds a `Deadline` in force.

    Raises:
        ConfigError: Something that can never work.
    """

    name: str
    try_: Action
    confirm: Action
    cancel: Action
    retry: Retry | None = None
    confirm_retry: Retry | None = None
    cancel_retry: Retry | None = None
    timeout: float | timedelta | None = None

    def __post_init__(self) -> None:
        name = self.name
        check_name(name, of_step=True)
        for what in ("try_", "confirm", "cancel"):
            if not callable(getattr(self, what)):
                raise ConfigError(
                    f"{what} of branch {name!r} must be a function of the branch's context, got {getattr(self, what)!r}"
                )
        check_policies(self, f"branch {name!r}", "retry", "confirm_retry", "cancel_retry")
        object.__setattr__(self, "guard", guard_of(self.timeout, name))

    guard = None

    def operation(self, name: str) -> Action:
        """What is called for "try", "confirm" or "cancel"."""
        return self.try_ if name == TRY else getattr(self, name)


class Tcc:
    """Branches that are all confirmed or all cancelled: named, so that another process can go on with it.

    Args:
        name: Unique among the TCCs of a coordinator; in the records.
        branches: `Branch`, in the order in which they are tried.
        deadline: Seconds from its beginning, 0.001 to a year, after which nothing more is tried and all is cancelled.
            None for none. What was decided has no deadline.
        parallel: Whether branches are tried, confirmed and cancelled at the same time; else one after the other.

    Raises:
        ConfigError: Something that can never work.
    """

    def __init__(
        self, name: str, *branches: Branch, deadline: float | timedelta | None = None, parallel: bool = False
    ) -> None:
        check_name(name)
        if not branches or not all(isinstance(branch, Branch) for branch in branches):
            raise ConfigError(f"branches of tcc {name!r} must be one Branch or more, got {branches!r}")
        self.name = name
        self.branches = {branch.name: branch for branch in branches}
        check_unique([branch.name for branch in branches], f"tcc {name!r}", "branches")
        self.deadline_us = None if deadline is None else to_ns(deadline, "deadline", least_ns=1_000_000) // 1_000
        self.parallel = bool(parallel)

    @property
    def shape(self) -> list[str]:
        """Names of the branches, as records keep them."""
        return list(self.branches)

    def policy(self, branch: str, operation: str) -> Retry:
        """The retry of a try, confirm or cancel."""
        found = self.branches[branch]
        if operation == TRY:
            return found.retry or _TRY
        return getattr(found, f"{operation}_retry") or _MUST

    def __repr__(self) -> str:
        return f"<Tcc {self.name!r}: {', '.join(self.branches)}>"
