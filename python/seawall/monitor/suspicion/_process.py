"""What of this process may leak."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from seawall.monitor.suspicion._stacks import loops_running, tasks_of

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def process_readings(loops: Iterable[asyncio.AbstractEventLoop] = ()) -> dict[str, Callable[[], float | None]]:
    """Readings of this process: resident memory in bytes, open file descriptors, threads, and asyncio's tasks.

    From /proc, else through psutil where it is installed; None where neither tells.

    Args:
        loops: Whose tasks are counted, besides those of asyncio's own loops that run.

    Example:
        >>> process_readings()["threads"]() >= 1
        True
    """
    known = tuple(loops)

    def tasks() -> float:
        return float(sum(1 for _ in tasks_of([*known, *loops_running(sys._current_frames().values())])))

    return {
        "resident_bytes": _resident,
        "open_fds": _open_fds,
        "threads": lambda: float(threading.active_count()),
        "tasks": tasks,
    }


def _resident() -> float | None:
    try:
        return float(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return _asked("memory_info", lambda answer: float(answer.rss))


def _open_fds() -> float | None:
    try:
        return float(len(os.listdir("/proc/self/fd")) - 1)  # one is the listing's own
    except OSError:
        return _asked("num_fds", float)


def _asked(method: str, value: Callable[[Any], float]) -> float | None:
    try:
        psutil = importlib.import_module("psutil")
    except ImportError:
        return None
    return value(getattr(psutil.Process(), method)())
