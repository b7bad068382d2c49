"""Runs a talk inside the transaction of the caller's own connection, and leaves that transaction to the caller."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakSet

from seawall.distributed.transactions.barrier._sql import POSTGRES, SQLITE, Dialect
from seawall.distributed.transactions.barrier._talks import Rows, Talk, creating, found_or_created, missing
from seawall.errors import ConfigError

R = TypeVar("R")
_IDLE, _INTRANS = 0, 2  # PQtransactionStatus
_LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL, from Python 3.12 on

# Connections that have seen the table of others. Whoever made it asks again: a rollback takes it away.
_found: WeakSet[Any] = WeakSet()
_made: WeakSet[Any] = WeakSet()


def joined(connection: Any, talk: Callable[[Dialect], Talk[R]]) -> R:
    """Run a talk on a sqlite3.Connection or a psycopg.Connection.

    Raises:
        ConfigError: It is no such connection inside a transaction, or the table is missing and cannot be made.
    """
    if isinstance(connection, sqlite3.Connection):
        return _on_sqlite(connection, talk(SQLITE))
    _must_be(connection, "Connection")
    cursor = connection.cursor(row_factory=_tuples)
    if connection not in _found:
        _learned(connection, _converse(cursor, found_or_created()))
    try:
        return _converse(cursor, talk(POSTGRES))
    except Exception as error:
        _see_whether_missing(connection, error)
        raise


async def joined_async(connection: Any, talk: Callable[[Dialect], Talk[R]]) -> R:
    """`joined` on a psycopg.AsyncConnection, or on a sqlite3.Connection, which does not wait long."""
    if isinstance(connection, sqlite3.Connection):
        return _on_sqlite(connection, talk(SQLITE))
    _must_be(connection, "AsyncConnection")
    cursor = connection.cursor(row_factory=_tuples)
    if connection not in _found:
        _learned(connection, await _converse_async(cursor, found_or_created()))
    try:
        return await _converse_async(cursor, talk(POSTGRES))
    except Exception as error:
        _see_whether_missing(connection, error)
        raise


def _on_sqlite(connection: sqlite3.Connection, talk: Talk[R]) -> R:
    control = getattr(connection, "autocommit", _LEGACY)
    begins_by_itself = control == _LEGACY and connection.isolation_level is not None
    if not connection.in_transaction and not begins_by_itself:
        raise ConfigError(
            f"transaction must be a sqlite3.Connection inside a transaction, got {connection!r}; execute BEGIN "
            "IMMEDIATE on it first"
        )
    cursor = connection.cursor()
    cursor.row_factory = None
    statement = next(talk)
    try:
        cursor.execute(*statement)
    except sqlite3.OperationalError as error:
        if str(error) != "no such table: seawall_barrier":
            raise
        _converse(connection.cursor(), creating(SQLITE))
        cursor.execute(*statement)
    return _converse(cursor, talk, cursor.fetchall())


def _converse(cursor: Any, talk: Talk[R], rows: Rows | None = None) -> R:
    while True:
        try:
            statement = talk.send(rows)  # type: ignore[arg-type]  # None begins it
        except StopIteration as done:
            result: R = done.value
            return result
        cursor.execute(statement.sql, statement.params or ())
        rows = cursor.fetchall() if cursor.description else []


async def _converse_async(cursor: Any, talk: Talk[R]) -> R:
    rows: Rows | None = None
    while True:
        try:
            statement = talk.send(rows)  # type: ignore[arg-type]  # None begins it
        except StopIteration as done:
            result: R = done.value
            return result
        await cursor.execute(statement.sql, statement.params or ())
        rows = await cursor.fetchall() if cursor.description else []


def _tuples(cursor: Any) -> Any:
    """The rows of a cursor as tuples, whatever the connection makes of rows."""
    del cursor
    return tuple


def _must_be(connection: Any, kind: str) -> None:
    # Whoever has a connection of psycopg has imported it.
    psycopg = sys.modules.get("psycopg")
    if psycopg is None or not isinstance(connection, getattr(psycopg, kind)):
        known = f"a sqlite3.Connection or a psycopg.{kind}"
        way_out = "the ..._async call takes an AsyncConnection, the plain call the others"
        raise ConfigError(f"transaction must be {known} inside a transaction, got {connection!r}; {way_out}")
    status = connection.info.transaction_status
    if status != _INTRANS and not (status == _IDLE and not connection.autocommit):
        raise ConfigError(
            f"transaction must be a psycopg.{kind} inside a transaction that has not failed, got {connection!r}"
        )


def _learned(connection: Any, had_it: bool) -> None:
    if not had_it:
        _made.add(connection)
    elif connection not in _made:
        _found.add(connection)


def _see_whether_missing(connection: Any, error: Exception) -> None:
    if getattr(error, "sqlstate", None) == "42P01" and "seawall_barrier" in str(error):
        _found.discard(connection)
        raise missing(POSTGRES) from error
