"""A worker's end of the pipe to its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from seawall.measure.load.workers._messages import ToParent, ToWorker

# A process that was forked from the parent can hold the pipe open after the parent's death, so that is asked as well.
_ASK_EVERY = 1.0
# How long a worker without a parent may take to end in order, in seconds.
ORPHAN_PATIENCE = 5.0


class Link:
    """Hears the parent in a thread, so that its death is noticed however busy the event loop is.

    A worker whose parent is gone ends in order, and is ended if that takes too long.
    """

    def __init__(self, pipe: Connection, parent: int) -> None:
        self._pipe, self._parent = pipe, parent
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hear: Callable[[ToWorker | None], None] = lambda _: None
        threading.Thread(target=self._listen, daemon=True, name="seawall-load-link").start()

    def attach(self, hear: Callable[[ToWorker | None], None]) -> None:
        """Call `hear` in this event loop with each message, and with None once the parent is gone."""
        self._hear = hear
        self._loop = asyncio.get_running_loop()

    def tell(self, message: ToParent) -> None:
        """Tell the parent, if there still is one."""
        with contextlib.suppress(OSError):
            self._pipe.send(message)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                if self._pipe.poll(_ASK_EVERY):
                    self._pass_on(self._pipe.recv())
                elif os.getppid() != self._parent:
                    break
        if self._loop is not None:
            self._pass_on(None)
            threading.Event().wait(ORPHAN_PATIENCE)
        os._exit(1)

    def _pass_on(self, message: ToWorker | None) -> None:
        # A loop that is closed has nothing to be told any more.
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._hear, message)
