"""The endpoints: what is asked how, and who sees what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.monitor.health import Health, Outcome

TOKEN = "0123456789abcdef-token"
OTHER = "fedcba9876543210-other"


class Dsn:
    """A check whose error tells its password, as client libraries' do."""

    remote = True
    secrets = ("correct horse",)

    def __call__(self) -> None:
        raise ConnectionError("cannot reach postgresql://app:correct%20horse@db/x (password is correct horse)")


def service(**options: Any) -> Health:
    """A degraded service."""
    health = Health("orders", version="1.4.2", clock=ManualClock(), **options)
    health.add("database", Dsn(), critical=False)
    health.add("disk", lambda: Outcome.passed(value=0.5, unit="ratio"))
    return health


Got = tuple[int, dict[str, str], bytes]


async def asgi(app: Any, path: str, query: str = "", token: str | None = None, **scope: Any) -> Got:
    """One request of an ASGI app."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if token is None else [(b"authorization", token.encode())]
    await app(
        {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers} | scope,
        None,
        send,
    )
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], names, sent[1]["body"]


async def wsgi(app: Any, path: str, query: str = "", token: str | None = None, **scope: Any) -> Got:
    """One request of a WSGI app."""
    started: list[Any] = []
    environ = {"REQUEST_METHOD": scope.get("method", "GET"), "PATH_INFO": path, "QUERY_STRING": query}
    if token is not None:
        environ["HTTP_AUTHORIZATION"] = token
    body = b"".join(app(environ, lambda *told: started.append(told)))
    status, headers = started[0]
    return int(status[:3]), {name.lower(): value for name, value in headers}, body


WAYS = pytest.mark.parametrize(("way", "kind"), [(asgi, "asgi"), (wsgi, "wsgi")], ids=["asgi", "wsgi"])


@WAYS
async def test_a_probe_sees_a_status_and_no_more(way: Any, kind: str) -> None:
    """200 for a service that is degraded, which is good enough for requests."""
    code, headers, body = await way(getattr(service(), kind)(), "/readyz")
    assert (code, body) == (200, b'{"status": "warn"}')
    assert headers == {"content-type": "application/health+json", "content-length": "18", "cache-control": "no-store"}


@WAYS
async def test_the_verbose_page_is_the_draft_s(way: Any, kind: str) -> None:
    """With what each check has found, and without secrets."""
    health = service(token=TOKEN)
    code, _, body = await way(getattr(health, kind)(), "/readyz", "verbose", f"Bearer {TOKEN}")
    page = json.loads(body)
    for (entry,) in page["checks"].values():
        assert entry.pop("time").endswith("+00:00")
    ours = {"probe": "ready", "streak": 1, "stuck": 0, "age": 0.0, "took": 0.0, "since": 0.0}
    assert (code, page) == (
        200,
        {
            "status": "warn",
            "serviceId": "orders",
            "releaseId": "1.4.2",
            "checks": {
                "database": [
                    {
                        "status": "fail",
                        "output": "ConnectionError: cannot reach postgresql://***@db/x (password is ***)",
                        "critical": False,
                        **ours,
                    }
                ],
                "disk": [
                    {"status": "pass", "observedValue": 0.5, "observedUnit": "ratio", "critical": True, **ours},
                ],
            },
        },
    )


@WAYS
@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"]
)
async def test_without_the_token_the_verbose_page_is_refused(way: Any, kind: str, shown: str | None) -> None:
    """Before any check is run."""
    health = service(token=TOKEN)
    code, headers, body = await way(getattr(health, kind)(), "/readyz", "verbose=1", shown)
    assert (code, headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(body) == {"title": "the verbose page needs Authorization: Bearer TOKEN", "status": 401}
    assert all(report.status is None for report in health.known().checks)


@WAYS
async def test_any_of_several_tokens_lets_in(way: Any, kind: str) -> None:
    """While one is replaced by another."""
    app = getattr(service(token=[TOKEN, OTHER]), kind)()
    assert [(await way(app, "/livez", "verbose", f"bearer {token}"))[0] for token in (TOKEN, OTHER)] == [200, 200]


@WAYS
async def test_where_no_token_is_set_there_is_no_verbose_page(way: Any, kind: str) -> None:
    """Unless it is open to all."""
    assert (await way(getattr(service(), kind)(), "/readyz", "verbose"))[0] == 403
    assert (await way(getattr(service(open_verbose=True), kind)(), "/readyz", "verbose"))[0] == 200
    assert (await way(getattr(service(), kind)(), "/readyz", "verbose=0"))[0] == 200


@WAYS
async def test_a_head_has_no_body_and_other_methods_are_refused(way: Any, kind: str) -> None:
    """The length is that of the body there would be."""
    app = getattr(service(), kind)()
    code, headers, body = await way(app, "/livez", method="HEAD")
    assert (code, headers["content-length"], body) == (200, "18", b"")
    code, headers, _ = await way(app, "/livez", method="POST")
    assert (code, headers["allow"]) == (405, "GET, HEAD")


@WAYS
@pytest.mark.parametrize("path", ["/", "/readyz/", "/health", "", "/x/readyz"])
async def test_other_paths_are_not_found(way: Any, kind: str, path: str) -> None:
    """Told what there is."""
    code, _, body = await way(getattr(service(), kind)(), path)
    assert (code, json.loads(body)["title"]) == (404, "there is /livez, /readyz, /startupz")


@WAYS
async def test_a_no_is_503(way: Any, kind: str) -> None:
    """For readiness; liveness is as it was."""
    health = service()
    health.drain()
    app = getattr(health, kind)(prefix="/internal/")
    assert [(await way(app, f"/internal/{path}"))[0] for path in ("livez", "readyz", "startupz")] == [200, 503, 200]


async def test_around_an_asgi_app_only_the_probes_are_ours() -> None:
    """Also what is no HTTP passes."""
    passed: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        passed.append((scope["type"], scope.get("path")))

    app = service().asgi(inner)
    await app({"type": "http", "path": "/orders"}, None, None)
    await app({"type": "lifespan"}, None, None)
    await app({"type": "websocket", "path": "/readyz"}, None, None)
    assert (await asgi(app, "/readyz"))[0] == 200
    assert passed == [("http", "/orders"), ("lifespan", None), ("websocket", "/readyz")]


async def test_a_mounted_app_knows_its_part_of_the_path() -> None:
    """Whether the server gives it the whole path or the rest."""
    app = service().asgi()
    assert (await asgi(app, "/ops/livez", root_path="/ops"))[0] == 200
    assert (await asgi(app, "/livez", root_path="/ops"))[0] == 200


async def test_alone_it_lives_and_dies_with_its_server() -> None:
    """It answers the lifespan, and closes a websocket."""
    sent: list[Any] = []
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        return {"type": next(events)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await service().asgi()({"type": "lifespan"}, receive, send)
    await service().asgi()({"type": "websocket", "path": "/readyz"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]


async def test_around_a_wsgi_app_only_the_probes_are_ours() -> None:
    """The rest is passed on."""

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"orders"]

    assert (await wsgi(service().wsgi(inner), "/orders"))[2] == b"orders"


@pytest.mark.parametrize("token", ["short", "ü" * 20, ["0123456789abcdef", "x"], "0123456789abc\ndef"])
def test_a_token_that_is_easily_guessed_is_refused(token: Any) -> None:
    """And not repeated."""
    with pytest.raises(ConfigError) as refused:
        Health(token=token)
    assert str(refused.value) == (
        "token must be at least 16 printable ASCII characters without spaces; "
        "python -c 'import secrets; print(secrets.token_urlsafe())' makes one"
    )


def test_a_prefix_begins_with_a_slash() -> None:
    """Else no path would ever match."""
    with pytest.raises(ConfigError, match="prefix must begin with '/' or be empty, got 'internal'"):
        Health().asgi(prefix="internal")
