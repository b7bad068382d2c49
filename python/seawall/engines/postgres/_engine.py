"""Opens a database of a PostgreSQL server."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal

from seawall.clock import Clock
from seawall.engines._driver import Driver
from seawall.engines._engine import Engine
from seawall.engines._findings import Finding
from seawall.engines._guarantees import Consistency, Durability, Guarantees, TimeSource, WatchResume
from seawall.engines._options import EngineOptions
from seawall.engines._url import Address
from seawall.engines.operation import Op, Send
from seawall.engines.postgres import _lint as lint
from seawall.engines.postgres._connection import library_present
from seawall.engines.postgres._journal import PostgresJournal
from seawall.engines.postgres._key_value import PostgresKeyValue
from seawall.engines.postgres._meter import PostgresMeter
from seawall.engines.postgres._step import Step
from seawall.engines.postgres._wire import PostgresWire
from seawall.errors import ConfigError
from seawall.patterns import option

_NAME = re.compile("[a-z_][a-z0-9_]{0,62}")


class PostgresOptions(EngineOptions):
    """Options of `postgresql://`."""

    schema: str = option(default="seawall", help="where seawall keeps its tables, made on first use")
    history: int = option(default=10_000, least=1, most=10_000_000, help="changes of a namespace kept for watches")
    poll_interval: float | timedelta = option(
        default=0.1, unit="s", least=0.001, most=10, help="how often a watch looks where no bell can be heard"
    )
    host: str = option(default="", help="a host or the directory of a unix socket, when the URL names none")
    application_name: str = option(default="seawall", help="how the server shows our connections")
    sslmode: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = option(
        default="", help="whether to encrypt and whom to trust; the client library's own default when empty"
    )
    sslrootcert: str = option(default="", help="file with the authorities to trust, or system")
    sslcert: str = option(default="", help="file with our certificate")
    sslkey: str = option(default="", help="file with its key")
    target_session_attrs: Literal["", "any", "read-write", "primary"] = option(
        default="", help="which of several hosts will do; read-write when the URL names several"
    )


class PostgresEngine(Engine):
    """State in a schema of a database: `postgresql://user:password@host:5432/database`, `postgres://` is the same.

    Guarantees: every change is one transaction, decided by functions of the server under a lock, and sent as one
    message (two for limits): it is acknowledged when it is on the server's disk (limits: when the server has it), and
    as far as `synchronous_commit` and `synchronous_standby_names` say on its standbys. Isolation is chosen for each
    transaction, whatever the server's default. Leases, claims and windows go by the server's wall clock. A connection
    that breaks while a change is under way is `UnknownOutcome`. A standby is refused.

    Behind a proxy that pools transactions everything works; watches then look every `poll_interval`, as no bell can be
    heard. Elsewhere each watch holds one connection of its own, beside the `pool_size` of each loop and of all threads.

    Cost: a round trip, and one fsync for a durable change. Changes of one KeyValue namespace come one after another;
    NOTIFY lets the commits of all of a database's namespaces queue up for a moment.
    """

    options_kind: ClassVar[type[EngineOptions]] = PostgresOptions

    def __init__(self, address: Address, options: EngineOptions, clock: Clock) -> None:
        assert isinstance(options, PostgresOptions)
        library_present()
        if not _NAME.fullmatch(options.schema):
            raise ConfigError(
                f"schema must be 1 to 63 of a-z, 0-9 and _, not beginning with a digit, got {options.schema!r}"
            )
        self._options = options
        wire = PostgresWire(
            _parameters(address, options),
            address.shown,
            clock,
            size=options.pool_size,
            connect_timeout=float(options.connect_timeout),  # type: ignore[arg-type]  # kept as seconds
            schema=options.schema,
        )
        self._driver = Driver(wire, options, clock, address.shown)
        self._poll = float(options.poll_interval)  # type: ignore[arg-type]  # kept as seconds
        self.guarantees = Guarantees(
            durability=Durability.disk,
            consistency=Consistency.linearizable,
            fencing=True,
            watch=WatchResume.resume,
            clock=TimeSource.server,
            lease_precision=0.0,
            watch_latency=self._poll,
            transactional=True,
        )

    def _check(self) -> Op[None]:
        for finding in (yield from self._lint()):
            warnings.warn(f"{self.name}: {finding}", RuntimeWarning, stacklevel=2)

    def _lint(self) -> Op[tuple[Finding, ...]]:
        (rows,) = yield Send(Step((lint.STATEMENT,), write=False), again=True)
        return lint.findings(rows)

    def _key_value(self, namespace: str) -> PostgresKeyValue:
        return PostgresKeyValue(
            self._driver, namespace, self.guarantees,
            schema=self._options.schema, history=self._options.history, poll_interval=self._poll,
        )  # fmt: skip

    def _journal(self, namespace: str) -> PostgresJournal:
        return PostgresJournal(self._driver, namespace, self.guarantees, schema=self._options.schema)

    def _meter(self, namespace: str) -> PostgresMeter:
        relaxed = replace(self.guarantees, durability=Durability.process)
        return PostgresMeter(self._driver, namespace, relaxed, schema=self._options.schema)


def _parameters(address: Address, options: PostgresOptions) -> dict[str, Any]:
    """What the client library is told; the rest it takes from its environment (PGUSER, ~/.pgpass) as everywhere."""
    if address.hosts and options.host:
        raise ConfigError(f"host: given in the URL as {address.shown} and as an option; give it once")
    hosts = ",".join(host for host, _ in address.hosts) or options.host
    ports = ",".join(str(port or "") for _, port in address.hosts)
    several = "read-write" if len(address.hosts) > 1 else ""
    told = {
        "host": hosts,
        "port": ports if ports.strip(",") else "",
        "dbname": address.path,
        "user": address.user,
        "password": address.password,
        "application_name": options.application_name,
        "sslmode": options.sslmode,
        "sslrootcert": options.sslrootcert,
        "sslcert": options.sslcert,
        "sslkey": options.sslkey,
        "target_session_attrs": options.target_session_attrs or several,
        "client_encoding": "UTF8",
    }
    return {name: value for name, value in told.items() if value}
