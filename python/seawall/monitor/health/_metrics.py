"""Health as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seawall.clock import WallClock
from seawall.monitor.health._reports import CheckReport, Report
from seawall.monitor.health._words import Status
from seawall.observe import Family, Sample, Snapshot

_LEVEL = {Status.PASS: 0.0, Status.WARN: 1.0, Status.FAIL: 2.0, None: 2.0}


def metrics_of(checks: Iterable[CheckReport], probes: Mapping[str, Report]) -> Snapshot:
    """What is known of checks and probes: 0 pass, 1 warn, 2 fail."""
    known = sorted(checks, key=lambda check: check.name)
    status = tuple(Sample((("check", c.name), ("probe", c.probe.value)), _LEVEL[c.status]) for c in known)
    took = tuple(Sample((("check", c.name),), c.took) for c in known if c.took is not None)
    stuck = tuple(Sample((("check", c.name),), float(c.stuck)) for c in known)
    whole = tuple(Sample((("probe", name),), _LEVEL[probes[name].status]) for name in sorted(probes))
    return Snapshot(
        WallClock().now_ns() / 1e9,
        (
            Family(
                "seawall_health_check_seconds", "gauge", took, "How long the last run of the check took.", "seconds"
            ),
            Family("seawall_health_check_status", "gauge", status, "The check: 0 pass, 1 warn, 2 fail."),
            Family("seawall_health_check_stuck", "gauge", stuck, "Runs of the check that were given up and hang."),
            Family("seawall_health_status", "gauge", whole, "The answer to the probe: 0 pass, 1 warn, 2 fail."),
        ),
    )
