"""Asks the engine what a limit says; and decides without it while it is away. Written once for threads and tasks."""

from __future__ import annotations

import math
from collections.abc import Coroutine, Hashable, Sequence
from typing import Any, NamedTuple, TypeVar

from seawall.clock import Clock
from seawall.distributed.limits._away import AWAY, AwayPolicy
from seawall.distributed.limits._levels import (
    Keys,
    Level,
    checked_cost,
    checked_levels,
    decided,
    joined,
    questions,
    state_key,
)
from seawall.distributed.limits._line import Lines
from seawall.distributed.limits._options import DistributedOptions
from seawall.engines import Engine
from seawall.engines.operation import Afresh, Op, Wait, driver_of
from seawall.errors import ConfigError, RateLimited
from seawall.guard.limits import Decision, Permit
from seawall.measure import Counter

R = TypeVar("R")
_FAR_NS = 1 << 58
_FAR = _FAR_NS / 1e9


class Placed(NamedTuple):
    """What came of asking for a place.

    Attributes:
        decision: Whether there is one; if not, `retry_after` says when to ask again.
        wait: Until it is due, in seconds.
        permit: Gives it back; None when it cannot be.
        final: A refusal that asking again does not change.
    """

    decision: Decision
    wait: float = 0.0
    permit: Permit | None = None
    final: bool = False


