"""A reading of what this process, its container and its machine use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seawall.monitor.resources._cgroup._container import Container
from seawall.monitor.resources._cgroup._text import Pressure

if TYPE_CHECKING:
    from seawall.observe import Snapshot


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """What this process uses.

    Units: memory and transfers in bytes, times in seconds since the process began. None: the system does not say.

    Args:
        user: Processor time of its own code.
        system: Processor time the kernel spent for it.
        rss: Memory it occupies.
        vms: Memory it has asked for.
        threads: Threads of the system.
        fds: Open file descriptors.
        fds_limit: How many may be open.
        voluntary_switches: Times it waited for something.
        involuntary_switches: Times it had to give way.
        read: From disks.
        written: To disks.
    """

    user: float
    system: float
    rss: int
    vms: int
    threads: int
    fds: int | None = None
    fds_limit: int | None = None
    voluntary_switches: int | None = None
    involuntary_switches: int | None = None
    read: int | None = None
    written: int | None = None


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Room on one disk. Units: bytes.

    Args:
        path: Where it was asked about.
        total: Room there is.
        free: Room for whoever is not root.
    """

    path: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class MachineUse:
    """What the machine uses.

    Units: memory and transfers in bytes, times in seconds since it was started. None: the system does not say.

    Args:
        cpus: Processors it has.
        busy: Time its processors worked, added up.
        stolen: Time the hypervisor gave to others.
        load: Tasks that ran or waited, over 1, 5 and 15 minutes.
        memory: There is.
        memory_available: That can be had without swapping.
        swap: There is.
        swap_used: In use.
        disks: Those asked about that exist.
        disk_read: From all disks.
        disk_written: To all disks.
        received: Over all interfaces.
        sent: Over all interfaces.
        network_errors: Packets that came or went wrong.
        network_drops: Packets that were dropped.
    """

    cpus: int
    busy: float | None = None
    stolen: float | None = None
    load: tuple[float, float, float] | None = None
    memory: int | None = None
    memory_available: int | None = None
    swap: int | None = None
    swap_used: int | None = None
    disks: tuple[DiskUse, ...] = ()
    disk_read: int | None = None
    disk_written: int | None = None
    received: int | None = None
    sent: int | None = None
    network_errors: int | None = None
    network_drops: int | None = None


@dataclass(frozen=True, slots=True)
class GcUse:
    """What garbage collection did.

    Units: pauses in seconds. They are counted only while they are watched.

    Args:
        collections: So far, by generation.
        collected: Objects, so far.
        uncollectable: Objects, so far.
        pauses: Collections that were watched.
        paused: Time they took.
        longest: The longest since the last reading.
    """

    collections: tuple[int, ...]
    collected: int
    uncollectable: int
    pauses: int = 0
    paused: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True, slots=True)
class LoopUse:
    """How late an event loop comes back to a timer.

    Units: seconds.

    Args:
        name: It was given.
        last: At the last tick.
        worst: Since the last reading; of a loop that stands still, up to now.
        ticks: So far.
        total: Of all ticks so far.
    """

    name: str
    last: float
    worst: float
    ticks: int
    total: float


@dataclass(frozen=True, slots=True)
class Resources:
    """One reading.

    Units: ratios are 0 to 1 of what this process may use.

    Args:
        at: When, in unix seconds.
        at_ns: When, by the monotonic clock.
        process: What this process uses.
        machine: What the machine uses.
        container: What control groups allow.
        gc: What garbage collection did.
        loops: Event loops that are watched.
        pressure: Of the machine, by "cpu", "memory" and "io".
        cpus: Processors this process can use: the least of the container's quota, its set, the process's affinity, and
            those of the machine. May be a fraction.
        memory_limit: Memory this process can use: the container's limit, or the machine's.
        cpu_ratio: Processor time of this process since the reading before, of what `cpus` gave; None for the first.
        memory_ratio: Memory that counts against `memory_limit`, of it; None when not told.
        fds_ratio: Open file descriptors, of those that may be; None when not told.
        throttled_ratio: Periods since the reading before in which the quota was used up; None when not told.
    """

    at: float
    at_ns: int
    process: ProcessUse
    machine: MachineUse
    container: Container
    gc: GcUse
    loops: tuple[LoopUse, ...] = ()
    pressure: dict[str, Pressure] = field(default_factory=dict)
    cpus: float = 1.0
    memory_limit: int | None = None
    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    fds_ratio: float | None = None
    throttled_ratio: float | None = None

    def snapshot(self) -> Snapshot:
        """The reading as metrics."""
        from seawall.monitor.resources._metrics import metrics_of

        return metrics_of(self)
