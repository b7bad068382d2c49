"""Logical clocks, slow and obvious."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

FULL = 1 << 16


@dataclass
class HybridOracle:
    """Figure 5 of Kulkarni et al. 2014, with a count that carries: time `l` in units of 2**-16 s, and count `c`."""

    l: int = 0  # noqa: E741 - the paper's name
    c: int = 0

    def now(self, wall_ns: int) -> tuple[int, int]:
        """A local event or a send."""
        before = self.l
        self.l = max(before, units(wall_ns))
        self.c = self.c + 1 if self.l == before else 0
        return self._carried()

    def receive(self, stamp: tuple[int, int], wall_ns: int, most_ahead: int) -> tuple[int, int] | None:
        """A receive; None when the stamp is too far ahead."""
        time, count = stamp
        if time - units(wall_ns) > most_ahead:
            return None
        before = self.l
        self.l = max(before, time, units(wall_ns))
        if self.l == before == time:
            self.c = max(self.c, count) + 1
        elif self.l == before:
            self.c += 1
        elif self.l == time:
            self.c = count + 1
        else:
            self.c = 0
        return self._carried()

    def _carried(self) -> tuple[int, int]:
        if self.c == FULL:
            self.l, self.c = self.l + 1, 0
        return self.l, self.c


def units(wall_ns: int) -> int:
    """Whole units of 2**-16 s."""
    return int(Fraction(wall_ns * FULL, 1_000_000_000))


def packed(stamp: tuple[int, int]) -> int:
    """A stamp as the clock gives it."""
    return stamp[0] << 16 | stamp[1]


def relation(one: frozenset[object], two: frozenset[object]) -> str:
    """How two sets of events relate: what a vector clock tells without keeping them."""
    if one == two:
        return "equal"
    if one < two:
        return "before"
    return "after" if two < one else "concurrent"