class Asker:
    """One or more levels of one meter that are asked together.

    Thread safety: yes.

    Args:
        engine: Whose meter keeps the state.
        name: For messages and statistics.
        levels: At least one.
        options: As checked.
        max_keys: How many keys find room at once in this process while the engine is away.
    """

    def __init__(
        self, engine: Engine, name: str, levels: Sequence[Level], options: DistributedOptions, max_keys: int
    ) -> None:
        if not isinstance(engine, Engine):
            raise ConfigError(f"engine must be an Engine, as open_engine gives it, got {engine!r}")
        self.engine = engine
        self.name = name
        self.levels = checked_levels(levels)
        self.options = options
        self.max_keys = max_keys
        self.meter = engine.meter(options.namespace)
        self.driver = driver_of(self.meter)
        retry = float(self.driver.options.break_for)  # type: ignore[arg-type]  # kept as seconds
        self.away = AwayPolicy(name, self.levels, options, max_keys=max_keys, retry=retry, clock=self.clock)
        self.lines = Lines(self.clock)
        self.admitted, self.refused = Counter(), Counter()
        self._within = float(options.within)  # type: ignore[arg-type]  # kept as seconds

    @property
    def clock(self) -> Clock:
        """By which this process waits."""
        return self.driver.clock

    def run(self, operation: Op[R]) -> R:
        """Run an operation in this thread; each time the engine is asked it has `within` seconds."""
        return self.driver.run(operation, self._within)

    def run_async(self, operation: Op[R]) -> Coroutine[Any, Any, R]:
        """`run` in this task."""
        return self.driver.run_async(operation, self._within)

    def rearrange(self, levels: Sequence[Level]) -> None:
        """Other limits from the next call on; what was used stays used."""
        self.away.rearrange(levels, max_keys=self.max_keys, clock=self.clock)
        self.levels = tuple(levels)

    # Operations. `keys` has one for each level, `key` is what the caller gave.

    def ask(self, cost: Any, keys: Keys, key: Hashable, *, consume: bool = True) -> Op[Decision]:
        """Whether a call may pass now."""
        levels = self.levels
        if type(cost) is not int or cost != 1:
            cost = checked_cost(levels, self.name, cost)
        try:
            # Names and keys are checked when they are made, so the port need not look at them again.
            readings = yield from self.meter._update(questions(levels, cost, keys), consume)
        except AWAY as error:
            self.away.left(error)
            decision = self.alone(levels, cost, keys, key, consume=consume)
        else:
            if self.away.is_away:
                self.away.back()
            decision = decided(levels, readings, self.name, key)
        if consume:
            self._count(passed=decision.admitted)
        return decision

    def take(self, cost: Any, keys: Keys, key: Hashable, longest: float) -> Op[None]:
        """Wait for a place, at most `longest` seconds.

        In a bucket a place ahead is taken at once and then waited for; else whoever is first in line asks again when
        its turn may come.

        Raises:
            RateLimited: At once when it would take longer.
        """
        checked_cost(self.levels, self.name, cost)
        until = self.clock.now_ns() + (round(longest * 1e9) if longest < _FAR else _FAR_NS)
        while True:
            left = (until - self.clock.now_ns()) / 1e9
            placed = yield from self._place(cost, keys, key, left)
            if placed.decision.admitted:
                self._count(passed=True)
                return (yield from self._wait(placed))
            if placed.decision.retry_after > left or placed.final:
                self._count(passed=False)
                raise self.refusal(placed.decision)
            yield Wait(placed.decision.retry_after)
            yield Afresh()

    def _wait(self, placed: Placed) -> Op[None]:
        try:
            yield Wait(placed.wait)
        except BaseException:
            if placed.permit is not None:
                placed.permit.cancel()
            raise

    def _place(self, cost: int, keys: Keys, key: Hashable, longest: float) -> Op[Placed]:
        levels = self.levels
        asked = questions(levels, cost, keys, longest if self.places_ahead else 0.0)
        try:
            readings = yield from self.meter._update(asked, consume=True)
        except AWAY as error:
            self.away.left(error)
            return self._place_alone(levels, cost, keys, key, longest)
        self.away.back()
        decision = decided(levels, readings, self.name, key)
        if decision.admitted or not self.places_ahead:
            return Placed(decision, readings[0].wait)
        # The reading tells when such a patient call would be let into the queue; the caller asks when it could pass.
        wait = min(decision.retry_after + asked[0][1].max_wait_us / 1e6, decision.reset_after)
        return Placed(decision._replace(retry_after=wait), final=True)

    def _place_alone(self, levels: Sequence[Level], cost: int, keys: Keys, key: Hashable, longest: float) -> Placed:
        if self.away.policy != "local share" or not self.places_ahead:
            decision = self.alone(levels, cost, keys, key, consume=True)
            return Placed(decision, final=self.away.policy == "closed")
        limit = levels[0].rule.limit
        permit = self.away.share.reserve(cost, keys)
        if (wait := permit.wait) > longest:
            permit.cancel()
            return Placed(Decision(False, limit, 0, wait, wait, levels[0].name, key), final=True)
        return Placed(Decision(True, limit, 0, 0.0, wait, levels[0].name, key), wait, permit)

    @property
    def places_ahead(self) -> bool:
        """Whether who waits has a place, and so no line is needed in this process."""
        return len(self.levels) == 1 and self.levels[0].takes_places

    def line_of(self, keys: Keys) -> tuple[str, ...]:
        """Who waits for the same states stands in the same line."""
        return tuple(state_key(level.name, key) for level, key in zip(self.levels, keys, strict=True))

    def refusal(self, decision: Decision) -> RateLimited:
        """The error for a decision that refuses."""
        whom = "" if decision.key is None else f" for key {decision.key!r}"
        finite = math.isfinite(decision.retry_after)
        when = f"; retry in {decision.retry_after:.6g} s" if finite else ""
        alone = self.away.is_away
        where = f", and {self.engine.name} is away" if alone else ""
        return RateLimited(
            f"{decision.name} is at its limit{whom}{where}{when}",
            retry_after=decision.retry_after if finite else None,
            policy=decision.name,
            key=decision.key,
            state="away" if alone else None,
        )

    def alone(self, levels: Sequence[Level], cost: int, keys: Keys, key: Hashable, *, consume: bool) -> Decision:
        """What is decided while the engine is away."""
        return joined(self.away.decide(levels, cost, keys, consume=consume), self.name, key)

    def _count(self, *, passed: bool) -> None:
        (self.admitted if passed else self.refused).inc()
        if self.away.is_away:
            self.away.count(passed=passed)
