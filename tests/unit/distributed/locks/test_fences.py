"""A token is checked where it is written: the newest may write, older ones never again."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

from seawall.distributed.locks import (
    EfficiencyLock,
    FencedKeyValue,
    FencedLock,
    ReadWriteLock,
    RedisFence,
    RowFence,
    SqlFence,
)
from seawall.errors import ConfigError, Damaged, LockLost, UnknownOutcome


@pytest.fixture
def tokens(engine):
    """An older token and a newer one."""
    lock = FencedLock(engine, "orders")
    old = lock.acquire()
    old.release()
    return old.token, lock.acquire().token


@pytest.fixture
def shop():
    """Somebody's database."""
    connection = sqlite3.connect(":memory:")
    SqlFence("orders").create_table(connection)
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT, fence_token INTEGER NOT NULL)")
    connection.execute("INSERT INTO orders VALUES (7, 'new', 0)")
    connection.commit()
    yield connection
    connection.close()


def test_an_older_token_does_not_pass_a_guard_row(shop, tokens):
    """It passes until the newer one was seen, which passes as often as it likes."""
    old, new = tokens
    fence = SqlFence("orders")
    for token in (old, old, new, new):
        with shop:
            fence.check(shop, token)
    with pytest.raises(LockLost) as lost, shop:
        fence.check(shop, old)
    assert str(lost.value) == (
        f"token {old} is void: 'orders' has seen token {new}; nothing was written: stop, another holds 'orders'"
    )
    assert (lost.value.name, lost.value.token) == ("orders", old)
    with shop:
        SqlFence("others").check(shop, old)


def test_what_is_rolled_back_was_not_seen(shop, tokens):
    """The token counts when the transaction commits, as what it wrote does."""
    old, new = tokens
    fence = SqlFence("orders")
    fence.check(shop, new)
    shop.rollback()
    with shop:
        fence.check(shop, old)


def test_a_guard_without_a_transaction_is_refused(shop, tokens):
    """A check that commits by itself guards nothing."""
    shop.isolation_level = None
    with pytest.raises(ConfigError) as refused:
        SqlFence("orders").check(shop, tokens[0])
    assert str(refused.value) == (
        "the check and the writes must be one transaction, and there is none; execute BEGIN first, or use "
        "connection.transaction()"
    )
    shop.execute("BEGIN")
    SqlFence("orders").check(shop, tokens[0])
    shop.execute("COMMIT")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="autocommit came with 3.12")
def test_an_autocommit_connection_without_a_transaction_is_refused(tokens):
    """Also where the connection says so itself."""
    shop = sqlite3.connect(":memory:", autocommit=True)
    with closing(shop), pytest.raises(ConfigError, match="there is none"):
        SqlFence("orders").check(shop, tokens[0])


def test_an_older_token_does_not_pass_a_row(shop, tokens):
    """The row's own column remembers."""
    old, new = tokens
    fence = RowFence("orders")
    for token in (old, new):
        with shop:
            fence.check(shop, token, 7)
            shop.execute("UPDATE orders SET state = 'paid' WHERE id = 7")
    assert shop.execute("SELECT fence_token FROM orders").fetchall() == [(new,)]
    with pytest.raises(LockLost, match=f"^token {old} is void: 'orders 7' has seen token {new}; nothing was written"):
        fence.check(shop, old, 7)
    with pytest.raises(LockLost) as lost:
        fence.check(shop, new, 8)
    assert str(lost.value) == (
        "there is no row with id = 8 in orders: nothing that could be fenced; insert it with the token in fence_token"
    )


@pytest.mark.parametrize("connection", [None, object(), "shop.db"])
def test_what_is_no_connection_is_refused(connection, tokens):
    """By name."""
    with pytest.raises(ConfigError, match=r"^connection must be a sqlite3.Connection, psycopg.Connection or "):
        SqlFence("orders").check(connection, tokens[0])


def test_names_of_tables_are_names():
    """What is put into SQL cannot be anything else."""
    with pytest.raises(ConfigError) as refused:
        SqlFence("orders", table="x; DROP TABLE orders")
    assert str(refused.value) == ("table must be a plain SQL name of letters, digits and _, got 'x; DROP TABLE orders'")


def test_what_has_no_token_is_refused(engine, shop):
    """An EfficiencyLock, a reader and a truth are no tokens."""
    accounts = FencedKeyValue(engine.key_value("accounts"))
    with EfficiencyLock(engine, "a") as plain, ReadWriteLock(engine, "b").reader as reader:
        for held in (plain, reader, True, 0, -1, "5"):
            with pytest.raises(ConfigError, match=r"^a fence takes what a FencedLock gave, or its token, got "):
                SqlFence("orders").check(shop, held)
            with pytest.raises(ConfigError, match=r"^a fence takes what a FencedLock gave, or its token, got "):
                accounts.put("x", b"", held)


def test_what_is_no_longer_held_does_not_write(engine, clock, shop):
    """Who knows that the time is over does not even ask."""
    held = FencedLock(engine, "orders", renew=False).acquire()
    SqlFence("orders").check(shop, held)
    clock.advance(10)
    with pytest.raises(LockLost, match="have passed without a sign of life"):
        SqlFence("orders").check(shop, held)


def test_an_older_token_does_not_write_a_fenced_key(engine, tokens):
    """Not over a newer one, and not where a newer one has deleted."""
    old, new = tokens
    accounts = FencedKeyValue(engine.key_value("accounts"))
    assert accounts.get("alice") is None
    first = accounts.put("alice", b"1", old)
    second = accounts.put("alice", b"2", new)
    entry = accounts.get("alice")
    assert (entry.value, entry.revision) == (b"2", second)
    assert second > first
    with pytest.raises(LockLost) as lost:
        accounts.put("alice", b"3", old)
    assert str(lost.value) == (
        f"token {old} is void: 'alice' has seen token {new}; nothing was written: stop, another holds 'alice'"
    )
    assert accounts.delete("alice", new) is True
    assert accounts.delete("alice", new) is False
    assert accounts.get("alice") is None
    with pytest.raises(LockLost):
        accounts.put("alice", b"3", old)
    accounts.put("bob", b"", old)
    assert accounts.get("bob").value == b""


def test_a_fenced_write_whose_answer_was_lost_is_made_once_more(engine, tokens, monkeypatch):
    """Whether it was made or not, it is there afterwards."""
    kv = engine.key_value("accounts")
    put, lost = kv._state.put, []

    def lose(*args):
        answer = put(*args) if lost else None
        if len(lost) < 2:
            lost.append(answer)
            raise UnknownOutcome("the answer was lost")
        return answer

    monkeypatch.setattr(kv._state, "put", lose)
    FencedKeyValue(kv).put("alice", b"1", tokens[0])
    assert len(lost) == 2
    assert FencedKeyValue(kv).get("alice").value == b"1"


def test_a_key_written_without_a_fence_is_not_guessed(engine, tokens):
    """It says so."""
    kv = engine.key_value("accounts")
    kv.put("alice", b"1")
    with pytest.raises(Damaged) as refused:
        FencedKeyValue(kv).put("alice", b"2", tokens[0])
    assert str(refused.value) == "key 'alice' was not written through a fence; write it through one only"


def test_a_fence_of_no_client_is_refused():
    """By name."""
    with pytest.raises(ConfigError, match=r"^client must be one of redis or valkey, got 'redis://'$"):
        RedisFence("redis://", "orders")
