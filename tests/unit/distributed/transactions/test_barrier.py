"""The barrier on a sqlite3.Connection, and what it accepts."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3

import pytest

from seawall.distributed.transactions.barrier import Barrier, BarrierTable, Verdict
from seawall.distributed.transactions.barrier._machine import NOTHING, OPERATIONS, passed
from seawall.errors import ConfigError, OutOfOrder


@pytest.fixture
def shop():
    """A database of the user's."""
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def say(connection, *operations, branch="stock", transaction="t1"):
    """What the barrier says to operations, each in a transaction of its own."""
    verdicts = []
    for operation in operations:
        with connection:
            verdicts.append(Barrier(transaction, branch, operation).within(connection).verdict.value)
    return verdicts


@pytest.mark.parametrize(
    ("operations", "verdicts"),
    [
        (["try", "confirm"], ["run", "run"]),
        (["try", "cancel"], ["run", "run"]),
        (["try", "try", "confirm", "confirm", "try"], ["run", "duplicate", "run", "duplicate", "duplicate"]),
        (["cancel", "try", "cancel", "try"], ["empty", "late", "duplicate", "late"]),
        (["try", "cancel", "cancel", "try"], ["run", "run", "duplicate", "late"]),
        (["action", "action", "compensation"], ["run", "duplicate", "run"]),
        (["compensation", "action", "compensation"], ["empty", "late", "duplicate"]),
        (["action", "compensation", "action", "compensation"], ["run", "run", "late", "duplicate"]),
    ],
)
def test_each_operation_runs_once_in_its_turn_or_never(shop, operations, verdicts):
    """Repeated ones are duplicates, an undo of nothing is empty, and what comes after it is late."""
    assert say(shop, *operations) == verdicts


@pytest.mark.parametrize(
    ("before", "operation", "came"),
    [
        ([], "confirm", "without its try"),
        (["cancel"], "confirm", "without its try"),
        (["try", "cancel"], "confirm", "after its cancel"),
        (["try", "confirm"], "cancel", "after its confirm"),
        (["try"], "compensation", "after its try"),
        (["action"], "try", "after its action"),
        (["action"], "confirm", "after its action"),
        (["action", "compensation"], "cancel", "after its compensation"),
    ],
)
def test_what_can_never_come_is_an_error_and_changes_nothing(shop, before, operation, came):
    """A decision is never reversed, and nothing is confirmed that was not tried; swallowing the error is harmless."""
    say(shop, *before)
    rows = shop.execute("SELECT state FROM seawall_barrier").fetchall() if before else []
    with shop:
        with pytest.raises(OutOfOrder) as raised:
            Barrier("t1", "stock", operation).within(shop)
        assert str(raised.value) == (
            f"{operation} of branch 'stock' of transaction 't1' came {came}; nothing was done: see who sent it, that "
            "every operation of the branch passes the same barrier, and that rows of the barrier are kept longer than "
            "transactions last"
        )
    if before:
        assert shop.execute("SELECT state FROM seawall_barrier").fetchall() == rows
    else:
        assert say(shop, "try", "confirm") == ["run", "run"]
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_the_machine_knows_every_state_and_operation():
    """From any state any operation has a verdict or is out of order; only run and empty move it."""
    for state in (NOTHING, "empty", *OPERATIONS):
        for operation in OPERATIONS:
            decided = passed(state, operation)
            assert decided is None or (decided[1] == state) is (decided[0] not in {Verdict.run, Verdict.empty})


def test_a_rollback_takes_the_passage_with_it(shop):
    """The row is the user's transaction's: what was rolled back may run again, the making of the table included."""
    assert Barrier("t1", "stock", "try").within(shop)
    shop.rollback()
    assert say(shop, "try", "try") == ["run", "duplicate"]


def test_branches_and_transactions_are_apart(shop):
    """One row for each branch of each transaction."""
    assert say(shop, "try", branch="a") == say(shop, "try", branch="b") == ["run"]
    assert say(shop, "try", branch="a", transaction="t2") == ["run"]


def test_what_a_try_kept_is_told_to_all_that_follows(shop):
    """Duplicates, confirm and cancel find the result that went with the effect."""
    with shop:
        assert Barrier("t1", "stock", "try").within(shop)
        Barrier("t1", "stock", "try").keep(shop, b"reservation 7")
    with shop:
        again = Barrier("t1", "stock", "try").within(shop)
        confirm = Barrier("t1", "stock", "confirm").within(shop)
    assert (bool(again), again.result) == (False, b"reservation 7")
    assert (bool(confirm), confirm.result) == (True, b"reservation 7")


def test_only_what_has_run_can_keep_a_result(shop):
    """Without a row there is nothing to keep it in, and a confirm has none."""
    BarrierTable.prepare(shop)
    with pytest.raises(ConfigError) as refused:
        Barrier("t1", "stock", "action").keep(shop, b"7")
    assert str(refused.value) == (
        "there is nothing to keep for action of branch 'stock' of transaction 't1': call within() first, in the same "
        "transaction, and keep a result only when it says that the operation runs"
    )
    with pytest.raises(ConfigError, match=r"^only a try or an action keeps a result, got operation 'confirm'$"):
        Barrier("t1", "stock", "confirm").keep(shop, b"7")
    with pytest.raises(ConfigError, match=r"^result must be bytes, got str; encode it first$"):
        Barrier("t1", "stock", "try").keep(shop, "7")
    with pytest.raises(ConfigError, match=r"^result must be at most 1,000,000 bytes, got 1,000,001; keep its address"):
        Barrier("t1", "stock", "try").keep(shop, b"7" * 1_000_001)


