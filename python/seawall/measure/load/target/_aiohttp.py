"""Requests over HTTP/1.1 through aiohttp, also over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from seawall.measure.load._outcomes import Answer, failed
from seawall.measure.load.target._call import Caller
from seawall.measure.load.target._expect import Expectation
from seawall.measure.load.target._request import Request, Sent


@asynccontextmanager
async def aiohttp_caller(
    request: Request, sent: Callable[[int, Any], Sent], *, places: int, timeout: float
) -> AsyncIterator[Caller]:
    """Open a pool of at most `places` connections.

    Each call is one request: redirects are not followed, cookies not kept, proxies of the environment not used.
    """
    import aiohttp

    # The engine bounds concurrency itself, so that waiting for a place is seen and counted; the pool never queues.
    pool = aiohttp.TCPConnector(limit=places, ttl_dns_cache=300)
    limits = aiohttp.ClientTimeout(total=timeout)
    expected = Expectation(request)
    async with aiohttp.ClientSession(
        connector=pool, timeout=limits, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    ) as session:

        async def call(m: int, _state: Any, row: Any) -> Answer:
            return await _send(session, request.method, sent(m, row), expected)

        yield Caller("HTTP/1.1 by aiohttp" + (" over TLS" if request.secure else ""), call, bounded=True)


async def _send(session: Any, method: str, sent: Sent, expected: Expectation) -> Answer:
    import aiohttp

    size, body = 0, expected.body()
    try:
        async with session.request(
            method, sent.url, headers=sent.headers, data=sent.body, allow_redirects=False
        ) as response:
            async for chunk in response.content.iter_any():
                size += len(chunk)
                body.feed(chunk)
            return expected.judge(response.status, size, body)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return failed(error, size)
