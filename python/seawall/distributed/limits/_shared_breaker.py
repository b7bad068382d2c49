"""Circuit breakers of several machines that tell each other when they open."""

from __future__ import annotations

import secrets
from datetime import timedelta
from threading import Lock
from typing import NamedTuple

from seawall._core.policy import Waiting
from seawall.clock import to_ns
from seawall.distributed.limits._away import AWAY
from seawall.engines import Engine
from seawall.engines.operation import Op, driver_of
from seawall.errors import CircuitOpen, ConfigError
from seawall.guard._policy import Face
from seawall.guard.breaker import CircuitBreaker
from seawall.guard.limits._options import whole
from seawall.measure import Counter

_LEAST_TTL, _LONGEST_TTL = 0.1, 86_400.0


class SharedBreakerStats(NamedTuple):
    """A snapshot. Counts are those of this object.

    Attributes:
        name: The breaker.
        engine: Where openings are told.
        open_elsewhere: Other processes whose breaker was open at the last look.
        refused: Calls refused because of them.
        looks: Times the engine was asked.
        told: Openings of the breaker of this process that were told.
        away: Whether the engine was away at the last look: then each process is on its own.
    """

    name: str
    engine: str
    open_elsewhere: int
    refused: int
    looks: int
    told: int
    away: bool


class SharedBreaker(Waiting, Face):
    """Refuses what other processes' breakers refuse: put it before the breaker, `Pipeline(SharedBreaker(b), b)`.

    The breaker of each process goes on judging its own calls. When it opens, this process says so in the engine for as
    long as it is open; when it closes early, takes that back. The others refuse while at least `openers` of them say
    so.

    Guarantees: an opening is told with the first call after it, and heard of by every other process with the first call
    after `refresh` has passed, so a process that calls at all refuses at the latest `refresh` and two round trips
    later; it admits again as late after the end. One call at a time asks, for at most `within`, the others go by what
    was last seen. While the engine is away nobody is refused because of others. A process that dies is forgotten when
    its opening would have ended.
    Thread safety: any number of threads, tasks and event loops. Cost: about a microsecond; a round trip each `refresh`.

    Args:
        breaker: Of this process.
        engine: Whose KeyValue tells the others.
        refresh: How old what is known of the others may be, 0.01 s to an hour.
        openers: How many other processes must have opened, at least 1.
        namespace: Of the engine's keys.
        within: The longest time to ask the engine, in seconds.
    """

    def __init__(
        self,
        breaker: CircuitBreaker,
        *,
        engine: Engine,
        refresh: float | timedelta = 1.0,
        openers: int = 1,
        namespace: str = "seawall",
        within: float | timedelta = 1.0,
    ) -> None:
        if not isinstance(breaker, CircuitBreaker):
            raise ConfigError(f"breaker must be a CircuitBreaker, got {breaker!r}")
        if not isinstance(engine, Engine):
            raise ConfigError(f"engine must be an Engine, as open_engine gives it, got {engine!r}")
        self.breaker = breaker
        self.openers = whole(openers, "openers", most=1_000_000)
        self._engine = engine
        self._keys = engine.key_value(namespace)
        self._driver = driver_of(self._keys)
        self._refresh_ns = to_ns(refresh, "refresh", least_ns=10_000_000)
        self._within = to_ns(within, "within", least_ns=1_000_000) / 1e9
        self._prefix = f"breaker/{breaker.name}/"
        self._mine = self._prefix + secrets.token_hex(8)
        self._lock = Lock()
        self._asking = False
        self._told, self._told_until_ns, self._due_ns = False, 0, 0
        self._elsewhere, self._is_away = 0, False
        self._refused, self._looks, self._tellings = Counter(), Counter(), Counter()
        self._begin(breaker.name, self._driver.clock)

    @property
    def open_elsewhere(self) -> int:
        """Other processes whose breaker was open at the last look."""
        return self._elsewhere

    def stats(self) -> SharedBreakerStats:
        """What this object has done so far. Asks nobody."""
        return SharedBreakerStats(
            self.name, self._engine.name, self._elsewhere, self._refused.value, self._looks.value,
            self._tellings.value, self._is_away,
        )  # fmt: skip

    def _wait_in(self) -> None:
        if self._begins_to_ask():
            try:
                self._driver.run(self._look(), self._within)
            finally:
                self._asking = False
        self._judge()

    async def _wait_in_async(self) -> None:
        if self._begins_to_ask():
            try:
                await self._driver.run_async(self._look(), self._within)
            finally:
                self._asking = False
        self._judge()

    def _begins_to_ask(self) -> bool:
        """Whether this call is the one that asks the engine."""
        now = self.clock.now_ns()
        if now < self._due_ns and not self._has_news(now):
            return False
        with self._lock:
            if self._asking:
                return False
            self._asking = True
            return True

    def _has_news(self, now: int) -> bool:
        """Whether the others have to be told something: an opening, or its early end."""
        if self._is_away:
            return False
        is_told = self._told and now < self._told_until_ns
        return is_told is not (self._open_for() > 0)

    def _open_for(self) -> float:
        """Seconds until the breaker of this process tries again; 0.0 when it is not open."""
        return self.breaker.stats().open_for or 0.0 if self.breaker.state == "open" else 0.0

    def _look(self) -> Op[None]:
        now = self.clock.now_ns()
        self._due_ns = now + self._refresh_ns
        self._looks.inc()
        try:
            yield from self._tell(now)
            found = yield from self._keys._do_list(self._prefix)
        except AWAY:
            self._elsewhere, self._is_away = 0, True
            return
        self._is_away = False
        self._elsewhere = sum(entry.key != self._mine for entry in found.entries)

    def _tell(self, now: int) -> Op[None]:
        left, is_told = self._open_for(), self._told and now < self._told_until_ns
        if left > 0 and not is_told:
            ttl = min(max(left, _LEAST_TTL), _LONGEST_TTL)
            lease = yield from self._keys._do_grant(ttl)
            yield from self._keys._do_put(self._mine, b"open", lease=lease)
            self._told, self._told_until_ns = True, now + round(ttl * 1e9)
            self._tellings.inc()
        elif left <= 0:
            if is_told:
                yield from self._keys._do_delete(self._mine)
            self._told = False

    def _judge(self) -> None:
        if self._elsewhere < self.openers:
            return
        self._refused.inc()
        wait = max(0, self._due_ns - self.clock.now_ns()) / 1e9
        raise CircuitOpen(
            f"circuit breaker {self.name} is open in {self._elsewhere} other process"
            f"{'es' if self._elsewhere > 1 else ''}; looked at again in {wait:.6g} s",
            retry_after=wait,
            policy=self.name,
            state="open elsewhere",
        )

    def __repr__(self) -> str:
        return f"<SharedBreaker {self.name!r}: open in {self._elsewhere} other processes, told in {self._engine.name}>"
