"""Connections that keep to a time, one kind for threads and one for tasks."""

from __future__ import annotations

import asyncio
import math
import select
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from seawall.clock import Clock
from seawall.engines._registry import missing_library
from seawall.engines.postgres._step import Message, Rows, Settings

_INTERVAL = 0.05
"""How late a thread notices, in seconds, that its time is over."""


class TimeIsOver(Exception):
    """The server did not answer in the time there was."""


class Timer:
    """Until when a connection may be waited for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_ns = 0

    def start(self, seconds: float) -> None:
        """From now on there are so many seconds."""
        self._until_ns = self._clock.now_ns() + round(seconds * 1e9)

    @property
    def left(self) -> float:
        """Seconds that are left, not below 0."""
        return max(0.0, (self._until_ns - self._clock.now_ns()) / 1e9)


class _Opening:
    """How long each attempt to open a connection may take, so that one silent host leaves time for the others."""

    def __init__(self, clock: Clock, seconds: float, hosts: int) -> None:
        self._clock = clock
        self._share = seconds / hosts
        self._all = Timer(clock)
        self._all.start(seconds)

    def attempt(self) -> Timer:
        """The time of the next attempt."""
        timer = Timer(self._clock)
        timer.start(min(self._share, self._all.left))
        return timer


_opening: ContextVar[_Opening] = ContextVar("seawall_postgres_opening")


class Link:
    """One connection, and what is known of the server behind it; used by one thread or task at a time."""

    def __init__(self, raw: Any, clock: Clock) -> None:
        self.raw = raw
        self.timer = Timer(clock)
        raw.seawall_timer = self.timer
        self.settings = Settings(pid=raw.info.backend_pid)
        self.channel: str | None = None
        self.rung = False
        self.waiting = False
        self.alone = False
        raw.add_notice_handler(self._heed)
        raw.add_notify_handler(self._ring)

    def _heed(self, notice: Any) -> None:
        # A commit that stops waiting for its standbys answers as if all were well, with a warning beside.
        if notice.source_file == "syncrep.c":
            self.alone = True

    def _ring(self, notify: Any) -> None:
        # Also while something else is read: the bell must not be lost between a look and the sleep after it.
        del notify
        self.rung = True

    @property
    def is_stale(self) -> bool:
        """Whether an idle connection has been closed from the other side, or has something to say."""
        if self.raw.closed or self.raw.pgconn.transaction_status != 0:
            return True
        poll = select.poll()
        poll.register(self.raw.pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))

    @property
    def is_lost(self) -> bool:
        """Whether it cannot be used any more."""
        return bool(self.raw.closed)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""
        return not self.is_lost and self.raw.pgconn.transaction_status != 0

    def ask(self, message: Message) -> list[Rows]:
        """Send a message and wait for its rows."""
        cursor = _client_cursor(self.raw)
        cursor.execute(message.sql, message.params or None)
        found = []
        while True:
            if cursor.description is not None:
                found.append(cursor.fetchall())
            if not cursor.nextset():
                return found

    async def ask_async(self, message: Message) -> list[Rows]:
        """`ask` for a task."""
        cursor = _client_cursor(self.raw)
        await cursor.execute(message.sql, message.params or None)
        found = []
        while True:
            if cursor.description is not None:
                found.append(await cursor.fetchall())
            if not cursor.nextset():
                return found

    def hear(self) -> bool:
        """Sleep until the bell rings or the time is over."""
        try:
            self.waiting = True
            self.raw.wait(_heard(self))
        except TimeIsOver:
            pass
        finally:
            self.waiting = False
        return self.rung

    async def hear_async(self) -> bool:
        """`hear` for a task."""
        try:
            self.waiting = True
            async with asyncio.timeout(self.timer.left):
                await self.raw.wait(_heard(self))
        except TimeoutError:
            pass
        finally:
            self.waiting = False
        return self.rung

    def close(self) -> None:
        """Close it; does not wait for the server."""
        self.raw.pgconn.finish()


def _client_cursor(raw: Any) -> Any:
    import psycopg
    from psycopg.rows import tuple_row

    kind = psycopg.AsyncClientCursor if isinstance(raw, psycopg.AsyncConnection) else psycopg.ClientCursor
    return kind(raw, row_factory=tuple_row)


def joined(raw: Any, *, tasks: bool) -> Any:
    """A cursor in the caller's own transaction; None when `raw` is no connection of the right kind inside one."""
    import psycopg

    if not isinstance(raw, psycopg.AsyncConnection if tasks else psycopg.Connection):
        return None
    status = raw.info.transaction_status
    begins_by_itself = status == psycopg.pq.TransactionStatus.IDLE and not raw.autocommit
    if status != psycopg.pq.TransactionStatus.INTRANS and not begins_by_itself:
        return None
    return _client_cursor(raw)


