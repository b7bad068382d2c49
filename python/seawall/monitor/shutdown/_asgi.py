"""An ASGI app that is shut down in order by its server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from seawall.engines.operation import perform_async
from seawall.errors import ShuttingDown
from seawall.monitor.shutdown._words import Phase

if TYPE_CHECKING:
    from seawall.monitor.shutdown._shutdown import Shutdown
    from seawall.monitor.shutdown._work import Work

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_BODY = b'{"title": "the service shuts down and takes no more", "status": 503}'


class ShutdownAsgi:
    """Counts requests and websockets, and runs the shutdown in the lifespan; made by `Shutdown.asgi`."""

    def __init__(self, shutdown: Shutdown, app: Any) -> None:
        self._shutdown = shutdown
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection, or live through the lifespan."""
        if scope["type"] == "lifespan":
            await _Life(self._shutdown, self._app, scope).live(receive, send)
        elif scope["type"] in ("http", "websocket"):
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        answer = _Answer(self._shutdown, scope, send)
        try:
            async with self._shutdown.work(f"{scope.get('method', 'WEBSOCKET')} {scope.get('path', '')}") as work:
                await self._until_cut(work, answer, scope, receive)
        except ShuttingDown:
            if answer.begun:
                raise
            await _refuse(scope, send)

    async def _until_cut(self, work: Work, answer: _Answer, scope: Message, receive: Receive) -> None:
        """Who is cut off before the answer has begun is told to try elsewhere."""
        task = asyncio.current_task()
        assert task is not None
        cancelling = task.cancelling()
        try:
            await self._app(scope, receive, answer.send)
        except asyncio.CancelledError:
            if work.cut and not answer.begun and task.uncancel() <= cancelling:
                raise ShuttingDown(f"{work.name} was cut off", policy="shutdown", state="stopping") from None
            raise


class _Answer:
    """What an app sends. While the service drains, answers of HTTP/1 close their connection: it would be used again."""

    __slots__ = ("_send", "_shutdown", "begun", "parts")

    def __init__(self, shutdown: Shutdown, scope: Message, send: Send) -> None:
        self._shutdown = shutdown
        self._send = send
        self.begun = False
        self.parts = scope["type"] == "http" and str(scope.get("http_version", "1.1")).startswith("1")

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        self.begun = True
        if self.parts and message["type"] == "http.response.start" and self._shutdown.phase is not Phase.RUNNING:
            headers = [pair for pair in message.get("headers", ()) if bytes(pair[0]).lower() != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        await self._send(message)


async def _refuse(scope: Message, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1012})  # service restart
        return
    headers = [
        (b"content-type", b"application/problem+json"), (b"content-length", str(len(_BODY)).encode()),
        (b"retry-after", b"1"), (b"connection", b"close"),
    ]  # fmt: skip
    if not str(scope.get("http_version", "1.1")).startswith("1"):
        headers.pop()  # HTTP/2 has no such header
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


class _Life:
    """The lifespan of one server: from its startup, which a signal may cut short, to its end."""

    def __init__(self, shutdown: Shutdown, app: Any, scope: Message) -> None:
        self._shutdown = shutdown
        self._app = app
        self._scope = scope
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def live(self, receive: Receive, send: Send) -> None:
        """The whole of it."""
        await receive()
        if threading.current_thread() is threading.main_thread():
            self._shutdown.install()
        front = asyncio.create_task(self._front())
        try:
            failed = await self._start()
            if failed is not None:
                await self._end(front)
                await send({"type": "lifespan.startup.failed", "message": failed})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._end(front)
            await send({"type": "lifespan.shutdown.complete"})
        finally:
            front.cancel()
            self._cancel_app()
            self._shutdown.uninstall()

    async def _start(self) -> str | None:
        """Start the app; what went wrong, if anything did."""
        self._task = asyncio.create_task(self._run_app())
        answer = asyncio.create_task(self._ask("lifespan.startup"))
        asked = asyncio.create_task(self._shutdown.wait_async())
        await asyncio.wait((answer, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not answer.done():
            answer.cancel()
            self._shutdown.on_close("start of the app", self._abandon_app, within=self._shutdown.options.within)
            return "the service was told to shut down while it started"
        message = answer.result()
        if message is not None and message["type"] == "lifespan.startup.failed":
            return str(message.get("message", "")) or "the app failed to start"
        if message is not None:
            self._shutdown.on_close("lifespan of the app", self._stop_app, within=self._shutdown.options.within)
        return None

    async def _front(self) -> None:
        shutdown = self._shutdown
        await shutdown.wait_async()
        # The server's own handler is what makes it stop accepting.
        shutdown.on_stop("server", self._pass_on)
        await perform_async(shutdown._front(), shutdown._doer().do_async)

    def _pass_on(self) -> None:
        number = self._shutdown._known()[1]
        self._shutdown._listener.pass_on(signal.SIGTERM if number is None else number)

    async def _end(self, front: asyncio.Task[None]) -> None:
        """The rest, once nothing is in flight; a server that stops by itself takes nothing more already."""
        self._shutdown.begin("the server stops", delay=False)
        await front
        await self._shutdown.finish_async()

    async def _stop_app(self) -> None:
        await self._ask("lifespan.shutdown")

    async def _abandon_app(self) -> None:
        self._cancel_app()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run_app(self) -> None:
        # An app that does not know the lifespan raises, and has none.
        with contextlib.suppress(Exception):
            await self._app(self._scope, self._to_app.get, self._from_app.put)
        await self._from_app.put(None)

    async def _ask(self, what: str) -> Message | None:
        await self._to_app.put({"type": what})
        return await self._from_app.get()

    def _cancel_app(self) -> None:
        if self._task is not None:
            self._task.cancel()
