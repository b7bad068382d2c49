"""Percentiles of resampled runs.

Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 (blocks) and 13 (percentile
intervals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seawall.measure._histogram import Histogram

Floats = npt.NDArray[np.float64]
# Bounds the memory of a step: so many resamples times the distinct buckets.
_CHUNK = 128


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by block and bucket, run by run.

    Shapes: values: (k,) ascending middles of buckets; runs: each (blocks, k).
    """

    values: Floats
    runs: tuple[Floats, ...]

    @classmethod
    def of(cls, runs: Sequence[Sequence[Histogram]]) -> Counts:
        """Line up the histograms, whose layouts may differ, on one list of buckets."""
        sparse = [[_used(block) for block in run] for run in runs]
        values = np.unique(np.concatenate([middles for run in sparse for middles, _ in run]))
        return cls(values, tuple(np.stack([_dense(values, *block) for block in run]) for run in sparse))

    @property
    def total(self) -> int:
        """How many requests there are in all."""
        return int(sum(run.sum() for run in self.runs))

    @property
    def blocks(self) -> int:
        """How many blocks there are in all runs."""
        return sum(len(run) for run in self.runs)

    def percentiles(self, levels: Floats) -> Floats:
        """The percentiles of all requests together: (levels,)."""
        together: Floats = sum((run.sum(axis=0) for run in self.runs), np.zeros(len(self.values)))
        first: Floats = self._read(together.cumsum()[None, :], levels)[0]
        return first

    def resample(self, levels: Floats, times: int, rng: np.random.Generator) -> Floats:
        """The percentiles of `times` resamples: (times, levels).

        Blocks are drawn with replacement, not single requests, which are alike within a block. Several runs are drawn
        first, then blocks within them, because runs differ by more than their blocks do.
        """
        weights = self._weights(times, rng)
        # Sums of cumulated counts are the cumulated sums, and cumulating a few blocks is cheaper.
        cumulated = [run.cumsum(axis=1) for run in self.runs]
        found = np.empty((times, len(levels)))
        for start in range(0, times, _CHUNK):
            part = slice(start, start + _CHUNK)
            sums: Floats = sum(
                (drawn[part] @ run for drawn, run in zip(weights, cumulated, strict=True)),
                np.zeros((len(found[part]), len(self.values))),
            )
            found[part] = self._read(sums, levels)
        return found

    def _weights(self, times: int, rng: np.random.Generator) -> list[Floats]:
        n = len(self.runs)
        chosen = rng.multinomial(n, np.full(n, 1 / n), size=times)
        return [
            rng.multinomial(chosen[:, i] * len(run), np.full(len(run), 1 / len(run))).astype(np.float64)
            for i, run in enumerate(self.runs)
        ]

    def _read(self, sums: Floats, levels: Floats) -> Floats:
        ranks = np.maximum(np.ceil(sums[:, -1:] * (levels / 100)), 1)
        places = np.stack([(sums >= ranks[:, i : i + 1]).argmax(axis=1) for i in range(len(levels))], axis=1)
        found: Floats = self.values[places]
        return found


def _used(block: Histogram) -> tuple[Floats, Floats]:
    counts, edges = block.counts(), block.edges()
    used = counts.nonzero()[0]
    return (edges[used] + edges[used + 1]) / 2, counts[used].astype(np.float64)


def _dense(values: Floats, middles: Floats, counts: Floats) -> Floats:
    row = np.zeros(len(values))
    row[np.searchsorted(values, middles)] = counts
    return row
