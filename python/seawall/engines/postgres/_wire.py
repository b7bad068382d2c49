"""Carries transactions over a bounded pool of connections, for threads and for each loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from seawall.clock import Clock
from seawall.engines.postgres import _connection as connections
from seawall.engines.postgres import _errors as errors
from seawall.engines.postgres import _schema as schema
from seawall.engines.postgres._connection import Link, TimeIsOver
from seawall.engines.postgres._step import Hear, Joined, Look, Message, Talk, transaction
from seawall.errors import ConfigError, EngineError, Unavailable, UnknownOutcome

R = TypeVar("R")


class _Pool:
    """Connections of one loop, or of all threads."""

    def __init__(self, places: Any) -> None:
        self.places = places
        self.idle: list[Link] = []

    def pop(self) -> Link | None:
        """A connection nobody uses."""
        try:
            return self.idle.pop()
        except IndexError:
            return None

    def close(self) -> None:
        """Close what is idle."""
        while link := self.pop():
            link.close()


class _Process:
    """What belongs to one process, and is left alone by its forked children."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self.size = size
        self.threads = _Pool(threading.BoundedSemaphore(size))
        self.loops: dict[asyncio.AbstractEventLoop, _Pool] = {}
        self.listening: set[Link] = set()
        self.prepared = False

    def of_loop(self) -> _Pool:
        """The pool of the running loop."""
        loop = asyncio.get_running_loop()
        pool = self.loops.get(loop)
        if pool is None:
            for ended in [each for each in tuple(self.loops) if each.is_closed()]:
                self.loops.pop(ended).close()
            pool = self.loops[loop] = _Pool(asyncio.BoundedSemaphore(self.size))
        return pool


# A child must neither use nor close what its parent opened: closing says goodbye on the parent's connection.
_abandoned: list[_Process] = []


class _Sent:
    """How far a talk has come, for whoever has to say what an error means."""

    may_change = False


