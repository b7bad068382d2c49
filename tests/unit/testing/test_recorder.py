"""Recording decisions, and giving them again."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import seawall as sw
from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.guard.retry import Recovered, Retrying
from seawall.patterns import Signal
from seawall.testing import Record, Recorder, replay


def fail() -> None:
    """A callee that is worth another attempt."""
    raise TimeoutError


def limited(recorder: Recorder) -> Any:
    """A recorded limit of two at once, and no time passes."""
    return recorder.recording(sw.TokenBucket(1, burst=2, clock=ManualClock(5), name="api"))


def test_calls_are_recorded_with_what_came_of_them() -> None:
    """Admitted and returned, admitted and failed, refused."""
    recorder = Recorder()
    guard = recorder.recording(sw.Retry(1, name="one", clock=ManualClock(5)))
    boom = KeyError("boom")

    @guard
    def work(error: Exception | None) -> str:
        if error is not None:
            raise error
        return "done"

    assert work(None) == "done"
    with pytest.raises(KeyError):
        work(boom)
    assert recorder.records == (Record("one", 5, "call", True, 1), Record("one", 5, "call", True, 1, boom))


def test_a_refusal_is_recorded_as_one_that_never_reached_the_callee() -> None:
    """Attempts says how often the callee was called."""
    recorder = Recorder()
    refusal = sw.RateLimited("full", retry_after=1.0)
    guard = recorder.recording(replay([refusal], name="limit"))
    with pytest.raises(sw.RateLimited):
        guard.call(lambda: None)
    record = recorder.records[0]
    assert (record.admitted, record.attempts, record.error) == (False, 0, refusal)


async def test_every_kind_of_function_is_recorded() -> None:
    """Coroutine functions, generators and async generators, with the attempts of a retry and its signals."""
    recorder = Recorder()
    policy = sw.Retry(3, backoff=0, name="r", clock=ManualClock())
    guard, fails = recorder.recording(policy), [TimeoutError("t")]

    @guard
    async def awaited() -> str:
        if fails:
            raise fails.pop()
        return "done"

    @guard
    def items() -> Iterator[int]:
        yield from (1, 2)

    @guard
    async def async_items() -> AsyncIterator[int]:
        yield 1

    assert (await awaited(), list(items()), [item async for item in async_items()]) == ("done", [1, 2], [1])
    retrying, recovered, *calls = recorder.records
    assert isinstance(retrying.answer, Retrying)
    assert (recovered.what, recovered.answer) == ("recovered", Recovered("r", 2, 0))
    assert [(call.what, call.admitted, call.attempts) for call in calls] == [
        ("call", True, 2),
        ("call", True, 1),
        ("call", True, 1),
    ]
    assert awaited.__name__ == "awaited"


async def test_answers_of_decision_methods_are_recorded_and_others_pass_through() -> None:
    """try_acquire, check and acquire are decisions; stats is none."""
    recorder = Recorder()
    limit = limited(recorder)
    assert limit.try_acquire()
    await limit.acquire_async()
    decision = limit.check()
    with pytest.raises(sw.RateLimited):
        limit.acquire(timeout=0)
    assert limit.stats().admitted == 2
    assert [(record.what, record.admitted) for record in recorder.records] == [
        ("try_acquire", True),
        ("acquire_async", True),
        ("check", False),
        ("acquire", False),
    ]
    assert recorder.records[2].answer == decision


def test_signals_are_found_wherever_a_policy_keeps_them() -> None:
    """In slots, in its dictionary, and in the policies of a pipeline; properties are not looked at."""

    class Plain:
        name = "plain"

        def __init__(self) -> None:
            self.opened = Signal("plain.opened", str)

        @property
        def costly(self) -> str:
            raise AssertionError("looked at")

    class Pipeline:
        policies = (Plain(), sw.Retry(2, backoff=0))

    recorder, pipeline = Recorder(), Pipeline()
    recorder.listen(pipeline)
    plain, retry = pipeline.policies
    plain.opened.send("door")  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):
        retry.call(fail)  # type: ignore[attr-defined]
    assert [(record.policy, record.what) for record in recorder.records] == [
        ("plain", "opened"),
        ("retry", "retrying"),
        ("retry", "gave_up"),
    ]
    assert recorder.records[0].answer == "door"
    recorder.note(pipeline, "call")
    assert recorder.records[-1].at > 0  # of the retry's clock


def test_a_recorder_keeps_the_last_records_and_counts_the_others() -> None:
    """A forgotten recorder does not fill memory."""
    recorder = Recorder(most=3)
    limit = limited(recorder)
    for _ in range(5):
        limit.try_acquire()
    assert [record.admitted for record in recorder.records] == [False] * 3
    assert recorder.dropped == 2
    recorder.clear()
    assert (recorder.records, recorder.dropped) == ((), 0)


def test_what_was_recorded_can_be_replayed() -> None:
    """The replay decides as the limit did, without a clock or a limit."""
    recorder = Recorder()
    limit = limited(recorder)
    recorded = [limit.try_acquire() for _ in range(4)]
    again = replay(recorder.records)
    assert [again.try_acquire() for _ in range(4)] == recorded == [True, True, False, False]
    assert again.stats() == {"given": 4, "left": 0}


def test_records_survive_pickling() -> None:
    """Decisions recorded in one process are replayed in another."""
    recorder = Recorder()
    limit = limited(recorder)
    for _ in range(3):
        limit.check()
    again = replay(pickle.loads(pickle.dumps(recorder.records)))
    assert [again.check().admitted for _ in range(3)] == [True, True, False]
    assert pickle.loads(pickle.dumps(recorder.records))[2].answer.retry_after == 1.0


def test_a_replay_is_a_policy_like_any_other() -> None:
    """It decorates functions and coroutine functions and refuses with the very error it was given."""
    refusal = sw.CircuitOpen("open", retry_after=2.0)
    policy = replay([True, refusal, False, True], name="stub")
    guarded = policy(lambda: "called")
    assert guarded() == "called"
    with pytest.raises(sw.CircuitOpen) as caught:
        guarded()
    assert caught.value is refusal
    with pytest.raises(sw.Rejected) as plain:
        guarded()
    assert (str(plain.value), plain.value.policy) == ("stub refuses, as recorded", "stub")

    async def work() -> str:
        return "awaited"

    assert asyncio.run(policy.call_async(work)) == "awaited"
    assert repr(policy) == "<Replay 'stub': 4 given, 0 left>"


def test_after_the_last_decision_a_replay_does_as_it_was_told() -> None:
    """By default more questions than records are an error; it can also admit, or begin again."""
    ended = replay([True])
    ended.try_acquire()
    with pytest.raises(LookupError) as caught:
        ended.try_acquire()
    assert str(caught.value) == (
        "replay has 1 recorded decisions, number 2 was asked for; record more, or give then='admit' or 'repeat'"
    )
    admitting, repeating = replay([False], then="admit"), replay([True, False], then="repeat")
    assert [admitting.try_acquire() for _ in range(3)] == [False, True, True]
    assert [repeating.try_acquire() for _ in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replay(["yes"]), "a decision is a Record, True, False or an exception, got 'yes'"),  # type: ignore[list-item]
        (lambda: replay([], then="repeat"), "there is no decision to repeat"),
        (
            lambda: replay([], then="again"),  # type: ignore[arg-type]
            "then must be 'error', 'admit' or 'repeat', got 'again'",
        ),
        (lambda: Recorder(most=0), "most must be a whole number, at least 1, got 0"),
    ],
)
def test_what_can_never_work_is_refused(make: Any, message: str) -> None:
    """The message says what was wrong, the value, the range and the way out."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message
