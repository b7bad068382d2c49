"""A line of the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from benchmarks._case import OURS, Case, Missing


@dataclass
class Row:
    """What was measured of one case, or why it was not.

    Units: `ns` for one execution (value, key); `ratio`, `low` and `high` (quartiles) in units of the reference `of`,
    by default one `time.monotonic()`.
    """

    group: str
    library: str
    call: str
    ns: float = 0.0
    ratio: float = 0.0
    low: float = 0.0
    high: float = 0.0
    of: str | None = None
    target: str = ""
    value: str = ""
    reached: bool = True
    trouble: str = ""
    is_wrong: bool = False

    @classmethod
    def missing(cls, what: Missing) -> Self:
        """A library that is not installed."""
        return cls("not measured", what.library, "", trouble=what.why)

    @classmethod
    def wrong(cls, case: Case, why: str) -> Self:
        """A case that does not do what it is timed for."""
        return cls(case.group, case.library, case.call, trouble=f"wrong answer: {why}", is_wrong=True)

    @property
    def is_ours(self) -> bool:
        """A case of seawall."""
        return self.library == OURS

    @property
    def cost(self) -> str:
        """The time of one execution in a unit that reads well."""
        return told(self.ns)

    @property
    def verdict(self) -> str:
        """The target and whether it was reached."""
        if not self.target:
            return ""
        return f"{self.target}: {'reached' if self.reached else 'MISSED'}, {self.value}"


def told(ns: float) -> str:
    """Nanoseconds in a unit that reads well."""
    for unit, size in (("ms", 1e6), ("us", 1e4)):
        if ns >= size:
            return f"{ns / (1e6 if unit == 'ms' else 1e3):,.1f} {unit}"
    return f"{ns:,.0f} ns" if ns >= 100 else f"{ns:.3g} ns"


def times(ratio: float) -> str:
    """A ratio with three digits, never as a power of ten."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def grouped(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by group, the cheapest first, those not measured last."""
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (bool(row.trouble), row.ns)):
        groups.setdefault(row.group, []).append(row)
    return groups
