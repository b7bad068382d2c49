"""The ring whose nodes carry no more than their share and some headroom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seawall._core import hashing as _core
from seawall._core import placing
from seawall._core.descriptors import own_methods
from seawall.distributed.hashing._keys import Key, stable_hash_many
from seawall.distributed.hashing._nodes import Node, Nodes, in_order, listed, renumbered
from seawall.distributed.hashing._ring import VNODES, Ring, checked_vnodes
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from numpy import int32, uint64
    from numpy.typing import NDArray

HEADROOM = 0.25


def checked_headroom(headroom: object) -> float:
    """How much more than its share a node may carry."""
    if isinstance(headroom, bool) or not isinstance(headroom, (int, float)) or not 0.01 <= headroom <= 100:
        raise ConfigError(
            f"headroom must be 0.01 to 100 of a node's share, got {headroom!r}; {HEADROOM} is the default"
        )
    return float(headroom)


@own_methods
class BoundedRing(_core.BoundedTable, Ring):
    """A ring that counts loads: a key goes to the first node onward from its place that has room.

    Guarantees: when `acquire` puts a load on a node, the node carries at most (1 + headroom) times its share by weight
    of all loads, rounded up; without `release` that holds for all nodes at all times. Loads that were there before a
    node came or others were released stay where they are.
    Rings made by add, remove and with_ go on counting the loads of the nodes they share; a pickled one starts anew.
    Thread safety: immutable but for the loads, whose counting is linearizable.
    Cost: `acquire` and `release` about 130 ns and 1 ns a node.

    Args:
        nodes: Names, weights by name, or Nodes.
        headroom: How much more than its share a node may carry, 0.01 to 100. Little keeps loads even, much keeps keys
            in their places.
        vnodes: As for Ring.

    Source: Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2016).

    Example:
        >>> ring = BoundedRing(["a", "b"], headroom=0.25)
        >>> with ring.acquire("hot") as node:
        ...     sorted(ring.loads().items())
        [('a', 0), ('b', 1)]
    """

    __slots__ = ()

    def __init__(self, nodes: Nodes, *, headroom: float = HEADROOM, vnodes: int = VNODES) -> None:
        settings = {"headroom": checked_headroom(headroom), "vnodes": checked_vnodes(vnodes)}
        self._build(in_order(listed(nodes)), settings, None)

    @property
    def headroom(self) -> float:
        """How much more than its share a node may carry."""
        return float(self._settings["headroom"])

    def _build(self, nodes: tuple[Node, ...], settings: dict[str, Any], old: Ring | None) -> None:
        total = math.fsum(node.weight for node in nodes)
        shares = [node.weight / total for node in nodes]
        before = old._bounds() if isinstance(old, BoundedRing) else None
        was = renumbered(nodes, old.members) if old is not None else [-1] * len(nodes)
        bounds = placing.bounded(shares, settings["headroom"], before, was)
        super()._build(nodes, settings, old)
        self._bound_by(bounds)

    def loads(self) -> dict[str, int]:
        """What each node carries now."""
        return dict(zip(self.names, self._loads(), strict=True))

    def assign_many(self, keys: Sequence[Key] | NDArray[Any], loads: Mapping[str, int] | None = None) -> NDArray[int32]:
        """Divide keys among the nodes, one after the other, each on top of those before; indices into `names`.

        Guarantees: no node gets more than (1 + headroom) times its share of all, rounded up, unless it carried more
        before. Counts nothing: `loads()` is as before.

        Args:
            keys: n keys, or an (n,) array of whole numbers or text.
            loads: What the nodes carry at first, by name; None for what is counted here.
        """
        return self._bounded_owners(stable_hash_many(keys), loads, True)

    def _owners(self, hashes: NDArray[uint64]) -> NDArray[int32]:
        return self._bounded_owners(hashes, None, False)

    def _bounded_owners(self, hashes: NDArray[uint64], loads: Mapping[str, int] | None, adding: bool) -> NDArray[int32]:
        import numpy

        carried = self._loads() if loads is None else self._load_list(dict(loads))
        return placing.bounded_owners(
            self._capsule(), self._bounds(), hashes, numpy.array(carried, dtype=numpy.int64), adding
        )
