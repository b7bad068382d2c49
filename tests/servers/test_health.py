"""Health of real services, with dependencies that answer, refuse, and hang."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socketserver
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import sqlalchemy as sa
import uvicorn
from tests.contract.backends.postgres import PostgresServer
from tests.freezing import freeze
from tests.hanging import hanging_server
from tests.ports import free_ports
from tests.valkey_server import ValkeyServer

from seawall.engines import open_engine
from seawall.monitor.health import (
    DiskCheck,
    EngineCheck,
    Health,
    HttpCheck,
    Outcome,
    RedisCheck,
    SqlCheck,
    Status,
    TcpCheck,
)

TOKEN = "a-token-of-the-tests"
SLOW = 60.0  # longer than any answer of a server that works


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


@contextmanager
def wsgi_server(app: Any) -> Iterator[int]:
    """A threaded server of an app."""
    with make_server("127.0.0.1", 0, app, Threaded, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(30)


@contextmanager
def asgi_server(app: Any) -> Iterator[int]:
    """A uvicorn in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="critical"))
    started = threading.Event()

    async def serve() -> None:
        task = asyncio.create_task(server.serve())
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        started.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(60)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)


def get(port: int, path: str) -> tuple[int, Any]:
    """Status and body of a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    return answer.status, body


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_endpoints_answer_while_every_dependency_hangs(kind: str) -> None:
    """A silent TCP server, HTTP servers that hang before, in and after their headers, a blocked function."""
    free = threading.Event()
    health = Health(token=TOKEN)
    headers = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
    with (
        hanging_server() as silent,
        hanging_server(headers) as in_headers,
        hanging_server(headers + b"Content-Length: 9\r\n\r\nfour") as in_body,
    ):
        dependencies: dict[str, Callable[[], Any]] = {
            "tcp": TcpCheck("127.0.0.1", silent, send=b"PING\r\n", expect=b"+PONG"),
            "http": HttpCheck(f"http://127.0.0.1:{silent}/"),
            "headers": HttpCheck(f"http://127.0.0.1:{in_headers}/"),
            "body": HttpCheck(f"http://127.0.0.1:{in_body}/", contains="nine"),
            "redis": RedisCheck(f"redis://:hunter2@127.0.0.1:{silent}/0"),
            "engine": EngineCheck(open_engine(f"redis://127.0.0.1:{silent}/0")),
            "function": lambda: free.wait(300) and None,
        }
        for name, check in dependencies.items():
            health.add(name, check, timeout=0.3, ttl=0, max_stuck=1)
        server = asgi_server if kind == "asgi" else wsgi_server
        with server(getattr(health, kind)()) as port:
            assert get(port, "/livez") == (200, {"status": "pass"})
            assert get(port, "/readyz") == (503, {"status": "fail"})
            code, page = get(port, "/readyz?verbose")
            assert code == 503
            assert get(port, "/livez?verbose")[0] == 200
        outputs = {name: entry[0]["output"] for name, entry in page["checks"].items()}
        function = outputs.pop("function")
        assert function.startswith("1 run hangs, the longest since ")
        assert page["checks"]["function"][0]["stuck"] == 1
        assert "hunter2" not in json.dumps(page)
        assert set(page["checks"]) == set(dependencies)
        assert all(entry[0]["status"] == "fail" for entry in page["checks"].values())
        hung = {name for name, output in outputs.items() if "no answer within 0.3 s" in output or "hang" in output}
        assert {"tcp", "http", "headers", "body", "redis"} <= hung
        free.set()


def test_many_askers_of_a_hanging_function_keep_one_thread() -> None:
    """However many ask, and however often."""
    free = threading.Event()
    health = Health()
    health.add("blocked", lambda: free.wait(300) and None, timeout=0.05, ttl=0, max_stuck=3)
    with wsgi_server(health.wsgi()) as port:
        askers = [threading.Thread(target=lambda: [get(port, "/readyz") for _ in range(5)]) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join(60)
        threads = [thread for thread in threading.enumerate() if thread.name == "seawall-check-blocked"]
        assert len(threads) <= 3
        assert get(port, "/livez")[0] == 200
    free.set()
    for thread in threads:
        thread.join(30)


def found(check: Callable[[], Any], how: str) -> Outcome:
    """What a check finds, asked from a thread or from a task."""
    health = Health()
    health.add("it", check, timeout=SLOW)
    report = health.ask() if how == "thread" else asyncio.run(health.ask_async())
    (only,) = report.checks
    assert only.found is not None
    return Outcome(only.found, only.output, only.value)


HOW = pytest.mark.parametrize("how", ["thread", "task"])


@HOW
def test_an_http_service_that_answers(how: str) -> None:
    """By its status and what it says; redirects are not followed."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        status = {"/": "200 OK", "/moved": "302 Found", "/away": "503 Unavailable"}[environ["PATH_INFO"]]
        start_response(status, [("Location", "/")])
        return [b"all is well"]

    with wsgi_server(app) as port:
        url = f"http://user:hunter2@127.0.0.1:{port}"
        assert found(HttpCheck(f"{url}/"), how) == Outcome(Status.PASS, "", 200)
        assert found(HttpCheck(f"{url}/moved"), how) == Outcome.failed(
            f"http://127.0.0.1:{port} answered 302", value=302
        )
        assert found(HttpCheck(f"{url}/moved", expect=(302,)), how).status is Status.PASS
        assert found(HttpCheck(f"{url}/away"), how) == Outcome.failed(
            f"http://127.0.0.1:{port} answered 503", value=503
        )
        assert found(HttpCheck(f"{url}/", contains="is well"), how).status is Status.PASS
        refused = found(HttpCheck(f"{url}/", contains="is ill"), how)
        assert refused == Outcome.failed(f"http://127.0.0.1:{port} answered without what is expected", value=200)


