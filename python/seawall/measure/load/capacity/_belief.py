"""What is known about a limit after some noisy outcomes: a posterior over the logarithm of the rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# How often a step far away from the limit comes out wrong: a neighbour's job, a pause for garbage.
_LAPSE = 0.02
# How gradual a limit may be, in parts of the precision: between rates at which 1/4 and 3/4 of steps fail lies 2.2 times
# the scale. What is more gradual than asked for precisely takes many more steps than people wait for.
_SCALES = np.array([0.02, 0.2, 0.6])
_SCALE_PRIOR = np.array([0.4, 0.3, 0.3])
# Before anything is known: that the limit is below the first rate, and that it is beyond the last.
_BELOW = _ABOVE = 0.1
_CELLS_PER_PRECISION = 12


@dataclass(frozen=True, slots=True)
class Belief:
    """Where the limit is believed to be.

    Shapes: `edges` (n + 1,) logarithms of rates, `weights` (n,) probabilities of the cells between them.

    Args:
        below: Probability of a limit below the cells.
        above: Probability of a limit beyond them.
    """

    edges: Floats
    weights: Floats
    below: float
    above: float

    def quantile(self, share: float) -> float:
        """The rate below which the limit is with that probability; 0 or inf where that is outside of all rates."""
        inside = share - self.below
        if inside < 0:
            return 0.0
        if share > 1.0 - self.above:
            return math.inf
        sums = np.concatenate(([0.0], np.cumsum(self.weights)))
        return math.exp(float(np.interp(inside, sums, self.edges)))

    def at_least(self, rate: float) -> float:
        """The probability that the limit is there or above."""
        sums = np.concatenate(([0.0], np.cumsum(self.weights)))
        return 1.0 - self.below - float(np.interp(math.log(rate), self.edges, sums))


def believe(outcomes: Sequence[tuple[float, bool]], *, start: float, most: float, precision: float) -> Belief:
    """Update the prior by the outcomes, pairs of a rate and whether it passed; their order does not matter.

    The chance that a step at rate r passes under the limit c is a logistic function of log(c / r) of unknown scale,
    cut off at the share of lapses on both ends; the prior is even over the logarithm of the rate.

    Source: Horstein, Sequential Transmission Using Noiseless Feedback (1963); Watson and Pelli, QUEST (1983).
    """
    # A little beyond what can be tried, or a limit just there would have to be on one side or the other.
    margin = math.log1p(precision)
    low, high = math.log(start) - margin, math.log(most) + margin
    cells = math.ceil((high - low) / margin * _CELLS_PER_PRECISION)
    edges = np.linspace(low, high, cells + 1)
    limits = np.concatenate(([-np.inf], (edges[1:] + edges[:-1]) / 2, [np.inf]))
    prior = np.full(cells + 2, (1.0 - _BELOW - _ABOVE) / cells)
    prior[0], prior[-1] = _BELOW, _ABOVE
    logs = np.log(np.outer(_SCALE_PRIOR, prior))
    for rate, passed in outcomes:
        logs += np.log(_chance(limits - math.log(rate), precision * _SCALES, passed=passed))
    weights = np.exp(logs - logs.max()).sum(axis=0)
    weights /= weights.sum()
    return Belief(edges, weights[1:-1], float(weights[0]), float(weights[-1]))


def _chance(margins: Floats, scales: Floats, *, passed: bool) -> Floats:
    # tanh of a half is the logistic function, and does not overflow.
    halves = (margins if passed else -margins)[None, :] / (2.0 * scales[:, None])
    return 0.5 + (0.5 - _LAPSE) * np.tanh(halves)
