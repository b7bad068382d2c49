"""The case table under pytest-benchmark: a round is one batch, whose executions are in `extra_info`."""

from __future__ import annotations

import asyncio
import importlib

from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks._case import Case
from benchmarks._measure import THOROUGH, check_total, prepared


def own_cases(area: str) -> list[Case]:
    """The cases of seawall in an area."""
    found = importlib.import_module(f"benchmarks.areas.{area}").cases()
    return [case for case in found if isinstance(case, Case) and case.is_ours]


def timed(benchmark: BenchmarkFixture, case: Case) -> None:
    """Check, time, check what was counted."""
    with asyncio.Runner() as runner:
        running = prepared(case, THOROUGH, runner)
        timer = running.timer
        timer.executions = 0
        counted = timer.probe.counted() if timer.probe.counted else 0
        benchmark.extra_info["executions a round"] = timer.calls
        benchmark.group = case.group
        benchmark.pedantic(timer, rounds=30)
        check_total(running, counted, runner)
