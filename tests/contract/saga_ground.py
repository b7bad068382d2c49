"""One engine and one database of services, and processes that are killed or stopped at a place."""

from __future__ import annotations

import os
import signal
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.contract.backends import BACKENDS
from tests.saga_world import World, check_ended, saga_of

from seawall.distributed.transactions.saga import Orchestrator
from seawall.engines import Engine, open_engine
from seawall.engines.operation import driver_of
from seawall.errors import LeaseLost

KINDS = [name for name in ("sqlite", "postgres") if name in BACKENDS]
LONG = bool(os.environ.get("SEAWALL_LONG"))
LOST = 42
"""Exit code of a process whose claim was lost."""


class Tripwire:
    """A wire that tells when something is sent, and when it was answered."""

    def __init__(self, wire: Any, trip: Callable[[str], None]) -> None:
        self._wire = wire
        self._trip = trip

    def execute(self, what: Any, timeout: float) -> Any:
        """Send."""
        self._trip("sent")
        reply = self._wire.execute(what, timeout)
        self._trip("answered")
        return reply

    def close(self) -> None:
        """Close."""
        self._wire.close()


class Ground:
    """One engine and one database of services, for any number of sagas and processes.

    Attributes:
        parallel: Whether sagas may have branches that run at the same time.
    """

    parallel = True

    def __init__(self, backend: Any, directory: Path, namespace: str) -> None:
        self.name = backend.name
        self._conninfo = backend.server.conninfo() if self.name == "postgres" else ""
        self.url = backend.url_for_processes(directory)
        if self.name == "sqlite":
            self.url += "?durability=os"  # SIGKILL takes no page cache with it
        self.database = directory / "services.db"
        self.namespace = namespace
        with open_engine(self.url) as engine:
            engine.journal(namespace).last("s")  # its tables are there before processes are born

    def orchestrator(self, engine: Engine, world: World) -> Orchestrator:
        """Of a process."""
        return Orchestrator(engine, [saga_of(world, parallel=self.parallel)], namespace=self.namespace, ttl=3_600)

    def life(self, seed: int, id: str, kill_at: int) -> int:
        """A process that runs the saga until it has come to a place so often; how many there were, -1 when killed."""
        pid, reading = self.born(seed, id, kill_at)
        with os.fdopen(reading, "rb") as told:
            said = told.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            self.expire()
            return -1
        assert os.waitstatus_to_exitcode(status) == 0, said.decode()
        return int(said)

    def born(self, seed: int, id: str, at: int, how: signal.Signals = signal.SIGKILL) -> tuple[int, int]:
        """A process that runs the saga, and at a place sends itself a signal; its id, and where it tells its end."""
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads; the child opens its own
            pid = os.fork()
        if pid == 0:
            self._live(seed, id, at, how, writing)
        os.close(writing)
        return pid, reading

    def _live(self, seed: int, id: str, at: int, how: signal.Signals, writing: int) -> None:
        places = 0

        def trip(place: str) -> None:
            nonlocal places
            if how == signal.SIGSTOP and place == "within":
                return  # its lock would stop everybody
            if places == at:
                os.kill(os.getpid(), how)
            places += 1

        code = 0
        try:
            world = World(self.database, seed, trip)
            engine = open_engine(self.url)
            driver = driver_of(engine.journal())
            driver.wire = Tripwire(driver.wire, trip)
            self.orchestrator(engine, world).run("seeded", {"seed": seed}, id=id)
            os.write(writing, b"%d" % places)
        except LeaseLost:
            code = LOST
        except BaseException as error:  # noqa: BLE001 -- told to the parent, whose test it fails
            os.write(writing, repr(error).encode())
            code = 1
        os._exit(code)

    def expire(self) -> None:
        """The claims of the dead end now: nobody has to wait for their time."""
        if self.name == "sqlite":
            with sqlite3.connect(self.url.removeprefix("sqlite:///").partition("?")[0], timeout=30) as file:
                file.execute("UPDATE seawall_claims SET ends_ns = 0")
            file.close()
            return
        import psycopg

        with psycopg.connect(self._conninfo, autocommit=True) as server:
            server.execute("UPDATE seawall.claims SET ends_us = 0 WHERE namespace = %s", (self.namespace,))


def bring_to_its_end(ground: Ground, engine: Engine, seed: int, id: str) -> str:
    """Recover what was left, help what is parked, and check; how it ended."""
    world = World(ground.database, seed)
    try:
        orchestrator = ground.orchestrator(engine, world)
        orchestrator.recover()
        result = orchestrator.status(id)
        if result is None:
            assert world.effects(id) == []
            return "never begun"
        if result.state == "parked":
            world.healed = True
            orchestrator.order(id, "retry", by="the test", why="healed")
            orchestrator.recover()
        history = orchestrator.log.load("saga", id)
        assert history is not None
        return check_ended(orchestrator.sagas["seeded"], history, world)
    finally:
        world.close()
