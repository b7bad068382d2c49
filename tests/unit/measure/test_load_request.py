"""Requests over HTTP: what is sent, and what an answer must be."""

from __future__ import annotations

import pytest
from aiohttp import web
from tests.unit.measure.servers import serving

from seawall.errors import ConfigError
from seawall.measure.load import Constant, LoadResult, LoadTest, Request
from seawall.measure.load._failures import kind_of_error
from seawall.measure.load.target._expect import Search


async def load(request: Request, engine: str, **options: object) -> LoadResult:
    """A short run."""
    return await LoadTest(request, Constant(50), duration=0.2, engine=engine, **options).run_async()  # type: ignore[arg-type]


async def echo(request: web.Request) -> web.Response:
    """What was asked, with its body; 404 for a path of that name."""
    text = f"{request.method} {request.raw_path} {request.headers.get('X-User', '')} {await request.text()}"
    return web.Response(text=text, status=404 if request.path == "/404" else 200)


@pytest.mark.parametrize("engine", ["native", "aiohttp"])
async def test_feeds_fill_every_part(engine: str) -> None:
    """URL, header and body carry the row's values, in the URL percent-encoded, and all of them are sent."""
    seen: list[str] = []

    async def noting(request: web.Request) -> web.Response:
        seen.append((await echo(request)).text or "")
        return web.Response()

    feed = [{"id": "a b&c=d", "user": "ann"}, {"id": "1/2", "user": "bob"}]
    async with serving(noting) as url:
        request = Request(f"{url}item?q=${{id}}", "POST", {"X-User": "${user}"}, '{"user": "${user}", "price": "$5"}')
        result = await load(request, engine, feed=feed)
    assert result.outcomes == {"2xx": 10}
    assert sorted(seen) == sorted(
        [
            'POST /item?q=a%20b%26c%3Dd ann {"user": "ann", "price": "$5"}',
            'POST /item?q=1/2 bob {"user": "bob", "price": "$5"}',
        ]
        * 5
    )


@pytest.mark.parametrize("engine", ["native", "aiohttp"])
async def test_bodies_and_headers_take_turns(engine: str) -> None:
    """Two bodies and two sets of headers make pairs, request by request."""
    seen: list[tuple[str, bytes]] = []

    async def noting(request: web.Request) -> web.Response:
        seen.append((request.headers["X"], await request.read()))
        return web.Response()

    async with serving(noting) as url:
        await load(Request(url, "PUT", [{"X": "1"}, {"X": "2"}], [b"\x00", "é"]), engine)
    assert sorted(seen) == [("1", b"\x00")] * 5 + [("2", "é".encode())] * 5


@pytest.mark.parametrize("engine", ["native", "aiohttp"])
async def test_answers_are_held_against_what_is_expected(engine: str) -> None:
    """Of several failures the first of status, body and size is told; what was asked for is a success."""
    async with serving(echo) as url:
        assert (await load(Request(url + "404", status=[404]), engine)).succeeded == 10
        for request, outcome, words in (
            (Request(url, status=[201, 204]), "wrong status", "status 200"),
            (Request(url, contains="nowhere"), "wrong body", "the body does not contain b'nowhere'"),
            (Request(url, size=(100, 200)), "wrong size", "the body has 7 bytes, not 100 to 200"),
            (Request(url + "404", status=200, contains="nowhere"), "status 404", None),
        ):
            result = await load(request, engine)
            assert (result.outcomes, result.succeeded) == ({outcome: 10}, 0)
            if engine == "aiohttp":
                assert result.errors.get(outcome) == words


