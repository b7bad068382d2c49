"""What clients and servers see through a fault proxy; real sockets, threads on both sides."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.echo_server import EchoServer, UnixEchoServer, received, serving

from seawall.clock import SystemClock
from seawall.testing import (
    Bandwidth,
    BlackHole,
    Corrupt,
    FaultProxy,
    HalfClose,
    Latency,
    Refuse,
    Reset,
    Seeded,
    SlowClose,
    Stall,
    Truncate,
)

Open = Callable[..., FaultProxy]
PATIENCE = 20.0


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    """A server that sends everything back."""
    server = EchoServer()
    with serving(server):
        yield server


@pytest.fixture
def proxy(echo: EchoServer, fault_proxy: Open) -> FaultProxy:
    """A proxy before it."""
    return fault_proxy(echo.address)


def dial(proxy: FaultProxy) -> socket.socket:
    """A client."""
    assert isinstance(proxy.address, tuple)
    client = socket.create_connection(proxy.address, timeout=PATIENCE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def said(client: socket.socket, data: bytes) -> bytes:
    """What comes back."""
    client.sendall(data)
    return received(client, len(data))


def filled(client: socket.socket) -> int:
    """Bytes sent until no more can be."""
    client.settimeout(0.05)
    sent = 0
    while True:
        try:
            sent += client.send(bytes(50_000))
        except TimeoutError:
            return sent


def seconds() -> float:
    """Real time."""
    return SystemClock().now_ns() / 1e9


def took(act: Callable[[], object]) -> float:
    """Seconds of real time."""
    start = seconds()
    act()
    return seconds() - start


def until_open(proxy: FaultProxy, count: int) -> None:
    """Wait until so many connections are open."""
    end = seconds() + PATIENCE
    while proxy.stats().open != count:
        assert seconds() < end, proxy.stats()


def test_without_faults_megabytes_pass_both_ways_unchanged(proxy: FaultProxy, echo: EchoServer) -> None:
    """Through bounded buffers, while both sides send."""
    data = Seeded(1).randbytes(3_000_000)
    with dial(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        assert received(client, len(data)) == data
        sender.join()
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert [bytes(got) for got in echo.got] == [data]


def test_a_slow_reader_slows_the_sender_down(fault_proxy: Open) -> None:
    """Nothing is read beyond the buffer when nobody takes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        proxy = fault_proxy(server.getsockname(), buffer_bytes=1000)
        with dial(proxy) as client, server.accept()[0] as other:
            proxy.pause()
            sent = filled(client)
            (shown,) = proxy.connections
            assert shown.to_server.held <= 1000
            assert shown.to_server.arrived <= 1000 < sent
            proxy.resume()
            other.settimeout(PATIENCE)
            assert received(other, sent) == bytes(sent)


def test_it_counts_what_passes(proxy: FaultProxy) -> None:
    """For each connection, and since it was opened; those that ended too."""
    with dial(proxy) as client:
        assert said(client, b"hello") == b"hello"
        (shown,) = proxy.connections
        assert (shown.number, shown.faults) == (0, ())
        assert (shown.to_server.delivered, shown.to_client.delivered) == (5, 5)
    until_open(proxy, 0)
    stats = proxy.stats()
    assert (stats.accepted, stats.closed, stats.reset, stats.to_server.delivered) == (1, 1, 0, 5)


def test_latency_delays_each_way(proxy: FaultProxy) -> None:
    """A round trip takes it twice."""
    with dial(proxy) as client, proxy.fault(Latency(0.05)):
        assert took(lambda: said(client, b"x")) >= 0.1


def test_bandwidth_bounds_the_rate(proxy: FaultProxy) -> None:
    """20,000 bytes at 200,000 a second take a tenth of a second."""
    data = bytes(20_000)
    with dial(proxy) as client, proxy.fault(Bandwidth(200_000, direction="to_client")):
        assert took(lambda: said(client, data)) >= 0.1


def test_reset_after_bytes_delivers_exactly_those(proxy: FaultProxy) -> None:
    """Then the client gets ECONNRESET."""
    with proxy.fault(Reset(after_bytes=3, direction="to_client")), dial(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 3) == b"hel"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert proxy.stats().reset == 1


def test_reset_after_a_time_needs_no_traffic(proxy: FaultProxy) -> None:
    """The client waits for an answer and gets a reset, and not before."""
    with dial(proxy) as client:
        assert said(client, b"x") == b"x"

        def wait() -> None:
            with pytest.raises(ConnectionResetError):
                client.recv(1)

        start = seconds()
        with proxy.fault(Reset(after=0.05)):
            wait()
        assert seconds() - start >= 0.05


