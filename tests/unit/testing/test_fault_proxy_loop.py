"""A fault proxy in the loop of its client and server: on a manual clock times are exact, and take no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from seawall.clock import ManualClock
from seawall.testing import (
    Bandwidth,
    BlackHole,
    Cut,
    FaultPlan,
    FaultProxy,
    FaultStep,
    Latency,
    Pause,
    Refuse,
    Reset,
    SlowClose,
    Stall,
    Truncate,
    run,
)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def proxied(seed: int = 1) -> AsyncIterator[FaultProxy]:
    """A proxy before an echo server, both in this loop."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    try:
        async with FaultProxy(server.sockets[0].getsockname(), seed=seed) as proxy:
            yield proxy
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def dialled(proxy: FaultProxy) -> AsyncIterator[Streams]:
    """A client of it."""
    assert isinstance(proxy.address, tuple)
    reader, writer = await asyncio.open_connection(*proxy.address)
    try:
        yield reader, writer
    finally:
        writer.close()


async def said(streams: Streams, data: bytes) -> bytes:
    """What comes back."""
    reader, writer = streams
    writer.write(data)
    return await reader.readexactly(len(data))


def on_a_clock(main: Callable[[FaultProxy, ManualClock], Awaitable[None]]) -> float:
    """Run it, and say how long it took on the clock."""
    clock = ManualClock()

    async def with_proxy() -> None:
        async with proxied() as proxy:
            await main(proxy, clock)

    run(with_proxy(), clock)
    return clock.time()


def test_an_hour_of_latency_takes_no_time() -> None:
    """Each way by exactly as much."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.add(Latency(3600, direction="to_server"))
        proxy.add(Latency(60, direction="to_client"))
        async with dialled(proxy) as streams:
            assert await said(streams, b"hello") == b"hello"
            assert clock.time() == pytest.approx(3660, abs=1e-6)

    on_a_clock(main)


def test_latency_does_not_narrow_the_line() -> None:
    """Ten messages sent at once are back after one round trip, in order."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.add(Latency(10, direction="to_server"))
        async with dialled(proxy) as (reader, writer):
            for number in range(10):
                writer.write(bytes([number]))
                await asyncio.sleep(1)
            assert await reader.readexactly(10) == bytes(range(10))
            assert clock.time() == pytest.approx(19, abs=1e-6)

    on_a_clock(main)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "exponential"])
def test_jitter_repeats_with_the_seed_and_keeps_the_order(distribution: str) -> None:
    """Whatever the delays, bytes stay in order; the times are the same in every run."""
    ends = []
    for _ in range(2):

        async def main(proxy: FaultProxy, clock: ManualClock) -> None:
            proxy.add(Latency(5, jitter=5, distribution=distribution, direction="to_server"))  # type: ignore[arg-type]
            async with dialled(proxy) as (reader, writer):
                for number in range(20):
                    writer.write(bytes([number]))
                    await asyncio.sleep(0.5)
                assert await reader.readexactly(20) == bytes(range(20))
                ends.append(clock.time())

        on_a_clock(main)
    assert ends[0] == ends[1] > 10


def test_a_share_of_chunks_is_late() -> None:
    """With a share of a half, some messages take the delay and some do not."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.add(Latency(1, chunks=0.5, direction="to_server"))
        late = []
        async with dialled(proxy) as streams:
            for _ in range(40):
                before = clock.time()
                await said(streams, b"x")
                late.append(clock.time() - before > 0.5)
        assert 10 <= sum(late) <= 30

    on_a_clock(main)


def test_bandwidth_is_bytes_over_time() -> None:
    """60,000 bytes at 1,000 a second take a minute; smaller pieces do not change that."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.add(Bandwidth(1000, direction="to_client"))
        async with dialled(proxy) as streams:
            for _ in range(6):
                await said(streams, bytes(10_000))
        assert clock.time() == pytest.approx(60, abs=1e-3)

    on_a_clock(main)


def test_an_idle_line_saves_no_bandwidth() -> None:
    """What was not used is gone."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.add(Bandwidth(100, direction="to_client"))
        async with dialled(proxy) as streams:
            await asyncio.sleep(1000)
            await said(streams, bytes(1000))
        assert clock.time() == pytest.approx(1010, abs=1e-3)

    on_a_clock(main)


def test_removing_latency_lets_go_what_it_held() -> None:
    """Nobody waits for a fault that is gone."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        async with dialled(proxy) as (reader, writer):
            with proxy.fault(Latency(3600)):
                writer.write(b"hello")
                await asyncio.sleep(5)
            assert await reader.readexactly(5) == b"hello"
            assert clock.time() == pytest.approx(5, abs=1e-6)

    on_a_clock(main)


