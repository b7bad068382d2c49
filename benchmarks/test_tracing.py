"""The own cases of the area `tracing` under pytest-benchmark."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks._case import Case
from benchmarks._pytest import own_cases, timed


@pytest.mark.parametrize("case", own_cases("tracing"), ids=lambda case: case.name)
def test_tracing(benchmark: BenchmarkFixture, case: Case) -> None:
    """Each case answers right, is timed, and has counted every execution."""
    timed(benchmark, case)
