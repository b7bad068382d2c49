"""Processor time of the other threads of this process."""

from __future__ import annotations

import sys
import time

# A thread's own clock, found by its number in the kernel: pthread_getcpuclockid() would read the memory of a thread
# that may have ended, this one is refused with EINVAL then. Source: Linux, include/linux/posix-timers.h.
_PER_THREAD, _SCHEDULED = 4, 2
AVAILABLE = sys.platform == "linux"


def clock_of(native_id: int) -> int:
    """The clock of a thread, by the number the kernel gave it."""
    return (~native_id << 3) | _PER_THREAD | _SCHEDULED


def spent(clock: int) -> int | None:
    """Nanoseconds that the thread of this clock has run; None once it has ended.

    Cost: one system call, about 0.7 us.
    """
    try:
        return time.clock_gettime_ns(clock)
    except OSError:
        return None
