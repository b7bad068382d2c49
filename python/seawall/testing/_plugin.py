"""Fixtures for pytest, found through the entry point `pytest11`. Importing this loads nothing of seawall's rooms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from seawall.clock import ManualClock
    from seawall.memory import Segment


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--seawall-seed=N` repeats a run."""
    parser.getgroup("seawall").addoption("--seawall-seed", type=int, help="seed of the fixture seawall_seed")


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that stands until the test moves it."""
    from seawall.clock import ManualClock

    return ManualClock()


@pytest.fixture
def seawall_seed(request: pytest.FixtureRequest) -> int:
    """A seed that is shown when the test fails; repeat with --seawall-seed or SEAWALL_SEED."""
    from seawall.testing._chance import fresh_seed

    given = request.config.getoption("--seawall-seed")
    seed: int = fresh_seed() if given is None else given
    request.node.add_report_section("call", "seawall", f"seawall_seed = {seed}; repeat with --seawall-seed={seed}")
    return seed


@pytest.fixture
def seawall_segment(tmp_path: Path) -> Iterator[Segment]:
    """A shared memory segment of this test's own, removed afterwards."""
    from seawall.memory import Segment

    path = str(tmp_path / "seawall-segment")
    yield Segment(path, size=1024 * 1024)
    Segment.remove(path)
