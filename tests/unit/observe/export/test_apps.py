"""/metrics: formats, tokens, compression, methods."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.observe.export.snapshots import shop

from seawall.errors import ConfigError
from seawall.observe import Snapshot
from seawall.observe.export import metrics_app, metrics_wsgi, negotiate, to_openmetrics, to_prometheus, to_protobuf

PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
PROMETHEUS_2 = f"{PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
    "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "prometheus"),
        ("", "prometheus"),
        ("*/*", "prometheus"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "prometheus"),
        (PROMETHEUS_2, "protobuf"),
        (PROMETHEUS_3, "openmetrics"),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "openmetrics"),
        ("application/openmetrics-text; version=0.0.1", "openmetrics"),
        ("application/openmetrics-text; version=2.0.0", "prometheus"),
        ("text/plain;version=0.0.4;q=0.5, application/openmetrics-text;q=0.4", "prometheus"),
        ("application/openmetrics-text;q=0, text/plain", "prometheus"),
        (f"{PROTOBUF};q=0.3, application/openmetrics-text;q=0.3", "protobuf"),
        (f"{PROTOBUF};q=nonsense", "prometheus"),
        ("application/vnd.google.protobuf;proto=other;encoding=delimited", "prometheus"),
        ("APPLICATION/OPENMETRICS-TEXT; VERSION=1.0.0", "openmetrics"),
        (";;;,,q=1;=", "prometheus"),
    ],
)
def test_the_preferred_format_is_chosen(accept: str | None, chosen: str) -> None:
    """Weights decide, then what says most; who asks for what there is not gets the text that all read."""
    assert negotiate(accept) == chosen


async def get(app: Any, method: str = "GET", **headers: str) -> httpx.Response:
    """The answer of an ASGI app."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        client.headers.pop("accept-encoding")
        client.headers.pop("accept")
        return await client.request(method, "/", headers={k.replace("_", "-"): v for k, v in headers.items()})


def get_wsgi(app: Any, method: str = "GET", **headers: str) -> httpx.Response:
    """The answer of a WSGI app."""
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://x") as client:
        client.headers.pop("accept-encoding")
        client.headers.pop("accept")
        return client.request(method, "/", headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("accept", "kind", "body"),
    [
        ("text/plain", "text/plain; version=0.0.4; charset=utf-8", to_prometheus(shop()).encode()),
        (
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            to_openmetrics(shop()).encode(),
        ),
        (
            PROMETHEUS_2,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            to_protobuf(shop()),
        ),
    ],
)
async def test_both_apps_answer_in_each_format(accept: str, kind: str, body: bytes) -> None:
    """Type, length and body fit, by ASGI and WSGI."""
    for got in (await get(metrics_app(shop()), accept=accept), get_wsgi(metrics_wsgi(shop()), accept=accept)):
        assert (got.status_code, got.headers["content-type"], got.content) == (200, kind, body)
        assert got.headers["content-length"] == str(len(body))
        assert got.headers["vary"] == "Accept, Accept-Encoding"


async def test_answers_are_gzipped_where_that_is_taken() -> None:
    """A body of some size shrinks on the way; a small one, or for who refuses it, does not."""
    app = metrics_app(shop())
    packed = await get(app, accept_encoding="br, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == to_prometheus(shop())
    assert int(packed.headers["content-length"]) < len(to_prometheus(shop())) / 2
    for refusing in ("identity", "gzip;q=0", "*;q=0"):
        assert "content-encoding" not in (await get(app, accept_encoding=refusing)).headers
    assert "content-encoding" not in (await get(metrics_app(Snapshot(0.0)), accept_encoding="gzip")).headers


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer s3crets", "Basic s3cret", "s3cret", "Bearer s3crét"],
)
async def test_without_the_token_nothing_is_told(authorization: str) -> None:
    """Every other header is refused before the source is asked, and the answer names no secret."""

    def never() -> Snapshot:
        raise AssertionError

    headers = {"authorization": authorization.encode("utf-8").decode("latin-1")} if authorization else {}
    answers = [get_wsgi(metrics_wsgi(never, token="s3cret"), **headers)] if authorization.isascii() else []
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [(b"authorization", authorization.encode())] if authorization else [],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await metrics_app(never, token="s3cret")(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 401
    assert (b"www-authenticate", b'Bearer realm="metrics"') in sent[0]["headers"]
    assert sent[1]["body"] == b"a bearer token is needed here\n"
    assert all(answer.status_code == 401 and "s3cret" not in answer.text for answer in answers)


async def test_with_the_token_metrics_are_told() -> None:
    """The scheme is read in any case, the token is not."""
    for said in ("Bearer s3cret", "bearer s3cret"):
        assert (await get(metrics_app(shop(), token="s3cret"), authorization=said)).status_code == 200
        assert get_wsgi(metrics_wsgi(shop(), token="s3cret"), authorization=said).status_code == 200
    assert (await get(metrics_app(shop(), token="s3cret"), authorization="Bearer S3CRET")).status_code == 401


@pytest.mark.parametrize("token", ["", "two words", "caf\u00e9", "line\n"])
def test_a_token_that_no_header_holds_is_refused_unseen(token: str) -> None:
    """The error does not show it."""
    with pytest.raises(ConfigError) as told:
        metrics_app(shop(), token=token)
    assert str(told.value) == (
        "token must be printable ASCII without spaces, at least one character; None asks for none"
    )


def test_a_source_must_give_snapshots() -> None:
    """What gives none is refused where the app is made."""
    with pytest.raises(ConfigError) as told:
        metrics_app("metrics")  # type: ignore[arg-type]
    assert str(told.value) == "source must be a Metrics, a Snapshot or a function that returns one, got 'metrics'"


async def test_only_reading_is_allowed() -> None:
    """HEAD has the length and no body, and other methods are told what there is."""
    head = await get(metrics_app(shop()), "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(to_prometheus(shop()).encode())
    post = get_wsgi(metrics_wsgi(shop()), "POST")
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")


async def test_a_source_is_asked_at_each_scrape() -> None:
    """A function gives the snapshot of now, and a source's own encoder is taken for the text format."""
    counts = iter(range(1, 10))

    class Own:
        def snapshot(self) -> Snapshot:
            return shop(times=next(counts))

        def to_prometheus(self) -> str:
            return "own 1\n"

    app = metrics_app(Own())
    assert (await get(app)).text == "own 1\n"
    assert 'code="200",route="/a"} 90 #' in (await get(app, accept="application/openmetrics-text")).text
    assert 'code="200",route="/a"} 180 #' in (await get(app, accept="application/openmetrics-text")).text
    bounded = (await get(metrics_app(Own(), bounds=(1.0,)))).text
    assert sum(1 for family in text_string_to_metric_families(bounded) for _ in family.samples) > 1


async def test_a_server_may_start_and_stop_the_app() -> None:
    """The lifespan of a server that runs the app alone is answered, and a websocket is closed."""
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}, {"type": "websocket.connect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(asked)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    app = metrics_app(shop())
    await app({"type": "lifespan"}, receive, send)
    await app({"type": "websocket"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]


def test_gzip_of_the_same_metrics_is_the_same() -> None:
    """No time stamp is in it, so that caches and tests see equal bytes."""
    app = metrics_wsgi(shop())
    one, other = (get_wsgi(app, accept_encoding="gzip") for _ in range(2))
    assert one.content == other.content == gzip.decompress(gzip.compress(to_prometheus(shop()).encode(), mtime=0))
