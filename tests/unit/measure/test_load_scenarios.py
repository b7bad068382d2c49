"""Several scenarios in one run."""

from __future__ import annotations

import asyncio
import json

import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Constant, GrpcCall, LoadTest, Request, Scenario
from seawall.testing import run


async def quick() -> None:
    """Return at once."""


async def refused() -> None:
    """Never reach anything."""
    raise ConnectionRefusedError("nobody there")


def test_requests_are_dealt_by_weight() -> None:
    """Three to one of a hundred is 75 and 25, each with its own part of the result."""
    result = run(
        LoadTest([Scenario("a", quick, weight=3), Scenario("b", quick)], Constant(100), duration=1).run_async()
    )
    assert [(part.name, part.planned, part.sent, part.completed, part.ended) for part in result.scenarios] == [
        ("a", 75, 75, 75, ""),
        ("b", 25, 25, 25, ""),
    ]
    assert result.planned == result.completed == 100


def test_async_and_plain_callables_run_side_by_side() -> None:
    """Each in its own engine, with the run's counts their sum."""
    calls: list[int] = []
    scenarios = [Scenario("loop", quick), Scenario("threads", lambda: calls.append(1))]
    result = LoadTest(scenarios, Constant(200), duration=0.2).run()
    assert [part.engine for part in result.scenarios] == ["async callable", "callable in threads"]
    assert result.outcomes == {"ok": 40}
    assert len(calls) == 20


def test_a_scenario_that_reaches_nothing_ends_alone() -> None:
    """It is given up after twenty refusals, while the other one does its plan; the result says so everywhere."""
    result = run(LoadTest([Scenario("good", quick), Scenario("gone", refused)], Constant(100), duration=10).run_async())
    good, gone = result.scenarios
    assert (good.planned, good.completed, good.ended) == (500, 500, "")
    assert 20 <= gone.completed == gone.sent == gone.planned < 30
    assert gone.ended == f"none of its first {gone.completed} requests reached the target"
    assert not result.interrupted
    assert not result.unreachable
    assert (result.planned, result.dropped) == (result.sent, 0)
    assert str(result.verdict) == f"a part was not reached: all {gone.completed} requests of 'gone' failed to connect"
    assert json.loads(result.to_json())["scenarios"][1]["ended"] == gone.ended


def test_a_run_of_which_nothing_is_reached_is_interrupted() -> None:
    """Where all scenarios are given up there is no plan that was done."""
    result = run(LoadTest([Scenario("a", refused), Scenario("b", refused)], Constant(100), duration=10).run_async())
    assert (result.interrupted, result.unreachable) == (True, True)
    assert result.duration < 1


def test_a_feed_ends_its_scenario_alone() -> None:
    """The other one goes on, and the run was not interrupted."""

    async def target(row: int) -> None: ...

    scenarios = [Scenario("fed", target, feed=lambda: range(3)), Scenario("other", quick)]
    result = run(LoadTest(scenarios, Constant(10), duration=10).run_async())
    assert [(part.planned, part.sent, part.ended) for part in result.scenarios] == [
        (3, 3, "its feed ended"),
        (50, 50, ""),
    ]
    assert (result.interrupted, result.dropped, result.verdict.valid) == (False, 0, True)


def test_an_error_of_one_ends_all() -> None:
    """The others are stopped and their workers left."""
    left: list[int] = []

    class State:
        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None:
            left.append(1)

    async def target(state: None) -> None: ...

    def broken() -> None:
        raise ZeroDivisionError("no worker")

    scenarios = [Scenario("bad", target, worker=broken), Scenario("good", target, worker=State)]
    with pytest.raises(ZeroDivisionError, match=r"^no worker$"):
        run(LoadTest(scenarios, Constant(10), duration=3600).run_async())
    assert left == [1]


def test_each_scenario_has_its_own_bound() -> None:
    """A slow scenario does not take the places of a quick one."""

    async def slow() -> None:
        await asyncio.sleep(1)

    scenarios = [Scenario("slow", slow, max_concurrency=1), Scenario("quick", quick)]
    result = run(LoadTest(scenarios, Constant(10), duration=1).run_async())
    assert [part.late for part in result.scenarios] == [4, 0]


def test_thresholds_can_be_about_one() -> None:
    """The limit of one scenario is held against its part only."""
    thresholds = ["errors{scenario:gone}<1%", "errors{scenario:good}<1%", "rate{scenario:good}>40/s"]
    scenarios = [Scenario("good", quick), Scenario("gone", refused)]
    result = run(LoadTest(scenarios, Constant(100), duration=1, thresholds=thresholds).run_async())
    assert [one.passed for one in result.thresholds] == [False, True, True]
    with pytest.raises(ConfigError) as caught:
        LoadTest(quick, Constant(1), duration=1, thresholds=["p99{scenario:x}<1s"])
    assert str(caught.value) == (
        "scenario of a threshold must be one of the test's, got 'x' in 'p99{scenario:x}<1s'; there are 'main'"
    )
    with pytest.raises(ConfigError) as caught:
        LoadTest(quick, Constant(1), duration=1, thresholds=["p99{stage:x}<1s"])
    assert str(caught.value) == (
        "threshold can be about a part as {phase:NAME} or {scenario:NAME} after what it measures, "
        "got 'p99{stage:x}<1s'; for example p99{phase:peak}<250ms"
    )


def test_bad_scenarios() -> None:
    """What can never work is refused with the way out."""
    one = Scenario("a", quick)
    call = GrpcCall("127.0.0.1:1", "/a.B/C")
    for made, message in (
        (lambda: LoadTest([], Constant(1), duration=1), "target must be 1 to 64 scenarios, got []"),
        (
            lambda: LoadTest([one, one], Constant(1), duration=1),
            "scenarios must have names of their own, got ['a', 'a']",
        ),
        (
            lambda: LoadTest([one], Constant(1), duration=1, feed=[1]),
            "feed belongs to a scenario where there are scenarios; give it to each",
        ),
        (lambda: Scenario("", quick), "a scenario must have a name, got ''; for example 'checkout'"),
        (
            lambda: Scenario("a", quick, weight=0),
            "weight must be between 1e-06 and 1,000,000 of the whole, got 0; leave out what is never called",
        ),
        (
            lambda: Scenario("a", "http://a/", worker=int),
            "worker goes with a callable, not with GET http://a/; leave it out",
        ),
        (
            lambda: Scenario("a", call, engine="httpx"),
            "engine goes with a URL, not with gRPC 127.0.0.1:1/a.B/C; leave it out",
        ),
        (
            lambda: Scenario("a", call, feed=[b""]),
            "feed goes with a URL or a callable, not with gRPC 127.0.0.1:1/a.B/C; give it a list of messages",
        ),
        (lambda: Scenario("a", quick, check=5), "check must be a callable, got 5"),  # type: ignore[arg-type]
        (
            lambda: Scenario("a", Request("http://a/"), engine="curl"),  # type: ignore[arg-type]
            "engine must be auto, native, aiohttp, httpx, got 'curl'; leave it out for auto",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            made()
        assert str(caught.value) == message
