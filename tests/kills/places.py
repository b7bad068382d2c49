"""Databases in which killed processes leave their state, and the passing of time for what they held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from seawall.engines import Engine, open_engine


class SqlitePlace:
    """One file, for the engine and for the services' own tables."""

    mark = "?"

    def __init__(self, where: str) -> None:
        self._path = Path(where) / "kills.db"

    def engine(self) -> Engine:
        """An engine on it."""
        return open_engine(f"sqlite:///{self._path}", durability="os")

    def connect(self) -> Any:
        """A connection of the services."""
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=60, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")  # SIGKILL takes nothing from the system's cache
        return connection

    def expire(self) -> None:
        """All that is claimed or taken has had its time."""
        with closing(self.connect()) as connection:
            for table in ("seawall_claims", "seawall_records"):
                connection.execute(f"UPDATE {table} SET ends_ns = 0")

    @contextmanager
    def transaction(self, trip: Callable[[str], None]) -> Iterator[Any]:
        """A transaction of a service, in which a process may be killed."""
        with closing(self.connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            trip("begun")
            yield connection
            trip("before commit")
            connection.execute("COMMIT")
            trip("after commit")


class PostgresPlace:
    """One database of a server, for the engine and for the services' own tables."""

    mark = "%s"

    def __init__(self, where: str) -> None:
        self._url, self._conninfo = where.split("|")

    def engine(self) -> Engine:
        """An engine on it."""
        return open_engine(self._url, operation_timeout=60)

    def connect(self) -> Any:
        """A connection of the services."""
        return psycopg.connect(self._conninfo)

    def expire(self) -> None:
        """All that is claimed or taken has had its time."""
        with closing(psycopg.connect(self._conninfo, autocommit=True)) as connection:
            for table in ("claims", "records"):
                connection.execute(f"UPDATE seawall.{table} SET ends_us = 0 WHERE ends_us > 0")

    @contextmanager
    def transaction(self, trip: Callable[[str], None]) -> Iterator[Any]:
        """A transaction of a service, in which a process may be killed."""
        with psycopg.connect(self._conninfo) as connection:
            connection.execute("SELECT 1")
            trip("begun")
            yield connection
            trip("before commit")
            connection.commit()
            trip("after commit")


PLACES = {"sqlite": SqlitePlace, "postgres": PostgresPlace}
