"""The app around an app: requests, refusals, and the lifespan."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.monitor.shutdown import Phase, Shutdown


class Server:
    """The server's side of a lifespan."""

    def __init__(self, app: Any) -> None:
        self._to: asyncio.Queue[Any] = asyncio.Queue()
        self._from: asyncio.Queue[Any] = asyncio.Queue()
        self.task = asyncio.create_task(app({"type": "lifespan"}, self._to.get, self._from.put))

    async def tell(self, what: str) -> dict[str, Any]:
        """Send an event and wait for the answer."""
        await self._to.put({"type": what})
        return await self._from.get()


class App:
    """An app that writes down what it lives through."""

    def __init__(self, log: list[str], fails: str = "") -> None:
        self.log = log
        self.fails = fails
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"Connection", b"keep-alive")]})
            await send({"type": "http.response.body", "body": b"orders"})
            return
        try:
            await receive()
            self.log.append("app starts")
            await self.go.wait()
            if self.fails:
                await send({"type": "lifespan.startup.failed", "message": self.fails})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.log.append("app stops")
            await send({"type": "lifespan.shutdown.complete"})
        except asyncio.CancelledError:
            self.log.append("app is cancelled")
            raise


def shutdown_of(log: list[str], **options: Any) -> Shutdown:
    """One that waits for nobody, with a closer."""
    shutdown = Shutdown(**{"delay": 0, **options})
    shutdown.on_close("pool", lambda: log.append("pool closes"), in_thread=False)
    return shutdown


async def request(app: Any, **scope: Any) -> list[dict[str, Any]]:
    """What an app sends."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": "/", **scope}, None, send)
    return sent


async def test_when_the_server_stops_the_app_stops_and_then_closers_run() -> None:
    """The app started last."""
    log: list[str] = []
    shutdown = shutdown_of(log)
    server = Server(shutdown.asgi(App(log)))
    assert (await server.tell("lifespan.startup"))["type"] == "lifespan.startup.complete"
    assert (await server.tell("lifespan.shutdown"))["type"] == "lifespan.shutdown.complete"
    await server.task
    assert log == ["app starts", "app stops", "pool closes"]
    assert shutdown.report is not None
    assert (shutdown.report.reason, shutdown.report.clean) == ("the server stops", True)


async def test_a_signal_while_the_app_starts_cancels_the_start() -> None:
    """It cleans up before closers run; the server is told that the start has failed."""
    log: list[str] = []
    shutdown, app = shutdown_of(log), App(log)
    app.go.clear()
    server = Server(shutdown.asgi(app))
    starting = asyncio.create_task(server.tell("lifespan.startup"))
    while not log:  # noqa: ASYNC110 - whatever it takes to get there
        await asyncio.sleep(0)
    shutdown.begin("SIGTERM")
    assert await starting == {
        "type": "lifespan.startup.failed",
        "message": "the service was told to shut down while it started",
    }
    await server.task
    assert log == ["app starts", "app is cancelled", "pool closes"]


async def test_a_signal_before_the_start_is_not_forgotten() -> None:
    """The app is not started for nothing."""
    log: list[str] = []
    shutdown = shutdown_of(log)
    shutdown.begin("SIGTERM")
    app = App(log)
    app.go.clear()
    server = Server(shutdown.asgi(app))
    assert (await server.tell("lifespan.startup"))["type"] == "lifespan.startup.failed"
    await server.task
    assert log[-1] == "pool closes"


async def test_an_app_that_fails_to_start_fails_to_start() -> None:
    """What was opened before it is closed."""
    log: list[str] = []
    server = Server(shutdown_of(log).asgi(App(log, fails="no database")))
    answer = await server.tell("lifespan.startup")
    assert (answer["type"], answer["message"]) == ("lifespan.startup.failed", "no database")
    await server.task
    assert log == ["app starts", "pool closes"]


async def test_an_app_without_a_lifespan_is_served_all_the_same() -> None:
    """It raises, as the specification has it."""
    log: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError(scope["type"])

    server = Server(shutdown_of(log).asgi(app))
    assert (await server.tell("lifespan.startup"))["type"] == "lifespan.startup.complete"
    assert (await server.tell("lifespan.shutdown"))["type"] == "lifespan.shutdown.complete"
    assert log == ["pool closes"]


async def test_while_it_drains_answers_part_from_their_clients() -> None:
    """Of HTTP/1; HTTP/2 has no such header."""
    shutdown = Shutdown()
    app = shutdown.asgi(App([]))
    assert (await request(app))[0]["headers"] == [(b"Connection", b"keep-alive")]
    shutdown._phase = Phase.DRAINING
    assert (await request(app))[0]["headers"] == [(b"connection", b"close")]
    assert (await request(app, http_version="2"))[0]["headers"] == [(b"Connection", b"keep-alive")]


async def test_once_it_stops_requests_are_refused() -> None:
    """With what sends them elsewhere; a websocket is told that the service restarts."""
    shutdown = Shutdown(delay=0)
    app = shutdown.asgi(App([]))
    await shutdown.finish_async()
    start, body = await request(app)
    assert (start["status"], dict(start["headers"])[b"connection"]) == (503, b"close")
    assert body["body"] == b'{"title": "the service shuts down and takes no more", "status": 503}'
    assert b"connection" not in dict((await request(app, http_version="2"))[0]["headers"])
    assert await request(app, type="websocket") == [{"type": "websocket.close", "code": 1012}]


async def test_requests_are_counted_and_cancelled_when_their_time_is_up() -> None:
    """By method and path."""
    clock = ManualClock(autojump=True)
    shutdown = Shutdown(delay=0, clock=clock)

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(request(shutdown.asgi(hang), path="/orders"))
    await asyncio.sleep(0)
    assert shutdown.in_flight == 1
    report = await shutdown.finish_async()
    assert (await task)[0]["status"] == 503
    assert [str(cut) for cut in report.cut] == ["GET /orders: cancelled after 15 s"]


async def test_other_scopes_are_passed_on() -> None:
    """Whatever servers may invent."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await Shutdown().asgi(app)({"type": "webtransport"}, None, None)
    assert seen == ["webtransport"]


async def test_the_trigger_of_servers_that_take_one_comes_when_nothing_is_taken_any_more() -> None:
    """No earlier: load balancers still send while it drains."""
    shutdown = Shutdown(delay=0)
    trigger = asyncio.create_task(shutdown.stopping())
    shutdown.begin()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not trigger.done()
    await shutdown.finish_async()
    await trigger


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_an_app_that_fails_leaves_nothing_in_flight(kind: str) -> None:
    """Its error is the server's to handle."""
    shutdown = Shutdown()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError(scope["type"])

    with pytest.raises(KeyError):
        await request(shutdown.asgi(app), type=kind)
    assert shutdown.in_flight == 0


async def test_who_is_cut_off_before_an_answer_has_begun_is_told_to_try_elsewhere() -> None:
    """Who has a part of it loses the connection."""
    shutdown = Shutdown(delay=0, drain=0, clock=ManualClock(autojump=True))

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/begun":
            await send({"type": "http.response.start", "status": 200})
        await asyncio.Event().wait()

    app = shutdown.asgi(hang)
    silent, begun = (asyncio.create_task(request(app, path=path)) for path in ("/silent", "/begun"))
    await asyncio.sleep(0)
    report = await shutdown.finish_async()
    assert (await silent)[0]["status"] == 503
    with pytest.raises(asyncio.CancelledError):
        await begun
    assert [cut.ended for cut in report.cut] == [True, True]
