"""How often something happens, over a sliding window, in three numbers."""

from __future__ import annotations


class SlidingRate:
    """Counts by windows and estimates the sliding one from the last two, as SlidingWindow does for limits.

    Thread safety: whoever holds it locks.

    Args:
        window_ns: Length of the window in nanoseconds.
    """

    __slots__ = ("_before", "_count", "_number", "window_ns")

    def __init__(self, window_ns: int) -> None:
        self.window_ns = window_ns
        self._number = 0
        self._count = 0
        self._before = 0

    def add(self, now_ns: int) -> None:
        """Count one at `now_ns`."""
        self._roll(now_ns)
        self._count += 1

    def per_second(self, now_ns: int) -> float:
        """Events a second over the window that ends at `now_ns`."""
        number = now_ns // self.window_ns
        before, count = self._at(number)
        left = 1 - (now_ns - number * self.window_ns) / self.window_ns
        return (before * left + count) * 1e9 / self.window_ns

    def _roll(self, now_ns: int) -> None:
        number = now_ns // self.window_ns
        # A clock that steps back counts into the window it has reached.
        if number > self._number:
            self._before, self._count = self._at(number)
            self._number = number

    def _at(self, number: int) -> tuple[int, int]:
        if number <= self._number:
            return self._before, self._count
        return (self._count, 0) if number == self._number + 1 else (0, 0)
