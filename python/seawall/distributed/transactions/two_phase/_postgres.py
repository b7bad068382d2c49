"""A PostgreSQL database as a participant: PREPARE TRANSACTION."""

from __future__ import annotations

import asyncio
import os
import select
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from seawall.clock import Clock, SystemClock, to_ns
from seawall.distributed.transactions.two_phase._messages import Vote
from seawall.distributed.transactions.two_phase._names import Gid, gid_of, name_of
from seawall.distributed.transactions.two_phase._settings import SETTINGS, findings, refusal
from seawall.distributed.transactions.two_phase._timed import kinds
from seawall.engines import Finding
from seawall.errors import ConfigError

R = TypeVar("R")
_IDLE, _IN_ERROR = 0, 3
_UNDEFINED_OBJECT = "42704"
_HELD = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE 'seawall.%' ORDER BY gid"
_CHANGED = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"

Talk = Generator[Any, Any, R]
"""Calls of the client library: what is yielded comes back as it is, or awaited where it is a coroutine."""


class PostgresParticipant:
    """One database of a PostgreSQL server; `tx.enlist(participant)` gives the `psycopg` connection to work on.

    Guarantees: the connection is in a transaction that only the coordinator ends: `commit()` and `rollback()` on it
    raise. A transaction that has changed nothing votes read_only and ends at once; what it has sent with NOTIFY is
    delivered then. A broken connection is replaced; the second COMMIT PREPARED makes no difference.

    Whatever is set with SET stays set for later transactions on the connection: use SET LOCAL.

    PostgreSQL does not prepare a transaction that has used temporary tables, LISTEN, NOTIFY, or a cursor WITH HOLD:
    that is a no. A prepared transaction holds its locks and keeps VACUUM from its rows until it is told.

    Thread safety: yes; each transaction has its own connection. A forked child opens its own.

    Cost: beside the caller's statements one question, and one durable write each to prepare and to commit.

    Args:
        name: 1 to 40 ASCII letters, digits, '-' and '_'; the same for ever.
        conninfo: Of the database, a URL or `host=... dbname=...`. Everybody who recovers needs the same user.
        timeout: For each of the coordinator's own calls, in seconds, 0.1 to 3,600; what takes longer is told again by
            recovery. The caller's statements are not bounded by it.
        connect_timeout: Whole seconds, 2 to 3,600.
        idle: How many connections are kept open for later, for threads and for each loop; 0 to 1,000.
        clock: What `timeout` goes by in threads.

    Raises:
        ConfigError: From `check` and `enlist`: the server's `max_prepared_transactions` is 0, which is its default.
    """

    def __init__(
        self,
        name: str,
        conninfo: str,
        *,
        timeout: float | timedelta = 30.0,
        connect_timeout: int = 5,
        idle: int = 8,
        clock: Clock | None = None,
    ) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise ConfigError("PostgresParticipant needs psycopg; pip install 'seawall[postgres]'") from error
        self.name = name_of(name, "name")
        for option, value, least, most in (("connect_timeout", connect_timeout, 2, 3_600), ("idle", idle, 0, 1_000)):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ConfigError(f"{option} must be a whole number from {least:,} to {most:,}, got {value!r}")
        self._library = psycopg
        self._conninfo = conninfo
        self._timeout_ns = to_ns(timeout, "timeout", least_ns=100_000_000, most_ns=3_600_000_000_000)
        self._connect_timeout = connect_timeout
        self._clock = clock or SystemClock()
        self._most_idle = idle
        self._abandoned: list[Any] = []  # kept in a forked child: they are the parent's
        self._anew()

    def _anew(self) -> None:
        self._pid = os.getpid()
        self._working: dict[str, Any] = {}
        self._idle: list[Any] = []
        self._idle_of: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[Any]] = weakref.WeakKeyDictionary()

    # What a coordinator calls; each with a twin for tasks.

    def begin(self, transaction: str) -> Any:
        """The connection for a transaction; the same when asked again."""
        return _talk(self._begin(transaction, tasks=False))

    async def begin_async(self, transaction: str) -> Any:
        """`begin` for a task: a `psycopg.AsyncConnection`."""
        return await self._bounded(self._begin(transaction, tasks=True))

    def prepare(self, transaction: str) -> Vote:
        """PREPARE TRANSACTION, or COMMIT when nothing was changed."""
        return _talk(self._prepare(transaction))

    async def prepare_async(self, transaction: str) -> Vote:
        """`prepare` for a task."""
        return await self._bounded(self._prepare(transaction))

    def commit(self, transaction: str) -> None:
        """COMMIT PREPARED; nothing when there is none."""
        _talk(self._finish(transaction, "commit", tasks=False))

    async def commit_async(self, transaction: str) -> None:
        """`commit` for a task."""
        await self._bounded(self._finish(transaction, "commit", tasks=True))

    def abort(self, transaction: str) -> None:
        """ROLLBACK, or ROLLBACK PREPARED; nothing when there is none."""
        _talk(self._finish(transaction, "rollback", tasks=False))

    async def abort_async(self, transaction: str) -> None:
        """`abort` for a task."""
        await self._bounded(self._finish(transaction, "rollback", tasks=True))

    def prepared(self) -> tuple[Gid, ...]:
        """What seawall has prepared in this database under this participant's name, of any coordinator."""
        return _talk(self._prepared(tasks=False))

    async def prepared_async(self) -> tuple[Gid, ...]:
        """`prepared` for a task."""
        return await self._bounded(self._prepared(tasks=True))

    def check(self) -> None:
        """See that the database can be reached, and can prepare.

        Raises:
            ConfigError: It cannot; the message says what to set.
        """
        _talk(self._check(tasks=False))

    async def check_async(self) -> None:
        """`check` for a task."""
        await self._bounded(self._check(tasks=True))

    def lint(self) -> tuple[Finding, ...]:
        """Settings of the server that will hurt, and prepared transactions that were forgotten."""
        return _talk(self._lint(tasks=False))

    async def lint_async(self) -> tuple[Finding, ...]:
        """`lint` for a task."""
        return await self._bounded(self._lint(tasks=True))

    def close(self) -> None:
        """Close what is idle in threads; loops close theirs with `close_async`."""
        while (connection := _popped(self._idle)) is not None:
            connection.close()

    async def close_async(self) -> None:
        """Close what is idle in threads and in this loop."""
        self.close()
        while (connection := _popped(self._pool(tasks=True))) is not None:
            await connection.close()

    # What they do.

    def _gid(self, transaction: str) -> str:
        return f"seawall.{transaction}.{self.name}"

    def _begin(self, transaction: str, *, tasks: bool) -> Talk[Any]:
        self._here()
        if (known := self._working.get(transaction)) is not None:
            return known
        connection = yield from self._taken(tasks=tasks)
        with _dropping(connection):
            yield connection.tpc_begin(self._gid(transaction))
        self._working[transaction] = connection
        connection.hurry = None
        return connection

    def _prepare(self, transaction: str) -> Talk[Vote]:
        self._here()
        connection = self._working.get(transaction)
        if connection is None or connection.closed or connection.info.transaction_status == _IN_ERROR:
            # Who votes no is not told how it ends.
            if connection is not None:
                del self._working[transaction]
                connection.pgconn.finish()
            return Vote.NO
        self._hurry(connection)
        with _dropping(connection):
            if connection.info.transaction_status != _IDLE and (yield from self._one(connection, _CHANGED)):
                yield connection.tpc_prepare()
                return Vote.YES
            yield connection.tpc_commit()
        del self._working[transaction]
        yield from self._give_back(connection)
        return Vote.READ_ONLY

    def _finish(self, transaction: str, word: str, *, tasks: bool) -> Talk[None]:
        self._here()
        connection = self._working.pop(transaction, None)
        if connection is not None and not connection.closed:
            self._hurry(connection)
            try:
                with _dropping(connection):
                    yield getattr(connection, f"tpc_{word}")()
            except self._library.Error:
                pass  # its state is not known any more: told again over another, by name
            else:
                yield from self._give_back(connection)
                return
        connection = yield from self._taken(tasks=tasks)
        try:
            yield getattr(connection, f"tpc_{word}")(self._gid(transaction))
        except self._library.Error as error:
            if error.sqlstate != _UNDEFINED_OBJECT:
                raise
        finally:
            _drop_unless_idle(connection)
        yield from self._give_back(connection)

    def _prepared(self, *, tasks: bool) -> Talk[tuple[Gid, ...]]:
        rows = yield from self._rows(_HELD, tasks=tasks)
        gids = (gid_of(gid) for (gid,) in rows)
        return tuple(gid for gid in gids if gid is not None and gid.participant == self.name)

    def _check(self, *, tasks: bool) -> Talk[None]:
        yield from self._rows(SETTINGS, tasks=tasks)

    def _lint(self, *, tasks: bool) -> Talk[tuple[Finding, ...]]:
        rows = yield from self._rows(SETTINGS, tasks=tasks, refuse=False)
        return findings(rows[0], self.name)

    def _rows(self, sql: str, *, tasks: bool, refuse: bool = True) -> Talk[list[Any]]:
        self._here()
        connection = yield from self._taken(tasks=tasks, refuse=refuse)
        with _dropping(connection):
            cursor = yield self._cursor(connection).execute(sql)
            rows: list[Any] = yield cursor.fetchall()
            yield connection.rollback()
        yield from self._give_back(connection)
        return rows

    def _one(self, connection: Any, sql: str) -> Talk[Any]:
        cursor = yield self._cursor(connection).execute(sql)
        row = yield cursor.fetchone()
        return row[0]

    def _cursor(self, connection: Any) -> Any:
        """An ordinary one, whatever the caller has set up."""
        library = self._library
        kind = library.AsyncCursor if isinstance(connection, library.AsyncConnection) else library.Cursor
        return kind(connection, row_factory=library.rows.tuple_row)

    # Connections.

    def _here(self) -> None:
        if self._pid != os.getpid():
            self._abandoned += [self._working, self._idle, self._idle_of]
            self._anew()

    def _pool(self, *, tasks: bool) -> list[Any]:
        return self._idle_of.setdefault(asyncio.get_running_loop(), []) if tasks else self._idle

    def _taken(self, *, tasks: bool, refuse: bool = True) -> Talk[Any]:
        idle = self._pool(tasks=tasks)
        while (connection := _popped(idle)) is not None:
            if not _is_stale(connection):
                self._hurry(connection)
                return connection
            connection.pgconn.finish()
        connection = yield kinds()[tasks].connect(
            self._conninfo, connect_timeout=self._connect_timeout, application_name=f"seawall {self.name}"
        )
        self._hurry(connection)
        with _dropping(connection):
            yield from self._first(connection, refuse=refuse)
        return connection

    def _hurry(self, connection: Any) -> None:
        connection.hurry = (self._clock, self._clock.now_ns() + self._timeout_ns)

    async def _bounded(self, talk: Talk[R]) -> R:
        async with asyncio.timeout(self._timeout_ns / 1e9):
            return await _talk_async(talk)

    def _first(self, connection: Any, *, refuse: bool) -> Talk[None]:
        cursor = yield self._cursor(connection).execute(SETTINGS)
        row = yield cursor.fetchone()
        yield connection.rollback()
        if refuse and (why := refusal(row, self.name)):
            raise ConfigError(why)

    def _give_back(self, connection: Any) -> Talk[None]:
        idle = self._pool(tasks=isinstance(connection, self._library.AsyncConnection))
        if connection.closed or connection.info.transaction_status != _IDLE or len(idle) >= self._most_idle:
            yield connection.close()
        else:
            connection.row_factory = self._library.rows.tuple_row
            idle.append(connection)

    def __repr__(self) -> str:
        return f"<PostgresParticipant {self.name}: {len(self._working)} transactions>"


def _popped(idle: list[Any]) -> Any:
    """One of them, which another thread may be after, too; None when there is none."""
    try:
        return idle.pop()
    except IndexError:
        return None


@contextmanager
def _dropping(connection: Any) -> Iterator[None]:
    """Close it if it does not get through: its late answer must not be the answer to what comes next."""
    try:
        yield
    except BaseException:
        connection.pgconn.finish()
        raise


def _drop_unless_idle(connection: Any) -> None:
    """Close what was cut short in the middle of an answer, or is still in a transaction; the server undoes it."""
    if connection.info.transaction_status != _IDLE:
        connection.pgconn.finish()


def _is_stale(connection: Any) -> bool:
    """Closed from the other side, or has something to say: a restarted server has closed them all."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _talk(talk: Talk[R]) -> R:
    reply: Any = None
    while True:
        try:
            reply = talk.send(reply)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


async def _talk_async(talk: Talk[R]) -> R:
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = talk.send(reply) if error is None else talk.throw(error)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        reply, error = None, None
        try:
            reply = await step if hasattr(step, "__await__") else step
        except BaseException as raised:  # noqa: BLE001 - the talk's to handle, also cancellation
            error = raised
