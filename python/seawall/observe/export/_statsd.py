"""Metrics pushed to a StatsD server."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from seawall.errors import ConfigError
from seawall.observe._snapshot import Snapshot
from seawall.observe.export._source import Source, snapshots_of
from seawall.observe.export._statsd_lines import Lines, Sent, lines_since

# What fits a frame of Ethernet, and what agents read from a local socket.
_UDP, _UNIX = 1_432, 8_192


class Pushed(NamedTuple):
    """What became of a push.

    Attributes:
        packets: Datagrams that were sent.
        unsent: That were not, as the socket took none; their counts are in the next push.
        too_long: Lines that are longer than a packet may be, and are sent never.
    """

    packets: int
    unsent: int
    too_long: int


class Statsd:
    """Sends counters, gauges and histograms as StatsD lines with tags: what came since the push before.

    Of a histogram it sends `.count` and `.sum` as counters, and quantiles of what came as gauges `.p50`, `.p99`.
    Gauges that are no finite numbers are left out. In tags, what the format has no way to say becomes _.

    Guarantees: never waits. What the socket does not take is told with the next push; what gets lost on the network is
    lost, as UDP has it. Counts from before it was made are not sent, so that a restart repeats nothing.
    Thread safety: one thread at a time pushes.

    Args:
        address: "udp://host:8125" or "unix:///run/statsd.sock".
        source: A `Metrics`, a `Snapshot`, or a function that returns one.
        prefix: What stands before every name, such as "shop.".
        quantiles: Of histograms, 0 to 1.
        packet: How long a datagram may be, in bytes; by default 1,432 by UDP and 8,192 by a Unix socket.

    Raises:
        ConfigError: an option is out of range.
        OSError: by `push`, where the name of the host is not found.
    """

    def __init__(
        self,
        address: str,
        source: Source,
        *,
        prefix: str = "",
        quantiles: Sequence[float] = (0.5, 0.9, 0.99),
        packet: int | None = None,
    ) -> None:
        self.address = address
        self._family, self._to = _parsed(address)
        if any(not 0 <= q <= 1 for q in quantiles):
            raise ConfigError(f"quantiles must be shares from 0 to 1, got {tuple(quantiles)!r}")
        usual = _UNIX if self._family == socket.AF_UNIX else _UDP
        if packet is not None and not 64 <= packet <= 65_507:
            raise ConfigError(f"packet must be 64 to 65,507 bytes, got {packet!r}; {usual:,} is the default")
        self._packet = packet or usual
        self._snapshot = snapshots_of(source)
        self._prefix, self._quantiles = prefix, tuple(quantiles)
        self._socket: socket.socket | None = None
        self._sent = _counts(self._snapshot())

    def push(self) -> Pushed:
        """Send what came since the last push."""
        snapshot = self._snapshot()
        packets = unsent = too_long = 0
        for lines in _packed(lines_since(snapshot, self._sent, self._prefix, self._quantiles), self._packet):
            text = b"\n".join(each.text for each in lines)
            if len(text) > self._packet:
                too_long += 1
            elif self._send(text):
                packets += 1
                self._sent.update((each.key, each.value) for each in lines if each.key and each.value is not None)
            else:
                unsent += 1
        there = _counts(snapshot)
        self._sent = {key: value for key, value in self._sent.items() if key in there}
        return Pushed(packets, unsent, too_long)

    def close(self) -> None:
        """Give the socket back; the next push opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, packet: bytes) -> bool:
        if self._socket is None:
            self._family, self._to = _resolved(self._family, self._to)
            self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        try:
            self._socket.sendto(packet, self._to)
        except OSError:  # full, or nobody there
            return False
        return True

    def __repr__(self) -> str:
        return f"<Statsd to {self.address}>"


def _parsed(address: str) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme == "udp" and parts.hostname and port:
        return socket.AF_INET, (parts.hostname, port)
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return socket.AF_UNIX, parts.path
    raise ConfigError(f"address must be udp://host:port or unix:///path, got {address!r}; 8125 is the usual port")


def _resolved(
    family: socket.AddressFamily, to: str | tuple[str, int]
) -> tuple[socket.AddressFamily, str | tuple[str, int]]:
    if isinstance(to, str):
        return family, to
    found, _, _, _, place = socket.getaddrinfo(*to[:2], type=socket.SOCK_DGRAM)[0]
    return found, place  # type: ignore[return-value]  # of IPv6 it has four parts, which sendto takes


def _packed(lines: Iterator[Lines], most: int) -> Iterator[list[Lines]]:
    """As many lines together as a packet takes."""
    packet: list[Lines] = []
    size = -1
    for each in lines:
        if packet and size + 1 + len(each.text) > most:
            yield packet
            packet, size = [], -1
        packet.append(each)
        size += 1 + len(each.text)
    if packet:
        yield packet


def _counts(snapshot: Snapshot) -> Sent:
    return {
        (family.name, sample.labels): sample.value
        for family in snapshot.families
        if family.kind != "gauge"
        for sample in family.samples
    }
