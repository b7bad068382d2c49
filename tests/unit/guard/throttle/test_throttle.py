"""A client's throttle: what counts, when it holds back, and by how much."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from tests.unit.guard.witness import Refuses

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import Throttled
from seawall.guard.throttle import ClassStats, Criticality, Held, ThrottleStats


class Fixed(Random):
    """Chance that is always the same."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        """That value."""
        return self.value


def refuse() -> None:
    """What an overloaded service says."""
    raise sw.RateLimited("too many", retry_after=1.0)


def load(throttle: Any, accepted: int, refused: int) -> None:
    """So many answers of each sort, whatever the throttle says of them."""
    for _ in range(accepted):
        throttle.call(int)
    for _ in range(refused):
        with pytest.raises(sw.Rejected):
            throttle.call(refuse)


def made(clock: ManualClock, draw: float = 1.0, **options: Any) -> Any:
    """A throttle that holds back only when the chance is above `draw`."""
    return sw.Throttle(clock=clock, seed=Fixed(draw), **options)


def test_nothing_is_held_back_while_half_is_accepted() -> None:
    """With k = 2 the chance is zero until accepts are less than half of the requests; then it follows the formula."""
    clock = ManualClock()
    throttle = made(clock)
    load(throttle, 50, 50)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(100, 50, 0.0)
    load(throttle, 0, 99)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(199, 50, (199 - 2 * 50) / 200)


def test_a_call_held_back_is_refused_with_reason_and_time() -> None:
    """The service is not asked; the refusal counts as a request, is told, and pickles."""
    clock = ManualClock(1000)
    throttle = made(clock, 0.4999, name="search")
    held: list[Held] = []
    throttle.held.connect(held.append)
    load(throttle, 0, 1)
    clock.advance(1)
    asked: list[int] = []
    with pytest.raises(Throttled) as caught:
        throttle.call(asked.append, 1)
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == "search holds back 50% of critical calls, as the service refuses too many"
    assert (error.retry_after, error.policy, error.state) == (4.0, "search", "critical")
    assert asked == []
    assert held == [Held("search", Criticality.critical, 0.5, 4.0)]
    found = throttle.stats()
    assert (found.passed, found.rejected, found.refused) == (1, 1, 1)
    assert found.classes[Criticality.critical] == ClassStats(2, 0, 2 / 3)


def test_a_draw_at_the_chance_passes() -> None:
    """Held back is who draws below the chance."""
    throttle = made(ManualClock(), 0.5)
    load(throttle, 0, 1)
    assert throttle.call(int) == 0


def test_what_happened_is_forgotten_after_the_window() -> None:
    """Step by step, as 24 buckets pass; two minutes later nothing is left."""
    clock = ManualClock()
    throttle = made(clock)
    load(throttle, 0, 10)
    clock.advance(60)
    load(throttle, 0, 5)
    clock.advance(59)
    assert throttle.stats().classes[Criticality.critical].requests == 15
    clock.advance(1)
    assert throttle.stats().classes[Criticality.critical].requests == 5
    clock.advance(60)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(0, 0, 0.0)
    load(throttle, 1, 0)
    clock.advance(100_000)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(0, 0, 0.0)


def test_what_matters_less_is_held_back_sooner() -> None:
    """The same answers, judged by a k of each criticality."""
    throttle = made(ManualClock(), k=2)
    for one in Criticality:
        with one.applied():
            load(throttle, 50, 49)
    chances = {one.name: found.chance for one, found in throttle.stats().classes.items()}
    assert chances == {
        "sheddable": pytest.approx((99 - 1.1 * 50) / 100),
        "sheddable_plus": pytest.approx((99 - 1.5 * 50) / 100),
        "critical": 0.0,
        "critical_plus": 0.0,
    }


def test_each_criticality_is_judged_by_its_own_calls() -> None:
    """A service that refuses only the least ones is asked all the others."""
    throttle = made(ManualClock(), 0.0)
    with Criticality.sheddable.applied(), pytest.raises(sw.RateLimited):
        throttle.call(refuse)
    assert throttle.call(int) == 0
    with Criticality.sheddable.applied(), pytest.raises(Throttled):
        throttle.call(int)


async def test_criticality_is_that_of_the_task_or_of_the_throttle() -> None:
    """It is inherited by tasks; an option fixes it for all calls."""
    assert Criticality.current() is Criticality.critical
    throttle, fixed = made(ManualClock()), made(ManualClock(), criticality="sheddable_plus")

    async def work() -> Criticality:
        return Criticality.current()

    with Criticality.critical_plus.applied():
        seen = await asyncio.create_task(throttle.call_async(work))
        await fixed.call_async(work)
    assert seen is Criticality.critical_plus
    assert throttle.stats().classes[Criticality.critical_plus].requests == 1
    assert fixed.stats().classes[Criticality.sheddable_plus].requests == 1


@pytest.mark.parametrize(
    ("error", "rejected"),
    [
        (sw.RateLimited("429"), True),
        (ConnectionRefusedError("nobody listens"), True),
        (ValueError("nonsense"), False),
        (TimeoutError("late"), False),
    ],
)
def test_what_counts_as_refused_by_the_service(error: Exception, rejected: bool) -> None:
    """What classification calls rate_limited or unavailable; any other error was accepted and failed."""
    throttle = made(ManualClock())

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        throttle.call(fail)
    assert throttle.stats().classes[Criticality.critical][:2] == (1, 0 if rejected else 1)


def test_a_predicate_may_say_what_counts() -> None:
    """Of results and exceptions; an error of its own is the call's."""
    throttle = made(ManualClock(), rejected_if=lambda outcome: {429: True, 200: False}[outcome])
    assert [throttle.call(int, status) for status in (429, 200, 429)] == [429, 200, 429]
    assert throttle.stats().classes[Criticality.critical][:2] == (3, 1)
    with pytest.raises(KeyError, match=r"^500$"):
        throttle.call(int, 500)


