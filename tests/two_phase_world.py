"""A shop of two PostgreSQL databases and a shelf in SQLite, whose processes can be killed at any point."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from tests.contract.backends.postgres import PostgresServer

from seawall.distributed.transactions import TransactionLog
from seawall.distributed.transactions.two_phase import (
    LoggedParticipant,
    PostgresParticipant,
    RemoteParticipant,
    TwoPhaseCommit,
    Vote,
    answer,
)
from seawall.distributed.transactions.two_phase import _postgres as postgres
from seawall.engines import open_engine

FORK = multiprocessing.get_context("fork")
LONG = bool(os.environ.get("SEAWALL_LONG"))
HOUR = 3_600.0
WAYS = ("commit", "no", "read", "raise")
"""All commit; the shelf votes no; database b is only read; the caller's block raises."""


class Shelf:
    """A store that holds changes ready in a file; what is not prepared is in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wanted: dict[str, int] = {}

    def _do(self, *statements: tuple[str, tuple[Any, ...]]) -> list[Any]:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE IF NOT EXISTS held (transaction_id PRIMARY KEY, value)")
            connection.execute("CREATE TABLE IF NOT EXISTS rows (value)")
            connection.execute("BEGIN IMMEDIATE")
            found = [connection.execute(*statement).fetchall() for statement in statements]
            connection.execute("COMMIT")
            return found[-1]
        finally:
            connection.close()

    def want(self, transaction: str, value: int) -> None:
        self.wanted[transaction] = value

    def prepare(self, transaction: str) -> Vote:
        value = self.wanted.get(transaction)
        if value is None or value < 0:
            return Vote.NO
        self._do(("INSERT INTO held VALUES (?, ?)", (transaction, value)))
        return Vote.YES

    def commit(self, transaction: str) -> None:
        self._do(
            ("INSERT INTO rows SELECT value FROM held WHERE transaction_id = ?", (transaction,)),
            ("DELETE FROM held WHERE transaction_id = ?", (transaction,)),
        )

    def abort(self, transaction: str) -> None:
        self.wanted.pop(transaction, None)
        self._do(("DELETE FROM held WHERE transaction_id = ?", (transaction,)))

    def rows(self) -> list[int]:
        return [value for (value,) in self._do(("SELECT value FROM rows", ()))]

    def held(self) -> list[str]:
        return [name for (name,) in self._do(("SELECT transaction_id FROM held", ()))]


class Death:
    """Counts points, and does something fatal at one of them."""

    def __init__(self, at: int, deed: Callable[[], None] | None = None) -> None:
        self.at = at
        self.count = 0
        self._deed = deed or (lambda: os.kill(os.getpid(), signal.SIGKILL))

    def point(self) -> None:
        if self.count == self.at:
            self._deed()
        self.count += 1

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def mortal(*args: Any) -> Any:
            self.point()
            result = call(*args)
            self.point()
            return result

        return mortal

    def driver(self, driver: Any) -> Any:
        return _Driver(self.around(driver.run))

    def talk(self, talk: Any) -> Any:
        """As the participant's own, with a point before each call of the client library."""
        reply: Any = None
        while True:
            self.point()
            try:
                reply = talk.send(reply)
            except StopIteration as done:
                return done.value


class _Driver:
    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run


class World:
    """What all processes know; each opens its own things."""

    def __init__(self, server: PostgresServer, log_url: str, directory: Path) -> None:
        self.server = server
        self.log_url = log_url
        self.directory = directory
        self.shelf = Shelf(directory / "shelf.db")
        self.patience = 20.0
        self._opened: list[Any] = []
        self._looks: dict[str, Any] = {}
        for name in "ab":
            look = self._look(name)
            look.execute("CREATE TABLE IF NOT EXISTS rows (value int)")
            look.execute("TRUNCATE rows")
        self._member_url = f"sqlite:///{directory / 'member.db'}?durability=os"
        self.own = self.parties()

    def restart(self, *settings: str) -> None:
        """Start the server again after it was killed."""
        while self._looks:
            self._looks.popitem()[1].close()
        self.server.end(signal.SIGKILL)
        self.server.start(*settings)

    def _look(self, database: str) -> Any:
        """A connection of this process that looks on; a new one when the server was killed."""
        known = self._looks.get(database)
        if known is None or known.closed:
            known = psycopg.connect(self.server.conninfo(database), autocommit=True)
            self._looks[database] = known
            self._opened.append(known)
        return known

    def close(self) -> None:
        """What this process has opened."""
        for opened in self._opened:
            opened.close()

    def parties(self, death: Death | None = None) -> tuple[TwoPhaseCommit, LoggedParticipant, Shelf]:
        """A coordinator and all participants in this process."""
        shelf = Shelf(self.shelf.path)
        member = LoggedParticipant("shelf", shelf, self._log(self._member_url))
        coordinator = self.coordinator(member)
        if death is not None:
            mortal(coordinator, death)
            mortal_member(member, shelf, death)
        return coordinator, member, shelf

    def coordinator(self, member: Any, url: str | None = None) -> TwoPhaseCommit:
        databases = [PostgresParticipant(name, self.server.conninfo(name)) for name in "ab"]
        self._opened += databases
        return TwoPhaseCommit(self._log(url or self.log_url), [*databases, member], name="shop")

    def member(self, death: Death | None = None) -> tuple[LoggedParticipant, Shelf]:
        shelf = Shelf(self.shelf.path)
        member = LoggedParticipant("shelf", shelf, self._log(self._member_url))
        if death is not None:
            mortal_member(member, shelf, death)
        return member, shelf

    def _log(self, url: str) -> TransactionLog:
        engine = open_engine(url, operation_timeout=self.patience)
        self._opened.append(engine)
        return TransactionLog(engine, ttl=HOUR)

    # What is there.

    def rows(self) -> dict[str, list[int]]:
        """What is committed, everywhere."""
        found = {"shelf": sorted(self.shelf.rows())}
        for name in "ab":
            found[name] = [row[0] for row in self._look(name).execute("SELECT value FROM rows ORDER BY value")]
        return found

    def prepared(self) -> list[str]:
        """What the server holds ready."""
        return [row[0] for row in self._look("a").execute("SELECT gid FROM pg_prepared_xacts ORDER BY gid")]

    def let_claims_expire(self) -> None:
        """What an hour would do."""
        with sqlite3.connect(self.directory / "member.db") as file:
            _expire(file)
        file.close()
        if self.log_url.startswith("sqlite"):
            with sqlite3.connect(self.directory / "log.db") as file:
                _expire(file)
            file.close()
        else:
            self._look("postgres").execute("DELETE FROM seawall.claims")


