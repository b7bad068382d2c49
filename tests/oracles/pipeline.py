"""Fallback > Retry > CircuitBreaker > TokenBucket > Bulkhead as one would explain it: one call at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SECOND = 1_000_000_000
BURST = 2
OPEN_FOR = 10 * SECOND
OPENS_AT = 3
ATTEMPTS = 3
WAIT = SECOND
PLACES = 2


@dataclass
class Model:
    """The state of all five, and the time. A token comes every second."""

    now: int = 0
    next_token: int = -BURST * SECOND  # when the bucket would have been empty for ever: arrivals are taken from here
    state: str = "closed"
    consecutive: int = 0
    open_until: int = 0
    taken: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """One more."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def call(self, outcomes: Iterator[str], until: int | None) -> str:
        """What a call ends in: ok, fallback, bug, stopped."""
        end = self.with_retries(outcomes, until)
        if end == "ok":
            self.count("passed")
        if end in ("ok", "bug", "stopped"):
            return end
        self.count("fell back")
        return "fallback"

    def with_retries(self, outcomes: Iterator[str], until: int | None) -> str:
        """The end of the last attempt."""
        self.count("calls")
        for attempt in range(1, ATTEMPTS + 1):
            end, asked = self.through_breaker(outcomes, until)
            if end == "ok" and attempt > 1:
                self.count("recovered")
            if end == "bug" and attempt > 1:
                self.count("gave up")
            if end == "open":
                if attempt > 1:
                    self.count("gave up")
                return end
            if end in ("ok", "bug", "stopped"):
                return end
            wait = max(WAIT, asked)
            if attempt == ATTEMPTS or (until is not None and wait >= until - self.now):
                self.count("gave up")
                return end
            self.count("retries")
            self.now += wait
        raise AssertionError

    def through_breaker(self, outcomes: Iterator[str], until: int | None) -> tuple[str, int]:
        """(end, how long it asks to be left alone) of one attempt."""
        if self.state == "open":
            if self.now < self.open_until:
                self.count("refused by breaker")
                return "open", 0
            self.state = "half_open"
        end, asked = self.through_limit(outcomes, until)
        if end == "ok":
            self.count("successes")
            self.state, self.consecutive = "closed", 0
        elif end == "lost":
            self.count("failures")
            self.consecutive += 1
            if self.state == "half_open" or self.consecutive >= OPENS_AT:
                self.state, self.open_until, self.consecutive = "open", _whole_units(self.now + OPEN_FOR), 0
        else:
            self.count("ignored")
        return end, asked

    def through_limit(self, outcomes: Iterator[str], until: int | None) -> tuple[str, int]:
        """A token now, or when there is one, unless the deadline comes first."""
        taken_at = max(self.next_token + SECOND, self.now - BURST * SECOND + SECOND)
        wait = max(0, taken_at - self.now)
        if until is not None and wait > max(0, until - self.now):
            self.count("refused by limit")
            return "limited", wait
        self.next_token = taken_at
        self.count("tokens")
        self.now += wait
        return self.through_bulkhead(outcomes), 0

    def through_bulkhead(self, outcomes: Iterator[str]) -> str:
        """A place, or none."""
        if self.taken >= PLACES:
            self.count("refused by bulkhead")
            return "full"
        self.count("places")
        return next(outcomes)


def _whole_units(ns: int) -> int:
    """The end of an opening as the breaker keeps it: rounded up to 1024 ns, so that it never ends too early."""
    return -(-ns // 1024) * 1024
