"""A NATS server from a wheel, with JetStream."""

from __future__ import annotations

from pathlib import Path

from tests.contract.backends._base import Backend
from tests.nats_server import NatsServer


class Nats(Backend):
    """One server for all tests of a process, that keeps each write on disk."""

    name = "nats"
    title = "nats"
    sample_url = "nats://host"
    short = 0.5
    lasting = True
    has_server = True
    enlists_at_once = False
    history_option = "history"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = NatsServer(directory, {})

    @property
    def url(self) -> str:
        """Its port."""
        return f"{self.server.url}?durability=disk&lint=no"

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
        return f"nats://{host}:{port}?durability=disk&lint=no"

    def pids(self) -> list[int]:
        """One."""
        assert self.server.process is not None
        return [self.server.process.pid]
