"""`shop`, the demo's service under load, in a process of its own: the same work with guards and without."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

import seawall as sw
from seawall.cli.demo._guards import Guards, PaymentsFailed, guards
from seawall.cli.demo._serving import serve
from seawall.cli.demo._settings import REDUCED, Settings
from seawall.cli.demo._telling import Teller
from seawall.errors import Rejected, problem, problem_headers


class Shop:
    """Checks a card at payments, then asks for the customer's points, which an answer can do without."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._session: ClientSession | None = None
        self._guards: Guards | None = None
        self._patience = Settings().patience

    def application(self) -> web.Application:
        """Its two addresses."""
        app = web.Application()
        app.router.add_get("/plain", self.plain)
        app.router.add_get("/guarded", self.guarded)
        return app

    @asynccontextmanager
    async def begin(self, told: dict[str, Any]) -> AsyncIterator[None]:
        """Call payments at the address told."""
        settings = Settings.of(told["settings"])
        self._patience, self._guards = settings.patience, guards(settings, self._tell)
        # The bulkhead is the bound; one of the client's own would be a second, hidden line.
        async with ClientSession(told["payments"], connector=TCPConnector(limit=0)) as self._session:
            yield

    async def plain(self, _request: web.Request) -> web.Response:
        """Without guards: what payments does, the shop does."""
        try:
            await self._ask("/card")
            await self._ask("/points")
        except (PaymentsFailed, OSError):
            return web.Response(status=502)
        return web.Response(text="paid\n")

    async def guarded(self, _request: web.Request) -> web.Response:
        """With guards: a quick refusal where an answer would come too late."""
        assert self._guards is not None
        try:
            self._guards.edge.acquire(timeout=0)
            # A later answer would find its caller gone.
            with sw.Deadline(self._patience * 0.9):
                await self._guards.card.call_async(self._ask, "/card")
        except Rejected as error:
            return _answer(problem(error), problem_headers(error), wait=error.retry_after or 1.0)
        except (PaymentsFailed, TimeoutError, OSError) as error:
            status = 504 if isinstance(error, TimeoutError) else 502
            return _answer(problem(error, status=status), problem_headers(error))
        points = await self._guards.points.call_async(self._ask, "/points")
        return web.Response(text="paid\n", headers={} if points else {REDUCED: "points"})

    async def _ask(self, path: str) -> bool:
        assert self._session is not None
        async with self._session.get(path) as answer:
            if answer.status >= 500:
                raise PaymentsFailed(f"payments answered {answer.status}")
            return True


def _answer(found: dict[str, Any], headers: dict[str, str], wait: float | None = None) -> web.Response:
    if wait is not None:
        # In whole seconds, and not too early (RFC 9110, section 10.2.3).
        headers["Retry-After"] = str(math.ceil(wait))
    return web.Response(text=json.dumps(found), status=found["status"], headers=headers)


if __name__ == "__main__":
    service = Shop(Teller())
    serve(service.application(), service.begin)
