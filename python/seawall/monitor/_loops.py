"""Evaluating again and again: in a thread, or as a task."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Self

from seawall.clock import Bell, Clock
from seawall.errors import ConfigError


class Loops(ABC):
    """What `start`, `stop` and `run_async` are for any engine that has `evaluate`."""

    def __init__(self, name: str, clock: Clock, every: float) -> None:
        self.clock = clock
        self._name = name
        self._every_ns = round(every * 1e9)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._bell = Bell()

    @abstractmethod
    def evaluate(self) -> object:
        """Look once."""

    def start(self) -> Self:
        """Evaluate in a daemon thread until `stop`.

        Raises:
            ConfigError: it runs already.
        """
        if self._thread is not None and self._thread.is_alive():
            raise ConfigError("it runs already; stop() it before it is started again")
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, once the evaluation under way is done; what it has started runs on."""
        self._stopping.set()
        self._bell.ring()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    async def run_async(self) -> None:
        """Evaluate in this task until it is cancelled."""
        while True:
            self.evaluate()
            await self.clock.sleep_async(self._every_ns / 1e9)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.evaluate()
            until = self.clock.now_ns() + self._every_ns
            while not self._stopping.is_set() and self.clock.now_ns() < until:
                self.clock.park(self._bell, until)
