"""Which metrics tell how a service and its resources fare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seawall.errors import ConfigError
from seawall.observe._recording import Window
from seawall.observe._snapshot import Selector, Wanted

What = Selector | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The metrics of one instrumented service.

    Args:
        name: For people.
        requests: A counter of requests that ended, or a histogram with one value for each.
        errors: Those of them that failed: the same metric with fewer labels, or another counter.
        duration: A histogram of how long requests took; where durations of failures are apart, of the others.
        failed_duration: A histogram of how long failed requests took.
        saturation: A gauge of how full the service is, 0 to 1: of its pool, its queue, its limit. Of several series
            the fullest counts.

    Example:
        >>> shop = Service(
        ...     name="shop",
        ...     requests="http_requests",
        ...     errors=Selector("http_requests", code=("500", "503")),
        ...     duration="http_request_seconds",
        ... )
        >>> shop.where(route="/pay").errors
        Selector('http_requests', code=('500', '503'), route='/pay')
    """

    name: str
    requests: What
    errors: What | None = None
    duration: What | None = None
    failed_duration: What | None = None
    saturation: What | None = None

    def where(self, **labels: Wanted) -> Service:
        """The part of the service with these labels. Saturation stays: it is the service's."""
        narrowed: dict[str, Any] = {
            field: Selector.of(what).where(**labels)
            for field in ("requests", "errors", "duration", "failed_duration")
            if (what := getattr(self, field)) is not None
        }
        return replace(self, **narrowed)

    def split(self, window: Window, *labels: str) -> tuple[Service, ...]:
        """The service route by route, or by whatever labels its requests have; each part is named by their values.

        Errors and durations must have these labels, too: without them a part has none.
        """
        if not labels:
            raise ConfigError("split needs the names of labels, such as split(window, 'route')")
        parts = window.label_values(self.requests, *labels)
        return tuple(
            replace(self.where(**dict(zip(labels, values, strict=True))), name=" ".join(values)) for values in parts
        )


@dataclass(frozen=True, slots=True)
class Share:
    """Utilisation as one gauge in proportion to another: connections in use to those there may be."""

    used: What
    capacity: What


@dataclass(frozen=True, slots=True)
class Busy:
    """Utilisation from a counter of busy time: by how much of each second it grows, shared among `workers`."""

    seconds: What
    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ConfigError(f"workers must be at least 1, got {self.workers!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """The metrics of something that can be used up: a CPU, a pool, a disk.

    Args:
        name: For people.
        utilisation: A gauge from 0 to 1, a `Share` of two gauges, or a `Busy` counter. Of several series of a gauge
            the highest counts.
        saturation: A gauge of the work that waits: a queue, in items or seconds.
        errors: A counter of what went wrong.
    """

    name: str
    utilisation: What | Share | Busy | None = None
    saturation: What | None = None
    errors: What | None = None
