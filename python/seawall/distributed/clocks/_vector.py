"""What each side knew: which of two histories contains the other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Self, final

from seawall._core import logical as _kernel
from seawall.clock import ManualClock, WallClock, to_ns
from seawall.distributed.clocks import _pruning
from seawall.distributed.clocks._checks import checked_node, checked_wall
from seawall.distributed.clocks._json import from_text, to_text
from seawall.distributed.clocks._order import Order
from seawall.errors import ConfigError

MOST_COUNT = (1 << 63) - 1
MOST_ENTRIES = 4_096
_MOST_AGE_NS = 1 << 58
_LATEST_MS = (1 << 48) - 1


@final
class VectorClock(_kernel.Vector):
    """How many events of each node a history contains. A value: every operation gives a new clock.

    Guarantees: `a.compare(b)` is "before" exactly when b contains all events of a and more, as long as nothing was
    pruned. After pruning it may say "concurrent" instead of any other answer, but an order it tells is right. Each node
    must count on from a clock that contains its own events so far.
    Thread safety: values never change. Cost: 0.1 us to compare ten entries; 5 to 20 bytes an entry.

    Args:
        counts: Events by node, at least 1 each, at most 4,096 nodes; none by default. Their age is unknown: the first
            to be pruned.

    Raises:
        ConfigError: A count, a node or a form that can never be; a clock that is full.

    Source: Fidge 1988; Mattern 1989; pruning after Dynamo (DeCandia et al. 2007, section 4.4), made safe by marks.

    Example:
        >>> first = VectorClock().increment("alice")
        >>> second, third = first.increment("bob"), first.increment("carol")
        >>> first < second, second.compare(third)
        (True, <Order.CONCURRENT: 'concurrent'>)
        >>> second.merge(third)
        VectorClock({'alice': 1, 'bob': 1, 'carol': 1})
    """

    __slots__ = ()

    def __new__(cls, counts: Mapping[str, int] | None = None) -> Self:
        return super().__new__(cls, _EMPTY if not counts else _form_of(counts))

    @property
    def counts(self) -> Mapping[str, int]:
        """Events by node, of the entries that are left."""
        return MappingProxyType({node: count for node, count, _ in self._entries()})

    @property
    def pruned(self) -> bool:
        """Whether entries were taken away, here or in a clock merged into this one."""
        return bytes(self)[1] != 0

    def __getitem__(self, node: str) -> int:
        return next((count for name, count, _ in self._entries() if name == node), 0)

    def __len__(self) -> int:
        return len(self._entries())

    def increment(self, node: str, *, clock: WallClock | ManualClock | None = None) -> VectorClock:
        """With one more event of `node`, now by `clock`: its count rises above all it can have had."""
        at_ms = min(max(checked_wall(clock).now_ns() // 1_000_000, 0), _LATEST_MS)
        form = self._advanced(checked_node(node).encode(), at_ms)
        if not form:
            raise ConfigError(
                f"the clock has no room for another event of {node!r}: {len(self)} of {MOST_ENTRIES} entries, "
                f"counts up to 2**63 - 1; prune it"
            )
        return _made(form)

    def merge(self, other: VectorClock) -> VectorClock:
        """With all the events of both."""
        if not isinstance(other, VectorClock):
            raise ConfigError(f"other must be a VectorClock, got {other!r}")
        heads, marks, most = _pruning.union(self._pruned(), other._pruned())
        form = self._merged(other, heads, marks, most)
        try:
            return _made(form)
        except ConfigError:
            raise ConfigError(f"the clocks have more than {MOST_ENTRIES} entries together; prune them first") from None

    def prune(
        self,
        *,
        max_entries: int | None = None,
        max_age: float | timedelta | None = None,
        clock: WallClock | ManualClock | None = None,
    ) -> VectorClock:
        """Without the entries whose last event is older than `max_age`, and without the oldest above `max_entries`.

        The loss: a clock that still has an entry taken away here, or that never saw this pruning, is "concurrent" from
        now on even where an order exists, until both are merged. Clocks that carry the pruning on compare as before.
        """
        entries = self._entries()
        kept = _kept(entries, max_entries, max_age, checked_wall(clock).now_ns())
        gone = [entry for entry in entries if entry not in kept]
        if not gone:
            return self
        heads, marks, most = _pruning.add(self._pruned(), gone)
        left = [(node.encode(), count, at) for node, count, at in entries if (node, count, at) in kept]
        return _made(_kernel.pack_vector(heads, marks, most, left))

    def __eq__(self, other: object) -> bool:
        return self.compare(other) is Order.EQUAL if isinstance(other, VectorClock) else NotImplemented

    def __lt__(self, other: VectorClock) -> bool:
        return self.compare(other) is Order.BEFORE if isinstance(other, VectorClock) else NotImplemented

    def __le__(self, other: VectorClock) -> bool:
        return self.compare(other) in _UP_TO if isinstance(other, VectorClock) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple((node, count) for node, count, _ in self._entries()))

    @classmethod
    def from_bytes(cls, form: bytes) -> VectorClock:
        """The clock that `bytes(clock)` wrote."""
        if not isinstance(form, bytes):
            raise ConfigError(f"form must be the bytes of a vector clock, got {form!r}")
        made = _made(form)
        try:
            made._entries()
        except UnicodeDecodeError as error:
            raise ConfigError("a node of this vector clock is not written in UTF-8") from error
        return made

    def to_json(self) -> str:
        """As JSON: counts and times by node, and what pruning left behind."""
        return to_text(self._entries(), self._pruned())

    @classmethod
    def from_json(cls, text: str) -> VectorClock:
        """The clock that `to_json` wrote."""
        entries, (heads, marks, most) = from_text(text)
        return _made(_kernel.pack_vector(heads, marks, most, entries))

    def __repr__(self) -> str:
        return f"VectorClock({dict(self.counts)!r}{', pruned' if self.pruned else ''})"

    def __reduce__(self) -> tuple[Any, ...]:
        return VectorClock.from_bytes, (bytes(self),)


_EMPTY = _kernel.pack_vector(0, b"", 0, [])
_UP_TO = (Order.BEFORE, Order.EQUAL)


def _made(form: bytes) -> VectorClock:
    made: VectorClock = _kernel.Vector.__new__(VectorClock, form)
    return made


def _form_of(counts: Mapping[str, int]) -> bytes:
    if not isinstance(counts, Mapping):
        raise ConfigError(f"counts must be a mapping of nodes to counts, got {counts!r}")
    if len(counts) > MOST_ENTRIES:
        raise ConfigError(f"counts must name at most {MOST_ENTRIES} nodes, got {len(counts)}")
    for node, count in counts.items():
        checked_node(node)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_COUNT:
            raise ConfigError(f"the count of {node!r} must be 1 to 2**63 - 1, got {count!r}")
    return _kernel.pack_vector(0, b"", 0, sorted((node.encode(), count, 0) for node, count in counts.items()))


def _kept(
    entries: list[tuple[str, int, int]], most: int | None, age: float | timedelta | None, now_ns: int
) -> set[tuple[str, int, int]]:
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST_ENTRIES):
        raise ConfigError(f"max_entries must be 1 to {MOST_ENTRIES}, got {most!r}")
    if most is None and age is None:
        raise ConfigError("prune needs max_entries, max_age or both; without either nothing would be pruned")
    if age is not None:
        since = (now_ns - to_ns(age, "max_age", most_ns=_MOST_AGE_NS)) // 1_000_000
        entries = [entry for entry in entries if entry[2] >= since]
    # By time, then by what is the same on every machine, so that all prune alike.
    newest = sorted(entries, key=lambda entry: (-entry[2], -entry[1], entry[0]))
    return set(newest[:most])
