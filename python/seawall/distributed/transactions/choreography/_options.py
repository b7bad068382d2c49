"""Options of relays and participants: defaults, units, ranges, checks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from seawall.guard.retry import Backoff, Exponential
from seawall.patterns import Options, option

_DAY = 86_400.0


def _check_backoff(value: Any) -> str | None:
    good = isinstance(value, Backoff) and not isinstance(value, type)
    return None if good else "a backoff of seawall.guard.retry, such as Exponential(0.5)"


class DeliveryOptions(Options):
    """How a stream of events is worked off."""

    attempts: int | None = option(
        default=None, least=1, most=1_000, help="attempts before an event is given up; None never does"
    )
    backoff: Backoff = option(default=Exponential(0.5, 2.0, 60.0), check=_check_backoff, help="waits between attempts")
    ordered: bool = option(
        default=True, help="one event after the other, by one worker for each stream; false: by any number at once"
    )
    batch: int = option(default=100, least=1, most=1_000, help="events read or taken at once")
    ttl: float | timedelta = option(
        default=60.0, unit="s", least=0.1, most=_DAY, help="after so long what a killed worker had goes to another"
    )
    poll_interval: float | timedelta = option(
        default=0.25, unit="s", least=0.001, most=3_600, help="how often an idle worker looks for events"
    )
    crashes: int = option(
        default=10, least=1, most=1_000, help="times a worker may vanish over an event before it is given up"
    )

    @property
    def seconds(self) -> float:
        """`ttl` in seconds."""
        return float(self.ttl)  # type: ignore[arg-type]  # kept as seconds


class ParticipantOptions(DeliveryOptions):
    """How a participant handles events."""

    attempts: int | None = option(
        default=10, least=1, most=1_000, help="attempts before an event is given up; None never does"
    )
    partitions: int = option(default=1, least=1, most=1_024, help="streams its events come in, by key")
    window: float | timedelta = option(
        default=7 * _DAY, unit="s", least=1, most=365 * _DAY, help="how long a handled event is remembered"
    )
    max_hops: int = option(default=32, least=1, most=10_000, help="handlers one after the other, before it is a loop")

    def check(self) -> Iterable[str]:
        """Redelivery must fall into the window."""
        if float(self.window) <= self.seconds:  # type: ignore[arg-type]  # kept as seconds
            yield f"window={self.window!r} must be longer than ttl={self.ttl!r}, or what comes again is not known"
