"""A clock that stands still, an engine that goes by it, and the port that keeps the locks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seawall.clock import ManualClock
from seawall.engines import Engine, KeyValue, open_engine


@pytest.fixture
def clock() -> ManualClock:
    """Moved by the test."""
    return ManualClock(1_000.0)


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    """In memory."""
    with open_engine("memory://", clock=clock) as opened:
        yield opened


@pytest.fixture
def kv(engine: Engine) -> KeyValue:
    """Where locks are, when they are given the engine."""
    return engine.key_value("locks")
