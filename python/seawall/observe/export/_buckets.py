"""Our buckets as those of other systems.

Source: the Prometheus native histograms specification; the OpenTelemetry metrics data model, ExponentialHistogram.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from seawall.errors import ConfigError
from seawall.observe._distribution import Distribution, edges_of
from seawall.observe._snapshot import Family

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Bounds = Sequence[float] | Mapping[str, Sequence[float]]

_DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BY_UNIT = {
    "bytes": tuple(float(4**power) for power in range(4, 16)),
    "ratio": (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0),
}


def bounds_of(family: Family, asked: Bounds | None) -> tuple[float, ...]:
    """The classic bounds of a family: those asked for, or the usual ones of its unit that it has values up to."""
    if isinstance(asked, Mapping):
        asked = asked.get(family.name)
    if asked is not None:
        return _checked(asked)
    layouts = [sample.value.layout for sample in family.samples if isinstance(sample.value, Distribution)]
    highest = max((layout[1] for layout in layouts), default=0)
    return tuple(bound for bound in _BY_UNIT.get(family.unit, _DEFAULT) if round(bound * 1e9) <= highest)


def _checked(bounds: Iterable[float]) -> tuple[float, ...]:
    limits = tuple(float(bound) for bound in bounds)
    rising = all(low < high for low, high in itertools.pairwise(limits))
    if not rising or not all(0 < bound < math.inf for bound in limits):
        raise ConfigError(f"bounds must be positive, finite and rising, got {limits}; +Inf is added by itself")
    return limits


class Exponential(NamedTuple):
    """A distribution in buckets whose bounds are powers of 2 ** 2 ** -scale.

    Attributes:
        scale: How fine: 8 has 256 buckets for each doubling.
        zero_threshold: Values up to it are counted in `zero_count`.
        indices: Rising; index i holds what is above base ** i, up to base ** (i + 1).
        counts: Of each index.
    """

    scale: int
    zero_threshold: float
    zero_count: int
    indices: list[int]
    counts: list[int]


def exponential(held: Distribution, *, finest: int, coarsest: int, most: int = 160, dense: bool = False) -> Exponential:
    """A distribution in at most `most` exponential buckets, or more only at the coarsest scale.

    A bucket of ours counts where its middle lies. So a quantile is off by at most one bucket of either kind:
    2 ** 2 ** -scale - 1, 0.27 % at scale 8, and 10 ** -digits of itself.

    Args:
        held: What is to be told.
        finest: The finest scale of the format. It is never finer than our buckets, which would claim what was not
            measured.
        coarsest: The coarsest.
        most: How many buckets.
        dense: Whether the empty buckets between others count, too.
    """
    import numpy as np

    edges = edges_of(held.layout)
    first = int(held.places.searchsorted(1))
    used = held.places[first:]
    scale = min(finest, int(math.log2(math.log(2) * 10 ** held.layout[2])))
    places = (np.ceil(np.log2((edges[used] + edges[used + 1]) / 2) * 2.0**scale) - 1).astype(np.int64)
    while _size(places, dense=dense) > most and scale > coarsest:
        places >>= 1
        scale -= 1
    zeros = int(held.counts[:first].sum())
    if not len(places):
        return Exponential(scale, float(edges[1]), zeros, [], [])
    starts = np.flatnonzero(np.diff(places, prepend=places[0] - 1))
    counts = np.add.reduceat(held.counts[first:], starts)
    return Exponential(scale, float(edges[1]), zeros, places[starts].tolist(), counts.tolist())


def _size(places: npt.NDArray[np.int64], *, dense: bool) -> int:
    """How many buckets rising places are."""
    if not len(places):
        return 0
    return int(places[-1] - places[0]) + 1 if dense else 1 + int((places[1:] != places[:-1]).sum())
