"""What only a PostgreSQL server does: it is restarted, is slow, refuses, pools behind a proxy, joins transactions."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests.contract.backends.postgres import PostgresServer
from tests.freezing import freeze

from seawall.engines import Put, Resync, open_engine
from seawall.engines._ports import Feed
from seawall.engines.postgres import _connection, _tables
from seawall.engines.postgres._step import Hear, Look, Step
from seawall.errors import (
    AuthFailed,
    ConfigError,
    Damaged,
    EngineError,
    ReadOnly,
    Unavailable,
    UnknownOutcome,
    WrongVersion,
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own."""
    started = PostgresServer()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def database(server: PostgresServer) -> str:
    """An empty database."""
    return made(server)


def made(server: PostgresServer, more: str = "") -> str:
    """The name of a new database."""
    name = f"d_{secrets.token_hex(6)}"
    run(server, f"CREATE DATABASE {name} {more}")
    return name


def run(server: PostgresServer, sql: str, database: str = "postgres") -> list[Any]:
    """Run one statement as an administrator; its rows."""
    with psycopg.connect(server.conninfo(database), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def tell(engine: Any, *sql: str, **how: Any) -> Any:
    """The rows of statements in one transaction of the engine's."""
    return engine._driver.wire.execute(Step(tuple((each, ()) for each in sql), **how), 5.0)


def test_a_restarted_server_costs_no_write(server, database):
    """Connections that a restart has closed are seen to be dead before a change is trusted to them."""
    with open_engine(server.url(database)) as engine:
        kv = engine.key_value()
        first = kv.put("k", b"1")
        server.end(signal.SIGINT)
        server.start()
        assert kv.put("k", b"2") > first


def test_a_bell_wakes_a_watch(server, database):
    """NOTIFY comes with each change, also with one between the look and the sleep."""
    with open_engine(server.url(database)) as engine:
        kv, wire, feed = engine.key_value(), engine._driver.wire, Feed("", 0)
        look = Look(feed, kv._channel, Step((("SELECT 1", ()),), write=False))
        assert wire.execute(look, 5.0) == ([[(1,)]], True)
        assert wire.execute(Hear(feed, 0.01), 5.0) is False
        kv.put("k", b"1")
        assert wire.execute(Hear(feed, 300.0), 305.0) is True
        wire.execute(look, 5.0)
        threading.Timer(0.05, kv.delete, ("k",)).start()
        assert wire.execute(Hear(feed, 300.0), 305.0) is True
        wire.unfollow(feed)


def test_a_watch_behind_a_pooling_proxy_looks_again_and_again(server, database, monkeypatch):
    """Where the server process is not the one the client was told of, no bell is trusted."""
    real = _connection.Link.__init__

    def through_proxy(self: Any, raw: Any, clock: Any) -> None:
        real(self, raw, clock)
        self.settings.pid = 1  # a pooling proxy makes one up

    monkeypatch.setattr(_connection.Link, "__init__", through_proxy)
    with open_engine(server.url(database), poll_interval=0.002) as engine:
        kv = engine.key_value()
        with kv.watch(after=0) as watch:
            threading.Timer(0.05, kv.put, ("k", b"1")).start()
            assert next(watch) == Put("k", b"1", 1)
            assert watch._feed.handle[0].channel is None


def test_history_that_is_gone_is_a_resync(server, database):
    """A watch from before what is kept says so and gives the whole state."""
    with open_engine(server.url(database), history=3) as engine:
        kv = engine.key_value()
        for number in range(10):
            last = kv.put("k", b"%d" % number)
        with kv.watch(after=2) as watch:
            event = watch.poll()
        assert isinstance(event, Resync)
        assert (event.revision, event.reason) == (
            last,
            "changes after revision 2 are no longer kept: changes are kept after revision 7 up to 10, asked after 2",
        )


def test_the_schema_is_made_once_by_however_many_come(server, database):
    """Eight engines that open an empty database at once all find it ready."""
    barrier, failed = threading.Barrier(8), []

    def open_one() -> None:
        barrier.wait()
        try:
            with open_engine(server.url(database)) as engine:
                engine.key_value().put("k", b"1")
        except Exception as error:  # noqa: BLE001 -- told below
            failed.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with open_engine(server.url(database)) as engine:
        assert engine.key_value().list().revision == 8


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_schema_that_is_not_made_in_time_is_unavailable(server, database, face):
    """Somebody else is making it and does not come to an end: an error of ours, in time, and later it works."""
    with psycopg.connect(server.conninfo(database)) as other, asyncio.Runner() as loop:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('seawall schema seawall', 0))")
        engine = open_engine(server.url(database), operation_timeout=0.3, attempts=1)
        kv = engine.key_value()
        with pytest.raises(Unavailable, match=r"^postgresql:.*: there was no answer in time; nothing was changed\n"):
            kv.put("k", b"1") if face == "sync" else loop.run(kv.put_async("k", b"1"))
        other.rollback()
    engine.close()
    with open_engine(server.url(database)) as engine:
        assert engine.key_value().put("k", b"1") == 1


