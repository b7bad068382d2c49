"""What a shutdown goes through, and what it tells afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Phase(Enum):
    """How far a shutdown has come."""

    RUNNING = "running"
    """Nobody has asked for it."""
    DRAINING = "draining"
    """Not ready any more; requests that come all the same are taken."""
    STOPPING = "stopping"
    """Nothing is taken any more; what is in flight may end."""
    CLOSING = "closing"
    """Closers run."""
    DONE = "done"
    """Over."""


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """A shutdown has come further.

    Args:
        phase: Where it is now.
        reason: Why there is a shutdown.
        in_flight: How much is in flight.
    """

    phase: Phase
    reason: str
    in_flight: int


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of a function that was to be called.

    Units: `took` is in seconds.

    Args:
        name: Its name.
        outcome: "closed" when it ended in time, "failed" when it raised, "timed out" when it was left behind, "cut"
            when a second signal left it behind, "skipped" when it was never called: no time was left, or a second
            signal came.
        took: How long it took.
        error: What it raised, without secrets.
    """

    name: str
    outcome: Literal["closed", "failed", "timed out", "cut", "skipped"]
    took: float = 0.0
    error: str = ""

    def __str__(self) -> str:
        error = f" ({self.error})" if self.error else ""
        return f"{self.name}: {self.outcome} after {self.took:.3g} s{error}"


@dataclass(frozen=True, slots=True)
class CutOff:
    """Work that was in flight when its time was up.

    Units: `ran` is in seconds.

    Args:
        name: Its name.
        ran: How long it had run.
        ended: Whether it ended when it was cancelled; what runs in a thread cannot be.
    """

    name: str
    ran: float
    ended: bool

    def __str__(self) -> str:
        return f"{self.name}: {'cancelled' if self.ended else 'left running'} after {self.ran:.3g} s"


@dataclass(frozen=True, slots=True)
class ShutdownReport:
    """What a shutdown did.

    Units: seconds.

    Args:
        reason: Why.
        signal: Number of the signal that asked for it; None when it was asked for by a call.
        took: Altogether.
        delayed: How long load balancers were given.
        drained: How long what was in flight was given.
        cut: What was cut off.
        stopped: Functions that stop accepting, in the order they were called.
        closed: Closers, in the order they were called.
        hurried: Whether a second signal came.
    """

    reason: str
    signal: int | None
    took: float
    delayed: float
    drained: float
    cut: tuple[CutOff, ...] = ()
    stopped: tuple[Closed, ...] = ()
    closed: tuple[Closed, ...] = ()
    hurried: bool = False

    @property
    def clean(self) -> bool:
        """Whether nothing was cut off, left behind or skipped, and nothing failed."""
        return not self.cut and not self.hurried and all(o.outcome == "closed" for o in (*self.stopped, *self.closed))

    @property
    def exit_code(self) -> int:
        """0 when it was clean, else 1."""
        return 0 if self.clean else 1

    def __str__(self) -> str:
        lines = [
            f"shutdown ({self.reason}) took {self.took:.3g} s: {self.delayed:.3g} s for load balancers, "
            f"{self.drained:.3g} s for what was in flight{', then hurried' if self.hurried else ''}"
        ]
        lines += [f"  cut off {cut}" for cut in self.cut]
        lines += [f"  {each}" for each in (*self.stopped, *self.closed) if each.outcome != "closed"]
        return "\n".join(lines)
