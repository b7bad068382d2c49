"""What a load test says is held against arithmetic: a server whose every delay is known."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from seawall.measure.load import Constant, LoadResult, LoadTest

pytestmark = pytest.mark.proof

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
RATE, SECONDS, STALL, STALLED_AT = 250, 5, 2.0, 250


class Connection(asyncio.Protocol):
    """One connection of the server: requests come one at a time, each in one piece."""

    def __init__(self, server: StallingServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.server.asked(self)

    def answer(self) -> None:
        self.transport.write(RESPONSE)  # type: ignore[attr-defined]


class StallingServer:
    """Answers at once, but for one stall: when a certain request comes, it and all after it wait until it is over.

    With a service time it answers one after another instead, each when the one before is done and the time has passed.
    """

    def __init__(self, *, stall_at: int = 0, stall: float = 0.0, service: float = 0.0) -> None:
        self.stall_at, self.stall, self.service = stall_at, stall, service
        self.seen, self.port, self.free_at = 0, 0, 0.0
        self.waiting: list[Connection] | None = None
        self.stalled = 0.0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> StallingServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()

    def asked(self, connection: Connection) -> None:
        self.seen += 1
        if self.seen == self.stall_at:
            self.waiting, self.stalled = [], -self._loop.time()
            self._loop.call_later(self.stall, self._flow_again)
        if self.waiting is not None:
            self.waiting.append(connection)
        elif self.service:
            self.free_at = max(self.free_at, self._loop.time()) + self.service
            self._loop.call_at(self.free_at, connection.answer)
        else:
            connection.answer()

    def _flow_again(self) -> None:
        waiting, self.waiting = self.waiting or [], None
        for connection in waiting:
            connection.answer()
        # What the server really did, on a machine that has other things to do as well.
        self.stalled += self._loop.time()


def expected_stall(stall: float) -> np.ndarray:
    """The response time of each request: what was left of the stall when it was due, and nothing otherwise."""
    due = (np.arange(RATE * SECONDS) + 0.5) / RATE
    begin = due[STALLED_AT - 1]
    return np.where((due >= begin) & (due < begin + stall), begin + stall - due, 0.0)


@pytest.mark.parametrize("engine", ["native", "aiohttp"])
def test_a_stall_of_two_seconds_is_as_long_as_it_was(engine: str) -> None:
    """Percentiles of the response time follow from plan and stall alone, within 3 %; the best of three takes."""
    # A machine that has other things to do delays answers, and never hastens them.
    takes = [misses_of_a_stall(engine)]
    while takes[-1] and len(takes) < 3:
        takes.append(misses_of_a_stall(engine))
    assert not takes[-1], takes


def misses_of_a_stall(engine: str) -> list[tuple[float, float, float]]:
    """The percentiles further than 3 % from the truth: which, what was measured, what is true."""
    with StallingServer(stall_at=STALLED_AT, stall=STALL) as server:
        result = LoadTest(server.url, Constant(RATE), duration=SECONDS, max_concurrency=600, engine=engine).run()  # type: ignore[arg-type]
    assert server.stalled >= STALL * 0.99
    truth = np.sort(expected_stall(server.stalled))
    assert (result.planned, result.completed, server.seen) == (RATE * SECONDS,) * 3
    # Reading five hundred answers at once takes an event loop in Python some time, too.
    percentiles = (80.0, 90.0, 95.0, 99.0, 99.9, 100.0) if engine == "native" else (90.0, 95.0, 99.0, 99.9, 100.0)
    pairs = [
        (each, float(result.response_time.percentile(each)), float(truth[int(np.ceil(each / 100 * truth.size)) - 1]))
        for each in percentiles
    ]
    return [pair for pair in pairs if pair[1] != pytest.approx(pair[2], rel=0.03)]


def test_one_connection_sees_the_stall_once_and_the_line_behind_it_in_full() -> None:
    """In the service time the stall is one request of thousands; in the response time every one that was held up."""
    with StallingServer(stall_at=STALLED_AT, stall=STALL) as server:
        result = LoadTest(server.url, Constant(RATE), duration=SECONDS, max_concurrency=1).run()
    slow = [count for start, _, count in buckets(result.service_time) if start > 1.0]
    assert slow == [1]
    assert result.service_time.max == pytest.approx(server.stalled, rel=0.03)
    assert result.service_time.percentile(99.0) < 0.1
    # The line drains one answer after another, so it lasts longer than the stall; how long follows from the answers.
    drained = line(stall=server.stalled, service=float(result.service_time.percentile(50.0)))
    for percentile in (80.0, 90.0, 99.0):
        exact = drained[int(np.ceil(percentile / 100 * drained.size)) - 1]
        assert result.response_time.percentile(percentile) == pytest.approx(exact, rel=0.05), percentile
    assert result.late > STALL * RATE * 0.9
    assert not result.verdict.valid


def line(*, stall: float, service: float) -> np.ndarray:
    """Response times of a line with one server: each begins when it is due and the one before has ended."""
    due = (np.arange(RATE * SECONDS) + 0.5) / RATE
    free, times = 0.0, []
    for k, at in enumerate(due, 1):
        free = max(free, at) + (stall if k == STALLED_AT else service)
        times.append(free - at)
    return np.sort(np.array(times))


def buckets(times: object) -> list[tuple[float, float, int]]:
    """The used buckets of a histogram: from, to, count."""
    counts, edges = times.counts(), times.edges()  # type: ignore[attr-defined]
    return [(edges[i], edges[i + 1], int(counts[i])) for i in counts.nonzero()[0]]


def test_a_server_slower_than_the_rate_shows_its_backlog() -> None:
    """At four times what the server can do, times grow with the line, and it is the target, not the generator."""
    with StallingServer(service=0.01) as server:
        result = LoadTest(server.url, Constant(400), duration=1, max_concurrency=600).run()
    assert (result.completed, result.late, result.dropped) == (400, 0, 0)
    assert result.verdict.valid, str(result.verdict)
    # The k-th answer comes after k service times: the last of 400 waits for three seconds and more.
    assert result.response_time.max > 3.0
    medians = [block.histogram.percentile(50.0) for block in result.blocks]
    assert medians == sorted(medians)
    sent, done = np.cumsum(result.throughput.sent), np.cumsum(result.throughput.completed)
    assert (sent - done).max() > 250


def test_a_bound_on_connections_is_told_as_such() -> None:
    """With four places the same server makes requests late, and the verdict names the bound."""
    with StallingServer(service=0.01) as server:
        result = LoadTest(server.url, Constant(400), duration=0.5, max_concurrency=4).run()
    assert result.late > 100
    assert not result.verdict.valid
    assert "max_concurrency was reached" in str(result.verdict)


STARVED = """
import os
from seawall.measure.load import Constant, LoadTest

