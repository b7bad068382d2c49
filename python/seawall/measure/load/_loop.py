"""An event loop whose timers are finer than a millisecond."""

from __future__ import annotations

import asyncio
import select
import selectors
import sys

# select() takes file numbers below this only; the loop's own is one of the first that a process opens.
_SELECT_LIMIT = 1024


if sys.platform == "linux":

    class _FineSelector(selectors.EpollSelector):
        """Waits with select(), which counts in microseconds, on the epoll object, which is itself a file."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is not None and timeout > 0 and self.fileno() < _SELECT_LIMIT:
                select.select([self.fileno()], [], [], timeout)
                timeout = 0
            return super().select(timeout)
else:
    _FineSelector = selectors.DefaultSelector


def fine_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop that wakes within about 0.1 ms of its timers.

    epoll counts in whole milliseconds and asyncio rounds up, so requests would start a millisecond late: as long as a
    fast service takes to answer. Elsewhere than on Linux the default selector is fine already.
    """
    return asyncio.SelectorEventLoop(_FineSelector())
