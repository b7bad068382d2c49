"""The dashboard as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from seawall.clock import Clock, SystemClock
from seawall.errors import ConfigError
from seawall.observe._recording import Recording
from seawall.observe.dashboard._answers import Answer, Answers
from seawall.observe.dashboard._door import Door
from seawall.observe.dashboard._rows import Sections
from seawall.observe.dashboard._views import Views
from seawall.observe.panels import Panel

Message = MutableMapping[str, Any]


class Dashboard:
    """One page that shows a service: guards, metrics over time, error budgets, alerts, health, traces, a flame graph.

    It is an ASGI application: mount it under a path of your own, or serve it by itself. The page is below 300 KB, asks
    nothing of other hosts, and is told what is new by server-sent events.

    Guarantees: without the token nothing is shown but that one is needed. A section that fails is told as failed, and
    the rest is shown. At most 32 look at one time.

    Thread safety: one event loop serves it; the recording is filled by any thread.

    Args:
        recording: Of the metrics; see `seawall.observe.Recorder`.
        panels: What is drawn of it; a function is asked again each time.
        sections: Where everything else comes from.
        title: Of the page.
        token: Whoever brings it may look: at least 16 printable ASCII characters. None lets everybody who reaches it.
        every: Seconds between news, 0.1 to 60.

    Raises:
        ConfigError: an option is out of range.

    Example:
        >>> from seawall.observe import Recording
        >>> Dashboard(Recording(), title="orders", token="a-long-enough-token")
        <Dashboard 'orders' of 0 panels, with a token>
    """

    def __init__(
        self,
        recording: Recording,
        panels: Sequence[Panel] | Callable[[], Sequence[Panel]] = (),
        *,
        sections: Sections | None = None,
        title: str = "seawall",
        token: str | None = None,
        every: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, (int, float)) or not 0.1 <= every <= 60:
            raise ConfigError(f"every must be 0.1 to 60 seconds, got {every!r}")
        self.title = title
        fixed = None if callable(panels) else tuple(panels)
        self.panels: Callable[[], Sequence[Panel]] = panels if callable(panels) else lambda: fixed or ()
        self.views = Views(
            recording, self.panels, sections or Sections(), every, SystemClock() if clock is None else clock
        )
        self._door = Door(token)
        self.answers = Answers(title, self.views, self._door)

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve a request."""
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            raise ValueError(f"a dashboard answers HTTP, got a {scope['type']!r} connection")
        root = scope.get("root_path", "")
        # Since ASGI 2.4 the path begins with where the application is mounted; older servers leave that out.
        path = scope["path"].removeprefix(root) if root else scope["path"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope.get("query_string", b"").decode("latin-1")
        answer = await self.answers.to(scope["method"], path, query, headers, root)
        await _send(answer, receive, send, head=scope["method"] == "HEAD")
        return None

    def __repr__(self) -> str:
        allowed = "for all" if self._door.is_open else "with a token"
        return f"<Dashboard {self.title!r} of {len(self.panels())} panels, {allowed}>"


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def _send(
    answer: Answer,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
    *,
    head: bool,
) -> None:
    headers = dict(answer.headers)
    if isinstance(answer.body, bytes):
        headers["content-length"] = str(len(answer.body))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if isinstance(answer.body, bytes) or head:
        body = answer.body if isinstance(answer.body, bytes) and not head else b""
        await send({"type": "http.response.body", "body": body})
        return
    await _stream(answer.body, receive, send)


async def _stream(
    body: AsyncIterator[bytes], receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    async def forward() -> None:
        async for piece in body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(forward()), asyncio.ensure_future(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await body.aclose()  # type: ignore[attr-defined]  # an async generator, which must not wait for the collector
