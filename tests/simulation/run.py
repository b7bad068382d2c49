"""One run of a plant behind a limit, in virtual time: the same seed gives the same run."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from tests.simulation.plants import Plant

from seawall.clock import ManualClock
from seawall.guard.adaptive import AdaptiveLimit, Permit


class Limit(Protocol):
    """Whoever admits: None is a refusal, anything else goes back with what came of the call."""

    def enter(self) -> Any: ...

    def leave(self, permit: Any, in_time: bool) -> None: ...

    @property
    def places(self) -> int: ...


class Static:
    """So many, always."""

    def __init__(self, places: int) -> None:
        self.places, self.in_flight = places, 0

    def enter(self) -> bool | None:
        if self.in_flight >= self.places:
            return None
        self.in_flight += 1
        return True

    def leave(self, permit: Any, in_time: bool) -> None:
        self.in_flight -= 1


class Ours:
    """An AdaptiveLimit on the run's clock."""

    def __init__(self, limit: AdaptiveLimit) -> None:
        self.limit = limit

    def enter(self) -> Permit | None:
        return self.limit.try_enter()

    def leave(self, permit: Permit, in_time: bool) -> None:
        permit.success() if in_time else permit.dropped()

    @property
    def places(self) -> int:
        return self.limit.limit


@dataclass
class Run:
    """What came of it.

    Args:
        good: Calls answered in time.
        late: Calls whose callers had gone.
        refused: Calls that were not made.
        points: (time, places, calls in flight, mean latency, answered in time) about every half second.
        lowest: The smallest number of places there was.
    """

    good: int = 0
    late: int = 0
    refused: int = 0
    points: list[tuple[float, int, int, float, int]] = field(default_factory=list)
    lowest: int = 1 << 30


@dataclass(eq=False)
class _Call:
    permit: Any
    start: float
    open: bool = True


class _Simulation:
    def __init__(self, plant: Plant, limit: Limit, clock: ManualClock, seed: int) -> None:
        self.plant, self.limit, self.clock = plant, limit, clock
        self.arrivals, self.service = Random(seed), Random(seed + 1)
        self.events: list[tuple[float, int, str, _Call | None]] = []
        self.number = self.busy = self.in_flight = 0
        self.now, self.moved_to, self.drawn = 0.0, 0, 0.0
        self.line: deque[_Call] = deque()
        self.latencies: list[float] = []
        self.run = Run()
        self.good_before = 0

    def later(self, seconds: float, kind: str, call: _Call | None = None) -> None:
        self.number += 1
        heapq.heappush(self.events, (self.now + seconds, self.number, kind, call))

    def play(self) -> Run:
        self.later(self.arrivals.expovariate(self.plant.rate(0)), "arrival")
        while self.events:
            self.now, _, kind, call = heapq.heappop(self.events)
            if self.now > self.plant.seconds:
                break
            at = int(self.now * 1e9)
            self.clock.set_ns(at)
            getattr(self, kind)(call)
            self.run.lowest = min(self.run.lowest, self.limit.places)
            if self.now - self.drawn >= 0.5:
                self.draw()
        return self.run

    def arrival(self, _: None) -> None:
        self.later(self.arrivals.expovariate(self.plant.rate(self.now)), "arrival")
        permit = self.limit.enter()
        if permit is None:
            self.run.refused += 1
            return
        self.in_flight += 1
        call = _Call(permit, self.now)
        self.later(self.plant.patience, "gone", call)
        if self.busy < self.plant.workers:
            self.serve(call)
        else:
            self.line.append(call)

    def serve(self, call: _Call) -> None:
        self.busy += 1
        slower = 1 + self.plant.thrash * len(self.line) / self.plant.workers
        self.later(self.plant.service(self.service, self.now) * slower, "served", call)

    def served(self, call: _Call) -> None:
        self.busy -= 1
        if call.open:
            self.run.good += 1
            self.latencies.append(self.now - call.start)
            self.end(call, in_time=True)
        if self.line:
            self.serve(self.line.popleft())

    def gone(self, call: _Call) -> None:
        if call.open:
            self.run.late += 1
            self.end(call, in_time=False)

    def end(self, call: _Call, *, in_time: bool) -> None:
        call.open = False
        self.in_flight -= 1
        self.limit.leave(call.permit, in_time)

    def draw(self) -> None:
        latency = sum(self.latencies) / len(self.latencies) if self.latencies else 0.0
        good = self.run.good - self.good_before
        self.run.points.append((self.now, self.limit.places, self.in_flight, latency, good))
        self.drawn, self.good_before = self.now, self.run.good
        self.latencies.clear()


def run(plant: Plant, limit: Limit, *, clock: ManualClock | None = None, seed: int = 1) -> Run:
    """Play a plant behind a limit."""
    return _Simulation(plant, limit, clock or ManualClock(), seed).play()


def run_adaptive(plant: Plant, *, seed: int = 1, **options: Any) -> tuple[Run, AdaptiveLimit]:
    """Play a plant behind an AdaptiveLimit."""
    clock = ManualClock()
    limit = AdaptiveLimit(clock=clock, **options)
    return run(plant, Ours(limit), clock=clock, seed=seed), limit


def best_static(plant: Plant, *, seed: int = 1) -> tuple[Run, int]:
    """The best of the static limits, and how many places it has."""
    sizes = [round(plant.workers * ratio) for ratio in (1, 1.25, 1.5, 1.75, 2, 2.5)]
    runs = [(run(plant, Static(places), seed=seed), places) for places in sizes]
    return max(runs, key=lambda one: one[0].good)
