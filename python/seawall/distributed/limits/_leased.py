"""A limit across machines that takes calls ahead and decides in this process."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from seawall._core.lease import Lease
from seawall.distributed.limits._asker import Asker
from seawall.distributed.limits._away import AWAY
from seawall.distributed.limits._batch import Spent, next_batch
from seawall.distributed.limits._calls import Calls
from seawall.distributed.limits._events import LeasedStats
from seawall.distributed.limits._levels import checked_cost, decided, state_key
from seawall.distributed.limits._options import LeaseOptions
from seawall.engines import Reading, Rule
from seawall.engines.operation import Op
from seawall.errors import ConfigError, RateLimited
from seawall.guard._policy import Face
from seawall.guard.limits import Decision
from seawall.guard.limits._entering import Entering
from seawall.guard.limits._options import Patience

if TYPE_CHECKING:
    from seawall.distributed.limits._limit import Limit

_RENEW, _WAIT = ("renew",), ("wait",)
_NOTHING = (0, 0)


class Leased(Calls, Lease, Entering, Face):
    """A limit of which this process takes a batch of calls ahead and then decides by itself; `limit.leased()`.

    The calls of the limit, and users of it that do not lease share it. Who finds the batch used up, or lapsed after
    `ttl`, asks the engine for another one, in one round trip; others of this process wait for that, and nobody asks
    while it is known that there is nothing. Nothing runs in the background, unless you run `keep_renewed`.

    Guarantees: a process never holds more than batch = max(1, fraction x limit) unused calls, and none longer than
    `ttl`; with `renew` or `keep_renewed` twice as many.

    - Never too many: in any window at most processes x batch calls more than the limit itself admits, and by
      FixedWindow none more: what is held lapses with the window.
    - Never too few: a call is refused while at most processes x batch calls are unused elsewhere. At its next batch a
      process gives back what it did not use: all of it by windows and logs, by TokenBucket less what time has refilled
      meanwhile, so up to processes x batch calls may be lost in each `ttl`. A process that ends without `give_back`
      keeps at most one batch from the others.
    - Who was refused is refused without asking until the engine expected room, or for `ttl` if that is sooner.

    Clocks of processes and engine need only run at the same speed. A batch whose answer was lost is not used. A forked
    child begins with nothing.
    Thread safety: any number of threads, tasks and event loops. Cost: `try_acquire` about 30 ns while there is
    something; batches grow until one is asked for about twice in a `ttl`.

    Args:
        limit: TokenBucket, FixedWindow, SlidingWindow or SlidingLog.
        fraction: What a process may hold, as a share of the most that the limit admits at once.
        ttl: How long that can be used, in seconds.

    Example:
        >>> from seawall.clock import ManualClock
        >>> from seawall.distributed.limits import TokenBucket
        >>> from seawall.engines import open_engine
        >>> engine = open_engine("memory://", clock=ManualClock())
        >>> limit = TokenBucket(1000, engine=engine, name="api").leased(fraction=0.1)
        >>> sum(limit.try_acquire() for _ in range(2000))
        1000
    """

    def __init__(self, limit: Limit, fraction: float = 0.1, ttl: float | timedelta = 1.0) -> None:
        of = limit._asker
        if len(of.levels) > 1 or of.levels[0].rule.kind == "leaky_bucket":
            raise ConfigError(
                f"only TokenBucket, FixedWindow, SlidingWindow and SlidingLog can be leased, got {limit!r}; a leaky "
                "bucket gives one call at a time, and several limits admit together only in the engine"
            )
        self.options = LeaseOptions(fraction=fraction, ttl=ttl)
        self._limit = limit
        self._asker = Asker(of.engine, of.name, of.levels, of.options, 1)
        self._key = state_key(of.name, None)
        self._ttl_ns = round(float(self.options.ttl) * 1e9)  # type: ignore[arg-type]  # kept as seconds
        self._begin(of.name, of.clock)
        self._be_lenient(limit.shadow, limit.enforce)
        self._be_strict(not self._is_lenient)
        self._batch, self._since_ns, self._granted_at_us = 0, 0, 0
        self._unused = _NOTHING  # (calls, when granted) that will be given back
        self._spent: Spent | None = None
        _all.add(self)

    @property
    def most(self) -> int:
        """What this process holds at most."""
        return max(1, math.floor(self._asker.levels[0].rule.limit * self.options.fraction))

    # At once.

    def _asked(self, cost: Any) -> bool:
        return self.check(cost).admitted

    async def try_acquire_async(self, cost: int = 1) -> bool:
        """`try_acquire` for a task."""
        return (await self.check_async(cost)).admitted

    def check(self, cost: int = 1) -> Decision:
        """`try_acquire` with the full answer; `remaining` are the calls that this process holds."""
        return self._leniently(self._decide(cost))

    async def check_async(self, cost: int = 1) -> Decision:
        """`check` for a task."""
        return self._leniently(await self._decide_async(cost))

    def peek(self, cost: int = 1) -> Decision:
        """What `check` would answer, changing nothing; asks the engine when this process holds too little."""
        seen = self._seen_here(cost)
        if seen is None:
            seen = self._asker.run(self._asker.ask(cost, (None,), None, consume=False))
        return self._seen(seen)

    async def peek_async(self, cost: int = 1) -> Decision:
        """`peek` for a task."""
        seen = self._seen_here(cost)
        if seen is None:
            seen = await self._asker.run_async(self._asker.ask(cost, (None,), None, consume=False))
        return self._seen(seen)

    # With patience.

    def acquire(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """Wait for a place, as the limit's own `acquire` does; the first of this process to wait asks again."""
        if self._is_lenient and self.check(cost).admitted:
            return
        clock = self._asker.clock
        with Patience(timeout) as longest, self._asker.lines.turn(_WAIT, longest) as left:
            since = clock.now_ns()
            while (
                wait := self._wait_for(self._decide(cost, waits=True), left - (clock.now_ns() - since) / 1e9)
            ) is not None:
                clock.sleep(wait)

    async def acquire_async(self, cost: int = 1, *, timeout: float | timedelta | None = None) -> None:
        """`acquire` for a task."""
        if self._is_lenient and (await self.check_async(cost)).admitted:
            return
        clock = self._asker.clock
        with Patience(timeout) as longest:
            async with self._asker.lines.turn_async(_WAIT, longest) as left:
                since = clock.now_ns()
                while True:
                    decision = await self._decide_async(cost, waits=True)
                    wait = self._wait_for(decision, left - (clock.now_ns() - since) / 1e9)
                    if wait is None:
                        return
                    await clock.sleep_async(wait)

    def _wait_for(self, decision: Decision, left: float) -> float | None:
        """How long to wait before asking again; None when admitted."""
        if decision.admitted:
            return None
        if decision.retry_after > left or (self._asker.away.is_away and self._asker.away.policy == "closed"):
            self._count(False)
            raise self._asker.refusal(decision)
        return max(decision.retry_after, 1e-6)

    # The lease.

    def renew(self) -> None:
        """Take the next batch now, before this one is used up; what is left of this one is given back then."""
        with self._alone():
            self._asker.run(self._renew(0))

    async def renew_async(self) -> None:
        """`renew` for a task."""
        async with self._asker.lines.turn_async(_RENEW, math.inf):
            await self._asker.run_async(self._renew(0))

    async def keep_renewed(self) -> None:
        """Renew ahead whenever half of a batch is used up or half of its time has passed, until cancelled."""
        while True:
            await self._asker.clock.sleep_async(self._ttl_ns / 4e9)
            if self._is_low():
                await self.renew_async()

    def give_back(self) -> None:
        """Hold nothing, and let others have what was not used; for a process that ends or pauses."""
        with self._alone():
            self._asker.run(self._giving_back())

    async def give_back_async(self) -> None:
        """`give_back` for a task."""
        async with self._asker.lines.turn_async(_RENEW, math.inf):
            await self._asker.run_async(self._giving_back())

    def reconfigure(self, *args: Any, **kwargs: Any) -> None:
        """New limits, with the arguments of the limit's own `reconfigure`; what is held stays usable."""
        self._asker.rearrange(self._limit._plan(self.name, *args, **kwargs))  # type: ignore[attr-defined]
        self._unused = _NOTHING

    def stats(self) -> LeasedStats:  # type: ignore[override]  # the same, and more
        """What this object has done so far. Asks nobody."""
        admitted, refused = self._counts()
        figures = super().stats()._replace(admitted=admitted, refused=refused)
        return LeasedStats(**figures._asdict(), held=self.held, batch=self._batch, most=self.most)

    # How it decides.

    def _decide(self, cost: Any, *, waits: bool = False) -> Decision:
        cost = checked_cost(self._asker.levels, self.name, cost)
        taken = self._take(cost)
        if taken is None:
            try:
                with self._asker.lines.turn(_RENEW, self._within):
                    taken = self._take(cost)  # whoever stood before may have brought enough
                    if taken is None:
                        return self._counted(self._asker.run(self._renew(cost)), waits=waits)
            except RateLimited:  # the others are still asking
                return self._counted(self._unasked(cost), waits=waits)
        return self._here(taken=taken) if taken else self._counted(self._here(taken=taken), waits=waits)

    async def _decide_async(self, cost: Any, *, waits: bool = False) -> Decision:
        cost = checked_cost(self._asker.levels, self.name, cost)
        taken = self._take(cost)
        if taken is None:
            try:
                async with self._asker.lines.turn_async(_RENEW, self._within):
                    taken = self._take(cost)
                    if taken is None:
                        return self._counted(await self._asker.run_async(self._renew(cost)), waits=waits)
            except RateLimited:  # the others are still asking
                return self._counted(self._unasked(cost), waits=waits)
        return self._here(taken=taken) if taken else self._counted(self._here(taken=taken), waits=waits)

    @property
    def _within(self) -> float:
        return float(self._asker.options.within)  # type: ignore[arg-type]  # kept as seconds

    def _here(self, *, taken: bool) -> Decision:
        wait = 0.0 if taken else max(0.0, (self.shut_until_ns - self._asker.clock.now_ns()) / 1e9)
        return Decision(taken, self._asker.levels[0].rule.limit, self.held, wait, 0.0, self.name)

    def _seen_here(self, cost: Any) -> Decision | None:
        cost, held = checked_cost(self._asker.levels, self.name, cost), self.held
        return Decision(True, self._asker.levels[0].rule.limit, held, 0.0, 0.0, self.name) if held >= cost else None

    def _unasked(self, cost: int) -> Decision:
        decision = self._asker.alone(self._asker.levels, cost, (None,), None, consume=True)
        self._asker.away.count(passed=decision.admitted)
        return decision

    def _counted(self, decision: Decision, *, waits: bool) -> Decision:
        """What came from elsewhere is counted here; who waits is refused only in the end."""
        if decision.admitted or not waits:
            self._count(decision.admitted)
        return decision

    def _renew(self, cost: int) -> Op[Decision]:
        """Ask for a batch, and for at least `cost`, which is used at once; 0 only stocks up."""
        asker, now = self._asker, self._asker.clock.now_ns()
        rule = self._question(cost, now)
        try:
            (reading,) = yield from asker.meter._update(((self._key, rule),), consume=True)
        except AWAY as error:
            asker.away.left(error)
            return self._unasked(cost) if cost else self._here(taken=False)
        asker.away.back()
        if reading.granted:
            self._received(reading, reading.granted - cost, now)
        elif cost == 1:
            self._shut(now + min(math.ceil(reading.retry_after * 1e9), self._ttl_ns))
        return decided(asker.levels, (reading,), self.name, None)._replace(remaining=self.held)

    def _question(self, cost: int, now: int) -> Rule:
        if cost:
            self._end_lease(now)
        (returned, at_us), self._unused = self._unused, _NOTHING
        level = self._asker.levels[0].rule
        batch = max(cost, next_batch(self._spent, self._ttl_ns, self.most))
        return replace(level, cost=min(batch, level.limit), least=max(1, cost), returned=returned, returned_at_us=at_us)

    def _end_lease(self, now: int) -> None:
        left = self._drain()
        if self._batch:
            lapsed = now >= self.until_ns
            self._spent = Spent(self._batch, self._batch - left, now - self._since_ns, lapsed)
            self._batch = 0
        # One amount can be given back at a time: the larger one, and the other lapses.
        self._unused = max(self._unused, (left, self._granted_at_us))

    def _received(self, reading: Reading, calls: int, asked_at: int) -> None:
        life = self._ttl_ns
        if self._asker.levels[0].rule.kind == "fixed_window":
            life = min(life, round(reading.reset_after * 1e9))
        left = self._fill(calls, asked_at + life)
        if self._batch:  # renewed ahead
            self._spent = Spent(self._batch, self._batch - left, asked_at - self._since_ns, lapsed=False)
        self._unused = max(self._unused, (left, self._granted_at_us))
        self._batch, self._since_ns, self._granted_at_us = reading.granted, asked_at, reading.at_us

    def _giving_back(self) -> Op[None]:
        self._end_lease(self._asker.clock.now_ns())
        (returned, at_us), self._unused = self._unused, _NOTHING
        if returned:
            rule = replace(self._asker.levels[0].rule, cost=0, returned=returned, returned_at_us=at_us)
            try:
                yield from self._asker.meter._update(((self._key, rule),), consume=True)
            except AWAY as error:
                self._asker.away.left(error)

    def _is_low(self) -> bool:
        now = self._asker.clock.now_ns()
        return self._batch > 0 and (2 * self.held < self._batch or self.until_ns - now < self._ttl_ns // 2)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._asker.lines.turn(_RENEW, math.inf):
            yield

    def _wait_in(self) -> None:
        self.acquire()

    async def _wait_in_async(self) -> None:
        await self.acquire_async()

    def __repr__(self) -> str:
        lease = f"up to {self.most} ahead for {self._ttl_ns / 1e9:g} s"
        return f"<{type(self).__name__} {self.name!r}: {self._settings()}, {lease} in {self._asker.engine.name}>"


_all: WeakSet[Leased] = WeakSet()


def _forget() -> None:
    """In a forked child: what was leased is the parent's."""
    for lease in _all:
        lease._drain()
        lease._unused, lease._batch = _NOTHING, 0


os.register_at_fork(after_in_child=_forget)
