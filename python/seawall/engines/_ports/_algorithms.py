"""The five limits as pure steps over a few integers: state, rule, now -> when it fits, and the state after it.

A state begins with the number of its kind and holds all it needs to survive a change of the rule's parameters. A clock
that goes back is believed: what was remembered keeps its weight and ages from the new time on. So a state from the
future is stored again as of now, also when the call is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from seawall.engines._ports._rules import Rule

State = tuple[int, ...]
"""(number of the kind, ...): for buckets (missing x scale, at, scale); for windows (number, count, count of the window
before, window); for the log (time, cost) pairs, oldest first."""


class Judged(NamedTuple):
    """What a rule makes of one call: admitted when `retry_us` is 0, to pass after `wait_us`."""

    before: State
    after: State
    wait_us: int
    retry_us: int


class Algorithm(Protocol):
    """One kind of limit."""

    def judge(self, rule: Rule, state: State | None, now: int) -> Judged:
        """Whether `rule.cost` fits, and what is remembered when it is charged."""

    def newest(self, state: State) -> int:
        """The latest time in a state, in microseconds."""

    def shifted(self, state: State, by: int) -> State:
        """The same state on a clock that shows `by` microseconds more."""

    def describe(self, rule: Rule, state: State | None, now: int) -> tuple[int, int]:
        """What remains, and in how many microseconds all will be forgotten."""

    def without(self, rule: Rule, state: State, now: int) -> State:
        """The state without what the rule gives back."""


def ceil_div(a: int, b: int) -> int:
    """A / b, rounded up."""
    return -(-a // b)


class Bucket:
    """Tokens that are missing, in 1/period of a token, so that what time brings is a whole number."""

    def __init__(self, number: int, *, paces: bool) -> None:
        self.number = number
        self.paces = paces

    def missing(self, rule: Rule, state: State | None, now: int) -> int:
        """What is missing now, in 1/period of a token."""
        if state is None:
            return 0
        _, missing, at, scale = state
        if scale != rule.period_us:
            missing = ceil_div(missing, scale) * rule.period_us
        return max(0, missing - max(0, now - at) * rule.amount)

    def judge(self, rule: Rule, state: State | None, now: int) -> Judged:
        """Whether it fits: a token bucket into what is there, a leaky bucket behind what is queued."""
        missing = self.missing(rule, state, now)
        after = missing + rule.cost * rule.period_us
        until_room = ceil_div(max(0, after - rule.limit * rule.period_us), rule.amount)
        wait = ceil_div(missing, rule.amount) if self.paces else until_room
        retry = max(0, wait - rule.max_wait_us, until_room if self.paces else 0)
        scale = rule.period_us
        return Judged((self.number, missing, now, scale), (self.number, after, now, scale), wait, retry)

    def without(self, rule: Rule, state: State, now: int) -> State:
        """Less what time has refilled since it was charged: it may have found the bucket full, and been lost.

        Nothing while places ahead are waited for: they were given as they are because of what was charged before.
        """
        missing = self.missing(rule, state, now)
        back = max(0, rule.returned * rule.period_us - max(0, now - rule.returned_at_us) * rule.amount)
        if missing <= rule.limit * rule.period_us:
            missing = max(0, missing - back)
        return self.number, missing, now, rule.period_us

    def newest(self, state: State) -> int:
        """When it was charged."""
        return state[2]

    def shifted(self, state: State, by: int) -> State:
        """Charged that much later."""
        return (*state[:2], state[2] + by, state[3])

    def describe(self, rule: Rule, state: State | None, now: int) -> tuple[int, int]:
        """A leaky bucket admits one call at once when nothing is queued; its capacity is for those who wait."""
        missing = self.missing(rule, state, now)
        remaining = max(0, rule.limit - ceil_div(missing, rule.period_us))
        return remaining, ceil_div(missing, rule.amount)


class Window:
    """A count for the current window and for the one before; `slides`: that one counts by its share in view."""

    def __init__(self, number: int, *, slides: bool) -> None:
        self.number = number
        self.slides = slides

    def counts(self, rule: Rule, state: State | None, now: int) -> tuple[int, int, int]:
        """Number of the current window, its count, and the count before it."""
        window = rule.period_us
        current = now // window
        if state is None:
            return current, 0, 0
        _, number, count, previous, size = state
        if size != window:
            return current, self._still_in_view(number, count, previous, size, now), 0
        if number >= current:
            return current, count, previous
        return current, 0, count if number == current - 1 else 0

    def _still_in_view(self, number: int, count: int, previous: int, size: int, now: int) -> int:
        end = (number + 1) * size
        if not self.slides:
            return count if now < end else 0
        return (count if now < end + size else 0) + (previous if now < end else 0)

    def judge(self, rule: Rule, state: State | None, now: int) -> Judged:
        """When it fits: now, later in this window, or in one of the next two."""
        window = rule.period_us
        current, count, previous = self.counts(rule, state, now)
        before = (self.number, current, count, previous, window)
        at = self._fits_at(rule, current, count, previous, now)
        after = (self.number, current, count + rule.cost, previous, window)
        return Judged(before, after, 0, at - now)

    def _fits_at(self, rule: Rule, current: int, count: int, previous: int, now: int) -> int:
        window, at = rule.period_us, now
        seen = previous if self.slides else 0
        while True:
            room, end = rule.limit - count - rule.cost, (current + 1) * window
            if room >= 0 and seen * (end - at) <= room * window:
                return at
            if room >= 0 and (later := end - room * window // seen) < end:
                return later
            seen, count, current, at = (count if self.slides else 0), 0, current + 1, end

    def without(self, rule: Rule, state: State, now: int) -> State:
        """In the window that it was charged in, while that is in view."""
        current, count, previous = self.counts(rule, state, now)
        charged_in = rule.returned_at_us // rule.period_us
        if charged_in == current:
            count = max(0, count - rule.returned)
        elif charged_in == current - 1:
            previous = max(0, previous - rule.returned)
        return self.number, current, count, previous, rule.period_us

    def newest(self, state: State) -> int:
        """When its window began."""
        return state[1] * state[4]

    def shifted(self, state: State, by: int) -> State:
        """In the window that begins nearest to where its own would."""
        return (state[0], state[1] + round(by / state[4]), *state[2:])

    def describe(self, rule: Rule, state: State | None, now: int) -> tuple[int, int]:
        """What is left of the limit."""
        window = rule.period_us
        current, count, previous = self.counts(rule, state, now)
        end = (current + 1) * window
        if not self.slides:
            return max(0, rule.limit - count), end - now if count else 0
        used = count + ceil_div(previous * (end - now), window)
        reset = end + window - now if count else end - now if previous else 0
        return max(0, rule.limit - used), reset


class Log:
    """The time and cost of everything admitted within the last window."""

    def __init__(self, number: int) -> None:
        self.number = number

    def active(self, rule: Rule, state: State | None, now: int) -> list[tuple[int, int]]:
        """(time, cost) of what has not left the window."""
        pairs = zip(state[1::2], state[2::2], strict=True) if state else ()
        return [(min(time, now), cost) for time, cost in pairs if min(time, now) + rule.period_us > now]

    def judge(self, rule: Rule, state: State | None, now: int) -> Judged:
        """It fits when enough of the oldest have left the window."""
        active = self.active(rule, state, now)
        over = sum(cost for _, cost in active) + rule.cost - rule.limit
        retry = 0
        for time, cost in active:
            if over <= 0:
                break
            over, retry = over - cost, time + rule.period_us - now
        before = (self.number, *(word for pair in active for word in pair))
        if active and active[-1][0] == now:
            return Judged(before, (*before[:-1], before[-1] + rule.cost), 0, retry)
        return Judged(before, (*before, now, rule.cost), 0, retry)

    def without(self, rule: Rule, state: State, now: int) -> State:
        """From the entry of its time."""
        words = [self.number]
        for time, cost in self.active(rule, state, now):
            left = max(0, cost - rule.returned) if time == rule.returned_at_us else cost
            words += (time, left) if left else ()
        return tuple(words)

    def newest(self, state: State) -> int:
        """When the newest was admitted."""
        return max(state[1::2], default=0)

    def shifted(self, state: State, by: int) -> State:
        """Admitted that much later."""
        return tuple(word + by if place % 2 else word for place, word in enumerate(state))

    def describe(self, rule: Rule, state: State | None, now: int) -> tuple[int, int]:
        """What is left of the limit."""
        active = self.active(rule, state, now)
        reset = active[-1][0] + rule.period_us - now if active else 0
        return max(0, rule.limit - sum(cost for _, cost in active)), reset


ALGORITHMS: dict[str, Algorithm] = {
    "token_bucket": Bucket(0, paces=False),
    "leaky_bucket": Bucket(1, paces=True),
    "fixed_window": Window(2, slides=False),
    "sliding_window": Window(3, slides=True),
    "sliding_log": Log(4),
}


def shifted(state: State, by_us: int) -> State:
    """A state, on a clock that shows `by_us` microseconds more: for engines whose clock begins again with a boot."""
    return list(ALGORITHMS.values())[state[0]].shifted(state, by_us)
