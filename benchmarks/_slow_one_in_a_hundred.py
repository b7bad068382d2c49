"""A small server that is slow for one request in a hundred; `benchmarks.hedged` starts it as a process.

It writes its port as the first line of its output and ends when its input ends, so it cannot outlive who started it.
"""

from __future__ import annotations

import asyncio
import random
import sys

from aiohttp import web

from seawall.measure.load._loop import fine_loop


def application(usual: float, slow: float, chance: random.Random) -> web.Application:
    """Answers after `usual` seconds, by chance of one in a hundred after `slow`; `/count` tells how many were asked."""
    asked = [0]

    async def answer(_request: web.Request) -> web.Response:
        asked[0] += 1
        await asyncio.sleep(slow if chance.random() < 0.01 else usual)
        return web.Response(text="done\n")

    async def count(_request: web.Request) -> web.Response:
        return web.Response(text=str(asked[0]))

    app = web.Application()
    app.router.add_get("/", answer)
    app.router.add_get("/count", count)
    return app


async def serve(usual: float, slow: float, seed: int) -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    runner = web.AppRunner(application(usual, slow, random.Random(seed)), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=fine_loop) as loop:
        loop.run(serve(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
