"""The arithmetic that load generators are held against in benchmarks/load."""

from __future__ import annotations

import pytest
from benchmarks.load import _truth
from benchmarks.load._child import corrected
from benchmarks.load._section import Section, Target
from benchmarks.load._words import against, told

from seawall.measure import Constant, LoadTest


def test_those_who_come_in_a_stall_wait_for_its_end() -> None:
    """Due at 0.5, 1.5, ... s, stalled from 2 s for 3 s: the third to fifth wait for what is left."""
    assert _truth.stalled(1, 6, 2, 3) == [0, 0, 2.5, 1.5, 0.5, 0]


def test_the_line_behind_a_stall_is_answered_at_the_speed_of_the_server() -> None:
    """At two answers a second the third request is answered half a second after the end, the next each 0.5 s later."""
    assert _truth.stalled(1, 6, 2, 3, capacity=2) == pytest.approx([0, 0, 3.0, 2.5, 2.0, 1.5])


def test_percentiles_are_values_that_so_many_percent_do_not_exceed() -> None:
    """Of 1 to 100 the P50 is 50 and the greatest is 100, in whatever order they come."""
    assert _truth.percentiles([*range(100, 0, -1)]) == {50: 50, 90: 90, 95: 95, 99: 99, 100: 100}


async def test_service_times_are_corrected_as_one_by_one() -> None:
    """Each that is longer than the interval brings those that were left out."""

    async def nothing() -> None:
        pass

    result = await LoadTest(nothing, Constant(100), duration=0.02).run_async()
    result.service_time.record(1.0)
    longer = corrected(result, 0.3)
    assert (result.service_time.count, longer.count) == (3, 5)
    assert [longer.percentile(percent) for percent in (60, 80, 100)] == pytest.approx([0.4, 0.7, 1.0], rel=0.01)


def test_an_error_is_told_only_where_the_truth_is_long_enough() -> None:
    """Below 2 ms the time stands alone."""
    assert against(0.5e-3, 0.0) == "500 us"
    assert against(1.03, 1.0) == "1,030 ms (+3.0%)"
    assert told(0.0123) == "12.3 ms"


def test_a_section_as_markdown() -> None:
    """Table, targets and notes; our own lines are bold, and a missed target says so."""
    section = Section("Speed", "How fast.", ["", "requests/s"])
    section.add("seawall, aiohttp", "10")
    section.add("wrk", "20")
    section.targets.append(Target("at least 1 of wrk", "0.50 of wrk", reached=False))
    section.notes.append("a word")
    assert section.markdown() == [
        "## Speed",
        "",
        "How fast.",
        "",
        "|  | requests/s |",
        "|---|--:|",
        "| **seawall**, aiohttp | 10 |",
        "| wrk | 20 |",
        "",
        "- at least 1 of wrk: MISSED, 0.50 of wrk",
        "- a word",
        "",
    ]
