"""Signals, handed to a thread that may take locks, as a signal handler may not."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from types import FrameType
from typing import Any

from seawall.errors import ConfigError


class SignalListener:
    """Handles signals: each is told to a thread of its own; after the second the handlers from before are back.

    A handler interrupts the main thread anywhere, also where it holds a lock that the handler would wait for: so it
    only puts the number into a queue made for that.

    Args:
        told: Called with the number of each signal, in the listening thread.
    """

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self._queue: SimpleQueue[int | None] = SimpleQueue()
        self._before: dict[int, Any] = {}
        self._seen = 0
        self._installed = False
        self._passing_on = False
        self._thread: threading.Thread | None = None

    @property
    def installed(self) -> bool:
        """Whether signals are handled."""
        return self._installed

    def install(self, signals: Iterable[int]) -> None:
        """Handle signals; what handled them before is kept.

        Raises:
            ConfigError: Not in the main thread, the only one that may.
        """
        if threading.current_thread() is not threading.main_thread():
            raise ConfigError("signal handlers can be installed in the main thread only; elsewhere call begin()")
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="seawall-signals", daemon=True)
            self._thread.start()
        for number in signals:
            before = signal.getsignal(number)
            if before != self._handle:
                self._before[number] = before
                signal.signal(number, self._handle)
        self._installed = True

    def uninstall(self) -> None:
        """Handle them no more: what handled them before does so again, unless somebody else has taken over."""
        self._restore()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            if thread is not threading.current_thread():
                thread.join()

    def pass_on(self, number: int) -> bool:
        """Call what handled a signal before, and from now on with each that comes; False when that would do nothing.

        For servers whose own handler is what makes them stop. Only in the main thread.
        """
        self._passing_on = True
        return self._call_before(number, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._seen += 1
        self._queue.put(number)
        if self._passing_on:
            self._call_before(number, frame)
        if self._seen == 2:
            self._restore()

    def _call_before(self, number: int, frame: FrameType | None) -> bool:
        before = self._before.get(number)
        # Python's own for SIGINT would raise KeyboardInterrupt in the middle of an orderly shutdown.
        if not callable(before) or before is signal.default_int_handler:
            return False
        before(number, frame)
        return True

    def _restore(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, before in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, signal.SIG_DFL if before is None else before)
        self._installed = False

    def _listen(self) -> None:
        while (number := self._queue.get()) is not None:
            self._told(number)
