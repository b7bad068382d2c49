"""Does a database answer a query?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from seawall.errors import ConfigError
from seawall.monitor.health._words import Outcome

_WAYS = (
    "a SQLAlchemy Engine or AsyncEngine, a function that gives a DB-API connection or a context manager of one "
    "(such as pool.connection), or a DB-API connection"
)


class SqlCheck:
    """Runs a query and reads a row.

    Args:
        database: A SQLAlchemy Engine or AsyncEngine; a function that gives a DB-API connection, which is closed, or a
            context manager of one, such as `pool.connection`; or a DB-API connection that is the check's alone: it is
            used from other threads, and rolled back after each run.
        query: By default `SELECT 1`.
        secrets: Texts that must not be shown, where they are not seen in the database given.
    """

    remote = True

    def __new__(cls, database: Any, **_: Any) -> SqlCheck:
        """For an AsyncEngine one whose call is a coroutine."""
        return super().__new__(_AsyncSqlCheck if hasattr(database, "sync_engine") else cls)

    def __init__(self, database: Any, *, query: str = "SELECT 1", secrets: tuple[str, ...] = ()) -> None:
        if not isinstance(query, str) or not query.strip():
            raise ConfigError(f"query must be a statement such as SELECT 1, got {query!r}")
        self.query = query
        self._ask = _way_to(database, query)
        self.secrets = (*secrets, *_password_of(database))
        # Two runs at once would disturb each other on one connection.
        self.alone = _is_connection(database)

    def __call__(self) -> Any:
        """Ask once."""
        self._ask()
        return Outcome.passed()

    def __repr__(self) -> str:
        return f"<SqlCheck {self.query!r}>"


class _AsyncSqlCheck(SqlCheck):
    """The same as a coroutine."""

    async def __call__(self) -> Outcome:
        await self._ask()
        return Outcome.passed()


def _way_to(database: Any, query: str) -> Callable[[], Any]:
    if hasattr(database, "sync_engine"):
        return lambda: _ask_async_engine(database, query)
    if hasattr(database, "exec_driver_sql") or (hasattr(database, "connect") and hasattr(database, "dialect")):
        return lambda: _ask_engine(database, query)
    if _is_connection(database):
        return lambda: _ask_own(database, query)
    if callable(database):
        return lambda: _ask_new(database, query)
    raise ConfigError(f"database must be {_WAYS}; got {type(database).__name__}")


def _is_connection(database: Any) -> bool:
    return hasattr(database, "cursor") and hasattr(database, "rollback")


def _password_of(database: Any) -> tuple[str, ...]:
    password = getattr(getattr(database, "url", None), "password", None)
    return (str(password),) if password else ()


async def _ask_async_engine(engine: Any, query: str) -> None:
    async with engine.connect() as connection:
        (await connection.exec_driver_sql(query)).first()


def _ask_engine(engine: Any, query: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(query).first()


def _ask_new(connect: Callable[[], Any], query: str) -> None:
    given = connect()
    if _is_connection(given):
        with closing(given):
            _ask_on(given, query)
        return
    with given as connection:
        _ask_on(connection, query)


def _ask_own(connection: Any, query: str) -> None:
    try:
        _ask_on(connection, query)
    finally:
        connection.rollback()


def _ask_on(connection: Any, query: str) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(query)
        cursor.fetchone()
