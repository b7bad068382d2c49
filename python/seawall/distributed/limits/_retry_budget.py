"""A retry budget over all machines: what calls pay stays where they were made, what is free is shared."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import Any, NamedTuple

from seawall.clock import Clock
from seawall.distributed.limits._algorithms import TokenBucket
from seawall.engines import Engine
from seawall.errors import ConfigError
from seawall.guard.retry import RetryBudget
from seawall.guard.retry._budget_options import BudgetOptions
from seawall.measure import Counter


class DistributedBudgetStats(NamedTuple):
    """What a budget holds in this process, and has done here so far.

    Attributes:
        name: The budget.
        settings: What it is configured as.
        balance: Retries that may be made at this instant without asking: paid here, or taken ahead of the reserve.
        refused: Retries refused.
        reserved: Retries that the common reserve paid.
        away: Whether the engine was away when it was last asked.
    """

    name: str
    settings: str
    balance: int
    refused: int
    reserved: int
    away: bool


class DistributedRetryBudget(RetryBudget):
    """What the retries of all processes may spend together: `Retry(3, budget=DistributedRetryBudget(...))`.

    Each first attempt pays `ratio` of a retry in its own process, for its retries: sums of shares are shares of sums,
    so that needs no engine. What is free besides, `min_per_second`, would be there once for each process; it lies in
    the engine, and processes take of it ahead.

    Guarantees: in any window, retries of all processes are at most ratio x first attempts + min_per_second x window,
    + processes x a tenth of min_per_second x window that they hold. While the engine is away nothing is free, and what
    calls pay goes on paying. In a thread a withdrawal may wait for one round trip; in a task it never waits: it is
    refused when this process holds nothing, and a task of the running loop fetches more.

    Args:
        ratio: Retries that each first attempt pays for, 0 to 1.
        min_per_second: Retries of all processes together that are allowed besides, above 0.
        window: How long a first attempt pays, 0.01 s to a year.
        engine: Where the reserve is.
        name: The same in every process.
        namespace: Of the engine's meter.
        within: The longest time to ask the engine, in seconds.
        clock: By which calls pay; where time comes from in this process.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.engines import open_engine
        >>> engine = open_engine("memory://", clock=ManualClock())
        >>> here = DistributedRetryBudget(0, min_per_second=1, window=2, engine=engine, name="payments")
        >>> there = DistributedRetryBudget(0, min_per_second=1, window=2, engine=engine, name="payments")
        >>> [here.withdraw(), there.withdraw(), here.withdraw()]
        [True, True, False]
    """

    def __init__(
        self,
        ratio: float = 0.2,
        *,
        min_per_second: float = 10.0,
        window: float | timedelta = 10.0,
        engine: Engine,
        name: str,
        namespace: str = "seawall",
        within: float | timedelta = 1.0,
        clock: Clock | None = None,
    ) -> None:
        if not min_per_second > 0:
            raise ConfigError(
                f"min_per_second must be above 0, got {min_per_second}; without a reserve there is nothing to share: "
                "use a RetryBudget"
            )
        super().__init__(ratio, min_per_second=0.0, window=window, name=name, clock=clock)
        options = BudgetOptions(ratio=ratio, min_per_second=min_per_second, window=window)
        burst = max(1, math.floor(min_per_second * float(options.window)))  # type: ignore[arg-type]  # kept as seconds
        reserve = TokenBucket(
            min_per_second, burst=burst, engine=engine, name=name, namespace=namespace, away="closed", within=within
        )
        self._reserve = reserve.leased(fraction=0.1)
        self._reserved = Counter()
        self._fetching: asyncio.Task[None] | None = None

    def withdraw(self) -> bool:
        """Whether a retry may be made; if so, it is paid for."""
        if super().withdraw():
            return True
        if not self._borrow():
            return False
        self._reserved.inc()
        return True

    def _borrow(self) -> bool:
        if self._reserve._take(1):
            return True
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._reserve.try_acquire()
        if self._fetching is None or self._fetching.done():
            self._fetching = loop.create_task(self._reserve.renew_async())
        return False

    def stats(self) -> DistributedBudgetStats:  # type: ignore[override]  # the same, and more
        """What it holds, and has done in this process so far."""
        reserve = self._reserve.stats()
        settings = f"{self._settings()}, and together {reserve.settings}"
        return DistributedBudgetStats(
            self.name, settings, self.balance + reserve.held, self.refused - self._reserved.value,
            self._reserved.value, reserve.away,
        )  # fmt: skip

    def reconfigure(self, *args: Any, **kwargs: Any) -> None:
        """Not while running: make another budget, and a Retry that has it."""
        del args, kwargs
        raise ConfigError(f"{self.name} cannot be changed while running; make another budget of that name")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self.stats().settings} in {self._reserve.stats().engine}>"
