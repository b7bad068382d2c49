"""An alert as it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fires or has resolved.

    Attributes:
        labels: Who it is.
        annotations: What is said of it.
        starts_at: Since when it fires, in unix seconds.
        ends_at: When it resolved; None while it fires.
        value: The last one read.
        receivers: The channels it goes to whatever the routes say; None for those of its routes.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: float = 0.0
    ends_at: float | None = None
    value: float | None = None
    receivers: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Its label `alertname`."""
        return self.labels.get("alertname", "")

    @property
    def status(self) -> Status:
        """Whether it fires."""
        return "firing" if self.ends_at is None else "resolved"

    @property
    def fingerprint(self) -> str:
        """Of its labels: the same alert, the same fingerprint."""
        return fingerprint(self.labels)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "labels": dict(self.labels), "annotations": dict(self.annotations), "starts_at": self.starts_at,
            "ends_at": self.ends_at, "value": self.value,
            "receivers": None if self.receivers is None else list(self.receivers),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Alert:
        """What `to_dict` wrote."""
        receivers = None if data["receivers"] is None else tuple(data["receivers"])
        return cls(
            dict(data["labels"]),
            dict(data["annotations"]),
            data["starts_at"],
            data["ends_at"],
            data["value"],
            receivers,
        )


def fingerprint(labels: Mapping[str, str]) -> str:
    """16 hexadecimal digits of a hash of the labels."""
    said = "\0".join(f"{name}\1{labels[name]}" for name in sorted(labels))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]
