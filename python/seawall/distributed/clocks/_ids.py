"""Identifiers that sort by time and are never given twice."""

from __future__ import annotations

from uuid import UUID

from seawall.distributed.clocks._hybrid import HybridClock
from seawall.distributed.clocks._stamp import HybridStamp
from seawall.errors import ConfigError

_NODE_BITS = 58


class UniqueIds:
    """UUIDs (version 8) of a hybrid clock's stamp and a node number: they sort as the stamps do, in every form.

    Guarantees: unique over all nodes that have numbers of their own, and over restarts where the clock has a store.
    Thread safety: yes. Cost: about 2 us, nearly all of it for Python's UUID.

    Args:
        node: The number of this node, 0 to 2**58 - 1; processes may share it where they share the clock.
        clock: Where stamps come from.

    Source: RFC 9562, section 5.8.

    Example:
        >>> ids = UniqueIds(7, HybridClock())
        >>> ids.next() < ids.next()
        True
    """

    __slots__ = ("clock", "node")

    def __init__(self, node: int, clock: HybridClock) -> None:
        if isinstance(node, bool) or not isinstance(node, int) or not 0 <= node < 1 << _NODE_BITS:
            raise ConfigError(f"node must be a number from 0 to 2**58 - 1, got {node!r}")
        if not isinstance(clock, HybridClock):
            raise ConfigError(f"clock must be a HybridClock, got {clock!r}")
        self.node, self.clock = node, clock

    def next(self) -> UUID:
        """A new identifier."""
        stamp = self.clock.now()
        # The stamp's last four bits stand behind the version and the variant, which are the same in all.
        high = (stamp >> 16) << 16 | 8 << 12 | (stamp >> 4) & 0xFFF
        return UUID(int=high << 64 | 2 << 62 | (stamp & 0xF) << _NODE_BITS | self.node)

    @staticmethod
    def stamp_of(unique: UUID) -> HybridStamp:
        """The stamp inside an identifier made here."""
        high = unique.int >> 64
        return HybridStamp((high >> 16) << 16 | (high & 0xFFF) << 4 | (unique.int >> _NODE_BITS) & 0xF)

    @staticmethod
    def node_of(unique: UUID) -> int:
        """The node number inside an identifier made here."""
        return unique.int & ((1 << _NODE_BITS) - 1)
