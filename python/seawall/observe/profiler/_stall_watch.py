"""Whether a loop runs: a pure machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Step = Literal["runs", "capture", "wait", "ended"]


@dataclass(slots=True)
class StallWatch:
    """One loop as its watchdog sees it.

    The loop sets `beat` whenever it comes round; the watchdog asks `step` what to do. Times are in nanoseconds.

    Args:
        threshold: Longer without a beat is a stall.
        tick: How long the loop lets pass between beats.
        max_captures: Stacks captured of one stall; the first at the threshold, each further one at twice the time.
        beat: When the loop last came round.
        begun: When the stall that goes on began; None while the loop runs.
        captured: Stacks captured of it.
        ended_after: How long the last one took.
    """

    threshold: int
    tick: int
    max_captures: int
    beat: int
    begun: int | None = None
    captured: int = 0
    ended_after: int = 0
    _seen: int = field(default=-1)

    def step(self, now: int, *, running: bool) -> Step:
        """What to do now. A loop that was told to stop is not stalled."""
        beat = self.beat
        if self.begun is not None and (beat != self._seen or not running):
            self.ended_after = max((beat if beat != self._seen else now) - self.begun, 0)
            self.begun, self.captured = None, 0
            return "ended"
        if not running:
            self.beat = now
            return "runs"
        # It meant to come round a tick after its last beat: from then on it is late.
        late = now - (beat + self.tick)
        if late < self.threshold:
            return "runs"
        if self.begun is None:
            self.begun, self._seen = beat + self.tick, beat
        if self.captured < self.max_captures and late >= self.threshold << self.captured:
            self.captured += 1
            return "capture"
        return "wait"

    @property
    def came_round(self) -> bool:
        """Whether the loop has run since it was found stalled."""
        return self.begun is not None and self.beat != self._seen

    def stalled_for(self, now: int) -> int:
        """How long the stall has gone on."""
        return 0 if self.begun is None else now - self.begun
