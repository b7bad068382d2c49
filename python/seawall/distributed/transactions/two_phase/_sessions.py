"""Connections to one database that are kept for later, and how calls of the client library are written once."""

from __future__ import annotations

import asyncio
import os
import select
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from seawall.clock import Clock
from seawall.distributed.transactions.two_phase._timed import kinds
from seawall.engines.operation import perform_async
from seawall.errors import ConfigError

R = TypeVar("R")
IDLE, IN_ERROR = 0, 3

Talk = Generator[Any, Any, R]
"""Calls of the client library: what is yielded comes back as it is, or awaited where it is a coroutine."""


class Sessions:
    """Connections of this process: those at work by transaction, and idle ones for threads and for each loop.

    Thread safety: yes. A forked child begins with none.

    Args:
        conninfo: Of the database.
        shown: How the server shows them.
        most_idle: How many are kept.
        connect_timeout: Whole seconds.
        timeout_ns: Until when a call of ours must be over.
        clock: For threads.
        settings: What is asked when a connection is opened.
        refusal: Why a server that answers so cannot be used; empty when it can.
    """

    def __init__(
        self,
        conninfo: str,
        shown: str,
        *,
        most_idle: int,
        connect_timeout: int,
        timeout_ns: int,
        clock: Clock,
        settings: str,
        refusal: Callable[[Any], str],
    ) -> None:
        import psycopg

        self.library = psycopg
        self._parameters = {"conninfo": conninfo, "application_name": shown, "connect_timeout": connect_timeout}
        self._most_idle = most_idle
        self._timeout_ns = timeout_ns
        self._clock = clock
        self._settings = settings
        self._refusal = refusal
        self._abandoned: list[Any] = []  # kept in a forked child: they are the parent's
        self._anew()

    def _anew(self) -> None:
        self._pid = os.getpid()
        self._working: dict[str, Any] = {}
        self._idle: list[Any] = []
        self._idle_of: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[Any]] = weakref.WeakKeyDictionary()

    @property
    def working(self) -> dict[str, Any]:
        """By transaction, until it is told how it ends."""
        if self._pid != os.getpid():
            self._abandoned += [self._working, self._idle, self._idle_of]
            self._anew()
        return self._working

    def _pool(self, *, tasks: bool) -> list[Any]:
        assert self.working is not None
        return self._idle_of.setdefault(asyncio.get_running_loop(), []) if tasks else self._idle

    def taken(self, *, tasks: bool) -> Talk[Any]:
        """One that is idle, or a new one, in a hurry.

        Raises:
            ConfigError: The server cannot be used; the message says why.
        """
        idle = self._pool(tasks=tasks)
        while (connection := _popped(idle)) is not None:
            if not _is_stale(connection):
                self.hurry(connection)
                return connection
            connection.pgconn.finish()
        connection = yield from self.opened(tasks=tasks)
        with dropping(connection):
            (row,) = yield from self.rows(connection, self._settings)
            self._vet(row)
        return connection

    def opened(self, *, tasks: bool) -> Talk[Any]:
        """A new one, whatever the server's settings."""
        connection = yield kinds()[tasks].connect(**self._parameters)
        self.hurry(connection)
        return connection

    def _vet(self, row: Any) -> None:
        if why := self._refusal(row):
            raise ConfigError(why)

    def hurry(self, connection: Any) -> None:
        """From now on it keeps to the time; `connection.hurry = None` ends that."""
        connection.hurry = (self._clock, self._clock.now_ns() + self._timeout_ns)

    def rows(self, connection: Any, sql: str) -> Talk[list[Any]]:
        """Rows as tuples, whatever the caller has set up, in a transaction that changes nothing."""
        rows = yield from self.rows_within(connection, sql)
        yield connection.rollback()
        return rows

    def rows_within(self, connection: Any, sql: str) -> Talk[list[Any]]:
        """`rows` in the transaction that there is."""
        library = self.library
        kind = library.AsyncCursor if isinstance(connection, library.AsyncConnection) else library.Cursor
        cursor = yield kind(connection, row_factory=library.rows.tuple_row).execute(sql)
        rows: list[Any] = yield cursor.fetchall()
        return rows

    def give_back(self, connection: Any) -> Talk[None]:
        """Keep it for later, or close it."""
        idle = self._pool(tasks=isinstance(connection, self.library.AsyncConnection))
        if connection.closed or connection.info.transaction_status != IDLE or len(idle) >= self._most_idle:
            yield connection.close()
        else:
            connection.row_factory = self.library.rows.tuple_row
            idle.append(connection)

    async def bounded(self, talk: Talk[R]) -> R:
        """Hold a talk in this task, within the time."""
        async with asyncio.timeout(self._timeout_ns / 1e9):
            return await _held_async(talk)

    def close(self) -> None:
        """Close what is idle in threads."""
        while (connection := _popped(self._pool(tasks=False))) is not None:
            connection.close()

    async def close_async(self) -> None:
        """Close what is idle in threads and in this loop."""
        self.close()
        while (connection := _popped(self._pool(tasks=True))) is not None:
            await connection.close()


def _popped(idle: list[Any]) -> Any:
    """One of them, which another thread may be after, too; None when there is none."""
    try:
        return idle.pop()
    except IndexError:
        return None


@contextmanager
def dropping(connection: Any) -> Iterator[None]:
    """Close it if it does not get through: its late answer must not be the answer to what comes next."""
    try:
        yield
    except BaseException:
        connection.pgconn.finish()
        raise


def drop_unless_idle(connection: Any) -> None:
    """Close what was cut short in the middle of an answer, or is still in a transaction; the server undoes it."""
    if connection.info.transaction_status != IDLE:
        connection.pgconn.finish()


def _is_stale(connection: Any) -> bool:
    """Closed from the other side, or has something to say: a restarted server has closed them all."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def held(talk: Talk[R]) -> R:
    """Hold a talk in this thread."""
    reply: Any = None
    while True:
        try:
            reply = talk.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


async def _held_async(talk: Talk[R]) -> R:
    async def do(step: Any) -> Any:
        return await step if hasattr(step, "__await__") else step

    return await perform_async(talk, do)
