"""What others do, after their documents: so that a plant is known to show the fault that ours must not have.

Netflix's Gradient2 compares a window's mean with a long-term mean; Netflix's Vegas with the smallest latency ever;
Envoy with a minimum that it measures anew, from time to time, with three calls in flight.
"""

from __future__ import annotations

import math

from seawall.clock import ManualClock


class Rival:
    """Windows of fifty calls; subclasses say what follows from one."""

    def __init__(self, clock: ManualClock, initial: int = 20) -> None:
        self.clock, self.limit = clock, float(initial)
        self.in_flight = self.peak = self.refused_in_probe = 0
        self.latencies: list[float] = []

    @property
    def places(self) -> int:
        return math.floor(self.limit)

    def enter(self) -> float | None:
        if self.in_flight >= self.places:
            self.refused()
            return None
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        return self.clock.time()

    def leave(self, started: float, in_time: bool) -> None:
        self.in_flight -= 1
        self.latencies.append(self.clock.time() - started)
        if len(self.latencies) >= 50:
            self.move()
            self.latencies, self.peak = [], 0

    def refused(self) -> None:
        """A call was not admitted."""

    def move(self) -> None:
        raise NotImplementedError


class Gradient2(Rival):
    """Against the long-term mean, which follows whatever lasts."""

    long_term = 0.0

    def move(self) -> None:
        mean = sum(self.latencies) / len(self.latencies)
        self.long_term += (mean - self.long_term) * (0.1 if self.long_term else 1.0)
        if self.peak < self.limit / 2:
            return
        gradient = max(0.5, min(1.0, 1.5 * self.long_term / mean))
        self.limit = max(1.0, 0.8 * self.limit + 0.2 * (self.limit * gradient + 4))


class FrozenVegas(Rival):
    """Against the smallest mean of all time."""

    smallest = math.inf

    def move(self) -> None:
        mean = sum(self.latencies) / len(self.latencies)
        self.smallest = min(self.smallest, mean)
        queue = self.limit * (1 - self.smallest / mean)
        scale = max(1.0, math.log10(self.limit))
        self.limit = max(1.0, self.limit + (scale if queue < 3 * scale else -scale if queue > 6 * scale else 0))


class EnvoyGradient(Rival):
    """Against a minimum that is measured with three calls in flight, whatever comes."""

    minimum, measured_at, kept, probing = 0.0, -math.inf, 0.0, False

    def refused(self) -> None:
        self.refused_in_probe += self.probing

    def move(self) -> None:
        ordered = sorted(self.latencies)
        if self.probing:
            self.minimum, self.measured_at = ordered[len(ordered) // 2], self.clock.time()
            self.limit, self.probing = self.kept, False
            return
        if self.clock.time() - self.measured_at > 30:
            self.kept, self.limit, self.probing = self.limit, 3.0, True
            return
        gradient = max(0.5, min(2.0, 1.25 * self.minimum / ordered[len(ordered) // 2]))
        self.limit = max(3.0, min(1000.0, self.limit * gradient + math.sqrt(self.limit)))
