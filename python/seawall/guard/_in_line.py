"""Waiting for a place: one line for threads and tasks alike, first come first served."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seawall._core.bulkhead import Places, Waiter
from seawall.clock import AsyncBell, Bell, Deadline

if TYPE_CHECKING:
    from seawall.errors import BulkheadFull


class _Patience(NamedTuple):
    """When a wait is over (in nanoseconds of the clock; None: never), and why then."""

    until_ns: int | None
    state: str


class InLine(Places):
    """Places that are waited for, until the caller's Deadline or the longest wait is over."""

    __slots__ = ()

    def _longest_wait(self) -> float | None:
        """Seconds in line; None bounds nothing."""
        raise NotImplementedError

    def _refusal(self, state: str) -> BulkheadFull:
        """The error of a refusal that has been counted, told to whoever listens."""
        raise NotImplementedError

    def _enter(self) -> None:
        """A place, at once or after waiting."""
        if not (self._admit_now() or self._pardon()):
            self._wait_in()

    async def _enter_async(self) -> None:
        if not (self._admit_now() or self._pardon()):
            await self._wait_in_async()

    def _wait_in(self) -> None:
        patience = self._patience()
        bell = Bell()
        waiter = self._stand_in_line(bell)
        try:
            while not waiter.admitted and self._may_wait(patience):
                if patience.until_ns is None:
                    bell.wait()
                else:
                    self.clock.park(bell, patience.until_ns)
            self._settle(waiter, patience)
        except BaseException:
            self._step_out(waiter)
            raise

    async def _wait_in_async(self) -> None:
        patience = self._patience()
        bell = AsyncBell()
        waiter = self._stand_in_line(bell)
        try:
            while not waiter.admitted and self._may_wait(patience):
                if patience.until_ns is None:
                    await bell.rung()
                else:
                    await self.clock.park_async(bell, patience.until_ns)
            self._settle(waiter, patience)
        except BaseException:
            self._step_out(waiter)
            raise

    def _patience(self) -> _Patience:
        deadline = Deadline.current()
        longest = self._longest_wait()
        left = None if deadline is None else deadline.remaining()
        if left is not None and (longest is None or left < longest):
            if left == 0.0:
                raise self._refused("deadline")
            return _Patience(self.clock.now_ns() + round(left * 1e9), "deadline")
        if longest is None:
            return _Patience(None, "waited")
        return _Patience(self.clock.now_ns() + round(longest * 1e9), "waited")

    def _may_wait(self, patience: _Patience) -> bool:
        return patience.until_ns is None or self.clock.now_ns() < patience.until_ns

    def _stand_in_line(self, bell: Bell | AsyncBell) -> Waiter:
        waiter = Waiter(bell)
        if not self._join(waiter):
            raise self._refusal("full")
        return waiter

    def _settle(self, waiter: Waiter, patience: _Patience) -> None:
        """The wait has ended: with a place, or without."""
        if not waiter.admitted and self._quit(waiter):
            raise self._refused(patience.state)

    def _step_out(self, waiter: Waiter) -> None:
        """Leave the line, or give back the place that was given in the same moment."""
        if not self._quit(waiter) and waiter.admitted:
            self._give_back()

    def _refused(self, state: str) -> BulkheadFull:
        self._note_refusal()
        return self._refusal(state)

    def _why_full(self, state: str) -> str:
        places, queue, in_flight, queued, _, _ = self._counts()
        longest = self._longest_wait()
        return {
            "full": f"{in_flight} of {places} calls in flight, {queued} of {queue} in line",
            "waited": f"no place within {longest:g} s" if longest else "no place in time",
            "deadline": "no place before the caller's deadline",
        }[state]
