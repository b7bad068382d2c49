"""The demo's service: a small web server behind a token bucket, in a process of its own.

It writes its port as the first line of its output and ends when its input ends, so it cannot outlive the demo, however
the demo ends.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys

from aiohttp import web

from seawall.guard.limits import TokenBucket


def application(limiter: TokenBucket, chance: random.Random) -> web.Application:
    """A service that lets through what the limiter admits and takes some milliseconds for it."""

    async def work(_request: web.Request) -> web.Response:
        decision = limiter.check()
        if not decision.admitted:
            # Retry-After is in whole seconds and must not be too early (RFC 9110, section 10.2.3).
            wait = math.ceil(decision.retry_after or 0)
            return web.Response(status=429, headers={"Retry-After": str(wait)}, text="too many requests\n")
        # Most answers take about 4 ms, a few much longer, as where there is a database behind.
        await asyncio.sleep(chance.lognormvariate(math.log(0.004), 0.5))
        return web.Response(text="done\n")

    app = web.Application()
    app.router.add_get("/", work)
    return app


async def serve(rate: float, burst: int) -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    runner = web.AppRunner(application(TokenBucket(rate, burst=burst), random.Random(7)), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2])))
