"""Processors: one for the server, another for whoever asks it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER, GENERATOR = _ALL[0], _ALL[-1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes that this thread starts in the block run on that processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
