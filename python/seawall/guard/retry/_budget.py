"""The share of calls that may be repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from seawall._core.budget import Budget
from seawall._core.descriptors import own_methods
from seawall.clock import Clock
from seawall.guard._made import tell
from seawall.guard._policy import OnConflict, conflict_of, name_of
from seawall.guard.limits._options import clock_of
from seawall.guard.retry._budget_options import BudgetOptions
from seawall.memory import Segment


@dataclass(frozen=True, slots=True)
class BudgetStats:
    """What a budget holds, and has refused so far.

    Args:
        name: The budget.
        settings: What it is configured as.
        balance: Retries that may be made at this instant.
        refused: Retries refused, by all who share the budget.
        segment: Path of the segment it lies in; None for a private one.
    """

    name: str
    settings: str
    balance: int
    refused: int
    segment: str | None


@own_methods
class RetryBudget(Budget):
    """What retries may spend: each first attempt pays `ratio` of one, and a few a second are free.

    A service that fails for everybody then gets at most 1 + `ratio` times its usual load, instead of `attempts` times.
    One budget serves any number of `Retry` policies; shared, those of all worker processes.

    Guarantees: in any window, retries are at most ratio x first attempts + min_per_second x window, from any number of
    threads and processes; a process that is killed costs at most one. A clock that steps back gives nothing twice.
    Units: `window` in seconds; it moves in tenths. Cost: a first attempt pays in about 20 ns.

    Args:
        ratio: Retries that each first attempt pays for, 0 to 1.
        min_per_second: Retries that are allowed besides, so that a seldom called service is retried, too.
        window: How long a first attempt pays, 0.01 s to a year.
        name: For messages and statistics, and the slot in a shared segment; by default "retry_budget".
        clock: Where time comes from.
        shared: A segment, or its name: all workers that name it share one budget.
        on_conflict: When the slot exists with another configuration: "error", "adopt" it, or "replace" it for all.

    Raises:
        ConfigError: An option that can never work, or a conflicting configuration.
        SegmentError: The segment cannot be used.

    Source: Finagle's RetryBudget; gRFC A6.

    Example:
        >>> budget = RetryBudget(0.5, min_per_second=0)
        >>> for _ in range(4):
        ...     budget.deposit()
        >>> [budget.withdraw() for _ in range(3)]
        [True, True, False]
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self,
        ratio: float = 0.2,
        *,
        min_per_second: float = 10.0,
        window: float | timedelta = 10.0,
        name: str | None = None,
        clock: Clock | None = None,
        shared: Segment | str | None = None,
        on_conflict: OnConflict = "error",
    ) -> None:
        options = BudgetOptions(ratio=ratio, min_per_second=min_per_second, window=window)
        conflict = conflict_of(on_conflict)
        named = name_of(name, "retry_budget")
        self._open(named, clock_of(clock, shared), options.config(), Segment.of(shared), conflict)
        tell(self)

    def reconfigure(
        self, ratio: float = 0.2, *, min_per_second: float = 10.0, window: float | timedelta = 10.0
    ) -> None:
        """Another configuration for everybody at once. What was paid and spent is kept, unless the window changes."""
        self._reshape(BudgetOptions(ratio=ratio, min_per_second=min_per_second, window=window).config())

    def stats(self) -> BudgetStats:
        """What it holds, and has refused so far."""
        segment = self.segment
        return BudgetStats(self.name, self._settings(), self.balance, self.refused, segment.path if segment else None)

    def __repr__(self) -> str:
        where = f" shared in {self.segment.path}" if self.segment else ""
        return f"<RetryBudget {self.name!r}: {self._settings()}, balance {self.balance}{where}>"

    @classmethod
    def _from_pickle(cls, config: tuple[int, int, int], name: str, clock: Clock, segment: Segment) -> Self:
        self = cls.__new__(cls)
        self._open(name, clock, config, segment, "adopt")
        return self
