"""The table in which barriers have their rows."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Literal

from seawall.distributed.transactions.barrier._checks import age_of, limit_of
from seawall.distributed.transactions.barrier._joined import joined, joined_async
from seawall.distributed.transactions.barrier._sql import POSTGRES, SQLITE, Dialect
from seawall.distributed.transactions.barrier._talks import Talk, cleaning, creating
from seawall.errors import ConfigError

_DIALECTS = {"postgres": POSTGRES, "sqlite": SQLITE}


class BarrierTable:
    """`seawall_barrier`, one in each database in which barriers are passed; in PostgreSQL found by the search path.

    Thread safety: there is no state.
    """

    @staticmethod
    def sql(database: Literal["postgres", "sqlite"]) -> str:
        """What an administrator runs where the service may not create tables; harmless when it is run again.

        Example:
            >>> print(BarrierTable.sql("sqlite").splitlines()[0])
            CREATE TABLE IF NOT EXISTS seawall_barrier (
        """
        if database not in _DIALECTS:
            raise ConfigError(f"database must be one of {', '.join(map(repr, _DIALECTS))}, got {database!r}")
        return "".join(f"{sql};\n" for sql in _DIALECTS[database].create)

    @staticmethod
    def prepare(transaction: Any) -> None:
        """Make the table when it is missing, in the caller's transaction; barriers do so themselves when first used.

        Raises:
            ConfigError: This user may not; the message has the SQL.
        """
        joined(transaction, _prepared)

    @staticmethod
    async def prepare_async(transaction: Any) -> None:
        """`prepare` for a psycopg.AsyncConnection, or a sqlite3.Connection."""
        await joined_async(transaction, _prepared)

    @staticmethod
    def clean(transaction: Any, *, older_than: float | timedelta, limit: int = 1_000, unfinished: bool = False) -> int:
        """Forget the oldest rows that have not changed for a while; returns how many, and is called until that is 0.

        A repeated or late operation that comes after its row is gone runs. So rows must outlive every transaction and
        every message of it: those that are parked and wait for a person, too.

        Args:
            transaction: A connection inside a transaction.
            older_than: Seconds by the clock of the database; at least a minute, better a month.
            limit: Rows at once, 1 to 100,000; others wait for none that this call holds.
            unfinished: Also those that were tried and neither confirmed nor cancelled.
        """
        return joined(transaction, _cleaning(older_than, limit, unfinished))

    @staticmethod
    async def clean_async(
        transaction: Any, *, older_than: float | timedelta, limit: int = 1_000, unfinished: bool = False
    ) -> int:
        """`clean` for a psycopg.AsyncConnection, or a sqlite3.Connection."""
        return await joined_async(transaction, _cleaning(older_than, limit, unfinished))


def _prepared(dialect: Dialect) -> Talk[None]:
    # On PostgreSQL the connection has seen to it before it says anything else.
    return creating(dialect) if dialect is SQLITE else _nothing()


def _nothing() -> Talk[None]:
    yield from ()


def _cleaning(older_than: float | timedelta, limit: int, unfinished: bool) -> partial[Talk[int]]:
    return partial(cleaning, older_than=age_of(older_than), limit=limit_of(limit), unfinished=bool(unfinished))
