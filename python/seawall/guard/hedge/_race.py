"""The copies of one awaited call.

The first copy runs in the caller's own task, as if it were not hedged; only a call that takes long costs another task.
When a copy wins, the first is cancelled as `asyncio.timeout` would: somebody else's cancellation is never swallowed.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from seawall.clock import Deadline
from seawall.guard.hedge._outcome import Outcome, spoken_for

if TYPE_CHECKING:
    from seawall.clock._clocks import Timer
    from seawall.guard.hedge._hedge import Hedge


class Race:
    """One call of which up to `max_copies` run at once."""

    __slots__ = (
        "_after", "_began", "_cancelling", "_context", "_copies", "_failed", "_first_runs", "_hedge", "_loop", "_made",
        "_over", "_start", "_stopping", "_task", "_timer", "_waiter", "_winner",
    )  # fmt: skip

    def __init__(self, hedge: Hedge, start: Callable[[], Any], began_ns: int) -> None:
        self._hedge = hedge
        self._start = start
        self._began = began_ns
        self._after = hedge.after_ns
        self._made = 1
        self._copies: set[asyncio.Task[Any]] = set()
        self._failed: list[Outcome] = []
        self._winner: Outcome | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._first_runs = True
        self._stopping = False  # the first copy was cancelled because another one won
        self._over = False

    async def run(self) -> Any:
        """Await the first good answer; every copy has ended when it is given."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("a Hedge cancels asyncio tasks, and none runs here")
        self._task = task
        self._cancelling = task.cancelling()
        self._context = copy_context()
        self._arm()
        outcome = None
        try:
            outcome = await self._answer()
        except GeneratorExit:  # thrown away: nothing can be awaited any more
            self._stop()
            raise
        except BaseException:
            await self._end(None)
            raise
        await self._end(outcome)
        return outcome.end()

    async def _answer(self) -> Outcome:
        first = await self._first()
        good = first is not None and first.is_good(self._hedge._good)
        self._learn(good)
        if self._winner is None:
            if good and first is not None:
                return first
            self._failed += [first] if first is not None else []
            while self._copies and self._winner is None:
                self._waiter = self._loop.create_future()
                await self._waiter
        elif first is not None and first.error is None:
            self._hedge._lose(first.result)
        if self._winner is None:
            return spoken_for(self._hedge.name, self._failed)
        self._hedge._count_won(self._winner.copy, self._began)
        return self._winner

    async def _first(self) -> Outcome | None:
        """How the first copy ended; None when it was cancelled because another one had won."""
        outcome, cancelled = None, None
        try:
            outcome = Outcome(1, await _awaited(self._start))
        except asyncio.CancelledError as error:
            if not self._stopping:
                self._learn(False)
                raise
            cancelled = error
        except Exception as error:  # noqa: BLE001 -- another copy may still answer
            outcome = Outcome(1, error=error)
        finally:
            self._first_runs = False
        if self._stopping and self._task.uncancel() > self._cancelling:
            if outcome is not None and outcome.error is None:
                self._hedge._lose(outcome.result)
            raise cancelled or asyncio.CancelledError
        return outcome

    def _learn(self, good: bool) -> None:
        """The first copy ended by itself, or had to; by a fast failure nothing is learnt of latency."""
        took = self._hedge.clock.now_ns() - self._began
        if good or took >= self._after:
            self._hedge._learn(took)

    def _arm(self) -> None:
        at = self._hedge.clock.now_ns() if self._made > 1 else self._began
        self._timer: Timer = self._hedge.clock.call_at(at + self._after, self._fire, self._loop)

    def _fire(self) -> None:
        """The call has taken long."""
        if self._over or self._winner is not None or not (self._first_runs or self._copies):
            return
        hedge = self._hedge
        if not hedge._may_copy(self._context.run(Deadline.current)):
            return
        self._made += 1
        context = self._context.copy()
        task = self._loop.create_task(_awaited(self._start), context=context)
        self._copies.add(task)
        number = self._made
        task.add_done_callback(lambda done: self._copy_done(number, done))
        hedge._count_hedged(number, self._began)
        if self._made < hedge._options.max_copies:
            self._arm()

    def _copy_done(self, number: int, task: asyncio.Task[Any]) -> None:
        self._copies.discard(task)
        if task.cancelled():
            outcome = Outcome(number, error=asyncio.CancelledError())
        else:
            error = task.exception()
            outcome = Outcome(number, None if error else task.result(), error)
        if self._over or self._winner is not None:
            if outcome.error is None:
                self._hedge._lose(outcome.result)
            return
        if self._is_good(outcome):
            self._winner = outcome
            if self._first_runs:
                self._stopping = True
                self._task.cancel()
        else:
            self._failed.append(outcome)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _is_good(self, outcome: Outcome) -> bool:
        """Whether it is an answer; a predicate that raises fails the copy, as nobody else hears of it in a callback."""
        try:
            return outcome.is_good(self._hedge._good)
        except Exception as error:  # noqa: BLE001
            outcome.error = error
            return False

    def _stop(self) -> None:
        self._over = True
        self._timer.cancel()
        for task in self._copies:
            task.cancel()

    async def _end(self, outcome: Outcome | None) -> None:
        """Cancel the losers, and wait until they have ended."""
        self._stop()
        cancelled = None
        while pending := [task for task in self._copies if not task.done()]:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            if outcome is not None and outcome.error is None:
                self._hedge._lose(outcome.result)
            raise cancelled


async def _awaited(start: Callable[[], Any]) -> Any:
    """A copy in full; what a plain function gave is there at once."""
    given = start()
    return await given if inspect.isawaitable(given) else given
