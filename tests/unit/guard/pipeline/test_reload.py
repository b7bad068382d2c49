"""Following another configuration while calls run."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest
from tests.unit.guard.witness import Witness

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard import Custom, Pipeline
from seawall.guard.breaker import Calls


def config(*policies: dict[str, Any]) -> dict[str, Any]:
    """A configuration of these policies."""
    return {"name": "calls", "policies": list(policies)}


def table(kind: str, **options: Any) -> dict[str, Any]:
    """One policy of it."""
    return {"type": kind, **options}


ALL = config(
    table("retry", attempts=2, budget={"kind": "retry_budget", "min_per_second": 0, "ratio": 0.5}),
    table("circuit_breaker", failure_ratio=0.5),
    table("token_bucket", rate=10, per=60),
    table("bulkhead", max_concurrent=2, max_queue=3, max_wait=1.0),
    table("timeout", seconds=5),
)


def changed(**options: dict[str, Any]) -> dict[str, Any]:
    """`ALL` with options of some types given otherwise; None takes one out."""
    listed = []
    for entry in ALL["policies"]:
        merged = {**entry, **options.get(entry["type"], {})}
        listed.append({name: value for name, value in merged.items() if value is not None})
    return config(*listed)


def test_policies_keep_their_state_and_take_the_new_options() -> None:
    """Counts, tokens spent, subscribers and the budget's balance outlive a reload; lines say what changed."""
    guard = Pipeline.from_dict(ALL)
    guarded = guard(lambda: 7)
    assert [guarded() for _ in range(4)] == [7] * 4
    before, balance = guard.policies, guard["retry"]._options.budget.balance
    said = guard.reload(
        changed(
            retry={"attempts": 5, "budget": {"kind": "retry_budget", "min_per_second": 0, "ratio": 0.25}},
            circuit_breaker={"failure_ratio": 0.9, "window": {"kind": "calls", "count": 50}},
            token_bucket={"rate": 20},
            bulkhead={"max_concurrent": 8, "max_queue": None, "max_wait": None},
            timeout={"seconds": 9, "shadow": True},
        )
    )
    assert said == (
        "Retry 'retry' follows",
        "CircuitBreaker 'circuit_breaker' follows",
        "TokenBucket 'token_bucket' follows",
        "Bulkhead 'bulkhead' follows",
        "Timeout 'timeout' follows",
    )
    assert guard.policies == before
    assert (balance, guard["retry"]._options.budget.balance) == (
        2,
        1,
    )  # four calls have paid, a quarter each from now on
    assert (guard["retry"].stats().attempts, guard["retry"]._rules.attempts) == (4, 5)
    assert (guard["circuit_breaker"].options.window, guard["circuit_breaker"].stats().successes) == (Calls(50), 4)
    assert (guard["token_bucket"].limit, guard["token_bucket"].peek().remaining) == (20, 16)
    assert guard["bulkhead"].stats()[1:3] == (8, 0)
    assert (guard["timeout"].seconds, guard["timeout"].shadow) == (9, True)
    assert guarded() == 7


def test_nothing_changes_when_nothing_is_different() -> None:
    """The same configuration again says nothing and tells nobody."""
    guard = Pipeline.from_dict(ALL)
    assert guard.reload(ALL) == ()
    assert guard.reload(changed(timeout={"seconds": 6})) == ("Timeout 'timeout' follows",)
    assert guard.reload(ALL) == ("Timeout 'timeout' follows",)


def test_policies_come_and_go_and_change_places() -> None:
    """In the order of the new configuration; functions decorated before see it with their next call."""
    guard = Pipeline.from_dict(config(table("retry"), table("timeout", seconds=1)))
    guarded = guard(lambda: 7)
    timeout = guard["timeout"]
    said = guard.reload(config(table("timeout", seconds=1), table("token_bucket", rate=1), table("stale", ttl=1)))
    assert said == ("TokenBucket 'token_bucket' is new", "Fallback 'stale' is new", "Retry 'retry' is gone")
    assert [policy.name for policy in guard] == ["timeout", "token_bucket", "stale"]
    assert guard["timeout"] is timeout
    assert guarded() == 7
    assert guard["token_bucket"].stats().admitted == 1