async def test_calls_under_way_cancelled_or_refused_inside_count_neither_way() -> None:
    """Only answers of the service do: many at once at the start are no sign of trouble."""
    clock = ManualClock()
    throttle = made(clock, 0.0)
    gate = asyncio.Event()
    calls = [asyncio.create_task(throttle.call_async(gate.wait)) for _ in range(50)]
    await asyncio.sleep(0)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(0, 0, 0.0)
    for call in calls[:25]:
        call.cancel()
    gate.set()
    await asyncio.gather(*calls, return_exceptions=True)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(25, 25, 0.0)
    with pytest.raises(sw.Rejected, match="not today"):
        sw.Pipeline(throttle, Refuses()).call(int)
    assert throttle.stats().classes[Criticality.critical] == ClassStats(25, 25, 0.0)


def test_in_shadow_calls_are_made_and_counted() -> None:
    """What would have been held back is counted, and its answer counts, so that the window stays true."""
    throttle = made(ManualClock(), 0.0, shadow=True)
    load(throttle, 0, 3)
    load(throttle, 3, 0)
    assert throttle.stats() == ThrottleStats(
        "throttle", 6, 3, 0, throttle.stats().classes, 5, True
    )  # all but the first: the chance was above zero until the sixth was accepted
    assert throttle.stats().classes[Criticality.critical] == ClassStats(6, 3, 0.0)


def test_only_the_enforced_share_is_held_back() -> None:
    """Every second one, by one half."""
    throttle = made(ManualClock(), 0.0, enforce=0.5)
    load(throttle, 0, 21)
    found = throttle.stats()
    assert (found.passed, found.refused, found.let_through) == (11, 10, 10)


def test_generators_are_judged_when_they_end() -> None:
    """By how they ended; one left early counts neither way."""
    throttle = made(ManualClock())

    @throttle
    def items(error: Exception | None) -> Iterator[int]:
        yield 1
        if error:
            raise error

    assert list(items(None)) == [1]
    with pytest.raises(sw.RateLimited):
        list(items(sw.RateLimited("too many")))
    left = items(None)
    next(left)
    left.close()
    assert throttle.stats().classes[Criticality.critical][:2] == (2, 1)


def test_the_same_seed_gives_the_same_refusals() -> None:
    """For tests that are to be repeated."""

    def run(seed: int) -> list[str]:
        throttle = sw.Throttle(seed=seed, clock=ManualClock())
        ends = []
        for _ in range(200):
            try:
                throttle.call(refuse)
            except sw.Rejected as error:
                ends.append(type(error).__name__)
        return ends

    assert run(7) == run(7)
    assert set(run(7)) == {"RateLimited", "Throttled"}
    assert run(7) != run(8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"k": 1},
            "k must be above 1 to 100, or a mapping of criticalities to such numbers, got 1; "
            "calls made for each one accepted; of critical calls, or by class",
        ),
        (
            {"k": {"urgent": 2}},
            "k must be above 1 to 100, or a mapping of criticalities to such numbers, got {'urgent': 2}; "
            "calls made for each one accepted; of critical calls, or by class",
        ),
        (
            {"k": {"sheddable": 5}},
            "k must not fall from sheddable to critical_plus, got "
            "sheddable 5, sheddable_plus 1.5, critical 2, critical_plus 3",
        ),
        (
            {"criticality": "urgent"},
            "criticality must be one of sheddable, sheddable_plus, critical, critical_plus, or None for that of the "
            "caller, got 'urgent'; of all calls; by default the caller's",
        ),
        ({"window": 0.1}, "window must be 0.24 to 86400 s, got 0.1; how far back answers count"),
        (
            {"seed": "x"},
            "seed must be a whole number, a random.Random or None, got 'x'; "
            "makes refusals repeatable; by default the system's chance",
        ),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    """With the value, the range and the way out."""
    with pytest.raises(sw.ConfigError) as caught:
        sw.Throttle(**options)
    assert str(caught.value) == message


def test_configuration_names_it_and_reload_keeps_the_window() -> None:
    """Another k is another judgement of the same answers; another window begins empty."""
    policy = {"type": "throttle", "k": 2, "seed": 1}
    pipeline = sw.Pipeline.from_dict({"policies": [policy]})
    load(pipeline, 9, 0)
    pipeline.reload({"policies": [{**policy, "k": {"critical": 3.0, "sheddable": 1.5}}]})
    assert pipeline["throttle"].stats().classes[Criticality.critical].requests == 9
    pipeline.reload({"policies": [{**policy, "window": 60}]})
    assert pipeline["throttle"].stats().classes[Criticality.critical].requests == 0


def test_it_says_what_it_is_forgets_when_told_and_pickles_without_its_window() -> None:
    """The copy is another throttle with the same options."""
    throttle = sw.Throttle(name="search", k=3.0, seed=1)
    with pytest.raises(sw.RateLimited):
        throttle.call(refuse)
    assert repr(throttle) == (
        "<Throttle 'search': holds back sheddable 0%, sheddable_plus 0%, critical 50%, critical_plus 0%>"
    )
    copy = pickle.loads(pickle.dumps(throttle))
    assert (copy.name, copy.stats().classes[Criticality.critical].requests) == ("search", 0)
    throttle.reset()
    assert throttle.stats().classes[Criticality.critical] == ClassStats(0, 0, 0.0)
