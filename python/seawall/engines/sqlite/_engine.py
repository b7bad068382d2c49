"""Opens a file."""

from __future__ import annotations

import sqlite3
import warnings
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._engine import Engine
from seawall.engines._findings import Finding
from seawall.engines._guarantees import Consistency, Durability, Guarantees, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._url import Address
from seawall.engines.operation import Op, Send
from seawall.engines.sqlite._disk import network_of
from seawall.engines.sqlite._journal import SqliteJournal
from seawall.engines.sqlite._key_value import SqliteKeyValue
from seawall.engines.sqlite._meter import SqliteMeter
from seawall.engines.sqlite._wire import SqliteWire, Step
from seawall.errors import ConfigError, WrongVersion
from seawall.patterns import option

_OLDEST = (3, 35, 0)  # RETURNING


class SqliteOptions(EngineOptions):
    """Options of `sqlite://`."""

    durability: Literal["disk", "os"] = option(
        default="disk", help="what a write survives: a power cut, or only the death of processes (faster)"
    )
    history: int = option(default=10_000, least=1, most=10_000_000, help="changes of a namespace kept for watches")
    poll_interval: float | timedelta = option(
        default=0.025, unit="s", least=0.001, most=10, help="how often a watch looks for other processes' changes"
    )


class SqliteEngine(Engine):
    """State in one file, safe for any number of threads and processes of one machine: `sqlite:///state.db`.

    Guarantees: write-ahead log; each change is one transaction that has the write lock before it reads; acknowledged
    when it is on disk (limits: when the system has it). Waits for the lock are bounded by the operation timeout.
    Leases, claims and windows go by the machine's monotonic clock, so steps of the wall clock do not matter; time while
    the machine is off is not counted, they last that much longer. A file of another machine, or one on a network disk,
    must not be used by two machines at once.

    Cost: a durable write is one fsync; a read a few microseconds.
    """

    options_kind: ClassVar[type[EngineOptions]] = SqliteOptions

    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        assert isinstance(options, SqliteOptions)
        if address.hosts or address.user or not address.path or address.path == ":memory:":
            raise ConfigError(
                f"write sqlite:///relative.db or sqlite:////absolute/path.db, got {address.shown}; for memory, memory://"
            )
        self._path = Path(address.path).absolute()
        self._options = options
        durable = options.durability == "disk"
        connect = float(options.connect_timeout)  # type: ignore[arg-type]  # kept as seconds
        wire = SqliteWire(
            self._path, address.shown, clock, size=options.pool_size, connect_timeout=connect, durable=durable
        )
        self._driver = Driver(wire, options, clock, address.shown, guarded=False)
        self._poll = float(options.poll_interval)  # type: ignore[arg-type]  # kept as seconds
        self.guarantees = Guarantees(
            durability=Durability.disk if durable else Durability.os,
            consistency=Consistency.linearizable,
            fencing=True,
            watch=WatchResume.resume,
            clock=TimeSource.machine,
            lease_precision=0.0,
            watch_latency=self._poll,
            transactional=True,
        )

    def _check(self) -> Op[None]:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise WrongVersion(f"SQLite must be 3.35 or newer, got {sqlite3.sqlite_version}; upgrade Python or SQLite")
        for finding in (yield from self._lint()):
            warnings.warn(f"{self.name}: {finding}", RuntimeWarning, stacklevel=2)
        yield Send(Step(_look, write=False), again=True)

    def _lint(self) -> Op[tuple[Finding, ...]]:
        yield from ()
        disk = network_of(self._path)
        if disk is None:
            return ()
        return (
            Finding(
                "the file system", disk, "locks over a network lose changes when two machines write",
                "keep the file on a local disk, or use a server engine",
            ),
        )  # fmt: skip

    def _key_value(self, namespace: str) -> SqliteKeyValue:
        return SqliteKeyValue(self._driver, namespace, self.guarantees, self._options.history, self._poll)

    def _journal(self, namespace: str) -> SqliteJournal:
        return SqliteJournal(self._driver, namespace, self.guarantees)

    def _meter(self, namespace: str) -> SqliteMeter:
        return SqliteMeter(self._driver, namespace, replace(self.guarantees, durability=Durability.os))


def _look(connection: sqlite3.Connection, now: int) -> None:
    del now
    connection.execute("SELECT count(*) FROM seawall_namespaces").fetchone()
