"""Those who wait for one limit, first come first served.

A waiter holds a place in the limit itself, so nobody overtakes it: not a lighter call, not `try_acquire`, not another
process. It sleeps until its place is due; nothing polls. When one leaves, the places behind it are undone in reverse
order and taken again, so everybody moves up exactly. The work is done once, by the first that benefits, however many
left.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from seawall.clock import AsyncBell, Bell, Clock
from seawall.errors import RateLimited
from seawall.guard.limits._permit import Permit

Place = Callable[[Any, float], Permit]


class Waiter:
    """One who waits."""

    __slots__ = ("arrived", "bell", "cost", "left", "permit", "refusal")

    def __init__(self, cost: int, permit: Permit, bell: Bell | AsyncBell) -> None:
        self.cost = cost
        self.permit = permit
        self.bell = bell
        self.left = False
        self.arrived = False
        self.refusal: ValueError | RateLimited | None = None  # a change of the limit left no place for it


class Line:
    """The waiters of one limit in one process, in the order of their places. Thread safe."""

    __slots__ = ("_leavers", "_lock", "_place", "_waiters")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = Lock()
        self._waiters: deque[Waiter] = deque()
        self._leavers = 0

    def __len__(self) -> int:
        return len(self._waiters)

    def wait(self, clock: Clock, cost: int, longest: float) -> None:
        """Wait for a place in a thread; RateLimited at once when it is more than `longest` seconds away."""
        bell = Bell()
        waiter = self._join(cost, longest, bell)
        try:
            while clock.now_ns() < self._due(waiter):
                clock.park(bell, waiter.permit.at_ns)
        except BaseException:
            self._leave(waiter)
            raise
        self._arrive(waiter)

    async def wait_async(self, clock: Clock, cost: int, longest: float) -> None:
        """Wait for a place in a task; RateLimited at once when it is more than `longest` seconds away."""
        bell = AsyncBell()
        waiter = self._join(cost, longest, bell)
        try:
            while clock.now_ns() < self._due(waiter):
                await clock.park_async(bell, waiter.permit.at_ns)
        except BaseException:
            self._leave(waiter)
            raise
        self._arrive(waiter)

    @contextmanager
    def rearranging(self) -> Iterator[None]:
        """Change the limit inside: every waiter then gets a new place under it, in the same order."""
        with self._lock:
            lifted = self._lift(everybody=True)
            try:
                yield
            finally:  # a change that fails leaves everybody where they were
                self._put(lifted)

    def _join(self, cost: int, longest: float, bell: Bell | AsyncBell) -> Waiter:
        with self._lock:
            if self._leavers:
                self._replan()
            waiter = Waiter(cost, self._place(cost, longest), bell)
            self._waiters.append(waiter)
            return waiter

    def _due(self, waiter: Waiter) -> int:
        with self._lock:
            if self._leavers:
                self._replan()
            if waiter.refusal is not None:
                raise waiter.refusal
            return waiter.permit.at_ns

    def _arrive(self, waiter: Waiter) -> None:
        with self._lock:
            waiter.arrived = True
            waiter.permit.commit()
            while self._waiters and self._waiters[0].arrived:
                self._waiters.popleft()

    def _leave(self, waiter: Waiter) -> None:
        with self._lock:
            if waiter.refusal is not None:
                return
            waiter.left = True
            self._leavers += 1
            while self._waiters and self._waiters[-1].left and self._waiters[-1].permit.undo():
                self._waiters.pop()
                self._leavers -= 1
            if self._leavers == 0:
                return
            behind = next((w for w in reversed(self._waiters) if not (w.left or w.arrived)), None)
            if behind is None:
                self._replan()
            else:
                behind.bell.ring()  # it moves everybody up when it wakes, once for all who leave until then

    def _replan(self) -> None:
        self._put(self._lift(everybody=False))

    def _lift(self, *, everybody: bool) -> list[Waiter]:
        lifted: list[Waiter] = []
        while self._waiters and (self._leavers or everybody):
            newest = self._waiters[-1]
            if not newest.arrived and not newest.permit.undo():
                break  # a place outside this line stands behind: those before it stay where they are
            self._waiters.pop()
            if newest.left:
                self._leavers -= 1
            elif not newest.arrived:
                lifted.append(newest)
        return lifted

    def _put(self, lifted: list[Waiter]) -> None:
        for waiter in reversed(lifted):
            self._place_again(waiter)
        if self._leavers:
            self._drop_leavers()

    def _place_again(self, waiter: Waiter) -> None:
        try:
            waiter.permit = self._place(waiter.cost, math.inf)
        except (RateLimited, ValueError) as refusal:
            waiter.refusal = refusal
        else:
            self._waiters.append(waiter)
        waiter.bell.ring()

    def _drop_leavers(self) -> None:
        for waiter in self._waiters:
            if waiter.left:
                waiter.permit.cancel()
        self._waiters = deque(w for w in self._waiters if not w.left)
        self._leavers = 0
