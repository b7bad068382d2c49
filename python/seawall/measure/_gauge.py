"""A number that goes up and down."""

from __future__ import annotations

from typing import Self

from seawall._core import counter as _kernel
from seawall._core.descriptors import own_methods
from seawall.memory import Segment


@own_methods
class Gauge(_kernel.Gauge):
    """A finite number that many threads and processes set and move.

    `set(x)` replaces it, `inc(n=1)` and `dec(n=1)` move it, `value` reads it; it starts at 0.0.

    Guarantees: no move is lost; calls take effect one after the other.
    Thread safety: any thread. Cost: about 18 ns a call.

    Args:
        shared: A segment, or its name: every process that names it moves one number.
        name: The slot in the segment.

    Raises:
        ValueError: a number is not finite, or the move would leave the range of a float; the value stays as it was.
        TypeError: an argument is no number, or is a bool.

    Example:
        >>> waiting = Gauge()
        >>> waiting.inc(3)
        >>> waiting.dec()
        >>> waiting
        Gauge(value=2.0)
    """

    __slots__ = ()

    def __new__(cls, *, shared: Segment | str | None = None, name: str = "gauge") -> Self:
        made: Self = _kernel.Gauge.__new__(cls, Segment.of(shared), name)
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value={self.value})"
