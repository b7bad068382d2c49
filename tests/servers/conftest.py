"""Servers that tests may kill, freeze and fill: one for each test that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.valkey_server import ValkeyServer


@pytest.fixture
def valkey_with(tmp_path: Path) -> Iterator[Callable[..., ValkeyServer]]:
    """Starts servers with settings; they end with the test."""
    servers: list[ValkeyServer] = []

    def start(**settings: str) -> ValkeyServer:
        directory = tmp_path / f"valkey{len(servers)}"
        directory.mkdir()
        servers.append(ValkeyServer(directory, **settings))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def valkey(valkey_with: Callable[..., ValkeyServer]) -> ValkeyServer:
    """A server that has each write on disk before it answers."""
    return valkey_with()


@pytest.fixture(scope="module")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server for tests that do it no harm."""
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), appendonly="no")
    server.start()
    yield server
    server.stop()