@HOW
def test_where_nobody_listens(how: str) -> None:
    """The error is told, without what was secret in the URL."""
    (port,) = free_ports(1)
    for check in (
        HttpCheck(f"http://user:hunter2@127.0.0.1:{port}/?key=hunter3"),
        TcpCheck("127.0.0.1", port),
        RedisCheck(f"redis://:hunter2@127.0.0.1:{port}/0"),
    ):
        outcome = found(check, how)
        assert outcome.status is Status.FAIL
        assert "refused" in outcome.output or "Connect call failed" in outcome.output
        assert "hunter" not in outcome.output


@HOW
def test_a_tcp_server_by_its_first_words(how: str) -> None:
    """A connection alone is enough where nothing is expected."""
    with hanging_server(b"SSH-2.0-x\r\n") as port:
        assert found(TcpCheck("127.0.0.1", port), how).status is Status.PASS
        assert found(TcpCheck("127.0.0.1", port, expect=b"SSH-2.0"), how).status is Status.PASS
        other = found(TcpCheck("127.0.0.1", port, expect=b"220 "), how)
        assert other == Outcome.failed(f"127.0.0.1:{port} did not answer as expected")


@HOW
def test_sql_in_all_its_ways(how: str, tmp_path: Path) -> None:
    """A function that gives connections, a connection, a SQLAlchemy engine; good and bad."""
    path = str(tmp_path / "db")
    own = sqlite3.connect(path, check_same_thread=False)
    engine = sa.create_engine(f"sqlite:///{path}")
    for database in (lambda: sqlite3.connect(path), own, engine):
        assert found(SqlCheck(database), how).status is Status.PASS
        missing = found(SqlCheck(database, query="SELECT * FROM nowhere"), how)
        assert missing.status is Status.FAIL
        assert "no such table: nowhere" in missing.output
    own.close()
    engine.dispose()


