"""A PostgreSQL server with passwords, with TLS, as a standby, taking over, and full."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import trustme
from tests.contract.backends.postgres import PostgresServer, _binary
from tests.contract.faces import Faced
from tests.faults.machine import Machine

from seawall.clock import SystemClock
from seawall.engines import Put, Rule, open_engine
from seawall.errors import AuthFailed, EngineError, Full, ReadOnly, Unavailable

_HBA = "local all postgres trust\nlocal replication postgres trust\nlocal all all scram-sha-256\n"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that lets the administrator in, and others with a password."""
    started = PostgresServer()
    started.start()
    with psycopg.connect(started.conninfo(), autocommit=True) as admin:
        admin.execute("CREATE ROLE shop LOGIN PASSWORD 'correct horse'")
        admin.execute("GRANT CREATE ON DATABASE postgres TO shop")
        (started.data / "pg_hba.conf").write_text(_HBA)
        admin.execute("SELECT pg_reload_conf()")
    yield started
    started.remove()


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


def url_of(server: PostgresServer, credentials: str, more: str = "") -> str:
    """Its socket, for a user."""
    return f"postgresql://{credentials}@{str(server.directory).replace('/', '%2F')}/postgres{more}"


def test_a_password_lets_in(server, runner):
    """By SCRAM; it is in no message and no repr."""
    with open_engine(url_of(server, "shop:correct%20horse"), schema="sw_shop") as engine:
        kv = Faced(engine.key_value(), runner)
        assert kv.get("a") is None or kv.get("a").value == b"1"
        assert kv.put("a", b"1") > 0
        assert "horse" not in repr(engine) + engine.name
        Faced(engine, runner).close()


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        ("shop:wr0ng", 'FATAL:  password authentication failed for user "shop"'),
        ("shop", "fe_sendauth: no password supplied"),
        ("nobody:wr0ng", 'FATAL:  password authentication failed for user "nobody"'),
    ],
)
def test_who_has_no_right_password_is_told_so_at_once(server, runner, monkeypatch, credentials, says):
    """AuthFailed, without the password in it."""
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    engine = open_engine(url_of(server, credentials))
    with pytest.raises(AuthFailed) as refused:
        Faced(engine.key_value(), runner).put("a", b"1")
    assert str(refused.value) == (
        f'{engine.name}: connection failed: connection to server on socket "{server.directory}/.s.PGSQL.5432" failed: '
        f"{says}; see to user, password and pg_hba.conf"
    )
    assert "wr0ng" not in str(refused.value) + str(refused.value.__cause__)
    Faced(engine, runner).close()


