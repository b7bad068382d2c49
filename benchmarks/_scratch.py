"""A shared segment for the time of a run."""

from __future__ import annotations

import atexit
import functools
import os

import seawall as sw
from seawall.memory import Segment


@functools.cache
def scratch_segment() -> Segment:
    """The segment of this process, removed when it ends."""
    name = f"seawall-benchmarks-{os.getpid()}"
    atexit.register(Segment.remove, name)
    return sw.Segment(name)
