"""What follows from readings. Pure."""

from __future__ import annotations

from dataclasses import replace

from seawall.monitor.resources._cgroup._container import Container
from seawall.monitor.resources._reading import Resources


def usable_cpus(container: Container, affinity: int | None, machine: int) -> float:
    """Processors that can be used, at least a hundredth of one."""
    found = [one for one in (container.cpu_limit, container.cpuset, affinity, machine) if one is not None and one > 0]
    return max(0.01, float(min(found, default=1)))


def usable_memory(container: Container, machine: int | None) -> int | None:
    """Memory that can be used; a limit above what the machine has is none."""
    found = [one for one in (container.memory_limit, machine) if one is not None]
    return min(found, default=None)


def with_ratios(now: Resources, before: Resources | None) -> Resources:
    """The reading with all that needs a limit or the reading before it."""
    process = now.process
    fds = process.fds / process.fds_limit if process.fds is not None and process.fds_limit else None
    return replace(
        now,
        memory_ratio=_memory_ratio(now),
        fds_ratio=fds,
        cpu_ratio=_cpu_ratio(now, before),
        throttled_ratio=_throttled_ratio(now.container, before.container if before is not None else None),
    )


def _memory_ratio(now: Resources) -> float | None:
    """Of a container's limit the container's use, whose other processes count too; else the machine's."""
    limit, machine = now.memory_limit, now.machine
    if not limit:
        return None
    if now.container.memory_limit is not None and now.container.memory_limit <= limit:
        used = now.container.memory_used if now.container.memory_used is not None else now.process.rss
    elif machine.memory is not None and machine.memory_available is not None:
        used = machine.memory - machine.memory_available
    else:
        used = now.process.rss
    return used / limit


def _cpu_ratio(now: Resources, before: Resources | None) -> float | None:
    if before is None or now.at_ns <= before.at_ns:
        return None
    used = now.process.user + now.process.system - before.process.user - before.process.system
    return max(0.0, used / ((now.at_ns - before.at_ns) / 1e9 * now.cpus))


def _throttled_ratio(now: Container, before: Container | None) -> float | None:
    if before is None or None in (now.periods, before.periods, now.throttled_periods, before.throttled_periods):
        return None
    periods = (now.periods or 0) - (before.periods or 0)
    throttled = (now.throttled_periods or 0) - (before.throttled_periods or 0)
    # A process that was moved to another group counts anew there.
    return throttled / periods if periods > 0 and 0 <= throttled <= periods else None
