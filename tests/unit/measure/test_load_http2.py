"""Requests over HTTP/2 against a real server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from tests.unit.measure.servers import Certificates, free_port, serving_http2

from seawall.errors import ConfigError
from seawall.measure.load import Constant, LoadResult, LoadTest, Request

Send = Callable[[dict[str, Any]], Awaitable[None]]


class App:
    """Answers as its path says, and notes what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes]] = []

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send
    ) -> None:
        """One request, or the server's own start and end."""
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append((scope["http_version"], scope["method"], body))
        name = scope["path"].strip("/")
        if name == "never":
            # Until the client has given up: from 3.12 on, a server that closes waits for its connections.
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        status = int(name) if name.isdigit() else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"hel", "more_body": True})
        await send({"type": "http.response.body", "body": b"lo", "more_body": False})

    async def _live(self, receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


async def load(target: Request, **options: Any) -> LoadResult:
    """A short run over HTTP/2."""
    return await LoadTest(target, Constant(50), duration=0.2, engine="httpx", **options).run_async()


async def test_without_tls_it_is_spoken_from_the_first_byte() -> None:
    """Every request comes as HTTP/2 with what it was told to carry, and bodies take turns."""
    app = App()
    async with serving_http2(app) as url:
        result = await load(Request(url, method="post", body=["one", "two"], contains="ello", size=(5, 5)))
    assert result.outcomes == {"2xx": 10}
    assert sorted(app.seen) == [("2", "POST", b"one")] * 5 + [("2", "POST", b"two")] * 5
    assert result.scenarios[0].engine == "HTTP/2 by httpx"
    assert sum(result.throughput.bytes) == 50


async def test_over_tls_it_is_negotiated(tmp_path: Path) -> None:
    """A certificate of an authority that is trusted by file is verified, and the requests are HTTP/2."""
    app, certificates = App(), Certificates(tmp_path)
    async with serving_http2(app, certificates) as url:
        trusted = await load(Request(url, verify=certificates.trusted))
        unverified = await load(Request(url, verify=False))
        refused = await load(Request(url))
    assert (trusted.outcomes, unverified.outcomes) == ({"2xx": 10}, {"2xx": 10})
    assert {version for version, _, _ in app.seen} == {"2"}
    assert trusted.scenarios[0].engine == "HTTP/2 by httpx over TLS"
    assert unverified.scenarios[0].engine == "HTTP/2 by httpx over TLS, certificates not verified"
    assert refused.outcomes == {"tls": 10}
    assert refused.first_error is not None
    assert "certificate verify failed" in refused.first_error


@pytest.mark.parametrize(
    ("path", "kind"), [("204", "2xx"), ("302", "3xx"), ("404", "status 404"), ("503", "status 503")]
)
async def test_statuses_are_outcomes(path: str, kind: str) -> None:
    """They have the same names as over HTTP/1.1."""
    async with serving_http2(App()) as url:
        result = await load(Request(url + path))
    assert result.outcomes == {kind: 10}


async def test_expectations_are_held() -> None:
    """Of several failures the first of status, body and size is told."""
    async with serving_http2(App()) as url:
        assert (await load(Request(url + "404", status=404))).succeeded == 10
        wrong = await load(Request(url, contains="bye"))
    assert wrong.outcomes == {"wrong body": 10}
    assert wrong.errors == {"wrong body": "the body does not contain b'bye'"}


async def test_a_timeout_is_an_outcome() -> None:
    """A request that outlasts the timeout is cut, and its stream given back."""
    async with serving_http2(App()) as url:
        result = await load(Request(url + "never"), timeout=0.1)
    assert result.outcomes == {"timeout": 10}


async def test_what_is_not_there() -> None:
    """Refusing ports and unknown names have the same kinds as over HTTP/1.1."""
    assert set((await load(Request(f"http://127.0.0.1:{free_port()}/"))).outcomes) == {"connection refused"}
    assert set((await load(Request("http://nowhere.invalid/"))).outcomes) == {"dns"}


async def _broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str) -> None:
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    writer.write(server.data_to_send())
    ended = False
    while data := await reader.read(65_536):
        for event in server.receive_data(data):
            if isinstance(event, RequestReceived):
                if how == "reset":
                    server.reset_stream(event.stream_id, error_code=2)
                else:
                    server.close_connection(error_code=1, last_stream_id=0)
        if ended:
            continue
        writer.write(server.data_to_send())
        if how == "goaway":
            # Not closed while something unread is there: that would be a reset, whatever was said before.
            ended = True
            writer.write_eof()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(("how", "kind"), [("reset", "reset"), ("goaway", "disconnected")])
async def test_what_servers_do_wrong_is_told_apart(how: str, kind: str) -> None:
    """A stream that is reset and a connection that goes away are outcomes of their own."""
    connections: list[asyncio.Task[None]] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())  # type: ignore[arg-type]
        await _broken(reader, writer, how)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await load(Request(f"http://127.0.0.1:{port}/"))
        await asyncio.wait(connections, timeout=10)
    assert result.outcomes == {kind: 10}, result.errors
    assert result.completed == 10


async def test_without_its_library_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Httpx is no dependency of seawall."""
    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(ConfigError) as caught:
        await load(Request("http://127.0.0.1:9/"))
    assert str(caught.value) == "engine httpx needs httpx and h2; install them with `pip install 'httpx[http2]'`"
