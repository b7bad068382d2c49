"""Settings of servers and streams: what they promise, and which of them lose data."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

from seawall.engines._findings import Finding
from seawall.engines.nats._call import Call
from seawall.errors import EngineError, Unavailable

_OURS = "seawall_"
_REMEDY = "set `sync_interval: always` in the jetstream block of every server and restart them one by one"


class Seen(NamedTuple):
    """What can be seen of the settings.

    Attributes:
        streams: The configurations of our streams.
        jetstream: The server's own, from its monitoring; None when that was not asked.
    """

    streams: tuple[dict[str, Any], ...]
    jetstream: dict[str, Any] | None


async def usable(call: Call) -> None:
    """Go on only with a server that has JetStream for this user."""
    await call.api("INFO")


async def look(call: Call, monitor: str, name: str) -> Seen:
    """See what there is to see."""
    streams: list[dict[str, Any]] = []
    while True:
        page = await call.api("STREAM.LIST", {"offset": len(streams), "subject": "seawall.>"})
        found = page.get("streams") or []
        streams += found
        if not found or len(streams) >= page.get("total", 0):
            break
    ours = (stream["config"] for stream in streams)
    jetstream = await asyncio.to_thread(_ask_monitor, monitor, name) if monitor else None
    return Seen(tuple(config for config in ours if config["name"].startswith(_OURS)), jetstream)


def _ask_monitor(monitor: str, name: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{monitor.rstrip('/')}/varz", timeout=2.0) as answer:
            config: dict[str, Any] = json.load(answer)["jetstream"]["config"]
    except (OSError, ValueError, KeyError) as error:
        raise Unavailable(
            f"{name}: its monitoring at {monitor} does not tell its settings ({error}); see that it can be reached, or "
            "open it without monitor"
        ) from error
    return config


def insist(seen: Seen, durability: str, name: str) -> None:
    """Go on only with a server that keeps what the option `durability` says, where it can be seen.

    Raises:
        EngineError: It does not.
    """
    if durability == "disk" and seen.jetstream is not None and not seen.jetstream.get("sync_always"):
        raise EngineError(
            f"{name} has sync_interval {_interval(seen.jetstream)}, which is not durability=disk; {_REMEDY}, or open "
            "it with durability=os"
        )


def _interval(jetstream: dict[str, Any]) -> str:
    return f"{jetstream.get('sync_interval', 120_000_000_000) / 1e9:g} s"


def findings(seen: Seen, durability: str) -> Iterator[Finding]:
    """What can lose data."""
    if seen.jetstream is None and durability != "process":
        yield Finding(
            "sync_interval", "not visible", "if it is not always, a power cut takes what was acknowledged in the last "
            "two minutes, on all replicas at once",
            f"{_REMEDY}; give monitor=http://host:8222 to have it checked",
        )  # fmt: skip
    elif seen.jetstream is not None and not seen.jetstream.get("sync_always"):
        yield Finding(
            "sync_interval", _interval(seen.jetstream), "a power cut takes what was acknowledged since, on all "
            "replicas at once", _REMEDY,
        )  # fmt: skip
    for config in seen.streams:
        yield from _of_stream(config)


def _of_stream(config: dict[str, Any]) -> Iterator[Finding]:
    name = config["name"]
    if config.get("storage") == "memory" and not name.startswith(f"{_OURS}meter_"):
        yield Finding(
            f"storage of {name}", "memory", "all of it is lost when its servers end",
            f"nats stream rm {name}, and open the engine with durability=os or disk: it is made anew in files",
        )  # fmt: skip
    if config.get("num_replicas", 1) < 3 and not name.startswith(f"{_OURS}meter_"):
        yield Finding(
            f"num_replicas of {name}", str(config.get("num_replicas", 1)), "it is lost with the disk of one server",
            f"in a cluster of three, nats stream edit {name} --replicas 3",
        )  # fmt: skip
    for limit in ("max_age", "max_msgs", "max_bytes", "max_msgs_per_subject"):
        if config.get(limit, -1) > 0:
            yield Finding(
                f"{limit} of {name}", str(config[limit]), "beyond it keys, leases and records vanish",
                f"remove the limit: nats stream edit {name}",
            )  # fmt: skip