def test_what_is_said_once_makes_another_policy() -> None:
    """Another clock is another limit; a fallback's answers are part of it."""
    clock = ManualClock()
    guard = Pipeline.from_dict(config(table("token_bucket", rate=1), table("fallback", value=1)))
    before = guard.policies
    said = guard.reload(config(table("token_bucket", rate=1, clock=clock), table("fallback", value=2)))
    assert said == ("TokenBucket 'token_bucket' is replaced", "Fallback 'fallback' is replaced")
    assert guard.policies[0] is not before[0]
    assert guard.policies[0].clock is clock


def test_a_limit_that_becomes_shared_is_replaced(segment_name: str) -> None:
    """A private limit cannot become one of all workers by following."""
    guard = Pipeline.from_dict(config(table("token_bucket", rate=1)))
    said = guard.reload(config(table("token_bucket", rate=1, shared=segment_name)))
    assert said == ("TokenBucket 'token_bucket' is replaced",)
    assert guard["token_bucket"].segment is not None


def test_a_pipeline_written_in_code_follows_too() -> None:
    """Its policies are known by type and name, and are told all options."""
    limit = sw.TokenBucket(1, per=60, name="slow")
    guard = Pipeline(limit, Custom(Witness()), name="calls")
    limit.acquire()
    assert guard.reload(config(table("token_bucket", name="slow", rate=5, per=60))) == (
        "Custom 'Witness' is gone",
        "TokenBucket 'slow' follows",
    )
    assert (limit.limit, limit.peek().remaining) == (5, 4)


