"""Requests as the engine in C++ takes them."""

from __future__ import annotations

import base64
import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from seawall.measure.load.target._request import Request, Sent

if TYPE_CHECKING:
    from seawall._core import http
    from seawall.measure.load.target._scenario import Scenario

# Each is rendered before the run and kept in memory.
_MOST_RENDERED = 100_000
_PATH = "/%:@!$&'()*+,;=~-._"


def can_be_native(scenario: Scenario) -> bool:
    """Whether the engine in C++ can make the requests: plain http, on Linux, at most 100,000 different ones."""
    target = scenario.target
    return (
        sys.platform == "linux"
        and isinstance(target, Request)
        and not target.secure
        and scenario.engine in ("auto", "native")
        and 0 < _different(target, scenario) <= _MOST_RENDERED
    )


def rendered(scenario: Scenario) -> list[http.Request]:
    """The requests of a scenario in the order of their turns.

    Raises:
        ConfigError: One of them cannot be sent.
        KeyError: A row of the feed has no such column.
    """
    request = scenario.target
    assert isinstance(request, Request)
    return [_render(request.method, sent) for sent in _in_turn(request, scenario)]


def checks_of(request: Request) -> http.Checks:
    """What an answer must be."""
    from seawall._core import http

    wanted = request.contains or b""
    least, most = request.size or (0, None)
    return http.Checks(
        accepted=None if request.status is None else sorted(request.status),
        contains=wanted.encode() if isinstance(wanted, str) else wanted,
        least=least,
        most=most,
    )


def host_of(request: Request) -> tuple[str, int]:
    """Where it goes."""
    parts = urlsplit(request.url)
    return parts.hostname or "", parts.port or 80


def _different(request: Request, scenario: Scenario) -> int:
    variants = math.lcm(len(request.header_sets), len(request.bodies))
    rows = _rows(scenario)
    if rows is None:
        return 0 if request.is_template else variants
    return math.lcm(len(rows), variants)


def _rows(scenario: Scenario) -> Sequence[Any] | None:
    from seawall.measure.load.target._feed import Feed

    return scenario.feed.rows if isinstance(scenario.feed, Feed) else None


def _in_turn(request: Request, scenario: Scenario) -> Iterator[Sent]:
    rows = _rows(scenario)
    if rows is None:
        return request.variants()
    return (request.filled(i, rows[i % len(rows)]) for i in range(_different(request, scenario)))


def _render(method: str, sent: Sent) -> http.Request:
    from seawall._core import http

    parts = urlsplit(sent.url)
    target = quote(parts.path or "/", safe=_PATH) + ("?" + quote(parts.query, safe=_PATH + "?") if parts.query else "")
    headers = list(sent.headers.items())
    if parts.username is not None and not any(name.lower() == "authorization" for name, _ in headers):
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers.append(("Authorization", "Basic " + base64.b64encode(secret).decode()))
    return http.Request(
        host=parts.hostname or "",
        port=parts.port or 80,
        method=method,
        target=target,
        headers=headers,
        body=sent.body,
        agent="seawall",
    )
