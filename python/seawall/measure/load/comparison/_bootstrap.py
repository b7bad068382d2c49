"""Percentiles of runs, and how far chance within each run moves them.

Source: D. Politis, J. Romano, A circular block-resampling procedure for stationary data (1992); length of the blocks by
D. Politis, H. White, Automatic block-length selection for the dependent bootstrap (2004), corrected by A. Patton,
D. Politis, H. White (2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seawall.measure._histogram import Histogram

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by block and bucket, run by run, in order of time.

    Shapes: lows, highs: (k,) ascending edges of buckets; runs: each (blocks, k), cumulated over the buckets.
    """

    lows: Floats
    highs: Floats
    runs: tuple[Floats, ...]

    @classmethod
    def of(cls, runs: Sequence[Sequence[Histogram]]) -> Counts:
        """Line up the histograms, whose layouts may differ, on one list of buckets."""
        edges: dict[tuple[int, int, int], Floats] = {}
        sparse = [[_used(block, edges) for block in run] for run in runs]
        lows = np.unique(np.concatenate([np.unique(np.concatenate([block[0] for block in run])) for run in sparse]))
        highs, rows = np.empty(len(lows)), []
        for run in sparse:
            dense = np.zeros((len(run), len(lows)))
            for row, (starts, ends, counts) in zip(dense, run, strict=True):
                places = np.searchsorted(lows, starts)
                row[places], highs[places] = counts, ends
            rows.append(dense.cumsum(axis=1))
        return cls(lows, highs, tuple(rows))

    @property
    def totals(self) -> list[int]:
        """How many requests there are, run by run."""
        return [int(run[:, -1].sum()) for run in self.runs]

    @property
    def blocks(self) -> int:
        """How many blocks there are in all runs."""
        return sum(len(run) for run in self.runs)

    def half(self, which: int) -> Counts:
        """The first (0) or second (1) half of every run."""
        return Counts(
            self.lows,
            self.highs,
            tuple(run[: len(run) // 2] if which == 0 else run[len(run) // 2 :] for run in self.runs),
        )

    def percentiles(self, levels: Floats) -> Floats:
        """The percentiles of all requests together: (levels,)."""
        together: Floats = sum((run.sum(axis=0) for run in self.runs), np.zeros(len(self.lows)))
        places, shares = self._read(together, levels)
        return self.lows[places] + shares * (self.highs - self.lows)[places]

    def run_percentiles(self, levels: Floats) -> Floats:
        """The percentiles run by run: (runs, levels)."""
        return np.stack([Counts(self.lows, self.highs, (run,)).percentiles(levels) for run in self.runs])

    def exceedances(self, run: int, bounds: Floats) -> Floats:
        """By block, how many more requests than on average took longer than each bound: (blocks, bounds)."""
        rows, places = self.runs[run], np.searchsorted(self.lows, bounds, side="right") - 1
        above = rows[:, -1:] - rows[:, np.maximum(places, 0)]
        totals = rows[:, -1:]
        # A busy block is not a slow one: what counts is more than its fair share.
        centred: Floats = above - totals * (above.sum(axis=0) / totals.sum())
        return centred

    def _read(self, sums: Floats, levels: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
        ranks = np.maximum(sums[-1] * (levels / 100), 1e-9)
        places = np.searchsorted(sums, ranks)
        before = np.where(places > 0, sums[places - 1], 0.0)
        return places, (ranks - before) / (sums[places] - before)


def standard_errors(
    counts: Counts, run: int, levels: Floats, *, length: int, times: int, rng: np.random.Generator
) -> Floats:
    """How far chance within a run moves the logarithms of its percentiles: (levels,).

    Stretches of `length` neighbouring blocks are drawn with replacement, not single requests: requests of one moment
    share its stalls, and moments are like their neighbours.
    """
    rows = counts.runs[run]
    weights = _draw(len(rows), length, times, rng)
    columns = np.ascontiguousarray(rows.T)
    ranks = (weights @ rows[:, -1])[:, None] * (levels / 100)
    found = np.stack([_search(columns, weights, ranks[:, i], counts) for i in range(len(levels))], axis=1)
    spread: Floats = np.log(found).std(axis=0, ddof=1)
    return spread


def _draw(blocks: int, length: int, times: int, rng: np.random.Generator) -> Floats:
    starts = rng.integers(0, blocks, size=(times, math.ceil(blocks / length)))
    places = (starts[:, :, None] + np.arange(length)).reshape(times, -1)[:, :blocks] % blocks
    flat = places + np.arange(times)[:, None] * blocks
    return np.bincount(flat.ravel(), minlength=times * blocks).reshape(times, blocks).astype(np.float64)


def _search(columns: Floats, weights: Floats, ranks: Floats, counts: Counts) -> Floats:
    # Cumulated counts ascend, so each resample needs a few of their columns and not all thousands.
    low, high = np.zeros(len(ranks), dtype=np.intp), np.full(len(ranks), len(columns) - 1)
    while (low < high).any():
        middle = (low + high) // 2
        reached = np.einsum("rb,rb->r", columns[middle], weights) >= ranks
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    upper = np.einsum("rb,rb->r", columns[low], weights)
    lower = np.where(low > 0, np.einsum("rb,rb->r", columns[low - 1], weights), 0.0)
    share = (ranks - lower) / np.maximum(upper - lower, 1e-12)
    found: Floats = counts.lows[low] + share * (counts.highs - counts.lows)[low]
    return found


def stretch(series: Sequence[Floats]) -> int:
    """How many neighbouring blocks to draw together.

    Shapes: series: each (blocks, levels), the deviations of a run; what all runs have in common decides.
    """
    shortest = min(len(one) for one in series)
    if shortest < 8:
        return 1
    most = max(1, shortest // 5)
    lags = math.ceil(math.sqrt(shortest)) + max(5, math.ceil(math.sqrt(math.log10(shortest))))
    lags = min(lags, shortest // 2)
    covariances = np.mean([_covariances(one, lags) for one in series], axis=0)
    number = sum(len(one) for one in series) / len(series)
    wanted = max(_politis_white(covariances[:, i], shortest, len(series)) for i in range(covariances.shape[1]))
    return int(min(max(math.ceil(wanted), round(number ** (1 / 3))), most))


def _covariances(one: Floats, lags: int) -> Floats:
    n = len(one)
    scale = (one * one).mean(axis=0)
    scaled = one / np.sqrt(np.where(scale > 0, scale, 1.0))
    return np.stack([(scaled[: n - lag] * scaled[lag:]).sum(axis=0) / n for lag in range(lags + 1)])


def _politis_white(covariance: Floats, n: int, runs: int) -> float:
    if covariance[0] <= 0:
        return 1.0
    correlation = covariance / covariance[0]
    bound, quiet = 2 * math.sqrt(math.log10(n) / (n * runs)), 5
    calm = np.abs(correlation[1:]) < bound
    last = next((m for m in range(len(calm)) if calm[m : m + quiet].all()), len(calm))
    lags = np.arange(1, min(2 * max(last, 1), len(calm)) + 1)
    window = np.clip(2 * (1 - lags / (lags[-1] + 1e-9)), 0, 1)
    slope = 2 * (window * lags * correlation[lags]).sum()
    level = 1 + 2 * (window * correlation[lags]).sum()
    if level <= 0 or slope <= 0:
        return 1.0
    # The circular bootstrap's variance is 4/3 of the square of the spectrum at zero.
    return float((2 * slope**2 / (4 / 3 * level**2)) ** (1 / 3) * n ** (1 / 3))


def _used(block: Histogram, edges: dict[tuple[int, int, int], Floats]) -> tuple[Floats, Floats, Floats]:
    counts, layout = block.counts(), block._layout()[:3]
    if layout not in edges:
        edges[layout] = block.edges()
    used = (counts > 0).nonzero()[0]
    return edges[layout][used], edges[layout][used + 1], counts[used].astype(np.float64)
