"""Starts each engine once for a test process, and gives each test a namespace of its own, on both faces."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.backends import BACKENDS, Backend
from tests.contract.faces import Faced
from tests.contract.saga_ground import Ground

from seawall.engines import Engine


@pytest.fixture(scope="session", params=list(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One engine, started."""
    started = BACKENDS[request.param](tmp_path_factory.mktemp(request.param))
    started.start()
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def alive(request: pytest.FixtureRequest) -> None:
    """No test pays for a server that died of the one before."""
    if "backend" in request.fixturenames and isinstance(backend := request.getfixturevalue("backend"), Backend):
        backend.revive()


@pytest.fixture
def engine(backend: Backend) -> Iterator[Engine]:
    """An open engine."""
    with backend.open() as opened:
        yield opened


@pytest.fixture
def namespace() -> str:
    """A namespace nobody else uses."""
    return f"t-{secrets.token_hex(8)}"


@pytest.fixture(params=["sync", "async"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner | None]:
    """None for the sync face; a loop for the async one."""
    if request.param == "sync":
        yield None
        return
    with asyncio.Runner() as loop:
        yield loop


def _port(backend: Backend, engine: Engine, namespace: str, runner: asyncio.Runner | None, port: str) -> Faced:
    if port not in backend.ports:
        pytest.skip(f"{backend.name} has no {port}")
    return Faced(getattr(engine, port)(namespace), runner)


@pytest.fixture
def kv(backend: Backend, engine: Engine, namespace: str, runner: asyncio.Runner | None) -> Faced:
    """The KeyValue port on a namespace of its own."""
    return _port(backend, engine, namespace, runner, "key_value")


@pytest.fixture
def journal(backend: Backend, engine: Engine, namespace: str, runner: asyncio.Runner | None) -> Faced:
    """The Journal port on a namespace of its own."""
    return _port(backend, engine, namespace, runner, "journal")


@pytest.fixture
def ground(backend: Backend, tmp_path: Path, namespace: str) -> Ground:
    """Where sagas of a test run, in processes of their own."""
    return Ground(backend, tmp_path, namespace)


@pytest.fixture
def meter(backend: Backend, engine: Engine, namespace: str, runner: asyncio.Runner | None) -> Faced:
    """The Meter port on a namespace of its own."""
    return _port(backend, engine, namespace, runner, "meter")
