"""Requests over HTTP/1.1 through aiohttp, also over TLS."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from seawall.measure.load.result._outcomes import Answer, failed
from seawall.measure.load.target._call import Caller
from seawall.measure.load.target._expect import Expectation
from seawall.measure.load.target._request import Request, Sent

_LARGE = 1 << 20


@asynccontextmanager
async def aiohttp_caller(
    request: Request, sent: Callable[[int, Any], Sent], *, places: int, timeout: float
) -> AsyncIterator[Caller]:
    """Open a pool of at most `places` connections.

    Each call is one request: redirects are not followed, cookies not kept, proxies of the environment not used.
    """
    import aiohttp

    # The engine bounds concurrency itself, so that waiting for a place is seen and counted; the pool never queues.
    trust = request.trust() if request.secure else True
    pool = aiohttp.TCPConnector(limit=places, ttl_dns_cache=300, ssl=trust)
    limits = aiohttp.ClientTimeout(total=timeout)
    expected = Expectation(request)
    async with aiohttp.ClientSession(
        connector=pool,
        timeout=limits,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        # Compressed bodies come only where a header asks for them, from every engine.
        skip_auto_headers=("Accept-Encoding",),
    ) as session:

        async def call(m: int, _state: Any, row: Any) -> Answer:
            return await _send(session, request.method, sent(m, row), expected)

        yield Caller("HTTP/1.1 by aiohttp" + request.over(), call, bounded=True)


async def _send(session: Any, method: str, sent: Sent, expected: Expectation) -> Answer:
    import aiohttp

    size, body = 0, expected.body()
    # As plain bytes, aiohttp warns of more than a megabyte.
    data = io.BytesIO(sent.body) if sent.body is not None and len(sent.body) > _LARGE else sent.body
    try:
        async with session.request(
            method, sent.url, headers=sent.headers, data=data, allow_redirects=False
        ) as response:
            async for chunk in response.content.iter_any():
                size += len(chunk)
                body.feed(chunk)
            return expected.judge(response.status, size, body)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return failed(error, size)
