"""Connections to one file: a bounded pool for each process, one writer of the process at a time."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.clock import Clock
from seawall.engines.sqlite import _schema as schema
from seawall.engines.sqlite._clock import boot_of
from seawall.engines.sqlite._errors import translated
from seawall.errors import AuthFailed, ConfigError, Damaged, EngineError, Unavailable


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction.

    Args:
        run: (connection, now in nanoseconds) -> the reply; raising rolls back.
        write: Take the write lock before anything is read.
        durable: On disk before it is acknowledged, if the engine is so; else as soon as the system has it.
    """

    run: Callable[[sqlite3.Connection, int], Any]
    write: bool = True
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """Statements inside the caller's own transaction."""

    connection: sqlite3.Connection
    run: Callable[[sqlite3.Connection, int], Any]


class _Process:
    """What belongs to one process, and is left alone by its forked children."""

    def __init__(self, size: int) -> None:
        self.pid = os.getpid()
        self.places = threading.BoundedSemaphore(size)
        self.writing = threading.Lock()
        self.idle: list[sqlite3.Connection] = []
        self.threads = ThreadPoolExecutor(size, thread_name_prefix="seawall-sqlite")
        self.prepared = False

    def pop(self) -> sqlite3.Connection | None:
        """A connection nobody uses."""
        try:
            return self.idle.pop()
        except IndexError:
            return None


# A child must neither use nor close what its parent opened: closing may touch the file.
_abandoned: list[_Process] = []


class SqliteWire:
    """Runs transactions; see `Wire` for what is promised.

    Thread safety: yes.
    """

    def __init__(
        self, path: Path, name: str, clock: Clock, *, size: int, connect_timeout: float, durable: bool
    ) -> None:
        self._path = path
        self._name = name
        self._size = size
        self._connect_timeout = connect_timeout
        self._durable = durable
        self._clock = clock
        self._closed = False
        self._here = _Process(size)

    def execute(self, what: Any, timeout: float) -> Any:
        """Run one transaction."""
        if isinstance(what, Joined):
            return self._join(what)
        return self._run(what, self._clock.now_ns() + round(timeout * 1e9))

    def _run(self, what: Step, until_ns: int) -> Any:
        process = self._process()
        with self._waiting(process.places, until_ns), self._borrowed(process, until_ns) as connection:
            if not what.write:
                return self._transact(connection, what, "BEGIN", until_ns)
            with self._waiting(process.writing, until_ns):
                return self._transact(connection, what, "BEGIN IMMEDIATE", until_ns)

    async def execute_async(self, what: Any, timeout: float) -> Any:
        """`execute` on a thread of the pool; a transaction that has begun runs to its end, also when cancelled."""
        if isinstance(what, Joined):
            return self._join(what)
        until_ns = self._clock.now_ns() + round(timeout * 1e9)
        on_thread = self._process().threads.submit(self._run, what, until_ns)
        here = asyncio.wrap_future(on_thread)
        try:
            await asyncio.wait((here,), timeout=timeout)
        except asyncio.CancelledError:
            here.cancel()  # begun, it runs to its end; still in the queue, it is never begun
            raise
        if not here.done() and on_thread.cancel():  # never begun: all threads are busy
            raise self._busy()
        return await here

    def _left(self, until_ns: int) -> float:
        return max(0.0, (until_ns - self._clock.now_ns()) / 1e9)

    def _process(self) -> _Process:
        if self._closed:
            raise ConfigError(f"{self._name} is closed; open another engine")
        if self._here.pid != os.getpid():
            _abandoned.append(self._here)
            self._here = _Process(self._size)
        return self._here

    @contextmanager
    def _waiting(self, lock: Any, until_ns: int) -> Iterator[None]:
        if not lock.acquire(timeout=self._left(until_ns)):
            raise self._busy()
        try:
            yield
        finally:
            lock.release()

    def _busy(self) -> Unavailable:
        return Unavailable(
            f"{self._name} was busy with other calls of this process for all of the time given; raise pool_size or "
            "operation_timeout"
        )

    @contextmanager
    def _borrowed(self, process: _Process, until_ns: int) -> Iterator[sqlite3.Connection]:
        connection = process.pop() or self._connect(process, self._left(until_ns))
        try:
            yield connection
        except BaseException:
            if connection.in_transaction or self._closed:
                connection.close()
                raise
            process.idle.append(connection)
            raise
        if self._closed:
            connection.close()
        else:
            process.idle.append(connection)

    def _connect(self, process: _Process, timeout: float) -> sqlite3.Connection:
        if not self._path.parent.is_dir():
            raise Unavailable(f"{self._name}: there is no directory {self._path.parent}; create it")
        try:
            connection = sqlite3.connect(
                self._path,
                timeout=min(timeout, self._connect_timeout),
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        except sqlite3.Error as error:
            raise self._not_opened(error) from error
        try:
            self._set_up(connection, process)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._not_opened(error) from error
            raise
        return connection

    def _not_opened(self, error: sqlite3.Error) -> EngineError:
        meaning = translated(error, self._name)
        if isinstance(meaning, Unavailable) and self._path.exists() and not os.access(self._path, os.R_OK):
            return AuthFailed(f"{self._name}: {error}; give this user permission to read and write the file")
        return meaning

    def _set_up(self, connection: sqlite3.Connection, process: _Process) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise Damaged(f"{self._name} cannot be used in WAL mode (it is in {mode}); use a local disk")
        connection.execute("PRAGMA foreign_keys = OFF")
        boot = boot_of(self._clock)
        if not process.prepared and not schema.is_prepared(connection, boot, self._clock.now_ns()):
            connection.execute("BEGIN IMMEDIATE")
            try:
                schema.prepare(connection, self._name, boot, self._clock.now_ns())
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        process.prepared = True

    def _transact(self, connection: sqlite3.Connection, what: Step, begin: str, until_ns: int) -> Any:
        left_ms = int(self._left(until_ns) * 1000)
        level = "FULL" if what.durable and self._durable else "NORMAL"
        committing = False
        try:
            connection.execute(f"PRAGMA busy_timeout = {left_ms}")
            connection.execute(f"PRAGMA synchronous = {level}")
            connection.execute(begin)
            now = self._clock.now_ns()
            reply = what.run(connection, now)
            if what.write:
                schema.stamp(connection, now)
            committing = what.write
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            _roll_back(connection)
            raise translated(error, self._name, committing=committing) from error
        except BaseException:
            _roll_back(connection)
            raise
        return reply

    def _join(self, what: Joined) -> Any:
        if not isinstance(what.connection, sqlite3.Connection) or not what.connection.in_transaction:
            raise ConfigError(
                "transaction must be a sqlite3.Connection inside a transaction, got "
                f"{what.connection!r}; execute BEGIN on it first"
            )
        try:
            return what.run(what.connection, self._clock.now_ns())
        except sqlite3.Error as error:
            raise translated(error, self._name) from error

    def close(self) -> None:
        """Close what is idle; what is under way is closed at its end."""
        self._closed = True
        process = self._here
        if process.pid != os.getpid():
            return
        process.threads.shutdown(wait=True)
        while process.idle:
            process.idle.pop().close()

    async def close_async(self) -> None:
        """`close` on a thread."""
        await asyncio.to_thread(self.close)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        # When even that fails the connection is thrown away, and its transaction ends with it.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
