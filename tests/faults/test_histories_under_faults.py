"""Histories of every engine, while servers are killed and paused, networks fail, and clients die or fall asleep.

SEAWALL_LONG=1 strikes again and again; `--seawall-seed` repeats what clients and faults decide.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.backends import BACKENDS, Backend
from tests.faults.judge import complaints
from tests.faults.nemeses import NEMESES, Nemesis
from tests.faults.scene import Scene

STRIKES = 20 if os.environ.get("SEAWALL_LONG") else 1
CELLS = [
    pytest.param(name, nemesis, id=f"{name}-{nemesis.name}")
    for name, kind in BACKENDS.items()
    for nemesis in NEMESES
    if kind.lasting and nemesis.needs(kind)  # type: ignore[arg-type]  # what it asks for, the class says
]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Backend]]:
    """Engines by name, started when first asked for; these may be killed."""
    backends: dict[str, Backend] = {}
    yield backends
    for backend in backends.values():
        backend.stop()


@pytest.mark.parametrize(("name", "nemesis"), CELLS)
def test_no_fault_breaks_a_promise(
    started: dict[str, Backend],
    name: str,
    nemesis: Nemesis,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    seawall_seed: int,
) -> None:
    """No update lost, no two holders, growing tokens, no ghost of what failed, every change told; all goes on after."""
    if name not in started:
        backend = BACKENDS[name](tmp_path_factory.mktemp(name))
        backend.start()
        started[name] = backend
    namespace = f"f-{secrets.token_hex(6)}"
    with Scene(started[name], namespace, tmp_path, seawall_seed, processes=nemesis.processes) as scene:
        for _ in range(STRIKES if not nemesis.processes or nemesis.name == "stop_clients" else 1):
            nemesis.strike(scene)
            scene.well_again()
        history, final = scene.finish()
    found = complaints(history, final, scene.follower, scene.ttl)
    assert not found, f"seed {seawall_seed}, {len(found)} complaints:\n" + "\n".join(found[:20])
    calls = sum(map(len, history.calls.values()))
    print(f"{calls} calls, {history.unknown} unknown, {len(history.failed)} failed, {len(scene.follower.changes)} told")
