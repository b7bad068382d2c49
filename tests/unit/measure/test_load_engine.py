"""Load tests against real servers on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from seawall.errors import ConfigError
from seawall.measure.load import Constant, Linear, LoadResult, LoadTest, Progress, Spike
from seawall.measure.load._settings import check_files
from seawall.measure.load.result._judge import judge
from seawall.measure.load.result._outcomes import answered, failed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A real server on a free port, for as long as the block."""
    app = web.Application()
    app.router.add_route("*", "/", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            await runner.cleanup()


async def hello(_request: web.Request) -> web.Response:
    """Answer at once."""
    return web.Response(text="hello")


def adds_up(result: LoadResult) -> bool:
    """The promises between the counts, and between the counts and the histograms."""
    ended = result.completed == sum(result.outcomes.values()) == result.response_time.count
    series = sum(result.throughput.sent) == result.sent and sum(result.throughput.completed) == result.completed
    blocks = sum(block.histogram.count for block in result.blocks) == result.completed
    return ended and series and blocks and result.planned == result.sent + result.dropped


async def test_every_planned_request_is_sent_and_counted() -> None:
    """A fast server gets exactly the plan, and the result accounts for each request and byte."""
    seen = 0

    async def counting(request: web.Request) -> web.Response:
        nonlocal seen
        seen += 1
        return await hello(request)

    async with serving(counting) as url:
        test = LoadTest(url, Spike(50, 400), duration=0.5, interval=0.1)
        result = await test.run_async()
    assert (result.planned, result.sent, result.completed, seen) == (43, 43, 43, 43)
    assert result.planned == test.plan.arrivals
    assert result.outcomes == {"2xx": 43}
    assert (result.late, result.dropped, result.interrupted, result.first_error) == (0, 0, False, None)
    assert sum(result.throughput.bytes) == 43 * len("hello")
    assert sum(result.throughput.planned) == pytest.approx(42.5)
    assert result.schedule_error.count == 43
    assert adds_up(result)


async def test_a_stall_shows_in_the_response_time() -> None:
    """One stall is felt by every request due during it, though a closed loop with one user would note it once."""
    gate = asyncio.Lock()
    served = 0

    async def one_at_a_time(request: web.Request) -> web.Response:
        nonlocal served
        async with gate:
            served += 1
            if served == 20:
                await asyncio.sleep(0.5)
            return await hello(request)

    async with serving(one_at_a_time) as url:
        result = await LoadTest(url, Constant(100), duration=1, max_concurrency=1).run_async()
        served = 0
        closed = [await _closed_request(url) for _ in range(100)]
    slow = sum(seconds > 0.1 for seconds in closed)
    assert slow <= 10
    # About forty of the hundred were due at least 0.1 s before the stall was over.
    assert result.response_time.percentile(75.0) > 0.1
    assert result.response_time.percentile(99.0) > 0.3
    assert result.service_time.percentile(95.0) < 0.3
    assert result.late > 20
    assert adds_up(result)


async def _closed_request(url: str) -> float:
    import aiohttp

    loop = asyncio.get_running_loop()
    started = loop.time()
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        await response.read()
    return loop.time() - started


async def test_what_never_starts_is_dropped_in_the_open() -> None:
    """Requests that still wait when the run and its grace are over are counted, and the verdict says so."""

    async def stuck(request: web.Request) -> web.Response:
        await asyncio.sleep(0.4)
        return await hello(request)

    async with serving(stuck) as url:
        result = await LoadTest(url, Constant(100), duration=0.2, max_concurrency=2, grace=0).run_async()
    assert (result.planned, result.sent, result.dropped) == (20, 2, 18)
    assert not result.verdict.valid
    assert result.verdict.reasons[0] == "18 of 20 requests were never sent"
    assert adds_up(result)


async def test_waiting_for_a_place_is_late_and_part_of_the_response_time() -> None:
    """With one place and requests due together, each waits for those before it."""

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return await hello(request)

    async with serving(slow) as url:
        result = await LoadTest(url, Constant(1000), duration=0.01, max_concurrency=1).run_async()
    assert (result.planned, result.sent, result.dropped) == (10, 10, 0)
    assert result.late == 9
    assert result.response_time.max > 0.4
    assert result.response_time.max > 2 * result.service_time.max
    assert str(result.verdict).startswith(
        "the generator was the bottleneck: max_concurrency was reached and 9 of 10 requests started late; raise it"
    )


@pytest.mark.parametrize(("status", "kind"), [(204, "2xx"), (302, "3xx"), (404, "status 404"), (503, "status 503")])
async def test_statuses_are_outcomes(status: int, kind: str) -> None:
    """Answers below 400 are counted by class and all others by their exact status."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with serving(answer) as url:
        result = await LoadTest(url, Constant(100), duration=0.05).run_async()
    assert result.outcomes == {kind: 5}
    assert result.succeeded == (5 if status < 400 else 0)


async def test_closed_connections_are_outcomes() -> None:
    """A server that hangs up without an answer was reached, and is counted as disconnecting."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await LoadTest(f"http://127.0.0.1:{port}/", Constant(300), duration=0.1).run_async()
    assert set(result.outcomes) <= {"disconnected", "reset"}
    assert (result.planned, result.completed) == (30, 30)
    assert not result.unreachable


async def test_a_timeout_is_an_outcome_and_a_long_time() -> None:
    """A request that outlasts the timeout counts with the time it took."""

    async def never(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(never) as url:
        result = await LoadTest(url, Constant(100), duration=0.05, timeout=0.1).run_async()
    assert result.outcomes == {"timeout": 5}
    assert result.service_time.min >= 0.09
    assert not result.unreachable


async def test_a_refusing_port_ends_the_run_early() -> None:
    """After twenty refused connections and nothing else the run is over, and says that nothing was reached."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    result = await LoadTest(f"http://127.0.0.1:{port}/", Constant(100), duration=60).run_async()
    assert result.unreachable
    assert result.interrupted
    assert result.duration < 50
    assert set(result.outcomes) == {"connection refused"}
    assert 20 <= result.completed < 6000
    assert result.first_error is not None
    assert result.first_error == f"127.0.0.1:{port}: Connection refused"
    assert not result.verdict.valid
    assert str(result.verdict).startswith("nothing was reached: ")


async def test_an_unknown_host_is_a_dns_outcome() -> None:
    """A name that cannot exist is told apart from a refusing port."""
    result = await LoadTest("http://nowhere.invalid/", Constant(10), duration=0.2).run_async()
    assert result.outcomes == {"dns": 2}
    assert result.unreachable


async def test_plain_http_is_no_tls() -> None:
    """An https URL on a port that speaks plain HTTP is a tls outcome."""
    async with serving(hello) as url:
        result = await LoadTest(url.replace("http", "https"), Constant(10), duration=0.2).run_async()
    assert result.outcomes == {"tls": 2}


async def test_stop_returns_what_was_measured() -> None:
    """Setting `stop` ends a long run at once, with requests under way counted as sent but not completed."""
    arrived, stop = 0, asyncio.Event()

    async def fifth_stops(request: web.Request) -> web.Response:
        nonlocal arrived
        arrived += 1
        if arrived == 5:
            stop.set()
            await asyncio.Event().wait()
        return await hello(request)

    async with serving(fifth_stops) as url:
        result = await LoadTest(url, Constant(20), duration=3600).run_async(stop=stop)
    assert result.interrupted
    assert result.duration < 600
    assert result.sent - result.completed >= 1
    assert set(result.outcomes) == {"2xx"}
    assert adds_up(result)


async def test_cancelling_cancels() -> None:
    """Cancelling the awaiting task raises CancelledError, as for any coroutine."""
    arrived = asyncio.Event()

    async def noting(request: web.Request) -> web.Response:
        arrived.set()
        return await hello(request)

    async with serving(noting) as url:
        run = asyncio.create_task(LoadTest(url, Constant(20), duration=3600).run_async())
        await arrived.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run


async def test_progress_is_told_and_its_errors_are_not_swallowed() -> None:
    """The callback sees counts that only grow; when it raises, the run ends with its error."""
    told: list[Progress] = []
    async with serving(hello) as url:
        result = await LoadTest(url, Linear(0, 100), duration=0.6).run_async(told.append)
        assert told[-1].completed == result.completed == 30
        assert [progress.sent for progress in told] == sorted(progress.sent for progress in told)

        def broken(_progress: Progress) -> None:
            raise ZeroDivisionError("a broken view")

        with pytest.raises(ZeroDivisionError, match=r"^a broken view$"):
            await LoadTest(url, Constant(10), duration=3600).run_async(broken)


async def test_method_headers_and_body_are_sent() -> None:
    """The request carries what it was told to."""
    seen: set[tuple[str, str, str]] = set()

    async def noting(request: web.Request) -> web.Response:
        seen.add((request.method, request.headers["X-Test"], await request.text()))
        return web.Response()

    async with serving(noting) as url:
        await LoadTest(url, Constant(20), duration=0.1, method="post", headers={"X-Test": "1"}, body="é").run_async()
    assert seen == {("POST", "1", "é")}


async def test_poisson_runs_repeat_with_their_seed() -> None:
    """The number of requests of a poisson run follows from the seed the result tells."""
    async with serving(hello) as url:
        first = await LoadTest(url, Constant(200), duration=0.2, arrivals="poisson").run_async()
        again = await LoadTest(url, Constant(200), duration=0.2, arrivals="poisson", seed=first.seed).run_async()
    assert first.seed is not None
    assert first.planned == again.planned


async def test_silence_is_a_run_without_requests() -> None:
    """A plan without arrivals completes with empty counts and can be written as JSON."""
    result = await LoadTest("http://127.0.0.1:9/", Constant(0), duration=0.05).run_async()
    assert (result.planned, result.sent, result.outcomes, result.unreachable) == (0, 0, {}, False)
    times = json.loads(result.to_json())["response_time"]
    assert (times["count"], sorted(times)) == (0, ["count", "hlog"])


async def test_json_has_the_whole_result() -> None:
    """The JSON form carries counts, percentiles, the timeline and the verdict."""
    async with serving(hello) as url:
        result = await LoadTest(url, Constant(100), duration=0.1).run_async()
    facts = json.loads(result.to_json())
    assert (facts["planned"], facts["completed"], facts["outcomes"]) == (10, 10, {"2xx": 10})
    assert facts["response_time"]["p99"] == pytest.approx(result.response_time.percentile(99.0))
    assert facts["throughput"]["interval"] == 1.0


async def test_run_needs_its_own_loop() -> None:
    """Inside of an event loop the blocking form says which one to use."""
    with pytest.raises(RuntimeError) as caught:
        LoadTest("http://127.0.0.1:9/", Constant(0), duration=0.05).run()
    assert str(caught.value) == (
        "LoadTest.run() needs a thread without a running event loop; await run_async() instead"
    )


def test_run_blocks_until_done() -> None:
    """Outside of an event loop a run needs no asyncio around it."""
    assert LoadTest("http://nowhere.invalid/", Constant(10), duration=0.1).run().outcomes == {"dns": 1}


@pytest.mark.parametrize(
    "target", ["", "localhost", "ftp://a/", "http://", "http://[/", "http://a:99999/", "http://a:0/", "http://a b/"]
)
def test_bad_urls(target: str) -> None:
    """What is no URL of a web server is refused with what would be one."""
    with pytest.raises(ConfigError) as caught:
        LoadTest(target, Constant(1), duration=1)
    assert str(caught.value) == (
        f"target must be an http:// or https:// URL with a host, got {target!r}; for example http://127.0.0.1:8000/"
    )


def test_bad_options() -> None:
    """Targets and options that can never work are refused with the way out."""
    with pytest.raises(ConfigError) as caught:
        LoadTest(5, Constant(1), duration=1)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "target must be a URL, a Request, a callable or scenarios, got 5; for example http://127.0.0.1:8000/"
    )
    with pytest.raises(ConfigError) as caught:
        LoadTest("http://a/", 100, duration=1)  # type: ignore[arg-type]
    assert str(caught.value) == "pattern must be a Pattern, got 100; for example Constant(100)"
    with pytest.raises(ConfigError) as caught:
        LoadTest("http://a/", Constant(1), duration=1, max_concurrency=0)
    assert str(caught.value) == "max_concurrency must be between 1 and 100,000 requests, got 0; 512 is the default"
    with pytest.raises(ConfigError) as caught:
        LoadTest("http://a/", Constant(1), duration=1, seed=0.5)  # type: ignore[arg-type]
    assert str(caught.value) == "seed must be a whole number, not negative, got 0.5; leave it out to draw one"
    with pytest.raises(ConfigError) as caught:
        LoadTest("http://a/", Constant(1), duration=1, method="GET /")
    assert str(caught.value) == "method must be a word of letters, got 'GET /'; for example GET or POST"
    with pytest.raises(ConfigError) as caught:
        check_files(5000, 1024)
    assert str(caught.value) == (
        "max_concurrency 5,000 needs 5,064 open files but this process may have 1,024; "
        "lower it to 960 or run `ulimit -n 5064` first"
    )


def test_answers() -> None:
    """Statuses and errors have fixed names, and only a whole answer below 400 is a success."""
    assert [answered(status, 0).succeeded for status in (200, 301, 404, 500)] == [True, True, False, False]
    kinds = [failed(error).kind for error in (TimeoutError(), ConnectionResetError(), OSError(24, "x"), ValueError())]
    assert kinds == ["timeout", "reset", "too many open files", "error ValueError"]


def test_a_slow_generator_is_told() -> None:
    """When the generator's own delay is a large part of what was measured, the verdict says so."""
    from seawall.measure import Histogram

    own, whole = Histogram(), Histogram()
    for _ in range(100):
        own.record(0.05)
        whole.record(0.1)
    verdict = judge(response_time=whole, schedule_error=own, outcomes={"2xx": 100}, sent=100, late=0, dropped=0)
    assert not verdict.valid
    assert str(verdict).startswith("the generator was the bottleneck: its own delay was 50")
    assert str(judge(response_time=own, schedule_error=Histogram(), outcomes={}, sent=1, late=0, dropped=0)) == "valid"
