"""What pushes metrics again and again, so that nobody else waits for it."""

from __future__ import annotations

import threading
from typing import Any, Protocol, Self

from seawall.clock import Bell, Clock, SystemClock, to_ns
from seawall.errors import ConfigError


class Pushes(Protocol):
    """What a pusher calls: an `Otlp`, a `Statsd`, or anything with this method. It may have `close()`, too."""

    def push(self) -> Any:
        """Send what there is now."""


class Pusher:
    """A thread that pushes in equal steps, and once more when it stops; then it closes what it pushed by.

    Guarantees: whoever counts never waits for a push. A push that raises is counted in `failures`, kept in
    `last_error`, and tried again a step later. In a forked child nothing is pushed until it starts its own.
    Thread safety: any thread starts and stops it.

    Args:
        target: What is to be pushed.
        every: Seconds from one push to the next, from 0.1 to a day.
        clock: What says when.

    Raises:
        ConfigError: `every` is out of range.

    Example:
        >>> from seawall.observe import Snapshot
        >>> from seawall.observe.export import Statsd
        >>> with Pusher(Statsd("udp://127.0.0.1:8125", Snapshot(0.0)), every=10) as pusher:
        ...     pass
        >>> pusher.failures
        0
    """

    def __init__(self, target: Pushes, *, every: float = 15.0, clock: Clock | None = None) -> None:
        if isinstance(every, bool) or not isinstance(every, (int, float)) or not 0.1 <= every <= 86_400:
            raise ConfigError(f"every must be 0.1 to 86,400 seconds, got {every!r}; 15 is the default")
        self._target = target
        self._step_ns = to_ns(every, "every", least_ns=1)
        self._clock = SystemClock() if clock is None else clock
        self._lock = threading.Lock()
        self._bell = Bell()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self.pushes = 0
        self.failures = 0
        self.last_error: Exception | None = None

    def start(self) -> Self:
        """Begin; nothing where it runs."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._ending, self._bell = threading.Event(), Bell()
                arguments = (self._ending, self._bell)
                self._thread = threading.Thread(target=self._run, args=arguments, name="seawall-pusher", daemon=True)
                self._thread.start()
        return self

    def stop(self, timeout: float | None = 30.0) -> bool:
        """Push a last time and end; False where that took longer than `timeout` seconds and goes on."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return True
        self._ending.set()
        self._bell.ring()
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self, ending: threading.Event, bell: Bell) -> None:
        due = self._clock.now_ns()
        while not ending.is_set():
            # Steps that were missed are left out, not made up for.
            missed = max(0, self._clock.now_ns() - due) // self._step_ns
            due += (missed + 1) * self._step_ns
            while not ending.is_set() and self._clock.now_ns() < due:
                self._clock.park(bell, due)
            self._push()
        close = getattr(self._target, "close", None)
        if close is not None:
            close()

    def _push(self) -> None:
        try:
            self._target.push()
        except Exception as error:  # noqa: BLE001 - whatever a source or a socket raises, the next push is due
            self.failures += 1
            self.last_error = error
        else:
            self.pushes += 1

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
