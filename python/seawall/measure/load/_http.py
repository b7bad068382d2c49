"""A URL as the target of a load test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seawall.errors import ConfigError
from seawall.measure.load._outcomes import Answer, answered, failed

if TYPE_CHECKING:
    import aiohttp

Send = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, the same each time.

    Units: `timeout` is in seconds, from the request's own start to the last byte of its answer.

    Raises:
        ConfigError: The target is not an http or https URL, or the method is not a word.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 10.0

    def __post_init__(self) -> None:
        check_url(self.url)
        if not self.method.isalpha():
            raise ConfigError(f"method must be a word of letters, got {self.method!r}; for example GET or POST")


def check_url(target: object) -> None:
    """Raise ConfigError unless `target` is an http or https URL with a host and a port that can exist."""
    if not isinstance(target, str):
        raise ConfigError(
            f"target must be a URL, got {target!r}; serve it over HTTP, a callable cannot be load-tested yet"
        )
    try:
        parts = urlsplit(target)
        # urlsplit forgives spaces; no server has one in its name, and in a path they must be %20.
        clean = not any(letter.isspace() for letter in target)
        well_formed = clean and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ConfigError(
            f"target must be an http:// or https:// URL with a host, got {target!r}; for example http://127.0.0.1:8000/"
        )


@asynccontextmanager
async def sender(request: Request, *, connections: int) -> AsyncIterator[Send]:
    """Open a pool of at most `connections` connections and hand out the function that sends one request.

    Each call is one request: redirects are not followed, cookies not kept, proxies of the environment not used.
    """
    import aiohttp

    # The engine bounds concurrency itself, so that waiting for a place is seen and counted; the pool never queues.
    pool = aiohttp.TCPConnector(limit=connections, ttl_dns_cache=300)
    limits = aiohttp.ClientTimeout(total=request.timeout)
    async with aiohttp.ClientSession(
        connector=pool, timeout=limits, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    ) as session:

        async def send() -> Answer:
            return await _send(session, request)

        yield send


async def _send(session: aiohttp.ClientSession, request: Request) -> Answer:
    import aiohttp

    size = 0
    try:
        async with session.request(
            request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
        ) as response:
            async for chunk in response.content.iter_any():
                size += len(chunk)
            return answered(response.status, size)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return failed(error, size)
