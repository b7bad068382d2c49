"""Valkey from a wheel, through each kind of connection."""

from __future__ import annotations

from pathlib import Path

from tests.contract.backends._base import Backend
from tests.valkey_server import ValkeyServer


class Valkey(Backend):
    """One server for all tests of a process, on a Unix socket, that keeps each write on disk."""

    name = "valkey"
    title = "redis and valkey"
    sample_url = "redis://localhost"
    short = 0.2
    lasting = True
    has_server = True
    history_option = "history"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = ValkeyServer(directory)

    @property
    def url(self) -> str:
        """Its socket."""
        return f"unix://{self.server.socket}?durability=disk"

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
    def target(self) -> str:
        """Its socket."""
        return str(self.server.socket)

    def url_at(self, host: str, port: int) -> str:
        """Through a port."""
        return f"redis://{host}:{port}?durability=disk"

    def pids(self) -> list[int]:
        """One."""
        assert self.server.process is not None
        return [self.server.process.pid]
