"""The closed model in an event loop, on a clock of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Closed, LoadTest, Scenario
from seawall.measure.load._closed import split
from seawall.testing import run


class Target:
    """Takes a while, and counts calls under way."""

    def __init__(self, takes: float) -> None:
        self._takes = takes
        self.now = self.most = self.calls = 0

    async def __call__(self) -> None:
        """One call."""
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self._takes)
        finally:
            self.now -= 1


def test_users_ask_again_when_answered() -> None:
    """Five users with answers after 100 ms make fifty requests a second and never more than five at once."""
    target = Target(0.1)
    result = run(LoadTest(target, Closed(5), duration=60).run_async())
    assert (result.model, target.most) == ("closed", 5)
    assert result.sent == result.completed == result.planned == target.calls == 5 * 600
    assert (result.late, result.dropped, result.interrupted) == (0, 0, False)
    assert result.pattern == "closed model: 5 users"
    assert result.schedule_error.count == 0


def test_users_think_between_answer_and_request() -> None:
    """With 0.1 s to answer and 0.9 s to think, a user asks once a second."""
    target = Target(0.1)
    result = run(LoadTest(target, Closed(2, think=0.9), duration=10).run_async())
    assert result.sent == 20
    assert result.pattern == "closed model: 2 users, 0.9 s between answer and next request"


def test_thinking_users_do_not_hold_up_the_end() -> None:
    """A run of a second ends after a second although its users would think for an hour."""
    result = run(LoadTest(Target(0.1), Closed(2, think=3600), duration=1).run_async())
    assert (result.sent, result.interrupted) == (2, False)
    assert result.duration == pytest.approx(1, abs=0.01)


def test_thinking_is_not_under_way() -> None:
    """Progress counts calls, not users."""
    seen: set[int] = set()
    run(LoadTest(Target(0.5), Closed(3, think=2), duration=10).run_async(lambda p: seen.add(p.under_way)))
    assert seen == {0, 3}


def test_timeouts_in_the_closed_model() -> None:
    """A user whose call was cut asks again."""
    result = run(LoadTest(Target(3600), Closed(2), duration=1, timeout=0.5).run_async())
    assert result.outcomes == {"timeout": 4}


def test_a_user_whose_call_was_cut_can_use_timeouts_of_its_own() -> None:
    """The cut leaves no trace in the task: a later cancellation inside of it is still told apart."""
    calls = 0

    async def target() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()
        async with asyncio.timeout(0.1):
            await asyncio.Event().wait()

    result = run(LoadTest(target, Closed(1), duration=1, timeout=0.5).run_async())
    assert result.outcomes == {"timeout": 6}
    assert result.errors == {"timeout": "it took longer than the timeout"}


def test_stop_ends_the_closed_model() -> None:
    """What is under way then was sent and not completed."""

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(1.05, stop.set)
        result = await LoadTest(Target(0.1), Closed(2), duration=3600).run_async(stop=stop)
        assert result.interrupted
        assert (result.sent, result.completed) == (22, 20)

    run(main())


def test_phases_and_warm_up_split_the_closed_model() -> None:
    """Each phase has the requests that began in it; a warm-up is in no total."""
    test = LoadTest(Target(0.1), Closed(1), duration=4, warmup=1, phases={"one": 1, "two": 2})
    result = run(test.run_async())
    assert [(part.name, part.sent) for part in result.phases] == [
        ("warm-up", 10),
        ("one", 10),
        ("two", 20),
        ("rest", 10),
    ]
    assert result.sent == result.planned == 40


def test_scenarios_share_the_users_by_weight() -> None:
    """The number of users is that of the whole run, however many scenarios there are."""
    targets = [Target(0.1), Target(0.1)]
    scenarios = [Scenario("a", targets[0], weight=3), Scenario("b", targets[1])]
    run(LoadTest(scenarios, Closed(4), duration=1).run_async())
    assert [target.most for target in targets] == [3, 1]


def test_users_are_dealt_by_weight_and_one_at_least() -> None:
    """Shares are rounded so that their sum is the number of users."""
    assert split(10, [1, 1]) == [5, 5]
    assert split(10, [98, 1, 1]) == [8, 1, 1]
    assert split(7, [1, 1, 1]) == [3, 2, 2]


def test_options_that_do_not_go_with_the_closed_model() -> None:
    """They are named with the way out."""

    async def target() -> None: ...

    for given, message in (
        (
            {"arrivals": "poisson"},
            "arrivals belongs to the open model, got 'poisson' beside Closed(users=1, think=0.0)",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            LoadTest(target, Closed(1), duration=1, **given)
        assert str(caught.value) == f"{message}; leave it out"
    with pytest.raises(ConfigError) as caught:
        LoadTest([Scenario("a", target), Scenario("b", target)], Closed(1), duration=1)
    assert str(caught.value) == (
        "users must be at least one for each of the 2 scenarios, got 1; for example Closed(20)"
    )
    with pytest.raises(ConfigError) as caught:
        LoadTest([Scenario("a", target, max_concurrency=5)], Closed(1), duration=1)
    assert str(caught.value) == (
        "max_concurrency belongs to the open model, got 5 beside Closed(users=1, think=0.0); leave it out"
    )


def test_a_user_who_swallows_the_end_asks_no_more() -> None:
    """A call that outlives its cancellation is the last one of its user."""
    calls = 0

    async def target() -> None:
        nonlocal calls
        calls += 1
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        result = await LoadTest(target, Closed(2), duration=3600).run_async(stop=stop)
        assert (calls, result.sent) == (2, 2)

    run(main())
