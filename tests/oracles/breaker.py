"""A circuit breaker, slow and obvious. Times are integer nanoseconds, whole units of 1024 where the kernel rounds.

Every change of state begins a new era: an empty window, no probes, no progress. Whoever entered in another is late.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from seawall.guard.breaker import BreakerOptions, Calls

ONE = 1 << 32
SECOND = 1_000_000_000


def times(value: int, share: int) -> int:
    """A product in fixed point, rounded down."""
    return value * share >> 32


def fixed(share: float) -> int:
    """A share in fixed point."""
    return round(share * ONE)


@dataclass(eq=False)
class Ticket:
    """A call under way."""

    era: int
    start: int
    slot: int | None = None
    lease_end: int = 0


@dataclass(frozen=True)
class Refused:
    """A call that may not pass, and in how many nanoseconds it may be tried again."""

    state: str
    wait: int | None


@dataclass
class Outcome:
    """One call in the window."""

    bucket: int
    failed: bool
    slow: bool


@dataclass
class Counted:
    """Statistics."""

    successes: int = 0
    failures: int = 0
    slow: int = 0
    ignored: int = 0
    refused: int = 0
    late: int = 0
    transitions: int = 0
    lost: int = 0


@dataclass
class Breaker:
    """The whole of it."""

    options: BreakerOptions
    state: str = "closed"
    era: int = 0
    trips: int = 0
    since: int = 0
    until: int = 0
    window: deque[Outcome] = field(default_factory=deque)
    row: int = 0
    places: dict[int, Ticket | str] = field(default_factory=dict)
    origin: int = 0
    progress: int = 0
    phase: int = 0
    counted: Counted = field(default_factory=Counted)

    def become(self, state: str, trips: int, now: int, until: int = 0) -> None:
        """Begin another era."""
        self.state, self.trips, self.era = state, min(trips, 31), self.era + 1
        self.since = self.origin = now
        self.until, self.progress, self.row = until, 0, 0
        self.window.clear()
        self.places.clear()
        self.counted.transitions += 1

    def enter(self, now: int) -> Ticket | Refused:
        """May a call pass?"""
        if self.state == "open" and now >= self.until:
            self.become("half_open", self.trips, now)
        if self.state == "recovering" and self.ramped(now) == ONE:
            self.become("closed", 0, now)
        if self.state == "half_open":
            return self.enter_half_open(now)
        if self.state == "recovering" and not self.ramp_admits(now):
            return self.refuse(self.next_try())
        if self.state == "open":
            return self.refuse(self.until - now)
        if self.state == "forced_open":
            return self.refuse(None)
        return Ticket(self.era, now)

    def refuse(self, wait: int | None) -> Refused:
        """No."""
        self.counted.refused += 1
        return Refused(self.state, wait)

    def enter_half_open(self, now: int) -> Ticket | Refused:
        """A place for a probe, if there is one: free, or of a probe that is lost."""
        if all(self.places.get(slot) == "succeeded" for slot in range(self.options.probes)):
            self.recover(now)
            return self.enter(now)
        for slot in range(self.options.probes):
            holder = self.places.get(slot)
            if holder == "succeeded" or (isinstance(holder, Ticket) and now < holder.lease_end):
                continue
            self.counted.lost += holder is not None
            ticket = Ticket(self.era, now, slot, now + self.lease)
            self.places[slot] = ticket
            return ticket
        ends = [p.lease_end for slot, p in self.places.items() if slot < self.options.probes and isinstance(p, Ticket)]
        return self.refuse(min(ends) - now)

    def settle(self, ticket: Ticket, outcome: str, now: int) -> None:
        """What came of it."""
        if ticket.era != self.era:
            self.counted.late += 1
        elif self.state == "disabled":
            pass
        elif self.state == "half_open" and self.places.get(ticket.slot or 0) is not ticket:
            self.counted.late += 1
        elif outcome == "ignored":
            self.places.pop(ticket.slot, None)  # type: ignore[arg-type]
            self.counted.ignored += 1
        else:
            self.record(ticket, outcome == "failure", now)

    def record(self, ticket: Ticket, failed: bool, now: int) -> None:
        """Count it, and decide."""
        slow_after = self.options.slow_after
        slow = slow_after is not None and now - ticket.start >= int(slow_after * SECOND)
        self.counted.failures += failed
        self.counted.successes += not failed
        self.counted.slow += slow
        self.window.append(Outcome(self.bucket(now), failed, slow))
        self.row = self.row + 1 if failed else 0
        self.decide(ticket, failed or slow, now)

    def decide(self, ticket: Ticket, bad: bool, now: int) -> None:
        """What the outcome just counted leads to."""
        trips = self.state in ("closed", "recovering") and self.tripped(now)
        if self.state == "half_open" and bad:
            trips = True
        elif self.state == "half_open":
            self.places[ticket.slot] = "succeeded"  # type: ignore[index]
            succeeded = [
                slot for slot, place in self.places.items() if place == "succeeded" and slot < self.options.probes
            ]
            if len(succeeded) == self.options.probes:
                self.recover(now)
        elif self.state == "recovering" and bad:
            self.set_back(now)
        elif self.state == "recovering":
            self.advance()
            if not trips and self.ramped(now) == ONE:
                self.become("closed", 0, now)
        if trips:
            wait = self.options.open_for.wait(self.trips + 1, 0, None)
            self.become("open", self.trips + 1, now, now + wait)

    def recover(self, now: int) -> None:
        """After the last probe."""
        if self.options.recovery is None:
            self.become("closed", 0, now)
        else:
            self.become("recovering", self.trips, now)

    @property
    def lease(self) -> int:
        """How long a probe may take."""
        return int(self.options.lost_after * SECOND)  # type: ignore[operator]

    def bucket(self, now: int) -> int:
        """The tenth of the window that `now` is in, and none that is older than the newest used."""
        window = self.options.window
        newest = self.window[-1].bucket if self.window else 0
        return 0 if isinstance(window, Calls) else max(newest, now // (window.ns // 10))

    def counts(self, now: int) -> tuple[int, int, int, int]:
        """(calls, failures, slow, failures in a row) that count."""
        window = self.options.window
        kept = list(self.window)
        if isinstance(window, Calls):
            kept = kept[-window.count :]
        else:
            last = self.bucket(now)
            kept = [outcome for outcome in kept if outcome.bucket > last - 10]
        return len(kept), sum(o.failed for o in kept), sum(o.slow for o in kept), self.row

    def tripped(self, now: int) -> bool:
        """Whether the conditions that are on are met: any of them, or all."""
        options = self.options
        calls, failures, slow, row = self.counts(now)
        met = []
        if options.failure_ratio is not None:
            met.append(
                calls >= options.min_calls and Fraction(failures, calls) >= Fraction(repr(options.failure_ratio))
            )
        if options.slow_after is not None:
            ratio = options.slow_ratio or options.failure_ratio or 0.5
            met.append(calls >= options.min_calls and Fraction(slow, calls) >= Fraction(repr(ratio)))
        if options.consecutive is not None:
            met.append(row >= options.consecutive)
        return any(met) if options.combine == "any" else all(met)

    def ramped(self, now: int) -> int:
        """Progress of the ramp, in fixed point."""
        over = self.ramp.over
        if isinstance(over, Calls):
            return ONE if self.progress == ONE - 1 else self.progress
        whole = int(over * SECOND)  # type: ignore[operator]
        passed = max(0, now - self.origin)
        return ONE if passed >= whole else (passed << 32) // whole

    def share(self, now: int) -> int:
        """Of calls that pass now, in fixed point."""
        if self.state != "recovering":
            return 0 if self.state in ("open", "half_open", "forced_open") else ONE
        start = fixed(self.ramp.start)
        return start + times(ONE - start, self.ramped(now))

    def ramp_admits(self, now: int) -> bool:
        """Shares add up; whoever carries the sum past a whole number passes."""
        self.phase = self.phase % ONE + self.share(now)
        return self.phase >= ONE

    def next_try(self) -> int:
        """When a call that the ramp left out may try again."""
        over = self.ramp.over
        return (self.lease if isinstance(over, Calls) else int(over * SECOND)) // 10 + 1  # type: ignore[operator]

    def advance(self) -> None:
        """A success, where successes make the ramp."""
        if isinstance(self.ramp.over, Calls):
            self.progress = min(self.ramped(0) + -(-ONE // self.ramp.over.count), ONE - 1)

    def set_back(self, now: int) -> None:
        """Leave a part of the progress."""
        left = times(self.ramped(now), fixed(self.ramp.backoff))
        if isinstance(self.ramp.over, Calls):
            self.progress = min(left, ONE - 1)
        else:
            worth = times(int(self.ramp.over * SECOND), left)  # type: ignore[operator]
            self.origin = max(self.origin, -(-max(0, now - worth) // 1024) * 1024)

    @property
    def ramp(self) -> Any:
        """The recovery, where there is one."""
        return self.options.recovery

    def force(self, state: str, now: int) -> bool:
        """By hand."""
        changed = self.state != state
        if changed:
            self.become(state, 0, now)
        return changed

    def reset(self, now: int) -> None:
        """As new."""
        self.become("closed", 0, now)
        self.counted = Counted()
