"""A web server of bounded capacity behind a limit, in a process of its own: eight workers of 20 ms by chance.

Each waiting request makes service a little slower, as it does in real servers. The limit is that of the command line: a
number, or "adaptive".
"""

from __future__ import annotations

import asyncio
import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from aiohttp import web

import seawall as sw

WORKERS, MEAN, THRASH = 8, 0.02, 0.05


def limit_of(told: str) -> Any:
    """The limit that the command line asks for."""
    return sw.AdaptiveLimit() if told == "adaptive" else sw.Bulkhead(int(told))


def application(limit: Any) -> web.Application:
    """The server."""
    chance, workers = Random(7), asyncio.Semaphore(WORKERS)
    waiting = 0

    async def work() -> None:
        nonlocal waiting
        waiting += 1
        async with workers:
            waiting -= 1
            await asyncio.sleep(chance.expovariate(1 / MEAN) * (1 + THRASH * waiting / WORKERS))

    guarded = limit(work)

    async def answer(_request: web.Request) -> web.Response:
        try:
            await guarded()
        except sw.BulkheadFull:
            return web.Response(status=503)
        return web.Response(text="done")

    async def tell(_request: web.Request) -> web.Response:
        return web.Response(text=json.dumps(limit.stats()._asdict()))

    app = web.Application()
    app.router.add_get("/", answer)
    app.router.add_get("/stats", tell)
    return app


async def serve(told: str) -> None:
    """Serve until standard input ends."""
    runner = web.AppRunner(application(limit_of(told)), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@contextmanager
def server(told: str) -> Iterator[str]:
    """Its URL, for as long as the block."""
    command = [sys.executable, "-m", "benchmarks.adaptive._server", told]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not select.select([process.stdout], [], [], 30)[0]:
                raise TimeoutError("the server did not begin")
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.stdin.close()
            process.wait(10)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
