"""StatsD lines, received by real sockets."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.observe.export.snapshots import NASTY, distribution, labels, snapshots

from seawall.errors import ConfigError
from seawall.observe import Family, Sample, Snapshot
from seawall.observe.export import Pushed, Statsd
from seawall.observe.export._statsd_lines import lines_since

LINE = re.compile(r"[^\s:|@#]+:-?[0-9.e+-]+\|[cg](\|#[^|\r\n]*)?")


class Given:
    """A source that gives what it was last told."""

    def __init__(self, *families: Family) -> None:
        self.families = families

    def __call__(self) -> Snapshot:
        """The snapshot of now."""
        return Snapshot(0.0, self.families)


def counter(value: float, name: str = "calls", **named: str) -> Family:
    """A counter with one series."""
    return Family(name, "counter", (Sample(labels(**named), value),))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server on UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(10)
        yield made


def to(server: socket.socket) -> str:
    """Its address."""
    return f"udp://127.0.0.1:{server.getsockname()[1]}"


def test_counters_are_told_by_what_came(server: socket.socket) -> None:
    """Each push has what came since the one before; what stood still is not told, nor what was before the first."""
    source = Given(counter(5.0, route="/a"))
    statsd = Statsd(to(server), source, prefix="shop.")
    source.families = (counter(7.0, route="/a"), counter(1.5, "seconds"))
    assert statsd.push() == Pushed(1, 0, 0)
    assert server.recv(9999) == b"shop.calls:2|c|#route:/a\nshop.seconds:1.5|c"
    assert statsd.push() == Pushed(0, 0, 0)
    source.families = (counter(3.0, route="/a"),)
    statsd.push()
    assert server.recv(9999) == b"shop.calls:3|c|#route:/a"
    statsd.close()


def test_gauges_are_told_each_time_and_below_zero_from_zero(server: socket.socket) -> None:
    """A sign would make a gauge relative; what is no finite number is left out."""
    gauges = (Sample(labels(a="1"), -7.5), Sample(labels(a="2"), 0.25), Sample(labels(a="3"), float("nan")))
    statsd = Statsd(to(server), Given(Family("level", "gauge", gauges)))
    for _ in range(2):
        statsd.push()
        assert server.recv(9999) == b"level:0|g|#a:1\nlevel:-7.5|g|#a:1\nlevel:0.25|g|#a:2"
    statsd.close()


def test_histograms_are_counts_and_quantiles_of_what_came(server: socket.socket) -> None:
    """The values from before the push are in no quantile."""
    source = Given(Family("took", "histogram", (Sample((), distribution([100.0])),)))
    statsd = Statsd(to(server), source, quantiles=(0.5, 0.99))
    source.families = (Family("took", "histogram", (Sample((), distribution([100.0, 0.5, 0.5])),)),)
    statsd.push()
    p50, p99, count, total = server.recv(9999).decode().splitlines()
    assert (count, total) == ("took.count:2|c", "took.sum:1|c")
    for line, name in ((p50, "p50"), (p99, "p99")):
        told, value, kind = re.fullmatch(r"took\.(.+):(.+)\|(.)", line).groups()  # type: ignore[union-attr]
        assert (told, kind) == (name, "g")
        assert float(value) == pytest.approx(0.5, rel=1e-3)
    statsd.close()


def test_packets_are_no_longer_than_may_be(server: socket.socket) -> None:
    """Lines are told in as many packets as it takes; one that fits none is counted, and holds up no other."""
    series = [Sample(labels(route=f"/{number}"), 0.0) for number in range(100)]
    source = Given(Family("calls", "counter", (*series, Sample(labels(route="x" * 300), 0.0))))
    statsd = Statsd(to(server), source, packet=200)
    source.families = (Family("calls", "counter", tuple(s._replace(value=1.0) for s in source.families[0].samples)),)
    pushed = statsd.push()
    packets = [server.recv(9999) for _ in range(pushed.packets)]
    assert (pushed.unsent, pushed.too_long) == (0, 1)
    assert all(100 < len(packet) <= 200 for packet in packets[:-1])
    lines = [line for packet in packets for line in packet.decode().split("\n")]
    assert lines == [f"calls:1|c|#route:/{number}" for number in range(100)]
    statsd.close()


def test_a_unix_socket_that_is_away_costs_no_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be sent is in the next push, and nobody waited."""
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    source = Given(counter(0.0))
    statsd = Statsd(f"unix://{tmp_path}/s", source)
    source.families = (counter(2.0),)
    assert statsd.push() == Pushed(0, 1, 0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("s")
        source.families = (counter(5.0),)
        assert statsd.push() == Pushed(1, 0, 0)
        assert server.recv(9999) == b"calls:5|c"
        # A server that reads nothing: its buffer fills up, and what does not fit waits for the next push.
        told = 0
        for number in range(6, 10_000):
            source.families = (counter(float(number)),)
            if statsd.push().unsent:
                break
            told += 1
        assert number == told + 6
        for _ in range(told):
            server.recv(9999)
        assert statsd.push() == Pushed(1, 0, 0)
        assert server.recv(9999) == f"calls:{number - 5 - told}|c".encode()
    statsd.close()


def test_series_that_are_gone_are_forgotten(server: socket.socket) -> None:
    """What is remembered is bounded by the snapshot, and a series that comes back begins at 0."""
    source = Given(counter(5.0))
    statsd = Statsd(to(server), source)
    source.families = ()
    statsd.push()
    source.families = (counter(5.0),)
    statsd.push()
    assert server.recv(9999) == b"calls:5|c"
    statsd.close()


@settings(max_examples=40)
@given(snapshots())
def test_any_snapshot_makes_lines_that_can_be_read(snapshot: Snapshot) -> None:
    """Whatever is in labels, each line has one name, one value, one kind and its tags."""
    for lines in lines_since(snapshot, {}, "", (0.5,)):
        for line in lines.text.decode().split("\n"):
            assert LINE.fullmatch(line), line


def test_what_tags_cannot_say_becomes_an_underscore() -> None:
    """Commas, bars and newlines would end a tag."""
    (line,) = lines_since(Snapshot(0.0, (counter(1.0, "a b:c", route=NASTY),)), {}, "", ())
    assert line.text.decode() == 'a_b_c:1|c|#route:a"b\\c_d é 🚢 =_{}_#:'


@pytest.mark.parametrize("address", ["localhost:8125", "udp://", "udp://x", "udp://x:0", "udp://x:99999", "unix://a/b"])
def test_an_address_must_be_one(address: str) -> None:
    """What cannot be sent to is refused at once."""
    with pytest.raises(ConfigError) as told:
        Statsd(address, Snapshot(0.0))
    assert str(told.value) == (
        f"address must be udp://host:port or unix:///path, got {address!r}; 8125 is the usual port"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"packet": 10}, "packet must be 64 to 65,507 bytes, got 10; 1,432 is the default"),
        ({"quantiles": (99,)}, "quantiles must be shares from 0 to 1, got (99,)"),
    ],
)
def test_options_are_checked(options: Any, message: str) -> None:
    """Each message names the option, the value and the range."""
    with pytest.raises(ConfigError) as told:
        Statsd("udp://127.0.0.1:8125", Snapshot(0.0), **options)
    assert str(told.value) == message


def test_an_interface_that_is_down_costs_no_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any error of the socket is a packet that is told later."""

    class Down(socket.socket):
        def sendto(self, *_: Any) -> int:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    source = Given(counter(0.0))
    statsd = Statsd("udp://127.0.0.1:9", source)
    source.families = (counter(1.0),)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", Down)
        assert statsd.push() == Pushed(0, 1, 0)
    statsd.close()
    assert statsd.push() == Pushed(1, 0, 0)
    statsd.close()
    assert repr(statsd) == "<Statsd to udp://127.0.0.1:9>"
