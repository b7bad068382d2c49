"""Processes that kill themselves: forked from this one, which has everything loaded and nothing open.

`python -m tests.kills.lives SCENARIO PLACE WHERE RUNS STRIDE` prints what happened, and fails where a law was broken.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from random import Random
from typing import Any

from tests.kills.places import PLACES

from seawall.engines import Engine
from seawall.engines.operation import driver_of

FOREVER = 1 << 40


class Life:
    """The life of one process: SIGKILL at the `span`-th place where it is asked.

    Places are before and after each round trip to the engine, and wherever the scenario says.
    """

    def __init__(self, span: int) -> None:
        self._left = span

    def trip(self, place: str) -> None:
        """One more place is reached."""
        del place
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def mortal(self, engine: Engine) -> Engine:
        """The engine, whose round trips are places."""
        driver = driver_of(engine.journal())
        driver.wire = _Mortal(driver.wire, self)  # type: ignore[assignment]
        return engine


class _Mortal:
    def __init__(self, wire: Any, life: Life) -> None:
        self._wire = wire
        self._life = life

    def execute(self, what: Any, timeout: float) -> Any:
        """Send."""
        self._life.trip("sent")
        reply = self._wire.execute(what, timeout)
        self._life.trip("answered")
        return reply

    def close(self) -> None:
        """Close."""
        self._wire.close()


def live(span: int, body: Callable[[Life], None]) -> bool:
    """One life; whether it was killed. It fails when the body does."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            body(Life(span))
            code = 0
        except BaseException:  # noqa: BLE001 -- all of it is told, and the parent fails
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "a life failed; see above"
    return False


def sweep(scenario: Any, seed: int, stride: int) -> int:
    """Kill at the first place, `stride` later, and so on until a life ends by itself; how many places there were."""
    span = seed % stride
    while True:
        run = scenario.Run(f"sweep-{seed}-{span}", seed)
        killed = live(span, run.live)
        run.end(live)
        if not killed:
            return span
        span += stride


def storm(scenario: Any, seed: int) -> int:
    """Kill several processes one after the other at places by chance; how many."""
    chance, killed = Random(seed), 0
    run = scenario.Run(f"storm-{seed}", seed)
    for _ in range(chance.randint(1, 6)):
        killed += live(chance.randint(0, scenario.PLACES), run.live)
    run.end(live)
    return killed


def main(name: str, place: str, where: str, runs: int, stride: int) -> None:
    """Sweep over the few seeds of the scenario, and storm over many."""
    scenario = importlib.import_module(f"tests.kills.{name}")
    scenario.PLACE = PLACES[place](where)
    # What a life would otherwise find out first, each of them again; nothing is connected.
    scenario.PLACE.engine().close()
    scenario.Run("warm", 0).warm()
    gc.freeze()
    live(FOREVER, lambda life: scenario.prepare())
    swept = sum(sweep(scenario, seed, stride) for seed in scenario.SWEPT)
    killed = sum(storm(scenario, seed) for seed in range(runs))
    assert swept > 20 * len(scenario.SWEPT)
    assert killed > runs / 2
    print(f"swept {swept} places by {stride}, killed {killed} in {runs} storms")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
