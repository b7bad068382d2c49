"""What guards raise arrives whole from another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.clock import ManualClock
from seawall.guard import Custom, Pipeline, Policy


class Sheds(Witness):
    """Refuses by a kind of its own, for a reason."""

    def before(self) -> str:
        cause = LookupError("no capacity")
        raise sw.Shed("too busy", retry_after=2.0, policy="shedder", key=("tenant", 7), state="busy") from cause


def full() -> Policy:
    """No place."""
    bulkhead = sw.Bulkhead(1, name="places")
    bulkhead.acquire()
    return bulkhead


def opened() -> Policy:
    """An open breaker."""
    breaker = sw.CircuitBreaker("bank", open_for=30, consecutive=1, clock=ManualClock())
    breaker.enter().failure()
    return breaker


def used_up() -> Policy:
    """No token for a minute."""
    limit = sw.TokenBucket(1, per=60, burst=1, name="slow")
    limit.acquire()
    return limit


def late() -> None:
    """Comes too late."""
    CLOCK.advance(2)


CLOCK = ManualClock()
REFUSALS: dict[str, tuple[Callable[[], Any], type[Exception], dict[str, Any]]] = {
    "limit": (used_up, sw.RateLimited, {"policy": "slow", "state": "deadline"}),
    "breaker": (opened, sw.CircuitOpen, {"policy": "bank", "retry_after": 30.0, "state": "open"}),
    "bulkhead": (full, sw.BulkheadFull, {"policy": "places", "state": "full"}),
    "timeout": (lambda: sw.Timeout(1, name="slow", clock=CLOCK), sw.TimeoutExceeded, {"policy": "slow", "after": 1.0}),
    "deadline": (lambda: sw.Timeout(9, name="outer"), sw.DeadlineExceeded, {"policy": "outer", "state": "passed"}),
    "hooks": (lambda: Custom(Sheds()), sw.Shed, {"key": ("tenant", 7), "retry_after": 2.0, "state": "busy"}),
}


def refuse(kind: str) -> None:
    """Run in another process: a call that is refused."""
    seconds = 0 if kind == "deadline" else 5
    with sw.Deadline(seconds):
        Pipeline(Custom(Witness(), name="outer"), REFUSALS[kind][0]()).call(late)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """One other process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as made:
        yield made


def raised(pool: ProcessPoolExecutor, kind: str) -> Any:
    """The refusal as it arrives here."""
    return pool.submit(refuse, kind).exception()


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_arrives_with_all_it_says(kind: str, pool: ProcessPoolExecutor) -> None:
    """Type, message, fields and the note of its pipeline; the remote traceback is its cause."""
    _, kind_of_error, fields = REFUSALS[kind]
    error = raised(pool, kind)
    assert type(error) is kind_of_error
    assert {name: getattr(error, name) for name in fields} == fields
    assert [note for note in error.__notes__ if note.startswith("through Custom 'outer' > ")]
    assert type(error.__cause__).__name__ == "_RemoteTraceback"


def test_a_refusal_s_cause_arrives_behind_the_remote_traceback(pool: ProcessPoolExecutor) -> None:
    """`raise ... from` is not lost on the way."""
    error = raised(pool, "hooks")
    assert repr(error.__cause__.__cause__) == "LookupError('no capacity')"


KINDS = {
    kind.__name__: kind
    for kind in (sw.Rejected, sw.RateLimited, sw.CircuitOpen, sw.BulkheadFull, sw.Shed, sw.DeadlineExceeded,
                 sw.RetryBudgetExhausted)
}  # fmt: skip


def reject(name: str) -> None:
    """Run in another process: a refusal with everything."""
    error = KINDS[name]("no", retry_after=1.5, policy="p", key="k", state="s")
    error.add_note("a note")
    raise error from ValueError("why")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_refusal_crosses_a_pool(name: str, pool: ProcessPoolExecutor) -> None:
    """With fields, notes and cause."""
    error: Any = pool.submit(reject, name).exception()
    assert type(error) is KINDS[name]
    assert (str(error), error.retry_after, error.policy, error.key, error.state) == ("no", 1.5, "p", "k", "s")
    assert error.__notes__ == ["a note"]
    assert repr(error.__cause__.__cause__) == "ValueError('why')"
