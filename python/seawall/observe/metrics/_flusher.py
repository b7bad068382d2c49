"""Flushing by itself: every so often, at exit, and in forked children."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from seawall.clock import Bell, to_ns

if TYPE_CHECKING:
    from seawall.observe.metrics._metrics import Metrics

_living: weakref.WeakSet[Metrics] = weakref.WeakSet()
_flushers: weakref.WeakSet[Flusher] = weakref.WeakSet()


def adopt(metrics: Metrics) -> None:
    """Flush at exit what is shared, and go on as another worker after a fork."""
    _living.add(metrics)


class Flusher:
    """Flushes metrics every so often in a thread of its own.

    Thread safety: yes.
    """

    def __init__(self, metrics: Metrics, every: float | timedelta) -> None:
        self._metrics = metrics
        self._every_ns = to_ns(every, "seconds")
        self._start()
        _flushers.add(self)

    def _start(self) -> None:
        self._bell = Bell()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="seawall-metrics-flusher", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        bell, clock = self._bell, self._metrics.clock
        due = clock.now_ns()
        while not self._closed:
            due = max(due + self._every_ns, clock.now_ns())
            while not self._closed and clock.now_ns() < due:
                clock.park(bell, due)
            self._metrics.flush()

    def close(self) -> None:
        """End the thread and flush a last time."""
        self._closed = True
        self._bell.ring()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._metrics.flush()  # what was counted since the thread last looked
        _flushers.discard(self)

    def _forked(self) -> None:
        if not self._closed:
            self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _after_fork() -> None:
    for metrics in list(_living):
        metrics._forked()
    for flusher in list(_flushers):
        flusher._forked()


def _at_exit() -> None:
    for metrics in list(_living):
        if metrics.segment is not None:
            metrics.flush()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
