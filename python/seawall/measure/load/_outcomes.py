"""What became of a request, in words that stay the same from run to run."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass

# What can only happen before the target has answered anything at all.
UNREACHED = frozenset({"connection refused", "connect timeout", "dns", "unreachable", "tls"})
# A failure of the generator's own machine, which says nothing about the target.
OWN_FAULT = "too many open files"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one request.

    Args:
        kind: `2xx`, `3xx`, `status 503`, or the kind of error.
        size: Bytes of the response's body that arrived.
        status: The HTTP status; None when there was no response.
        error: The error's own words; None when there was a response.
    """

    kind: str
    size: int = 0
    status: int | None = None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the target let the request through and answered it: a status below 400 and a whole body."""
        return self.error is None and self.status is not None and self.status < 400


def answered(status: int, size: int) -> Answer:
    """The end of a request that got its whole response."""
    return Answer(f"{status // 100}xx" if status < 400 else f"status {status}", size, status)


def failed(error: BaseException, size: int = 0) -> Answer:
    """The end of a request that broke, after `size` bytes."""
    return Answer(_kind(error), size, error=str(error) or type(error).__name__)


def _kind(error: BaseException) -> str:
    import aiohttp

    # From the most special to the most general: the classes inherit from each other.
    kinds: list[tuple[type[BaseException], str]] = [
        (aiohttp.ClientConnectorDNSError, "dns"),
        (aiohttp.ClientSSLError, "tls"),
        (aiohttp.ConnectionTimeoutError, "connect timeout"),
        (asyncio.TimeoutError, "timeout"),
        (aiohttp.ServerDisconnectedError, "disconnected"),
        (aiohttp.ClientPayloadError, "truncated"),
        (aiohttp.ClientResponseError, "bad response"),
    ]
    for known, kind in kinds:
        if isinstance(error, known):
            return kind
    if isinstance(error, OSError):
        return _os_kind(error, connecting=isinstance(error, aiohttp.ClientConnectorError))
    return f"error {type(error).__name__}"


def _os_kind(error: OSError, *, connecting: bool) -> str:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return OWN_FAULT
    if error.errno == errno.ECONNREFUSED:
        return "connection refused"
    return "unreachable" if connecting else "reset"
