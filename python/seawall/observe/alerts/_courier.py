"""Takes notifications to one channel, so that a slow one keeps nobody waiting."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from seawall.observe.alerts._evaluation import Outcome
from seawall.observe.alerts._message import Message
from seawall.observe.alerts._secrets import scrubbed

_END = None


class Courier:
    """A bounded queue and, once started, a thread for one channel.

    Thread safety: yes.
    """

    def __init__(self, name: str, channel: Any, capacity: int, report: Callable[[Outcome], None]) -> None:
        self.name = name
        self._channel = channel
        self._queue: queue.Queue[Message | None] = queue.Queue(capacity)
        self._report = report
        self._thread: threading.Thread | None = None
        self.sent = self.failed = 0

    @property
    def waiting(self) -> int:
        """How many wait to be taken."""
        return self._queue.qsize()

    def offer(self, message: Message) -> None:
        """Take it along, or report that there is no place."""
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            self._ended(message, f"{self._queue.maxsize} notifications wait already")

    def start(self) -> None:
        """Begin to take them, in a thread of its own."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name=f"seawall-alerts-{self.name}", daemon=True)
            self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Let the thread end after what waits; False when it did not in time, and goes on without anybody waiting."""
        thread = self._thread
        if thread is None:
            return True
        try:
            self._queue.put(_END, timeout=timeout)
        except queue.Full:
            return False
        thread.join(timeout)
        return not thread.is_alive()

    def drain(self) -> int:
        """Take all that wait, in the caller's thread; how many."""
        many = 0
        while True:
            try:
                message = self._queue.get_nowait()
            except queue.Empty:
                return many
            if message is not _END:
                self._take(message)
                many += 1

    def _run(self) -> None:
        while (message := self._queue.get()) is not _END:
            self._take(message)

    def _take(self, message: Message) -> None:
        try:
            self._channel.send(message)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a channel is a reason it did not arrive
            self._ended(message, said_of(error, self._channel))
        else:
            self._ended(message, "")

    def _ended(self, message: Message, error: str) -> None:
        if error:
            self.failed += 1
        else:
            self.sent += 1
        self._report(Outcome(message.notification, error))

    def __repr__(self) -> str:
        return f"<Courier of {self.name}: {self.waiting} wait, {self.sent} sent, {self.failed} failed>"


def said_of(error: BaseException, channel: Any) -> str:
    """What an error says, without the secrets of the channel."""
    return scrubbed(f"{type(error).__name__}: {error}", getattr(channel, "_secrets", ()))[:300]
