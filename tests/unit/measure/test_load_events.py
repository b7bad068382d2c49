"""What is noted while a run is under way, and runs that end early."""

from __future__ import annotations

import asyncio

import pytest

from seawall.errors import ConfigError
from seawall.measure.load import Constant, LoadTest
from seawall.patterns import Signal
from seawall.testing import run


async def quick() -> None:
    """Return at once."""


def test_checkpoints_have_the_totals_of_their_moment() -> None:
    """A named moment after half of the run has half of the requests."""

    async def main() -> None:
        test = LoadTest(quick, Constant(10), duration=2)
        loop = asyncio.get_running_loop()
        loop.call_later(1.002, test.checkpoint, "deployed", "version 2")
        result = await test.run_async()
        (note,) = result.notes
        assert (note.name, note.kind, note.text, note.sent, note.completed) == (
            "deployed",
            "checkpoint",
            "version 2",
            10,
            10,
        )
        assert note.at == pytest.approx(1, abs=1e-6)
        test.checkpoint("too late")
        assert len(result.notes) == 1

    run(main())


def test_watched_signals_are_notes() -> None:
    """Each event of a guard is a note while a run is under way, and of no other time."""

    class Guard:
        def __init__(self) -> None:
            self.changed: Signal[str] = Signal("changed", str)

        @property
        def broken(self) -> int:
            raise RuntimeError("a property that must not end a watch")

    guard = Guard()

    async def target() -> None:
        guard.changed.send("open")

    test = LoadTest(target, Constant(3), duration=1)
    test.watch(guard)
    test.watch(guard.changed)
    guard.changed.send("before")
    result = run(test.run_async())
    guard.changed.send("after")
    assert [(note.name, note.kind, note.text) for note in result.notes] == [("changed", "event", "open")] * 3


def test_notes_are_bounded_and_what_is_more_is_counted() -> None:
    """A guard that refuses every call fills no memory."""
    refused: Signal[str] = Signal("refused", str)

    async def target() -> None:
        refused.send("x" * 1000)

    test = LoadTest(target, Constant(100), duration=15)
    test.watch(refused)
    result = run(test.run_async())
    assert len(result.notes) == 1001
    assert max(len(note.text) for note in result.notes) == 200
    assert (result.notes[-1].name, result.notes[-1].text) == ("notes left out", "500 more than are kept")


def test_bad_notes() -> None:
    """What names nothing, and what has no signals, is refused."""
    test = LoadTest(quick, Constant(1), duration=1)
    for made, message in (
        (lambda: test.checkpoint(""), "a checkpoint must have a name, got ''; for example 'deployed'"),
        (
            lambda: test.checkpoint("a", 5),  # type: ignore[arg-type]
            "text of a checkpoint must be a text, got 5; for example 'version 2'",
        ),
        (lambda: test.watch(5), "watch needs signals or objects that have some, got 5; for example a CircuitBreaker"),
    ):
        with pytest.raises(ConfigError) as caught:
            made()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("threshold", "at_most"), [("p99<50ms", 3), ("mean<10ms", 12), ("max<50ms", 1), ("errors<5", 2), ("errors<=1%", 3)]
)
def test_abort_ends_a_run_that_cannot_keep_its_threshold(threshold: str, at_most: float) -> None:
    """Of 10,000 requests of 100 ms that all fail, a few are enough to know; the result says which limit was lost."""

    async def target() -> None:
        await asyncio.sleep(0.1)
        raise ValueError

    test = LoadTest(target, Constant(100), duration=100, warmup=1, thresholds=[threshold], abort=True)
    result = run(test.run_async())
    assert (result.aborted, result.interrupted, result.passed) == (threshold, True, False)
    assert result.duration < at_most


def test_abort_never_ends_a_run_that_may_recover() -> None:
    """Fewer slow requests than the percentile allows are no reason, however early they come."""
    calls = 0

    async def target() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.5 if calls <= 10 else 0.001)

    test = LoadTest(target, Constant(10), duration=100, thresholds=["p99<100ms", "mean<7ms"], abort=True)
    result = run(test.run_async())
    assert (result.aborted, result.completed, result.passed) == (None, 1000, True)
