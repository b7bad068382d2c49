"""The load engine against real sockets: what was fed is what the server sees, and every end has a name."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.errors import ConfigError

if sys.platform != "linux":
    pytest.skip("the load engine is for Linux", allow_module_level=True)

from seawall._core.http import Checks, Engine, Request
from seawall._core.tally import Tally
from seawall.measure import Histogram

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED, DNS, TIMEOUT, RESET, DISCONNECTED, TRUNCATED, BAD_RESPONSE = 1, 3, 6, 7, 8, 9, 10
WRONG_STATUS, WRONG_BODY, WRONG_SIZE = 12, 13, 14

Script = Callable[["Peer"], None]


class Recorder:
    """A tally with one phase, and what it says."""

    def __init__(self) -> None:
        self.tally = Tally(1.0, 100, 0.0, 1.0, 1, (3600.0,), 3600.0)

    @property
    def outcomes(self) -> dict[int, int]:
        return self.tally.codes(0)

    @property
    def succeeded(self) -> int:
        return self.tally.totals(0)[2]

    @property
    def late(self) -> int:
        return self.tally.totals(0)[3]

    @property
    def body_bytes(self) -> int:
        return self.tally.totals(0)[4]

    def histogram(self, number: int) -> Histogram:
        made = Histogram(highest=3600.0)
        self.tally.add_to(number, made)
        return made


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, seen: list[bytes]) -> None:
        self.connection = connection
        self.file = connection.makefile("rb")
        self.seen = seen

    def read(self) -> bytes | None:
        """One request, head and body; None where the client closed."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                return None
            head += line
        length = next((int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")), 0)
        request = head + self.file.read(length)
        self.seen.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answering(peer: Peer, response: bytes = OK) -> None:
    """Answers every request alike."""
    while peer.read() is not None:
        peer.send(response)


class Server:
    """Runs the script for each connection, in a thread of its own."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        self.seen: list[bytes] = []
        self.connections = 0
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
            self.threads[-1].start()

    def serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        peer = Peer(connection, self.seen)
        try:
            self.script(peer)
        except OSError:  # the client went away, as some tests want it
            pass
        finally:
            peer.file.close()
            connection.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@contextmanager
def serving(script: Script = answering) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    server = Server(script)
    try:
        yield server
    finally:
        server.close()


class Run:
    """An engine and its record."""

    def __init__(self, port: int, **options: Any) -> None:
        self.recorder = Recorder()
        options = {"addresses": [("127.0.0.1", port)], "requests": [Request(host="127.0.0.1")]} | options
        self.engine = Engine(tally=self.recorder.tally._capsule(), **options)

    def of(self, *times: float) -> Run:
        self.engine.feed(numpy.array(times))
        self.engine.finish_feed()
        self.engine.start()
        assert self.engine.join(20)
        return self

    @property
    def outcomes(self) -> dict[int, int]:
        return self.recorder.outcomes


@settings(max_examples=15, deadline=None)
@given(gaps=st.lists(st.floats(0, 0.0005), max_size=60), threads=st.integers(1, 4), connections=st.integers(1, 8))
def test_a_plan_of_k_requests_is_k_requests_for_the_server(gaps: list[float], threads: int, connections: int) -> None:
    """However they are spread, over whatever threads and connections, and never one before it is due."""
    with serving() as server:
        run = Run(server.port, threads=threads, max_connections=connections).of(*numpy.cumsum(gaps))
        assert len(server.seen) == len(gaps)
        assert server.connections <= connections
    counts = run.engine.counts()
    assert (counts.started, counts.ended, counts.under_way, counts.open) == (len(gaps), len(gaps), 0, 0)
    assert run.outcomes == ({200: len(gaps)} if gaps else {})
    assert run.recorder.succeeded == len(gaps)
    assert run.recorder.body_bytes == 2 * len(gaps)
    assert run.engine.left == 0


def test_the_request_is_what_the_server_reads() -> None:
    """Byte for byte, with its body."""
    request = Request(host="127.0.0.1", method="POST", target="/x?y=1", headers=[("A", "b")], body=b"\x00body")
    with serving() as server:
        Run(server.port, requests=[request]).of(0.0)
        assert server.seen == [request.rendered]
    assert not request.idempotent


def resetting(peer: Peer) -> None:
    """Breaks off rudely."""
    peer.read()
    peer.reset()


def closing(peer: Peer) -> None:
    """Hangs up in good order."""
    peer.read()


def speaking(words: bytes) -> Script:
    """Says this and hangs up."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(words)

    return script


def silent(peer: Peer) -> None:
    """Never answers."""
    peer.read()
    peer.read()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (resetting, RESET),
        (closing, DISCONNECTED),
        (speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), TRUNCATED),
        (speaking(b"220 smtp.example.com ESMTP\r\n"), BAD_RESPONSE),
        (speaking(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), 503),
        (speaking(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), 302),
        (speaking(b"HTTP/1.1 200 OK\r\n\r\nto the end"), 200),
        (silent, TIMEOUT),
    ],
)
def test_every_kind_of_end_has_its_code(script: Script, code: int) -> None:
    """And only statuses below 400 succeed."""
    with serving(script) as server:
        run = Run(server.port, timeout=0.05 if code == TIMEOUT else 10.0).of(0.0, 0.0)
    assert run.outcomes == {code: 2}
    assert run.recorder.succeeded == (2 if 200 <= code < 400 else 0)
    first = run.engine.first_error
    assert (first is None) == (code >= 100)
    assert first is None or first[0] == code
    if code == TIMEOUT:
        assert run.recorder.histogram(3).min >= 0.0499


