"""Options of health checks."""

from __future__ import annotations

from datetime import timedelta

from seawall.monitor.health._words import Probe
from seawall.patterns import Options, option


class CheckOptions(Options):
    """How one check is asked, and what its failure means."""

    probe: Probe = option(default=Probe.READY, help="which probe it decides")
    critical: bool = option(default=True, help="its failure fails the probe; False only degrades the service")
    timeout: float | timedelta = option(
        default=0.8, unit="s", least=0.01, most=60, help="time for one run; a kubelet waits 1 s unless told otherwise"
    )
    ttl: float | timedelta = option(
        default=1.0, unit="s", least=0, most=3_600, help="how long an answer is good for everybody who asks"
    )
    stale: float | timedelta = option(
        default=0.0, unit="s", least=0, most=3_600, help="how much longer it is given while a new run is under way"
    )
    failures: int = option(default=1, least=1, most=100, help="bad answers in a row that make it fail")
    successes: int = option(default=1, least=1, most=100, help="good answers in a row that make it pass")
    max_stuck: int = option(default=2, least=1, most=100, help="runs that may hang before no more are started")
