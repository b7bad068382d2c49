"""The calls that come next, with their numbers and rows."""

from __future__ import annotations

from itertools import count
from typing import Protocol

from seawall.measure.load.drive._driver import Work
from seawall.measure.load.target._feed import FeedEnded


class Fillable(Protocol):
    """What a call is made with."""

    number: int
    row: object


class Queue:
    """The due times of a driver one by one, and what each call is made with. For one thread at a time.

    Args:
        work: What the driver does.
    """

    def __init__(self, work: Work) -> None:
        self._stream, self._rows = work.stream, work.rows
        self._numbers = count(work.stream.first, work.stream.stride)
        self._block: list[float] = []
        self._next = 0
        self.last = -1.0
        """When the last call was due that was begun; drivers say so."""

    def peek(self, now: float) -> float | None:
        """When the next call is due; None when there are no more. `now` is seconds from the start."""
        if self._next >= len(self._block):
            block = self._stream.take(now)
            if block is None:
                return None
            self._block, self._next = block.tolist(), 0
        return self._block[self._next]

    def pop(self) -> None:
        """Take the call that `peek` told of."""
        self._next += 1

    def fill(self, place: Fillable) -> bool:
        """Give a place its number and its row; False where the rows are used up, so that the scenario ends."""
        place.number = next(self._numbers)
        if self._rows is None:
            return True
        try:
            place.row = self._rows(place.number)
        except FeedEnded:
            # What was due after the last row was never part of the run.
            self._stream.close(self.last)
            return False
        return True