def test_a_user_without_rights_is_told_what_to_run(server, database):
    """The message holds SQL; once an administrator has run it, it works."""
    user = f"u_{secrets.token_hex(6)}"
    run(server, f"CREATE ROLE {user} LOGIN")
    engine = open_engine(server.url(database, user))
    with pytest.raises(AuthFailed) as refused:
        engine.check()
    grant = f'CREATE SCHEMA IF NOT EXISTS "seawall"; GRANT USAGE, CREATE ON SCHEMA "seawall" TO "{user}"'
    assert str(refused.value) == (
        f"{engine.name}: permission denied for database {database}; grant this user the right: run {grant}; "
        f'and, if another user made its tables, GRANT ALL ON ALL TABLES IN SCHEMA "seawall" TO "{user}"; '
        f'GRANT ALL ON ALL SEQUENCES IN SCHEMA "seawall" TO "{user}"'
    )
    for statement in grant.split("; "):
        run(server, statement, database)
    assert engine.key_value().put("k", b"1") == 1
    engine.close()


def test_a_schema_of_a_newer_seawall_is_left_alone(server, database):
    """WrongVersion, and nothing is changed."""
    with open_engine(server.url(database)) as engine:
        engine.key_value().put("k", b"1")
    run(server, "UPDATE seawall.meta SET value = 99", database)
    with pytest.raises(WrongVersion) as refused:
        open_engine(server.url(database)).check()
    assert str(refused.value).endswith(
        f"was written by a newer seawall (schema 99, this one knows {_tables.VERSION}); upgrade seawall here, or "
        "choose another schema"
    )


