"""What a proxy says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.testing._fault_proxy_connection import Connection, Flow
from seawall.testing._fault_proxy_faults import Fault


@dataclass(frozen=True, slots=True)
class FlowStats:
    """One direction.

    Args:
        arrived: Bytes read from the sender.
        delivered: Bytes given to the receiver.
        held: Bytes on their way.
        dropped: Bytes that a fault or the end of the connection lost.
        corrupted: Bytes that a fault changed.
    """

    arrived: int = 0
    delivered: int = 0
    held: int = 0
    dropped: int = 0
    corrupted: int = 0

    def __add__(self, other: FlowStats) -> FlowStats:
        return FlowStats(
            self.arrived + other.arrived,
            self.delivered + other.delivered,
            self.held + other.held,
            self.dropped + other.dropped,
            self.corrupted + other.corrupted,
        )


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """One connection.

    Args:
        number: Which one in the order of acceptance, from 0.
        faults: What the seed has put on it, in the order they were added.
        to_server: Bytes that way.
        to_client: Bytes that way.
    """

    number: int
    faults: tuple[Fault, ...]
    to_server: FlowStats
    to_client: FlowStats


@dataclass(frozen=True, slots=True)
class FaultProxyStats:
    """A proxy since it was opened.

    Args:
        accepted: Connections accepted, those now open included.
        open: Connections now open.
        closed: Connections that both sides, or the proxy's end, closed.
        reset: Connections that a fault or a side reset.
        unreachable: Connections reset because the server could not be reached.
        over_limit: Of the accepted, those reset because there were `max_connections`.
        to_server: Bytes that way.
        to_client: Bytes that way.
    """

    accepted: int
    open: int
    closed: int
    reset: int
    unreachable: int
    over_limit: int
    to_server: FlowStats
    to_client: FlowStats


def flow_stats(flow: Flow | None) -> FlowStats:
    """A direction as it is now; nothing when the server was not reached yet."""
    if flow is None:
        return FlowStats()
    course = flow.course
    delivered = course.arrived - course.held - course.dropped
    return FlowStats(course.arrived, delivered, course.held, course.dropped, course.changed)


def connection_stats(connection: Connection) -> ConnectionStats:
    """A connection as it is now."""
    there, back = (flow_stats(connection.flows.get(way)) for way in ("to_server", "to_client"))
    return ConnectionStats(connection.number, tuple(connection.faults.values()), there, back)
