"""Fences in the caller's own transaction: sqlite3 and psycopg connections."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from seawall.distributed._holding import FencedHeld
from seawall.distributed.locks._tokens import stale, token_of
from seawall.errors import ConfigError, LockLost

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?")
_IDLE = 0
_Statement = tuple[str, tuple[Any, ...]]


class SqlFence:
    """Lets only the newest token write: a row for each resource remembers it, in the transaction of the write.

    Guarantees: after `check` in a transaction that commits, no transaction with a smaller token does: its check fails,
    or waits for that commit and then fails. So a holder that was paused cannot write once the next one has.

    Args:
        resource: What is protected; all who write to it name it alike.
        table: Where the tokens are; made by `create_table`, or by your own migration.

    Example:
        >>> import sqlite3
        >>> from seawall.distributed.locks import FencedLock, SqlFence
        >>> from seawall.engines import open_engine
        >>> shop = sqlite3.connect(":memory:")
        >>> fence = SqlFence("orders")
        >>> fence.create_table(shop)
        >>> with FencedLock(open_engine("memory://"), "orders") as held, shop:
        ...     fence.check(shop, held)
        ...     _ = shop.execute("CREATE TABLE orders (id)")
        >>> shop.close()
    """

    def __init__(self, resource: str, *, table: str = "seawall_fences") -> None:
        if not isinstance(resource, str) or not resource:
            raise ConfigError(f"resource must be text, got {resource!r}")
        self.resource = resource
        self.table = _checked(table, "table")

    @property
    def schema(self) -> str:
        """SQL that makes the table."""
        return f"CREATE TABLE IF NOT EXISTS {self.table} (resource text PRIMARY KEY, token bigint NOT NULL)"

    def create_table(self, connection: Any) -> None:
        """Make the table unless it is there."""
        connection.execute(self.schema)

    async def create_table_async(self, connection: Any) -> None:
        """`create_table` on a psycopg.AsyncConnection."""
        await connection.execute(self.schema)

    def check(self, connection: Any, held: FencedHeld | int) -> None:
        """Let this transaction go on only if no newer token was seen; call it before the writes.

        Args:
            connection: A sqlite3.Connection or psycopg.Connection, inside a transaction or beginning one by itself.
            held: What a lock, semaphore or election gave; or its token.

        Raises:
            LockLost: A newer token was seen, or it is not held any more; roll back.
            ConfigError: There is no transaction.
        """
        token = token_of(held)
        _within(connection)
        sql, params = self._advance(token)
        if connection.execute(_in_style(connection, sql), params).fetchone() is None:
            sql, params = self._seen()
            raise self._stale(held, token, connection.execute(_in_style(connection, sql), params).fetchone())

    async def check_async(self, connection: Any, held: FencedHeld | int) -> None:
        """`check` on a psycopg.AsyncConnection."""
        token = token_of(held)
        _within(connection)
        sql, params = self._advance(token)
        if await (await connection.execute(_in_style(connection, sql), params)).fetchone() is None:
            sql, params = self._seen()
            cursor = await connection.execute(_in_style(connection, sql), params)
            raise self._stale(held, token, await cursor.fetchone())

    def _advance(self, token: int) -> _Statement:
        return (
            f"INSERT INTO {self.table} AS f (resource, token) VALUES (?, ?) ON CONFLICT (resource) "
            "DO UPDATE SET token = excluded.token WHERE f.token <= excluded.token RETURNING 1",
            (self.resource, token),
        )

    def _seen(self) -> _Statement:
        return f"SELECT token FROM {self.table} WHERE resource = ?", (self.resource,)

    def _stale(self, held: FencedHeld | int, token: int, row: Any) -> LockLost:
        return stale(held, token, self.resource, _first(row))

    def __repr__(self) -> str:
        return f"<SqlFence {self.resource!r} in {self.table}>"


class RowFence:
    """Lets only the newest token write to a row: a column of your own table remembers it.

    Guarantees: as `SqlFence`, for each row by itself.

    Args:
        table: Yours.
        token: Its column for tokens: a 64-bit integer, NOT NULL, 0 in a row that nobody has written under a lock.
        key: The column that tells rows apart.
    """

    def __init__(self, table: str, *, token: str = "fence_token", key: str = "id") -> None:
        self.table, self.token, self.key = _checked(table, "table"), _checked(token, "token"), _checked(key, "key")

    def check(self, connection: Any, held: FencedHeld | int, row: Any) -> None:
        """Let this transaction go on only if the row has seen no newer token.

        Args:
            connection: As for `SqlFence.check`.
            held: What a lock gave; or its token.
            row: The value of `key` in it.

        Raises:
            LockLost: It has, or there is no such row.
            ConfigError: There is no transaction.
        """
        token = token_of(held)
        _within(connection)
        sql, params = self._advance(token, row)
        if connection.execute(_in_style(connection, sql), params).rowcount != 1:
            sql, params = self._seen(row)
            raise self._stale(held, token, row, connection.execute(_in_style(connection, sql), params).fetchone())

    async def check_async(self, connection: Any, held: FencedHeld | int, row: Any) -> None:
        """`check` on a psycopg.AsyncConnection."""
        token = token_of(held)
        _within(connection)
        sql, params = self._advance(token, row)
        if (await connection.execute(_in_style(connection, sql), params)).rowcount != 1:
            sql, params = self._seen(row)
            cursor = await connection.execute(_in_style(connection, sql), params)
            raise self._stale(held, token, row, await cursor.fetchone())

    def _advance(self, token: int, row: Any) -> _Statement:
        return (
            f"UPDATE {self.table} SET {self.token} = ? WHERE {self.key} = ? AND {self.token} <= ?",
            (token, row, token),
        )

    def _seen(self, row: Any) -> _Statement:
        return f"SELECT {self.token} FROM {self.table} WHERE {self.key} = ?", (row,)

    def _stale(self, held: FencedHeld | int, token: int, row: Any, found: Any) -> LockLost:
        if found is None:
            name = held.name if isinstance(held, FencedHeld) else self.table
            return LockLost(
                f"there is no row with {self.key} = {row!r} in {self.table}: nothing that could be fenced; insert it "
                f"with the token in {self.token}",
                name=name,
                token=token,
            )
        return stale(held, token, f"{self.table} {row}", _first(found))

    def __repr__(self) -> str:
        return f"<RowFence {self.table}.{self.token}>"


def _checked(name: str, what: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"{what} must be a plain SQL name of letters, digits and _, got {name!r}")
    return name


def _first(row: Any) -> int | None:
    """The only column, also of rows that are mappings."""
    if row is None:
        return None
    return int(next(iter(row.values())) if isinstance(row, dict) else row[0])


def _in_style(connection: Any, sql: str) -> str:
    return sql if isinstance(connection, sqlite3.Connection) else sql.replace("?", "%s")


def _within(connection: Any) -> None:
    """See that what follows is one transaction with what comes after."""
    if isinstance(connection, sqlite3.Connection):
        alone = not connection.in_transaction and (
            connection.isolation_level is None or getattr(connection, "autocommit", None) is True
        )
    elif hasattr(connection, "autocommit") and hasattr(getattr(connection, "info", None), "transaction_status"):
        alone = bool(connection.autocommit) and int(connection.info.transaction_status) == _IDLE
    else:
        raise ConfigError(
            "connection must be a sqlite3.Connection, psycopg.Connection or psycopg.AsyncConnection, got "
            f"{connection!r}"
        )
    if alone:
        raise ConfigError(
            "the check and the writes must be one transaction, and there is none; execute BEGIN first, or use "
            "connection.transaction()"
        )
