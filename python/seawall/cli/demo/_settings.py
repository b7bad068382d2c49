"""What the demo does, by default and in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.measure.load import Pattern

# The header of an answer that came without its optional part.
REDUCED = "X-Reduced"


@dataclass(frozen=True, slots=True)
class Trouble:
    """When payments is at its worst, in shares of a run.

    Args:
        slow: From when until when its calls take longer.
        slower: How many times as long.
        errors: From when until when it fails.
        share: The share of calls that then fails.
    """

    slow: tuple[float, float] = (0.2, 0.4)
    slower: float = 8.0
    errors: tuple[float, float] = (0.7, 0.8)
    share: float = 0.6


@dataclass(frozen=True, slots=True)
class Settings:
    """The demo's numbers.

    Units: requests a second; seconds.

    Args:
        limit: What the guarded service lets in.
        burst: What it lets in at once.
        low: The lowest rate of the patterns.
        high: The highest.
        duration: Length of each run.
        seed: Of arrivals and of all chance in the service.
        patience: How long a caller waits for an answer.
        workers: Calls that payments works on at once.
        median: Of the time that payments works on a call.
        spread: Sigma of its logarithm.
    """

    limit: float = 70.0
    burst: int = 10
    low: float = 20.0
    high: float = 200.0
    duration: float = 4.0
    seed: int = 7
    patience: float = 0.5
    workers: int = 2
    median: float = 0.020
    spread: float = 0.4
    trouble: Trouble = Trouble()

    def patterns(self) -> list[Pattern]:
        """The five patterns between the two rates; the constant one within what payments can do on a good day."""
        # The services read these settings, too, and make no load.
        from seawall.measure.load import Constant, Linear, Sine, Spike, Step

        low, high = self.low, self.high
        return [Constant(low + (high - low) / 4), Linear(low, high), Step(low, high), Spike(low, high), Sine(low, high)]

    def facts(self) -> dict[str, Any]:
        """As a child process is told."""
        return asdict(self)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Settings:
        """As a child process was told."""
        trouble = facts["trouble"]
        slow, errors = tuple(trouble["slow"]), tuple(trouble["errors"])
        return cls(**{**facts, "trouble": Trouble(**{**trouble, "slow": slow, "errors": errors})})
