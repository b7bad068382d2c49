"""Laws of limits, for any history of calls."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.pairs import NAMES, Pair, pair

import seawall as sw

SECOND = 1_000_000_000
STEPS = st.one_of(st.just(0), st.integers(0, 10), st.integers(0, SECOND // 2), st.integers(0, 4 * SECOND))
BOTH_WAYS = st.one_of(STEPS, STEPS.map(lambda ns: -ns))
COSTS = st.integers(1, 4)
CALLS = st.lists(st.tuples(STEPS, COSTS), max_size=40)
UNSTEADY_CALLS = st.lists(st.tuples(BOTH_WAYS, COSTS), max_size=40)
SHAPES = st.tuples(st.integers(1, 9), st.integers(4, 8), st.sampled_from([0.7, 1.0, 3.0]))


def made(name: str, shape: tuple[int, int, float]) -> Pair:
    """A limit of that shape at a time from which the clock may step back."""
    amount, limit, per = shape
    both = pair(name, amount, per, limit)
    both.clock.set_ns(100 * SECOND)
    return both


def move(both: Pair, ns: int) -> None:
    """Let the clock go on, or step back."""
    both.clock.set_ns(max(0, both.now + ns))


def admitted(both: Pair, calls: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(time, cost) of the calls that got through, in their order."""
    through = []
    for step, cost in calls:
        move(both, step)
        if both.limit.try_acquire(cost):
            through.append((both.now, cost))
    return through


def spans(through: list[tuple[int, int]]) -> Any:
    """(start, end, cost admitted from start to end, the last cost) of every run of admissions, in calling order."""
    for i, (start, _) in enumerate(through):
        for (end, last), total in zip(through[i:], accumulate(cost for _, cost in through[i:]), strict=True):
            yield start, end, total, last


@given(SHAPES, UNSTEADY_CALLS)
def test_a_token_bucket_admits_burst_and_rate_in_every_interval(shape, calls):
    """From any admission to any later one at most burst + rate x length passes, also if the clock steps back."""
    amount, limit, per = shape
    rate = Fraction(amount, round(per * SECOND))
    for start, end, total, _ in spans(admitted(made("token_bucket", shape), calls)):
        assert total <= limit + rate * (end - start)


@given(SHAPES, UNSTEADY_CALLS)
def test_a_leaky_bucket_admits_its_rate_before_every_call(shape, calls):
    """What passed before a call has leaked out when it passes, also if the clock steps back."""
    amount, _, per = shape
    rate = Fraction(amount, round(per * SECOND))
    for start, end, total, last in spans(admitted(made("leaky_bucket", shape), calls)):
        assert total - last <= rate * (end - start)


