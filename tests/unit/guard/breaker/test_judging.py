"""What counts as a failure, as a success, and as nothing at all."""

import asyncio
import concurrent.futures
from typing import Any

import pytest
from tests.unit.guard.breaker.driving import breaker_at, probing

from seawall.clock import ManualClock
from seawall.errors import CircuitOpen, ConfigError, RateLimited, TimeoutExceeded
from seawall.guard._protect import protect
from seawall.guard.breaker import CircuitBreaker


def raising(error: BaseException) -> Any:
    """A function that raises."""

    def call() -> None:
        raise error

    return call


def counted(breaker: CircuitBreaker, error: BaseException) -> str:
    """As what a call that raised was counted."""
    before = breaker.stats()
    with pytest.raises(type(error)) as caught:
        breaker.call(raising(error))
    assert caught.value is error
    after = breaker.stats()
    return {(1, 0, 0): "failure", (0, 1, 0): "success", (0, 0, 1): "ignored"}[
        after.failures - before.failures, after.successes - before.successes, after.ignored - before.ignored
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionResetError(), "failure"),
        (TimeoutError(), "failure"),
        (TimeoutExceeded("slow"), "failure"),
        (OSError("disk"), "failure"),
        (RuntimeError("who knows"), "failure"),
        (ValueError("bad order"), "ignored"),
        (KeyError("typo"), "ignored"),
        (PermissionError(), "ignored"),
        (ConfigError("typo"), "ignored"),
        (RateLimited("full"), "ignored"),
        (CircuitOpen("open"), "ignored"),
        (concurrent.futures.CancelledError(), "ignored"),
        (asyncio.CancelledError(), "ignored"),
        (KeyboardInterrupt(), "ignored"),
        (SystemExit(), "ignored"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_by_default_the_classification_decides(clock: ManualClock, error: BaseException, kind: str) -> None:
    """Trouble of the callee is a failure; bugs of the caller, refusals and cancellations are nobody's."""
    assert counted(breaker_at(clock, consecutive=50), error) == kind


def test_statuses_of_client_errors_are_understood(clock: ManualClock) -> None:
    """An error that carries status 503 is a failure, 404 and 429 are none."""

    class HttpError(Exception):
        def __init__(self, status: int) -> None:
            super().__init__(status)
            self.status_code = status

    breaker = breaker_at(clock, consecutive=50)
    assert [counted(breaker, HttpError(status)) for status in (503, 404, 429)] == ["failure", "ignored", "ignored"]


def test_an_error_whose_properties_raise_is_still_a_failure(clock: ManualClock) -> None:
    """What a foreign error's own properties raise hides neither the error nor its meaning."""

    class Broken(Exception):
        @property
        def response(self) -> None:
            raise RuntimeError("no response was set")

        retry_after = status_code = trailing_metadata = headers = response

    breaker = breaker_at(clock, consecutive=1)
    assert counted(breaker, Broken()) == "failure"
    assert (breaker.state, breaker.stats().open_for) == ("open", 2.0)


def test_ignored_types_are_nothing(clock: ManualClock) -> None:
    """Ignore takes a type or several, with their subclasses."""
    breaker = breaker_at(clock, consecutive=50, ignore=(ConnectionError, TimeoutError))
    assert counted(breaker, BrokenPipeError()) == "ignored"
    assert counted(breaker, TimeoutError()) == "ignored"
    assert counted(breaker, OSError()) == "failure"
    assert counted(breaker_at(clock, ignore=OSError), BrokenPipeError()) == "ignored"


def test_failure_if_decides_of_errors(clock: ManualClock) -> None:
    """Where given, it has the last word on exceptions; ignored types and cancellation come before it."""
    breaker = breaker_at(clock, consecutive=50, failure_if=lambda e: isinstance(e, KeyError), ignore=IndexError)
    assert counted(breaker, KeyError()) == "failure"
    assert counted(breaker, ConnectionError()) == "success"
    breaker = breaker_at(clock, consecutive=50, failure_if=lambda _: True, ignore=IndexError)
    assert counted(breaker, ValueError()) == "failure"
    assert counted(breaker, IndexError()) == "ignored"
    assert counted(breaker, concurrent.futures.CancelledError()) == "ignored"
    assert counted(breaker, asyncio.CancelledError()) == "ignored"


def test_failure_if_decides_of_results(clock: ManualClock) -> None:
    """A result can be a failure, and reaches the caller all the same."""
    breaker = breaker_at(clock, failure_if=lambda answer: answer == 503)
    assert breaker.call(lambda: 200) == 200
    assert breaker.call(lambda: 503) == 503
    breaker.enter().result(503)
    assert breaker.state == "open"
    assert (breaker.stats().successes, breaker.stats().failures) == (1, 2)


def test_without_failure_if_every_result_is_a_success(clock: ManualClock) -> None:
    """Falsy and odd results are successes, and nothing of them is looked at."""
    breaker = breaker_at(clock)
    for result in (None, False, ConnectionError()):
        assert breaker.call(lambda result=result: result) is result
        breaker.enter().result(result)
    assert breaker.stats().successes == 6


def test_a_predicate_that_raises_is_heard(clock: ManualClock) -> None:
    """Its error is the call's, says whose it is and has the callee's error behind it; nothing is counted."""
    breaker = breaker_at(clock, failure_if=lambda answer: answer.status >= 500)
    lost = ConnectionError("real trouble")
    with pytest.raises(AttributeError) as caught:
        breaker.call(raising(lost))
    assert caught.value.__context__ is lost
    assert caught.value.__notes__ == ["failure_if of circuit breaker 'payments' raised this"]
    with pytest.raises(AttributeError):
        breaker.call(lambda: 5)
    assert (breaker.stats().calls, breaker.stats().ignored) == (0, 2)


def test_a_predicate_that_raises_gives_a_probes_place_back(clock: ManualClock) -> None:
    """Neither a decorated call nor a permit loses its place by a fault of the predicate."""
    broken: list[Any] = []

    def predicate(answer: Any) -> bool:
        if broken:
            raise RuntimeError("predicate")
        return isinstance(answer, Exception)

    breaker, probe = probing(clock, failure_if=predicate)
    broken.append(True)
    with pytest.raises(RuntimeError, match=r"^predicate"):
        probe.result(1)
    probe = breaker.enter()
    with pytest.raises(RuntimeError, match=r"^predicate"):
        probe.error(OSError())
    with pytest.raises(RuntimeError, match=r"^predicate"):
        breaker.call(lambda: 1)
    broken.clear()
    assert breaker.call(lambda: 1) == 1
    assert breaker.state == "closed"


def test_a_predicate_that_raises_the_error_again_makes_no_circle(clock: ManualClock) -> None:
    """Raising what it was given is the same error, not an error behind itself."""

    def predicate(error: Any) -> bool:
        raise error

    lost = ConnectionError()
    with pytest.raises(ConnectionError) as caught:
        breaker_at(clock, failure_if=predicate).call(raising(lost))
    assert caught.value is lost
    assert lost.__context__ is None


def test_a_refusal_of_an_inner_guard_is_nobodys_failure(clock: ManualClock) -> None:
    """Who refuses between breaker and callee does not open the breaker; the error says the way it came."""
    outer, inner = breaker_at(clock), CircuitBreaker("inner", clock=clock)
    inner.force_open()
    guarded = protect(lambda: None, (outer, inner), outer)
    for _ in range(3):
        with pytest.raises(CircuitOpen) as caught:
            guarded()
        assert caught.value.policy == "inner"
        assert caught.value.__notes__ == ["through CircuitBreaker 'payments' > CircuitBreaker 'inner'"]
    assert (outer.state, outer.stats().ignored) == ("closed", 3)


def test_a_failing_call_carries_the_way_it_came(clock: ManualClock) -> None:
    """The callee's own error has one note of the policies it passed."""
    outer, inner = breaker_at(clock), CircuitBreaker("inner", clock=clock)
    guarded = protect(raising(OSError("disk")), (outer, inner), outer)
    with pytest.raises(OSError, match=r"^disk") as caught:
        guarded()
    assert caught.value.__notes__ == ["through CircuitBreaker 'payments' > CircuitBreaker 'inner'"]
    assert (outer.stats().failures, inner.stats().failures) == (1, 1)
