"""What is answered to a request, whoever serves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from seawall.observe.dashboard._door import COOKIE, Door
from seawall.observe.dashboard._page import page, policy
from seawall.observe.dashboard._state import SPANS
from seawall.observe.dashboard._views import Views

_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
# Made by others: it may run what it has in itself and reach nothing.
_FLAME_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; sandbox allow-scripts"
)


class Answer(NamedTuple):
    """A response; its body is all there, or comes bit by bit."""

    status: int
    headers: dict[str, str]
    body: bytes | AsyncIterator[bytes]


class Answers:
    """The page, its stream of events, its state as JSON, and the flame graph."""

    def __init__(self, title: str, views: Views, door: Door) -> None:
        self._page = page(title).encode()
        self._policy = policy()
        self._views = views
        self._door = door

    async def to(self, method: str, path: str, query: str, headers: Mapping[str, str], root: str) -> Answer:
        """The answer to a request; `root` is where the application is mounted, `path` what follows it."""
        if method not in ("GET", "HEAD"):
            return _plain(405, "only GET is answered here", allow="GET, HEAD")
        if not self._door.allows(headers):
            return self._refused(path, query, root)
        return await self._shown(path, query, root)

    async def _shown(self, path: str, query: str, root: str) -> Answer:
        if path == "":
            # Without the slash the page would ask its own parent for events.
            return Answer(307, {**_SAFE, "location": f"{root}/"}, b"")
        if path == "/":
            return Answer(200, {**_SAFE, "content-type": _HTML, "content-security-policy": self._policy}, self._page)
        if path in ("/events", "/state"):
            return await self._told(path, query)
        if path == "/flame" and self._views.sections.flame is not None:
            flame = await asyncio.to_thread(self._views.sections.flame)
            return Answer(
                200, {**_SAFE, "content-type": _HTML, "content-security-policy": _FLAME_POLICY}, flame.encode()
            )
        return _plain(404, "there is nothing here; the page is at /")

    def _refused(self, path: str, query: str, root: str) -> Answer:
        if path in ("", "/") and self._door.opens(query):
            return self._opened(root)
        asks = {"www-authenticate": 'Bearer realm="seawall"'}
        return _plain(401, "this page needs its token: ?token=... once, or Authorization: Bearer ...", **asks)

    def _opened(self, root: str) -> Answer:
        cookie = f"{COOKIE}={self._door.cookie}; Path={root or '/'}; HttpOnly; SameSite=Strict; Max-Age=604800"
        # The token leaves the address, so that it is not copied with it.
        return Answer(303, {**_SAFE, "location": f"{root}/", "set-cookie": cookie}, b"")

    async def _told(self, path: str, query: str) -> Answer:
        asked = dict(parse_qsl(query)).get("span", f"{SPANS[0]:g}")
        span = next((span for span in SPANS if asked == f"{span:g}"), None)
        if span is None:
            return _plain(400, f"span must be one of {', '.join(f'{span:g}' for span in SPANS)} seconds")
        if path == "/state":
            state = await self._views.state(span)
            return Answer(200, {**_SAFE, "content-type": _JSON}, json.dumps(state).encode())
        events = self._views.events(span)
        if events is None:
            return _plain(503, "too many are looking already; close a page", **{"retry-after": "10"})
        # Proxies are asked not to hold events back.
        return Answer(200, {**_SAFE, "content-type": "text/event-stream", "x-accel-buffering": "no"}, events)


def _plain(status: int, text: str, **headers: str) -> Answer:
    return Answer(status, {**_SAFE, "content-type": _TEXT, **headers}, text.encode() + b"\n")
