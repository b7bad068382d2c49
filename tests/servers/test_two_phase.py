"""Two-phase commit over two databases of a PostgreSQL server."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.contract.backends.postgres import PostgresServer
from tests.freezing import freeze

from seawall.distributed.transactions import TransactionLog
from seawall.distributed.transactions.two_phase import Outcome, PostgresParticipant, TwoPhaseCommit
from seawall.engines import Engine, open_engine
from seawall.errors import ConfigError, TransactionAborted


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One server with two databases, and one more that prepares nothing."""
    started = PostgresServer()
    started.start("max_prepared_transactions=20")
    with psycopg.connect(started.conninfo(), autocommit=True) as connection:
        for name in "ab":
            connection.execute(f"CREATE DATABASE {name}")
    yield started
    started.remove()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Where the log is."""
    with open_engine(f"sqlite:///{tmp_path / 'log.db'}?durability=os") as opened:
        yield opened


@pytest.fixture
def databases(server: PostgresServer) -> Iterator[tuple[PostgresParticipant, PostgresParticipant]]:
    """Both, with an empty table."""
    for name in "ab":
        with psycopg.connect(server.conninfo(name)) as connection:
            connection.execute("DROP TABLE IF EXISTS rows")
            connection.execute("CREATE TABLE rows (value int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
    parts = PostgresParticipant("a", server.conninfo("a")), PostgresParticipant("b", server.conninfo("b"))
    yield parts
    for part in parts:
        part.close()


def rows(server: PostgresServer) -> list[list[int]]:
    """What is committed on a and on b."""
    found = []
    for name in "ab":
        with psycopg.connect(server.conninfo(name)) as connection:
            found.append([value for (value,) in connection.execute("SELECT value FROM rows ORDER BY value")])
    return found


def gids(server: PostgresServer) -> list[str]:
    """What is prepared."""
    with psycopg.connect(server.conninfo()) as connection:
        return [gid for (gid,) in connection.execute("SELECT gid FROM pg_prepared_xacts")]


def insert(connection: Any, value: int) -> Any:
    """A row, by a thread or, awaited, by a task."""
    return connection.execute("INSERT INTO rows VALUES (%s)", [value])


def sell(shop: TwoPhaseCommit, value: int, then: Callable[[Any], Any] = lambda tx: None) -> Any:
    """A row on a and on b, and what else is to happen before the end; its result."""
    with shop.transaction() as tx:
        insert(tx.enlist("a"), value)
        insert(tx.enlist("b"), value)
        then(tx)
    return tx.result


def test_both_databases_commit_or_neither(server, engine, databases):
    """A block that is left well commits on both; an error in it undoes both, and connections are used again."""
    a, _ = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases, name="shop")
    shop.check()
    pids = set()
    for value in range(3):
        with shop.transaction() as tx:
            insert(tx.enlist(a), value)
            insert(tx.enlist("b"), value)
            assert tx.enlist(a) is tx.enlist(a)
            pids.add(tx.enlist(a).info.backend_pid)
    assert len(pids) == 1
    with pytest.raises(ZeroDivisionError):
        sell(shop, 9, lambda tx: 1 // 0)
    assert (rows(server), gids(server), shop.in_doubt()) == ([[0, 1, 2], [0, 1, 2]], [], ())


async def test_tasks_commit_on_both_at_the_same_time(server, engine, databases):
    """Twenty tasks share a coordinator; each has connections of its own."""
    a, b = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)

    async def sell(value: int) -> None:
        async with shop.transaction() as tx:
            for part in (a, b):
                await insert(await tx.enlist_async(part), value)

    await asyncio.gather(*(sell(value) for value in range(10)))
    await shop.check_async()
    assert await shop.in_doubt_async() == ()
    assert (await shop.recover_async()).in_doubt == ()
    assert rows(server) == [list(range(10)), list(range(10))]
    for part in databases:
        await part.close_async()


def test_what_the_database_refuses_is_the_cause(server, engine, databases):
    """A deferred constraint fails when it is prepared: the other is undone, and the caller sees why."""
    _, b = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    with shop.transaction() as tx:
        insert(tx.enlist(b), 1)
    with pytest.raises(TransactionAborted, match="was aborted: b voted no") as caught:
        sell(shop, 1)
    assert isinstance(caught.value.__cause__, psycopg.errors.UniqueViolation)
    assert (rows(server), gids(server)) == ([[], [1]], [])


def test_a_failed_statement_that_was_passed_over_is_a_no(server, engine, databases):
    """The transaction can only be undone."""
    shop = TwoPhaseCommit(TransactionLog(engine), databases)

    def fail(tx: Any) -> None:
        with pytest.raises(psycopg.errors.UndefinedTable):
            tx.enlist("b").execute("SELECT * FROM nothing")

    with pytest.raises(TransactionAborted, match=r"b voted no$"):
        sell(shop, 1, fail)
    assert repr(databases[1]) == "<PostgresParticipant b: 0 transactions>"
    assert (rows(server), gids(server)) == ([[], []], [])


def test_only_the_coordinator_ends_the_transaction(engine, databases):
    """Commit and rollback on the connection are refused by the client library; savepoints are not."""
    a, _ = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    with shop.transaction() as tx:
        connection = tx.enlist(a)
        insert(connection, 1)
        with connection.transaction():
            insert(connection, 2)
        with pytest.raises(psycopg.ProgrammingError, match=r"commit\(\) cannot be used during a two-phase transaction"):
            connection.commit()
        with pytest.raises(psycopg.ProgrammingError, match="cannot be used during a two-phase transaction"):
            connection.rollback()
    assert tx.result.outcome is Outcome.COMMITTED


def test_a_database_that_was_only_read_is_not_prepared(server, engine, databases):
    """Its transaction ends with its vote, and needs no place among the prepared ones."""
    a, b = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    with shop.transaction() as tx:
        insert(tx.enlist(a), 1)
        tx.enlist(b).execute("SELECT count(*) FROM rows")
    assert [e.data for e in shop.log.load("2pc", tx.id).entries if e.what == "committed"] == [{"to_tell": ["a"]}]
    assert rows(server) == [[1], []]


def test_a_connection_that_breaks_before_the_vote_is_a_no(server, engine, databases):
    """The server has undone its part; the other is undone, too."""
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    with pytest.raises(TransactionAborted):
        sell(shop, 1, lambda tx: os.kill(tx.enlist("b").info.backend_pid, signal.SIGTERM))
    assert (rows(server), gids(server)) == ([[], []], [])


def test_a_connection_that_breaks_after_the_vote_is_replaced(server, engine, databases):
    """Told over another connection, by name."""
    _, b = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    prepare = b.prepare

    def breaking(transaction: str) -> Any:
        vote = prepare(transaction)
        os.kill(b._sessions.working[transaction].info.backend_pid, signal.SIGTERM)
        return vote

    b.prepare = breaking
    result = sell(shop, 1)
    assert (result.untold, rows(server), gids(server)) == ((), [[1], [1]], [])


@pytest.mark.parametrize("tasks", [False, True])
def test_a_server_that_does_not_answer_holds_nobody_up(server, engine, databases, tasks):
    """The commit stands when its time is over, and recovery tells it when the server is there again."""
    a, b = databases
    shop = TwoPhaseCommit(TransactionLog(engine), [a, b])
    patience, stopped = b._sessions._timeout_ns, []

    def stopping(vote: Any, transaction: str) -> Any:
        stopped.append(b._sessions.working[transaction].info.backend_pid)
        freeze(stopped[0])
        b._sessions._timeout_ns = 200_000_000  # only now: a busy machine is not slow to answer
        return vote

    prepare, prepare_async = b.prepare, b.prepare_async
    b.prepare = lambda transaction: stopping(prepare(transaction), transaction)

    async def stopping_async(transaction: str) -> Any:
        return stopping(await prepare_async(transaction), transaction)

    b.prepare_async = stopping_async

    async def sell_async() -> Any:
        async with shop.transaction() as tx:
            for part in (a, b):
                await insert(await tx.enlist_async(part), 1)
        await a.close_async()
        return tx.result

    result = asyncio.run(sell_async()) if tasks else sell(shop, 1)
    b._sessions._timeout_ns = patience
    os.kill(stopped[0], signal.SIGCONT)
    assert (result.outcome, result.untold) == (Outcome.COMMITTED, ("b",))
    while shop.in_doubt():  # until the server has seen that the session it was stopped in is gone
        shop.recover()
    assert (rows(server), gids(server)) == ([[1], [1]], [])


def test_recovery_leaves_living_transactions_alone(server, engine, databases):
    """Two threads sell while a third recovers all the time: nothing is undone, told twice, or left."""
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    is_over = threading.Event()
    found = []

    def recover() -> None:
        while not is_over.is_set():
            found.append(shop.recover())

    with ThreadPoolExecutor(3) as pool:
        recovering = pool.submit(recover)
        try:
            results = list(pool.map(lambda value: sell(shop, value), range(40)))
        finally:
            is_over.set()
        recovering.result()
    assert {result.outcome for result in results} == {Outcome.COMMITTED}
    assert {ended for each in found for ended in each.aborted} == set()
    assert (rows(server), gids(server), shop.in_doubt()) == ([list(range(40))] * 2, [], ())


async def test_a_connection_of_threads_does_not_get_among_those_of_tasks(server, engine, databases):
    """The plain enlist within a task blocks the loop for a moment, and no more harm is done."""
    a, _ = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    async with shop.transaction() as tx:
        insert(tx.enlist(a), 1)
    async with shop.transaction() as tx:
        await insert(await tx.enlist_async(a), 2)
    assert rows(server) == [[1, 2], []]
    await shop.close_async()


def test_what_a_caller_does_to_a_connection_ends_with_its_transaction(engine, databases):
    """Rows as dicts for one transaction do not confuse the coordinator, nor the next transaction."""
    a, _ = databases
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    with shop.transaction() as tx:
        connection = tx.enlist(a)
        connection.row_factory = psycopg.rows.dict_row
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}
        insert(connection, 1)
    with shop.transaction() as tx:
        assert tx.enlist(a) is connection
        assert tx.enlist(a).execute("SELECT 1 AS one").fetchone() == (1,)


def test_parts_of_unknown_coordinators_and_of_others_are_left_alone(server, engine, databases):
    """Listed in doubt if seawall has prepared them; another program's are not even that."""
    shop = TwoPhaseCommit(TransactionLog(engine), databases)
    shop.check()
    strange = "seawall.bank.01234567." + "0" * 32 + ".a"
    with psycopg.connect(server.conninfo("a"), autocommit=True) as connection:
        for gid in (strange, "1_eA==_eQ=="):
            connection.execute(f"BEGIN; PREPARE TRANSACTION '{gid}'")
        found = shop.recover()
        assert [(doubt.id, doubt.participants) for doubt in found.in_doubt] == [("bank.01234567." + "0" * 32, ("a",))]
        assert shop.in_doubt() == found.in_doubt
        assert sorted(gids(server)) == ["1_eA==_eQ==", strange]
        for gid in (strange, "1_eA==_eQ=="):
            connection.execute(f"ROLLBACK PREPARED '{gid}'")


