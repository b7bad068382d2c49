"""The share of a limit that this process keeps to while the engine is away."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from seawall.clock import Clock
from seawall.distributed.limits._levels import Keys, Level
from seawall.errors import RateLimited
from seawall.guard.limits import Decision, Keyed, Limit, Permit

_NEVER = float("inf")


class Share:
    """Local limits in the place of levels that cannot be asked; kept from one outage to the next.

    Thread safety: yes. The tables of levels with keys take room when the first key is asked for.
    """

    def __init__(self, levels: Sequence[Level], share: int, max_keys: int, clock: Clock) -> None:
        self._plain: tuple[Limit, ...] = tuple(level.local(share, name=level.name, clock=clock) for level in levels)
        self._keyed: dict[int, Keyed] = {}
        self._max_keys = max_keys
        # Nobody else uses these limits: what was seen under the lock is still so when it is taken.
        self._lock = Lock()

    def decide(self, cost: int, keys: Keys, *, consume: bool) -> list[Decision]:
        """What each level says; all are charged or none is."""
        with self._lock:
            seen = [self._peek(i, cost, key) for i, key in enumerate(keys)]
            if not consume or not all(seen):
                return seen
            return [
                self._plain[i].check(cost) if key is None else self._table(i).check(key, cost)
                for i, key in enumerate(keys)
            ]

    def reserve(self, cost: int, keys: Keys) -> Permit:
        """A place in the only level, now or later; RateLimited when there is none."""
        (key,), plain = keys, self._plain[0]
        if cost > plain.limit:
            raise RateLimited(f"{plain.name} is at its limit", policy=plain.name, key=key)
        return plain.reserve(cost) if key is None else self._table(0).reserve(key, cost)

    def _peek(self, level: int, cost: int, key: str | bytes | int | tuple[object, ...] | None) -> Decision:
        plain = self._plain[level]
        if cost > plain.limit:
            return Decision(False, plain.limit, 0, _NEVER, 0.0, plain.name, key)
        return plain.peek(cost) if key is None else self._table(level).peek(key, cost)

    def _table(self, level: int) -> Keyed:
        if level not in self._keyed:
            self._keyed[level] = self._plain[level].keyed(self._max_keys)
        return self._keyed[level]