async def nothing():
    pass

LoadTest(nothing, Constant(100), duration=0.01).run()  # what is imported late should not wait for a processor
os.sched_setaffinity(0, {CPU})
os.nice(5)
result = LoadTest(nothing, Constant(20_000), duration=1).run()
print(result.verdict.valid, "|", result.verdict, "|", result.generator.waited)
"""


@contextmanager
def hogs(cpu: int, number: int) -> Iterator[None]:
    """So many processes that use up a processor, until the block is left."""
    code = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\nprint(1, flush=True)\nwhile os.getppid() != 1: pass"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(number)]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a processor to be chosen")
def test_a_starved_generator_says_so() -> None:
    """A generator that others leave no processor to says that it was the bottleneck, and why."""
    cpu = min(os.sched_getaffinity(0))
    with hogs(cpu, 4):
        done = subprocess.run(
            [sys.executable, "-c", STARVED.replace("CPU", str(cpu))],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    valid, verdict, waited = done.stdout.strip().split(" | ")
    assert valid == "False"
    assert "the generator was the bottleneck: " in verdict
    assert "its own delay was" in verdict
    assert "it was ready and had no processor for" in verdict
    assert float(waited) > 0.05


def test_the_rate_is_kept_to_a_thousandth() -> None:
    """As many requests as planned start in the time that was planned for them."""
    with StallingServer() as server:
        result: LoadResult = LoadTest(server.url, Constant(1000), duration=3, interval=0.5).run()
    assert result.sent == 3000
    # The last start is due half a gap before the end; what is between it and the end is the schedule error.
    assert result.duration == pytest.approx(3.0, rel=0.02)
    assert sum(result.throughput.sent[:6]) >= 2997
