"""SIGSTOP takes a moment, and longer where there are many threads: a test goes on when it has worked."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from seawall.clock import SystemClock


def freeze(pid: int) -> None:
    """Stop a process; afterwards none of its threads runs any more."""
    os.kill(pid, signal.SIGSTOP)
    threads = Path(f"/proc/{pid}/task")
    while threads.exists() and not all(_is_stopped(thread) for thread in threads.iterdir()):
        SystemClock().sleep(0.001)


def _is_stopped(thread: Path) -> bool:
    try:
        state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "TtZX"
