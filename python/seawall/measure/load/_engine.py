"""The open-model driver: it starts what is due and never waits for an answer to do so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seawall.measure.load._http import Send
from seawall.measure.load._plans import Floats
from seawall.measure.load._tally import Tally

# Looks at the plan at least this often, in seconds, so that a stop is noticed during long silences.
_NAP = 0.05
# Starts at most this many due requests before the event loop may read answers.
_BURST = 32


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be under way, and when a run is over.

    Args:
        concurrency: Requests under way at once.
        until: Seconds from the start after which nothing is started any more: the plan's duration and a grace.
    """

    concurrency: int
    until: float


class Engine:
    """One run. Made and used inside one event loop.

    The plan itself is the queue: requests start in due order, so those that wait for a place are simply the next ones
    of the plan, and a backlog of any length takes no memory.
    """

    def __init__(
        self,
        blocks: Iterator[Floats],
        send: Send,
        tally: Tally,
        bounds: Bounds,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self._due = (due for block in blocks for due in block.tolist())
        self._send = send
        self._tally = tally
        self._bounds = bounds
        self._enough = enough
        self._places = asyncio.Semaphore(bounds.concurrency)
        self._under_way: set[asyncio.Task[None]] = set()
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._zero = self._clock()
        self._taken = 0
        self._cut = self._finished = False
        self._held_until = 0.0
        self._crash: BaseException | None = None

    @property
    def under_way(self) -> int:
        """Requests sent and not answered yet."""
        return len(self._under_way)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._zero

    async def run(self, stop: asyncio.Event) -> bool:
        """Drive the whole plan and wait for the answers; return whether it was cut short.

        Cut short by `stop`, by cancellation, because there was `enough`, or because the target is plainly not there:
        what is under way is cancelled at once and counts as sent but not completed.
        """
        driver = asyncio.create_task(self._drive())
        stopper = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({driver, stopper}, return_when=asyncio.FIRST_COMPLETED)
            if driver.done():
                driver.result()
        finally:
            rest = {driver, stopper, *self._under_way}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        if self._crash is not None:
            raise self._crash
        return not self._finished

    def count_due(self, until: float) -> int:
        """How many requests were due up to `until` seconds, started or not; call it once the run is over."""
        for due in self._due:
            if due > until:
                break
            self._taken += 1
        return max(self._taken, self._tally.sent)

    async def _drive(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._zero + self._bounds.until):
                await self._start_all()
        while self._under_way and not self._over():
            await asyncio.wait(self._under_way, timeout=_NAP, return_when=asyncio.FIRST_COMPLETED)
        self._finished = not self._cut and not self._under_way

    async def _start_all(self) -> None:
        for n, due in enumerate(self._due):
            await self._sleep_until(due)
            if self._over():
                self._cut = True
                return
            self._taken += 1
            await self._take_place()
            self._start(due)
            if n % _BURST == _BURST - 1:
                await asyncio.sleep(0)

    async def _sleep_until(self, due: float) -> None:
        # There is no event to wait for, only the time.
        while (wait := due - self.elapsed) > 0 and not self._over():  # noqa: ASYNC110
            await asyncio.sleep(min(wait, _NAP))

    async def _take_place(self) -> None:
        held = self._places.locked()
        await self._places.acquire()
        if held:
            self._held_until = self.elapsed

    def _over(self) -> bool:
        return self._tally.hopeless or self._crash is not None or self._enough()

    def _start(self, due: float) -> None:
        # Whatever was due while the bound held the line back was held back with it, even if places are free now.
        late = due < self._held_until
        task = asyncio.create_task(self._request(due, late=late))
        self._under_way.add(task)
        task.add_done_callback(self._landed)

    async def _request(self, due: float, *, late: bool) -> None:
        started = self.elapsed
        self._tally.start(due, started, late=late)
        answer = await self._send()
        self._tally.end(due, started, self.elapsed, answer)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._places.release()
        if not task.cancelled() and task.exception() is not None:
            self._crash = task.exception()
