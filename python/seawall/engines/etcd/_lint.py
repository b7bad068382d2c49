"""Versions and settings of a cluster: what cannot be used, and what can lose data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seawall.engines._findings import Finding
from seawall.engines.etcd import _messages as m
from seawall.engines.etcd._watching import is_mended, version_of
from seawall.errors import Damaged, EngineError, ReadOnly, Unavailable, WrongVersion

OLDEST = (3, 4)
_SURVIVES: Mapping[tuple[int, ...], tuple[int, ...]] = {(3, 4): (3, 4, 23), (3, 5): (3, 5, 7)}
_INCONSISTENT = ((3, 5, 0), (3, 5, 2))
_USUAL_QUOTA = 2 << 30
_LONG = 100_000
_SHARE = 0.8


def usable(status: Any, name: str) -> None:
    """Go on only with a member that can carry our ports, from its status.

    Raises:
        WrongVersion: It is too old.
        ReadOnly: It is a learner.
        Unavailable: It has no leader.
    """
    if version_of(status.version)[:2] < OLDEST:
        raise WrongVersion(f"{name} runs etcd {status.version}; use 3.4 or newer")
    if status.is_learner:
        raise ReadOnly(f"{name} is a learner, which takes no changes; name members in the URL that vote")
    if not status.leader:
        raise Unavailable(f"{name} has no leader; see that more than half of its members run and reach each other")


def sound(alarms: Any, name: str) -> None:
    """Go on only with data that the members agree about.

    Raises:
        Damaged: They do not.
    """
    if any(each.alarm == m.CORRUPT for each in alarms.alarms):
        raise Damaged(
            f"{name} has the alarm CORRUPT: its members disagree about the data; find the one that is wrong, replace "
            "it, then disarm the alarm (etcdctl alarm disarm)"
        )


def fragile(version: str) -> Finding | None:
    """What is found of a version that stops at what we ask.

    Source: issues 14110 and 14891 of etcd.
    """
    if not version or is_mended(version, _SURVIVES):
        return None
    return Finding(
        "version", version, "a member panics at times when whoever asked for a transaction that only reads goes away, "
        "as our clients do when a call is cancelled or takes too long", "upgrade to 3.5.7 or newer (3.4.23 of 3.4)",
    )  # fmt: skip


def tell_of_version(version: str, name: str) -> None:
    """Log what is found of it, to the logger "seawall"."""
    if (found := fragile(version)) is not None:
        import logging

        logging.getLogger("seawall").warning("%s: %s", name, found)


def findings(status: Any, alarms: Any, members: Any, *, compacted: bool) -> Iterator[Finding]:
    """What can lose data, or keep it from being written.

    Args:
        status: Of the member that we are connected to.
        alarms: Of all members.
        members: Of the cluster.
        compacted: Whether its history was ever cut.
    """
    if _INCONSISTENT[0] <= version_of(status.version) <= _INCONSISTENT[1]:
        yield Finding(
            "version", status.version, "a member that was killed may come back with other data than the rest "
            "(3.5.0 to 3.5.2)", "upgrade to 3.5.3 or newer",
        )  # fmt: skip
    if (panics := fragile(status.version)) is not None:
        yield panics
    voting = [member for member in members.members if not member.is_learner]
    if len(voting) < 3:
        yield Finding(
            "members", str(len(voting)), "the cluster stops when one member does, and a lost disk is lost data",
            "run three or five, on machines of their own",
        )  # fmt: skip
    if any(each.alarm == m.NO_SPACE for each in alarms.alarms):
        yield Finding(
            "alarm", "NOSPACE", "nothing can be written any more",
            "compact and defragment each member, or raise quota-backend-bytes, then etcdctl alarm disarm",
        )  # fmt: skip
    if not compacted and status.header.revision >= _LONG:
        yield Finding(
            "auto-compaction-retention", f"off, it seems, with {status.header.revision:,} revisions kept",
            "history grows until the quota is used up, and then nothing can be written",
            "set auto-compaction-mode and auto-compaction-retention, for example periodic and 1h",
        )  # fmt: skip
    quota = status.db_size_quota or _USUAL_QUOTA
    if status.db_size > _SHARE * quota:
        whose = "its quota" if status.db_size_quota else "the usual quota"
        yield Finding(
            "db size", f"{status.db_size:,} of {quota:,} bytes, {whose}", "nothing can be written once it is used up",
            "compact and defragment each member, or raise quota-backend-bytes",
        )  # fmt: skip


def open_to_all() -> Finding:
    """What is found when credentials were not wanted."""
    return Finding(
        "auth", "off", "whoever reaches the server can change everything, our user and password are not asked for",
        "etcdctl auth enable",
    )  # fmt: skip


def unseen(error: EngineError) -> Finding:
    """What is found when the server does not tell about itself."""
    return Finding(
        "status", "not allowed", f"whether data can be lost is not known ({error})",
        "let this user ask for the status, alarms and members",
    )  # fmt: skip
