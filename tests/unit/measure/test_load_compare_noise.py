"""What a comparison says where noise forbids an answer, and how it is written down."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from tests.property._servers import Server

from seawall.measure import LoadResult, compare
from seawall.measure.load.comparison._bootstrap import stretch
from seawall.measure.load.comparison._noise import Width, runs_needed, too_wide
from seawall.measure.load.comparison._student import t_quantile

CALM = Server(wander=0.0, stalls=0.0, offset=0.0, sigma=0.3)


def drifting(rng: np.random.Generator, late: float) -> LoadResult:
    """A run whose second half is slower by that share."""
    first, second = CALM.run(rng), CALM.run(rng, late)
    half = len(first.blocks) // 2
    return replace(first, blocks=first.blocks[:half] + second.blocks[half:])


def test_runs_that_differ_more_than_the_tolerance_cannot_tell_and_say_so() -> None:
    """An alarm that one odd run would raise becomes words with numbers."""
    rng = np.random.default_rng(1)
    before = [CALM.run(rng), CALM.run(rng, 0.01), CALM.run(rng)]
    after = [CALM.run(rng), CALM.run(rng, 0.01), CALM.run(rng, 0.4)]
    assert compare(before[:1], after[2:]).verdict == "slower"
    found = compare(before, after)
    assert (found.verdict, found.runs) == ("cannot tell", (3, 3))
    median = found.differences[0]
    assert median.spread == pytest.approx(0.14, abs=0.03)
    assert median.reason == (
        f"noise of ±{(1 + median.high) / (1 + median.change) - 1:.1%} against a tolerance of 5.0%, "
        f"runs of one side differ by {median.spread:.1%}; it takes a quieter machine, or a tolerance of about "
        f"{median.high:.0%}"
    )


def test_a_change_that_comes_and_goes_is_no_alarm() -> None:
    """A slow second half of one run is called a drift; the same change in both halves is slower."""
    rng = np.random.default_rng(2)
    found = compare(CALM.run(rng), drifting(rng, 0.2), percentiles=(50,))
    assert found.verdict == "cannot tell"
    one = found.differences[0]
    words = "the change is {} in the first half of the runs and {} in the second; "
    way_out = "warm up before measuring, or run for longer on a quieter machine"
    assert one.reason.endswith(way_out)
    first, second = (float(word.rstrip("%")) for word in one.reason.split() if word[0] in "+-")
    assert one.reason == words.format(f"{first:+.1f}%", f"{second:+.1f}%") + way_out
    assert (first, second) == pytest.approx((0, 20), abs=1.5)
    assert compare(CALM.run(rng), CALM.run(rng, 0.1), percentiles=(50,)).verdict == "slower"


def test_what_drifts_alike_on_both_sides_or_grows_beyond_the_tolerance_is_judged() -> None:
    """Two runs that warm up alike are the same; a regression that grows in the run is slower."""
    rng = np.random.default_rng(3)
    both = [drifting(rng, 0.06) for _ in range(2)]
    assert compare(*both, percentiles=(50, 90), tolerance=0.1).verdict == "same"
    growing = replace(CALM.run(rng), blocks=CALM.run(rng, 0.1).blocks[:32] + CALM.run(rng, 0.3).blocks[32:])
    assert compare(CALM.run(rng), growing, percentiles=(50,)).verdict == "slower"


def test_another_load_is_another_experiment() -> None:
    """Sides that were asked for different rates are not compared."""
    rng = np.random.default_rng(4)
    found = compare(CALM.run(rng), Server(each=300).run(rng))
    assert found.verdict == "cannot tell"
    assert found.doubts == ("a was asked for 600 requests a second and b for 300: run both the same way",)


def width(half: float, change: float = 0.0, *, runs: tuple[int, int] = (1, 1), spread: float = 0.0) -> Width:
    """The width of an interval with a tolerance of 5 %."""
    within = (half / t_quantile(0.975, 60.0)) ** 2
    return Width(change, half, within, spread, 60.0, runs, math.log(1.05), 0.975)


def test_what_would_help_is_computed_from_the_noise() -> None:
    """Noise shrinks with the square root of time; where no reasonable time would do, a tolerance is named."""
    head = "noise of ±{} against a tolerance of 5.0%"
    assert too_wide(width(0.15)) == head.format("16.2%") + "; runs about 10 times as long would tell"
    assert too_wide(width(0.5)) == (head.format("64.9%") + "; it takes a quieter machine, or a tolerance of about 65%")
    assert too_wide(width(0.02, 0.045)) == (
        "the change of +4.6% is about as large as the tolerance of 5.0%; choose another one"
    )
    assert too_wide(width(0.08, runs=(2, 2), spread=0.02)) == (
        head.format("8.3%") + ", runs of one side differ by 2.0%; about 7 runs a side would tell"
    )
    assert too_wide(width(0.08, runs=(2, 2))) == head.format("8.3%") + "; about 6 runs a side would tell"


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.05])
def test_the_runs_that_are_asked_for_are_enough(spread: float) -> None:
    """With that many runs the interval is narrow enough, with one less it is not; the formula is worked out anew."""
    wide, target = width(0.08, runs=(2, 2), spread=spread), 0.045
    needed = runs_needed(wide, target)
    assert needed is not None

    def half(runs: int) -> float:
        within, between = 2 * wide.within / runs, 2 * spread**2 / runs
        doubt = within**2 / (60 * runs / 2) + between**2 / (2 * (runs - 1))
        return t_quantile(0.975, round((within + between) ** 2 / doubt, 1)) * math.sqrt(within + between)

    assert half(needed) <= target < half(needed - 1)
    assert runs_needed(wide, 1e-4) is None


@pytest.mark.parametrize(
    ("share", "freedom", "value"),
    [(0.975, 1, 12.7062), (0.975, 2, 4.30265), (0.99375, 4, 4.3147), (0.995, 10, 3.16927), (0.975, 31, 2.03951),
     (0.975, 1e6, 1.95996)],
)  # fmt: skip
def test_quantiles_of_student_are_those_of_the_tables(share: float, freedom: float, value: float) -> None:
    """Small and large degrees of freedom agree with published tables."""
    assert t_quantile(share, freedom) == pytest.approx(value, rel=2e-4)


def test_blocks_that_are_like_their_neighbours_are_drawn_together() -> None:
    """Independent blocks keep the short default; the longer the memory, the longer the stretch."""
    rng = np.random.default_rng(5)
    lengths = []
    for memory in (0.0, 0.6, 0.9):
        series = [np.zeros((64, 1)) for _ in range(4)]
        for one in series:
            for i in range(1, 64):
                one[i] = memory * one[i - 1] + rng.standard_normal()
        lengths.append(stretch([one - one.mean() for one in series]))
    assert lengths[0] == 4
    assert lengths[0] < lengths[1] <= lengths[2] <= 12
    assert stretch([np.ones((5, 1))]) == 1


def test_curves_show_all_percentiles_that_the_counts_allow() -> None:
    """They ascend, agree with the table, and end where no request lies beyond."""
    rng = np.random.default_rng(6)
    found = compare(CALM.run(rng), CALM.run(rng), percentiles=(90,))
    for curve, value in zip(found.curves, (found.differences[0].a, found.differences[0].b), strict=True):
        levels, seconds = zip(*curve, strict=True)
        assert list(levels) == sorted(levels)
        assert list(seconds) == sorted(seconds)
        assert 55 <= len(curve) <= 64
        assert max(levels) == pytest.approx(99.99)
        assert dict(zip(np.round(levels, 6), seconds, strict=True))[90.0] == pytest.approx(value)
    few = compare(Server(each=10).run(rng), CALM.run(rng)).curves[0]
    assert 99.0 < few[-1][0] <= 100 * (1 - 1 / 640)


def test_json_has_everything_and_no_numbers_that_are_none() -> None:
    """What JSON cannot say is null."""
    rng = np.random.default_rng(7)
    run = CALM.run(rng)
    found = compare([run, CALM.run(rng)], replace(run, blocks=(), completed=0))
    facts = json.loads(found.to_json())
    assert facts["verdict"] == "cannot tell"
    assert facts["exit_code"] == 4
    assert facts["runs"] == {"a": 2, "b": 1}
    assert facts["errors"] == {"a": 0.0, "b": None}
    assert facts["differences"][0]["change"] is None
    assert facts["notes"][0] == "P50: nothing ended"
    whole = json.loads(compare(run, run).to_json())
    assert whole["differences"][0]["a"] == compare(run, run).differences[0].a
    assert [list(pair) for pair in compare(run, run).curves[0]] == whole["curves"]["a"]


def test_markdown_is_a_comment_of_a_pull_request() -> None:
    """Verdict, table, doubts, notes; the table is whole."""
    rng = np.random.default_rng(8)
    found = compare([CALM.run(rng), CALM.run(rng)], CALM.run(rng, 0.5), percentiles=(50, 99))
    lines = found.to_markdown().splitlines()
    first = found.differences[0]
    assert lines[:4] == [
        "### Load tests compared: **slower** (tolerance 5 %)",
        "",
        "| | a (2 runs) | b (1 run) | change | interval at 95 % | verdict |",
        "|---|--:|--:|--:|--:|---|",
    ]
    assert lines[4] == (
        f"| P50 | {first.a * 1e3:.2f} ms | {first.b * 1e3:.2f} ms | {first.change:+.1%} | "
        f"{first.low:+.1%} to {first.high:+.1%} | **slower** |"
    )
    assert lines[6] == "| errors | 0.00% | 0.00% | | | |"
    assert {line.count("|") for line in lines[2:7]} == {7}
    alone = compare(CALM.run(rng), CALM.run(rng)).to_markdown().splitlines()
    assert alone[-1] == "- one run a side does not show how runs differ among themselves; give several"
