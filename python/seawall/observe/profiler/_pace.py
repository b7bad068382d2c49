"""When to sample next: as often as asked, as long as that costs no more than its budget."""

from __future__ import annotations

from dataclasses import dataclass

_LATE = 1.25


@dataclass(slots=True)
class Pace:
    """A pure machine: told what samples cost, it says when the next is due.

    What samples cost is a debt that time pays off at `budget` of a processor. A sample that is due waits until its debt
    is paid, so over any length of time the cost is at most budget * time and one sample.

    Args:
        period: Nanoseconds between samples as asked.
        budget: Share of one processor, 0 to 1.
        due: When the next sample is due, in nanoseconds.
        debt: Nanoseconds of processor time not yet paid.
        spent: Nanoseconds of processor time in all.
        held_back: Samples that came later for the budget's sake.
        slowed: Whether the budget, not the rate, decides at present.
    """

    period: float
    budget: float
    due: int = 0
    debt: float = 0.0
    spent: int = 0
    held_back: int = 0
    slowed: bool = False

    def begin(self, now: int, chance: float) -> None:
        """Sampling begins."""
        self.due = now + round(self.period * (0.5 + chance))

    def after(self, now: int, elapsed: int, cost: int, chance: float) -> bool:
        """A sample was taken; sets `due`. True when the budget has just begun to hold sampling back.

        Args:
            now: In nanoseconds.
            elapsed: Nanoseconds since the sample before.
            cost: Nanoseconds of processor time this one took.
            chance: 0 to 1. The step is between half the period and one and a half, so that nothing periodic in the
                process keeps step with it.
        """
        self.spent += cost
        self.debt = max(0.0, self.debt - self.budget * elapsed) + cost
        due = self.due + round(self.period * (0.5 + chance))
        # Samples that were missed are not made up for: the weights say for how long each stands.
        due = due if due > now else now + round(self.period * (0.5 + chance))
        paid = now + round((self.debt - self.budget * self.period) / self.budget)
        self.due = max(due, paid)
        self.held_back += paid > due
        before, self.slowed = self.slowed, paid - now > _LATE * self.period
        return self.slowed and not before
