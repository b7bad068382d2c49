"""The own cases of the areas `guard`, `guard_async` and `adaptive` under pytest-benchmark."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks._case import Case
from benchmarks._pytest import own_cases, timed


@pytest.mark.parametrize("case", own_cases("guard"), ids=lambda case: case.name)
def test_guard(benchmark: BenchmarkFixture, case: Case) -> None:
    """Each case answers right, is timed, and has counted every execution."""
    timed(benchmark, case)


@pytest.mark.parametrize("case", own_cases("guard_async"), ids=lambda case: case.name)
def test_guard_async(benchmark: BenchmarkFixture, case: Case) -> None:
    """Each awaited case answers right, is timed, and has counted every execution."""
    timed(benchmark, case)


@pytest.mark.parametrize("case", own_cases("adaptive"), ids=lambda case: case.name)
def test_adaptive(benchmark: BenchmarkFixture, case: Case) -> None:
    """Each case answers right, is timed, and has counted every execution."""
    timed(benchmark, case)