def _expire(file: sqlite3.Connection) -> None:
    if file.execute("SELECT 1 FROM sqlite_master WHERE name = 'seawall_claims'").fetchone():
        file.execute("DELETE FROM seawall_claims")


def mortal(coordinator: TwoPhaseCommit, death: Death) -> None:
    """Points around each use of the log and each call of a participant; and at each statement, if that is asked for."""
    coordinator._driver = death.driver(coordinator._driver)
    if LONG:
        postgres.held = death.talk
    for participant in coordinator._participants.values():
        for method in ("prepare", "commit", "abort"):
            setattr(participant, method, death.around(getattr(participant, method)))


def mortal_member(member: LoggedParticipant, shelf: Shelf, death: Death) -> None:
    """Points around each use of a participant's log and store."""
    member._driver = death.driver(member._driver)
    for method in ("prepare", "commit", "abort"):
        setattr(shelf, method, death.around(getattr(shelf, method)))


def forked(work: Callable[..., None], *args: Any) -> int:
    """Run it in a child; its exit code."""
    process = FORK.Process(target=work, args=args)
    process.start()
    process.join(120)
    assert process.exitcode is not None, "the child hangs"
    return process.exitcode


def sell(world: World, way: str, value: int, at: int, told: str) -> None:
    """A child's work: one transaction, and the word of how it ended in the file `told`."""
    coordinator, _, shelf = world.parties(Death(at))
    _sell(coordinator, shelf.want, way, value, world.directory / told)


def sell_without_server(world: World, value: int, at: int, told: str) -> None:
    """`sell` while the server is killed, which this process survives."""
    world.patience = 0.3
    death = Death(at, lambda: _kill_all(world.server.pid))
    coordinator, _, shelf = world.parties(death)
    _sell(coordinator, shelf.want, "commit", value, world.directory / told)
    os._exit(0 if death.count <= at else 1)


def _sell(coordinator: TwoPhaseCommit, want: Callable[[str, int], None], way: str, value: int, told: Path) -> None:
    tx = coordinator.transaction()
    with suppress(Exception), tx:  # the file says how it ended
        tx.enlist("a").execute("INSERT INTO rows VALUES (%s)", [value])
        tx.enlist("b").execute("SELECT 1" if way == "read" else f"INSERT INTO rows VALUES ({value})")
        tx.enlist("shelf")
        want(tx.id, -1 if way == "no" else value)
        if way == "raise":
            raise KeyError(way)
    # Without an id it has not even begun: the log could not be asked who it is.
    told.write_text(str(tx.result.outcome) if tx.result else "unknown" if tx.id else "aborted")


def _kill_all(postmaster: int) -> None:
    """The server with its sessions, which would else go on for as long as they have something to do."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def sell_far(world: World, value: int, at: int, told: str, pipe: Any) -> None:
    """`sell`, with the shelf in another process, which is asked over a pipe."""

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        pipe.send(request)
        return pipe.recv()

    coordinator = world.coordinator(RemoteParticipant("shelf", ask))
    mortal(coordinator, Death(at))
    _sell(coordinator, lambda tx, wanted: ask({"want": [tx, wanted]}), "commit", value, world.directory / told)
    pipe.close()


def serve(world: World, at: int, pipe: Any) -> None:
    """A child's work: answer for the shelf until nobody asks."""
    death = Death(at)
    member, shelf = world.member(death)
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        death.point()
        if "want" in request:
            shelf.want(*request["want"])
            reply: dict[str, Any] = {}
        else:
            reply = answer(member, request)
        death.point()
        try:
            pipe.send(reply)
        except OSError:
            return


def recover(world: World, at: int, order: int) -> None:
    """A child's work: recovery on both sides, in either order."""
    coordinator, member, _ = world.parties(Death(at))
    sides = [coordinator.recover, lambda: member.recover(coordinator.outcome)]
    for side in sides if order else reversed(sides):
        side()
