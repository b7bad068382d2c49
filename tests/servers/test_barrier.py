"""The barrier between connections that really are at it at the same time, on PostgreSQL and on a SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any

import psycopg
import psycopg.rows
import pytest
from tests.contract.backends.postgres import PostgresServer

from seawall.clock import SystemClock
from seawall.distributed.transactions.barrier import Barrier, BarrierTable, Verdict
from seawall.errors import ConfigError, OutOfOrder


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own."""
    started = PostgresServer()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def database(server: PostgresServer) -> str:
    """The connection string of an empty database."""
    name = f"d_{secrets.token_hex(6)}"
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.conninfo(name)


@pytest.fixture(params=["postgres", "sqlite"])
def connect(request: pytest.FixtureRequest, tmp_path: Any) -> Callable[[], Any]:
    """Opens another connection to an empty database with a table of effects; BEGIN is the test's."""
    if request.param == "sqlite":

        def opened() -> Any:
            return sqlite3.connect(tmp_path / "shop.db", isolation_level=None, timeout=60, check_same_thread=False)

        with closing(opened()) as first:
            first.execute("PRAGMA journal_mode = WAL")
    else:
        conninfo = request.getfixturevalue("database")

        def opened() -> Any:
            return psycopg.connect(conninfo)

    with closing(opened()) as first:
        first.execute("CREATE TABLE effects (branch TEXT, operation TEXT)")
        first.commit()
    return opened


def begin(connection: Any) -> None:
    """Begin a transaction that may write; psycopg does so by itself."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("BEGIN IMMEDIATE")


def act(connection: Any, operation: str, branch: str = "stock") -> Verdict:
    """Pass the barrier, and have the effect if it says so; neither begins nor commits."""
    passage = Barrier("t1", branch, operation).within(connection)
    if passage:
        mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
        connection.execute(f"INSERT INTO effects VALUES ({mark}, {mark})", (branch, operation))
    return passage.verdict


def effects(connection: Any) -> Counter[tuple[str, str]]:
    """How often each effect is there."""
    return Counter(tuple(row) for row in connection.execute("SELECT branch, operation FROM effects").fetchall())


def waits(server: PostgresServer) -> Callable[[], bool]:
    """Whether somebody waits for a lock."""

    def seen() -> bool:
        with closing(psycopg.connect(server.conninfo(), autocommit=True)) as watching:
            sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(watching.execute(sql).fetchall()[0][0])

    return seen


def until(condition: Callable[[], bool]) -> None:
    """Wait for what will come."""
    for _ in range(6_000):
        if condition():
            return
        SystemClock().sleep(0.01)
    raise AssertionError("it did not come")


@pytest.mark.parametrize("operation", ["try", "action"])
def test_of_many_duplicates_at_once_one_runs(connect, operation):
    """Also when the first ones roll back: then the next is not refused, it runs."""

    def one(seed: int) -> tuple[Verdict, bool]:
        with closing(connect()) as connection:
            begin(connection)
            verdict = act(connection, operation)
            kept = bool(Random(seed).randrange(2))
            connection.commit() if kept else connection.rollback()
        return verdict, kept

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(one, range(40)))
    assert [each for each in told if each == (Verdict.run, True)] == [(Verdict.run, True)]
    with closing(connect()) as connection:
        assert effects(connection) == {("stock", operation): 1}


@pytest.mark.parametrize("committed", [True, False])
def test_a_cancel_waits_for_the_try_that_is_under_way(server, connect, committed):
    """It undoes what was committed; after a rollback it is empty, and the try that comes again is late."""
    with closing(connect()) as mine, closing(connect()) as other, ThreadPoolExecutor(1) as thread:
        begin(mine)
        assert act(mine, "try") is Verdict.run

        def cancel() -> Verdict:
            begin(other)
            verdict = act(other, "cancel")
            other.commit()
            return verdict

        cancelled = thread.submit(cancel)
        if isinstance(mine, psycopg.Connection):
            until(waits(server))
            assert not cancelled.done()
        mine.commit() if committed else mine.rollback()
        assert cancelled.result(60) is (Verdict.run if committed else Verdict.empty)
        begin(mine)
        assert act(mine, "try") is Verdict.late
        mine.commit()
        assert effects(mine) == ({("stock", "try"): 1, ("stock", "cancel"): 1} if committed else {})


def test_a_storm_leaves_each_branch_with_a_history_that_can_be(connect):
    """Whatever comes at once: one try, and after it one decision, and never the cancel of what was not tried."""
    branches = [f"b{number}" for number in range(12)]

    def storm(seed: int) -> None:
        chance = Random(seed)
        with closing(connect()) as connection:
            for _ in range(30):
                begin(connection)
                try:
                    act(connection, chance.choice(["try", "confirm", "cancel"]), chance.choice(branches))
                except OutOfOrder:
                    connection.rollback()
                    continue
                connection.rollback() if chance.random() < 0.3 else connection.commit()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(storm, range(6)))
    with closing(connect()) as connection:
        found = effects(connection)
        states = dict(connection.execute("SELECT branch, state FROM seawall_barrier").fetchall())
    expected = {"try": ["try"], "confirm": ["try", "confirm"], "cancel": ["try", "cancel"], "empty": []}
    for branch, state in states.items():
        had = {operation: found[branch, operation] for operation in expected[state]}
        assert had == dict.fromkeys(expected[state], 1)
    assert found.total() == sum(len(expected[state]) for state in states.values())


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_under_snapshots_the_one_who_waited_is_told_to_try_again(server, database, level):
    """PostgreSQL says so itself; tried again, it is a duplicate."""
    with psycopg.connect(database) as mine, psycopg.connect(database) as other, ThreadPoolExecutor(1) as thread:
        BarrierTable.prepare(mine)
        mine.commit()
        other.execute(f"SET default_transaction_isolation = '{level.lower()}'")
        other.commit()
        other.execute("SELECT 1")  # its snapshot is from before
        barrier = Barrier("t1", "stock", "try")
        assert barrier.within(mine)
        waiting = thread.submit(barrier.within, other)
        until(waits(server))
        mine.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            waiting.result(60)
        other.rollback()
        assert barrier.within(other).verdict is Verdict.duplicate


def test_the_first_users_of_an_empty_database_make_the_table_once(database):
    """All at once, some rolling back: none fails, and the rollback of the maker does not mislead him."""
    together = threading.Barrier(6)

    def first(number: int) -> None:
        with psycopg.connect(database) as connection:
            together.wait(60)
            assert Barrier("t1", f"b{number}", "try").within(connection)
            assert Barrier("t1", f"c{number}", "try").within(connection)
            if number % 2:
                connection.rollback()
                assert Barrier("t1", f"b{number}", "try").within(connection)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(first, range(6)))


def test_a_user_who_may_not_create_is_told_the_sql_that_then_works(server, database):
    """The user's transaction goes on: nothing was sent that would have failed it."""
    with psycopg.connect(database, autocommit=True) as administrator:
        user = f"u_{secrets.token_hex(4)}"
        administrator.execute(f"CREATE USER {user}")
        administrator.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        with psycopg.connect(database.replace("user=postgres", f"user={user}")) as connection:
            barrier = Barrier("t1", "stock", "try")
            with pytest.raises(ConfigError) as refused:
                barrier.within(connection)
            sql = BarrierTable.sql("postgres")
            assert str(refused.value) == (
                "there is no table seawall_barrier in this database and this user cannot create it; let an "
                f"administrator run: {' '.join(sql.split())} GRANT SELECT, INSERT, UPDATE, DELETE ON seawall_barrier "
                "TO the user of this service"
            )
            administrator.execute(sql)
            administrator.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON seawall_barrier TO {user}")
            assert connection.execute("SELECT 1").fetchall() == [(1,)]
            assert barrier.within(connection)
            connection.commit()
            administrator.execute("DROP TABLE seawall_barrier")
            with pytest.raises(ConfigError, match=r"^there is no table seawall_barrier in this database"):
                barrier.within(connection)


