"""How a profile came about."""

from __future__ import annotations

from dataclasses import dataclass

# Of the rate as asked; less is worth a word.
_NEARLY = 0.9


@dataclass(frozen=True, slots=True)
class Sampling:
    """What the profiler did, and what that cost.

    Args:
        rate: Samples a second as asked.
        samples: Looks at all threads.
        seconds: The time they cover.
        spent: Seconds of processor time that looking took.
        held_back: Samples that came later because the budget was spent.
        beyond: Samples of stacks for which there was no room; they count as "(stacks beyond the limit)".
        failed: Looks that failed; their time counts for the next.
    """

    rate: float = 0.0
    samples: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    held_back: int = 0
    beyond: int = 0
    failed: int = 0

    @property
    def held_rate(self) -> float:
        """Samples a second as taken."""
        return self.samples / self.seconds if self.seconds > 0 else 0.0

    @property
    def overhead(self) -> float:
        """Share of one processor that looking took."""
        return self.spent / self.seconds if self.seconds > 0 else 0.0

    def doubts(self) -> list[str]:
        """What a reader has to know before the numbers; empty when all went as asked."""
        told = []
        if self.held_back and self.held_rate < _NEARLY * self.rate:
            told.append(
                f"Sampled {self.held_rate:.3g} times a second instead of {self.rate:.3g}: a look took "
                f"{self.spent / max(self.samples, 1) * 1e6:.0f} µs and the budget was spent"
            )
        if self.beyond:
            told.append(f"{self.beyond:,} samples were of stacks for which there was no room; raise max_stacks")
        if self.failed:
            told.append(f"{self.failed:,} looks failed; the log has the first")
        return told

    def __add__(self, other: Sampling) -> Sampling:
        return Sampling(
            max(self.rate, other.rate),
            self.samples + other.samples,
            self.seconds + other.seconds,
            self.spent + other.spent,
            self.held_back + other.held_back,
            self.beyond + other.beyond,
            self.failed + other.failed,
        )

    def since(self, before: Sampling) -> Sampling:
        """What was done after an earlier moment of the same run."""
        return Sampling(
            self.rate,
            self.samples - before.samples,
            self.seconds - before.seconds,
            self.spent - before.spent,
            self.held_back - before.held_back,
            self.beyond - before.beyond,
            self.failed - before.failed,
        )
