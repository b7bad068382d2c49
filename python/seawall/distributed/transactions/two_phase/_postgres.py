"""A PostgreSQL database as a participant: PREPARE TRANSACTION."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from typing import Any

from seawall.clock import Clock, SystemClock, to_ns
from seawall.distributed.transactions.two_phase._messages import Vote
from seawall.distributed.transactions.two_phase._names import Gid, gid_of, name_of
from seawall.distributed.transactions.two_phase._sessions import (
    IDLE,
    IN_ERROR,
    Sessions,
    Talk,
    drop_unless_idle,
    dropping,
    held,
)
from seawall.distributed.transactions.two_phase._settings import SETTINGS, findings, refusal
from seawall.engines import Finding
from seawall.errors import ConfigError

_UNDEFINED_OBJECT = "42704"
_HELD = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE 'seawall.%' ORDER BY gid"
_CHANGED = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"


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
        if find_spec("psycopg") is None:
            raise ConfigError("PostgresParticipant needs psycopg; pip install 'seawall[postgres]'")
        self.name = name_of(name, "name")
        for option, value, least, most in (("connect_timeout", connect_timeout, 2, 3_600), ("idle", idle, 0, 1_000)):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ConfigError(f"{option} must be a whole number from {least:,} to {most:,}, got {value!r}")
        self._sessions = Sessions(
            conninfo,
            f"seawall {name}",
            most_idle=idle,
            connect_timeout=connect_timeout,
            timeout_ns=to_ns(timeout, "timeout", least_ns=100_000_000, most_ns=3_600_000_000_000),
            clock=clock or SystemClock(),
            settings=SETTINGS,
            refusal=partial(refusal, name=name),
        )

    # What a coordinator calls; each with a twin for tasks.

    def begin(self, transaction: str) -> Any:
        """The connection for a transaction; the same when asked again."""
        return held(self._begin(transaction, tasks=False))

    async def begin_async(self, transaction: str) -> Any:
        """`begin` for a task: a `psycopg.AsyncConnection`."""
        return await self._sessions.bounded(self._begin(transaction, tasks=True))

    def prepare(self, transaction: str) -> Vote:
        """PREPARE TRANSACTION, or COMMIT when nothing was changed."""
        return held(self._prepare(transaction))

    async def prepare_async(self, transaction: str) -> Vote:
        """`prepare` for a task."""
        return await self._sessions.bounded(self._prepare(transaction))

    def commit(self, transaction: str) -> None:
        """COMMIT PREPARED; nothing when there is none."""
        held(self._finish(transaction, "commit", tasks=False))

    async def commit_async(self, transaction: str) -> None:
        """`commit` for a task."""
        await self._sessions.bounded(self._finish(transaction, "commit", tasks=True))

    def abort(self, transaction: str) -> None:
        """ROLLBACK, or ROLLBACK PREPARED; nothing when there is none."""
        held(self._finish(transaction, "rollback", tasks=False))

    async def abort_async(self, transaction: str) -> None:
        """`abort` for a task."""
        await self._sessions.bounded(self._finish(transaction, "rollback", tasks=True))

    def prepared(self) -> tuple[Gid, ...]:
        """What seawall has prepared in this database under this participant's name, of any coordinator."""
        return held(self._prepared(tasks=False))

    async def prepared_async(self) -> tuple[Gid, ...]:
        """`prepared` for a task."""
        return await self._sessions.bounded(self._prepared(tasks=True))

    def check(self) -> None:
        """See that the database can be reached, and can prepare.

        Raises:
            ConfigError: It cannot; the message says what to set.
        """
        held(self._check(tasks=False))

    async def check_async(self) -> None:
        """`check` for a task."""
        await self._sessions.bounded(self._check(tasks=True))

    def lint(self) -> tuple[Finding, ...]:
        """Settings of the server that will hurt, and prepared transactions that were forgotten."""
        return held(self._lint(tasks=False))

    async def lint_async(self) -> tuple[Finding, ...]:
        """`lint` for a task."""
        return await self._sessions.bounded(self._lint(tasks=True))

    def close(self) -> None:
        """Close what is idle in threads; loops close theirs with `close_async`."""
        self._sessions.close()

    async def close_async(self) -> None:
        """Close what is idle in threads and in this loop."""
        await self._sessions.close_async()

    # What they do.

    def _gid(self, transaction: str) -> str:
        return f"seawall.{transaction}.{self.name}"

    def _begin(self, transaction: str, *, tasks: bool) -> Talk[Any]:
        sessions = self._sessions
        if (known := sessions.working.get(transaction)) is not None:
            return known
        connection = yield from sessions.taken(tasks=tasks)
        with dropping(connection):
            yield connection.tpc_begin(self._gid(transaction))
        sessions.working[transaction] = connection
        connection.hurry = None
        return connection

    def _prepare(self, transaction: str) -> Talk[Vote]:
        sessions = self._sessions
        connection = sessions.working.get(transaction)
        if connection is None or connection.closed or connection.info.transaction_status == IN_ERROR:
            # Who votes no is not told how it ends.
            if connection is not None:
                del sessions.working[transaction]
                connection.pgconn.finish()
            return Vote.NO
        sessions.hurry(connection)
        with dropping(connection):
            if (yield from self._has_changed(connection)):
                yield connection.tpc_prepare()
                return Vote.YES
            yield connection.tpc_commit()
        del sessions.working[transaction]
        yield from sessions.give_back(connection)
        return Vote.READ_ONLY

    def _has_changed(self, connection: Any) -> Talk[bool]:
        if connection.info.transaction_status == IDLE:
            return False
        ((has_changed,),) = yield from self._sessions.rows_within(connection, _CHANGED)
        return bool(has_changed)

    def _finish(self, transaction: str, word: str, *, tasks: bool) -> Talk[None]:
        sessions, broken = self._sessions, self._sessions.library.Error
        connection = sessions.working.pop(transaction, None)
        if connection is not None and not connection.closed:
            sessions.hurry(connection)
            try:
                with dropping(connection):
                    yield getattr(connection, f"tpc_{word}")()
            except broken:
                pass  # its state is not known any more: told again over another, by name
            else:
                yield from sessions.give_back(connection)
                return
        connection = yield from sessions.taken(tasks=tasks)
        try:
            yield getattr(connection, f"tpc_{word}")(self._gid(transaction))
        except broken as error:
            if error.sqlstate != _UNDEFINED_OBJECT:
                raise
        finally:
            drop_unless_idle(connection)
        yield from sessions.give_back(connection)

    def _prepared(self, *, tasks: bool) -> Talk[tuple[Gid, ...]]:
        connection = yield from self._sessions.taken(tasks=tasks)
        with dropping(connection):
            rows = yield from self._sessions.rows(connection, _HELD)
        yield from self._sessions.give_back(connection)
        gids = (gid_of(gid) for (gid,) in rows)
        return tuple(gid for gid in gids if gid is not None and gid.participant == self.name)

    def _check(self, *, tasks: bool) -> Talk[None]:
        connection = yield from self._sessions.taken(tasks=tasks)
        with dropping(connection):
            ((row,),) = yield from self._sessions.rows(connection, "SELECT 1")
            assert row == 1
        yield from self._sessions.give_back(connection)

    def _lint(self, *, tasks: bool) -> Talk[tuple[Finding, ...]]:
        connection = yield from self._sessions.opened(tasks=tasks)
        with dropping(connection):
            (row,) = yield from self._sessions.rows(connection, SETTINGS)
        yield connection.close()
        return findings(row, self.name)

    def __repr__(self) -> str:
        return f"<PostgresParticipant {self.name}: {len(self._sessions.working)} transactions>"
