"""Laws of deadlines, timeouts and remembered results."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seawall as sw
from seawall.clock import ManualClock

SECONDS = st.integers(1, 10_000_000).map(lambda us: us / 1e6)


@given(st.lists(SECONDS, min_size=1, max_size=6), st.integers(0, 10_000_000))
def test_of_nested_deadlines_the_soonest_is_in_force(seconds: list[float], us: int) -> None:
    """At any moment, in any order of nesting; and outside none is."""
    clock = ManualClock()
    with ExitStack() as nest:
        for one in seconds:
            nest.enter_context(sw.Deadline(one, clock=clock))
        clock.advance(us / 1e6)
        deadline = sw.Deadline.current()
        assert deadline is not None
        assert deadline.at_ns == min(round(one * 1e9) for one in seconds)
        assert deadline.passed == (us / 1e6 >= min(seconds))
    assert sw.Deadline.current() is None


@given(st.lists(SECONDS, min_size=1, max_size=5), SECONDS)
def test_a_call_behind_nested_timeouts_has_the_least_of_their_times(seconds: list[float], took: float) -> None:
    """It ends well exactly when it took less than each of them."""
    clock = ManualClock()
    work = clock.advance
    for one in seconds:
        work = sw.Timeout(one, clock=clock)(work)  # type: ignore[assignment]
    if round(took * 1e9) < min(round(one * 1e9) for one in seconds):
        work(took)
    else:
        with pytest.raises(sw.TimeoutExceeded) as caught:
            work(took)
        assert caught.value.after == min(seconds)
    assert sw.Deadline.current() is None


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 5)), max_size=60),
)
def test_remembered_results_are_those_of_a_simple_table(most: int, calls: list[tuple[int, bool, int]]) -> None:
    """The same answers as an ordered table with ages, whatever the order of calls, failures and steps of time."""
    clock = ManualClock()
    fallback = sw.Fallback.stale(ttl=10, max_entries=most, clock=clock)
    table: OrderedDict[int, tuple[float, int]] = OrderedDict()
    down, number = False, 0

    @fallback
    def get(key: int) -> int:
        if down:
            raise ConnectionError(key)
        return number

    for number, (key, down, seconds) in enumerate(calls):
        clock.advance(seconds)
        if not down:
            assert get(key) == number
            table.pop(key, None)
            table[key] = (clock.time(), number)
            while len(table) > most:
                table.popitem(last=False)
            continue
        if key in table and clock.time() - table[key][0] > 10:
            del table[key]
        if key in table:
            table.move_to_end(key)
            assert get(key) == table[key][1]
        else:
            with pytest.raises(ConnectionError):
                get(key)
    assert fallback.stats().remembered == len(table)
