"""In which control groups a process is, and in which directories they are seen. Pure: texts in, paths out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_OCTAL = re.compile(r"\\([0-7]{3})")


class Membership(NamedTuple):
    """A line of /proc/self/cgroup.

    Attributes:
        controllers: Of version 1; none for version 2.
        path: Within the hierarchy, as this process's namespace sees it.
    """

    controllers: frozenset[str]
    path: str


class Mount(NamedTuple):
    """A control group file system of /proc/self/mountinfo.

    Attributes:
        version: 1 or 2.
        root: The group that is seen at its top.
        point: Where it is mounted.
        options: Of the file system: of version 1 the controllers are among them.
    """

    version: int
    root: str
    point: str
    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of this process's groups, its own first, then those above it as far as they are seen.

    Args:
        unified: Of version 2; empty when there is none.
        by_controller: Of version 1, by controller.
        path: Of its own group, for people.
    """

    unified: tuple[str, ...]
    by_controller: dict[str, tuple[str, ...]]
    path: str


def memberships(text: str) -> tuple[Membership, ...]:
    """Lines of /proc/self/cgroup; others are left out."""
    found = []
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3 and parts[2].startswith("/"):
            # A group that was removed under its processes is marked so.
            path = parts[2].removesuffix(" (deleted)")
            found.append(Membership(frozenset(filter(None, parts[1].split(","))), path))
    return tuple(found)


def mounts(text: str) -> tuple[Mount, ...]:
    """Control group file systems among the lines of /proc/self/mountinfo."""
    found = []
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        left, right = before.split(), after.split()
        if dash and len(left) >= 6 and len(right) >= 3 and right[0] in ("cgroup", "cgroup2"):
            options = frozenset(right[2].split(","))
            found.append(Mount(1 if right[0] == "cgroup" else 2, _plain(left[3]), _plain(left[4]), options))
    return tuple(found)


def places(membership: tuple[Membership, ...], mounted: tuple[Mount, ...]) -> Places:
    """The directories of a process's groups."""
    unified: tuple[str, ...] = ()
    by_controller: dict[str, tuple[str, ...]] = {}
    for member in membership:
        if not member.controllers:
            unified = unified or _seen(member.path, [mount for mount in mounted if mount.version == 2])
        for controller in member.controllers:
            there = [mount for mount in mounted if mount.version == 1 and controller in mount.options]
            if seen := _seen(member.path, there):
                by_controller[controller] = seen
    return Places(unified, by_controller, _path(membership))


def _path(membership: tuple[Membership, ...]) -> str:
    """The longest: where several hierarchies are in use, those not used are at their top."""
    return max((member.path for member in membership), key=len, default="/")


def _seen(path: str, mounted: list[Mount]) -> tuple[str, ...]:
    """Directories from the group at `path` to the top of the mount that shows it best."""
    best: tuple[str, ...] = ()
    for mount in mounted:
        below = _below(path, mount.root)
        chain = _chain(mount.point, below or "")
        if below is not None and len(chain) > len(best):
            best = chain
    # Outside of all that is mounted (a bind mount of another group, a namespace's "/.."): the top is the nearest seen.
    return best or (_chain(mounted[0].point, "") if mounted else ())


def _below(path: str, root: str) -> str | None:
    """What is left of a path below a root; None when it is not below it."""
    if ".." in path.split("/"):
        return None
    root = root.rstrip("/")
    return path[len(root) :].strip("/") if path == root or path.startswith(root + "/") else None


def _chain(point: str, below: str) -> tuple[str, ...]:
    names = [name for name in below.split("/") if name]
    base = point.rstrip("/")
    return tuple("/".join([base, *names[:depth]]) or "/" for depth in range(len(names), -1, -1))


def _plain(text: str) -> str:
    """Spaces and the like are octal in mountinfo."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
