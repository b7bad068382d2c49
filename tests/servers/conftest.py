"""Servers that tests may kill, freeze and fill: one for each test that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.nats_server import NatsServer
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


@pytest.fixture
def nats_with(tmp_path: Path) -> Iterator[Callable[..., NatsServer]]:
    """Starts NATS servers with settings; they end with the test."""
    servers: list[NatsServer] = []

    def start(jetstream: dict[str, Any] | None = {}, **settings: Any) -> NatsServer:  # noqa: B006 - not changed
        directory = tmp_path / f"nats{len(servers)}"
        directory.mkdir()
        servers.append(NatsServer(directory, jetstream, **settings))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def nats(nats_with: Callable[..., NatsServer]) -> NatsServer:
    """A NATS server that has each write on disk before it answers."""
    return nats_with()


@pytest.fixture(scope="module")
def shared_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server for tests that do it no harm."""
    server = NatsServer(tmp_path_factory.mktemp("nats"), {})
    server.start()
    yield server
    server.stop()
