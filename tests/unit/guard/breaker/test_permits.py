"""Entering by hand: permits and refusals."""

import copy
import pickle

import pytest
from tests.unit.guard.breaker.driving import breaker_at, opened, probing

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen
from seawall.guard.breaker import Permit, Refusal


def test_a_permit_is_answered_once(clock: ManualClock) -> None:
    """The first answer counts, later ones do nothing."""
    breaker = breaker_at(clock)
    permit = breaker.enter()
    permit.success()
    permit.failure()
    permit.ignore()
    permit.error(OSError())
    permit.result(1)
    stats = breaker.stats()
    assert (stats.successes, stats.failures, stats.ignored, stats.late) == (1, 0, 0, 0)


def test_a_permit_as_context_manager_says_how_the_block_ended(clock: ManualClock) -> None:
    """A clean end is a success, an exception is judged as a call's would be, and goes on."""
    breaker = breaker_at(clock, consecutive=50)
    with breaker.enter() as permit:
        assert isinstance(permit, Permit)
    for error in (OSError(), ValueError(), KeyboardInterrupt()):
        with pytest.raises(type(error)), breaker.enter():
            raise error
    stats = breaker.stats()
    assert (stats.successes, stats.failures, stats.ignored) == (1, 1, 2)


def test_a_refusal_is_false_and_becomes_an_exception(clock: ManualClock) -> None:
    """try_enter never raises; what it answers can be raised, each time a new exception."""
    refusal = opened(clock).try_enter()
    assert isinstance(refusal, Refusal)
    assert not refusal
    error = refusal.exception()
    assert isinstance(error, CircuitOpen)
    assert str(error) == "circuit breaker payments is open; retry in 2 s"
    assert refusal.exception() is not error
    assert repr(refusal) == "<Refusal by 'payments': open, retry in 2 s>"


def test_permits_say_what_they_are(clock: ManualClock) -> None:
    """Whether a call is a probe, and whether it was answered."""
    breaker, probe = probing(clock)
    assert repr(probe) == "<Permit of 'payments' probe>"
    probe.success()
    assert repr(probe) == "<Permit of 'payments' probe answered>"
    assert repr(breaker.enter()) == "<Permit of 'payments'>"


def test_permits_and_refusals_come_from_a_breaker_only(clock: ManualClock) -> None:
    """Made by hand they are an error, not wild memory, and they are neither pickled nor copied."""
    with pytest.raises(TypeError, match=r"^a Permit comes from CircuitBreaker.enter\(\) or try_enter\(\)$"):
        Permit()
    with pytest.raises(TypeError, match=r"^a Refusal comes from CircuitBreaker.try_enter\(\)$"):
        Refusal()
    permit, refusal = Permit.__new__(Permit), Refusal.__new__(Refusal)
    permit.success()
    permit.result(1)
    assert repr(permit) == "<Permit of nothing>"
    for use in (lambda: refusal.policy, refusal.exception, lambda: repr(refusal)):
        with pytest.raises(TypeError, match=r"^a Refusal comes from CircuitBreaker.try_enter\(\)$"):
            use()
    for thing in (breaker_at(clock).enter(), opened(clock).try_enter()):
        for duplicate in (pickle.dumps, copy.copy):
            with pytest.raises(TypeError, match=r"^cannot pickle"):
                duplicate(thing)
