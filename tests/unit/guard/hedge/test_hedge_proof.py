"""What hedging is for: the slowest calls become fast for few more calls.

In simulated time, so that a busy machine changes nothing; `python -m benchmarks.hedged` does the same to a real server.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import seawall as sw
from seawall.clock import ManualClock
from seawall.testing import run

CALLS, RATE, SLOW = 5_000, 200, 1.0


async def tail(clock: ManualClock, hedge: Any) -> tuple[float, int]:
    """P99.9 in seconds and the number of requests, of a service of which one answer in a hundred takes a second."""
    chance, asked, times = Random(5), [0], sw.Histogram()

    async def ask() -> None:
        asked[0] += 1
        await clock.sleep_async(SLOW if chance.random() < 0.01 else chance.lognormvariate(-5.3, 0.3))

    async def one() -> None:
        began = clock.now_ns()
        await (ask() if hedge is None else hedge.call_async(ask))
        times.record((clock.now_ns() - began) / 1e9)

    async with asyncio.TaskGroup() as calls:
        for _ in range(CALLS):
            calls.create_task(one())
            await clock.sleep_async(1 / RATE)
    return times.percentile(99.9), asked[0]


@pytest.mark.proof
@pytest.mark.parametrize("after", [0.03, sw.Quantile(0.985)], ids=["fixed", "learnt"])
def test_p999_falls_ten_times_for_two_percent_more_calls(after: Any) -> None:
    """With 1 % slow calls, a budget of 2 %, and a fixed or a learnt time."""
    clock = ManualClock()
    bare, asked = run(tail(clock, None), clock)
    assert (asked, bare) == (CALLS, pytest.approx(SLOW, rel=0.01))
    clock = ManualClock()
    hedge = sw.Hedge(after, idempotent=True, budget=0.02, clock=clock)
    hedged, asked = run(tail(clock, hedge), clock)
    assert bare / hedged >= 10
    assert asked == CALLS + hedge.stats().hedged
    assert asked <= CALLS * 1.02


async def test_against_a_real_server_every_call_is_answered_once() -> None:
    """aiohttp: the slow first request of each kind is closed when its copy has answered, and the connection with it."""
    asked: dict[str, int] = {}
    hung_up = [asyncio.Event() for _ in range(10)]

    async def answer(request: web.Request) -> web.Response:
        number = request.match_info["number"]
        asked[number] = asked.get(number, 0) + 1
        if asked[number] == 1:
            try:
                await asyncio.Event().wait()
            finally:
                hung_up[int(number)].set()
        return web.Response(text=number)

    app = web.Application()
    app.router.add_get("/{number}", answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hedge = sw.Hedge(0.05, idempotent=lambda method, _: method == "GET", budget=None)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:

            @hedge
            async def call(method: str, path: str) -> str:
                async with session.request(method, path) as response:
                    return await response.text()

            answers = await asyncio.gather(*(call("GET", f"/{number}") for number in range(10)))
            await asyncio.wait_for(asyncio.gather(*(event.wait() for event in hung_up)), 60)
    finally:
        await runner.cleanup()
    assert answers == [str(number) for number in range(10)]
    assert hedge.stats().won_by_copy == 10
    assert all(times >= 2 for times in asked.values())
