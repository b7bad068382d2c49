"""A web server of known capacity in a process of its own: one worker that takes a fixed time for each request."""

from __future__ import annotations

import asyncio
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web


def application(rate: float) -> web.Application:
    """One worker, as a timetable: each request is answered 1/rate after the one before it, or after it came."""
    free_at = 0.0

    async def work(_request: web.Request) -> web.Response:
        nonlocal free_at
        loop = asyncio.get_running_loop()
        free_at = max(free_at, loop.time()) + 1 / rate
        await asyncio.sleep(free_at - loop.time())
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", work)
    return app


async def serve(rate: float) -> None:
    """Serve until standard input ends."""
    runner = web.AppRunner(application(rate), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@contextmanager
def limited(rate: float) -> Iterator[str]:
    """Its URL, for as long as the block."""
    command = [sys.executable, __file__, str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert select.select([process.stdout], [], [], 30)[0]
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.stdin.close()
            process.wait(10)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
