"""Health on a dashboard."""

from __future__ import annotations

from seawall.monitor.health._health import Health
from seawall.monitor.health._words import Probe, Status
from seawall.observe.dashboard import HealthRow, Level

_LEVELS: dict[Status, Level] = {Status.PASS: "good", Status.WARN: "warning", Status.FAIL: "bad"}


def health_rows(health: Health) -> list[HealthRow]:
    """What is known of all checks, without asking any of them."""
    checks = {check.name: check for probe in Probe for check in health.known(probe).checks}
    return [
        HealthRow(
            check.name,
            "unknown" if check.status is None else _LEVELS[check.status],
            check.critical,
            check.output,
            check.took,
        )
        for check in checks.values()
    ]