class PostgresWire:
    """Runs transactions; see `Wire` for what is promised.

    Thread safety: yes.
    """

    def __init__(
        self, parameters: dict[str, Any], name: str, clock: Clock, *, size: int, connect_timeout: float, schema: str
    ) -> None:
        self._parameters = parameters
        self._name = name
        self._clock = clock
        self._size = size
        self._connect_timeout = connect_timeout
        self._schema = schema
        self._closed = False
        self._here = _Process(size)
        self._lock = threading.Lock()

    # For threads.

    def execute(self, what: Any, timeout: float) -> Any:
        """Run one transaction, or listen for a bell."""
        until_ns = self._clock.now_ns() + round(timeout * 1e9)
        if isinstance(what, Hear):
            return self._hear(what)
        if isinstance(what, Look):
            link = self._listener(what, asking=None)
            if link is None:
                link = self._open(until_ns)
                self._keep(what, link, None)
            with self._handled(what):
                return self._converse(link, self._looking(what, link, until_ns), until_ns)
        process = self._process()
        pool = process.threads
        if not pool.places.acquire(timeout=self._left(until_ns)):
            raise self._busy()
        try:
            if isinstance(what, Joined):
                return self._join(what, process, pool, until_ns)
            with self._returned(pool, self._taken(pool) or self._open(until_ns)) as link:
                return self._converse(link, transaction(what, link.settings, self._left(until_ns)), until_ns)
        finally:
            pool.places.release()

    def _open(self, until_ns: int) -> Link:
        with self._connecting():
            link = connections.connect(self._parameters, self._clock, min(self._left(until_ns), self._connect_timeout))
        try:
            self._converse(link, schema.look(link.settings, self._name), until_ns)
            if not self._process().prepared:
                with self._preparing(link):
                    self._converse(link, schema.prepare(self._schema, self._name), until_ns)
        except BaseException:
            link.close()
            raise
        return link

    def _converse(self, link: Link, talk: Talk[R], until_ns: int) -> R:
        link.timer.start(self._left(until_ns))
        sent, rows = _Sent(), None
        with self._translating(link, sent):
            while True:
                try:
                    message = talk.send(rows)  # type: ignore[arg-type]  # None begins it
                except StopIteration as done:
                    return done.value  # type: ignore[no-any-return]
                sent.may_change = message.may_change
                rows = link.ask(message)
                self._vetted(link, message)

    def _join(self, what: Joined, process: _Process, pool: _Pool, until_ns: int) -> Any:
        if not process.prepared:
            with self._returned(pool, self._taken(pool) or self._open(until_ns)):
                pass
        cursor = self._cursor(what, tasks=False)
        with self._translating_joined():
            cursor.execute(*what.statement)
            return cursor.fetchall()

    def _hear(self, what: Hear) -> bool:
        link: Link = what.feed.handle[0]
        link.timer.start(what.seconds)
        with self._handled(what), self._translating(link, _Sent()):
            return link.hear()

    # For tasks: the same with `await`.

    async def execute_async(self, what: Any, timeout: float) -> Any:
        """`execute` for a task."""
        until_ns = self._clock.now_ns() + round(timeout * 1e9)
        loop = asyncio.get_running_loop()
        if isinstance(what, Hear):
            return await self._hear_async(what)
        if isinstance(what, Look):
            link = self._listener(what, asking=loop)
            if link is None:
                link = await self._open_async(until_ns)
                self._keep(what, link, loop)
            with self._handled(what):
                return await self._converse_async(link, self._looking(what, link, until_ns), until_ns)
        process = self._process()
        pool = process.of_loop()
        try:
            async with asyncio.timeout(self._left(until_ns)):
                await pool.places.acquire()
        except TimeoutError:
            raise self._busy() from None
        try:
            if isinstance(what, Joined):
                return await self._join_async(what, process, pool, until_ns)
            with self._returned(pool, self._taken(pool) or await self._open_async(until_ns)) as link:
                return await self._converse_async(
                    link, transaction(what, link.settings, self._left(until_ns)), until_ns
                )
        finally:
            pool.places.release()

    async def _open_async(self, until_ns: int) -> Link:
        with self._connecting():
            link = await connections.connect_async(
                self._parameters, self._clock, min(self._left(until_ns), self._connect_timeout)
            )
        try:
            await self._converse_async(link, schema.look(link.settings, self._name), until_ns)
            if not self._process().prepared:
                with self._preparing(link):
                    await self._converse_async(link, schema.prepare(self._schema, self._name), until_ns)
        except BaseException:
            link.close()
            raise
        return link

    async def _converse_async(self, link: Link, talk: Talk[R], until_ns: int) -> R:
        sent, rows = _Sent(), None
        with self._translating(link, sent):
            async with asyncio.timeout(self._left(until_ns)):
                while True:
                    try:
                        message = talk.send(rows)  # type: ignore[arg-type]  # None begins it
                    except StopIteration as done:
                        return done.value  # type: ignore[no-any-return]
                    sent.may_change = message.may_change
                    rows = await link.ask_async(message)
                    self._vetted(link, message)

    async def _join_async(self, what: Joined, process: _Process, pool: _Pool, until_ns: int) -> Any:
        if not process.prepared:
            with self._returned(pool, self._taken(pool) or await self._open_async(until_ns)):
                pass
        cursor = self._cursor(what, tasks=True)
        with self._translating_joined():
            await cursor.execute(*what.statement)
            return await cursor.fetchall()

    async def _hear_async(self, what: Hear) -> bool:
        link: Link = what.feed.handle[0]
        link.timer.start(what.seconds)
        with self._handled(what), self._translating(link, _Sent()):
            return await link.hear_async()

    # The pool.

    def _left(self, until_ns: int) -> float:
        return max(0.0, (until_ns - self._clock.now_ns()) / 1e9)

    def _process(self) -> _Process:
        with self._lock:
            if self._closed:
                raise ConfigError(f"{self._name} is closed; open another engine")
            if self._here.pid != os.getpid():
                _abandoned.append(self._here)
                self._here = _Process(self._size)
            return self._here

    def _busy(self) -> Unavailable:
        return Unavailable(
            f"{self._name} was busy with other calls of this process for all of the time given; raise pool_size or "
            "operation_timeout"
        )

    def _taken(self, pool: _Pool) -> Link | None:
        """An idle connection that is alive as far as can be seen: a restarted server has closed them all."""
        while link := pool.pop():
            if not link.is_stale:
                return link
            link.close()
        return None

    @contextmanager
    def _returned(self, pool: _Pool, link: Link) -> Iterator[Link]:
        try:
            yield link
        finally:
            # Whatever was cut short in the middle of a talk is thrown away; the server rolls it back.
            if self._closed or link.is_lost or link.in_transaction:
                link.close()
            else:
                pool.idle.append(link)
            if self._closed:
                pool.close()

    # Watches.

    def _listener(self, what: Look, asking: asyncio.AbstractEventLoop | None) -> Link | None:
        if what.feed.handle is None:
            return None
        link, loop, pid = what.feed.handle
        if loop is asking and pid == os.getpid():
            return link  # type: ignore[no-any-return]
        if pid == os.getpid():
            self.unfollow(what.feed)
        return None

    def _keep(self, what: Look, link: Link, loop: asyncio.AbstractEventLoop | None) -> None:
        what.feed.handle = (link, loop, os.getpid())
        self._process().listening.add(link)

    def unfollow(self, feed: Any) -> None:
        """Close the connection of a watch."""
        if feed.handle is not None and feed.handle[2] == os.getpid():
            feed.handle[0].close()
            self._here.listening.discard(feed.handle[0])
        feed.handle = None

    def _looking(self, what: Look, link: Link, until_ns: int) -> Talk[tuple[Any, bool]]:
        # Listen first and look then: no change can fall between.
        if link.channel is None and link.settings.direct:
            yield Message(f'LISTEN "{what.channel}"')
            link.channel = what.channel
        link.rung = False
        rows = yield from transaction(what.step, link.settings, self._left(until_ns))
        return rows, link.channel is not None

    @contextmanager
    def _handled(self, what: Look | Hear) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # A cancelled talk leaves an answer behind; only a cancelled sleep leaves nothing.
            link = what.feed.handle[0] if what.feed.handle else None
            if link is not None and (isinstance(what, Look) or link.is_lost):
                self.unfollow(what.feed)
            raise
        if self._closed:
            self.unfollow(what.feed)

    # What went wrong.

    def _vetted(self, link: Link, message: Message) -> None:
        if link.alone and message.may_change:
            link.alone = False
            raise UnknownOutcome(
                f"{self._name}: the server committed but stopped waiting for its standbys; the change is on one disk "
                "only, read the state before you decide"
            )
        link.alone = False

    @contextmanager
    def _connecting(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except (TimeoutError, psycopg.errors.ConnectionTimeout) as error:
            raise Unavailable(f"{self._name} could not be connected to in time; see that it can be reached") from error
        except psycopg.Error as error:
            raise errors.refused(str(error), self._name) from error
        except OSError as error:
            raise errors.refused(str(error), self._name) from error

    @contextmanager
    def _preparing(self, link: Link) -> Iterator[None]:
        user = link.raw.info.user  # not to be had once the connection is closed
        try:
            yield
        except EngineError as error:
            raise schema.forbidden(error, self._schema, user) from error
        self._process().prepared = True

    @contextmanager
    def _translating(self, link: Link, sent: _Sent) -> Iterator[None]:
        import psycopg

        try:
            yield
        except (TimeIsOver, TimeoutError) as error:
            link.close()
            raise errors.broken("there was no answer in time", self._name, may_change=sent.may_change) from error
        except psycopg.Error as error:
            # An error that leaves the connection usable was the statement's, and its transaction is no more.
            if link.is_lost or error.sqlstate is None:
                link.close()
                raise errors.broken(str(error), self._name, may_change=sent.may_change) from error
            raise errors.translated(error.sqlstate, str(error), self._name) from error
        except BaseException:
            if link.raw.pgconn.transaction_status not in (0, 2):
                link.close()
            raise

    @contextmanager
    def _translating_joined(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise errors.translated(error.sqlstate, str(error), self._name) from error

    def _cursor(self, what: Joined, *, tasks: bool) -> Any:
        cursor = connections.joined(what.connection, tasks=tasks)
        if cursor is None:
            kind, call = ("AsyncConnection", "the ..._async call") if tasks else ("Connection", "the plain call")
            raise ConfigError(
                f"transaction must be a psycopg.{kind} inside a transaction for {call}, got {what.connection!r}"
            )
        return cursor

    # The end.

    def close(self) -> None:
        """Close what is idle; what is under way is closed at its end."""
        with self._lock:
            self._closed = True
            here = self._here
        if here.pid != os.getpid():
            return
        for pool in (here.threads, *here.loops.values()):
            pool.close()
        for link in tuple(here.listening):
            if link.waiting:
                link.timer.start(0.0)
            else:
                link.close()

    async def close_async(self) -> None:
        """`close` for a task."""
        self.close()
