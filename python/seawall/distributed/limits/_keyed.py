"""One limit across machines for each of many keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seawall._core.policy import Waiting
from seawall.distributed.limits._calls import Calls
from seawall.distributed.limits._levels import Key, Keys
from seawall.errors import ConfigError
from seawall.guard.limits import Decision
from seawall.guard.limits._options import whole

if TYPE_CHECKING:
    from seawall.distributed.limits._limit import Limit

_MOST_KEYS = 1 << 30


class Keyed(Calls, Waiting):
    """A limit by key; make it with `limit.keyed()`. The calls of the limit with a key first.

    Keys are str, bytes, int or tuples of these; equal text, bytes and numbers are different keys. The engine keeps a
    state for each until it is fully replenished, under its text (long ones by a hash of 160 bits).
    Thread safety: as for limits.
    """

    def __init__(self, limit: Limit, max_keys: int) -> None:
        self._limit = limit
        self.max_keys = whole(max_keys, "max_keys", most=_MOST_KEYS)
        of = limit._asker
        self._start(of.engine, of.name, of.levels, of.options, self.max_keys)
        self._bind(of.name, of.clock)
        self._be_lenient(limit.shadow, limit.enforce)

    def _keys_of(self, key: Any) -> Keys:
        if key is None:
            raise TypeError("a key must be str, bytes, int or a tuple of these, got None")
        return (key,) * len(self._asker.levels)

    def try_acquire(self, key: Key, cost: int = 1) -> bool:
        """Admit a call of `cost` for `key` now, or not."""
        return self._ask(cost, self._keys_of(key), key).admitted

    async def try_acquire_async(self, key: Key, cost: int = 1) -> bool:
        """`try_acquire` for a task."""
        return (await self._ask_async(cost, self._keys_of(key), key)).admitted

    def check(self, key: Key, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer."""
        return self._ask(cost, self._keys_of(key), key)

    async def check_async(self, key: Key, cost: int = 1) -> Decision:
        """`check` for a task."""
        return await self._ask_async(cost, self._keys_of(key), key)

    def peek(self, key: Key, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing."""
        return self._look(cost, self._keys_of(key), key)

    async def peek_async(self, key: Key, cost: int = 1) -> Decision:
        """`peek` for a task."""
        return await self._look_async(cost, self._keys_of(key), key)

    def acquire(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait for a place for `key`; as for a limit without keys."""
        self._come_in(cost, self._keys_of(key), key, timeout)

    async def acquire_async(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task."""
        await self._come_in_async(cost, self._keys_of(key), key, timeout)

    def reconfigure(self, *args: Any, **kwargs: Any) -> None:
        """New limits for every key, with the arguments of the limit's own `reconfigure`."""
        plan = getattr(self._limit, "_plan", None)
        if plan is None:
            raise ConfigError(f"{self._asker.name} is made of several limits: reconfigure those, and make it again")
        self._asker.rearrange(plan(self._asker.name, *args, **kwargs))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._asker.name!r}: {self._settings()} in {self._asker.engine.name}>"