async def test_large_bodies_and_no_compression() -> None:
    """Bodies of megabytes go without a warning, and answers come as they are unless a header asks otherwise."""
    asked: list[str | None] = []

    async def noting(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Accept-Encoding"))
        return web.Response(status=413)

    async with serving(noting) as url:
        result = await LoadTest(
            Request(url, "POST", body=b"x" * (2 << 20)), Constant(10), duration=0.2, engine="aiohttp"
        ).run_async()
        await load(Request(url, headers={"Accept-Encoding": "gzip"}), "aiohttp")
    assert result.completed == 2
    assert set(asked) <= {None, "gzip"}
    assert "gzip" in asked


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_a_text_is_found_however_the_body_is_cut(size: int) -> None:
    """Also where it lies across two pieces."""
    body = b"the quick brown fox"
    for wanted in (b"t", b"he q", b"fox", b"the quick brown fox", b""):
        search = Search(wanted)
        for at in range(0, len(body), size):
            search.feed(body[at : at + size])
        assert search.found
    search = Search(b"xyz")
    search.feed(body)
    assert not search.found


def test_kinds_do_not_depend_on_who_tells_them() -> None:
    """The same failure has the same kind from the standard library, aiohttp and httpx, and files are no connections."""
    import errno
    import socket
    import ssl

    import aiohttp
    import httpx
    from aiohttp.client_reqrep import ConnectionKey

    key = ConnectionKey("a", 80, False, True, None, None, None)

    def caused(error: Exception, cause: Exception) -> Exception:
        error.__cause__ = cause
        return error

    refused = ConnectionRefusedError(errno.ECONNREFUSED, "no")
    full = OSError(errno.EMFILE, "full")
    for error, kind in (
        (refused, "connection refused"),
        (aiohttp.ClientConnectorError(key, refused), "connection refused"),
        (caused(httpx.ConnectError("no"), refused), "connection refused"),
        (socket.gaierror(-2, "?"), "dns"),
        (aiohttp.ClientConnectorDNSError(key, OSError("?")), "dns"),
        (caused(httpx.ConnectError("?"), socket.gaierror(-2, "?")), "dns"),
        (ssl.SSLError("bad"), "tls"),
        (caused(httpx.ConnectError("bad"), ssl.SSLError("bad")), "tls"),
        (aiohttp.ConnectionTimeoutError(), "connect timeout"),
        (httpx.ConnectTimeout("slow"), "connect timeout"),
        (aiohttp.ServerTimeoutError(), "timeout"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.PoolTimeout("slow"), "timeout"),
        (aiohttp.ServerDisconnectedError(), "disconnected"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "disconnected"),
        (aiohttp.ClientPayloadError(), "truncated"),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), "truncated"),
        (httpx.RemoteProtocolError("illegal status line"), "bad response"),
        (httpx.ReadError("gone"), "reset"),
        (aiohttp.ClientOSError(errno.ECONNRESET, "gone"), "reset"),
        (BrokenPipeError(), "reset"),
        (OSError(errno.EHOSTUNREACH, "far"), "unreachable"),
        (aiohttp.ClientConnectorError(key, OSError(errno.ENETUNREACH, "far")), "unreachable"),
        (full, "too many open files"),
        (aiohttp.ClientConnectorError(key, full), "too many open files"),
        (caused(httpx.ConnectError("full"), full), "too many open files"),
        (FileNotFoundError(2, "none"), "error FileNotFoundError"),
        (PermissionError(13, "no"), "error PermissionError"),
        (ZeroDivisionError(), "error ZeroDivisionError"),
    ):
        assert kind_of_error(error) == kind, error


def test_bad_requests() -> None:
    """What can never be sent or met is refused with what could be."""
    for options, message in (
        ({"method": "GET /"}, "method must be a word of letters, got 'GET /'; for example GET or POST"),
        ({"headers": {"a b": "c"}}, "a header must have a name of letters, digits and dashes, got 'a b'"),
        ({"headers": {"a": "b\r\nc: d"}}, "header a must have a text of one line, got 'b\\r\\nc: d'"),
        ({"headers": []}, "headers must be one, or a list with at least one that take turns, got []"),
        ({"body": []}, "body must be one, or a list with at least one that take turns, got []"),
        ({"body": [5]}, "body must be text, bytes or a list of them, got 5"),
        ({"status": []}, "status must be statuses from 100 to 599, got []; for example [200, 404]"),
        ({"status": [20]}, "status must be statuses from 100 to 599, got [20]; for example [200, 404]"),
        ({"contains": 5}, "contains must be text or bytes, got 5"),
        ({"size": (5, 1)}, "size must be the least and the most bytes, got (5, 1); for example (1, 10_000)"),
        ({"size": 5}, "size must be the least and the most bytes, got 5; for example (1, 10_000)"),
    ):
        with pytest.raises(ConfigError) as caught:
            Request("http://a/", **options)
        assert str(caught.value) == message
