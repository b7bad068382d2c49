"""Servers that the common troubles befall, and what each engine says of them."""

from __future__ import annotations

import errno
import json
import re
import secrets
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from tests.ports import free_ports

from seawall.engines import Engine, open_engine
from seawall.engines.redis._call import Call

QUICK = {"operation_timeout": 0.5, "break_after": 1_000, "lint": False}
PATIENT = {"operation_timeout": 20.0, "break_after": 1_000, "attempts": 100, "lint": False}


@dataclass
class Subject:
    """One server and its URL.

    Attributes:
        server: May be killed, started, frozen and thawed.
        url: Of an empty place on it.
        lints: Whether the engine has the option `lint`.
        unknown: A regular expression of what is said of a change whose answer was lost; {name} is the engine's.
        away: The same of a question that was not answered.
        disk: Options that promise, and have checked, that what is acknowledged is on disk.
        pool: Options for few connections, where it is one of the engine's how many there are.
        connections: Counts those of an engine.
        heartbeat: A short one for this server, in seconds.
        resumes_in: An operation timeout that is short beside it.
    """

    server: Any
    url: str
    unknown: str
    away: str
    connections: Callable[[Engine], int]
    lints: bool = True
    disk: dict[str, Any] = field(default_factory=dict)
    pool: dict[str, Any] = field(default_factory=lambda: {"pool_size": 3})
    heartbeat: float = 0.2
    resumes_in: float = 0.5

    def open(self, **options: Any) -> Engine:
        """An engine of its own."""
        known = {name: value for name, value in options.items() if self.lints or name != "lint"}
        return open_engine(self.url, **known)

    def says(self, pattern: str, engine: Engine) -> re.Pattern[str]:
        """One of the patterns, for this engine."""
        return re.compile(pattern.replace("{name}", re.escape(engine.name)), re.DOTALL)


def redis(request: Any, way: str) -> Subject:
    """By its socket or by its port."""
    server = request.getfixturevalue("valkey")
    return Subject(
        server,
        getattr(server, way),
        r"{name} was sent a command and its answer was lost: .*; read the state before you decide",
        r"{name} .*",
        disk={"durability": "disk"},
        connections=lambda engine: len(engine._driver.wire.execute(Call(("CLIENT", "LIST")), 5.0).splitlines()),
    )


def etcd(request: Any) -> Subject:
    """A cluster of one."""
    server = request.getfixturevalue("etcd")
    return Subject(
        server,
        server.url,
        r"{name} was sent a call and its answer was lost: no answer in time; read the state before you decide",
        r"{name} .*",
        connections=lambda engine: len(engine._driver.wire._here.idle),
    )


def nats(request: Any, sync_interval: str = "always") -> Subject:
    """That has each write on disk, or not."""
    server = request.getfixturevalue("nats_with")(jetstream={"sync_interval": sync_interval})
    is_on_disk = sync_interval == "always"
    return Subject(
        server,
        server.url,
        r"{name} was sent a change and its answer was lost: no answer in .* s; read the state before you decide",
        r"{name} cannot be reached: no answer in time.*",
        disk={"durability": "disk", "monitor": server.monitor} if is_on_disk else {},
        pool={},
        connections=lambda engine: _nats_connections(server),
        # With a fifth of a second it takes minutes until a watch of a server that was frozen resumes.
        heartbeat=1.5,
        resumes_in=3.0,
    )


def _nats_connections(server: Any) -> int:
    with urllib.request.urlopen(f"{server.monitor}/connz", timeout=5) as answer:
        return int(json.load(answer)["num_connections"])


def postgres(request: Any) -> Subject:
    """A database of its own; the server is the module's."""
    server = request.getfixturevalue("postgres")
    database = f"d_{secrets.token_hex(6)}"
    count = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'seawall'"

    def connections(engine: Engine) -> int:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            row = connection.execute(count).fetchone()
        assert row is not None
        return int(row[0])

    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    return Subject(
        server,
        server.url(database),
        r"{name}: there was no answer in time; the change may have been made or not, read the state before you decide"
        r".*",
        r"{name}.* in time.*",
        lints=False,
        connections=connections,
    )


SUBJECTS: dict[str, Callable[[Any], Subject]] = {
    "redis-unix": lambda request: redis(request, "unix"),
    "redis-tcp": lambda request: redis(request, "tcp"),
    "etcd": etcd,
    "nats": nats,
    "postgres": postgres,
}
# Without each write on disk a process that is killed still loses nothing: the machine goes on.
KILLED = SUBJECTS | {"nats-lazy": lambda request: nats(request, "2m")}


def nowhere(name: str, directory: Any) -> tuple[str, str]:
    """The URL of a server that is not there, with a password, and a regular expression of what is said."""
    (port,) = free_ports(1)
    place = f"127.0.0.1:{port}"
    end = "; see that it runs and can be reached"
    return {
        "redis-unix": (
            f"unix://{directory}/none",
            f"unix://{directory}/none cannot be reached: Error 2 connecting to {directory}/none.*{end}",
        ),
        "redis-tcp": (
            f"redis://me:secret@{place}",
            rf"redis://{place} cannot be reached: Error {errno.ECONNREFUSED} .*{end}",
        ),
        "etcd": (
            f"etcd://me:secret@{place}",
            rf"etcd://{place} cannot be reached: \[Errno {errno.ECONNREFUSED}\] .*{end}",
        ),
        "nats": (f"nats://me:secret@{place}", rf"nats://{place} cannot be reached: .*Connect call failed.*"),
        "postgres": (
            f"postgresql://me:secret@{place}/d",
            rf"postgresql://.*{place}/d.*see that the server runs and can be reached.*",
        ),
    }[name]