class TlsFront:
    """What a server with `ssl = on` says first, before the socket of one that was built without it."""

    def __init__(self, context: ssl.SSLContext, behind: str) -> None:
        self.context = context
        self.behind = behind
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._writers: list[asyncio.StreamWriter] = []

    def __enter__(self) -> TlsFront:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda loop, context: None)  # handshakes that clients give up
        server = await asyncio.start_server(self._serve, "localhost", 0, family=socket.AF_INET)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        for _ in range(10):
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with suppress(OSError, EOFError):
            await reader.readexactly(8)  # SSLRequest
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self.context)
            inner_reader, inner_writer = await asyncio.open_unix_connection(self.behind)
            self._writers.append(inner_writer)
            await asyncio.gather(self._copy(reader, inner_writer), self._copy(inner_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whom to trust."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_port(authority: trustme.CA, server: PostgresServer) -> Iterator[int]:
    """A port that speaks TLS with a certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with TlsFront(context, f"{server.directory}/.s.PGSQL.5432") as front:
        yield front.port


def test_a_known_certificate_and_a_password_let_in(server, authority, tls_port, runner, tmp_path: Path):
    """verify-full, SCRAM inside of TLS, and a watch through it."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = f"postgresql://shop:correct%20horse@localhost:{tls_port}/postgres"
    options = {"sslmode": "verify-full", "sslrootcert": str(tmp_path / "ca.pem"), "schema": "sw_shop"}
    with open_engine(url, **options) as engine:
        kv = Faced(engine.key_value("tls"), runner)
        first = kv.put("a", b"x" * 300_000)
        watch = kv.watch(after=first, heartbeat=2.0)
        second = kv.put("a", b"1")
        assert watch.poll() == Put("a", b"1", second)
        watch.close()
        Faced(engine, runner).close()


@pytest.mark.parametrize("server_is", [("localhost", False), ("127.0.0.1", True)], ids=["unknown", "misnamed"])
def test_an_unknown_certificate_or_name_is_not_trusted(authority, tls_port, runner, tmp_path: Path, server_is):
    """Nothing is sent to whoever that is."""
    host, trusted = server_is
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = f"postgresql://shop:correct%20horse@{host}:{tls_port}/postgres"
    engine = open_engine(url, sslmode="verify-full", sslrootcert=str(tmp_path / "ca.pem"), attempts=1)
    with pytest.raises(EngineError, match=r"certificate verify failed|does not match host name") as refused:
        Faced(engine.key_value(), runner).put("a", b"1")
    assert "horse" not in str(refused.value)
    Faced(engine, runner).close()


def test_a_server_without_tls_is_refused_where_it_is_asked_for(server, runner):
    """Rather than going on in the open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def refuse() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(8)
                client.sendall(b"N")
                client.recv(8)

        answering = threading.Thread(target=refuse)
        answering.start()
        engine = open_engine(f"postgresql://shop:pw@127.0.0.1:{port}/postgres?sslmode=require", attempts=1)
        with pytest.raises(EngineError, match="server does not support SSL, but SSL was required"):
            Faced(engine.key_value(), runner).put("a", b"1")
        answering.join(20)
        Faced(engine, runner).close()


class Standby(PostgresServer):
    """A copy of a running server that follows it."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__()
        command = [_binary("pg_basebackup"), "-D", str(self.data), "-h", str(primary.directory), "-U", "postgres"]
        copied = self._spawn(*command, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        assert copied.wait(60) == 0, self.log()


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, Standby]]:
    """A primary that waits for its standby, and that standby."""
    primary = PostgresServer()
    primary.start("synchronous_standby_names=*", "synchronous_commit=local")
    standby = None
    try:
        standby = Standby(primary)
        standby.start()
        with psycopg.connect(primary.conninfo(), autocommit=True) as admin:
            while not admin.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
                SystemClock().sleep(0.01)
            admin.execute("ALTER DATABASE postgres SET synchronous_commit = on")
        yield primary, standby
    finally:
        primary.remove()
        if standby is not None:
            standby.remove()


def test_a_standby_refuses_and_takes_over_without_loss(pair):
    """Named alone it is ReadOnly; named with its primary it is not asked, until it is promoted: then all is there."""
    primary, standby = pair
    both = f"{str(primary.directory).replace('/', '%2F')},{str(standby.directory).replace('/', '%2F')}"
    alone = open_engine(standby.url())
    with pytest.raises(ReadOnly) as refused:
        alone.check()
    assert str(refused.value) == (
        f"{alone.name} is a standby, which takes no changes and may be behind; connect to the primary, or name all "
        "hosts with target_session_attrs=read-write"
    )
    with open_engine(f"postgresql://postgres@{both}/postgres", operation_timeout=20.0) as engine:
        kv, journal = engine.key_value(), engine.journal()
        with pytest.raises(ReadOnly):
            alone.key_value().get("a")
        alone.close()
        told = [kv.put(f"k{number}", b"1") for number in range(20)]
        claim = journal.claim("s", "me", 3_600)
        position = journal.append("s", b"1", claim=claim)
        with kv.watch(after=0) as watch:
            assert [watch.poll().revision for _ in told] == told
            primary.end(signal.SIGKILL)
            with psycopg.connect(standby.conninfo(), autocommit=True) as admin:
                admin.execute("SELECT pg_promote()")
            assert [entry.revision for entry in sorted(kv.list().entries, key=lambda each: each.revision)] == told
            newest = kv.put("k", b"2")
            assert newest > told[-1]
            assert journal.append("s", b"2", claim=claim) > position
            while (event := watch.poll()) is None:
                pass
            assert event == Put("k", b"2", newest)


def test_a_promotion_that_is_under_way_is_waited_for(pair):
    """While nobody takes changes it is Unavailable; a call that has the time goes through when somebody does."""
    primary, standby = pair
    both = f"{str(primary.directory).replace('/', '%2F')},{str(standby.directory).replace('/', '%2F')}"
    with open_engine(f"postgresql://postgres@{both}/postgres", operation_timeout=20.0, attempts=100) as engine:
        kv = engine.key_value()
        kv.put("a", b"1")
        primary.end(signal.SIGKILL)
        hasty = open_engine(f"postgresql://postgres@{both}/postgres", operation_timeout=0.5)
        with pytest.raises(Unavailable) as nobody:
            hasty.key_value().put("a", b"0")
        hasty.close()
        assert str(nobody.value) == (
            f"{hasty.name}: connection failed: connection to server on socket "
            f'"{standby.directory}/.s.PGSQL.5432" failed: session is read-only; none of the hosts takes changes: start '
            "the primary, or promote a standby"
        )
        answers: list[int] = []
        writer = threading.Thread(target=lambda: answers.append(kv.put("a", b"2")))
        writer.start()
        with psycopg.connect(standby.conninfo(), autocommit=True) as admin:
            admin.execute("SELECT pg_promote()")
        writer.join(60)
        assert answers == [kv.get("a").revision]


@pytest.mark.skipif(sys.platform != "linux", reason="a library is put before the system's")
def test_a_full_disk_is_said_to_be_full_and_changes_nothing(runner):
    """Its tables cannot grow: Full, with what to do, and all goes on when there is room."""
    server = PostgresServer()
    machine = Machine(f"{server.data}/base/")
    server.environment = machine.environment
    server.start()
    try:
        with open_engine(server.url()) as engine:
            kv, journal = Faced(engine.key_value(), runner), Faced(engine.journal(), runner)
            revision, position = kv.put("a", b"1"), journal.append("s", b"1")
            machine.fill()
            for change in (
                lambda: kv.put("big", os.urandom(900_000)),
                lambda: journal.append("s", os.urandom(900_000)),
            ):
                with pytest.raises(Full) as full:
                    change()
                assert str(full.value).startswith(f"{engine.name}: could not extend file ")
                assert str(full.value).endswith("; free space on the server's disk; nothing was changed")
            assert (kv.list().revision, journal.last("s")) == (revision, position)
            machine.fill(False)
            assert kv.put("big", os.urandom(900_000)) == revision + 1
            assert journal.append("s", b"2") > position
            assert Faced(engine.meter(), runner).update("k", Rule.token_bucket(1))
            Faced(engine, runner).close()
    finally:
        server.remove()
        machine.remove()
