"""Counts by time window, the last few of them; pure state, the time is an argument."""

from __future__ import annotations


class Ring:
    """Requests and bytes of the running window and of the last `keep` whole ones. Not thread safe by itself."""

    __slots__ = ("_bytes", "_requests", "keep", "newest", "peak_bytes", "peak_requests")

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.newest = 0
        self.peak_requests = 0
        self.peak_bytes = 0
        self._requests = [0] * (keep + 1)
        self._bytes = [0] * (keep + 1)

    def turn_to(self, index: int) -> None:
        """Let window `index` be the running one; windows in between saw nothing. Never turns back."""
        if index <= self.newest:
            return
        size = self.keep + 1
        self.peak_requests = max(self.peak_requests, self._requests[self.newest % size])
        self.peak_bytes = max(self.peak_bytes, self._bytes[self.newest % size])
        for fresh in range(max(self.newest + 1, index - self.keep), index + 1):
            self._requests[fresh % size] = self._bytes[fresh % size] = 0
        self.newest = index

    def add(self, requests: int, size: int) -> None:
        """Count in the running window."""
        place = self.newest % (self.keep + 1)
        self._requests[place] += requests
        self._bytes[place] += size

    def seen(self, whole: int) -> list[tuple[int, int, int]]:
        """(index, requests, bytes) of the last `whole` whole windows and of the running one, oldest first."""
        first = max(0, self.newest - min(whole, self.keep))
        size = self.keep + 1
        return [(i, self._requests[i % size], self._bytes[i % size]) for i in range(first, self.newest + 1)]
