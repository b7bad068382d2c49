"""/metrics as an ASGI app and as a WSGI app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from seawall.observe.export._answer import Metering
from seawall.observe.export._buckets import Bounds
from seawall.observe.export._source import Source

Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def metrics_app(source: Source, *, token: str | None = None, bounds: Bounds | None = None) -> Asgi:
    """An ASGI app that answers scrapes, to be run by itself or mounted where scrapers look, such as /metrics.

    It answers in what the scraper prefers: delimited Protocol Buffers with native histograms, OpenMetrics with
    exemplars, or the text format 0.0.4; gzipped where that is taken.

    Guarantees: rendering runs in a thread, so that the event loop goes on. With a token nobody without it learns
    anything; it is compared in constant time and shown nowhere.

    Args:
        source: A `Metrics`, a `Snapshot`, or a function that returns one.
        token: What a scraper must send as `Authorization: Bearer ...`; None asks for none.
        bounds: Of the classic buckets of histograms, as in `to_prometheus`.

    Raises:
        ConfigError: the token cannot be sent in a header, or the source gives no snapshots.
    """
    metering = Metering(source, token, bounds)

    async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            answer = await asyncio.to_thread(metering.answer, scope["method"], headers)
            sent = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
            await send({"type": "http.response.start", "status": answer.status, "headers": sent})
            await send({"type": "http.response.body", "body": answer.body})

    return app


def metrics_wsgi(source: Source, *, token: str | None = None, bounds: Bounds | None = None) -> Wsgi:
    """A WSGI app that answers scrapes as `metrics_app` does.

    Args:
        source: A `Metrics`, a `Snapshot`, or a function that returns one.
        token: What a scraper must send as `Authorization: Bearer ...`; None asks for none.
        bounds: Of the classic buckets of histograms, as in `to_prometheus`.

    Raises:
        ConfigError: the token cannot be sent in a header, or the source gives no snapshots.
    """
    metering = Metering(source, token, bounds)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        named = ((key.removeprefix("HTTP_").replace("_", "-").lower(), environ[key]) for key in environ)
        headers = {name: value for name, value in named if name in ("accept", "accept-encoding", "authorization")}
        answer = metering.answer(environ["REQUEST_METHOD"], headers)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers))
        return [answer.body]

    return app


async def _live(receive: Callable[[], Awaitable[Any]], send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
