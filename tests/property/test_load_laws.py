"""Laws of load tests: who is dealt what, how much was due, and that nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.measure.load import Answer, Closed, Constant, Feed, Linear, LoadTest, Scenario, Spike, Step, arrival_times
from seawall.measure.load._closed import split
from seawall.measure.load._course import lay_course
from seawall.measure.load.drive._split import Picker, Share
from seawall.measure.load.drive._stream import Stream
from seawall.measure.load.pattern._plans import Floats
from seawall.testing import run

weights = st.lists(st.floats(0.01, 100), min_size=1, max_size=6).map(tuple)
patterns = st.one_of(
    st.builds(Constant, st.floats(0, 3000)),
    st.builds(Linear, st.floats(0, 3000), st.floats(0, 3000)),
    st.builds(Spike, st.floats(0, 300), st.floats(300, 3000)),
    st.builds(Step, st.floats(0, 3000), st.floats(0, 3000), st.integers(2, 5)),
)
spacing = st.sampled_from(["uniform", "poisson"])


@given(weights, st.integers(0, 10**9), st.integers(1, 300))
def test_arrivals_are_dealt_fairly_after_any_number(some: tuple[float, ...], first: int, number: int) -> None:
    """Each scenario has its share of what came so far, to within one of two and within their number of more."""
    picked = Picker(some, "uniform", None).pick(0, number)
    share = np.array(some) / sum(some)
    dealt = np.array([np.cumsum(picked == i) for i in range(len(some))])
    owed = np.outer(share, np.arange(1, number + 1))
    bound = 1 if len(some) <= 2 else len(some)
    assert np.all(np.abs(dealt - owed) <= bound + 1e-6)
    assert np.all(dealt.sum(axis=0) == np.arange(1, number + 1))
    # Wherever a run is looked at, the same arrivals go to the same scenarios.
    whole = Picker(some, "uniform", None).pick(first, number)
    cut = number // 2
    parts = [
        Picker(some, "uniform", None).pick(first, cut),
        Picker(some, "uniform", None).pick(first + cut, number - cut),
    ]
    assert np.array_equal(whole, np.concatenate(parts))


@given(weights, st.integers(0, 2**32 - 1), st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_chance_deals_the_same_with_the_same_seed(some: tuple[float, ...], seed: int, blocks: list[int]) -> None:
    """Also where the arrivals come in blocks of another size."""
    whole = Picker(some, "poisson", seed).pick(0, sum(blocks))
    picker = Picker(some, "poisson", seed)
    starts = [0, *itertools.accumulate(blocks)]
    assert np.array_equal(whole, np.concatenate([picker.pick(at, n) for at, n in zip(starts, blocks, strict=False)]))
    assert whole.min() >= 0
    assert whole.max() < len(some)


@settings(max_examples=60)
@given(
    pattern=patterns,
    some=weights,
    workers=st.integers(1, 4),
    arrivals=spacing,
    seed=st.integers(0, 2**32 - 1),
    warmup=st.sampled_from([0.0, 0.5]),
    lengths=st.lists(st.floats(0.05, 0.5), max_size=3),
    until=st.floats(0, 3),
    taken=st.integers(0, 3),
)
def test_streams_are_the_plan_dealt_out(
    *,
    pattern: Constant,
    some: tuple[float, ...],
    workers: int,
    arrivals: str,
    seed: int,
    warmup: float,
    lengths: list[float],
    until: float,
    taken: int,
) -> None:
    """Each arrival belongs to one scenario and one worker, and what was due by phase is what a slow count finds."""
    course = lay_course(
        pattern,
        duration=2,
        warmup=warmup,
        phases={str(i): length for i, length in enumerate(lengths)},
        interval=1,
        grace=1,
        timeout=1,
    )
    times = np.concatenate([[], *arrival_times(course.plan, arrivals, seed=seed)])
    shares = [Share(i, some, worker, workers) for i in range(len(some)) for worker in range(workers)]
    streams = [Stream(course, arrivals, seed, share) for share in shares]
    everything = [np.concatenate([[], *_blocks(stream)]) for stream in streams]
    assert np.array_equal(np.sort(np.concatenate(everything)), np.sort(times))
    for share, mine in zip(shares, everything, strict=True):
        others = [len(m) for s, m in zip(shares, everything, strict=True) if s.scenario == share.scenario]
        assert max(others) - min(others) <= 1
        stream = Stream(course, arrivals, seed, share)
        # Some are taken first, late or early, which must not change what was due.
        for _ in range(taken):
            stream.take(until)
        edges = [0.0, *course.ends[:-1], np.inf]
        due = mine[mine <= until]
        assert stream.due(until) == [int(((due >= a) & (due < b)).sum()) for a, b in itertools.pairwise(edges)]


def _blocks(stream: Stream) -> Iterator[Floats]:
    while (block := stream.take(0.0)) is not None:
        yield block


@given(st.integers(1, 4), st.integers(0, 40))
def test_workers_share_rows_without_gap_or_repeat(workers: int, number: int) -> None:
    """Row m goes to the call numbered m, in whichever worker that is."""
    feed = Feed(itertools.count)
    opened = [feed.opened() for _ in range(workers)]
    assert [opened[m % workers](m) for m in range(number)] == list(range(number))


@given(weights, st.integers(0, 200))
def test_users_are_dealt_by_weight(some: tuple[float, ...], more: int) -> None:
    """All are dealt, one at least to each, and none has more than one above its share unless it has just one."""
    users = len(some) + more
    dealt = split(users, some)
    assert sum(dealt) == users
    assert min(dealt) >= 1
    for mine, weight in zip(dealt, some, strict=True):
        assert mine == 1 or mine <= users * weight / sum(some) + 1


fates = st.lists(
    st.tuples(
        st.sampled_from(["returns", "raises", "cancels", "answers", "swallows", "never ends"]), st.floats(0, 0.7)
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=80)
@given(
    fates=fates,
    pattern=st.one_of(st.builds(Constant, st.floats(0, 100)), st.builds(Linear, st.floats(0, 50), st.floats(0, 100))),
    arrivals=spacing,
    seed=st.integers(0, 2**32 - 1),
    places=st.integers(1, 8),
    grace=st.sampled_from([0.0, 0.3, 5.0]),
    stopped=st.one_of(st.none(), st.floats(0.01, 2)),
    users=st.one_of(st.none(), st.integers(2, 5)),
)
def test_nothing_is_lost(
    *,
    fates: list[tuple[str, float]],
    pattern: Constant,
    arrivals: str,
    seed: int,
    places: int,
    grace: float,
    stopped: float | None,
    users: int | None,
) -> None:
    """Whatever targets do, planned is sent and dropped, and sent is completed but for what a stop cut off."""
    calls = 0

    async def target() -> object:
        nonlocal calls
        fate, takes = fates[calls % len(fates)]
        calls += 1
        await asyncio.sleep(takes)
        return await _end(fate)

    async def other() -> None:
        nonlocal calls
        calls += 1

    async def main() -> None:
        stop = asyncio.Event()
        if stopped is not None:
            asyncio.get_running_loop().call_later(stopped, stop.set)
        test = LoadTest(
            [Scenario("a", target, weight=2), Scenario("b", other)],
            pattern if users is None else Closed(users, think=0.01),
            duration=1,
            max_concurrency=places,
            arrivals=arrivals if users is None else "uniform",
            seed=seed,
            timeout=0.5,
            grace=grace,
            phases={"one": 0.4},
            warmup=0.2,
        )
        result = await test.run_async(stop=stop)
        parts = [result, *result.scenarios, *result.phases]
        for part in parts:
            assert part.planned == part.sent + part.dropped
            assert part.dropped >= 0
            assert part.completed == sum(part.outcomes.values()) == part.response_time.count <= part.sent
        assert sum(part.sent for part in result.phases) == calls
        assert sum(part.sent for part in result.phases if part.counted) == result.sent
        assert sum(part.completed for part in result.scenarios) == result.completed
        if not result.interrupted:
            assert result.sent == result.completed

    run(main())


async def _end(fate: str) -> object:
    if fate == "raises":
        raise ValueError(fate)
    if fate == "cancels":
        raise asyncio.CancelledError
    if fate == "never ends":
        await asyncio.Event().wait()
    if fate == "swallows":
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
    return Answer("hit", size=3) if fate == "answers" else None
