"""Those who call the demo's shop, and note how long the answers took that they wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from seawall.cli.demo._settings import REDUCED
from seawall.measure import Histogram
from seawall.measure.load import Answer


class Customers:
    """A load test's target. A load test's times are of all ends together, and a refusal ends within a millisecond.

    So that quick refusals do not make the slow answers look good, those of successes are kept here on their own.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._now = asyncio.get_running_loop().time
        self.times = Histogram()
        self.reduced = 0

    async def visit(self) -> Answer:
        """One visit, with its end as the load test counts it."""
        began = self._now()
        async with self._session.get(self._url) as answer:
            size, status = len(await answer.read()), answer.status
        if status < 400:
            self.times.record(self._now() - began)
            self.reduced += REDUCED in answer.headers
        return Answer(f"{status // 100}xx" if status < 400 else f"status {status}", size, status)


@asynccontextmanager
async def customers(url: str, *, patience: float) -> AsyncIterator[Customers]:
    """Customers who wait so many seconds at most; their number is not bounded."""
    async with ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(patience)) as session:
        yield Customers(session, url)
