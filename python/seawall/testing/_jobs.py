"""Functions that a loop has given to threads, and whether time may pass for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from seawall.clock import ManualClock


class Job:
    """One function in a thread of an executor. `abandoned`: nobody waits for its result any more."""

    __slots__ = ("_ended", "abandoned", "call", "thread")

    def __init__(self, call: Callable[[], Any], ended: Callable[[Job], None]) -> None:
        self.call = call
        self.thread: int | None = None
        self.abandoned = False
        self._ended = ended

    def __call__(self) -> Any:
        self.thread = threading.get_ident()
        try:
            return self.call()
        finally:
            if self.abandoned:
                self._ended(self)


class Jobs:
    """All jobs of a loop that have begun or will. `wake` wakes the loop."""

    def __init__(self, clock: ManualClock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._all: set[Job] = set()

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, call: Callable[[], Any]) -> Job:
        """A job that is to begin."""
        job = Job(call, self._end)
        self._all.add(job)
        return job

    def settle(self, job: Job, cancelled: bool) -> None:
        """The loop has its result, or gave it up: what runs nevertheless is waited for until it ends."""
        if cancelled and job.thread is not None:
            job.abandoned = True
        else:
            self._end(job)

    def busy(self) -> bool:
        """Whether any thread is neither done nor asleep on the clock, so that time must not pass."""
        asleep = self._clock.asleep()
        return any(job.thread not in asleep for job in list(self._all))

    def _end(self, job: Job) -> None:
        self._all.discard(job)
        self._wake()