def test_a_stall_and_a_slow_close_take_their_times() -> None:
    """One after the other."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.add(Stall(30, direction="to_server"))
        proxy.add(SlowClose(100, direction="to_client"))
        async with dialled(proxy) as (reader, writer):
            assert await said((reader, writer), b"a") == b"a"
            assert clock.time() == pytest.approx(30, abs=1e-6)
            assert await said((reader, writer), b"b") == b"b"
            writer.write_eof()
            assert await reader.read() == b""
            assert clock.time() == pytest.approx(130, abs=1e-6)

    on_a_clock(main)


def test_a_reset_comes_in_time_also_to_a_connection_that_is_older() -> None:
    """Counted from when the fault was added."""

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        async with dialled(proxy) as streams:
            await said(streams, b"x")
            await asyncio.sleep(100)
            proxy.add(Reset(after=7))
            with pytest.raises(ConnectionResetError):
                await streams[0].read(1)
            assert clock.time() == pytest.approx(107, abs=1e-6)

    on_a_clock(main)


def test_a_plan_is_played_at_its_times() -> None:
    """Faults come and go when it says, and it is over at its end."""
    plan = FaultPlan(
        [
            FaultStep(10, Pause(), lasts=5),
            FaultStep(20, Refuse(), lasts=5),
            FaultStep(30, Cut()),
            FaultStep(40, Latency(3), lasts=0.5),
        ]
    )

    async def main(proxy: FaultProxy, clock: ManualClock) -> None:
        proxy.play(plan)
        async with dialled(proxy) as streams:
            await asyncio.sleep(11)
            assert proxy.faults == (Pause(),)
            await said(streams, b"x")
            assert clock.time() == pytest.approx(15, abs=1e-6)
            await asyncio.sleep(6)
            with pytest.raises(ConnectionRefusedError):
                async with dialled(proxy):
                    pass
            with pytest.raises(ConnectionResetError):
                await streams[0].read(1)
            assert clock.time() == pytest.approx(30, abs=1e-6)
        assert proxy.playing
        await asyncio.sleep(20)
        assert not proxy.playing
        assert proxy.faults == ()

    on_a_clock(main)


def test_clear_forgets_plan_and_faults() -> None:
    """Nothing is added later."""

    async def main(proxy: FaultProxy, _clock: ManualClock) -> None:
        proxy.play(FaultPlan([FaultStep(1, BlackHole()), FaultStep(5, Refuse())]))
        proxy.pause()
        await asyncio.sleep(2)
        assert proxy.faults == (Pause(), BlackHole())
        proxy.clear()
        await asyncio.sleep(10)
        assert (proxy.faults, proxy.playing) == ((), False)

    on_a_clock(main)


def test_faults_by_hand_do_not_change_a_plans_decisions() -> None:
    """Which connections a plan's fault is on is decided by its place in the plan."""

    def chosen(others: int) -> list[bool]:
        found: list[bool] = []

        async def main(proxy: FaultProxy, _clock: ManualClock) -> None:
            proxy.play(FaultPlan([FaultStep(5, fault := Latency(0, connections=0.5))]))
            for _ in range(others):
                proxy.add(Stall(0))
            clients = [await asyncio.open_connection(*proxy.address) for _ in range(20)]
            await asyncio.sleep(10)
            found.extend(fault in each.faults for each in proxy.connections)
            for _reader, writer in clients:
                writer.close()

        on_a_clock(main)
        return found

    assert chosen(0) == chosen(3)
    assert 3 <= sum(chosen(0)) <= 17


async def test_what_an_http_client_sees() -> None:
    """A body cut off, a reset, a refusal, silence: each is the error that aiohttp has for it."""
    app = web.Application()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(50_000))

    app.router.add_get("/", page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with FaultProxy(runner.addresses[0], seed=1) as proxy:
            await _ask_everything(proxy)
    finally:
        await runner.cleanup()


async def _ask_everything(proxy: FaultProxy) -> None:
    async def ask(timeout: float = 20) -> int:
        connector = aiohttp.TCPConnector(force_close=True)
        session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(timeout))
        async with session, session.get(proxy.url("http", "/")) as response:
            return len(await response.read())

    assert await ask() == 50_000
    with proxy.fault(Truncate(1000)), pytest.raises(aiohttp.ClientPayloadError):
        await ask()
    with proxy.fault(Reset()), pytest.raises(aiohttp.ClientConnectionError):
        await ask()
    with proxy.fault(Refuse()), pytest.raises(aiohttp.ClientConnectorError) as caught:
        await ask()
    assert isinstance(caught.value.os_error, ConnectionRefusedError)
    with proxy.fault(BlackHole(direction="to_client")), pytest.raises(TimeoutError):
        await ask(0.05)
    assert await ask() == 50_000


async def test_a_host_name_is_looked_up() -> None:
    """In both manners; all its addresses are tried."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with FaultProxy(("localhost", port), seed=1) as proxy, dialled(proxy) as streams:
        assert await said(streams, b"hello") == b"hello"
    with FaultProxy(("localhost", port), seed=1) as proxy:
        async with dialled(proxy) as streams:
            assert await said(streams, b"hello") == b"hello"
    server.close()
    await server.wait_closed()
