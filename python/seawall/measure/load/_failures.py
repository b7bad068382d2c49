"""Which kind of failure an exception is, whatever library raised it."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator

# A failure of the generator's own machine, which says nothing about the target.
OWN_FAULT = "too many open files"
_CONNECTING = "?connecting"
# By library and name, so that none has to be there. Those marked are told by what caused them.
_NAMED = {
    "aiohttp.ClientConnectorDNSError": "dns",
    "aiohttp.ClientSSLError": "tls",
    "aiohttp.ConnectionTimeoutError": "connect timeout",
    "aiohttp.ServerDisconnectedError": "disconnected",
    "aiohttp.ClientPayloadError": "truncated",
    "aiohttp.ClientResponseError": "bad response",
    "aiohttp.ClientConnectorError": _CONNECTING,
    "aiohttp.ClientOSError": "reset",
    "httpx.ConnectTimeout": "connect timeout",
    "httpx.TimeoutException": "timeout",
    "httpx.ConnectError": _CONNECTING,
    "httpx.RemoteProtocolError": "bad response",
    "httpx.NetworkError": "reset",
}
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL)


def kind_of_error(error: BaseException) -> str:
    """The kind of an exception: one of the fixed kinds, or `error` and the name of its class."""
    for known in type(error).__mro__:
        kind = _NAMED.get(f"{known.__module__.partition('.')[0]}.{known.__name__}")
        if kind == "bad response":
            return _protocol_kind(str(error))
        if kind is not None:
            # A connection that could not be made for want of open files says nothing about the target.
            own = any(_errno(cause) in (errno.EMFILE, errno.ENFILE) for cause in _causes(error))
            return OWN_FAULT if own else _connecting_kind(error) if kind == _CONNECTING else kind
    return _plain_kind(error) or f"error {type(error).__name__}"


def _plain_kind(error: BaseException) -> str | None:
    kinds: tuple[tuple[type[BaseException], str], ...] = (
        (socket.gaierror, "dns"),
        (ssl.SSLError, "tls"),
        (ConnectionRefusedError, "connection refused"),
        (asyncio.TimeoutError, "timeout"),
        (ConnectionError, "reset"),
    )
    found = next((kind for known, kind in kinds if isinstance(error, known)), None)
    if found is None and _errno(error) in (errno.EMFILE, errno.ENFILE):
        return OWN_FAULT
    return "unreachable" if found is None and _errno(error) in _NO_WAY else found


def _connecting_kind(error: BaseException) -> str:
    """Libraries wrap what kept them from connecting, and say in no other way what it was."""
    kinds = [_plain_kind(cause) for cause in _causes(error)]
    if any(_errno(cause) == errno.ECONNREFUSED for cause in _causes(error)):
        return "connection refused"
    return next((kind for kind in kinds if kind in ("dns", "tls", "connection refused", "timeout")), "unreachable")


def _protocol_kind(words: str) -> str:
    # httpx has one class for all that a server does wrong, and h2's events as words.
    marks = {
        "Server disconnected": "disconnected",
        "ConnectionTerminated": "disconnected",
        "StreamReset": "reset",
        "peer closed connection": "truncated",
    }
    return next((kind for mark, kind in marks.items() if mark in words), "bad response")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None
