"""A reading as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seawall.monitor.resources._cgroup._text import Pressure
from seawall.monitor.resources._reading import Resources
from seawall.observe import Family, Sample, Snapshot

Row = tuple[str, str, str, float | None]


def metrics_of(now: Resources) -> Snapshot:
    """All there is to tell; what the system did not tell has no series."""
    families = [
        Family(f"seawall_{name}", "counter" if kind == "c" else "gauge", (Sample((), float(value)),), help, _unit(name))
        for name, kind, help, value in (*_process(now), *_container(now), *_machine(now))
        if value is not None
    ]
    families += _labelled(now)
    return Snapshot(now.at, tuple(sorted(families, key=lambda family: family.name)))


def _process(now: Resources) -> Iterator[Row]:
    process, gc = now.process, now.gc
    yield "process_cpu_seconds", "c", "Processor time of this process.", process.user + process.system
    yield "process_cpu_ratio", "g", "Of the processors it can use, since the reading before.", now.cpu_ratio
    yield "process_resident_memory_bytes", "g", "Memory this process occupies.", process.rss
    yield "process_threads", "g", "Threads of this process.", process.threads
    yield "process_open_fds", "g", "Open file descriptors.", process.fds
    yield "process_open_fds_ratio", "g", "Of those that may be open.", now.fds_ratio
    yield "process_read_bytes", "c", "From disks.", process.read
    yield "process_written_bytes", "c", "To disks.", process.written
    yield "process_involuntary_switches", "c", "Times it had to give way.", process.involuntary_switches
    yield "gc_collected_objects", "c", "Objects that garbage collection has freed.", gc.collected
    yield "gc_uncollectable_objects", "c", "Objects that it could not free.", gc.uncollectable
    yield "gc_pauses", "c", "Collections that were watched.", gc.pauses
    yield "gc_pause_seconds", "c", "Time that they took.", gc.paused
    yield "gc_pause_longest_seconds", "g", "The longest since the reading before.", gc.longest


def _container(now: Resources) -> Iterator[Row]:
    held = now.container
    yield "usable_cpus", "g", "Processors this process can use.", now.cpus
    yield "usable_memory_bytes", "g", "Memory this process can use.", now.memory_limit
    yield "memory_ratio", "g", "What counts against that memory, of it.", now.memory_ratio
    yield "container_memory_used_bytes", "g", "What counts against the container's limit.", held.memory_used
    yield "container_memory_high_bytes", "g", "Where the kernel begins to slow it down.", held.memory_high
    yield "container_periods", "c", "Periods of its quota.", held.periods
    yield "container_throttled_periods", "c", "Periods in which its quota was used up.", held.throttled_periods
    yield "container_throttled_seconds", "c", "How long its tasks had to wait.", held.throttled
    yield "container_throttled_ratio", "g", "Of its periods, since the reading before.", now.throttled_ratio
    yield "container_oom_kills", "c", "Processes killed for want of memory.", held.oom_kills
    yield "container_pids", "g", "Tasks in it.", held.pids
    yield "container_pids_limit", "g", "Tasks that may be in it.", held.pids_limit


def _machine(now: Resources) -> Iterator[Row]:
    machine = now.machine
    yield "machine_cpus", "g", "Processors of the machine.", machine.cpus
    yield "machine_busy_seconds", "c", "Time its processors worked.", machine.busy
    yield "machine_stolen_seconds", "c", "Time the hypervisor gave to others.", machine.stolen
    yield "machine_load", "g", "Tasks that ran or waited, over a minute.", machine.load[0] if machine.load else None
    yield "machine_memory_bytes", "g", "Memory of the machine.", machine.memory
    yield "machine_memory_available_bytes", "g", "That can be had without swapping.", machine.memory_available
    yield "machine_swap_used_bytes", "g", "Swap in use.", machine.swap_used
    yield "machine_disk_read_bytes", "c", "From all disks.", machine.disk_read
    yield "machine_disk_written_bytes", "c", "To all disks.", machine.disk_written
    yield "machine_received_bytes", "c", "Over all interfaces.", machine.received
    yield "machine_sent_bytes", "c", "Over all interfaces.", machine.sent
    yield "machine_network_errors", "c", "Packets that came or went wrong.", machine.network_errors
    yield "machine_network_drops", "c", "Packets that were dropped.", machine.network_drops


def _labelled(now: Resources) -> Iterator[Family]:
    disks = now.machine.disks
    generations = tuple(
        Sample((("generation", str(index)),), float(count)) for index, count in enumerate(now.gc.collections)
    )
    yield Family("seawall_gc_collections", "counter", generations, "Garbage collections.")
    if disks:
        free = tuple(Sample((("path", disk.path),), float(disk.free)) for disk in disks)
        total = tuple(Sample((("path", disk.path),), float(disk.total)) for disk in disks)
        yield Family("seawall_disk_free_bytes", "gauge", free, "Room on the disk.", "bytes")
        yield Family("seawall_disk_bytes", "gauge", total, "Size of the disk.", "bytes")
    if now.loops:
        worst = tuple(Sample((("loop", loop.name),), loop.worst) for loop in now.loops)
        yield Family("seawall_loop_lag_seconds", "gauge", worst, "Worst since the reading before.", "seconds")
    stalled = (*_stalled("machine", now.pressure), *_stalled("container", now.container.pressure))
    if stalled:
        help = "Time in which tasks stood still for want of it."
        yield Family("seawall_pressure_seconds", "counter", tuple(sorted(stalled)), help, "seconds")


def _stalled(of: str, pressure: Mapping[str, Pressure]) -> Iterator[Sample]:
    for resource, found in pressure.items():
        for kind, stalled in (("some", found.some), ("full", found.full)):
            if stalled is not None:
                yield Sample((("of", of), ("resource", resource), ("tasks", kind)), stalled.total)


def _unit(name: str) -> str:
    return next((unit for unit in ("seconds", "bytes", "ratio") if name.endswith(f"_{unit}")), "")
