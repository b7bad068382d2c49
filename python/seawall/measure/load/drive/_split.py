"""Which scenario, and which worker, an arrival belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seawall.measure.load.pattern._arrivals import Arrivals

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a run's arrivals that one driver starts.

    Args:
        scenario: Number of the scenario.
        weights: Of all scenarios.
        worker: Number of the worker process.
        workers: How many there are.
    """

    scenario: int = 0
    weights: tuple[float, ...] = (1.0,)
    worker: int = 0
    workers: int = 1


class Picker:
    """Deals arrivals to scenarios: in turn for uniform ones, by chance for poisson ones. The same seed deals alike.

    Guarantees: dealt in turn, each scenario has after any number of arrivals its share of them to within one for two
    scenarios, and to within their number for more.

    Source: the integral of a rate below one a step, rounded down, steps evenly (Bresenham, 1965).
    """

    def __init__(self, weights: tuple[float, ...], arrivals: Arrivals, seed: int | None) -> None:
        self._weights = np.array(weights, dtype=np.float64)
        self._chance = np.random.default_rng([seed or 0, 1]) if arrivals == "poisson" else None

    def pick(self, first: int, number: int) -> Ints:
        """The scenarios of arrivals first, first + 1, ...: (number,) int64."""
        if len(self._weights) == 1:
            return np.zeros(number, dtype=np.int64)
        if self._chance is not None:
            ends = np.cumsum(self._weights / self._weights.sum())
            drawn = np.searchsorted(ends, self._chance.random(number), side="right")
            return np.minimum(drawn, len(ends) - 1).astype(np.int64)
        return self._in_turn(np.arange(first, first + number, dtype=np.int64))

    def _in_turn(self, rest: Ints) -> Ints:
        picked = np.full(rest.shape, len(self._weights) - 1, dtype=np.int64)
        left = np.ones(rest.shape, dtype=bool)
        for j in range(len(self._weights) - 1):
            # Of what the scenarios before left, each takes its share and leaves the others the rest.
            share = float(self._weights[j] / self._weights[j:].sum())
            before = np.floor(rest * share).astype(np.int64)
            taken = left & (np.floor((rest + 1) * share) > before)
            picked[taken] = j
            left &= ~taken
            rest = rest - before
        return picked
