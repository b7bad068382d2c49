"""Several detectors that must agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seawall.errors import ConfigError
from seawall.monitor.anomaly._detector import Detector
from seawall.monitor.anomaly._verdict import Verdict


class Vote:
    """A value is anomalous when at least `need` of several detectors say so; each sees every value.

    A detector that is not ready has no vote, and while fewer than `need` are ready the vote is not either. The score is
    that of the last vote that was needed.

    Thread safety: yes, as the detectors are.

    Args:
        detectors: By the names that reasons call them.
        need: How many must agree; by default more than half.

    Raises:
        ConfigError: no detectors, or `need` is not 1 to their number.

    Example:
        >>> from seawall.monitor.anomaly import Bounds
        >>> vote = Vote({"high": Bounds(high=5), "low": Bounds(low=0), "tight": Bounds(high=4)}, need=2)
        >>> vote.update(6, at=0).reason
        '2 of 3: high: 6 is above 5; tight: 6 is above 4'
    """

    kind = "vote"

    def __init__(self, detectors: Mapping[str, Detector], *, need: int | None = None) -> None:
        self.detectors = dict(detectors)
        if not self.detectors:
            raise ConfigError("detectors must name at least one detector, got none")
        need = len(self.detectors) // 2 + 1 if need is None else need
        if isinstance(need, bool) or not isinstance(need, int) or not 1 <= need <= len(self.detectors):
            raise ConfigError(f"need must be a whole number, 1 to {len(self.detectors)} detectors, got {need!r}")
        self.need = need

    def update(self, value: float | None, at: float) -> Verdict:
        """Let every detector judge the next value, and count."""
        verdicts = {name: detector.update(value, at) for name, detector in self.detectors.items()}
        ready = [verdict for verdict in verdicts.values() if verdict.ready]
        against = [f"{name}: {verdict.reason}" for name, verdict in verdicts.items() if verdict.anomalous]
        scores = sorted((verdict.score for verdict in ready), reverse=True)
        score = scores[self.need - 1] if len(ready) >= self.need else 0.0
        anomalous = len(against) >= self.need
        reason = f"{len(against)} of {len(verdicts)}: {'; '.join(against)}" if anomalous else ""
        expected = next((verdict.expected for verdict in ready if verdict.expected is not None), None)
        return Verdict(anomalous, score, expected, len(ready) >= self.need, reason)

    def reset(self) -> None:
        """Let every detector forget everything."""
        for detector in self.detectors.values():
            detector.reset()

    def to_dict(self) -> dict[str, Any]:
        """All detectors as plain data; `detector_from` reads it.

        Raises:
            ConfigError: one of them has no state of plain data.
        """
        unknown = [name for name, detector in self.detectors.items() if not hasattr(detector, "to_dict")]
        if unknown:
            raise ConfigError(
                f"detector {unknown[0]!r} has no to_dict(), so its vote cannot be saved; pickle it instead"
            )
        saved = {name: detector.to_dict() for name, detector in self.detectors.items()}  # type: ignore[attr-defined]  # checked
        return {"kind": self.kind, "need": self.need, "detectors": saved}

    def __repr__(self) -> str:
        return f"Vote({self.detectors!r}, need={self.need})"
