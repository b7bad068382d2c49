"""What the control groups of this process allow it, and what is used of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from seawall.monitor.resources._cgroup._places import Places, memberships, mounts, places
from seawall.monitor.resources._cgroup._text import Pressure, cpu_max, cpuset, fields, number, pressure, quota

_KINDS = ("cpu", "memory", "io")


@dataclass(frozen=True, slots=True)
class Container:
    """Limits of the container, pod, slice or service this process is in: of all groups above it, the tightest.

    Units: memory in bytes, times in seconds since the group was made. None: no limit, or not told.

    Args:
        version: Of control groups: "v1", "v2", "hybrid" (both), or "none".
        path: Of the process's own group.
        cpu_limit: Processors it may use on average, such as 0.5.
        cpuset: Processors it may run on.
        memory_limit: Beyond it the kernel kills.
        memory_high: Beyond it the kernel slows down and takes back.
        memory_used: What counts against the limit and cannot simply be taken back (without inactive file cache), in
            the group whose limit is the tightest.
        pids_limit: Tasks, threads among them.
        pids: Tasks in the group whose limit is the tightest.
        periods: Periods of the quota so far.
        throttled_periods: Those in which it was used up, and tasks had to wait.
        throttled: How long they waited.
        oom_kills: Processes the kernel has killed for want of memory.
        pressure: By "cpu", "memory" and "io", of the process's own group; version 2 only.
    """

    version: str = "none"
    path: str = "/"
    cpu_limit: float | None = None
    cpuset: int | None = None
    memory_limit: int | None = None
    memory_high: int | None = None
    memory_used: int | None = None
    pids_limit: int | None = None
    pids: int | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled: float | None = None
    oom_kills: int | None = None
    pressure: dict[str, Pressure] = field(default_factory=dict)


class _Cpu(NamedTuple):
    limit: float | None = None
    periods: int | None = None
    throttled_periods: int | None = None
    throttled: float | None = None


class _Memory(NamedTuple):
    limit: int | None = None
    high: int | None = None
    used: int | None = None
    oom_kills: int | None = None


Read = Callable[[str], str | None]


def reader(root: Path) -> Read:
    """Reads files of the machine, or of a tree that was recorded from one."""

    def read(path: str) -> str | None:
        try:
            # Some files of the kernel say more than anybody needs; none needed here is long.
            with (root / path.lstrip("/")).open("r", encoding="utf-8", errors="replace") as file:
                return file.read(1 << 20)
        except (OSError, ValueError):  # ValueError: a NUL in a path
            return None

    return read


def container(read: Read) -> Container:
    """What is allowed now."""
    where = find(read)
    one, two = where.by_controller, where.unified
    cpu = _cpu_v1(read, one["cpu"]) if "cpu" in one else _cpu_v2(read, two)
    memory = _memory_v1(read, one["memory"]) if "memory" in one else _memory_v2(read, two)
    pids_limit, at = _tightest(one.get("pids", two), lambda place: number(read(f"{place}/pids.max")))
    found = {kind: pressure(read(f"{two[0]}/{kind}.pressure")) for kind in _KINDS} if two else {}
    return Container(
        _version(where), where.path, cpu.limit, _cpuset(read, where), memory.limit, memory.high, memory.used,
        pids_limit, number(read(f"{at}/pids.current")), cpu.periods, cpu.throttled_periods, cpu.throttled,
        memory.oom_kills, {kind: stalled for kind, stalled in found.items() if stalled is not None},
    )  # fmt: skip


def find(read: Read) -> Places:
    """Where this process is."""
    member = memberships(read("/proc/self/cgroup") or "")
    return places(member, mounts(read("/proc/self/mountinfo") or ""))


def _version(where: Places) -> str:
    resources = {"cpu", "memory", "pids", "cpuset"} & set(where.by_controller)
    if resources:
        return "hybrid" if where.unified else "v1"
    return "v2" if where.unified else "none"


def _tightest(chain: Iterable[str], limit_of: Callable[[str], int | None]) -> tuple[int | None, str]:
    """The least limit, and the directory it is in: the process's own where there is none."""
    limits = [(limit_of(place), place) for place in chain]
    least = min((limit for limit, _ in limits if limit is not None), default=None)
    return least, next((place for limit, place in limits if limit == least), "")


def _cpu_v2(read: Read, chain: tuple[str, ...]) -> _Cpu:
    limits = [(cpu_max(read(f"{place}/cpu.max")), place) for place in chain]
    limit, place = min(((one, place) for one, place in limits if one is not None), default=(None, ""))
    stat = fields(read(f"{place or next(iter(chain), '')}/cpu.stat"))
    waited = stat.get("throttled_usec")
    throttled = None if waited is None else waited / 1e6
    return _Cpu(limit, stat.get("nr_periods"), stat.get("nr_throttled"), throttled)


def _cpu_v1(read: Read, chain: tuple[str, ...]) -> _Cpu:
    limits = [(quota(read(f"{place}/cpu.cfs_quota_us"), read(f"{place}/cpu.cfs_period_us")), place) for place in chain]
    limit, place = min(((one, place) for one, place in limits if one is not None), default=(None, chain[0]))
    stat = fields(read(f"{place}/cpu.stat"))
    waited = stat.get("throttled_time")
    return _Cpu(limit, stat.get("nr_periods"), stat.get("nr_throttled"), None if waited is None else waited / 1e9)


def _memory_v2(read: Read, chain: tuple[str, ...]) -> _Memory:
    limit, place = _tightest(chain, lambda place: number(read(f"{place}/memory.max")))
    high, _ = _tightest(chain, lambda place: number(read(f"{place}/memory.high")))
    used = number(read(f"{place}/memory.current"))
    stat = fields(read(f"{place}/memory.stat"))
    events = fields(read(f"{place}/memory.events"))
    return _Memory(limit, high, _working(used, stat.get("inactive_file")), events.get("oom_kill"))


def _memory_v1(read: Read, chain: tuple[str, ...]) -> _Memory:
    limit, place = _tightest(chain, lambda place: number(read(f"{place}/memory.limit_in_bytes")))
    stat = fields(read(f"{place}/memory.stat"))
    # Knows also of groups above those that are mounted here.
    above = fields(read(f"{chain[0]}/memory.stat")).get("hierarchical_memory_limit")
    limit = min((one for one in (limit, above) if one is not None), default=None)
    used = number(read(f"{place}/memory.usage_in_bytes"))
    inactive = stat.get("total_inactive_file", stat.get("inactive_file"))
    kills = fields(read(f"{place}/memory.oom_control")).get("oom_kill")
    return _Memory(limit, None, _working(used, inactive), kills)


def _working(used: int | None, inactive: int | None) -> int | None:
    return None if used is None else max(0, used - (inactive or 0))


def _cpuset(read: Read, where: Places) -> int | None:
    if (chain := where.by_controller.get("cpuset")) is not None:
        names = ["cpuset.effective_cpus", "cpuset.cpus"]
    else:
        chain, names = where.unified, ["cpuset.cpus.effective"]
    for place in chain:
        for name in names:
            if (count := cpuset(read(f"{place}/{name}"))) is not None:
                return count
    return None
