"""What each fault does to one direction of one connection."""

from __future__ import annotations

import math
from random import Random

from seawall.testing._fault_proxy_course import OPEN, TICK, Effect, Gate, Outcome

_SLICE = 0.02
"""Seconds of bandwidth that leave at once."""


class Late(Effect):
    """Chunks arrive late."""

    def __init__(
        self, began: float, chance: Random, seconds: float, jitter: float, *, distribution: str, chunks: float
    ) -> None:
        super().__init__(began)
        self._chance = chance
        self._seconds, self._jitter, self._distribution, self._chunks = seconds, jitter, distribution, chunks

    def delay(self) -> float:
        """Drawn for each chunk."""
        # Both are drawn for every chunk, so that a chunk's delay does not depend on the share.
        chosen, spread = self._chance.random() < self._chunks, self._spread()
        return max(0.0, self._seconds + self._jitter * spread) if chosen else 0.0

    def _spread(self) -> float:
        if self._distribution == "normal":
            return self._chance.gauss(0.0, 1.0)
        if self._distribution == "exponential":
            return self._chance.expovariate(1.0)
        return self._chance.uniform(-1.0, 1.0)


class Narrow(Effect):
    """Bytes leave one slice after the other, each when the line has had the time for it."""

    def __init__(self, began: float, rate: float) -> None:
        super().__init__(began)
        self._rate = rate
        self._free_at = began
        self._slice = 0

    def gate(self, now: float, waiting: int, since: float, *, ending: bool) -> Gate:
        """The time of a slice is spent before it leaves."""
        del ending
        if not waiting:
            return OPEN
        if not self._slice:
            self._slice = min(waiting, max(1, int(self._rate * _SLICE)))
            # From where the line became free, not from now: a loop that wakes late does not narrow the line further.
            self._free_at = max(self._free_at, since) + self._slice / self._rate
        if now + TICK < self._free_at:
            return Gate(Outcome.HOLD, until=self._free_at)
        return Gate(size=self._slice)

    def passed(self, data: bytes) -> bytes:
        """Another effect may have let less of the slice pass."""
        self._free_at -= (self._slice - len(data)) / self._rate
        self._slice = 0
        return super().passed(data)


class Ended(Effect):
    """An outcome after so many bytes, or after a time."""

    def __init__(self, began: float, outcome: Outcome, after_bytes: int | None, after: float | None) -> None:
        super().__init__(began)
        self._outcome = outcome
        self._bytes = math.inf if after_bytes is None else after_bytes
        self._at = math.inf if after is None else began + after

    def gate(self, now: float, waiting: int, since: float, *, ending: bool) -> Gate:
        """What comes first."""
        del waiting, since, ending
        left = self._bytes - self.seen
        if left <= 0 or self._at <= now + TICK:
            return Gate(self._outcome)
        return Gate(size=left, until=self._at)


class Swallowed(Effect):
    """Bytes vanish."""

    def gate(self, now: float, waiting: int, since: float, *, ending: bool) -> Gate:
        """Nothing passes, not even the end."""
        del now, waiting, since, ending
        return Gate(Outcome.DROP)

    def lost(self) -> None:
        """The stream has a hole now, which no network leaves."""
        self.broke = True


class Held(Effect):
    """Nothing moves."""

    def gate(self, now: float, waiting: int, since: float, *, ending: bool) -> Gate:
        """Until it is removed."""
        del now, waiting, since, ending
        return Gate(Outcome.HOLD)


class Stalled(Effect):
    """Nothing moves for a while, once."""

    def __init__(self, began: float, seconds: float, after_bytes: int) -> None:
        super().__init__(began)
        self._seconds, self._bytes = seconds, after_bytes
        self._until: float | None = None

    def gate(self, now: float, waiting: int, since: float, *, ending: bool) -> Gate:
        """Begins with the first byte, or end, that comes after so many."""
        del since
        left = self._bytes - self.seen
        if self._until is None and left > 0:
            return Gate(size=left)
        if self._until is None and (waiting or ending):
            self._until = now + self._seconds
        if self._until is None or self._until <= now + TICK:
            return OPEN
        return Gate(Outcome.HOLD, until=self._until)


class Flipped(Effect):
    """One bit of some bytes is another; which ones depends on their places in the stream, not on chunks."""

    def __init__(self, began: float, chance: Random, rate: float) -> None:
        super().__init__(began)
        self._chance, self._rate = chance, rate
        self._next = self._gap()

    def passed(self, data: bytes) -> bytes:
        """Flip what is to be flipped here."""
        end = self.seen + len(data)
        if self._next >= end:
            return super().passed(data)
        changed = bytearray(data)
        while self._next < end:
            changed[self._next - self.seen] ^= 1 << self._chance.randrange(8)
            self._next += 1 + self._gap()
        self.seen = end
        return bytes(changed)

    def _gap(self) -> int:
        if self._rate >= 1.0:
            return 0
        return int(math.log(1.0 - self._chance.random()) / math.log1p(-self._rate))


class Lingering(Effect):
    """The end of the stream arrives late."""

    def __init__(self, began: float, seconds: float) -> None:
        super().__init__(began)
        self._seconds = seconds

    def linger(self) -> float:
        """As long as was asked for."""
        return self._seconds
