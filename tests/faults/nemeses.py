"""What is done to servers, networks and clients while they are in use."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.backends import Backend
from tests.faults.scene import CLOCK, Scene
from tests.freezing import freeze

from seawall.testing import BlackHole, Cut, HalfClose, Latency, Reset, SlowClose, Truncate


@dataclass(frozen=True)
class Nemesis:
    """One kind of trouble.

    Args:
        name: In the names of tests.
        strike: Does it once, and returns when it is over.
        processes: It is about clients that are processes.
        needs: What an engine must have for it.
    """

    name: str
    strike: Callable[[Scene], None]
    processes: bool = False
    needs: Callable[[Backend], bool] = lambda backend: backend.has_server


def _pause(scene: Scene, least: float, most: float) -> None:
    CLOCK.sleep(scene.rng.uniform(least, most))


def _calm(scene: Scene) -> None:
    _pause(scene, 0.3, 0.5)


def _kill_server(scene: Scene) -> None:
    _pause(scene, 0.0, 0.1)
    scene.backend.kill()
    _pause(scene, 0.0, 0.1)
    scene.backend.start()


def _stop_server(scene: Scene) -> None:
    pids = scene.backend.pids()
    for pid in pids:
        freeze(pid)
    try:
        # Beyond the operation timeout: answers are lost, and what was asked is done later.
        _pause(scene, 0.5, 0.8)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _cut(scene: Scene) -> None:
    assert scene.proxy is not None
    for _ in range(8):
        scene.proxy.cut()
        _pause(scene, 0.01, 0.08)


def _reset(scene: Scene) -> None:
    assert scene.proxy is not None
    for _ in range(4):
        how = scene.rng.choice((Reset, Truncate, HalfClose))
        fault = how(after_bytes=scene.rng.randrange(1, 2_000), direction="to_client")
        with scene.proxy.fault(fault):
            _pause(scene, 0.1, 0.2)


def _reset_requests(scene: Scene) -> None:
    assert scene.proxy is not None
    for _ in range(4):
        with scene.proxy.fault(Reset(after_bytes=scene.rng.randrange(1, 3_000), direction="to_server")):
            _pause(scene, 0.1, 0.2)


def _black_hole(scene: Scene) -> None:
    assert scene.proxy is not None
    with scene.proxy.fault(BlackHole(direction=scene.rng.choice(("to_server", "to_client", "both")))):
        _pause(scene, 0.5, 0.8)


def _late(scene: Scene) -> None:
    assert scene.proxy is not None
    scene.proxy.pause()
    # Clients give up; what they sent arrives when they are gone.
    _pause(scene, 0.5, 0.7)
    scene.proxy.resume()


def _latency(scene: Scene) -> None:
    assert scene.proxy is not None
    with scene.proxy.fault(Latency(0.02, jitter=0.02)):
        _pause(scene, 0.2, 0.3)
    with scene.proxy.fault(Latency(0.25, jitter=0.25, connections=0.5)):
        _pause(scene, 0.4, 0.6)


def _slow_close(scene: Scene) -> None:
    assert scene.proxy is not None
    with scene.proxy.fault(SlowClose(0.3)):
        for _ in range(4):
            with scene.proxy.fault(HalfClose(after_bytes=scene.rng.randrange(1, 2_000))):
                _pause(scene, 0.05, 0.1)
            scene.proxy.add(Cut(connections=0.5))


def _kill_clients(scene: Scene) -> None:
    for number in scene.rng.sample(range(len(scene.victims)), 4):
        _pause(scene, 0.02, 0.12)
        scene.kill_client(number)


def _stop_clients(scene: Scene) -> None:
    """One client of each kind is paused for longer than it may hold anything; then it goes on as if nothing were."""
    stopped = scene.victims[scene.rng.randrange(2) :: 2]
    for victim in stopped:
        freeze(victim.pid)
    _pause(scene, scene.ttl + 0.1, scene.ttl + 0.3)
    for victim in stopped:
        os.kill(victim.pid, signal.SIGCONT)


def _writer_that_stays(scene: Scene) -> None:
    """A foreign transaction keeps the write lock for longer than an operation may wait."""
    path = scene.url.removeprefix("sqlite:///").partition("?")[0]
    other = sqlite3.connect(path, isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    _pause(scene, 0.5, 0.8)
    other.execute("ROLLBACK")
    other.close()


def _is_lasting(backend: Backend) -> bool:
    return backend.lasting


NEMESES = (
    Nemesis("calm", _calm, needs=lambda backend: True),
    Nemesis("kill_server", _kill_server),
    Nemesis("stop_server", _stop_server),
    Nemesis("cut", _cut),
    Nemesis("reset_answers", _reset),
    Nemesis("reset_requests", _reset_requests),
    Nemesis("black_hole", _black_hole),
    Nemesis("late", _late),
    Nemesis("latency", _latency),
    Nemesis("slow_close", _slow_close),
    Nemesis("kill_clients", _kill_clients, processes=True, needs=_is_lasting),
    Nemesis("stop_clients", _stop_clients, processes=True, needs=_is_lasting),
    Nemesis("writer_that_stays", _writer_that_stays, needs=lambda backend: backend.name == "sqlite"),
)
