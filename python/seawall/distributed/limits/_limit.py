"""What all limits across machines without keys have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from seawall._core.policy import Waiting
from seawall.distributed.limits._calls import Calls
from seawall.distributed.limits._keyed import Keyed
from seawall.distributed.limits._leased import Leased
from seawall.distributed.limits._levels import Keys, Level
from seawall.distributed.limits._options import Common, DistributedOptions
from seawall.engines import Engine
from seawall.guard._policy import Face, name_of
from seawall.guard.limits import Decision
from seawall.guard.limits._entering import Entering

_ALONE = 1


class Limit(Calls, Entering, Face, Waiting):
    """The base of limits across machines; make one of the five, or `AllOf`.

    Every call asks the engine: one atomic step there, one round trip. Limits of one name in one namespace of one engine
    are one limit, whoever makes them. Each process decides by its own parameters over the common state, so change them
    everywhere.

    Guarantees: while the engine answers, what a local limit of the same parameters promises holds for all processes
    together, by the engine's clock. A call ends within `within` seconds, and no engine that is away fails it: what
    happens then is `away`'s to say, `stats()` counts it, `away_changed` tells it, and it ends when the engine answers
    again. A call whose answer was lost may have been charged as well.
    Thread safety: any number of threads, tasks and event loops. Calls have twins `..._async`.
    """

    _keys: Keys

    def _setup(
        self,
        engine: Engine,
        name: str,
        levels: tuple[Level, ...],
        options: Common,
    ) -> None:
        rest: dict[str, Any] = dict(options)
        shadow, enforce = rest.pop("shadow", False), rest.pop("enforce", 1.0)
        named = name_of(name, "")
        self._start(engine, named, levels, DistributedOptions.from_dict(rest), _ALONE)
        self._begin(named, self._asker.clock, shadow, enforce)
        self._be_lenient(shadow, enforce)
        self._keys = (None,) * len(levels)

    def try_acquire(self, cost: int = 1) -> bool:
        """Admit a call of `cost` now, or not."""
        return self._ask(cost, self._keys, None).admitted

    async def try_acquire_async(self, cost: int = 1) -> bool:
        """`try_acquire` for a task."""
        return (await self._ask_async(cost, self._keys, None)).admitted

    def check(self, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer."""
        return self._ask(cost, self._keys, None)

    async def check_async(self, cost: int = 1) -> Decision:
        """`check` for a task."""
        return await self._ask_async(cost, self._keys, None)

    def peek(self, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing."""
        return self._look(cost, self._keys, None)

    async def peek_async(self, cost: int = 1) -> Decision:
        """`peek` for a task."""
        return await self._look_async(cost, self._keys, None)

    def acquire(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait for a place.

        In the two buckets the place is taken at once, behind all who wait anywhere, and used when it is due: nobody
        asks twice. Elsewhere whoever is first in this process asks again when its turn may come, so each process has
        at most one that asks.

        Args:
            cost: What the call takes.
            timeout: The longest wait, in seconds; a Deadline in context counts too.

        Raises:
            RateLimited: At once, when the wait would outlast the timeout or the Deadline.
            ValueError: The cost can never be admitted.
        """
        self._come_in(cost, self._keys, None, timeout)

    async def acquire_async(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task."""
        await self._come_in_async(cost, self._keys, None, timeout)

    def keyed(self, max_keys: int = 100_000) -> Keyed:
        """The same limit for each of many keys.

        Args:
            max_keys: How many keys find room at once in this process while the engine is away.
        """
        return Keyed(self, max_keys)

    def leased(self, *, fraction: float = 0.1, ttl: float | timedelta = 1.0) -> Leased:
        """The same limit, of which this process takes calls ahead and then decides by itself.

        Args:
            fraction: What a process may hold, as a share of the most that the limit admits at once, above 0.
            ttl: How long that can be used, in seconds.
        """
        return Leased(self, fraction, ttl)

    def _wait_in(self) -> None:
        self.acquire()

    async def _wait_in_async(self) -> None:
        await self.acquire_async()

    def __repr__(self) -> str:
        shadow = " shadow" if self.shadow else ""
        away = " away" if self._asker.away.is_away else ""
        return f"<{type(self).__name__} {self.name!r}: {self._settings()} in {self._asker.engine.name}{shadow}{away}>"
