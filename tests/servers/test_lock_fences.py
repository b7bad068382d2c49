"""Fences on real servers: a Redis server's own keys, and transactions of psycopg."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis
import redis.asyncio
from tests.contract.backends.postgres import Postgres

from seawall.distributed.locks import FencedLock, RedisFence, RowFence, SqlFence
from seawall.engines import open_engine
from seawall.errors import ConfigError, LockLost


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server is, for the client library."""
    backend = Postgres(tmp_path_factory.mktemp("postgres"))
    backend.start()
    yield backend.server.conninfo()
    backend.stop()


@pytest.fixture
def tokens() -> tuple[int, int]:
    """An older token and a newer one."""
    lock = FencedLock(open_engine("memory://"), "orders")
    with lock as old:
        pass
    with lock as new:
        return old.token, new.token


def test_a_redis_key_takes_only_the_newest_token(shared_valkey, tokens, request):
    """Set, delete and any other command; nothing is done with an older token."""
    old, new = tokens
    with redis.Redis(unix_socket_path=str(shared_valkey.socket)) as client:
        fence, key = RedisFence(client, request.node.name), request.node.name + ":key"
        fence.set(key, b"1", old)
        fence.set(key, b"2", new)
        for refused in (
            lambda: fence.set(key, b"3", old),
            lambda: fence.delete(key, old),
            lambda: fence.execute(old, "APPEND", key, b"3"),
        ):
            with pytest.raises(LockLost) as lost:
                refused()
            assert str(lost.value) == (
                f"token {old} is void: {fence.resource!r} has seen token {new}; nothing was written: stop, another "
                f"holds {fence.resource!r}"
            )
        assert client.get(key) == b"2"
        assert fence.execute(new, "APPEND", key, b"3") == 2
        assert fence.execute(new, "GET", "nothing") is None
        assert (fence.delete(key, new), fence.delete(key, new)) == (True, False)


def test_a_redis_fence_for_tasks(shared_valkey, tokens, request):
    """The asyncio client is told the same."""
    old, new = tokens

    async def main():
        async with redis.asyncio.Redis(unix_socket_path=str(shared_valkey.socket)) as client:
            fence, key = RedisFence(client, request.node.name), request.node.name + ":key"
            await fence.set_async(key, b"2", new)
            with pytest.raises(LockLost):
                await fence.set_async(key, b"3", old)
            assert await client.get(key) == b"2"
            assert await fence.delete_async(key, new) is True

    asyncio.run(main())


def test_a_postgres_transaction_takes_only_the_newest_token(postgres, tokens):
    """By guard row and by column; an older token that was first to check makes the newer one wait, not pass it."""
    old, new = tokens
    fence, rows = SqlFence("orders"), RowFence("orders")
    with psycopg.connect(postgres) as one, psycopg.connect(postgres, autocommit=True) as two:
        fence.create_table(one)
        one.execute("CREATE TABLE orders (id int PRIMARY KEY, fence_token bigint NOT NULL)")
        one.execute("INSERT INTO orders VALUES (7, 0)")
        one.commit()
        with pytest.raises(ConfigError, match=r"^the check and the writes must be one transaction, and there is none"):
            fence.check(two, new)
        for guard in (fence.check, partial(rows.check, row=7)):
            guard(one, old)
            with two.transaction():
                two.execute("SET LOCAL lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable), two.transaction():
                    guard(two, new)
            one.commit()
            with two.transaction():
                guard(two, new)
            with pytest.raises(LockLost, match=f"token {old} is void: 'orders( 7)?' has seen token {new}"):
                guard(one, old)
            one.rollback()


def test_a_postgres_fence_for_tasks(postgres, tokens):
    """On a psycopg.AsyncConnection, also with rows that are mappings."""
    old, new = tokens
    fence, rows = SqlFence("async", table="public.my_fences"), RowFence("async_orders")

    async def main():
        async with await psycopg.AsyncConnection.connect(postgres, row_factory=psycopg.rows.dict_row) as one:
            await fence.create_table_async(one)
            await one.execute("CREATE TABLE async_orders (id int PRIMARY KEY, fence_token bigint NOT NULL)")
            await one.execute("INSERT INTO async_orders VALUES (7, 0)")
            await fence.check_async(one, new)
            await rows.check_async(one, new, 7)
            await one.commit()
            with pytest.raises(LockLost):
                await fence.check_async(one, old)
            await one.rollback()
            with pytest.raises(LockLost):
                await rows.check_async(one, old, 7)

    asyncio.run(main())


def test_a_fence_may_be_elsewhere_than_the_lock(shared_valkey, tmp_path: Path):
    """A lock on one engine fences a resource on another: the token is a number."""
    with (
        open_engine(f"sqlite:///{tmp_path / 'locks.db'}") as engine,
        FencedLock(engine, "orders") as held,
        redis.Redis(unix_socket_path=str(shared_valkey.socket)) as client,
    ):
        RedisFence(client, "elsewhere").set("elsewhere:key", b"1", held)
        assert client.get("elsewhere:key") == b"1"
