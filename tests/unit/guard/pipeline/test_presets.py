"""What presets contain, and that it behaves as they promise."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

import seawall as sw
from seawall import presets
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard import presets as by_room

PRESETS = {"http": presets.http, "database": presets.database, "llm": presets.llm}


class Status(Exception):
    """An HTTP error as clients raise it."""

    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(status_code)
        self.status_code = status_code
        self.headers = headers or {}


def answering(*outcomes: Any) -> Any:
    """A function with these outcomes."""
    left = iter(outcomes)

    def call() -> Any:
        outcome = next(left)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return call


@pytest.fixture
def clock() -> ManualClock:
    """A clock that jumps when somebody waits."""
    return ManualClock(autojump=True)


def test_presets_are_reached_from_the_face_and_the_room() -> None:
    """`sw.presets` is the module itself."""
    assert sw.presets is presets is by_room


@pytest.mark.parametrize("kind", PRESETS)
def test_parts_can_be_left_out_or_replaced(kind: str, clock: ManualClock) -> None:
    """A number, a policy, or None for each; and names that begin with the preset's."""
    rate, most = {"llm": ("requests_per_minute", "max_concurrent"), "database": ("rate", "pool_size")}.get(
        kind, ("rate", "max_concurrent")
    )
    full = PRESETS[kind](fallback=None, name="x", clock=clock, **{rate: 100})
    assert [p.name for p in full] == ["x.fallback", "x.retry", "x.breaker", "x.rate", "x.bulkhead", "x.timeout"]
    assert all(policy.clock is clock for policy in full)
    own = [sw.Timeout(1, name="mine"), sw.Fallback(7), sw.CircuitBreaker("own")]
    less = PRESETS[kind](attempts=None, timeout=own[0], breaker=own[2], fallback=own[1], **{most: None})
    assert less.policies == (own[1], own[2], own[0])
    with pytest.raises(ConfigError) as caught:
        PRESETS[kind](breaker=3)
    assert str(caught.value) == "breaker must be True, None or a policy, got 3"
    with pytest.raises(ConfigError) as caught:
        PRESETS[kind](name="")
    assert str(caught.value) == "name must be a str of 1 to 100 bytes, got ''"
    with pytest.raises(ConfigError) as caught:
        PRESETS[kind](name="x" * 81)
    assert str(caught.value) == f"name must be a str of 1 to 80 bytes, got {'x' * 81!r}"


@pytest.mark.parametrize("kind", PRESETS)
def test_a_shared_preset_shares_what_workers_can_share(kind: str, segment_name: str) -> None:
    """Breaker, rate and retry budget of all workers; two presets of other names do not meet."""
    rate = {"llm": "requests_per_minute"}.get(kind, "rate")
    first = PRESETS[kind](shared=segment_name, name="a", **{rate: 100})
    second = PRESETS[kind](shared=segment_name, name="a", **{rate: 100})
    other = PRESETS[kind](shared=segment_name, name="b", **{rate: 100})
    first["a.breaker"].force_open()
    assert (second["a.breaker"].state, other["b.breaker"].state) == ("forced_open", "closed")
    assert first["a.rate"].try_acquire()
    assert second["a.rate"].stats().admitted == 1


def test_http_waits_as_long_as_retry_after_asks(clock: ManualClock) -> None:
    """And not for what no repetition makes better."""
    guard = presets.http(clock=clock)
    assert guard.call(answering(Status(503, {"Retry-After": "7"}), "fine")) == "fine"
    assert 7 <= clock.time() <= 9
    with pytest.raises(Status):
        guard.call(answering(Status(404), "never asked"))
    assert guard["http.retry"].stats().retries == 1


def test_http_opens_for_slow_calls(clock: ManualClock) -> None:
    """Twenty calls that succeed after six seconds each open the breaker."""
    guard = presets.http(clock=clock)
    for _ in range(20):
        guard.call(lambda: clock.advance(6))
    assert guard["http.breaker"].state == "open"


def test_http_spends_a_fifth_on_repeats(clock: ManualClock) -> None:
    """A service that fails for everybody is asked a little more often, not three times as often."""
    guard = presets.http(clock=ManualClock(), breaker=None, attempts=sw.Retry(
        3, backoff=0.0, budget=sw.RetryBudget(0.2, min_per_second=0.0, clock=clock), clock=clock))  # fmt: skip
    for _ in range(100):
        with pytest.raises(ConnectionError):
            guard.call(answering(*[ConnectionError()] * 3))
    assert guard["retry"].stats().retries <= 20


class Postgres(Exception):
    """What a driver raises."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class Wrapped(Exception):
    """What SQLAlchemy makes of it."""

    def __init__(self, orig: Exception) -> None:
        super().__init__(str(orig))
        self.orig = orig


def busy() -> Exception:
    """SQLite's error for a locked database."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = 5
    return error


@pytest.mark.parametrize(
    ("error", "by_default", "idempotent"),
    [
        (Postgres("40001"), True, True),
        (Wrapped(Postgres("40P01")), True, True),
        (busy(), True, True),
        (ConnectionRefusedError(), True, True),
        (ConnectionResetError(), False, True),
        (Postgres("40003"), False, False),
        (Postgres("23505"), False, False),
        (TimeoutError(), False, False),
        (sqlite3.IntegrityError("twice"), False, False),
        (TypeError(), False, False),
    ],
)
def test_a_database_repeats_what_surely_had_no_effect(
    error: Exception, by_default: bool, idempotent: bool, clock: ManualClock
) -> None:
    """A lost connection may have committed: only who says `idempotent=True` has it repeated."""
    for flag, repeats in ((False, by_default), (True, idempotent)):
        guard = presets.database(idempotent=flag, clock=clock)
        call = answering(error, "done")
        if repeats:
            assert guard.call(call) == "done"
        else:
            with pytest.raises(type(error)):
                guard.call(call)


def test_a_language_model_that_says_429_is_waited_for(clock: ManualClock) -> None:
    """For as long as it asks; the breaker takes it for a sign of health."""
    guard = presets.llm(clock=clock)
    too_many = [Status(429, {"Retry-After": "20"}) for _ in range(3)]
    assert guard.call(answering(*too_many, "text")) == "text"
    assert clock.time() >= 60
    for _ in range(30):
        with pytest.raises(Status):
            presets.llm(clock=clock, attempts=None, breaker=guard["llm.breaker"]).call(answering(Status(429)))
    assert (guard["llm.breaker"].state, guard["llm.breaker"].stats().failures) == ("closed", 0)
    for _ in range(20):
        with pytest.raises((Status, sw.CircuitOpen)):
            presets.llm(clock=clock, attempts=None, breaker=guard["llm.breaker"]).call(answering(Status(529)))
    assert guard["llm.breaker"].state == "open"


def test_requests_per_minute_come_evenly(clock: ManualClock) -> None:
    """A tenth of them at once, the rest spread over the minute."""
    guard = presets.llm(requests_per_minute=60, clock=clock)
    for _ in range(16):
        guard.call(answering("text"))
    assert clock.time() == 10.0
