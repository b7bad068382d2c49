"""One member of etcd from a wheel."""

from __future__ import annotations

from pathlib import Path

from tests.contract.backends._base import Backend
from tests.etcd_server import EtcdServer


class Etcd(Backend):
    """One server for all tests of a process; each has its own namespace."""

    name = "etcd"
    title = "etcd"
    sample_url = "etcd://host:2379"
    ports = ("key_value", "journal")
    short = 1.0
    lasting = True
    has_server = True
    enlists_at_once = False
    outlives_clients = False  # 3.5.1, which the wheel brings, panics at times (its issues 14110 and 14891)

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = EtcdServer(directory)

    @property
    def url(self) -> str:
        """Its port; that it is a single old one is no news here."""
        return f"{self.server.url}?lint=no"

    def start(self) -> None:
        """Start it."""
        self.server.start()

    def stop(self) -> None:
        """Stop it."""
        self.server.stop()

    def kill(self) -> None:
        """Kill it."""
        self.server.kill()

    @property
    def target(self) -> tuple[str, int]:
        """Its port."""
        return "127.0.0.1", self.server.port

    def url_at(self, host: str, port: int) -> str:
        """Through another port."""
        return f"etcd://{host}:{port}?lint=no"

    def pids(self) -> list[int]:
        """One."""
        assert self.server.process is not None
        return [self.server.process.pid]

    def revive(self) -> None:
        """Up to 3.5.6 it panics when who asked for a transaction that only reads goes away: issues 14110 and 14891."""
        if self.server.process is not None and self.server.process.poll() is not None:
            self.server.start()
