"""Servers that tests may kill, freeze and fill: one for each test that asks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.etcd_server import EtcdServer
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
def etcd_with(tmp_path: Path) -> Iterator[Callable[..., EtcdServer]]:
    """Makes members with settings, not yet started; they end with the test."""
    servers: list[EtcdServer] = []

    def make(**settings: str) -> EtcdServer:
        directory = tmp_path / f"etcd{len(servers)}"
        directory.mkdir()
        servers.append(EtcdServer(directory, **{name.replace("_", "-"): value for name, value in settings.items()}))
        return servers[-1]

    yield make
    for server in servers:
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
def etcd(etcd_with: Callable[..., EtcdServer]) -> EtcdServer:
    """A member that is a cluster by itself."""
    server = etcd_with()
    server.start()
    return server


@pytest.fixture(scope="module")
def shared_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A member for tests that do it no harm."""
    server = EtcdServer(tmp_path_factory.mktemp("etcd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


@pytest.fixture
def namespace() -> str:
    """A namespace nobody else uses."""
    return f"t-{secrets.token_hex(8)}"


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
