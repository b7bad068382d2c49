"""The calls that decide whether a breaker closes again."""

import pytest
from tests.unit.guard.breaker.driving import breaker_at, fail, opened, probing, succeed

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen


@pytest.mark.parametrize("probes", [1, 2, 3, 64])
def test_exactly_so_many_probes_are_admitted(clock: ManualClock, probes: int) -> None:
    """Not one more, while none has answered and while all but one have."""
    breaker = opened(clock, probes=probes)
    clock.advance(2)
    held = [breaker.enter() for _ in range(probes)]
    assert all(probe.is_probe for probe in held)
    for probe in held:
        assert not breaker.try_enter()
        assert breaker.state == "half_open"
        probe.success()
    assert breaker.state == "closed"
    assert not breaker.enter().is_probe


def test_a_refusal_while_half_open_says_when_a_place_is_free_at_the_latest(clock: ManualClock) -> None:
    """It is the end of the first lease."""
    breaker, probe = probing(clock, lost_after=8)
    clock.advance(2)
    with pytest.raises(CircuitOpen) as caught:
        breaker.enter()
    assert str(caught.value) == "circuit breaker payments is half open; retry in 6 s"
    assert (caught.value.state, caught.value.retry_after) == ("half_open", 6.0)
    probe.ignore()


def test_an_ignored_probe_leaves_its_place_to_the_next(clock: ManualClock) -> None:
    """A call that came to nothing decides nothing."""
    breaker, probe = probing(clock)
    for _ in range(5):
        probe.ignore()
        assert breaker.state == "half_open"
        probe = breaker.enter()
    probe.success()
    assert breaker.state == "closed"


def test_a_permit_that_is_thrown_away_leaves_its_place(clock: ManualClock) -> None:
    """A caller that forgets to answer cannot hold the breaker half open."""
    breaker, probe = probing(clock)
    del probe
    succeed(breaker)
    assert breaker.state == "closed"
    assert breaker.stats().lost == 0


def test_a_lost_probe_is_replaced_when_its_lease_ends(clock: ManualClock) -> None:
    """A probe that never answers holds its place so long and no longer, and its answer is late then."""
    breaker, gone = probing(clock, lost_after=8)
    clock.advance(7.9)
    assert not breaker.try_enter()
    clock.advance(0.1)
    another = breaker.enter()
    assert breaker.stats().lost == 1
    gone.failure()
    assert (breaker.state, breaker.stats().late) == ("half_open", 1)
    another.success()
    assert breaker.state == "closed"


def test_an_answer_after_the_lease_counts_while_nobody_has_the_place(clock: ManualClock) -> None:
    """Late is only who has been replaced."""
    breaker, slow = probing(clock, lost_after=8)
    clock.advance(100)
    slow.success()
    assert (breaker.state, breaker.stats().lost) == ("closed", 0)


def test_a_slow_probe_fails_where_slowness_counts(clock: ManualClock) -> None:
    """A probe that succeeds too late reopens; without slow_after it closes."""
    for options, state in (({"slow_after": 4}, "open"), ({}, "closed")):
        breaker, probe = probing(clock, **options)
        clock.advance(4)
        probe.success()
        assert breaker.state == state


def test_calls_from_before_the_opening_are_no_probes(clock: ManualClock) -> None:
    """What was under way when it opened neither closes it nor opens it again."""
    breaker = breaker_at(clock)
    old = [breaker.enter() for _ in range(3)]
    fail(breaker, 2)
    clock.advance(2)
    probe = breaker.enter()
    old[0].success()
    old[1].failure()
    old[2].ignore()
    assert (breaker.state, breaker.stats().late) == ("half_open", 3)
    probe.success()
    assert breaker.state == "closed"
