"""The lookup table of Maglev."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from seawall._core import hashing as _core
from seawall._core import placing
from seawall._core.descriptors import own_methods
from seawall.distributed.hashing._members import Members
from seawall.distributed.hashing._nodes import Node, Nodes, in_order, listed, zone_numbers
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from numpy import int32, uint64
    from numpy.typing import NDArray

SLOTS = 65_537
MOST_SLOTS = 1 << 26


def is_prime(number: int) -> bool:
    """Whether a number has no divisor but itself; quick up to MOST_SLOTS."""
    return number > 1 and all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def checked_slots(slots: object, nodes: int) -> int:
    """The size of a table."""
    if isinstance(slots, bool) or not isinstance(slots, int) or not max(nodes, 3) <= slots <= MOST_SLOTS:
        raise ConfigError(
            f"slots must be a prime from {max(nodes, 3)} to {MOST_SLOTS:,}, got {slots!r}; "
            f"{SLOTS} is the default, a hundred times the nodes keep loads within 1 %"
        )
    if not is_prime(slots):
        near = next(number for number in range(slots + 1, 2 * slots) if is_prime(number))
        raise ConfigError(f"slots must be a prime, got {slots}; the next one is {near}")
    return slots


@own_methods
class Maglev(Members, _core.MaglevTable):
    """A table that nodes fill in turn: the quickest lookup, and equal shares to one slot.

    Guarantees: nodes of the same weight have the same number of slots, to one. A change of nodes moves the keys that it
    must and a few per cent more; the fewer, the more slots there are.
    Thread safety: immutable; add, remove and with_ make a new table, at the cost of a whole build.
    Cost: `node` of a short text about 30 ns; a build about 2 ms, 4 bytes a slot.

    Args:
        nodes: Names, weights by name, or Nodes. One whose share is below a slot has no keys.
        slots: A prime, at least as many as nodes, better a hundred times as many.

    Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (2016), section 3.4. Which
    nodes follow in `nodes` is not from there: those of the next slots.

    Example:
        >>> backends = Maglev(["10.0.0.1", "10.0.0.2"])
        >>> backends.node("198.51.100.7:52044")
        '10.0.0.2'
    """

    __slots__ = ()

    def __init__(self, nodes: Nodes, *, slots: int = SLOTS) -> None:
        self._build(in_order(listed(nodes)), slots)

    def shares(self) -> dict[str, float]:
        """The share of all slots that each node has."""
        import numpy

        counts = numpy.bincount(placing.slots(self._capsule()), minlength=len(self))
        return dict(zip(self.names, (counts / self.slots).tolist(), strict=True))

    @property
    def slots(self) -> int:
        """The size of the table."""
        return int(self._settings["slots"])

    def _build(self, nodes: tuple[Node, ...], slots: int) -> None:
        names = [node.name for node in nodes]
        checked_slots(slots, len(nodes))
        kernel = placing.maglev(names, [node.weight for node in nodes], slots)
        self._place_by(kernel, nodes, zone_numbers(nodes), {"slots": slots})

    def _with_members(self, nodes: tuple[Node, ...]) -> Self:
        changed = type(self).__new__(type(self))
        changed._build(nodes, self.slots)
        return changed

    def _owners(self, hashes: NDArray[uint64]) -> NDArray[int32]:
        return placing.maglev_owners(self._capsule(), hashes)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} nodes, {self.slots} slots>"
