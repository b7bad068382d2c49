"""Sending kept traces elsewhere, from a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from datetime import timedelta
from typing import Any, NamedTuple
from weakref import WeakSet

from seawall._core.tracing import Batch
from seawall.clock import SystemClock, to_ns
from seawall.guard.retry import Exponential, Retry
from seawall.measure import Counter
from seawall.patterns import Options, option

_log = logging.getLogger("seawall.observe")
_clock = SystemClock()


class ExporterOptions(Options):
    """What bounds an exporter."""

    interval: float | timedelta = option(
        default=1.0, unit="s", above=0, most=3_600, help="longest time that spans wait for others to go with them"
    )
    max_batch: int = option(default=512, least=1, most=100_000, help="spans from which on they wait no longer")
    max_queue: int = option(default=10_000, least=1, most=10_000_000, help="spans that wait at most; more are lost")


class ExporterStats(NamedTuple):
    """A snapshot of one exporter, in spans.

    Attributes:
        offered: Given to it.
        sent: Taken by the other side.
        lost: Neither sent nor waiting: the queue was full, the other side refused, or did not answer in time.
        waiting: Not sent yet.
        failures: Attempts to send that failed.
        last_failure: What the last of them said; "" when there was none.
    """

    offered: int
    sent: int
    lost: int
    waiting: int
    failures: int
    last_failure: str


class Exporter:
    """Sends batches in a thread that starts with the first of them. Subclasses say how, in `send`.

    Guarantees: `offer` neither waits nor raises; what finds no room, or is given up after `retry`, is lost and counted:
    offered = sent + lost + waiting. A forked child starts empty, so that nothing is sent by two.

    Thread safety: yes.

    Args:
        retry: Decides on further attempts; by default five, over some seconds. A `retry_after` of an error is kept to.
        options: Those of ExporterOptions: interval, max_batch and max_queue.
    """

    def __init__(self, *, retry: Retry | None = None, **options: Any) -> None:
        self.options = ExporterOptions.from_dict(options)
        self._retry = retry or Retry(5, on=is_worth_it, backoff=Exponential(1.0), name="export")
        self._closing = False
        self._interval = to_ns(self.options.interval, "interval") / 1e9
        self._forget()
        _exporters.add(self)

    def send(self, batches: list[Batch]) -> int:
        """Send, or raise; how many of the spans the other side took. Called in the exporter's thread."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to send")

    def _forget(self) -> None:
        """Begin with nothing: at first, and in a forked child."""
        self._queue: deque[Batch] = deque()
        self._offered, self._full = Counter(), Counter()
        self._taken = self._sent = self._given_up = self._failures = 0
        self._last_failure = ""
        self._failing = False
        self._thread: threading.Thread | None = None
        self._urgent = 0  # send at once until so many of those offered are done
        self._wake = threading.Event()
        self._done = threading.Condition()

    def offer(self, batch: Batch, /) -> None:
        """Take ended spans of a trace; without room they are lost."""
        count = len(batch)
        if self._closing or self._waiting() + count > self.options.max_queue:
            self._full.inc(count)
            return
        self._offered.inc(count)
        self._queue.append(batch)
        if self._thread is None:
            self._start()
        if self._waiting() >= self.options.max_batch:
            self._wake.set()

    def _waiting(self) -> int:
        return self._offered.value - self._taken

    def _start(self) -> None:
        with self._done:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"seawall-{type(self).__name__}", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the interpreter is ending, or has no thread left
                    self._thread = None

    def _run(self) -> None:
        while not (self._closing and not self._queue):
            if not (self._closing or self._taken < self._urgent):
                self._wake.wait(self._interval)
            self._wake.clear()
            while batches := self._next():
                self._deliver(batches)

    def _next(self) -> list[Batch]:
        batches: list[Batch] = []
        count = 0
        while self._queue and count < self.options.max_batch:
            batches.append(self._queue.popleft())
            count += len(batches[-1])
        return batches

    def _deliver(self, batches: list[Batch]) -> None:
        count = sum(map(len, batches))
        sent = self._attempts(batches)
        with self._done:
            self._sent += sent
            self._given_up += count - sent
            self._taken += count
            self._done.notify_all()

    def _attempts(self, batches: list[Batch]) -> int:
        began, attempt, wait = _clock.now_ns(), 1, 0.0
        while True:
            try:
                sent = self.send(batches)
            except Exception as error:  # noqa: BLE001 -- whatever goes wrong here must not end the thread
                self._note(error)
                elapsed = (_clock.now_ns() - began) / 1e9
                decided = self._retry.decide(error, attempt=attempt, elapsed=elapsed, previous=wait)
            else:
                self._sends_again()
                return sent
            if isinstance(decided, str) or self._closing:
                return 0
            wait = decided
            attempt += 1
            self._pause(wait)

    def _pause(self, seconds: float) -> None:
        """Wait before the next attempt; closing ends it, for one last try."""
        end = _clock.now_ns() + round(seconds * 1e9)
        while not self._closing and (left := end - _clock.now_ns()) > 0:
            self._wake.wait(left / 1e9)
            self._wake.clear()

    def _note(self, error: Exception) -> None:
        self._failures += 1
        self._last_failure = f"{type(error).__name__}: {error}"
        if not self._failing:
            self._failing = True
            _log.warning("%s cannot send: %s", type(self).__name__, self._last_failure)

    def _sends_again(self) -> None:
        if self._failing:
            self._failing = False
            _log.warning("%s sends again; %d spans were lost", type(self).__name__, self._given_up + self._full.value)

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what was offered until now; whether it was settled, sent or lost, in time."""
        target = self._offered.value
        if self._thread is None:
            return self._taken >= target
        self._urgent = max(self._urgent, target)
        self._wake.set()
        with self._done:
            return self._done.wait_for(lambda: self._taken >= target, timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Take nothing more, and send what was taken: each batch once more at most; whether all was, in time.

        What is not settled by then is counted as lost once it is; the program need not wait for it.
        """
        self._closing = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        if thread is None or not thread.is_alive():
            while batches := self._next():  # no thread could be started, or they came while it ended
                self._deliver(batches)
        return self._waiting() == 0 and self._given_up == 0 and self._full.value == 0

    def stats(self) -> ExporterStats:
        """What it has done so far, in this process."""
        with self._done:
            full = self._full.value
            return ExporterStats(
                self._offered.value + full, self._sent, self._given_up + full, self._waiting(), self._failures,
                self._last_failure,
            )  # fmt: skip

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<{type(self).__name__}: {stats.sent} spans sent, {stats.waiting} waiting, {stats.lost} lost>"


class Refused(Exception):
    """The other side answered, and did not take what was sent.

    Args:
        message: What it said.
        is_worth_it: Whether it may take the same later.
        retry_after: Seconds it asks to wait; None when it does not say.
    """

    def __init__(self, message: str, is_worth_it: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.is_worth_it = is_worth_it
        self.retry_after = retry_after


def is_worth_it(error: BaseException) -> bool:
    """Whether sending again may help: connections that fail, and refusals that are for now."""
    import http.client

    if isinstance(error, Refused):
        return error.is_worth_it
    return isinstance(error, (OSError, http.client.HTTPException))


_exporters: WeakSet[Exporter] = WeakSet()


def _after_fork() -> None:
    for exporter in list(_exporters):
        exporter._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
