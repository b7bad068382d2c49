"""A selector that lets time pass on a clock where others sleep."""

from __future__ import annotations

import selectors
import threading
from collections.abc import Callable

from seawall.clock import ManualClock

POOL = "seawall-testing-pool"
_Ready = list[tuple[selectors.SelectorKey, int]]


class JumpingSelector(selectors.DefaultSelector):
    """Where a selector would sleep for want of anything ready, the clock is moved instead.

    Args:
        clock: What is moved.
        patience: Real seconds to wait for threads that neither end nor sleep on the clock.
    """

    def __init__(self, clock: ManualClock, patience: float) -> None:
        super().__init__()
        self._clock = clock
        self._patience = patience
        self.busy: Callable[[], bool] = bool

    def select(self, timeout: float | None = None) -> _Ready:
        """What is ready; if nothing is, time passes, at most by `timeout`."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.busy():
            return self._wait("a thread of this loop neither ended nor slept on the clock")
        moments = [] if timeout is None else [self._after(timeout)]
        if (first := self._clock.next_ns) is not None:
            moments.append(first)
        if moments:
            self._clock.advance(max(0, min(moments) - self._clock.now_ns()) / 1e9)
            return super().select(0)
        if _strangers():
            return self._wait("nothing was ready, and nobody waits for the clock")
        raise RuntimeError(
            "deadlock: every task waits for something that neither the clock nor another thread will bring"
        )

    def _after(self, timeout: float) -> int:
        # Via the absolute time: what the loop subtracted to get `timeout` is added again, and the rounding with it.
        return max(round((self._clock.time() + timeout) * 1e9), self._clock.now_ns() + 1)

    def _wait(self, what: str) -> _Ready:
        ready = super().select(self._patience)
        if not ready:
            raise RuntimeError(
                f"{what} for {self._patience:g} s of real time; in threads, sleep with clock.sleep(), "
                "or give the loop more patience"
            )
        return ready


def _strangers() -> bool:
    """Whether there are threads that might wake the loop."""
    me = threading.current_thread()
    return any(thread is not me and not thread.name.startswith(POOL) for thread in threading.enumerate())
