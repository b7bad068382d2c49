"""What moves when nodes change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from seawall._core import placing
from seawall.distributed.hashing._maglev import Maglev
from seawall.distributed.hashing._nodes import renumbered
from seawall.distributed.hashing._rendezvous import Rendezvous
from seawall.distributed.hashing._ring import Ring
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from numpy import int32
    from numpy.typing import NDArray

SAMPLES = 1_000_000
WHOLE = 2**64


class MovedRange(NamedTuple):
    """Stable hashes from `start` up to, not including, `end`, and the nodes before and after."""

    start: int
    end: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What moves from one placement to another, by the first node of a key.

    Args:
        moved: The share of all keys that changes its node, 0..1.
        flows: That share by (node before, node after).
        ranges: The hashes that move, for rings; () for others, whose moved hashes lie everywhere.
        samples: From how many keys the shares are estimated; None: they are exact.
    """

    moved: float
    flows: dict[tuple[str, str], float]
    ranges: tuple[MovedRange, ...]
    samples: int | None

    @property
    def exact(self) -> bool:
        """Whether the shares are exact, but for rounding."""
        return self.samples is None

    @property
    def error(self) -> float:
        """The standard error of `moved`; 0 where it is exact."""
        return 0.0 if self.samples is None else math.sqrt(self.moved * (1 - self.moved) / self.samples)


def diff(old: Ring | Rendezvous | Maglev, new: Ring | Rendezvous | Maglev, *, samples: int = SAMPLES) -> Diff:
    """Which keys change their node from `old` to `new`, two placements of the same kind.

    Exact for rings, where it also names the ranges of hashes, and for Maglev tables of the same size. For rendezvous it
    is estimated from keys, and says so. Bounded rings are compared as rings: loads are not foreseen.

    Args:
        old: Before.
        new: After.
        samples: Keys for an estimate, 1,000 to 100,000,000.

    Example:
        >>> before = Ring(["a", "b", "c"])
        >>> change = diff(before, before.add("d"))
        >>> change.exact, round(change.moved, 2), sorted({move.target for move in change.ranges})
        (True, 0.24, ['d'])
    """
    if isinstance(samples, bool) or not isinstance(samples, int) or not 1_000 <= samples <= 100_000_000:
        raise ConfigError(f"samples must be a whole number from 1,000 to 100,000,000 keys, got {samples!r}")
    if isinstance(old, Ring) and isinstance(new, Ring):
        return _of_rings(old, new)
    if isinstance(old, Maglev) and isinstance(new, Maglev):
        if old.slots == new.slots:
            return _of_tables(old, new, placing.slots(old._capsule()), placing.slots(new._capsule()), None)
        return _sampled(old, new, samples)
    if isinstance(old, Rendezvous) and isinstance(new, Rendezvous):
        return _sampled(old, new, samples)
    raise ConfigError(f"diff compares two placements of the same kind, got {old!r} and {new!r}")


def _of_rings(old: Ring, new: Ring) -> Diff:
    starts, ends, sources, targets = placing.moved(old._capsule(), new._capsule(), renumbered(old.members, new.members))
    ranges = tuple(
        MovedRange(start, end or WHOLE, old.names[source], new.names[target])
        for start, end, source, target in zip(
            starts.tolist(), ends.tolist(), sources.tolist(), targets.tolist(), strict=True
        )
    )
    sizes: dict[tuple[str, str], int] = {}
    for move in ranges:
        flow = move.source, move.target
        sizes[flow] = sizes.get(flow, 0) + move.end - move.start
    return Diff(sum(sizes.values()) / WHOLE, {flow: size / WHOLE for flow, size in sizes.items()}, ranges, None)


def _sampled(old: Rendezvous | Maglev, new: Rendezvous | Maglev, samples: int) -> Diff:
    import numpy

    keys = numpy.arange(samples)
    return _of_tables(old, new, old.lookup_many(keys), new.lookup_many(keys), samples)


def _of_tables(
    old: Rendezvous | Maglev,
    new: Rendezvous | Maglev,
    sources: NDArray[int32],
    targets: NDArray[int32],
    samples: int | None,
) -> Diff:
    import numpy

    now = numpy.array(renumbered(old.members, new.members), dtype=numpy.int64)
    moves = now[sources] != targets
    pairs, counts = numpy.unique(sources[moves].astype(numpy.int64) * len(new) + targets[moves], return_counts=True)
    flows = {
        (old.names[pair // len(new)], new.names[pair % len(new)]): count / len(sources)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
    }
    return Diff(float(moves.mean()), flows, (), samples)
