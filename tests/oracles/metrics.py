"""Metrics, slow and obvious: dictionaries of exact numbers, and what texts must say of them."""

from __future__ import annotations

from fractions import Fraction

OVERFLOW = "overflow"


def kept(n: float) -> Fraction:
    """A number as counters keep it: whole, and the rest rounded half up to billionths."""
    whole = int(n)
    return whole + Fraction(int((n - whole) * 1e9 + 0.5), 10**9)


class Family:
    """Series by their label values, at most `most` of them and one for all others."""

    def __init__(self, kind: str, width: int, most: int) -> None:
        self.kind, self.width, self.most = kind, width, most
        self.series: dict[tuple[str, ...], list[Fraction]] = {}
        self.overflowed = 0

    def key(self, values: tuple[str, ...], *, again: bool = False) -> tuple[str, ...]:
        """Under which key values are counted; asking for what found no room is counted too."""
        crowd = (OVERFLOW,) * self.width
        if values in self.series or values == crowd:
            return values
        if len([key for key in self.series if key != crowd]) < self.most:
            self.series[values] = []
            return values
        self.overflowed += not again
        return crowd

    def record(self, values: tuple[str, ...], n: Fraction) -> None:
        """One more number of a series."""
        self.series.setdefault(self.key(values), []).append(n)

    def totals(self) -> dict[tuple[str, ...], Fraction]:
        """What a counter says, and of a histogram the sums; a series of all others only where it holds something."""
        crowd = (OVERFLOW,) * self.width
        found = {key: sum(numbers, Fraction(0)) for key, numbers in self.series.items()}
        return {key: n for key, n in found.items() if key != crowd or n}

    def lasts(self) -> dict[tuple[str, ...], Fraction]:
        """What a gauge says: of series that were set."""
        return {key: numbers[-1] for key, numbers in self.series.items() if numbers}

    def up_to(self, bounds: tuple[float, ...]) -> dict[tuple[tuple[str, ...], float], int]:
        """What the buckets of a histogram say."""
        return {
            (key, bound): sum(n <= bound for n in numbers) for key, numbers in self.series.items() for bound in bounds
        }