def test_a_black_hole_takes_everything_and_gives_nothing(proxy: FaultProxy, echo: EchoServer) -> None:
    """More than all buffers hold can be sent; nothing arrives, and the connection is reset when it is removed."""
    with dial(proxy) as client, proxy.fault(BlackHole(direction="to_server")):
        client.sendall(bytes(8_000_000))
        client.shutdown(socket.SHUT_WR)
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert echo.got == [b""]
        (shown,) = proxy.connections
        assert (shown.to_server.delivered, shown.to_client.arrived) == (0, 0)
        client.settimeout(PATIENCE)
        proxy.clear()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_connection_that_lost_nothing_survives_a_black_hole(proxy: FaultProxy) -> None:
    """Nothing was sent meanwhile."""
    with dial(proxy) as client:
        assert said(client, b"before") == b"before"
        with proxy.fault(BlackHole()):
            pass
        assert said(client, b"after") == b"after"


def test_refuse_closes_the_listener_and_keeps_the_port(proxy: FaultProxy) -> None:
    """New connections are refused, old ones go on, and the address is the same afterwards; nested ones add up."""
    before = proxy.address
    with dial(proxy) as client:
        assert said(client, b"1") == b"1"
        with proxy.fault(Refuse()), proxy.fault(Refuse()):
            pass
        with proxy.fault(Refuse()):
            with proxy.fault(Refuse()):
                pass
            with pytest.raises(ConnectionRefusedError):
                dial(proxy)
            assert said(client, b"2") == b"2"
    assert proxy.address == before
    with dial(proxy) as client:
        assert said(client, b"3") == b"3"


def test_slow_close_delays_the_end_only(proxy: FaultProxy) -> None:
    """Bytes come in time, the end of the stream late."""
    with proxy.fault(SlowClose(0.05, direction="to_client")), dial(proxy) as client:
        client.sendall(b"bye")
        start = seconds()
        client.shutdown(socket.SHUT_WR)
        assert received(client, 3) == b"bye"
        assert client.recv(1) == b""
        assert seconds() - start >= 0.05


def test_half_close_ends_one_direction(proxy: FaultProxy, echo: EchoServer) -> None:
    """The client sees the end after two bytes, and the server still gets everything."""
    with proxy.fault(HalfClose(2)), dial(proxy) as client:
        client.sendall(b"abcd")
        assert received(client, 10) == b"ab"
        client.sendall(b"efgh")
        client.shutdown(socket.SHUT_WR)
        until_open(proxy, 0)
    assert bytes(echo.got[0]) == b"abcdefgh"
    assert proxy.stats().to_client.delivered == 2


def test_truncate_ends_the_connection_in_good_order(proxy: FaultProxy, echo: EchoServer) -> None:
    """The client reads what passed and then the end, not an error; the server sees the end too."""
    with proxy.fault(Truncate(3)), dial(proxy) as client:
        client.sendall(b"hello")
        assert received(client, 10) == b"hel"
        assert client.recv(1) == b""
        end = seconds() + PATIENCE
        while not echo.ends:
            assert seconds() < end
    until_open(proxy, 0)
    assert (proxy.stats().reset, proxy.stats().closed) == (0, 1)


def test_corrupt_changes_bits_and_no_lengths(proxy: FaultProxy) -> None:
    """At rate 1 every byte differs, in one bit."""
    with proxy.fault(Corrupt(1.0, direction="to_server")), dial(proxy) as client:
        back = said(client, bytes(1000))
    assert {byte.bit_count() for byte in back} == {1}
    assert proxy.stats().to_server.corrupted == 1000


def test_corrupt_by_a_rate_repeats_with_the_seed(echo: EchoServer, fault_proxy: Open) -> None:
    """The same bytes of the same connection, however the stream is cut up."""
    seen = []
    for pieces in (1, 7):
        proxy = fault_proxy(echo.address, seed=11)
        with proxy.fault(Corrupt(0.01, direction="to_server")), dial(proxy) as client:
            size = 7000 // pieces
            seen.append(b"".join(said(client, bytes(size)) for _ in range(pieces)))
    assert seen[0] == seen[1]
    assert 20 < sum(map(bool, seen[0])) < 200


def test_stall_holds_once(proxy: FaultProxy) -> None:
    """The first two bytes pass, then nothing for a while, then everything."""
    with proxy.fault(Stall(0.05, after_bytes=2, direction="to_server")), dial(proxy) as client:
        start = seconds()
        assert said(client, b"abcd") == b"abcd"
        assert seconds() - start >= 0.05
        (shown,) = proxy.connections
        assert shown.to_server.delivered == 4


def test_cut_resets_all_connections_now_and_no_new_one(proxy: FaultProxy) -> None:
    """It has happened when it returns."""
    with dial(proxy) as one, dial(proxy) as two:
        assert said(one, b"1") + said(two, b"2") == b"12"
        proxy.cut()
        assert proxy.stats().open == 0
        for client in (one, two):
            with pytest.raises(ConnectionResetError):
                client.recv(1)
    with dial(proxy) as client:
        assert said(client, b"3") == b"3"


