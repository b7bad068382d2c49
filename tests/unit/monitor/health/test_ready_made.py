"""Ready-made checks: what they refuse, and what they decide without a server."""
# ruff: noqa: E501 - messages stand on one line each

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest

from seawall.clock import ManualClock
from seawall.errors import ConfigError
from seawall.monitor.health import DiskCheck, EngineCheck, Heartbeat, HttpCheck, Outcome, RedisCheck, SqlCheck, TcpCheck
from seawall.monitor.health._ready_made._addresses import secrets_of
from seawall.monitor.health._ready_made._disk import judged

GIB = 1 << 30


@pytest.mark.parametrize(
    ("free", "files", "outcome"),
    [
        (50, 1.0, Outcome.passed(value=0.5, unit="ratio")),
        (10, 1.0, Outcome.passed(value=0.1, unit="ratio")),
        (9, 1.0, Outcome.warned("/: 9.0% of space is free, 10.0% should be", value=0.09, unit="ratio")),
        (1, 1.0, Outcome.failed("/: 1.0% of space is free, 2.0% must be", value=0.01, unit="ratio")),
        (50, 0.01, Outcome.failed("/: 1.0% of files is free, 2.0% must be", value=0.5, unit="ratio")),
        (50, 0.05, Outcome.warned("/: 5.0% of files is free, 10.0% should be", value=0.5, unit="ratio")),
    ],
)
def test_what_free_space_means(free: int, files: float, outcome: Outcome) -> None:
    """The scarcer of bytes and files decides."""
    assert judged(free * GIB, 100 * GIB, files, DiskCheck()) == outcome


def test_bytes_that_must_be_free_whatever_the_share() -> None:
    """A large disk may have a small share free, a small one must have enough."""
    found = judged(5, 10, 1.0, DiskCheck(fail_bytes=6))
    assert found == Outcome.failed("/: 5 bytes are free, 6 must be", value=0.5, unit="ratio")


def test_an_empty_file_system_is_not_full() -> None:
    """The /proc and the like have no blocks at all."""
    assert judged(0, 0, 1.0, DiskCheck()) == Outcome.passed(value=1.0, unit="ratio")


def test_a_heart_that_beats_in_time() -> None:
    """To the very end of its time."""
    clock = ManualClock()
    heart = Heartbeat(30, clock=clock)
    clock.advance(30)
    assert heart() == Outcome.passed(value=30.0, unit="s")
    clock.advance(0.5)
    assert heart() == Outcome.failed("no beat for 30.5 s, one is due every 30 s", value=30.5, unit="s")
    heart.beat()
    assert heart() == Outcome.passed(value=0.0, unit="s")


def test_a_context_manager_of_a_pool_is_left_again() -> None:
    """The connection goes back whatever happens."""
    log: list[str] = []

    class Cursor:
        def execute(self, query: str) -> None:
            log.append(query)
            if "bad" in query:
                raise RuntimeError(query)

        def fetchone(self) -> None:
            log.append("row")

        def close(self) -> None:
            log.append("closed")

    class Connection:
        def cursor(self) -> Cursor:
            return Cursor()

    @contextmanager
    def lend() -> Any:
        log.append("out")
        try:
            yield Connection()
        finally:
            log.append("back")

    SqlCheck(lend)()
    with pytest.raises(RuntimeError):
        SqlCheck(lend, query="bad")()
    assert log == ["out", "SELECT 1", "row", "closed", "back", "out", "bad", "closed", "back"]


def test_a_connection_of_the_checks_own_is_rolled_back_and_never_used_twice_at_once() -> None:
    """It stays open, and idle."""
    log: list[str] = []

    class Connection:
        def cursor(self) -> Any:
            raise RuntimeError("away")

        def rollback(self) -> None:
            log.append("rolled back")

    from seawall.monitor.health import Health

    check = Health().add("database", SqlCheck(Connection()), max_stuck=5)
    with pytest.raises(RuntimeError, match="away"):
        SqlCheck(Connection())()
    assert (log, check.options.max_stuck) == (["rolled back"], 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HttpCheck("db:80"), "url must be text that begins with http:// or https:// and has a host, and a port of 1 to 65535 if any"),
        (lambda: HttpCheck("http://u:hunter2@db:99999/"), "url must be text that begins with http:// or https:// and has a host, and a port of 1 to 65535 if any"),
        (lambda: HttpCheck("http://db", expect=()), "expect must be statuses such as (200, 204) or range(200, 300), got ()"),
        (lambda: TcpCheck("", 1), "host must be a name or an address, got ''"),
        (lambda: TcpCheck("db", 0), "port must be 1 to 65535, got 0"),
        (lambda: SqlCheck("postgresql://u:hunter2@db"), "database must be a SQLAlchemy Engine or AsyncEngine, a function that gives a DB-API connection or a context manager of one (such as pool.connection), or a DB-API connection; got str"),
        (lambda: SqlCheck(dict, query=" "), "query must be a statement such as SELECT 1, got ' '"),
        (lambda: RedisCheck(7), "server must be a URL or a client with ping(), got int"),
        (lambda: RedisCheck("http://x"), "url must be text that begins with redis:// or rediss:// or unix:// and has a host, and a port of 1 to 65535 if any"),
        (lambda: EngineCheck("redis://x"), "engine must be what open_engine(url) gives, got str"),
        (lambda: DiskCheck(warn=10), "warn must be a share of 0 to 1, got 10"),
        (lambda: DiskCheck(warn=0.1, fail=0.2), "fail must be at most warn, got fail 0.2 and warn 0.1"),
        (lambda: DiskCheck(fail_bytes=-1), "fail_bytes must be a whole number of bytes, at least 0, got -1"),
    ],
)  # fmt: skip
def test_what_can_never_work_is_refused(make: Any, message: str) -> None:
    """Where it is made, and without repeating a password."""
    with pytest.raises(ConfigError) as refused:
        make()
    assert str(refused.value) == message


def test_what_is_secret_in_a_url() -> None:
    """As it is written, and as it is meant."""
    assert secrets_of("redis://app:p%40ss@h:1/0?key=abcde&n=1") == ("app:p%40ss", "p%40ss", "abcde", "app:p@ss", "p@ss")
    assert secrets_of("http://h/") == ()
