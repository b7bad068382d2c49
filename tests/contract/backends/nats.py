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
