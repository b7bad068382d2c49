"""The order of events by counting."""

from __future__ import annotations

from typing import Any, NamedTuple

from seawall._core import logical as _kernel
from seawall._core.descriptors import own_methods
from seawall.distributed.clocks._checks import checked_name, checked_node
from seawall.errors import ConfigError
from seawall.memory import Segment

DEFAULT_JUMP = 1 << 48


class LamportStamp(NamedTuple):
    """A time and who gave it. Stamps compare by time, then node: one order of all events, the same everywhere."""

    time: int
    node: str


@own_methods
class LamportClock(_kernel.Lamport):
    """A counter that never runs behind what it has been told.

    `tick()` gives the time of a local event, `send()` the stamp of a message, `receive(stamp)` the time of taking one;
    `value` is the last time given.

    Guarantees: if one event could have caused another, its time is smaller. The reverse does not hold: that takes a
    `VectorClock`. No time is given twice by one clock, from however many threads and (shared) processes.
    Units: ticks, 1 to 2**63 - 1. Thread safety: yes, lock-free. Cost: about 20 ns a tick; 64 bytes of memory.

    Args:
        node: Who this is, at most 255 bytes in UTF-8; no two clocks may have the same, unless they share state.
        max_jump: A stamp that is further ahead is refused, 1 to 2**62 ticks; so no broken peer uses the range up.
        shared: A segment, or its name: every process that names it ticks the same clock.
        name: The slot in the segment.

    Raises:
        ConfigError: An option that can never work.
        ClockDrift: `receive` was given a stamp too far ahead; the clock stays as it was.
        OverflowError: The range is used up.

    Source: Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed System".

    Example:
        >>> alice, bob = LamportClock("alice"), LamportClock("bob")
        >>> alice.tick()
        1
        >>> message = alice.send()
        >>> message
        LamportStamp(time=2, node='alice')
        >>> bob.receive(message)
        3
        >>> message < bob.send()
        True
    """

    __slots__ = ("__weakref__", "_max_jump", "_name", "node")

    node: str

    def __init__(
        self,
        node: str,
        *,
        max_jump: int = DEFAULT_JUMP,
        shared: Segment | str | None = None,
        name: str = "lamport_clock",
    ) -> None:
        if isinstance(max_jump, bool) or not isinstance(max_jump, int) or not 1 <= max_jump <= 1 << 62:
            raise ConfigError(f"max_jump must be 1 to 2**62 ticks, got {max_jump!r}; 2**48 is the default")
        self.node, self._max_jump, self._name = checked_node(node), max_jump, checked_name(name)
        self._open(self._name, max_jump, Segment.of(shared))

    def send(self) -> LamportStamp:
        """A new stamp, for a message or for an event that others will order."""
        return LamportStamp(self.tick(), self.node)

    def __repr__(self) -> str:
        where = f" shared in {self.segment.path}" if self.segment else ""
        return f"<LamportClock {self.node!r} at {self.value}{where}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.segment is None:
            raise TypeError(
                f"the LamportClock of {self.node!r} cannot be pickled: a copy would give the same times again; "
                "give it shared='...' so that both use one"
            )
        return _attach, (self.node, self._max_jump, self.segment, self._name)


def _attach(node: str, max_jump: int, segment: Segment, name: str) -> LamportClock:
    return LamportClock(node, max_jump=max_jump, shared=segment, name=name)
