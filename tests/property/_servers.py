"""Runs of a made-up server that behaves like real ones where it matters for comparing: see `Server`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seawall.measure import Histogram, HlogInterval, LoadResult
from seawall.measure.load import Throughput, Verdict


@dataclass(frozen=True, slots=True)
class Server:
    """A server with log-normal response times whose level wanders, which stalls, and which differs from run to run.

    Args:
        each: Requests a block, one second each.
        blocks: How many seconds a run has.
        median: Of the response time, in seconds.
        sigma: Of the logarithm of the response times in a block.
        wander: Standard deviation of the logarithm of a block's level.
        memory: Correlation of the levels of neighbouring blocks (autoregressive of order one).
        stalls: Chance of a block to have a stall of up to 50 ms, which a tenth of its requests wait for.
        offset: Standard deviation of the logarithm of a run's level.
    """

    each: int = 600
    blocks: int = 64
    median: float = 0.003
    sigma: float = 0.5
    wander: float = 0.015
    memory: float = 0.5
    stalls: float = 0.02
    offset: float = 0.003

    def run(self, rng: np.random.Generator, slower: float = 0.0) -> LoadResult:
        """One load test; `slower` lengthens all times by that share."""
        scale = self.median * (1 + slower) * math.exp(self.offset * rng.standard_normal())
        level, blocks, whole = rng.standard_normal(), [], Histogram()
        for i in range(self.blocks):
            level = self.memory * level + math.sqrt(1 - self.memory**2) * rng.standard_normal()
            times = scale * math.exp(self.wander * level) * rng.lognormal(0.0, self.sigma, self.each)
            if rng.random() < self.stalls:
                waiting = self.each // 10
                times[:waiting] += np.linspace(0.05, 0.0, waiting)
            block = Histogram(highest=2.0)
            block.record_many(times)
            blocks.append(HlogInterval(float(i), 1.0, None, block))
        return result_of(whole, blocks, self.each * self.blocks)


def result_of(whole: Histogram, blocks: list[HlogInterval], n: int) -> LoadResult:
    """A valid result with these blocks; comparing reads nothing else."""
    return LoadResult(
        response_time=whole,
        service_time=whole,
        schedule_error=Histogram(),
        throughput=Throughput(float(len(blocks)), (float(n),), (n,), (n,), (n,), (0,)),
        outcomes={"2xx": n},
        planned=n,
        sent=n,
        completed=n,
        late=0,
        dropped=0,
        first_error=None,
        verdict=Verdict(True),
        duration=float(len(blocks)),
        interrupted=False,
        blocks=tuple(blocks),
    )
