"""An adaptive limit in front of plants that it knows nothing of, in virtual time."""

from __future__ import annotations

import os
import statistics
from functools import cache
from typing import Any

import pytest
from tests.simulation.plants import PLANTS, Plant, exponential, slower
from tests.simulation.rivals import EnvoyGradient, FrozenVegas, Gradient2, Rival
from tests.simulation.run import Run, best_static, run, run_adaptive

import seawall as sw
from seawall.clock import ManualClock

pytestmark = pytest.mark.proof

SEEDS = range(1, 11) if os.environ.get("SEAWALL_LONG") else range(1, 5)

OVERLOAD = Plant(8, lambda _: 440, exponential(0.02), 60.0, 120, thrash=0)
"""A tenth more than eight workers can do, and callers who wait for a minute."""
SLOW_FOR_GOOD = Plant(32, lambda _: 2000, slower(0.02, 4, 10), 60.0, 40, thrash=0, changes=(10,))
ROOM = Plant(8, lambda _: 200, exponential(0.02), 1.0, 100)
"""Half of what the callee can do: nobody need be refused."""


def beside(rival: type[Rival], plant: Plant) -> tuple[Run, Any]:
    """The run of a rival."""
    clock = ManualClock()
    limit = rival(clock)
    return run(plant, limit, clock=clock), limit


@cache
def best(name: str, seed: int) -> int:
    """Goodput of the best static limit."""
    return best_static(PLANTS[name], seed=seed)[0].good


@pytest.mark.parametrize("name", PLANTS)
def test_goodput_is_that_of_the_best_static_limit(name: str) -> None:
    """Without being told it, and with the time in which it was found counted: 95 % over the seeds."""
    for algorithm, least in ((sw.Gradient(), 0.95), (sw.Vegas(), 0.93)):
        ratios = [
            run_adaptive(PLANTS[name], seed=seed, algorithm=algorithm)[0].good / best(name, seed) for seed in SEEDS
        ]
        assert statistics.mean(ratios) >= least, ratios
        assert min(ratios) >= 0.88, ratios


@pytest.mark.parametrize("name", PLANTS)
def test_aimd_told_what_is_slow_comes_near(name: str) -> None:
    """AIMD knows no baseline: it is told what is slow, and then finds the limit too."""
    found, _ = run_adaptive(PLANTS[name], algorithm=sw.AIMD(slow_after=0.06))
    assert found.good >= 0.9 * best(name, 1)


def test_overload_never_passes_for_normal() -> None:
    """Netflix's Gradient2 lets its long-term mean follow sustained overload, and its limit grows without bound."""
    _, theirs = beside(Gradient2, OVERLOAD)
    ours, limit = run_adaptive(OVERLOAD)
    assert theirs.places > 100
    assert max(places for _, places, *_ in ours.points) <= 40
    assert limit.stats().baseline == pytest.approx(0.014, rel=0.5)  # the median of 20 ms by chance


def test_a_callee_that_is_slow_for_good_is_believed() -> None:
    """Vegas with a frozen minimum takes four times the latency for a queue, and starves the callee for ever."""
    theirs, frozen = beside(FrozenVegas, SLOW_FOR_GOOD)
    ours, limit = run_adaptive(SLOW_FOR_GOOD)
    assert frozen.places <= 12
    assert limit.limit >= 28
    assert ours.good > 1.3 * theirs.good
    assert limit.stats().baseline == pytest.approx(4 * 0.014, rel=0.5)


def test_a_probe_refuses_nobody_while_there_is_room() -> None:
    """Envoy measures its minimum with three calls in flight, and refuses what comes meanwhile."""
    _, theirs = beside(EnvoyGradient, ROOM)
    ours, _ = run_adaptive(ROOM)
    assert theirs.refused_in_probe > 50
    assert ours.refused == 0


def test_a_probe_under_load_costs_little() -> None:
    """While the limit is probed, the callee goes on at its own pace: no second is far below the others."""
    plant = Plant(8, lambda _: 600, lambda _chance, _now: 0.02, 1.0, 60, thrash=0)
    ours, limit = run_adaptive(plant)
    per_second = [a[4] + b[4] for a, b in zip(ours.points[20::2], ours.points[21::2], strict=False)]
    assert limit.stats().decisions > 100
    assert min(per_second) >= 0.75 * 400


@pytest.mark.parametrize("initial", [1, 2, 200])
def test_a_bad_beginning_is_left_behind(initial: int) -> None:
    """Far too low or far too high: after ten seconds the limit is where it would be anyway."""
    plant = PLANTS["queueing server"].lasting(20)
    ours, _ = run_adaptive(plant, initial=initial)
    assert 8 <= statistics.mean(places for at, places, *_ in ours.points if at > 10) <= 24


def test_a_limit_that_is_hardly_used_does_not_grow() -> None:
    """Less than half of it in flight says nothing of what more would do."""
    ours, limit = run_adaptive(PLANTS["low traffic"])
    assert (ours.refused, limit.limit, ours.lowest) == (0, 20, 20)
    assert limit.stats().decisions > 20


def test_nothing_is_decided_on_few_calls() -> None:
    """Two calls a second: windows are thrown away, and the limit stays."""
    plant = Plant(8, lambda _: 2, exponential(0.05), 1.0, 300)
    _, limit = run_adaptive(plant)
    stats = limit.stats()
    assert (stats.decisions, stats.limit, stats.baseline) == (0, 20, None)
    assert stats.discarded > 10


def test_dropped_calls_shrink_the_limit_and_recovery_brings_it_back() -> None:
    """A callee that hangs for ten seconds: all callers give up, the limit falls, and later it is back."""
    plant = Plant(8, lambda _: 500, slower(0.02, 100, 10, 20), 0.5, 60, thrash=0)
    ours, limit = run_adaptive(plant)
    assert min(places for at, places, *_ in ours.points if 10 < at < 25) <= 5
    assert limit.limit >= 8
    assert sum(good for at, *_, good in ours.points if at > 50) >= 0.9 * 400 * 9.5