def test_a_server_that_prepares_nothing_is_refused_with_the_remedy(engine):
    """Before any work is done, and as a finding."""
    idle = PostgresServer()
    idle.start("fsync=off")
    part = PostgresParticipant("orders", idle.conninfo())
    try:
        shop = TwoPhaseCommit(TransactionLog(engine), [part])
        says = (
            "participant 'orders': max_prepared_transactions must be at least 1, got 0, the server's default; ALTER "
            "SYSTEM SET max_prepared_transactions = 100; then restart the server"
        )
        with pytest.raises(ConfigError) as caught:
            shop.check()
        assert str(caught.value) == says
        with pytest.raises(ConfigError) as caught, shop.transaction() as tx:
            tx.enlist(part)
        assert str(caught.value) == says
        assert [str(finding) for finding in part.lint()] == [
            "max_prepared_transactions of orders is 0: nothing can be prepared; ALTER SYSTEM SET "
            "max_prepared_transactions = 100; then restart the server",
            "fsync of orders is off: a power cut loses votes and commits that others have acted on; set fsync = on in "
            "postgresql.conf and reload",
        ]
    finally:
        part.close()
        idle.remove()


def test_too_few_places_are_found(server, databases):
    """More connections than places for prepared transactions."""
    (finding,) = databases[0].lint()
    assert str(finding) == (
        "max_prepared_transactions of a is 20: with 100 connections more can want to prepare than may, and are "
        "aborted; ALTER SYSTEM SET max_prepared_transactions = 100; then restart the server"
    )


def test_bad_options_are_refused():
    """The value, the range."""
    with pytest.raises(ConfigError, match=r"^connect_timeout must be a whole number from 2 to 3,600, got 0$"):
        PostgresParticipant("a", "", connect_timeout=0)
    with pytest.raises(ConfigError, match=r"^idle must be a whole number from 0 to 1,000, got -1$"):
        PostgresParticipant("a", "", idle=-1)
    with pytest.raises(ConfigError, match=r"^timeout must be "):
        PostgresParticipant("a", "", timeout=0)
