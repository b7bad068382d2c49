"""Callables that load tests call, importable by worker processes; each call is counted by itself."""

from __future__ import annotations

import functools
import os

import seawall as sw

SEGMENT = "SEAWALL_LOAD_SEGMENT"


@functools.cache
def calls() -> sw.Counter:
    """The count of all processes that have the same segment; of this one where there is none."""
    name = os.environ.get(SEGMENT)
    return sw.Counter(shared=name) if name else sw.Counter()


async def awaited() -> None:
    """Return at once."""
    calls().inc()


def plain() -> None:
    """Return at once."""
    calls().inc()


async def nothing() -> None:
    """Return at once and count nothing, so that nothing but the test itself can allocate."""
