"""One breaker for several objects, in this process and others."""

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from tests.unit.guard.breaker.driving import PLAIN, breaker_at, fail, opened, outcomes, probing

from seawall.clock import ManualClock, SystemClock
from seawall.errors import ConfigError, SegmentError
from seawall.guard.breaker import CircuitBreaker, Seconds
from seawall.memory import Segment


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """A segment of this test's own."""
    return Segment(str(tmp_path / "s"), size=64 * 1024)


def is_oserror(answer: Any) -> bool:
    """A predicate that can be pickled."""
    return isinstance(answer, OSError)


def test_two_objects_are_one_breaker(clock: ManualClock, segment: Segment) -> None:
    """Calls of both add up, and it opens and closes for both."""
    one, two = (breaker_at(clock, shared=segment) for _ in range(2))
    fail(one)
    fail(two)
    assert (one.state, two.state) == ("open", "open")
    assert not one.try_enter()
    clock.advance(2)
    probe = two.enter()
    assert not one.try_enter()
    probe.success()
    assert (one.state, two.state) == ("closed", "closed")
    assert one.stats()[1:-2] == two.stats()[1:-2]
    assert one.stats().shared == segment.path


def test_names_are_slots(clock: ManualClock, segment: Segment) -> None:
    """Breakers of different names in one segment are different; a slot of another kind is an error."""
    one, two = breaker_at(clock, shared=segment), CircuitBreaker("orders", clock=clock, shared=segment)
    fail(one, 2)
    assert two.state == "closed"
    assert [(slot.name, slot.kind) for slot in segment.describe()] == [
        ("orders", "circuit_breaker"),
        ("payments", "circuit_breaker"),
    ]
    from seawall import TokenBucket

    TokenBucket(1, name="bucket", shared=segment)
    with pytest.raises(SegmentError, match=r"bucket"):
        CircuitBreaker("bucket", shared=segment)


def test_another_configuration_is_an_error_that_tells_the_difference(clock: ManualClock, segment: Segment) -> None:
    """As people write the options, and with the ways out; nothing has changed."""
    breaker = breaker_at(clock, shared=segment)
    with pytest.raises(ConfigError) as caught:
        breaker_at(clock, shared=segment, probes=5, failure_ratio=0.1, window=Seconds(60))
    assert str(caught.value) == (
        f"circuit breaker 'payments' in segment {segment.path} is configured otherwise: "
        "failure_ratio None there, 0.1 here, window Calls(count=100) there, Seconds(seconds=60) here, "
        "probes 1 there, 5 here; give on_conflict='adopt' to follow the segment, 'replace' to change it for everybody, "
        "or another name"
    )
    assert breaker.options.probes == 1


def test_options_of_an_object_are_no_conflict(clock: ManualClock, segment: Segment) -> None:
    """How long to open and what is a failure may differ between users."""
    breaker_at(clock, shared=segment)
    other = breaker_at(clock, shared=segment, open_for=6, failure_if=is_oserror, ignore=KeyError)
    fail(other, 2)
    assert other.stats().open_for == 6.0


def test_adopt_follows_and_replace_changes_for_everybody(clock: ManualClock, segment: Segment) -> None:
    """The two ways to agree; the state goes on in both."""
    first = breaker_at(clock, shared=segment)
    fail(first)
    adopted = breaker_at(clock, shared=segment, probes=5, on_conflict="adopt")
    assert adopted.options.probes == 1
    assert adopted.stats().consecutive == 1
    replaced = breaker_at(clock, shared=segment, probes=5, on_conflict="replace")
    assert (first.options.probes, adopted.options.probes, replaced.options.probes) == (5, 5, 5)
    fail(replaced)
    assert (first.state, adopted.state) == ("open", "open")


def test_a_shared_breaker_pickles_as_another_user_of_the_same(segment: Segment) -> None:
    """Options, lenience and state arrive, also after somebody has reconfigured it."""
    options = {**PLAIN, "failure_if": is_oserror, "ignore": (KeyError,), "open_for": 86_400, "longest_open": 86_400}
    breaker = CircuitBreaker("payments", shared=segment, shadow=True, **options)
    breaker.reconfigure(probes=5)
    fail(breaker, 2)
    twin = pickle.loads(pickle.dumps(breaker))
    assert twin is not breaker
    assert (twin.name, twin.state, twin.shadow) == ("payments", "open", True)
    assert twin.options == breaker.options
    assert isinstance(twin.clock, SystemClock)
    twin.force_close()
    assert breaker.state == "closed"
    assert copy.copy(breaker).stats().transitions == breaker.stats().transitions


def test_a_decorated_function_pickles_by_its_name() -> None:
    """As functions do, so that process pools take it."""
    assert pickle.loads(pickle.dumps(guarded_at_module_level)) is guarded_at_module_level


@CircuitBreaker("module")
def guarded_at_module_level() -> None:
    """A function that process pools can be given."""


def test_a_private_breaker_refuses_to_be_copied(clock: ManualClock) -> None:
    """A copy would be a second breaker; the message says the way out."""
    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as caught:
            duplicate(breaker_at(clock))
        assert str(caught.value) == (
            "CircuitBreaker 'payments' cannot be pickled: a copy in another process would be a second breaker; "
            "give it shared='...' so that both use one"
        )


def test_a_name_of_a_segment_will_do(clock: ManualClock, tmp_path: Path) -> None:
    """shared= takes a path as well as a segment, and the same path is the same breaker."""
    path = str(tmp_path / "named")
    one, two = (breaker_at(clock, shared=path) for _ in range(2))
    outcomes(one, "ff")
    assert two.state == "open"


def test_a_probe_of_another_user_counts(clock: ManualClock, segment: Segment) -> None:
    """Places are shared: what one gives back the other may take."""
    breaker, probe = probing(clock, shared=segment)
    other = breaker_at(clock, shared=segment)
    assert not other.try_enter()
    probe.ignore()
    other.enter().failure()
    assert breaker.state == "open"
    assert breaker.stats().trips == 2


def test_private_state_is_not_shared(clock: ManualClock) -> None:
    """Two breakers of one name without a segment are two."""
    opened(clock)
    assert breaker_at(clock).state == "closed"