def test_pause_holds_and_resume_delivers(proxy: FaultProxy) -> None:
    """Nothing is lost; both can be called twice."""
    with dial(proxy) as client:
        assert said(client, b"1") == b"1"
        proxy.pause()
        proxy.pause()
        client.sendall(b"later")
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        proxy.resume()
        proxy.resume()
        client.settimeout(PATIENCE)
        assert received(client, 5) == b"later"
    assert proxy.faults == ()


def test_a_share_of_connections_repeats_with_the_seed(echo: EchoServer, fault_proxy: Open) -> None:
    """In the order of acceptance; another seed chooses others, and about as many as asked for."""
    chosen = []
    for seed in (1, 1, 2):
        proxy = fault_proxy(echo.address, seed=seed)
        proxy.add(Latency(0.0, connections=0.3))
        clients = [dial(proxy) for _ in range(60)]
        until_open(proxy, 60)
        chosen.append([bool(each.faults) for each in proxy.connections])
        for client in clients:
            client.close()
        until_open(proxy, 0)
    assert chosen[0] == chosen[1] != chosen[2]
    assert 8 <= sum(chosen[0]) <= 30


def test_other_faults_do_not_change_who_is_chosen(echo: EchoServer, fault_proxy: Open) -> None:
    """A fault added later leaves the decisions of earlier ones alone, and removed ones too."""
    chosen = []
    for others in (0, 2):
        proxy = fault_proxy(echo.address, seed=5)
        proxy.add(fault := Latency(0.0, connections=0.5))
        for _ in range(others):
            proxy.add(Corrupt(0.5, connections=0.5))
        clients = [dial(proxy) for _ in range(20)]
        until_open(proxy, 20)
        chosen.append([fault in each.faults for each in proxy.connections])
        for client in clients:
            client.close()
    assert chosen[0] == chosen[1]


def test_a_reset_of_a_side_reaches_the_other(proxy: FaultProxy, echo: EchoServer) -> None:
    """A client that dies is no client that ended."""
    client = dial(proxy)
    assert said(client, b"1") == b"1"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    until_open(proxy, 0)
    assert proxy.stats().reset == 1


def test_an_unreachable_server_resets_the_client(fault_proxy: Open) -> None:
    """And is counted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    proxy = fault_proxy(address)
    with pytest.raises(ConnectionResetError), dial(proxy) as client:
        client.recv(1)
    assert proxy.stats().unreachable == 1


def test_connections_over_the_limit_are_reset(echo: EchoServer, fault_proxy: Open) -> None:
    """Those there are go on."""
    proxy = fault_proxy(echo.address, max_connections=1)
    with dial(proxy) as one:
        assert said(one, b"1") == b"1"
        # The reset may come before the client has returned from connecting.
        with pytest.raises(ConnectionResetError), dial(proxy) as two:
            two.recv(1)
        assert said(one, b"2") == b"2"
    assert (proxy.stats().over_limit, proxy.stats().accepted) == (1, 2)


def test_unix_sockets_on_both_sides(tmp_path: Path, fault_proxy: Open) -> None:
    """Faults included; the file is gone at the end."""
    server, there = UnixEchoServer(str(tmp_path / "server")), tmp_path / "proxy"
    with serving(server), FaultProxy(tmp_path / "server", listen=there, seed=1) as proxy:
        assert proxy.address == str(there)
        assert proxy.url("unix") == f"unix://{there}"
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(str(there))
                assert said(client, b"hello") == b"hello"
                proxy.cut()
                assert client.recv(1) == b""
            refused = pytest.raises(ConnectionRefusedError)
            with proxy.fault(Refuse()), socket.socket(socket.AF_UNIX) as client, refused:
                client.connect(str(there))
    assert not there.exists()


def test_the_end_leaves_no_thread_and_no_listener(echo: EchoServer) -> None:
    """With connections open and bytes on their way."""
    before = threading.active_count()
    with FaultProxy(echo.address, seed=1) as proxy:
        address = proxy.address
        client = dial(proxy)
        proxy.add(Latency(3600))
        client.sendall(bytes(200_000))
    client.close()
    assert [thread.name for thread in threading.enumerate() if "fault-proxy" in thread.name] == []
    assert threading.active_count() <= before + 1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    assert proxy.stats().open == 0
    assert proxy.connections == ()


def test_threads_may_change_faults_while_others_talk(proxy: FaultProxy) -> None:
    """Every byte still arrives, as none of the faults loses any."""
    data = Seeded(3).randbytes(400_000)

    def meddle() -> None:
        for _ in range(50):
            with proxy.fault(Latency(0.001, jitter=0.001), Bandwidth(10**8)):
                proxy.pause()
                proxy.resume()

    with dial(proxy) as client:
        threads = [threading.Thread(target=meddle) for _ in range(2)]
        sender = threading.Thread(target=client.sendall, args=(data,))
        for thread in (*threads, sender):
            thread.start()
        assert received(client, len(data)) == data
        for thread in (*threads, sender):
            thread.join()
    assert proxy.faults == ()
