"""Orchestrators killed by SIGKILL at every write and every boundary of a step, on engines that outlive processes."""

from __future__ import annotations

import os
import random
import signal

import pytest
from tests.contract.saga_ground import KINDS, LONG, bring_to_its_end

from seawall.clock import SystemClock
from seawall.engines import open_engine

pytestmark = [pytest.mark.proof, pytest.mark.parametrize("backend", KINDS, indirect=True)]
# Short sagas and long ones, with branches and without; some of each end done and some compensated.
SEEDS = {
    "sqlite": range(200) if LONG else (1, 2, 5, 9, 12, 18),
    "postgres": range(60) if LONG else (1, 2, 5, 9, 18),
}


def test_a_saga_is_brought_to_its_end_wherever_its_orchestrator_was_killed(ground):
    """At every place of every seed; some of those who take over are killed, too, some twice."""
    ended: list[str] = []
    killed = 0
    with open_engine(ground.url) as engine:
        for seed in SEEDS[ground.name]:
            rng, places = random.Random(seed), ground.life(seed, f"{seed}-whole", -1)
            assert places > 0
            bring_to_its_end(ground, engine, seed, f"{seed}-whole")
            for kill_at in range(places):
                id = f"{seed}-{kill_at}"
                killed += ground.life(seed, id, kill_at) == -1
                while rng.random() < 0.3:
                    killed += ground.life(seed, id, rng.randrange(places)) == -1
                ended.append(bring_to_its_end(ground, engine, seed, id))
    assert {"done", "compensated", "never begun"} == set(ended)
    # Branches that run at the same time may need a write less the next time, and the last place is then not reached.
    assert killed > 0.9 * len(ended) > 50


def test_a_saga_is_brought_to_its_end_whenever_its_orchestrator_was_killed(ground):
    """Not at a place, but at any moment, also while the engine works on a write."""
    clock = SystemClock()
    with open_engine(ground.url) as engine:
        for seed in range(200 if LONG else 20):
            pid, reading = ground.born(seed, f"{seed}", -1)
            clock.sleep(random.Random(seed).uniform(0.002, 0.05))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(reading)
            ground.expire()
            bring_to_its_end(ground, engine, seed, f"{seed}")
