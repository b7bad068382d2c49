"""Settings of the server: what they promise, and which of them lose data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seawall.engines._findings import Finding
from seawall.errors import EngineError, ReadOnly, WrongVersion

OLDEST = (7, 0)
DURABLE = frozenset(("os", "disk"))
ASK_DURABILITY = ("CONFIG", "GET", "append*")
_SYNCS = {"os": ("always", "no"), "disk": ("always",)}


def mapping(reply: Any) -> dict[str, str]:
    """A list of names and values, as CONFIG GET answers."""
    words = [word.decode(errors="replace") for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))


def info(reply: bytes) -> dict[str, str]:
    """The lines of INFO."""
    lines = (line.partition(":") for line in reply.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def insist(reply: Any, durability: str, name: str) -> None:
    """Go on only with a server that keeps what the option `durability` says.

    Raises:
        EngineError: It does not, by its settings at this moment.
    """
    found = mapping(reply)
    append, sync = found.get("appendonly", "unknown"), found.get("appendfsync", "unknown")
    if append != "yes" or sync not in _SYNCS[durability]:
        raise EngineError(
            f"{name} has appendonly {append} and appendfsync {sync}, which is not durability={durability}; set "
            f"appendonly yes and appendfsync {_SYNCS[durability][0]} there, or open it with a lower durability"
        )


def usable(found: Mapping[str, str], name: str) -> None:
    """Go on only with a server that can carry our ports, from its INFO.

    Raises:
        WrongVersion: It is too old, or a node of a cluster.
        ReadOnly: It is a replica.
    """
    version = found.get("redis_version", "0")
    if tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2]) < OLDEST:
        raise WrongVersion(f"{name} speaks as Redis {version}; use Valkey, or Redis 7.0 or newer")
    if found.get("redis_mode") == "cluster":
        raise WrongVersion(f"{name} is a node of a cluster; clusters are not supported: use a server that has all keys")
    if found.get("role") in ("slave", "replica"):
        raise ReadOnly(f"{name} is a replica of {found.get('master_host', 'another')}; connect to the primary")


def findings(config: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Finding]:
    """What can lose data.

    Args:
        config: From CONFIG GET.
        found: From INFO.
    """
    append, sync = config.get("appendonly", ""), config.get("appendfsync", "")
    if append == "no":
        yield Finding(
            "appendonly", append, "everything since the last snapshot is lost when the server ends",
            "CONFIG SET appendonly yes, and the same in its configuration file",
        )  # fmt: skip
    elif append == "yes" and sync != "always":
        lost = "the last second or two" if sync == "everysec" else "up to half a minute"
        yield Finding(
            "appendfsync", sync, f"{lost} of acknowledged writes is lost with the machine",
            "CONFIG SET appendfsync always",
        )  # fmt: skip
    if append == "yes" and config.get("no-appendfsync-on-rewrite") == "yes":
        yield Finding(
            "no-appendfsync-on-rewrite", "yes", "nothing is forced to disk while the file is rewritten",
            "CONFIG SET no-appendfsync-on-rewrite no",
        )  # fmt: skip
    policy = config.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            "maxmemory-policy", policy, "the server forgets locks, limits and records when its memory is full",
            "CONFIG SET maxmemory-policy noeviction, or keep seawall on a server of its own",
        )  # fmt: skip
    replicas = int(found.get("connected_slaves", "0"))
    if replicas and config.get("min-replicas-to-write", "0") == "0":
        yield Finding(
            "min-replicas-to-write", f"0 with {replicas} connected", "a failover loses what no replica has yet",
            "CONFIG SET min-replicas-to-write 1, which narrows the loss; it does not end it",
        )  # fmt: skip


def unseen(error: EngineError) -> Finding:
    """What is found when the settings cannot be read."""
    return Finding(
        "CONFIG GET", "not allowed", f"what the server keeps is not known ({error})",
        "allow it for this user (ACL SETUSER ... +config|get), or see to appendonly and maxmemory-policy yourself",
    )  # fmt: skip