BAD: list[tuple[dict[str, Any], str]] = [
    (changed(timeout={"seconds": -1}), "policies[5] (timeout): seconds must be above 0 to 31536000 s, got -1; "
     "time for each call; a call without a bound needs no Timeout"),
    (changed(timeout={"second": 1}), "policies[5] (timeout): got an unexpected keyword argument 'second'; options are: "
     "seconds, thread, max_abandoned, name, clock, shadow, enforce"),
    (changed(timeout={"thread": True}), "a policy that runs calls in threads cannot be added, moved, replaced or taken "
     "away by a reload; make another pipeline"),
    ({**ALL, "name": "others"}, "pipeline calls cannot follow the configuration of 'others'"),
    (config(*(table("token_bucket", name=f"t{i}", rate=1) for i in range(9))),
     "a pipeline has 1 to 8 policies, got 9; guard a guarded function for more"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_a_bad_configuration_changes_nothing(bad: dict[str, Any], message: str) -> None:
    """The earlier policies of it have not followed either."""
    guard = Pipeline.from_dict(ALL)
    bad = copy.deepcopy(bad)
    if len(bad["policies"]) == len(ALL["policies"]):
        bad["policies"][0] = {**bad["policies"][0], "attempts": 9}
        bad["policies"][2] = {**bad["policies"][2], "rate": 99, "shadow": True}
    before, looks = guard.policies, guard.describe()
    with pytest.raises(ConfigError) as caught:
        guard.reload(bad)
    assert str(caught.value) == message
    assert (guard.policies, guard.describe()) == (before, looks)
    assert (guard["token_bucket"].shadow, guard["token_bucket"].enforce) == (False, 1.0)
    assert guard.reload(ALL) == ()


def test_who_had_followed_has_its_options_back() -> None:
    """A log that has no room for its new limit is found only in following: all before it are as they were."""
    start = config(
        table("retry", attempts=2),
        table("circuit_breaker", failure_ratio=0.5),
        table("token_bucket", rate=10),
        table("bulkhead", max_concurrent=2),
        table("timeout", seconds=5),
        table("sliding_log", limit=100, window=60),
    )
    guard = Pipeline.from_dict(start)
    before = guard.describe()
    with pytest.raises(ConfigError) as caught:
        guard.reload(
            config(
                table("retry", attempts=3, enforce=0.5),
                table("circuit_breaker", failure_ratio=0.7),
                table("token_bucket", rate=20),
                table("bulkhead", max_concurrent=3),
                table("timeout", seconds=6, shadow=True),
                table("sliding_log", limit=100_000, window=60),
            )
        )
    assert str(caught.value).startswith("policies[6] (sliding_log): ")
    assert guard.describe() == before
    assert guard["circuit_breaker"].options.failure_ratio == 0.5
    assert (guard["retry"].enforce, guard["timeout"].shadow) == (1.0, False)


def test_two_policies_of_one_name_cannot_be_told_apart() -> None:
    """A pipeline written in code may have them; a reload says so."""
    guard = Pipeline(sw.TokenBucket(1), sw.TokenBucket(2), name="calls")
    with pytest.raises(ConfigError) as caught:
        guard.reload(config(table("token_bucket", rate=1)))
    assert str(caught.value) == (
        "pipeline calls has two policies TokenBucket 'token_bucket' and cannot tell which one is meant; "
        "give each a name"
    )


def test_a_timeout_in_threads_stays_where_it_is() -> None:
    """It is around the callee since decoration: following is possible, replacing it is not."""
    start = config(table("timeout", seconds=5, thread=True), table("retry"))
    guard = Pipeline.from_dict(start)
    guarded = guard(threading.get_ident)
    assert guard.reload(config(table("timeout", seconds=6, thread=True), table("retry"))) == (
        "Timeout 'timeout' follows",
    )
    assert guarded() != threading.get_ident()
    with pytest.raises(ConfigError, match=r"^a policy that runs calls in threads cannot be added, moved"):
        guard.reload(config(table("retry")))


def test_reloads_while_threads_call_lose_nothing() -> None:
    """Four threads call while two reload: every call is answered, no permit is lost, counts add up."""
    small, large = (
        changed(),
        changed(bulkhead={"max_concurrent": 64}, timeout={"seconds": 9}, token_bucket={"rate": 1e6}),
    )
    small["policies"][2] = large["policies"][2] = table("token_bucket", rate=1e6)
    third = config(*reversed(large["policies"]))
    small["policies"][3] = table("bulkhead", max_concurrent=16)
    guard = Pipeline.from_dict(small)
    guarded = guard(lambda n: n)
    start, failures = threading.Barrier(6), list[BaseException]()
    calling = threading.Event()

    def call() -> None:
        start.wait()
        try:
            assert [guarded(n) for n in range(2000)] == list(range(2000))
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    def change() -> None:
        start.wait()
        try:
            while not calling.is_set():
                for one in (large, third, small):
                    guard.reload(one)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    callers, changers = ([threading.Thread(target=do) for _ in range(n)] for do, n in ((call, 4), (change, 2)))
    for thread in (*callers, *changers):
        thread.start()
    for thread in callers:
        thread.join()
    calling.set()
    for thread in changers:
        thread.join()
    assert failures == []
    assert guard["bulkhead"].stats().in_flight == 0
    assert guard["bulkhead"].stats().admitted == 8000
    assert guard["token_bucket"].stats().admitted == 8000
    assert guard["circuit_breaker"].stats().successes == 8000
    assert guard["retry"].stats().attempts == 8000


def test_a_call_under_way_ends_as_it_began() -> None:
    """What it entered is left, though the pipeline has other policies by then."""
    guard = Pipeline.from_dict(config(table("bulkhead", max_concurrent=1)))
    bulkhead = guard["bulkhead"]

    def callee() -> int:
        guard.reload(config(table("timeout", seconds=1)))
        return int(bulkhead.stats().in_flight)

    assert guard.call(callee) == 1
    assert bulkhead.stats().in_flight == 0
    assert [policy.name for policy in guard] == ["timeout"]
