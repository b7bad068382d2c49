"""What psutil and the system say of this process and its machine. What they do not say is None."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from seawall.errors import ConfigError
from seawall.monitor.resources._reading import DiskUse, MachineUse, ProcessUse

T = TypeVar("T")


class Facts:
    """Asks psutil.

    Raises:
        ConfigError: It is not installed.
    """

    def __init__(self) -> None:
        try:
            import psutil
        except ImportError:
            raise ConfigError("resources are read through psutil; pip install 'seawall[monitor]' brings it") from None
        self._psutil: Any = psutil
        self._process = psutil.Process()

    def process(self) -> ProcessUse:
        """This process; after a fork, the child."""
        if self._process.pid != os.getpid():
            self._process = self._psutil.Process()
        process = self._process
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            switches = self._told(process.num_ctx_switches)
            transfers = self._told(process.io_counters) if hasattr(process, "io_counters") else None
            return ProcessUse(
                times.user, times.system, memory.rss, memory.vms, process.num_threads(),
                fds=self._told(process.num_fds), fds_limit=_fds_limit(),
                voluntary_switches=getattr(switches, "voluntary", None),
                involuntary_switches=getattr(switches, "involuntary", None),
                read=getattr(transfers, "read_bytes", None), written=getattr(transfers, "write_bytes", None),
            )  # fmt: skip

    def machine(self, disks: Iterable[str]) -> MachineUse:
        """The machine."""
        psutil = self._psutil
        times = self._told(psutil.cpu_times)
        memory, swap = self._told(psutil.virtual_memory), self._told(psutil.swap_memory)
        transfers, network = self._told(psutil.disk_io_counters), self._told(psutil.net_io_counters)
        return MachineUse(
            os.cpu_count() or 1, _busy(times), getattr(times, "steal", None), self._told(os.getloadavg),
            getattr(memory, "total", None), getattr(memory, "available", None),
            getattr(swap, "total", None), getattr(swap, "used", None),
            tuple(disk for disk in map(self._disk, disks) if disk is not None),
            getattr(transfers, "read_bytes", None), getattr(transfers, "write_bytes", None),
            getattr(network, "bytes_recv", None), getattr(network, "bytes_sent", None),
            _sum(network, "errin", "errout"), _sum(network, "dropin", "dropout"),
        )  # fmt: skip

    def _disk(self, path: str) -> DiskUse | None:
        found = self._told(lambda: os.statvfs(path))
        if found is None:
            return None
        return DiskUse(path, found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)

    def _told(self, ask: Callable[[], T]) -> T | None:
        """The answer; None where the system, or a sandbox, does not give it."""
        try:
            return ask()
        except (OSError, self._psutil.Error, NotImplementedError, ValueError, RuntimeError, IndexError, KeyError):
            return None


def affinity() -> int | None:
    """Processors this process may run on; None when not told."""
    try:
        return len(os.sched_getaffinity(0))
    except (OSError, AttributeError):
        return None


def _fds_limit() -> int | None:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _busy(times: Any) -> float | None:
    """All but idle; guests are counted in user already."""
    if times is None:
        return None
    working = ("user", "nice", "system", "irq", "softirq", "steal")
    return float(sum(getattr(times, name, 0.0) for name in working))


def _sum(counters: Any, *names: str) -> int | None:
    return None if counters is None else sum(getattr(counters, name) for name in names)
