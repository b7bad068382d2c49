"""One limit for each of many keys."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from threading import Lock
from typing import Any

from seawall._core import keyed as _core
from seawall._core.descriptors import own_methods
from seawall.guard._made import tell
from seawall.guard._policy import OnConflict, conflict_of, name_of
from seawall.guard.limits import _options as options
from seawall.guard.limits._decision import KeyedStats
from seawall.guard.limits._limit import Limit
from seawall.guard.limits._line import Line
from seawall.guard.limits._permit import Permit

Key = str | bytes | int | tuple[Any, ...]
_MOST_KEYS = 1 << 30


@own_methods
class Keyed(_core.KeyedLimiter):
    """A limit by key, in a table of bounded size; make it with `limiter.keyed()`.

    Guarantees: a key is forgotten only when its limit is fully replenished, so forgetting changes no answer. When every
    place for a new key is taken by live ones, the new key is refused and counted in `stats().overflowed`.
    Keys are str, bytes, int or tuples of these; equal text, bytes and numbers are different keys. They are kept as
    64 bits of a hash with a secret seed, so nobody outside can make keys collide.
    Thread safety: as for limits. Cost: `try_acquire` about 60 ns and one to three cache misses.
    """

    __slots__ = ("__weakref__", "_limiter", "_lines", "_lock")

    def __init__(
        self, limiter: Limit, max_keys: int, *, name: str | None = None, on_conflict: OnConflict = "error"
    ) -> None:
        keys = options.whole(max_keys, "max_keys", most=_MOST_KEYS)
        amount, period, limit = limiter._config()
        self._limiter = limiter
        self._lines: dict[int, Line] = {}
        self._lock = Lock()
        self._open(
            limiter,
            amount,
            period,
            limit,
            limiter._cells(limit),
            keys,
            name_of(name, f"{limiter.name}/keyed"),
            conflict_of(on_conflict),
        )
        tell(self)

    @property
    def limit(self) -> int:
        """The most that is ever admitted at once for one key."""
        return int(self._config()[2])

    def acquire(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait for a place for `key`, first come first served; errors as for a single limit."""
        patience = options.Patience(timeout)
        hash_ = self._hash(key)
        line = self._line(hash_, key)
        try:
            with patience as longest:
                line.wait(self.clock, cost, longest)
        finally:
            self._tidy(hash_, line)

    async def acquire_async(self, key: Key, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task; cancelling it gives its place back."""
        patience = options.Patience(timeout)
        hash_ = self._hash(key)
        line = self._line(hash_, key)
        try:
            with patience as longest:
                await line.wait_async(self.clock, cost, longest)
        finally:
            self._tidy(hash_, line)

    def reserve(self, key: Key, cost: int = 1) -> Permit:
        """A place for `key`, now or later."""
        return self._place(key, cost, 365 * 86_400.0)

    def reconfigure(self, *args: Any, **kwargs: Any) -> None:
        """New limits for every key at once, with the arguments of the limit's own `reconfigure`. Scans the table."""
        plan = self._limiter._plan(*args, **kwargs)  # type: ignore[attr-defined]
        with self._lock, ExitStack() as lines:  # places taken under the old limits can only be undone under them
            for line in self._lines.values():
                lines.enter_context(line.rearranging())
            self._reshape(plan.amount, plan.period, plan.limit)

    def stats(self) -> KeyedStats:
        """What this limit has done so far. Scans the table for live keys."""
        admitted, refused, overflowed, evicted = self._counts()
        segment = self.segment
        return KeyedStats(
            self.name,
            self._settings(),
            admitted,
            refused,
            overflowed,
            evicted,
            self._live_keys(),
            self.max_keys,
            self.table_bytes,
            sum(map(len, list(self._lines.values()))),
            segment.path if segment else None,
            self.shadow,
        )

    # By hash, so that keys are the same here when they are the same to the table: 1 and True are not.
    def _line(self, hash_: int, key: Key) -> Line:
        with self._lock:
            line = self._lines.get(hash_)
            if line is None:
                line = self._lines[hash_] = Line(lambda cost, wait: self._place(key, cost, wait))
            return line

    def _tidy(self, hash_: int, line: Line) -> None:
        with self._lock:
            if not line and self._lines.get(hash_) is line:
                del self._lines[hash_]

    def __repr__(self) -> str:
        where = f" shared in {self.segment.path}" if self.segment else ""
        return f"<Keyed {self.name!r}: {self._settings()}, room for {self.max_keys} keys{where}>"

    def _pickled(self) -> tuple[Any, ...]:
        return self._limiter, self.max_keys, self.name

    @classmethod
    def _from_pickle(cls, limiter: Limit, max_keys: int, name: str) -> Keyed:
        return cls(limiter, max_keys, name=name, on_conflict="adopt")
