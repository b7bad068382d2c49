"""Records what concurrent clients call and are answered."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from typing import Any

from tests.histories.checker import Call

from seawall.clock import SystemClock
from seawall.errors import Unavailable, UnknownOutcome


class Recorder:
    """A history that clients on several threads add to; one recorder a process, histories can be joined.

    Thread safety: yes. Times are of the machine's monotonic clock, which all its processes share.
    """

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def call(self, client: Hashable, name: str, fn: Callable[[], Any], *args: Any) -> Any:
        """Make a call and record it: without an end when its outcome is unknown, not at all when it had none."""
        began = self._clock.now_ns()
        try:
            result = fn()
        except UnknownOutcome:
            self._add(Call(began, math.inf, name, args, None, client))
            raise
        except Unavailable:
            raise
        self._add(Call(began, self._clock.now_ns(), name, args, result, client))
        return result

    def _add(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