def test_a_database_that_cannot_keep_all_text_is_refused(server):
    """SQL_ASCII does not know what a character is."""
    database = made(server, "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    engine = open_engine(server.url(database))
    with pytest.raises(WrongVersion) as refused:
        engine.check()
    assert str(refused.value) == f"{engine.name} is a database in SQL_ASCII; create one with ENCODING 'UTF8'"


def test_who_is_not_let_in_is_told_why(server, database):
    """An unknown user, an unknown database, and a server that is not there."""
    with pytest.raises(AuthFailed, match='role "nobody_here" does not exist; see to the user'):
        open_engine(server.url(database, "nobody_here")).check()
    with pytest.raises(EngineError, match='database "nowhere" does not exist; create it, or correct the URL'):
        open_engine(server.url("nowhere")).check()
    with pytest.raises(Unavailable, match="see that the server runs and can be reached"):
        open_engine("postgresql:///d?host=/nowhere", attempts=1).check()


def test_a_read_only_database_is_said_to_be_one(server, database):
    """Reads go on; a change is ReadOnly."""
    with open_engine(server.url(database)) as engine:
        engine.key_value().put("k", b"1")
    run(server, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with open_engine(server.url(database)) as engine:
        kv = engine.key_value()
        assert kv.get("k").value == b"1"
        with pytest.raises(ReadOnly) as refused:
            kv.put("k", b"2")
        assert str(refused.value).endswith("connect to the primary, or switch off default_transaction_read_only")
        assert kv.get("k").value == b"1"


def test_a_schema_that_is_dropped_is_damage(server, database):
    """It is not silently made anew under a running service: what was kept is gone, and somebody must know."""
    with open_engine(server.url(database)) as engine:
        engine.key_value().put("k", b"1")
        run(server, "DROP SCHEMA seawall CASCADE", database)
        with pytest.raises(Damaged):
            engine.key_value().put("k", b"2")


def test_isolation_and_acknowledgement_are_chosen_whatever_the_defaults(server, database):
    """A write is read committed and waits for the disk, a read sees one instant, a limit does not wait."""
    run(server, f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    run(server, f"ALTER DATABASE {database} SET synchronous_commit = off")
    engine = open_engine(server.url(database))
    with pytest.warns(RuntimeWarning, match="synchronous_commit is off: "):
        engine.check()
    level, commit = "SHOW transaction_isolation", "SHOW synchronous_commit"
    assert tell(engine, level, commit) == [[("read committed",)], [("on",)]]
    assert tell(engine, level, write=False) == [[("repeatable read",)]]
    assert tell(engine, commit, durable=False) == [[("off",)]]
    engine.close()


def test_the_linter_finds_what_loses_data(server, database):
    """Each setting with its danger and its remedy; nothing on a server with good settings."""
    with open_engine(server.url(database)) as engine:
        assert engine.lint() == ()
    risky = PostgresServer()
    risky.start("fsync=off", "full_page_writes=off", "synchronous_commit=off")
    try:
        engine = open_engine(risky.url())
        assert [finding.setting for finding in engine.lint()] == ["fsync", "full_page_writes", "synchronous_commit"]
        assert str(engine.lint()[0]) == (
            "fsync is off: a power cut loses or damages the whole database; "
            "set fsync = on in postgresql.conf and reload"
        )
        engine.close()
    finally:
        risky.remove()


@pytest.fixture
def locked(server, database) -> Iterator[Any]:
    """An engine whose namespace somebody else has locked, and that somebody."""
    with open_engine(server.url(database), operation_timeout=0.5) as engine:
        engine.key_value().put("k", b"1")
        with psycopg.connect(server.conninfo(database)) as holder:
            holder.execute("SELECT * FROM seawall.namespaces FOR UPDATE")
            yield engine, holder


def test_a_change_that_waits_too_long_is_undone(locked):
    """The server gives up first: nothing was changed, and the caller knows it."""
    engine, holder = locked
    with pytest.raises(Unavailable, match="nothing was changed"):
        engine.key_value().put("k", b"2")
    holder.rollback()
    assert engine.key_value().get("k").value == b"1"


def test_a_connection_cut_during_a_change_leaves_the_outcome_unknown(locked, server, database):
    """It is not sent again: it may have been made."""
    engine, holder = locked
    raised: list[BaseException] = []

    def write() -> None:
        try:
            engine.key_value().put("k", b"2")
        except UnknownOutcome as error:
            raised.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    waiting = f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock'"
    while not (pids := run(server, waiting)):
        assert writer.is_alive()
    run(server, f"SELECT pg_terminate_backend({pids[0][0]})")
    writer.join()
    holder.rollback()
    assert "the change may have been made or not, read the state before you decide" in str(raised[0])
    assert engine.key_value().get("k").value == b"1"


def test_a_sign_of_life_whose_answer_was_lost_is_given_again(server, database, monkeypatch):
    """Twice is as good as once: a lease is not lost for a cut connection; a change of a key is not made twice."""
    with open_engine(server.url(database)) as engine:
        kv = engine.key_value()
        lease = kv.grant(60)
        real, cut = _connection.Link.ask, [True]

        def ask(self: Any, message: Any) -> Any:
            rows = real(self, message)
            if message.may_change and cut.pop():
                self.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return rows

        monkeypatch.setattr(_connection.Link, "ask", ask)
        cut[:] = [False, True]
        assert kv.keep_alive(lease) == lease
        cut[:] = [True]
        with pytest.raises(UnknownOutcome):
            kv.put("k", b"1")
        cut[:] = [False, False]
        assert kv.get("k").revision == 1


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_server_that_falls_silent_does_not_hold_its_callers(server, database, face):
    """SIGSTOP of the server's process: a read is Unavailable, a change unknown, both in the time given."""
    with open_engine(server.url(database), operation_timeout=0.4, pool_size=1, attempts=1) as engine:
        kv = engine.key_value()
        with asyncio.Runner() as loop:
            if face == "async":
                get, put = (lambda: loop.run(kv.get_async("k"))), (lambda: loop.run(kv.put_async("k", b"2")))
            else:
                get, put = (lambda: kv.get("k")), (lambda: kv.put("k", b"2"))
            for call, kind in ((get, Unavailable), (put, UnknownOutcome)):
                get()
                here = f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'seawall'"
                pids = [pid for (pid,) in run(server, here)]
                for pid in pids:
                    freeze(pid)
                try:
                    with pytest.raises(kind, match="there was no answer in time"):
                        call()
                finally:
                    for pid in pids:
                        os.kill(pid, signal.SIGCONT)


def test_an_outbox_is_part_of_the_callers_transaction(server, database):
    """Records and messages exist exactly when the caller commits."""
    with open_engine(server.url(database)) as engine, psycopg.connect(server.conninfo(database)) as mine:
        journal = engine.journal()
        journal.append_within(mine, "out", b"lost")
        assert journal.first_time_within(mine, "in", "m", window=60)
        mine.rollback()
        assert journal.last("out") == 0
        position = journal.append_within(mine, "out", b"kept")
        assert journal.first_time_within(mine, "in", "m", window=60)
        assert journal.last("out") == 0
        mine.commit()
        assert [(record.position, record.data) for record in journal.scan("out")] == [(position, b"kept")]
        assert journal.first_time("in", "m", window=60) is False


async def test_an_outbox_for_tasks(server, database):
    """The same with psycopg.AsyncConnection; a connection for threads is refused, as it would block the loop."""
    async with open_engine(server.url(database)) as engine:
        journal = engine.journal()
        async with await psycopg.AsyncConnection.connect(server.conninfo(database)) as mine:
            await journal.append_within_async(mine, "out", b"kept")
            await mine.commit()
        assert [record.data for record in await journal.scan_async("out")] == [b"kept"]
        with psycopg.connect(server.conninfo(database)) as other, pytest.raises(ConfigError) as refused:
            await journal.append_within_async(other, "out", b"lost")
        assert str(refused.value).startswith(
            "transaction must be a psycopg.AsyncConnection inside a transaction for the ..._async call, got "
        )


def test_without_the_client_library_the_extra_is_named(monkeypatch):
    """At construction, before anything is connected."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    _connection._kinds.cache_clear()
    with pytest.raises(ConfigError) as refused:
        open_engine("postgres://somewhere/d")
    assert str(refused.value) == "postgresql:// needs the library psycopg: pip install 'seawall[postgres]'"


def test_names_that_are_no_schema_are_refused():
    """The name goes into SQL."""
    with pytest.raises(ConfigError) as refused:
        open_engine("postgres://somewhere/d", schema='x"; DROP')
    assert str(refused.value) == (
        "schema must be 1 to 63 of a-z, 0-9 and _, not beginning with a digit, got 'x\"; DROP'"
    )