def _heard(link: Link) -> Generator[Any, Any, None]:
    import psycopg.waiting

    pgconn = link.raw.pgconn
    while not link.rung:
        while not (yield psycopg.waiting.WAIT_R):
            pass
        pgconn.consume_input()
        while pgconn.notifies():
            link.rung = True


def _expiring(waits: Generator[Any, Any, Any], timer: Timer) -> Generator[Any, Any, Any]:
    """The same waits, which end in TimeIsOver when they are woken too late with nothing to do."""
    try:
        wait = next(waits)
        while True:
            ready = yield wait
            if not ready and timer.left <= 0:
                raise TimeIsOver("it did not answer in time")
            wait = waits.send(ready)
    except StopIteration as done:
        return done.value


@cache
def _kinds() -> tuple[Any, Any]:
    """The client library's connections, without its own way to wait, which has no end and cancels at leisure."""
    try:
        import psycopg
        import psycopg.waiting
    except ImportError as error:
        raise missing_library("postgresql", "psycopg", "postgres") from error

    def opened(attempt: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            return (yield from _expiring(attempt, _opening.get().attempt()))
        except TimeIsOver as error:
            raise psycopg.errors.ConnectionTimeout("connection timeout expired") from error

    class ThreadConnection(psycopg.Connection[Any]):
        seawall_timer: Timer

        @classmethod
        def _connect_gen(cls, *args: Any, **kwargs: Any) -> Any:
            return opened(super()._connect_gen(*args, **kwargs))

        def wait(self, gen: Any, *_: Any, **__: Any) -> Any:
            interval = min(_INTERVAL, max(0.001, self.seawall_timer.left))
            return psycopg.waiting.wait(_expiring(gen, self.seawall_timer), self.pgconn.socket, interval)

    class TaskConnection(psycopg.AsyncConnection[Any]):
        seawall_timer: Timer

        @classmethod
        def _connect_gen(cls, *args: Any, **kwargs: Any) -> Any:
            return opened(super()._connect_gen(*args, **kwargs))

        async def wait(self, gen: Any, *_: Any, **__: Any) -> Any:
            return await psycopg.waiting.wait_async(gen, self.pgconn.socket, 1.0)

    return ThreadConnection, TaskConnection


def library_present() -> None:
    """Go on only when the client library is installed.

    Raises:
        ConfigError: It is not; names the extra.
    """
    _kinds()


@contextmanager
def _within(parameters: dict[str, Any], clock: Clock, timeout: float) -> Iterator[dict[str, Any]]:
    # The client library counts whole seconds, two at least, for each host: its limit is only there because ours is.
    hosts = str(parameters.get("host", "")).count(",") + 1
    token = _opening.set(_Opening(clock, timeout, hosts))
    try:
        yield {**parameters, **_LIKE, "connect_timeout": max(2, math.ceil(timeout))}
    finally:
        _opening.reset(token)


def connect(parameters: dict[str, Any], clock: Clock, timeout: float) -> Link:
    """Open a connection for threads."""
    kind, _ = _kinds()
    with _within(parameters, clock, timeout) as told:
        return Link(kind.connect(**told), clock)


async def connect_async(parameters: dict[str, Any], clock: Clock, timeout: float) -> Link:
    """Open a connection for the running loop."""
    _, kind = _kinds()
    with _within(parameters, clock, timeout) as told:
        async with asyncio.timeout(timeout):
            return Link(await kind.connect(**told), clock)


# Each message says itself where its transaction begins and ends; nothing is prepared, for the sake of proxies.
_LIKE: dict[str, Any] = {"autocommit": True, "prepare_threshold": None}
