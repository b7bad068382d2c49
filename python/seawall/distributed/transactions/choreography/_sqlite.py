"""Transactions on a SQLite file, for participants."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike


def sqlite_transactions(
    path: str | PathLike[str], *, timeout: float = 5.0
) -> Callable[[], AbstractContextManager[sqlite3.Connection]]:
    """What `Participant` takes as `transaction` for a SQLite file: a new connection in BEGIN IMMEDIATE each time.

    Args:
        path: The same file as the engine's.
        timeout: Seconds to wait for other writers.
    """

    @contextmanager
    def transaction() -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()  # which rolls back what was not committed

    return transaction
