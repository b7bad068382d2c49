"""The five limits, slow and obvious, in exact arithmetic. Times are integer nanoseconds.

Each answers one question: at which instant does `cost` fit, and what is remembered then?
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

SECOND = 1_000_000_000


def interval(amount: int, period: int) -> Fraction:
    """Nanoseconds a token takes: exact in 1/m ns for the smallest m up to 8, else rounded up to 1/8 ns."""
    for m in range(1, 9):
        if period * m % amount == 0:
            return Fraction(period, amount)
    return Fraction(math.ceil(Fraction(period * 8, amount)), 8)


class Oracle:
    """What the oracles share: deciding by placing."""

    limit: int

    def place(self, now: int, cost: int) -> tuple[int, Any]:
        """(instant, what is remembered after taking that place)."""
        raise NotImplementedError

    def save(self) -> Any:
        """What is remembered."""
        raise NotImplementedError

    def load(self, state: Any) -> None:
        """Remember that instead."""
        raise NotImplementedError

    def take(self, now: int, cost: int) -> bool:
        """Admit now or not."""
        at, after = self.place(now, cost)
        if at == now:
            self.load(after)
        return at == now

    def reserve(self, now: int, cost: int) -> int | None:
        """Take a place whenever it is; None when even the queue is full."""
        at, after = self.place(now, cost)
        self.load(after)
        return at


class TokenBucket(Oracle):
    """`full_at` is when the bucket is full again; before that a token is missing for each interval left."""

    def __init__(self, amount: int, period: int, limit: int) -> None:
        self.each = interval(amount, period)
        self.limit = limit
        self.full_at = Fraction(0)

    def save(self) -> Fraction:
        return self.full_at

    def load(self, state: Fraction) -> None:
        self.full_at = state

    def place(self, now: int, cost: int) -> tuple[int, Fraction]:
        at = max(Fraction(now), self.full_at - (self.limit - cost) * self.each)
        return math.ceil(at), max(self.full_at, at) + cost * self.each

    def remaining(self, now: int) -> int:
        missing = max(Fraction(0), self.full_at - now) / self.each
        return max(0, math.floor(self.limit - missing))

    def reset_at(self) -> int:
        return math.ceil(self.full_at)


class LeakyBucket(TokenBucket):
    """`full_at` is when the queue is empty."""

    def place(self, now: int, cost: int) -> tuple[int, Fraction]:
        at = max(Fraction(now), self.full_at)
        return math.ceil(at), at + cost * self.each

    def reserve(self, now: int, cost: int) -> int | None:
        at, after = self.place(now, cost)
        if after - now > self.limit * self.each:
            return None
        self.load(after)
        return at


class FixedWindow(Oracle):
    """A count for each window, and the newest window anybody was placed in."""

    def __init__(self, limit: int, window: int) -> None:
        self.limit, self.window = limit, window
        self.newest, self.counts = 0, dict[int, int]()

    def save(self) -> Any:
        return self.newest, dict(self.counts)

    def load(self, state: Any) -> None:
        self.newest, self.counts = state[0], dict(state[1])

    def place(self, now: int, cost: int) -> tuple[int, Any]:
        number = max(self.newest, now // self.window)
        while self.counts.get(number, 0) + cost > self.limit:
            number += 1
        counts = {**self.counts, number: self.counts.get(number, 0) + cost}
        return max(now, number * self.window), (number, counts)

    def remaining(self, now: int) -> int:
        number = max(self.newest, now // self.window)
        return 0 if now < number * self.window else self.limit - self.counts.get(number, 0)

    def reset_at(self) -> int:
        return (self.newest + 1) * self.window if self.counts.get(self.newest) else 0


class SlidingWindow(FixedWindow):
    """The previous window counts by the share of it still in view."""

    def fits(self, number: int, at: int, cost: int) -> bool:
        room = self.limit - self.counts.get(number, 0) - cost
        in_view = (number + 1) * self.window - at
        return room >= 0 and self.counts.get(number - 1, 0) * in_view <= room * self.window

    def place(self, now: int, cost: int) -> tuple[int, Any]:
        number = max(self.newest, now // self.window)
        at = max(now, number * self.window)
        while not self.fits(number, at, cost):
            end = (number + 1) * self.window
            room = self.limit - self.counts.get(number, 0) - cost
            previous = self.counts.get(number - 1, 0)
            if room >= 0 and previous and (later := end - room * self.window // previous) < end:
                at = max(at, later)
            else:
                number, at = number + 1, end
        counts = {**self.counts, number: self.counts.get(number, 0) + cost}
        return at, (number, counts)

    def remaining(self, now: int) -> int:
        number = max(self.newest, now // self.window)
        if now < number * self.window:
            return 0
        in_view = (number + 1) * self.window - now
        used = self.counts.get(number, 0) + math.ceil(Fraction(self.counts.get(number - 1, 0) * in_view, self.window))
        return max(0, self.limit - used)

    def reset_at(self) -> int:
        if self.counts.get(self.newest):
            return (self.newest + 2) * self.window
        return (self.newest + 1) * self.window if self.counts.get(self.newest - 1) else 0


class SlidingLog(Oracle):
    """The time of everything admitted."""

    def __init__(self, limit: int, window: int) -> None:
        self.limit, self.window = limit, window
        self.times: list[int] = []
        self.room = max(256, 1 << (2 * limit).bit_length())

    def reserve(self, now: int, cost: int) -> int | None:
        """Places are given as far ahead as the log has room to remember."""
        at, _ = self.place(now, cost)
        return None if at - now > (self.room // self.limit - 1) * self.window else super().reserve(now, cost)

    def save(self) -> list[int]:
        return list(self.times)

    def load(self, state: list[int]) -> None:
        self.times = list(state)

    def active(self, at: int) -> list[int]:
        return sorted(t for t in self.times if t + self.window > at)

    def place(self, now: int, cost: int) -> tuple[int, list[int]]:
        busy = self.active(now)
        at = now
        if len(busy) + cost > self.limit:
            at = busy[len(busy) + cost - self.limit - 1] + self.window
        at = max([at, *(t for t in busy if t > now)])  # nobody overtakes a reservation
        return at, [*self.times, *[at] * cost]

    def remaining(self, now: int) -> int:
        return max(0, self.limit - len(self.active(now)))

    def reset_at(self) -> int:
        return max(self.times) + self.window if self.times else 0
