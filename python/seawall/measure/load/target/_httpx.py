"""Requests over HTTP/2 through httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from seawall.errors import ConfigError
from seawall.measure.load.result._outcomes import Answer, failed
from seawall.measure.load.target._call import Caller
from seawall.measure.load.target._expect import Expectation
from seawall.measure.load.target._request import Request, Sent


@asynccontextmanager
async def httpx_caller(
    request: Request, sent: Callable[[int, Any], Sent], *, places: int, timeout: float
) -> AsyncIterator[Caller]:
    """Open a client that speaks HTTP/2: negotiated over TLS, from the start without.

    Raises:
        ConfigError: httpx with its HTTP/2 part is not installed.
    """
    try:
        import h2  # noqa: F401
        import httpx
    except ImportError as error:
        raise ConfigError("engine httpx needs httpx and h2; install them with `pip install 'httpx[http2]'`") from error

    limits = httpx.Limits(max_connections=places, max_keepalive_connections=places)
    expected = Expectation(request)
    async with httpx.AsyncClient(
        # Without TLS there is no negotiation: HTTP/2 is spoken with prior knowledge (RFC 9113, section 3.3).
        http1=request.secure,
        http2=True,
        verify=request.trust() if request.secure else False,
        limits=limits,
        timeout=httpx.Timeout(timeout),
        trust_env=False,
        follow_redirects=False,
    ) as client:
        # Compressed bodies come only where a header asks for them, from every engine.
        client.headers.pop("accept-encoding", None)

        async def call(m: int, _state: Any, row: Any) -> Answer:
            return await _send(client, request.method, sent(m, row), expected)

        yield Caller("HTTP/2 by httpx" + request.over(), call)


async def _send(client: Any, method: str, sent: Sent, expected: Expectation) -> Answer:
    import httpx

    size, body = 0, expected.body()
    try:
        async with client.stream(method, sent.url, headers=dict(sent.headers), content=sent.body) as response:
            async for chunk in response.aiter_raw():
                size += len(chunk)
                body.feed(chunk)
            return expected.judge(response.status_code, size, body)
    except httpx.HTTPError as error:
        return failed(error, size)
