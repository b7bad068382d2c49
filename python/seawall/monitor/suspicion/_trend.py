"""Whether a series grows: a robust slope with its confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seawall.errors import ConfigError

_FEWEST = 8


class Trend(NamedTuple):
    """How a series goes.

    Attributes:
        slope: The median of all slopes between two values, in units a second.
        low: The lower end of the interval that holds the slope with the confidence asked for.
        high: Its upper end.
        tau: From -1, always falling, to 1, always rising.
        p: The chance that a series without a trend looks at least as much like one.
    """

    slope: float
    low: float
    high: float
    tau: float
    p: float


def trend(times: Sequence[float], values: Sequence[float], *, confidence: float = 0.99) -> Trend:
    """The trend of a series. Pure.

    Guarantees: up to a quarter of the values may be anything without changing the slope much. Ties are allowed for.
    Values that depend on those before look more like a trend than they are: take them far apart, or the least ones of
    blocks.
    Shapes: times and values: (n,), n from 8; costs n * n memory.

    Args:
        times: Seconds, rising.
        values: Finite.
        confidence: Of the interval, 0.5 to 0.9999.

    Raises:
        ConfigError: fewer than 8 values, or not as many as times; or a confidence out of range.

    Source: H. Theil (1950) and P. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau (1968); H. Mann,
    Nonparametric Tests Against Trend (1945), with M. Kendall's correction for ties.

    Example:
        >>> found = trend(range(10), [3 * t + (t % 2) for t in range(10)])
        >>> (found.slope, found.tau, found.p < 0.01)
        (3.0, 1.0, True)
    """
    if len(times) != len(values) or len(values) < _FEWEST:
        raise ConfigError(f"values must be at least {_FEWEST}, as many as times, got {len(values)} and {len(times)}")
    if not 0.5 <= confidence <= 0.9999:
        raise ConfigError(f"confidence must be 0.5 to 0.9999, got {confidence}")
    t, x = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    upper = np.triu_indices(len(x), 1)
    rises, spans = (x[None, :] - x[:, None])[upper], (t[None, :] - t[:, None])[upper]
    slopes = np.sort(rises / spans)
    s, deviation = float(np.sign(rises).sum()), math.sqrt(_variance(x))
    z = (s - math.copysign(1, s)) / deviation if deviation and s else 0.0
    low, high = _interval(slopes, deviation * NormalDist().inv_cdf((1 + confidence) / 2))
    return Trend(float(np.median(slopes)), low, high, s / len(rises), 2 * (1 - NormalDist().cdf(abs(z))))


def _variance(values: npt.NDArray[np.float64]) -> float:
    """Of the sum of signs, where there is no trend."""
    n = len(values)
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    return max(0.0, (n * (n - 1) * (2 * n + 5) - tied) / 18)


def _interval(slopes: npt.NDArray[np.float64], reach: float) -> tuple[float, float]:
    """The slopes that lie as many places from the middle as chance may move it."""
    count = len(slopes)
    first = max(0, math.floor((count - reach) / 2))
    last = min(count - 1, math.ceil((count + reach) / 2))
    return float(slopes[first]), float(slopes[last])
