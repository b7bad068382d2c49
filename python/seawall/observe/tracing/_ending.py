"""Sending what is left at the end of a process, also of a worker of multiprocessing, which runs no atexit."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any, Protocol
from weakref import WeakSet


class Closable(Protocol):
    """What is closed at the end."""

    def close(self) -> object:
        """Send what is left."""


_open: WeakSet[Any] = WeakSet()


def close_at_exit(thing: Closable) -> None:
    """Close it at the end of this process, and of processes forked from it, unless it is forgotten before."""
    _open.add(thing)
    _tell_multiprocessing()


def forget_at_exit(thing: Closable) -> None:
    """It has been closed."""
    _open.discard(thing)


@atexit.register
def _close_all(*_: object) -> None:
    for thing in list(_open):
        thing.close()


def _tell_multiprocessing() -> None:
    util: Any = sys.modules.get("multiprocessing.util")
    if util is None:
        return
    # A worker forgets what was to be done at its end when it begins, and asks afterwards whether there is anything.
    util.register_after_fork(_close_all, _finalize)
    if sys.modules["multiprocessing.process"].parent_process() is not None:
        _finalize()


def _finalize(*_: object) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, _close_all, exitpriority=10)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_multiprocessing)
