"""`payments`, the service that the demo depends on, in a process of its own: honest work, and not reliable.

A card is checked by one of a few workers; who finds them busy waits in a line without an end. Whoever gives up waiting
leaves the work in the line, as with most real services. At set moments of a run all calls take longer, or many fail.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from seawall.cli.demo._serving import serve
from seawall.cli.demo._settings import Settings
from seawall.cli.demo._telling import Teller


class Payments:
    """The service; its chance is seeded, so that both variants of the demo meet the same one."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._line: asyncio.Queue[asyncio.Future[int]] = asyncio.Queue()
        self._settings = Settings()
        self._chance = random.Random()
        self._slower, self._failing = 1.0, 0.0

    def application(self) -> web.Application:
        """Its two addresses."""
        app = web.Application()
        app.router.add_get("/card", self.card)
        app.router.add_get("/points", self.points)
        return app

    async def card(self, _request: web.Request) -> web.Response:
        """Whether a card is good: takes a worker."""
        done = asyncio.get_running_loop().create_future()
        self._line.put_nowait(done)
        return web.Response(status=await done)

    async def points(self, _request: web.Request) -> web.Response:
        """How many loyalty points a customer has: takes no worker, but is as slow and as wrong as the rest."""
        await asyncio.sleep(self._takes() / 10)
        return web.Response(status=self._ends())

    @asynccontextmanager
    async def begin(self, told: dict[str, Any]) -> AsyncIterator[None]:
        """Work, and be in trouble at the set moments from now on."""
        self._settings = Settings.of(told["settings"])
        self._chance = random.Random(self._settings.seed)
        tasks = [asyncio.create_task(self._work()) for _ in range(self._settings.workers)]
        tasks += [asyncio.create_task(self._be_slow()), asyncio.create_task(self._fail())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _work(self) -> None:
        while True:
            done = await self._line.get()
            await asyncio.sleep(self._takes())
            if not done.done():
                done.set_result(self._ends())

    def _takes(self) -> float:
        settings = self._settings
        return self._slower * self._chance.lognormvariate(math.log(settings.median), settings.spread)

    def _ends(self) -> int:
        # Drawn also where nothing can fail, so that what comes after does not depend on when the trouble began.
        return 500 if self._chance.uniform(0, 1) < self._failing else 200

    async def _be_slow(self) -> None:
        trouble, duration = self._settings.trouble, self._settings.duration
        begin, end = trouble.slow
        await asyncio.sleep(begin * duration)
        self._slower = trouble.slower
        self._tell.event("slow spell", f"payments takes {trouble.slower:g} times as long")
        await asyncio.sleep((end - begin) * duration)
        self._slower = 1.0
        self._tell.event("slow spell over")

    async def _fail(self) -> None:
        trouble, duration = self._settings.trouble, self._settings.duration
        begin, end = trouble.errors
        await asyncio.sleep(begin * duration)
        self._failing = trouble.share
        self._tell.event("error burst", f"payments fails {trouble.share:.0%} of its calls")
        await asyncio.sleep((end - begin) * duration)
        self._failing = 0.0
        self._tell.event("error burst over")


if __name__ == "__main__":
    service = Payments(Teller())
    serve(service.application(), service.begin)