@HOW
def test_redis_by_url_and_by_client(how: str, tmp_path: Path) -> None:
    """And one that has died."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    server = ValkeyServer(tmp_path)
    server.start()
    try:
        client = redis.Redis(port=server.port, socket_timeout=SLOW, retry=Retry(NoBackoff(), 0))
        checks = [RedisCheck(server.tcp), RedisCheck(client), EngineCheck(open_engine(server.tcp, attempts=1))]
        assert [found(check, how).status for check in checks] == [Status.PASS] * 3
        server.kill()
        assert [found(check, how).status for check in checks] == [Status.FAIL] * 3
        client.close()
    finally:
        server.stop()


async def test_an_asyncio_client_is_asked_in_its_own_loop(tmp_path: Path) -> None:
    """Its connections belong there."""
    import redis.asyncio

    server = ValkeyServer(tmp_path)
    server.start()
    try:
        async with redis.asyncio.Redis(port=server.port) as client:
            health = Health()
            health.add("cache", RedisCheck(client), ttl=0, timeout=SLOW)
            await client.ping()
            assert [(await health.ask_async()).status for _ in range(3)] == [Status.PASS] * 3
    finally:
        server.stop()


@HOW
def test_the_disk_of_this_machine(how: str, tmp_path: Path) -> None:
    """It has some room, and no room for an exabyte."""
    assert found(DiskCheck(tmp_path, warn=0, fail=0), how).status is Status.PASS
    full = found(DiskCheck(tmp_path, warn=0, fail=0, fail_bytes=10**18), how)
    assert full.output.endswith("1,000,000,000,000,000,000 must be")
    assert found(DiskCheck(tmp_path / "nowhere"), how).output.startswith("FileNotFoundError: ")


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A server that may be frozen."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@HOW
def test_postgresql_by_connections_pools_and_engines(how: str, postgres: PostgresServer) -> None:
    """All that people hold."""
    import psycopg
    from psycopg_pool import ConnectionPool

    conninfo = postgres.conninfo()
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))
    with ConnectionPool(conninfo, min_size=1) as pool, psycopg.connect(conninfo) as own:
        for database in (lambda: psycopg.connect(conninfo), pool.connection, own, engine):
            assert found(SqlCheck(database), how).status is Status.PASS
            bad = found(SqlCheck(database, query="SELECT * FROM nowhere"), how)
            assert 'relation "nowhere" does not exist' in bad.output
            assert found(SqlCheck(database), how).status is Status.PASS
        # Nothing of the check is left open in what is not its own to close.
        assert own.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    engine.dispose()


async def test_an_engine_of_seawall_is_asked_from_threads_and_tasks(postgres: PostgresServer) -> None:
    """A task asks in its own loop, a thread blocks."""
    with open_engine(postgres.url()) as engine:
        assert await asyncio.to_thread(found, EngineCheck(engine), "thread") == Outcome.passed()
    async with open_engine(postgres.url()) as engine:
        health = Health()
        health.add("database", EngineCheck(engine), timeout=SLOW)
        assert (await health.ask_async()).status is Status.PASS


async def test_an_async_engine_of_sqlalchemy_is_asked_in_its_own_loop(postgres: PostgresServer) -> None:
    """Its pool belongs there."""
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(f"postgresql+psycopg://postgres@/postgres?host={postgres.directory}")
    health = Health()
    health.add("database", SqlCheck(engine), ttl=0, timeout=SLOW)
    assert [(await health.ask_async()).status for _ in range(3)] == [Status.PASS] * 3
    await engine.dispose()


def test_a_database_that_freezes_fails_readiness_and_is_ready_again_when_it_goes_on(postgres: PostgresServer) -> None:
    """Through the endpoint; what hung in the meantime is let go."""
    import psycopg

    health = Health(token=TOKEN)
    conninfo = postgres.conninfo()
    health.add("database", SqlCheck(lambda: psycopg.connect(conninfo)), timeout=1.0, ttl=0, max_stuck=2)
    with wsgi_server(health.wsgi()) as port:
        while get(port, "/readyz")[0] != 200:  # the first run may be slow on a busy machine
            pass
        freeze(postgres.pid)
        try:
            codes = [(get(port, "/readyz")[0], get(port, "/livez")[0]) for _ in range(4)]
            stuck = get(port, "/readyz?verbose")[1]["checks"]["database"][0]["stuck"]
        finally:
            os.kill(postgres.pid, signal.SIGCONT)
        assert (codes, stuck) == ([(503, 200)] * 4, 2)
        for thread in threading.enumerate():
            if thread.name == "seawall-check-database":
                thread.join(60)
        while get(port, "/readyz")[0] != 200:
            pass
        assert get(port, "/readyz?verbose")[1]["checks"]["database"][0]["stuck"] == 0
