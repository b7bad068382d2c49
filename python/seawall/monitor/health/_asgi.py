"""The endpoints as an ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from seawall.monitor.health._page import Answer, Asked, answer, checked_prefix, not_found, probe_at, read

if TYPE_CHECKING:
    from seawall.monitor.health._health import Health

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class HealthAsgi:
    """`/livez`, `/readyz` and `/startupz`; made by `Health.asgi`. Mount it, serve it alone, or put it around an app."""

    def __init__(self, health: Health, app: Any, prefix: str) -> None:
        self._health = health
        self._app = app
        self._prefix = checked_prefix(prefix)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        probe = probe_at(_path(scope), self._prefix) if scope["type"] == "http" else None
        if probe is None and self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "http":
            await _respond(scope, send, not_found() if probe is None else await self._answer(scope, probe))

    async def _answer(self, scope: Scope, probe: Any) -> Answer:
        query = scope.get("query_string", b"").decode("latin-1")
        asked = read(self._health, probe, scope["method"], query, _authorization(scope))
        if not isinstance(asked, Asked):
            return asked
        return answer(self._health, await self._health.ask_async(asked.probe), verbose=asked.verbose)


def _path(scope: Scope) -> str:
    # A mounted app is given the whole path by some servers and frameworks, and its part of it by others.
    path, root = str(scope.get("path", "")), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _authorization(scope: Scope) -> str:
    values = [value for name, value in scope.get("headers", ()) if name.lower() == b"authorization"]
    return values[0].decode("latin-1") if len(values) == 1 else ""


async def _respond(scope: Scope, send: Send, found: Answer) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in found.headers]
    await send({"type": "http.response.start", "status": found.code, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else found.body})


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