@given(SHAPES, UNSTEADY_CALLS)
def test_a_fixed_window_admits_its_limit_in_each_window(shape, calls):
    """Each window of the clock holds at most the limit, also if the clock steps back."""
    _, limit, per = shape
    window = round(per * SECOND)
    counts: dict[int, int] = {}
    for time, cost in admitted(made("fixed_window", shape), calls):
        counts[time // window] = counts.get(time // window, 0) + cost
    assert all(count <= limit for count in counts.values())


@given(SHAPES, UNSTEADY_CALLS)
def test_a_sliding_log_admits_its_limit_in_every_window(shape, calls):
    """Every window of that length, wherever it lies, holds at most the limit, also if the clock steps back."""
    _, limit, per = shape
    window = round(per * SECOND)
    through = admitted(made("sliding_log", shape), calls)
    for start, _ in through:
        assert sum(cost for time, cost in through if start <= time < start + window) <= limit


@given(SHAPES, UNSTEADY_CALLS)
def test_a_sliding_window_admits_what_its_estimate_allows(shape, calls):
    """The share in view of the last window and the count of this one never exceed the limit when a call passes."""
    _, limit, per = shape
    window = round(per * SECOND)
    counts: dict[int, int] = {}
    for time, cost in admitted(made("sliding_window", shape), calls):
        number = time // window
        counts[number] = counts.get(number, 0) + cost
        in_view = Fraction((number + 1) * window - time, window)
        assert counts.get(number - 1, 0) * in_view + counts[number] <= limit


@given(SHAPES, st.lists(st.tuples(STEPS, COSTS, st.sampled_from(["try", "reserve", "cancel"])), max_size=40))
def test_reserved_and_cancelled_places_keep_a_token_bucket_within_its_rate(shape, calls):
    """Places that were reserved and not cancelled obey burst + rate x length, to the nanosecond they are rounded to."""
    amount, limit, per = shape
    rate = Fraction(amount, round(per * SECOND))
    kept = placed(made("token_bucket", shape), calls)
    for start, end, total, _ in spans(sorted(kept)):
        assert total <= limit + rate * (end - start + 1)


@given(SHAPES, st.lists(st.tuples(STEPS, COSTS, st.sampled_from(["try", "reserve", "cancel"])), max_size=40))
def test_reserved_and_cancelled_places_keep_a_sliding_log_exact(shape, calls):
    """Every window holds at most the limit of places that were not cancelled."""
    _, limit, per = shape
    window = round(per * SECOND)
    kept = placed(made("sliding_log", shape), calls)
    for start, _ in kept:
        assert sum(cost for time, cost in kept if start <= time < start + window) <= limit


def placed(both: Pair, calls: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """(time, cost) of what passed at once or was reserved, without what was cancelled."""
    kept: list[tuple[int, int]] = []
    open_permits: list[Any] = []
    for step, cost, call in calls:
        move(both, step)
        if call == "try" and both.limit.try_acquire(cost):
            kept.append((both.now, cost))
        elif call == "reserve":
            try:
                permit = both.limit.reserve(cost)
            except sw.RateLimited:
                continue
            open_permits.append((permit, cost))
        elif call == "cancel" and open_permits:
            open_permits.pop(len(open_permits) * cost // 5)[0].cancel()
    return kept + [(permit.at_ns, cost) for permit, cost in open_permits]


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, CALLS, COSTS)
def test_a_refused_call_passes_at_its_retry_after_and_not_a_nanosecond_sooner(name, shape, calls, cost):
    """When nobody else comes, retry_after is the first instant at which the same call passes."""
    both = made(name, shape)
    admitted(both, calls)
    start, seen = both.now, both.limit.peek(cost)
    if seen.admitted:
        assert seen.retry_after == 0.0
        return
    wait = round(seen.retry_after * 1e9)
    assert wait > 0
    both.clock.set_ns(start + wait - 1)
    assert not both.limit.peek(cost).admitted
    both.clock.set_ns(start + wait)
    assert both.limit.try_acquire(cost)


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, st.tuples(CALLS, CALLS, CALLS), COSTS)
def test_a_cancelled_call_leaves_no_more_than_if_it_had_never_happened(name, shape, calls, cost):
    """Beside a limit that never saw the cancelled call, whatever passes here passes there; for a log they are equal."""
    before, between, after = calls
    both, twin = made(name, shape), made(name, shape)
    follow(both, twin, before)
    try:
        permit = both.limit.reserve(cost)
    except sw.RateLimited:
        return
    follow(both, twin, between)
    permit.cancel()
    follow(both, twin, after)
    here, there = both.limit.peek(), twin.limit.peek()
    assert here.remaining <= there.remaining
    assert here.retry_after >= there.retry_after
    if name == "sliding_log":
        assert here == there


def follow(both: Pair, twin: Pair, calls: list[tuple[int, int]]) -> None:
    """Make the calls here, and those that passed there too."""
    for step, cost in calls:
        move(both, step)
        twin.clock.set_ns(both.now)
        if both.limit.try_acquire(cost):
            assert twin.limit.try_acquire(cost)


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, CALLS, st.lists(COSTS, min_size=1, max_size=6))
def test_places_given_back_in_reverse_leave_no_trace(name, shape, before, costs):
    """Whatever was reserved and then given back newest first is as if it had never been asked."""
    both = made(name, shape)
    admitted(both, before)
    seen = both.limit.peek()
    permits = []
    for cost in costs:
        try:
            permits.append(both.limit.reserve(cost))
        except sw.RateLimited:
            break
    assert all(permit.undo() for permit in reversed(permits))
    assert both.limit.peek() == seen


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, CALLS, st.lists(SHAPES, min_size=1, max_size=6))
def test_a_change_of_limits_never_forgets_what_counts(name, shape, before, changes):
    """After any changes and back, at once, no more remains than before; in between never more than the limit allows."""
    both = made(name, shape)
    admitted(both, before)
    seen = both.limit.peek()
    for amount, limit, _ in changes:
        reshape(name, both.limit, (amount, limit, shape[2]))
        assert both.limit.peek().remaining <= limit
    reshape(name, both.limit, shape)
    assert both.limit.peek().remaining <= seen.remaining


def reshape(name: str, limit: Any, shape: tuple[int, int, float]) -> None:
    """Give the limit another shape."""
    amount, most, per = shape
    if name == "token_bucket":
        limit.reconfigure(amount, per=per, burst=most)
    elif name == "leaky_bucket":
        limit.reconfigure(amount, per=per, capacity=most)
    else:
        limit.reconfigure(most, window=per)
