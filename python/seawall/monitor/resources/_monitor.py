"""Reads resources, once or again and again."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from seawall.clock import Bell, Clock, SystemClock, WallClock, to_ns
from seawall.errors import ConfigError
from seawall.monitor.resources._cgroup._container import Container, container, reader
from seawall.monitor.resources._cgroup._text import pressure
from seawall.monitor.resources._facts import Facts, affinity
from seawall.monitor.resources._judge import usable_cpus, usable_memory, with_ratios
from seawall.monitor.resources._reading import Resources
from seawall.monitor.resources._watching import GcWatch, LoopWatch
from seawall.observe import Snapshot
from seawall.patterns import Signal

_WALL = WallClock()
_LEAST_NS = 50_000_000


class ResourceMonitor:
    """Reads what this process, its container and its machine use; every `interval` between `start()` and `stop()`.

    Guarantees: nothing runs before `start()`. A reading takes what can be had: what the system or a sandbox does not
    tell is None in it, and no reading fails for that. After a fork the child's monitor is stopped.

    Thread safety: yes. Cost: about a millisecond a reading; of a watched loop one timer each 100 ms.

    Args:
        interval: Between readings, in seconds, 0.05 to 3,600.
        disks: Paths whose disks are looked at.
        root: Where /proc and /sys are, for an agent that has the host's mounted elsewhere; only pressure and control
            groups are read there.
        clock: What measures time.

    Raises:
        ConfigError: An option is wrong, or psutil is not installed.

    Example:
        >>> resources = ResourceMonitor().read()
        >>> resources.process.threads >= 1 and resources.cpus > 0
        True
    """

    def __init__(
        self,
        *,
        interval: float | timedelta = 5.0,
        disks: Iterable[str | os.PathLike[str]] = ("/",),
        root: str | os.PathLike[str] = "/",
        clock: Clock | None = None,
    ) -> None:
        self._interval_ns = to_ns(interval, "interval", least_ns=_LEAST_NS, most_ns=3_600_000_000_000)
        self._disks = _checked(disks)
        self._read = reader(Path(root))
        self._clock = clock or SystemClock()
        self._facts = Facts()
        self._gc = GcWatch(self._clock)
        self._loops: tuple[LoopWatch, ...] = ()
        self._lock = threading.Lock()
        self._latest: Resources | None = None
        self._thread: threading.Thread | None = None
        self._bell = Bell()
        self._pid = os.getpid()
        self.sampled: Signal[Resources] = Signal("resources.sampled", Resources)

    @property
    def latest(self) -> Resources | None:
        """The last reading; None before the first."""
        return self._latest

    @property
    def running(self) -> bool:
        """Whether it reads by itself."""
        thread = self._thread
        return thread is not None and thread.is_alive() and self._pid == os.getpid()

    def read(self) -> Resources:
        """Read now. Ratios over time are since the reading before, whoever asked for it."""
        with self._lock:
            resources = with_ratios(self._reading(), self._latest)
            self._latest = resources
        self.sampled.send(resources)
        return resources

    def snapshot(self) -> Snapshot:
        """The last reading as metrics; the first is made now."""
        return (self._latest or self.read()).snapshot()

    def start(self) -> Self:
        """Read now and then every `interval`, in a daemon thread, and watch garbage collection. Again: nothing."""
        with self._lock:
            if self.running:
                return self
            self._pid = os.getpid()
            self._bell = Bell()
            self._gc.start()
            self._thread = threading.Thread(target=self._run, args=(self._bell,), name="seawall-resources", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Read no more by itself, and watch nothing; waits until the thread has ended."""
        thread, bell = self._thread, self._bell
        self._thread = None
        self._gc.stop()
        for loop in self._loops:
            loop.stop()
        self._loops = ()
        bell.ring()
        if thread is not None and self._pid == os.getpid() and thread is not threading.current_thread():
            thread.join()

    def watch_loop(self, name: str = "main", *, every: float | timedelta = 0.1) -> None:
        """Watch the lag of the event loop that runs here, until `stop()` or until it is closed.

        Args:
            name: What readings call it.
            every: Between looks, in seconds, 0.001 to 60.

        Raises:
            ConfigError: No loop runs here, or one of that name is watched.
        """
        every_ns = to_ns(every, "every", least_ns=1_000_000, most_ns=60_000_000_000)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigError("watch_loop() watches the event loop it is called in; call it in a coroutine") from None
        with self._lock:
            alive = tuple(watch for watch in self._loops if not watch.over)
            if any(watch.name == name for watch in alive):
                raise ConfigError(f"a loop {name!r} is watched already; give this one another name")
            self._loops = (*alive, LoopWatch(loop, name, every_ns, self._clock))

    def _run(self, bell: Bell) -> None:
        while self._bell is bell and self._thread is not None:
            self.read()
            until = self._clock.now_ns() + self._interval_ns
            while self._thread is not None and self._bell is bell and self._clock.now_ns() < until:
                self._clock.park(bell, until)

    def _reading(self) -> Resources:
        held = container(self._read)
        machine = self._facts.machine(self._disks)
        found = {kind: pressure(self._read(f"/proc/pressure/{kind}")) for kind in ("cpu", "memory", "io")}
        return Resources(
            _WALL.now_ns() / 1e9,
            self._clock.now_ns(),
            self._facts.process(),
            machine,
            held,
            self._gc.use(),
            tuple(watch.use() for watch in self._loops if not watch.over),
            {kind: stalled for kind, stalled in found.items() if stalled is not None},
            usable_cpus(held, affinity(), machine.cpus),
            usable_memory(held, machine.memory),
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ResourceMonitor every {self._interval_ns / 1e9:g} s, {'running' if self.running else 'stopped'}>"


def container_limits(root: str | os.PathLike[str] = "/") -> Container:
    """What the control groups of this process allow it; needs no psutil.

    Args:
        root: Where /proc and /sys are.
    """
    return container(reader(Path(root)))


def _checked(disks: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    if isinstance(disks, (str, bytes)):
        raise ConfigError(f"disks must be several paths such as ('/', '/data'), got {disks!r}")
    return tuple(os.fspath(path) for path in disks)