def test_a_connection_without_a_transaction_is_refused():
    """Nothing would tie the row to the effect."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(ConfigError) as refused:
        Barrier("t1", "stock", "try").within(connection)
    assert str(refused.value) == (
        f"transaction must be a sqlite3.Connection inside a transaction, got {connection!r}; execute BEGIN IMMEDIATE "
        "on it first"
    )
    connection.execute("BEGIN IMMEDIATE")
    assert Barrier("t1", "stock", "try").within(connection)
    connection.close()


def test_what_is_no_connection_is_refused():
    """With the connections there are."""
    with pytest.raises(ConfigError) as refused:
        Barrier("t1", "stock", "try").within("shop.db")
    assert str(refused.value) == (
        "transaction must be a sqlite3.Connection or a psycopg.Connection inside a transaction, got 'shop.db'; the "
        "..._async call takes an AsyncConnection, the plain call the others"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((7, "b", "try"), "transaction_id must be text, got 7"),
        (("", "b", "try"), "transaction_id must be 1 to 512 bytes of text in UTF-8 without control characters, got ''"),
        (("t", "a\n", "try"), "branch must be 1 to 512 bytes of text in UTF-8 without control characters, got 'a\\n'"),
        (
            ("t", "b", "commit"),
            "operation must be one of 'try', 'confirm', 'cancel', 'action', 'compensation', got 'commit'",
        ),
    ],
)
def test_malformed_barriers_are_refused(fields, message):
    """When they are made."""
    with pytest.raises(ConfigError) as refused:
        Barrier(*fields)
    assert str(refused.value) == message


def test_the_connection_s_own_rows_and_texts_make_no_difference(shop):
    """row_factory and text_factory are the user's."""
    shop.row_factory = lambda cursor, row: {
        column[0]: value for column, value in zip(cursor.description, row, strict=True)
    }
    shop.text_factory = bytes
    assert say(shop, "try", "try", "confirm") == ["run", "duplicate", "run"]


def test_tasks_may_use_a_sqlite_connection(shop):
    """The twin calls answer the same."""

    async def both():
        barrier = Barrier("t1", "stock", "try")
        await BarrierTable.prepare_async(shop)
        first = await barrier.within_async(shop)
        await barrier.keep_async(shop, b"7")
        return bool(first), await barrier.within_async(shop), await BarrierTable.clean_async(shop, older_than=60)

    first, again, cleaned = asyncio.run(both())
    assert (first, again.verdict, again.result, cleaned) == (True, Verdict.duplicate, b"7", 0)


def test_old_rows_are_forgotten_a_bounded_number_at_a_time(shop):
    """The oldest first; what was tried and not decided stays unless it is asked for."""
    for number in range(4):
        say(shop, "try", *(["cancel"] if number else []), branch=f"b{number}")
        with shop:
            shop.execute(
                "UPDATE seawall_barrier SET changed_at = changed_at - 1000 * (9 - ?) WHERE branch = ?",
                (number, f"b{number}"),
            )
    with shop:
        assert BarrierTable.clean(shop, older_than=7_500) == 1
        assert [row[0] for row in shop.execute("SELECT branch FROM seawall_barrier ORDER BY branch")] == [
            "b0",
            "b2",
            "b3",
        ]
        assert BarrierTable.clean(shop, older_than=60, limit=1) == 1
        assert [row[0] for row in shop.execute("SELECT branch FROM seawall_barrier ORDER BY branch")] == ["b0", "b3"]
        assert BarrierTable.clean(shop, older_than=60) == 1
        assert BarrierTable.clean(shop, older_than=60) == 0
        assert BarrierTable.clean(shop, older_than=60, unfinished=True) == 1


def test_malformed_cleanings_are_refused(shop):
    """Too young would let duplicates run."""
    with pytest.raises(ConfigError) as refused:
        BarrierTable.clean(shop, older_than=59)
    assert str(refused.value) == (
        "older_than must be 60 s to 100 years, got 59; rows must outlive every transaction, those that wait for a "
        "person included"
    )
    with pytest.raises(ConfigError, match=r"^limit must be a whole number from 1 to 100,000, got 0$"):
        BarrierTable.clean(shop, older_than=60, limit=0)
    with pytest.raises(ConfigError, match=r"^database must be one of 'postgres', 'sqlite', got 'oracle'$"):
        BarrierTable.sql("oracle")


def test_an_administrator_can_make_the_table(shop):
    """The documented SQL, run as often as one likes."""
    for _ in range(2):
        shop.executescript(BarrierTable.sql("sqlite"))
    assert say(shop, "try") == ["run"]


def test_a_barrier_travels_in_the_headers_of_a_request():
    """Any text survives, whatever the case of the names."""
    barrier = Barrier("order/7", 'Lager Süd, "2"', "confirm")
    carried = barrier.headers()
    assert carried == {
        "seawall-transaction": "order/7",
        "seawall-branch": "Lager%20S%C3%BCd%2C%20%222%22",
        "seawall-operation": "confirm",
    }
    assert Barrier.from_headers({name.title(): value for name, value in carried.items()}) == barrier
    with pytest.raises(ConfigError) as refused:
        Barrier.from_headers({"Seawall-Transaction": "t"})
    assert str(refused.value) == "the request has no header seawall-branch; it is not an operation of a transaction"
