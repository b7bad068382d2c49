"""What the demo's two services have in common: a port, an input to be told by, and an end.

A service tells its port in the first line of its output, is told to begin in the first line of its input, says that it
has begun, and ends when its input ends, so it cannot outlive the demo, however the demo ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from aiohttp import web

Begin = Callable[[dict[str, Any]], AbstractAsyncContextManager[object]]


def serve(app: web.Application, begin: Begin) -> None:
    """Serve on a free port of the loopback interface until the input ends; `begin` is entered when it is told to."""
    asyncio.run(_serve(app, begin))


async def _serve(app: web.Application, begin: Begin) -> None:
    async with _site(app) as port:
        said = await _standard_input()
        print(json.dumps({"port": port}), flush=True)
        if line := await said.readline():
            async with begin(json.loads(line)):
                print(json.dumps({"begun": True}), flush=True)
                await said.read()


@asynccontextmanager
async def _site(app: web.Application) -> AsyncIterator[int]:
    # Calls whose caller is gone are not worth waiting for at the end.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader
