"""What comparing two sides of load tests gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Word = Literal["same", "faster", "slower", "cannot tell"]
Curve = tuple[tuple[float, float], ...]
_EXIT_CODES: dict[Word, int] = {"same": 0, "faster": 0, "slower": 1, "cannot tell": 4}


@dataclass(frozen=True, slots=True)
class Difference:
    """How a percentile of the response time differs.

    Units: `a` and `b` in seconds, nan where nothing ended; `change`, `low`, `high` and `spread` relative: 0.2 is 20 %
    slower.

    Args:
        percentile: Which one, above 0 and below 100.
        a: Its value before.
        b: Its value after.
        change: b / a - 1.
        low: Lower end of the confidence interval of `change`.
        high: Upper end of it.
        verdict: slower or faster when the whole interval is beyond the tolerance, same when it is within, else cannot
            tell.
        reason: Why it cannot tell, with what would help.
        spread: Standard deviation from run to run beyond what chance within runs explains; nan with one run a side.
    """

    percentile: float
    a: float
    b: float
    change: float
    low: float
    high: float
    verdict: Word
    reason: str = ""
    spread: float = float("nan")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing two load tests gave.

    Args:
        differences: One a percentile.
        errors: Shares of failed requests before and after.
        doubts: Why the times do not speak of the target alone.
        tolerance: The relative change that does not matter.
        confidence: With which all intervals hold together.
        runs: How many runs there were before and after.
        curves: For a chart, before and after: (percentile, seconds) in ascending order, up to 99.99 where at least one
            request lies beyond.
    """

    differences: tuple[Difference, ...]
    errors: tuple[float, float]
    doubts: tuple[str, ...]
    tolerance: float
    confidence: float
    runs: tuple[int, int] = (1, 1)
    curves: tuple[Curve, Curve] = ((), ())

    @property
    def verdict(self) -> Word:
        """Slower if any percentile is; same or faster only if every one can tell, and nothing speaks against it."""
        words = {difference.verdict for difference in self.differences}
        if self.doubts or ("cannot tell" in words and "slower" not in words):
            return "cannot tell"
        return next(word for word in ("slower", "faster", "same") if word in words)

    @property
    def exit_code(self) -> int:
        """0 for same or faster, 1 for slower, 4 for cannot tell."""
        return _EXIT_CODES[self.verdict]

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know when reading the verdict: why percentiles cannot tell, and what the runs cannot show."""
        told = [f"P{one.percentile:g}: {one.reason}" for one in self.differences if one.reason]
        if max(self.runs) == 1:
            told.append("one run a side does not show how runs differ among themselves; give several")
        return tuple(told)

    def to_json(self) -> str:
        """The comparison as a JSON object; times in seconds, null where there is none."""
        from seawall.measure.load.comparison._text import as_json

        return as_json(self)

    def to_markdown(self) -> str:
        """The comparison as a comment of a pull request: verdict, table, and what speaks against them."""
        from seawall.measure.load.comparison._text import as_markdown

        return as_markdown(self)