def test_nobody_listens_is_hopeless_after_twenty_and_says_why() -> None:
    """The rest of the plan is left."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        run = Run(bound.getsockname()[1]).of(*[0.0] * 500)
    assert run.engine.hopeless
    assert set(run.outcomes) == {REFUSED}
    assert 20 <= run.outcomes[REFUSED] < 500
    assert run.engine.left == 500 - run.engine.counts().started
    assert run.engine.first_error == (REFUSED, 111)


def test_a_name_without_addresses_ends_each_request_as_dns() -> None:
    """Up to the twentieth, then the run is given up."""
    run = Run(1, addresses=[]).of(*[0.0] * 30)
    assert run.outcomes == {DNS: 20}
    assert run.engine.hopeless


def test_the_second_address_serves_where_the_first_refuses() -> None:
    """As for localhost, which may be ::1 and 127.0.0.1."""
    with serving() as server:
        run = Run(server.port, addresses=[("::1", server.port), ("127.0.0.1", server.port)]).of(0.0, 0.0)
    assert run.outcomes == {200: 2}


@pytest.mark.parametrize(
    ("checks", "outcomes"),
    [
        ({"accepted": [201]}, {WRONG_STATUS: 1}),
        ({"contains": b"no"}, {WRONG_BODY: 1}),
        ({"least": 3}, {WRONG_SIZE: 1}),
        ({"most": 1}, {WRONG_SIZE: 1}),
        ({"accepted": [200], "contains": b"ok", "least": 2, "most": 2}, {200: 1}),
    ],
)
def test_checks_end_what_a_status_alone_would_pass(checks: dict[str, Any], outcomes: dict[int, int]) -> None:
    """By status, then body, then size."""
    with serving() as server:
        run = Run(server.port, checks=Checks(**checks)).of(0.0)
    assert run.outcomes == outcomes


def test_bodies_rotate_in_the_order_of_due_times() -> None:
    """From `first` in steps of `stride`, over all threads."""
    requests = [Request(host="a", method="POST", body=b"%d" % i) for i in range(5)]
    with serving() as server:
        Run(server.port, requests=requests, threads=3, max_connections=3, first=1, stride=2).of(*[0.0] * 7)
        sent = Counter(request[-1:] for request in server.seen)
    assert sent == Counter(b"%d" % ((1 + 2 * k) % 5) for k in range(7))


def test_a_closed_connection_costs_an_idempotent_request_a_second_try() -> None:
    """The server hangs up at each second request of a connection."""

    def twice(peer: Peer) -> None:
        peer.read()
        peer.send(OK)
        peer.read()

    for method, outcomes, resent in (("GET", {200: 3}, 2), ("POST", {200: 2, DISCONNECTED: 1}, 0)):
        with serving(twice) as server:
            requests = [Request(host="a", method=method)]
            run = Run(server.port, requests=requests, max_connections=1).of(0.0, 0.0, 0.0)
            assert len(server.seen) == 3 + resent
        assert run.outcomes == outcomes
        assert run.engine.counts().resent == resent


def test_a_closed_model_keeps_each_connection_busy_until_the_time_is_over() -> None:
    """Nothing is fed, nothing is late, and due is started."""
    with serving() as server:
        run = Run(server.port, closed=True, max_connections=3, threads=2, until=0.1)
        run.engine.start()
        assert run.engine.join(20)
        seen = len(server.seen)
        assert server.connections == 3
    assert run.outcomes == {200: seen}
    assert seen > 3
    assert run.recorder.late == 0
    assert run.recorder.histogram(0).max == 0


def test_a_stop_cuts_what_is_under_way() -> None:
    """Without an end for it, and at once."""
    arrived, done = threading.Event(), threading.Event()

    def stalling(peer: Peer) -> None:
        peer.read()
        arrived.set()
        done.wait(20)

    with serving(stalling) as server:
        run = Run(server.port)
        run.engine.feed(numpy.array([0.0, 1000.0]))
        run.engine.start()
        assert arrived.wait(20)
        assert not run.engine.join(0)
        run.engine.stop()
        assert run.engine.join(20)
        done.set()
    assert run.outcomes == {}
    assert (run.engine.counts().started, run.engine.counts().under_way, run.engine.left) == (1, 1, 1)


def test_requests_that_wait_for_a_place_are_late() -> None:
    """All but the one that holds it, where all are due at once."""
    with serving() as server:
        run = Run(server.port, max_connections=1).of(*[0.0] * 5)
    assert run.outcomes == {200: 5}
    assert run.recorder.late == 4


def test_times_can_be_fed_while_the_run_goes_on() -> None:
    """In their order: what does not ascend is refused whole, and the run goes on as if it had not been offered."""
    with serving() as server:
        run = Run(server.port, threads=2, max_connections=4)
        run.engine.start()
        for block in range(10):
            run.engine.feed(numpy.full(7, block / 1000))
        for bad, words in (([1.0, 0.5], "0.5 at 1"), ([0.001], "0.001 at 0"), ([numpy.nan], "nan at 0")):
            with pytest.raises(ConfigError) as refused:
                run.engine.feed(numpy.array(bad))
            assert str(refused.value) == (
                f"times must be finite seconds, not negative and ascending over the run, got {words}"
            )
        run.engine.finish_feed()
        assert run.engine.join(20)
    assert run.outcomes == {200: 70}
    with pytest.raises(RuntimeError, match="the feed is finished, nothing more can be due"):
        run.engine.feed(numpy.array([9.0]))


def test_nothing_starts_before_a_zero_that_lies_ahead() -> None:
    """Processes that agree on a zero start together."""
    with serving() as server:
        run = Run(server.port)
        run.engine.feed(numpy.zeros(3))
        run.engine.finish_feed()
        zero = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + 20_000_000
        run.engine.start(zero)
        assert run.engine.join(20)
        assert time.clock_gettime_ns(time.CLOCK_MONOTONIC) > zero
    assert run.outcomes == {200: 3}


def test_each_thread_reports_its_time_when_it_has_ended() -> None:
    """The processor's seconds lie within those of the wall, and who has nothing to do yet sleeps."""
    with serving() as server:
        run = Run(server.port, threads=2, max_connections=2).of(0.3, 0.3)
    reports = run.engine.reports()
    assert len(reports) == run.engine.threads == 2
    for report in reports:
        assert 0 < report.cpu_seconds < report.wall_seconds
        assert report.delayed_seconds >= 0
        assert report.naps >= 1
    assert run.recorder.histogram(1).max > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threads": 0}, "threads must be between 1 and 64, got 0"),
        ({"max_connections": 0}, "max_connections must be between 1 and 1,000,000, got 0"),
        ({"timeout": 0.0}, "timeout must be more than 0 seconds and at most a year, got 0.000000"),
        ({"until": -1.0}, "until must be 0 seconds or more, got -1.000000"),
        ({"think": float("nan")}, "durations must be numbers of seconds, got nan"),
        ({"requests": []}, "requests must be between 1 and 4,294,967,294, got 0"),
        (
            {"addresses": [("localhost", 1)]},
            "addresses must be numeric IPv4 or IPv6 addresses, got 'localhost'; resolve names first",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(options: dict[str, Any], words: str) -> None:
    """With the option, the range and the value."""
    with pytest.raises(ConfigError) as refused:
        Run(1, **options)
    assert str(refused.value) == words


def test_an_engine_that_is_dropped_ends_its_threads() -> None:
    """Even one that was to run for long."""
    before = len(threads_of_this_process())
    run = Run(1)
    run.engine.feed(numpy.array([1000.0]))
    run.engine.start()
    assert len(threads_of_this_process()) == before + 1
    del run
    assert len(threads_of_this_process()) == before


def threads_of_this_process() -> list[str]:
    """By their numbers."""
    return os.listdir("/proc/self/task")
