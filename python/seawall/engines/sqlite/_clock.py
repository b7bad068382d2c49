"""Which life of the clock a time in the file belongs to."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from seawall.clock import Clock, SystemClock


def boot_of(clock: Clock) -> str:
    """A name that changes when the clock starts again: the boot of the machine; for a test's clock, the object."""
    return _machine() if isinstance(clock, SystemClock) else f"{type(clock).__name__}-{os.getpid()}-{id(clock)}"


@cache
def _machine() -> str:
    linux = Path("/proc/sys/kernel/random/boot_id")
    if linux.exists():
        return linux.read_text().strip()
    if sys.platform == "darwin":
        found = subprocess.run(["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, check=False)
        return found.stdout.decode().strip() or "unknown"
    return "unknown"
