"""Waiting in one thread for work that another does."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from seawall.clock import Bell, Deadline


def wait_for(future: Future[Any], deadline: Deadline | None) -> bool:
    """Wait until `future` has ended; False when the deadline passes first."""
    bell = Bell()
    future.add_done_callback(lambda _: bell.ring())
    while not future.done():
        if deadline is None:
            bell.wait()
        elif deadline.passed:
            return False
        else:
            deadline.clock.park(bell, deadline.at_ns)
    return True
