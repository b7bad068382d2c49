"""Histories of every engine, while servers are killed and paused, networks fail, and clients die or fall asleep.

SEAWALL_LONG=1 plays thirty scenes for each cell; `--seawall-seed` repeats what clients and faults decide.
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

SCENES = 30 if os.environ.get("SEAWALL_LONG") else 1
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


@pytest.fixture
def victim(name: str, started: dict[str, Backend], tmp_path_factory: pytest.TempPathFactory) -> Backend:
    """The engine, well."""
    if name not in started:
        started[name] = BACKENDS[name](tmp_path_factory.mktemp(name))
        started[name].start()
    return started[name]


@pytest.mark.parametrize(("name", "nemesis"), CELLS)
def test_no_fault_breaks_a_promise(victim: Backend, nemesis: Nemesis, tmp_path: Path, seawall_seed: int) -> None:
    """No update lost, no two holders, growing tokens, no ghost of what failed, every change told; all goes on after."""
    for each in range(SCENES):
        played = tmp_path / str(each)
        played.mkdir()
        _play(victim, nemesis, played, seawall_seed + each)


def _play(victim: Backend, nemesis: Nemesis, directory: Path, seed: int) -> None:
    namespace = f"f-{secrets.token_hex(6)}"
    with Scene(victim, namespace, directory, seed, processes=nemesis.processes) as scene:
        nemesis.strike(scene)
        scene.well_again()
        history, final = scene.finish()
    found = complaints(history, final, scene.follower, scene.ttl)
    assert not found, f"seed {seed}, {len(found)} complaints:\n" + "\n".join(found[:20])
    calls = sum(map(len, history.calls.values()))
    print(f"{calls} calls, {history.unknown} unknown, {len(history.failed)} failed, {len(scene.follower.changes)} told")
