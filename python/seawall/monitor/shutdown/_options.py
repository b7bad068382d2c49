"""Options of a shutdown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from seawall.patterns import Options, option


class ShutdownOptions(Options):
    """How long each part of a shutdown may take."""

    delay: float | timedelta = option(
        default=5.0, unit="s", least=0, most=600, help="requests are still taken while load balancers learn of it"
    )
    drain: float | timedelta = option(
        default=15.0, unit="s", least=0, most=86_400, help="time for what is in flight, before it is cut off"
    )
    unwind: float | timedelta = option(
        default=1.0, unit="s", least=0, most=600, help="time for tasks that were cancelled to clean up"
    )
    within: float | timedelta = option(
        default=28.0, unit="s", above=0, most=172_800, help="time for everything; a kubelet kills after 30 s"
    )

    def check(self) -> Iterable[str]:
        """What is waited for must leave time to close."""
        waits = float(self.delay) + float(self.drain) + float(self.unwind)  # type: ignore[arg-type]
        if waits >= float(self.within):  # type: ignore[arg-type]
            yield (
                f"delay + drain + unwind must be less than within, got {waits:g} s and {self.within:g} s; the rest is "
                "for closers"
            )