def test_only_a_connection_inside_a_good_transaction_will_do(database):
    """Autocommit would tie nothing to the row; a failed transaction takes nothing."""
    barrier = Barrier("t1", "stock", "try")
    with psycopg.connect(database, autocommit=True) as connection:
        with pytest.raises(ConfigError) as refused:
            barrier.within(connection)
        assert str(refused.value) == (
            f"transaction must be a psycopg.Connection inside a transaction that has not failed, got {connection!r}"
        )
        with connection.transaction():
            assert barrier.within(connection)
        with connection.transaction(force_rollback=True):
            with pytest.raises(psycopg.errors.SyntaxError):
                connection.execute("SELEC")
            with pytest.raises(ConfigError):
                barrier.within(connection)


def test_the_connection_s_own_rows_make_no_difference(database):
    """Dictionaries for the user, tuples for us."""
    with psycopg.connect(database, row_factory=psycopg.rows.dict_row) as connection:
        assert Barrier("t1", "stock", "try").within(connection)
        Barrier("t1", "stock", "try").keep(connection, b"\x00\xff")
        assert Barrier("t1", "stock", "confirm").within(connection).result == b"\x00\xff"


def test_old_rows_are_forgotten_while_others_are_held(database):
    """Bounded, oldest first; what another transaction holds is left to it."""
    with psycopg.connect(database) as mine, psycopg.connect(database) as other:
        for number in range(4):
            Barrier("t1", f"b{number}", "action").within(mine)
            mine.execute(
                "UPDATE seawall_barrier SET changed_at = now() - interval '1 day' WHERE branch = %s", (f"b{number}",)
            )
        Barrier("t1", "tried", "try").within(mine)
        mine.execute("UPDATE seawall_barrier SET changed_at = now() - interval '9 day' WHERE branch = 'tried'")
        mine.commit()
        assert Barrier("t1", "b0", "compensation").within(other)
        assert BarrierTable.clean(mine, older_than=3600, limit=2) == 2
        mine.commit()
        assert BarrierTable.clean(mine, older_than=3600) == 1
        mine.commit()
        other.commit()
        assert BarrierTable.clean(mine, older_than=3600) == 0
        assert BarrierTable.clean(mine, older_than=3600, unfinished=True) == 1


async def test_tasks_use_an_async_connection(database):
    """The twin calls answer the same; each call refuses the other's connection, which would block the loop."""
    barrier = Barrier("t1", "stock", "try")
    async with await psycopg.AsyncConnection.connect(database) as maker:
        await BarrierTable.prepare_async(maker)
    async with await psycopg.AsyncConnection.connect(database) as mine:
        assert await barrier.within_async(mine)
        await barrier.keep_async(mine, b"7")
        await mine.commit()
        again = await barrier.within_async(mine)
        assert (again.verdict, again.result) == (Verdict.duplicate, b"7")
        assert await BarrierTable.clean_async(mine, older_than=60) == 0
        with pytest.raises(
            ConfigError, match=r"^transaction must be a sqlite3.Connection or a psycopg.Connection inside"
        ):
            barrier.within(mine)
        await mine.rollback()
        await mine.execute("DROP TABLE seawall_barrier")
        with pytest.raises(ConfigError, match=r"^there is no table seawall_barrier in this database"):
            await barrier.within_async(mine)
    with (
        psycopg.connect(database) as other,
        pytest.raises(ConfigError, match=r"^transaction must be .* or a psycopg.AsyncConnection inside a transaction"),
    ):
        await barrier.within_async(other)
