"""A small server that takes log-normal time for every answer; `benchmarks.compare_runs` starts it as a process.

It writes its port as the first line of its output and ends when its input ends, so it cannot outlive who started it.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys

from aiohttp import web

from seawall.measure.load._loop import fine_loop


def application(median: float, sigma: float, chance: random.Random) -> web.Application:
    """Answers after a delay with that median, in seconds, and that sigma of its logarithm."""

    async def answer(_request: web.Request) -> web.Response:
        await asyncio.sleep(chance.lognormvariate(math.log(median), sigma))
        return web.Response(text="done\n")

    app = web.Application()
    app.router.add_get("/", answer)
    return app


async def serve(median: float, sigma: float, seed: int) -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    runner = web.AppRunner(application(median, sigma, random.Random(seed)), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    # Timers of a plain loop are whole milliseconds, which would hide a change of 5 % of two.
    with asyncio.Runner(loop_factory=fine_loop) as loop:
        loop.run(serve(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
