"""The JSON that webhooks of Prometheus Alertmanager send, version 4, which many receivers read."""

from __future__ import annotations

from typing import Any

from seawall.observe.alerts._alert import Alert
from seawall.observe.alerts._notifier import Notification
from seawall.observe.alerts._templates import shared
from seawall.observe.alerts._times import rfc3339

MOST_ALERTS = 1_000
_NEVER = "0001-01-01T00:00:00Z"


def payload_of(told: Notification, external_url: str = "") -> dict[str, Any]:
    """A notification as Alertmanager would post it.

    Source: Prometheus Alertmanager, `webhook_config`, version 4.
    """
    alerts = told.alerts[:MOST_ALERTS]
    return {
        "version": "4",
        "groupKey": told.group,
        "truncatedAlerts": len(told.alerts) - len(alerts),
        "status": told.status,
        "receiver": told.receiver,
        "groupLabels": dict(told.group_labels),
        "commonLabels": shared([alert.labels for alert in told.alerts]),
        "commonAnnotations": shared([alert.annotations for alert in told.alerts]),
        "externalURL": external_url,
        "alerts": [_alert(alert, external_url) for alert in alerts],
    }


def _alert(alert: Alert, url: str) -> dict[str, Any]:
    return {
        "status": alert.status,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.starts_at),
        "endsAt": _NEVER if alert.ends_at is None else rfc3339(alert.ends_at),
        "generatorURL": url,
        "fingerprint": alert.fingerprint,
    }
