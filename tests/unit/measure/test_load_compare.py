"""Comparisons of synthetic load tests whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seawall.errors import ConfigError
from seawall.measure import Comparison, Histogram, HlogInterval, LoadResult, compare
from seawall.measure.load import Throughput, Verdict
from seawall.measure.load.comparison._bootstrap import Counts

BLOCKS = 32


def synthetic(
    rng: np.random.Generator,
    *,
    scale: float = 1.0,
    each: int = 200,
    blocks: int = BLOCKS,
    wander: float = 0.0,
    digits: int = 3,
) -> LoadResult:
    """A run of log-normal response times around 10 ms; `wander` moves whole blocks, as a busy machine does."""
    whole, made = Histogram(digits=digits), []
    for i in range(blocks):
        times = scale * 0.01 * rng.lognormal(wander * rng.standard_normal(), 0.4, each)
        block = Histogram(digits=digits)
        block.record_many(times)
        whole.merge(block)
        made.append(HlogInterval(float(i), 1.0, None, block))
    n = each * blocks
    return LoadResult(
        response_time=whole,
        service_time=whole,
        schedule_error=Histogram(),
        throughput=Throughput(float(blocks), (float(n),), (n,), (n,), (n,), (0,)),
        outcomes={"2xx": n},
        planned=n,
        sent=n,
        completed=n,
        late=0,
        dropped=0,
        first_error=None,
        verdict=Verdict(True),
        duration=float(blocks),
        interrupted=False,
        blocks=tuple(made),
    )


def words(comparison: Comparison) -> list[str]:
    """The verdicts, percentile by percentile."""
    return [difference.verdict for difference in comparison.differences]


def test_the_same_service_is_the_same() -> None:
    """With enough requests, every percentile of two runs of one service is within the tolerance."""
    rng = np.random.default_rng(1)
    found = compare(synthetic(rng, each=2000), synthetic(rng, each=2000))
    assert words(found) == ["same"] * 4
    assert (found.verdict, found.exit_code) == ("same", 0)
    assert all(one.low < one.change < one.high for one in found.differences)


def test_a_fifth_slower_is_slower_and_the_reverse_is_faster() -> None:
    """A shift of 20 % is found at each percentile, in the right direction, and about as large as it is."""
    rng = np.random.default_rng(2)
    before, after = synthetic(rng, each=2000), synthetic(rng, scale=1.2, each=2000)
    slower, faster = compare(before, after), compare(after, before)
    assert words(slower) == ["slower"] * 4
    assert (slower.verdict, slower.exit_code) == ("slower", 1)
    assert words(faster) == ["faster"] * 4
    assert (faster.verdict, faster.exit_code) == ("faster", 0)
    assert [one.change for one in slower.differences] == pytest.approx([0.2] * 4, abs=0.06)
    assert all(one.low <= 0.2 <= one.high for one in slower.differences)


@pytest.mark.parametrize("wander", [0.0, 0.15])
def test_what_is_not_slower_is_seldom_called_so(wander: float) -> None:
    """At the edge of the tolerance, where it is hardest, at most as many runs as the confidence allows are slower.

    Also where the blocks of a run differ by more than chance among requests, which single requests would not show.
    """
    seed, rounds = 3, 40
    rng = np.random.default_rng(seed)
    wrong = 0
    for i in range(rounds):
        before, after = (synthetic(rng, scale=scale, wander=wander, digits=2) for scale in (1.0, 1.05))
        wrong += compare(before, after, confidence=0.9, percentiles=(50, 90), seed=i).verdict == "slower"
    # A confidence of 90 % allows 5 % on the slower side, 2 of 40; more than 6 have a chance of 1 in 300 at that rate.
    assert wrong <= 6, f"seed {seed}: {wrong} of {rounds}"


def test_blocks_make_the_interval_wider_than_single_requests_would() -> None:
    """Where whole blocks wander, the interval covers it."""
    rng = np.random.default_rng(4)
    calm = compare(synthetic(rng), synthetic(rng), percentiles=(50,)).differences[0]
    rough = compare(synthetic(rng, wander=0.3), synthetic(rng, wander=0.3), percentiles=(50,)).differences[0]
    assert rough.high - rough.low > 3 * (calm.high - calm.low)


def test_few_requests_cannot_tell() -> None:
    """A percentile with less than ten requests beyond it is not judged, whatever the numbers look like."""
    rng = np.random.default_rng(5)
    found = compare(synthetic(rng, each=10), synthetic(rng, scale=2.0, each=10), percentiles=(50, 99))
    assert words(found) == ["slower", "cannot tell"]
    assert found.differences[1].reason == "320 requests, 1,000 are needed"
    few = compare(synthetic(rng, each=10), synthetic(rng, each=10))
    assert (few.verdict, few.exit_code) == ("cannot tell", 4)


def test_few_blocks_cannot_tell() -> None:
    """A short run has too few blocks to know how it varies."""
    rng = np.random.default_rng(6)
    found = compare(synthetic(rng, blocks=9), synthetic(rng, scale=2.0))
    assert words(found) == ["cannot tell"] * 4
    assert found.differences[0].reason == "9 blocks of time, 10 are needed; run for longer"


def test_a_run_without_answers_cannot_tell() -> None:
    """Where nothing ended there is nothing to compare."""
    rng = np.random.default_rng(7)
    found = compare(synthetic(rng), replace(synthetic(rng), blocks=(), completed=0))
    assert (found.verdict, found.differences[0].reason) == ("cannot tell", "nothing ended")
    assert math.isnan(found.differences[0].change)


def test_doubts_forbid_a_verdict() -> None:
    """A generator that did not keep up, or failures on one side, say more than the times."""
    rng = np.random.default_rng(8)
    good, slow = synthetic(rng, each=2000), synthetic(rng, each=2000, scale=1.5)
    choked = replace(slow, verdict=Verdict(False, ("it ran out of open files 3 times",)))
    found = compare(good, choked)
    assert found.verdict == "cannot tell"
    assert found.doubts == ("run 1 of b: the generator was the bottleneck: it ran out of open files 3 times",)
    n = good.completed
    failing = replace(good, throughput=replace(good.throughput, succeeded=(n - n // 10,)))
    found = compare([good, failing], failing)
    assert found.errors == (0.05, 0.1)
    assert found.doubts == ("5.0% of the requests of a failed and 10.0% of b: their times differ in kind",)
    assert found.exit_code == 4


def test_several_runs_a_side_show_how_runs_differ() -> None:
    """Runs that differ from each other widen the interval, which one long run of the same size would hide."""
    rng = np.random.default_rng(9)
    apart = [synthetic(rng, scale=scale) for scale in (0.8, 0.9, 1.1, 1.2)]
    alike = [synthetic(rng) for _ in range(4)]
    one, other = (compare(alike, side, percentiles=(50,)).differences[0] for side in (alike, apart))
    assert other.high - other.low > 5 * (one.high - one.low)
    assert other.verdict == "cannot tell"


def test_the_same_seed_gives_the_same_comparison() -> None:
    """Chance is an argument."""
    rng = np.random.default_rng(10)
    before, after = synthetic(rng), synthetic(rng)
    # As text: what is nan is not equal to itself.
    once, again, other = (compare(before, after, seed=seed).to_json() for seed in (1, 1, 2))
    assert once == again != other


def test_saved_results_compare_like_those_in_memory(tmp_path: Path) -> None:
    """JSON keeps the blocks: files give the very same numbers, alone or in lists."""
    rng = np.random.default_rng(11)
    before, after = synthetic(rng), synthetic(rng, scale=1.2)
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, run in zip(files, (before, after), strict=True):
        file.write_text(run.to_json())
    found = [compare(str(files[0]), files[1]), compare(before, after), compare([before], [files[1]])]
    assert found[0].to_json() == found[1].to_json() == found[2].to_json()


def test_percentiles_of_counts_are_those_of_the_requests() -> None:
    """The reader of cumulated counts agrees with sorting the values."""
    rng = np.random.default_rng(12)
    times, blocks = rng.lognormal(-4.0, 1.0, 1000), []
    for part in np.split(times, 10):
        block = Histogram()
        block.record_many(part)
        blocks.append(block)
    levels = np.array([1.0, 50.0, 99.0, 99.9])
    exact = np.sort(times)[np.ceil(levels / 100 * 1000).astype(int) - 1]
    assert Counts.of([blocks[:5], blocks[5:]]).percentiles(levels) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 0}, "tolerance must be between 0.001 and 1 of the time, got 0; 0.05 is 5 %"),
        ({"confidence": 1.0}, "confidence must be between 0.5 and 0.99 of cases, got 1; 0.95 is 95 %"),
        (
            {"percentiles": (50, 100)},
            "percentiles must be 1 to 16 numbers above 0 and below 100, got [50, 100]; for example [50, 90, 99]",
        ),
        (
            {"percentiles": ()},
            "percentiles must be 1 to 16 numbers above 0 and below 100, got []; for example [50, 90, 99]",
        ),
        ({"seed": -1}, "seed must be a whole number, not negative, got -1; 0 is the default"),
    ],
)
def test_bad_options_are_refused(options: dict[str, object], message: str) -> None:
    """An option out of range says so with the value, the range and the way out."""
    run = synthetic(np.random.default_rng(13), each=1, blocks=1)
    with pytest.raises(ConfigError) as caught:
        compare(run, run, **options)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_what_is_not_a_load_test_is_refused(tmp_path: Path) -> None:
    """Each wrong side is named with what it was and how to make a right one."""
    run = synthetic(np.random.default_rng(14), each=1, blocks=1)
    file = tmp_path / "old.json"
    file.write_text('{"completed": 3}')
    wanted = "must be a LoadResult, a file of one, or a list of them, got"
    way_out = "write it with `seawall load --json` or LoadResult.to_json()"
    for given, message in (
        ([], f"a {wanted} []"),
        (3, f"a {wanted} 3"),
        ([3], f"a {wanted} 3"),
        (file, f"a must be a saved load test with blocks, got {str(file)!r}; {way_out}"),
        (
            tmp_path / "none",
            f"a must be a file that can be read, got {str(tmp_path / 'none')!r}: No such file or directory",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            compare(given, run)  # type: ignore[arg-type]
        assert str(caught.value) == message
