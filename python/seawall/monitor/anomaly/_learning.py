"""Options that several detectors share."""

from __future__ import annotations

from seawall.monitor.anomaly._detector import Side
from seawall.monitor.anomaly._spread import Floor
from seawall.patterns import Options, option


class SidedOptions(Options):
    """On which side a value may be out, and the least spread that is believed."""

    side: Side = option(default="both", help="where anomalies lie: both, above or below what is usual")
    least_spread: float = option(default=0.0, least=0, help="the least spread that is believed, in units of the values")
    least_share: float = option(
        default=0.01, least=0, most=10, help="the least spread that is believed, as a share of what is usual"
    )

    @property
    def floor(self) -> Floor:
        """The least spread."""
        return Floor(self.least_spread, self.least_share)


class LearningOptions(SidedOptions):
    """How a detector learns what is usual."""

    warm_up: int = option(default=60, least=5, most=10_000, unit="values", help="seen before anything is judged")
    memory: int | None = option(
        default=600,
        least=10,
        most=10_000_000,
        unit="values",
        help="after about so many a new level is usual; None keeps what the warm-up showed",
    )
