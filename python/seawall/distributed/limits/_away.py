"""What happens to calls while the engine is away, and how that is seen."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from seawall.clock import Clock
from seawall.distributed.limits._events import AwayChanged
from seawall.distributed.limits._levels import Keys, Level
from seawall.distributed.limits._options import DistributedOptions
from seawall.distributed.limits._share import Share
from seawall.errors import EngineError, Full, ReadOnly, Unavailable, UnknownOutcome
from seawall.guard.limits import Decision
from seawall.measure import Counter
from seawall.patterns import Signal

AWAY = (Unavailable, UnknownOutcome, ReadOnly, Full)
"""Failures that pass by themselves or by an operator's hand; the others say that something is set up wrongly."""


class AwayPolicy:
    """Decides without the engine, and tells when that begins and ends.

    Thread safety: yes.
    """

    def __init__(
        self,
        name: str,
        levels: Sequence[Level],
        options: DistributedOptions,
        *,
        max_keys: int,
        retry: float,
        clock: Clock,
    ) -> None:
        self.is_away = False
        self.outages = 0
        self.admitted, self.refused = Counter(), Counter()
        self.changed: Signal[AwayChanged] = Signal("distributed_limit.away_changed", AwayChanged)
        self.share = Share(levels, options.share, max_keys, clock)
        self._name = name
        self._options = options
        self._retry = retry
        self._lock = Lock()

    @property
    def policy(self) -> str:
        """The user's choice."""
        return self._options.away

    def rearrange(self, levels: Sequence[Level], *, max_keys: int, clock: Clock) -> None:
        """Other limits; what this process used alone is forgotten."""
        self.share = Share(levels, self._options.share, max_keys, clock)

    def left(self, error: EngineError) -> None:
        """The engine did not answer."""
        self._turn(away=True, error=str(error))

    def back(self) -> None:
        """The engine has answered."""
        if self.is_away:
            self._turn(away=False, error=None)

    def _turn(self, *, away: bool, error: str | None) -> None:
        with self._lock:
            if self.is_away is away:
                return
            self.is_away = away
            self.outages += away
        if self.changed:
            self.changed.send(AwayChanged(self._name, away, self.policy, error))

    def decide(self, levels: Sequence[Level], cost: int, keys: Keys, *, consume: bool) -> list[Decision]:
        """What each level says without the engine."""
        if self.policy == "local share":
            return self.share.decide(cost, keys, consume=consume)
        passed = self.policy == "open"
        wait = 0.0 if passed else self._retry
        return [
            Decision(passed, level.rule.limit, level.rule.limit if passed else 0, wait, 0.0, level.name, key)
            for level, key in zip(levels, keys, strict=True)
        ]

    def count(self, *, passed: bool) -> None:
        """A call was decided."""
        (self.admitted if passed else self.refused).inc()
